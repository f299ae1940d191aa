/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends back what it receives on COM1, letters in upper case, asking the line status register; exits with 0 on a
 * dot.
 */
	.code16
	.text
	.globl start, poll, received

start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$start, %sp
	movb	$'>', %al
	movw	$0x3f8, %dx
	outb	%al, %dx
poll:
	movw	$0x3fd, %dx
	inb	%dx, %al
	testb	$1, %al
	jz	poll
	movw	$0x3f8, %dx
	inb	%dx, %al
	incl	received
	cmpb	$'.', %al
	je	leave
	cmpb	$'a', %al
	jb	1f
	cmpb	$'z', %al
	ja	1f
	subb	$0x20, %al
1:	outb	%al, %dx
	jmp	poll
leave:
	xorb	%al, %al
	outb	%al, $0xf4
1:	hlt
	jmp	1b

	.org	0x100			/* 0x7d00 */
received: .long	0

	.org	510
	.word	0xaa55
