/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entry of nest, 32 or 64 bit. */
	.text
	.globl	start
start:
#ifdef __x86_64__
	leaq	stack_top(%rip), %rsp
#else
	movl	$stack_top, %esp
#endif
	xorl	%ebp, %ebp
	call	main
	outb	%al, $0xf4
1:	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	4096
stack_top:
