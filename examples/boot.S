/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A boot sector: 512 bytes, loaded at 0x7c00, real mode.  Says hello on COM1, then counts until a debugger sets
 * `leave`; its exit status is then 1.
 */
	.code16
	.text
	.globl start, say, put, count, done, counter, leave, hello

start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$start, %sp
	cld
	movw	$hello, %si
say:
	lodsb
	testb	%al, %al
	jz	count
	call	put
	jmp	say

	.balign	32, 0x90
count:					/* 0x7c20 */
	incl	counter
	cmpb	$0, leave
	je	count
done:
	xorb	%al, %al
	outb	%al, $0xf4
1:	hlt
	jmp	1b

/* Sends %al to COM1. */
put:
	movb	%al, %ah
	movw	$0x3fd, %dx
1:	inb	%dx, %al
	testb	$0x20, %al
	jz	1b
	movb	%ah, %al
	movw	$0x3f8, %dx
	outb	%al, %dx
	ret

hello:	.asciz	"hello from the boot sector\r\n"

	.org	0x100			/* 0x7d00 */
counter: .long	0
leave:	.byte	0			/* 0x7d04 */

	.org	510
	.word	0xaa55
