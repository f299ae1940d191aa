/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guest's own handler for a divide error: skips the instruction and counts; exits with the count, 3. */
	.code16
	.text
	.globl start, on_divide, first, errors

start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$start, %sp
	movw	$on_divide, 0
	movw	$0, 2
	xorw	%cx, %cx
	xorw	%dx, %dx
first:
	divw	%cx
	divw	%cx
	divw	%cx
	movb	errors, %al
	outb	%al, $0xf4
1:	hlt
	jmp	1b

on_divide:
	incl	%cs:errors
	pushw	%bp
	movw	%sp, %bp
	addw	$2, 2(%bp)		/* past the two bytes of divw %cx */
	popw	%bp
	iretw

	.org	0x100			/* 0x7d00 */
errors:	.long	0

	.org	510
	.word	0xaa55
