/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Header and entry of mbhello, a Multiboot 1 kernel (specification 0.6.96, sections 3.1 and 3.2). */
#define MAGIC 0x1badb002
#define FLAGS 0x3			/* modules page-aligned, memory information wanted */

	.section .multiboot, "a"
	.balign	4
	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)

	.text
	.globl	start
start:
	movl	$stack_top, %esp
	xorl	%ebp, %ebp
	pushl	%ebx
	pushl	%eax
	call	main
	outb	%al, $0xf4
1:	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	8192
stack_top:
