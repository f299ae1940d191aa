/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program in user mode and a kernel for it: it works, makes a system call and runs into an int3 of its own, round by round, until a
 * debugger sets `leave`.  The kernel notes what reaches it, and what a debugger could have left in it.
 */
#define OURS 0x83		/* 2 MiB, present, writable */
#define USERS 0x87		/* and open to user code, which is linked to 2 MiB: see local.mk */
#define TF 0x100
#define KERNEL_CODE 0x08
#define USER_BASE 0x18		/* as SYSRET has it: data behind it, then code */
#define USER_DATA 0x23
#define USER_CODE 0x2b
#define TASK 0x30

	.text
	.globl	start, user_main, user_work, user_square, user_call, user_back, user_trap, syscall_entry, int3_handler, other_handler
start:
	leaq	stack_top(%rip), %rsp
	movq	$OURS, directory
	movq	$0x200000 + USERS, directory + 8
	movq	$directory + 7, pdpt
	movq	$pdpt + 7, pml4
	movl	$pml4, %eax
	movq	%rax, %cr3

	lgdt	gdt_place
	movl	$task, %eax
	movw	%ax, gdt + TASK + 2
	shrl	$16, %eax
	movb	%al, gdt + TASK + 4
	movb	%ah, gdt + TASK + 7
	movq	$stack_top, task + 4
	movw	$TASK, %ax
	ltr	%ax
	xorl	%ecx, %ecx
1:	movl	$other_handler, %eax
	cmpl	$3, %ecx
	jne	2f
	movl	$int3_handler, %eax
2:	movl	%ecx, %edi
	shll	$4, %edi
	addl	$idt, %edi
	movw	%ax, (%rdi)
	movw	$KERNEL_CODE, 2(%rdi)
	movw	$0xee00, 4(%rdi)	/* an interrupt gate that user code may use */
	shrl	$16, %eax
	movw	%ax, 6(%rdi)
	incl	%ecx
	cmpl	$32, %ecx
	jne	1b
	lidt	idt_place

	movl	$0xc0000080, %ecx	/* EFER: SYSCALL */
	rdmsr
	orl	$1, %eax
	wrmsr
	incl	%ecx			/* STAR */
	xorl	%eax, %eax
	movl	$(USER_BASE | 3) << 16 | KERNEL_CODE, %edx
	wrmsr
	incl	%ecx			/* LSTAR */
	movl	$syscall_entry, %eax
	xorl	%edx, %edx
	wrmsr
	movl	$0xc0000084, %ecx	/* FMASK: interrupts, and TF as Linux has it */
	movl	$0x300, %eax
	wrmsr
	outb	%al, $0x80		/* an exit: where KVM needs help with SYSCALL, the tables are looked at in one */
	pushq	$USER_DATA
	pushq	$user_stack_top
	pushq	$0x202
	pushq	$USER_CODE
	pushq	$user_main
	iretq

syscall_entry:
	incq	calls(%rip)
	orq	%r11, kernel_flags(%rip)
	cmpl	$60, %eax
	je	1f
	sysretq
1:	movb	exit_value(%rip), %al
	testl	$TF, kernel_flags(%rip)
	jnz	2f
	testl	$TF, user_flags(%rip)
	jz	3f
2:	movb	$0x7f, %al		/* somebody was traced, and saw it */
3:	outb	%al, $0xf4
	hlt

int3_handler:
	incq	int3s(%rip)
	pushq	%rax
	movq	24(%rsp), %rax
	orq	%rax, kernel_flags(%rip)
	popq	%rax
	iretq

other_handler:
	movb	$0x7e, %al
	jmp	3b

	.section .user, "awx", @progbits
user_main:
	incq	rounds(%rip)
	call	user_work
	xorl	%eax, %eax
user_call:
	syscall
user_back:
	pushfq
	popq	%rax
	orq	%rax, user_flags(%rip)
user_trap:
	int3
	cmpl	$0, leave(%rip)
	je	user_main
	movl	$60, %eax
	syscall
	ud2

user_work:
	movq	rounds(%rip), %rax
	imulq	%rax, %rax
	movq	%rax, square(%rip)
user_square:
	ret

	.balign	8
	.globl	rounds, square, user_flags, leave
rounds:	.quad	0
square:	.quad	0
user_flags: .quad 0
leave:	.quad	0
	.skip	4096
user_stack_top:

	.data
	.balign	16
gdt:	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff
	.quad	0x0000890000000067, 0
gdt_place: .word . - gdt - 1
	.quad	gdt
idt_place: .word 32 * 16 - 1
	.quad	idt
	.balign	8
	.globl	calls, int3s, kernel_flags, exit_value
calls:	.quad	0
int3s:	.quad	0
kernel_flags: .quad 0
exit_value: .long 0

	.bss
	.balign	4096
pml4:	.skip	4096
pdpt:	.skip	4096
directory: .skip 4096
idt:	.skip	32 * 16
task:	.skip	0x68
	.balign	16
	.skip	4096
stack_top:
