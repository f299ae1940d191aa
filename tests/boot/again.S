/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A boot sector that says so on COM1, and resets. */
	.code16
	.text
	.globl	start

start:
	movw	$0x3f8, %dx
	movb	$'!', %al
	outb	%al, %dx
	movw	$0xcf9, %dx
	movb	$6, %al
	outb	%al, %dx
1:	hlt
	jmp	1b

	.org	510
	.word	0xaa55
