/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accesses where no RAM is, in every size: reads answer all ones and writes change nothing.  Exits with 0 when so,
 * else with the number of the first check that failed.
 */
#define HOLE 0xd0000000

	.text
	.globl	start, checks
start:
	leaq	stack_top(%rip), %rsp
	movl	$HOLE, %ebx
checks:
	movl	$1, %edi
	movb	$0x5a, (%rbx)
	movb	(%rbx), %al
	cmpb	$0xff, %al
	jne	failed
	incl	%edi			/* 2 */
	movw	$0x5a5a, 2(%rbx)
	movw	2(%rbx), %ax
	cmpw	$0xffff, %ax
	jne	failed
	incl	%edi			/* 3 */
	movl	$0x5a5a5a5a, 4(%rbx)
	movl	4(%rbx), %eax
	cmpl	$0xffffffff, %eax
	jne	failed
	incl	%edi			/* 4 */
	movq	$0x5a5a5a5a, 8(%rbx)
	movq	8(%rbx), %rax
	cmpq	$-1, %rax
	jne	failed
	incl	%edi			/* 5: the local APIC answers, in the kernel */
	movl	$0xfee00030, %ecx
	movl	(%rcx), %eax
	testl	%eax, %eax
	jz	failed
	cmpl	$0xffffffff, %eax
	je	failed
	xorl	%edi, %edi
failed:
	movl	%edi, %eax
	outb	%al, $0xf4
1:	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	256
stack_top:
