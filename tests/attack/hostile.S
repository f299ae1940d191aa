/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the hostile firmware comes to long mode: the boot processor copies the payload to 1 MiB and maps the first
 * 4 GiB to themselves; the others find that done.  And the handlers of all vectors.
 */
#include "hostile.h"

#define CODE32 0x08
#define PRESENT 0x07		/* writable, for user mode too */
#define LARGE 0x87

	.section .reset, "ax"
	.code16
	.globl	reset
reset:
	ljmpw	$0xf000, $(real - 0xf0000)

	/* A start-up IPI with vector 0xfe comes here. */
	.section .ap, "ax"
	movw	$1, %bp
	ljmpw	$0xf000, $(common - 0xf0000)

	.section .entry, "ax"
real:	xorw	%bp, %bp
common:	cli
	cld
	lgdtl	%cs:(gdt_pointer - 0xf0000)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$CODE32, $protected

	.code32
protected:
	movl	$KERNEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	testw	%bp, %bp
	jnz	paging
	movl	$0xf0000, %esi
	movl	$0x100000, %edi
	movl	$payload_size + 3, %ecx
	shrl	$2, %ecx
	rep movsl
	xorl	%eax, %eax
	movl	$bss_start, %edi
	movl	$bss_size + 3, %ecx
	shrl	$2, %ecx
	rep stosl
	movl	$TABLES, %edi
	movl	$0x2000, %ecx
	rep stosl
	movl	$TABLES + 0x1000 + PRESENT, TABLES
	movl	$TABLES + 0x2000 + PRESENT, TABLES + 0x1000
	movl	$TABLES + 0x3000 + PRESENT, TABLES + 0x1008
	movl	$TABLES + 0x4000 + PRESENT, TABLES + 0x1010
	movl	$TABLES + 0x5000 + PRESENT, TABLES + 0x1018
	movl	$TABLES + 0x6000 + PRESENT, TABLES + 0x1020
	movl	$TABLES + 0x2000, %edi
	movl	$LARGE, %eax
1:	movl	%eax, (%edi)
	addl	$8, %edi
	addl	$0x200000, %eax
	cmpl	$TABLES + 0x6000, %edi
	jne	1b
paging:
	movl	%cr4, %eax
	orl	$0x20, %eax
	movl	%eax, %cr4
	movl	$TABLES, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx
	rdmsr
	orl	$0x900, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax
	movl	%eax, %cr0
	ljmpl	$KERNEL_CODE, $long_mode

	.balign 8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.text
	.code64
	.globl	long_mode, begin, finished, last_act, vectors, load_tables, enter_user
long_mode:
	testw	%bp, %bp
	jnz	1f
	movl	$STACKS + STACK_SIZE, %esp
	xorl	%ebp, %ebp
	call	main
1:	/* a stack by the local APIC's number */
	movl	$1, %eax
	cpuid
	shrl	$24, %ebx
	andl	$7, %ebx
	movl	%ebx, %eax
	shll	$STACK_SHIFT, %eax
	leal	STACKS(%rax), %esp
	addl	$STACK_SIZE, %esp
	xorl	%ebp, %ebp
	call	ap_main
	ud2

	/* Where a debugger waits. */
begin:	nop
	ret
finished:
	nop
	ret
last_act:
	nop
	ret

/* (gdt pointer, idt pointer) */
load_tables:
	lgdt	(%rdi)
	lidt	(%rsi)
	movl	$KERNEL_DATA, %eax
	movl	%eax, %ss
	pushq	$KERNEL_CODE
	leaq	1f(%rip), %rax
	pushq	%rax
	lretq
1:	ret

/* (function, its argument, its stack) */
enter_user:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	pushq	$USER_DATA
	pushq	%rdx
	pushq	$0x202
	pushq	$USER_CODE
	pushq	%rax
	iretq

	.balign 16
vectors:
vector = 0
	.rept 256
	.balign 16
	pushq	$vector
	jmp	vector_common
vector = vector + 1
	.endr

vector_common:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	cld
	movq	11*8(%rsp), %rdi
	leaq	12*8(%rsp), %rsi
	call	trap
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$8, %rsp
	iretq
