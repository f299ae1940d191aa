/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A triple fault: a divide error with an interrupt descriptor table that holds nothing. */
	.text
	.globl	start, fault, runs
start:
	incl	runs(%rip)
	lidt	nothing(%rip)
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	movl	$1, %eax
fault:
	divl	%ecx
1:	hlt
	jmp	1b

	.data
	.balign	8
nothing:
	.word	0
	.quad	0
runs:	.long	0
