/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real mode: counts, first in segment 0, then in segment 0x7c0, where ip and the linear address differ. */
	.code16
	.text
	.globl start, count, far, far_count, counter, far_counter, go_far

start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$start, %sp
	movw	$0x1234, %bx
count:
	incl	counter
	cmpb	$0, go_far
	je	count
	ljmpw	$0x7c0, $far - start

far:
	movw	$0x5678, %bx
far_count:
	incl	far_counter
	jmp	far_count

	.org	0x100			/* 0x7d00 */
counter: .long	0
far_counter: .long 0			/* 0x7d04 */
go_far:	.byte	0			/* 0x7d08 */

	.org	510
	.word	0xaa55
