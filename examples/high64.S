/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entry of high64, a kernel in the higher half: it is started at the physical address of `start`, in long mode with the
 * first 4 GiB mapped onto themselves, maps its first 2 MiB at -2 GiB too, and goes on up there.
 */
#define PRESENT_WRITE 0x03
#define PRESENT_WRITE_LARGE 0x83

	.section .boot, "ax"
	.globl	start
start:
	/* down here, labels are where the instructions find them */
	leaq	upper(%rip), %rax
	leaq	directory(%rip), %rcx
	movq	$PRESENT_WRITE_LARGE, (%rcx)
	orq	$PRESENT_WRITE, %rcx
	movq	%rcx, 510 * 8(%rax)
	/* beside what the loader has mapped */
	movq	%cr3, %rdx
	orq	$PRESENT_WRITE, %rax
	movq	%rax, 511 * 8(%rdx)
	movq	$high, %rax
	jmp	*%rax

	.text
high:
	movq	$stack_top, %rsp
	xorl	%ebp, %ebp
	call	main
	outb	%al, $0xf4
1:	hlt
	jmp	1b

	.bss
	.balign	4096
upper:
	.skip	4096
directory:
	.skip	4096
	.skip	8192
stack_top:
