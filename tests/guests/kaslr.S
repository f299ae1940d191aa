/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel that moves itself: linked for 1 MiB, it copies its image `distance` bytes up, sets up an IDT and LSTAR there
 * under the names that Linux gives the handlers, and goes on in the copy.  With `hidden` set it leaves them out.
 */
	.code64
	.text
	.globl	start, moved, working, asm_exc_divide_error, asm_exc_debug, asm_exc_nmi, asm_exc_int3
	.globl	asm_exc_page_fault, asm_exc_general_protection, entry_SYSCALL_64, linux_banner
	.globl	distance, hidden, turns, idt, image_end

start:
	leaq	start(%rip), %rsi
	movq	%rsi, %rdi
	addq	distance(%rip), %rdi
	cmpq	%rsi, %rdi
	je	moved
	movq	%rdi, %rax
	movl	$image_end - start, %ecx
	cld
1:	movb	(%rsi), %dl
	movb	%dl, (%rdi)
	incq	%rsi
	incq	%rdi
	decl	%ecx
	jnz	1b
	movb	$0, linux_banner(%rip)		/* there is one kernel */
	addq	$moved - start, %rax
	jmp	*%rax

moved:
	leaq	stack_top(%rip), %rsp
	cmpb	$0, hidden(%rip)
	jne	working
	leaq	gates(%rip), %rsi
	leaq	idt(%rip), %rdi
	leaq	start(%rip), %rbx
	movl	$15, %ecx
2:	movl	(%rsi), %eax
	addq	%rbx, %rax
	movw	%ax, (%rdi)
	movw	%cs, 2(%rdi)
	movw	$0x8e00, 4(%rdi)
	shrq	$16, %rax
	movw	%ax, 6(%rdi)
	shrq	$16, %rax
	movl	%eax, 8(%rdi)
	addq	$4, %rsi
	addq	$16, %rdi
	decl	%ecx
	jnz	2b
	leaq	idt(%rip), %rax
	movq	%rax, pointer+2(%rip)
	lidt	pointer(%rip)
	leaq	entry_SYSCALL_64(%rip), %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	movl	$0xc0000082, %ecx
	wrmsr

working:
	incq	turns(%rip)
	jmp	working

asm_exc_divide_error:
	hlt
asm_exc_debug:
	hlt
asm_exc_nmi:
	hlt
asm_exc_int3:
	hlt
asm_exc_page_fault:
	hlt
asm_exc_general_protection:
	hlt
other:
	hlt
entry_SYSCALL_64:
	hlt
	jmp	entry_SYSCALL_64

	.balign	8
	/* by vector; those without a name of their own are as good as any early kernel's */
gates:	.long	asm_exc_divide_error - start, asm_exc_debug - start, asm_exc_nmi - start, asm_exc_int3 - start
	.rept	9
	.long	other - start
	.endr
	.long	asm_exc_general_protection - start, asm_exc_page_fault - start
distance:
	.quad	0x600000
turns:	.quad	0
hidden:	.byte	0
linux_banner:
	.asciz	"Linux version 0.0 (a test)"
	.balign	16
idt:	.fill	15 * 16
pointer:
	.word	15 * 16 - 1
	.quad	0
	.balign	16
	.fill	256
stack_top:
image_end:
