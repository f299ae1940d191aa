/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Header and entry of mb2hello, a Multiboot 2 kernel (specification 2.0, sections 3.1 and 3.3). */
#define MAGIC 0xe85250d6
#define I386 0
#define TAG_END 0
#define TAG_INFORMATION 1
#define OPTIONAL 1

	.section .multiboot, "a"
	.balign	8
header:
	.long	MAGIC, I386, header_end - header, -(MAGIC + I386 + (header_end - header))
	.balign	8
request:
	.short	TAG_INFORMATION, 0
	.long	request_end - request
	.long	1, 3, 4, 6		/* command line, modules, memory, memory map */
request_end:
	.balign	8
	.short	TAG_END, 0
	.long	8
header_end:

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
