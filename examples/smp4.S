/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries of smp4.  The first CPU starts in long mode at `start`; each further one in real mode at the copy of the
 * trampoline, from which it goes to long mode in one jump, on the first CPU's page tables.
 */
#define CR0_PE (1 << 0)
#define CR0_PG (1 << 31)
#define CR4_PAE (1 << 5)
#define MSR_EFER 0xc0000080
#define EFER_LME (1 << 8)
#define CODE64 0x08
#define DATA 0x10
#define APIC_ID 0xfee00020
#define STACK_SHIFT 12
#ifndef CPUS
#define CPUS 4
#endif

	.text
	.globl	start
start:
	leaq	stacks + (1 << STACK_SHIFT)(%rip), %rsp
	xorl	%ebp, %ebp
	/* ours from now on: the loader's GDT and tables lie in low memory, where the trampoline goes */
	lgdt	gdt_pointer(%rip)
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	pushq	$CODE64
	leaq	1f(%rip), %rax
	pushq	%rax
	lretq
1:	call	main
	outb	%al, $0xf4
2:	hlt
	jmp	2b

/* A CPU that has come up, in long mode; its APIC id chooses its stack. */
	.globl	cpu_entry
cpu_entry:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$APIC_ID, %eax
	movl	(%rax), %edi
	shrl	$24, %edi
	movl	%edi, %eax
	incl	%eax
	shll	$STACK_SHIFT, %eax
	leaq	stacks(%rip), %rsp
	addq	%rax, %rsp
	xorl	%ebp, %ebp
	call	cpu_main

	/* copied to 64 KiB or below; position-independent but for what it reads above 1 MiB by 32-bit address */
	.code16
	.globl	trampoline, trampoline_end
trampoline:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	addr32 lgdtl %cs:trampoline_gdt - trampoline
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	%cs:trampoline_cr3 - trampoline, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$(CR0_PG | CR0_PE), %eax
	movl	%eax, %cr0
	ljmpl	$CODE64, $cpu_entry

	.balign	4
trampoline_gdt:
	.word	gdt_end - gdt - 1
	.long	gdt
	.globl	trampoline_cr3
	.balign	4
trampoline_cr3:
	.long	0
trampoline_end:
	.code64

	.data
	.balign	8
gdt:	.quad	0
	.quad	0x00af9a000000ffff
	.quad	0x00cf92000000ffff
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.bss
	.balign	16
stacks:	.skip	CPUS << STACK_SHIFT
