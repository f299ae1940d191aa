/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The built-in guest on PowerPC: says hello by hypercalls (PAPR, H_PUT_TERM_CHAR), and counts.  In real mode, with MSR.SF and MSR.LE
 * set, as it is entered.
 */
#define H_PUT_TERM_CHAR 0x58
#define CHUNK           16              /* bytes a call */

	.text
	.globl	start
start:
	lis	30, text@h
	ori	30, 30, text@l
	li	31, text_end - text
	.globl	print
print:
	cmpldi	31, 0
	beq	count
	li	29, CHUNK
	cmpld	31, 29
	bge	1f
	mr	29, 31
1:	li	3, H_PUT_TERM_CHAR
	li	4, 0
	mr	5, 29
	li	8, 8
	ldbrx	6, 0, 30        /* the first byte goes to the highest bits */
	ldbrx	7, 8, 30
	sc	1
	add	30, 30, 29
	sub	31, 31, 29
	b	print

	.globl	count
count:
	li	28, 0
	.globl	loop
loop:
	addi	28, 28, 1
	b	loop

	.balign	8
text:
	.ascii	"Hello from gdbvisor's guest on PowerPC.\n"
text_end:
	.space	CHUNK
