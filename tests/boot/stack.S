/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Protected mode with a stack segment that does not begin at 0, as iPXE has it: exits with 0 when an exception's frame is
 * on that stack, with 1 when it is not.
 */
	.code16
	.text
	.globl	start

start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdt	gdtr
	lidt	idtr
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmp	$8, $1f

	.code32
1:	movl	$0x10, %eax
	movl	%eax, %ds
	movl	$0x18, %eax
	movl	%eax, %ss
	movl	$0x1000, %esp
	xorl	%ecx, %ecx
	divl	%ecx
1:	jmp	1b

handler:
	xorl	%eax, %eax
	cmpl	$8, 4(%esp)
	setne	%al
	outb	%al, $0xf4
1:	jmp	1b

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9a000000ffff
	.quad	0x00cf92000000ffff
	.quad	0x00cf92010000ffff	/* data at 0x10000 */
gdtr:	.word	. - gdt - 1
	.long	gdt
idt:	.word	handler, 8, 0x8e00, 0	/* handler is below 64 KiB */
idtr:	.word	7
	.long	idt

	.org	510
	.word	0xaa55
