/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real mode calls of every kind, over and over: near and far, with and without frames, leaf functions, arguments that
 * the caller or the callee takes off, registers saved, an interrupt, a far function called near.  Each function NAME
 * ends before NAME_end, and is called from the call before NAME_back.
 */
	.code16
	.text
	.globl	start, main_loop, framed, framed_end, framed_back, leaf, leaf_end, leaf_back
	.globl	saver, saver_end, saver_back
	.globl	pascal, pascal_end, pascal_back, distant, distant_end, distant_back, handler, handler_end, handler_back
	.globl	pushed, pushed_end, pushed_back, forked, forked_end, forked_back, stuck, stuck_back, stuck_far_back
	.globl	bare, bare_end, bare_back, turns, go_stuck, far_stuck, outer, outer_end, outer_back

start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	$0x6000, %cx
	movw	%cx, %ss		/* a stack that is in a segment of its own */
	movw	$0x800, %sp
	xorw	%bp, %bp
	movw	$handler, 0x60 * 4
	movw	%ax, 0x60 * 4 + 2
main_loop:
	call	bare
bare_back:
	pushw	$7
	pushw	$5
	call	outer
outer_back:
	addw	$4, %sp
	lcallw	$0x7c0, $distant - start
distant_back:
	int	$0x60
handler_back:
	pushw	%cs
	call	pushed
pushed_back:
	incw	turns
	cmpb	$0, go_stuck
	je	main_loop
	lcallw	$0x7c0, $far_stuck - start
stuck_far_back:
	jmp	main_loop

outer:
	pushw	%bp
	movw	%sp, %bp
	subw	$8, %sp
	movw	4(%bp), %ax
	pushw	6(%bp)
	call	framed
framed_back:
	addw	$2, %sp
	call	saver
saver_back:
	pushw	%ax
	pushw	%bx
	call	pascal
pascal_back:
	leave
	ret
outer_end:

framed:
	enter	$4, $0
	movw	%ax, -2(%bp)
	call	leaf
leaf_back:
	movw	%bp, %sp
	popw	%bp
	ret
framed_end:

leaf:
	incw	%ax
	movw	%ax, %dx
	ret
leaf_end:

saver:
	pushw	%si
	pushl	%edi
	pushw	%ds
	movw	$0x1234, %si
	movl	$0x12345678, %edi
	pushw	%cs
	popw	%ds
	call	forked
forked_back:
	popw	%ds
	popl	%edi
	popw	%si
	ret
saver_end:

forked:
	pusha
	testw	$1, turns
	jz	1f
	xorw	%bx, %bx
	popa
	ret
1:	movw	$3, %cx
2:	loop	2b
	popa
	ret
forked_end:

pascal:
	pushw	%bp
	movw	%sp, %bp
	movw	4(%bp), %cx
	addw	6(%bp), %cx
	popw	%bp
	ret	$4
pascal_end:

distant:
	pushw	%bp
	movw	%sp, %bp
	pushw	%es
	lesw	4(%bp), %bx
	popw	%es
	popw	%bp
	lret
distant_end:

handler:
	pushw	%ax
	incw	%cs:turns
	popw	%ax
	iretw
handler_end:

pushed:
	pushf
	popf
	lret
pushed_end:

	/* nothing but the calls says where its stack pointer is */
bare:
	pushw	%ax
	pushw	%bx
	call	pascal
	pushw	%cs
	call	pushed
	ret
bare_end:

far_stuck:
	pushw	%cx
	call	stuck
stuck_back:
	hlt
stuck:
	pushw	%dx
1:	incw	%dx
	jmp	1b

	.balign	2
turns:	.word	0
go_stuck: .byte	0

	.org	510
	.word	0xaa55
