/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entry of high32, a kernel in the higher half: it is started without paging at the physical address of `start`, maps its
 * first 4 MiB both there and at 3 GiB, and goes on up there.
 */
#define HIGH 0xc0000000
#define PRESENT_WRITE_LARGE 0x83
#define CR4_PSE 0x10
#define CR0_PG_WP 0x80010000

	.section .boot, "ax"
	.globl	start
start:
	movl	$(directory - HIGH), %eax
	movl	$PRESENT_WRITE_LARGE, (%eax)
	movl	$PRESENT_WRITE_LARGE, (HIGH >> 20)(%eax)
	movl	%eax, %cr3
	movl	%cr4, %eax
	orl	$CR4_PSE, %eax
	movl	%eax, %cr4
	movl	%cr0, %eax
	orl	$CR0_PG_WP, %eax
	movl	%eax, %cr0
	/* still down here */
	movl	$high, %eax
	jmp	*%eax

	.text
high:
	movl	$0, directory
	movl	%cr3, %eax
	movl	%eax, %cr3
	movl	$stack_top, %esp
	xorl	%ebp, %ebp
	call	main
	outb	%al, $0xf4
1:	hlt
	jmp	1b

	.bss
	.balign	4096
directory:
	.skip	4096
	.skip	8192
stack_top:
