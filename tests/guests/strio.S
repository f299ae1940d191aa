/* SPDX-License-Identifier: GPL-3.0-or-later */
/* String I/O: rep outsb to COM1 and the debug console, rep insb from the latter; exits with 0 when all is right */
	.code16
	.text
	.globl start, sending, receiving, checking, buffer

start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$start, %sp
	cld
	movw	$text, %si
	movw	$text_end - text, %cx
	movw	$0xe9, %dx
sending:
	rep outsb
	movw	$text, %si
	movw	$text_end - text, %cx
	movw	$0x3f8, %dx
	rep outsb
	movw	$buffer, %di
	movw	$16, %cx
	movw	$0xe9, %dx
receiving:
	rep insb
	movw	$8, %cx		/* two bytes at a time: the port above answers all ones */
	rep insw
checking:
	movw	$buffer, %di
	movw	$16, %cx
	movb	$0xe9, %al
	repe scasb
	movb	$1, %al
	jne	1f
	cmpb	$0xff, buffer + 17
	jne	1f
	cmpw	$buffer + 16, %di
	jne	1f
	xorb	%al, %al
1:	outb	%al, $0xf4
2:	hlt
	jmp	2b

text:	.ascii	"string output\r\n"
text_end:

	.org	0x100			/* 0x7d00 */
buffer:	.skip	32

	.org	510
	.word	0xaa55
