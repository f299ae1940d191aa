/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest that is measured: a boot sector, so that QEMU's firmware starts it, too.  Has all vCPUs run, without
 * interrupts, and goes round the loops that guest.h names.
 */
#include "guest.h"

	.code16
	.globl	start
start:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$0x7c00, %sp
	ljmp	$0, $1f
1:	movw	$GUEST_HOT, GUEST_NEXT
	mov	$1, %eax
	cpuid
	bt	$21, %ecx		/* x2APIC: with it real mode can reach the others */
	jnc	2f
	movb	$0xea, GUEST_TRAMPOLINE	/* ljmp $0, $further */
	movw	$further, GUEST_TRAMPOLINE + 1
	movw	$0, GUEST_TRAMPOLINE + 3
	mov	$0x1b, %ecx
	rdmsr
	or	$0xc00, %eax
	wrmsr
	xor	%edx, %edx
	mov	$0x830, %ecx
	mov	$0xc4500, %eax		/* INIT to all but itself */
	wrmsr
	mov	$0xc4606, %eax		/* start at 0x6000 */
	wrmsr
2:	jmp	*GUEST_NEXT

	.org	GUEST_HOT - GUEST_START
	incl	GUEST_COUNTER
	jmp	*GUEST_NEXT

	.org	GUEST_RANGE - GUEST_START
	mov	$GUEST_RANGE_TURNS, %cx
1:	inc	%dx
	dec	%cx
	jnz	1b
	.org	GUEST_RANGE_END - GUEST_START
	incl	GUEST_COUNTER
	jmp	*GUEST_NEXT

further:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	$1, %eax
	cpuid
	shr	$24, %ebx
	shl	$2, %bx
1:	incl	GUEST_CPUS(%bx)
	jmp	1b

	.org	510
	.word	0xaa55
