/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real mode: loads one of two second stages after the other over the same place, as a boot loader does, and calls it.  Each is
 * six instructions of one byte: `sum` is 6 after the first, and 0 after the second.
 */
	.code16
	.text
	.globl	start, load, sum, loads, stage, first, second

	.set	stage, 0x9000
	.set	stage_size, second - first

start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$start, %sp
	cld
again:
	movw	$first, %si
	call	load
	movw	$second, %si
	call	load
	jmp	again

load:
	movw	$stage, %di
	movw	$stage_size, %cx
	rep movsb
	incw	loads
	movw	sum, %ax
	movw	$stage, %bx
	call	*%bx
	movw	%ax, sum
	ret

first:	.fill	6, 1, 0x40		/* inc %ax */
	ret
second:	.fill	6, 1, 0x48		/* dec %ax */
	ret

	.org	0x100			/* 0x7d00 */
sum:	.word	0
loads:	.word	0			/* 0x7d02 */

	.org	510
	.word	0xaa55
