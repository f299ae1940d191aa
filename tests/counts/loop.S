/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real mode, for counting: passes of an inner loop as many as `passes` says, then once through `hit`, and again. */
	.code16
	.text
	.globl start, range, range_end, hit, passes, count

start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$start, %sp
again:
	movw	passes, %cx
range:
	decw	%cx
	jnz	range
range_end:
	incl	count
hit:
	nop
	jmp	again

	.org	0x100			/* 0x7d00 */
passes:	.word	1
	.word	0
count:	.long	0			/* 0x7d04 */

	.org	510
	.word	0xaa55
