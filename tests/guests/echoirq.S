/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Long mode: as echo, but sleeping in hlt until COM1's interrupt, which comes through the 8259s and an IDT of its
 * own.  Letters stay as they are.
 */
#define COM1 0x3f8
#define VECTOR 0x24			/* IRQ 4 of a first 8259 at 0x20 */

	.text
	.globl	start, asleep, on_serial, received, interrupts
start:
	leaq	stack_top(%rip), %rsp
	lgdt	gdt_pointer(%rip)
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	pushq	$0x08
	leaq	1f(%rip), %rax
	pushq	%rax
	lretq
1:
	/* the gate: a handler below 4 GiB, selector 8, present 64-bit interrupt gate */
	leaq	idt + VECTOR * 16(%rip), %rdi
	leaq	on_serial(%rip), %rax
	movw	%ax, (%rdi)
	movw	$0x08, 2(%rdi)
	movw	$0x8e00, 4(%rdi)
	shrl	$16, %eax
	movw	%ax, 6(%rdi)
	lidt	idt_pointer(%rip)

	movb	$0x11, %al
	outb	%al, $0x20
	outb	%al, $0xa0
	movb	$0x20, %al
	outb	%al, $0x21
	movb	$0x28, %al
	outb	%al, $0xa1
	movb	$0x04, %al
	outb	%al, $0x21
	movb	$0x02, %al
	outb	%al, $0xa1
	movb	$0x01, %al
	outb	%al, $0x21
	outb	%al, $0xa1
	movb	$0xef, %al
	outb	%al, $0x21
	movb	$0xff, %al
	outb	%al, $0xa1

	/* FIFOs on, interrupt on received data, OUT2 lets the line through */
	movw	$COM1 + 2, %dx
	movb	$0x07, %al
	outb	%al, %dx
	movw	$COM1 + 4, %dx
	movb	$0x0b, %al
	outb	%al, %dx
	movw	$COM1 + 1, %dx
	movb	$0x01, %al
	outb	%al, %dx
	movw	$COM1, %dx
	movb	$'>', %al
	outb	%al, %dx
asleep:
	sti
	hlt
	cli
	cmpb	$0, leave(%rip)
	je	asleep
	xorl	%eax, %eax
	outb	%al, $0xf4
1:	hlt
	jmp	1b

on_serial:
	pushq	%rax
	pushq	%rdx
	incl	interrupts(%rip)
1:	movw	$COM1 + 5, %dx
	inb	%dx, %al
	testb	$1, %al
	jz	3f
	movw	$COM1, %dx
	inb	%dx, %al
	incl	received(%rip)
	cmpb	$'.', %al
	jne	2f
	movb	$1, leave(%rip)
	jmp	1b
2:	outb	%al, %dx
	jmp	1b
3:	movb	$0x20, %al
	outb	%al, $0x20
	popq	%rdx
	popq	%rax
	iretq

	.data
	.balign	8
gdt:	.quad	0
	.quad	0x00af9a000000ffff
	.quad	0x00cf92000000ffff
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.quad	gdt
idt_pointer:
	.word	256 * 16 - 1
	.quad	idt
received: .long	0
interrupts: .long 0
leave:	.byte	0

	.bss
	.balign	16
idt:	.skip	256 * 16
	.skip	4096
stack_top:
