/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One flat image that goes from real mode through 32-bit protected mode to long mode, counting in each. */
#define CODE32 0x08
#define DATA 0x10
#define CODE64 0x18
#define PML4 0x70000
#define PDPT 0x71000
#define DIRECTORY 0x72000
#define PRESENT_WRITE 0x3
#define LARGE 0x80

	.text
	.globl	start, in16, in32, in64, loop64, count16, count32, count64, leave
	.code16
start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$start, %sp
in16:
	incl	count16
	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$CODE32, $in32

	.code32
in32:
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$start, %esp
	incl	count32
	/* the first GiB to itself, in pages of 2 MiB */
	movl	$PDPT + PRESENT_WRITE, PML4
	movl	$0, PML4 + 4
	movl	$DIRECTORY + PRESENT_WRITE, PDPT
	movl	$0, PDPT + 4
	movl	$DIRECTORY, %edi
	movl	$LARGE + PRESENT_WRITE, %eax
1:	movl	%eax, (%edi)
	movl	$0, 4(%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	cmpl	$DIRECTORY + 0x1000, %edi
	jne	1b
	movl	%cr4, %eax
	orl	$0x20, %eax		/* PAE */
	movl	%eax, %cr4
	movl	$PML4, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER.LME */
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax
	movl	%eax, %cr0
	ljmpl	$CODE64, $in64

	.code64
in64:
	movabsq	$0x1122334455667788, %r15
loop64:
	incq	count64(%rip)
	cmpb	$0, leave(%rip)
	je	loop64
	xorl	%eax, %eax
	outb	%al, $0xf4
2:	hlt
	jmp	2b

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9a000000ffff
	.quad	0x00cf92000000ffff
	.quad	0x00af9a000000ffff
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.long	gdt

	.org	0x180
count16: .long	0
count32: .long	0
count64: .quad	0
leave:	.byte	0

	.org	510
	.word	0xaa55
