/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A bzImage that unpacks and moves itself in the way Linux does, with packed.c for a kernel: its 64-bit entry copies
 * all of it, and jumps to the copy, which puts the kernel at PLACE, moves the one pointer in it by SLIDE, and jumps
 * there.
 */
	.set	kernel_size, 0x8000		/* packed.ld makes it so large */
	.set	COPY, 0x1800000
	.set	PLACE, 0x2400000
	.set	SLIDE, 0xc600000
	.set	MODULES, 0xa0000000		/* low half of where modules are; their memory follows the kernel's */

	.section .setup, "a"
	.org	0x1f1
	.byte	1				/* setup_sects */
	.word	0
	.long	(0x1000 + kernel_size + 15) / 16
	.word	0, 0, 0, 0xaa55
	.byte	0xeb, 0x66			/* the header ends at 0x268 */
	.ascii	"HdrS"
	.word	0x20c
	.org	0x210
	.byte	0, 1				/* loaded high */
	.org	0x214
	.long	0x100000
	.org	0x22c
	.long	0x7fffffff, 0x200000		/* initrd_addr_max, kernel_alignment */
	.byte	1, 21				/* relocatable */
	.word	1				/* there is a 64-bit entry */
	.long	255
	.org	0x258
	.quad	0x1000000			/* pref_address */
	.long	0x200000			/* init_size */
	.org	0x400

	.section .unpack, "ax"
	.code64
unpack:
	hlt
	.org	0x200
	cld
	leaq	unpack(%rip), %rsi
	movl	$COPY, %ebx
	movq	%rbx, %rdi
	movl	$(0x1000 + kernel_size + 7) / 8, %ecx
	rep movsq
	leaq	stack_end - unpack(%rbx), %rsp
	leaq	relocated - unpack(%rbx), %rax
	jmp	*%rax

extract:
	leaq	unpack + 0x1000(%rip), %rsi
	movl	$PLACE, %edi
	movl	$(kernel_size + 7) / 8, %ecx
	rep movsq
	movl	$PLACE, %eax
	addq	$SLIDE, initial_offset(%rax)
	ret

relocated:
	call	extract
	jmp	*%rax

	.org	0xff8
stack_end:
	.org	0x1000

	.set	initial_offset, initial_code - startup_64

	.section .head.text, "ax"
	.globl	startup_64, initial_code, current_task
startup_64:
	leaq	stack_top(%rip), %rsp
	movq	%cr3, %rax
	movq	(%rax), %rax			/* the first 512 GiB are as the loader had them */
	movq	%rax, top_table(%rip)
	leaq	middle_table + 3(%rip), %rax
	movq	%rax, top_table + 511 * 8(%rip)
	leaq	low_table + 3(%rip), %rax
	movq	%rax, middle_table + 510 * 8(%rip)
	movq	$PLACE + 0x83, low_table + ((0x1000000 + SLIDE) >> 21) * 8(%rip)
	movq	$PLACE + 0x200083, low_table + ((MODULES - 0x80000000) >> 21) * 8(%rip)
	leaq	top_table(%rip), %rax
	movq	%rax, %cr3
	addq	$0xffffffff81000000 + SLIDE - PLACE, %rsp
	movq	initial_code(%rip), %rax
	jmp	*%rax

	.balign	8
initial_code:
	.quad	x86_64_start_kernel
	.set	current_task, 0x40		/* among a CPU's own variables */

	.data
	.balign	4096
top_table:
	.zero	4096
middle_table:
	.zero	4096
low_table:
	.zero	4096
	.zero	4096
stack_top:
