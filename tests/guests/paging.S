/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Long mode with page tables of its own: pages of 4 KiB, 2 MiB and 1 GiB side by side, some read-only, user or
 * no-execute, and the code's page once more in the upper half, where it goes on counting.
 *
 *	0x0000000000000000  4 GiB to itself, 1 GiB pages but for the first GiB (2 MiB, the first of those 4 KiB)
 *	0x0000000000005000  not present (a hole in the identity map)
 *	0x0000008000000000  4 KiB: `shared`, read-only
 *	0x0000008000001000  4 KiB: `shared`, user, writable
 *	0x0000008000002000  4 KiB: `shared`, no-execute
 *	0xffff800000000000  the first 2 MiB again
 */
#define P 0x1
#define W 0x2
#define U 0x4
#define PS 0x80
#define HIGH 0xffff800000000000
#define MSR_EFER 0xc0000080
#define EFER_NXE 0x800
#define NX_HIGH 0x80000000

	.text
	.globl	start, low, high, counter, shared, leave, fetch
start:
	leaq	stack_top(%rip), %rsp
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_NXE, %eax
	wrmsr

	/* the first 2 MiB in pages of 4 KiB */
	movl	$low_table, %edi
	movl	$P | W, %eax
	movl	$512, %ecx
1:	movq	%rax, (%rdi)
	addl	$0x1000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b
	movq	$0, low_table + 8 * 5

	/* the first 1 GiB in pages of 2 MiB */
	movl	$low_directory, %edi
	movl	$P | W | PS, %eax
	movl	$512, %ecx
1:	movq	%rax, (%rdi)
	addl	$0x200000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b
	movq	$low_table + (P | W), low_directory

	/* 1 GiB to 4 GiB in pages of 1 GiB */
	movq	$low_directory + (P | W), low_pdpt
	movl	$3, %ecx
	movl	$0x40000000 | P | W | PS, %eax
	movl	$low_pdpt + 8, %edi
1:	movq	%rax, (%rdi)
	addl	$0x40000000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b

	movq	$shared + P, some_table
	movq	$shared + (P | W | U), some_table + 8
	movl	$shared + (P | W), some_table + 16
	movl	$NX_HIGH, some_table + 20
	movq	$some_table + (P | W | U), some_directory
	movq	$some_directory + (P | W | U), some_pdpt
	movq	$high_directory + (P | W), high_pdpt
	movq	$P | W | PS, high_directory

	movq	$low_pdpt + (P | W), pml4
	movq	$some_pdpt + (P | W | U), pml4 + 8
	movq	$high_pdpt + (P | W), pml4 + 8 * 256
	movl	$pml4, %eax
	movq	%rax, %cr3
low:
	movabsq	$HIGH + high, %rax
	jmp	*%rax
high:
	incq	counter(%rip)
	movabsq	$0x8000001000, %rax
fetch:
	incq	(%rax)
	cmpb	$0, leave(%rip)
	je	high
	xorl	%eax, %eax
	outb	%al, $0xf4
1:	hlt
	jmp	1b

	.data
	.balign	4096
shared:	.quad	0
	.skip	4088
counter: .quad	0
leave:	.byte	0

	.bss
	.balign	4096
pml4:	.skip	4096
low_pdpt: .skip	4096
low_directory: .skip 4096
low_table: .skip 4096
some_pdpt: .skip 4096
some_directory: .skip 4096
some_table: .skip 4096
high_pdpt: .skip 4096
high_directory: .skip 4096
	.skip	4096
stack_top:
