/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Entry of hello64: long mode with the first 4 GiB mapped to itself, interrupts off. */
	.text
	.globl	start
start:
	leaq	stack_top(%rip), %rsp
	xorl	%ebp, %ebp		/* a backtrace ends here */
	call	main
	outb	%al, $0xf4
1:	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	8192
stack_top:
