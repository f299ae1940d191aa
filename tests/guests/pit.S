/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real mode: sleeps in hlt and is woken by the PIT, 100 times a second; ends after `wanted` ticks. */
	.code16
	.text
	.globl start, asleep, on_tick, ticks, wanted

start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$start, %sp
	movw	$on_tick, 8 * 4
	movw	$0, 8 * 4 + 2
	/* both 8259s: edge, cascade, vectors 8 and 0x70, only the PIT's line open */
	movb	$0x11, %al
	outb	%al, $0x20
	outb	%al, $0xa0
	movb	$0x08, %al
	outb	%al, $0x21
	movb	$0x70, %al
	outb	%al, $0xa1
	movb	$0x04, %al
	outb	%al, $0x21
	movb	$0x02, %al
	outb	%al, $0xa1
	movb	$0x01, %al
	outb	%al, $0x21
	outb	%al, $0xa1
	movb	$0xfe, %al
	outb	%al, $0x21
	movb	$0xff, %al
	outb	%al, $0xa1
	/* channel 0, square wave, 1193182 / 11932 = 100 Hz */
	movb	$0x36, %al
	outb	%al, $0x43
	movw	$11932, %ax
	outb	%al, $0x40
	movb	%ah, %al
	outb	%al, $0x40
	sti
asleep:
	hlt
	movl	ticks, %eax
	cmpl	wanted, %eax
	jb	asleep
	cli
	xorb	%al, %al
	outb	%al, $0xf4
1:	hlt
	jmp	1b

on_tick:
	pushw	%ax
	incl	%cs:ticks
	movb	$0x20, %al
	outb	%al, $0x20
	popw	%ax
	iretw

	.org	0x100			/* 0x7d00 */
ticks:	.long	0
wanted:	.long	20			/* 0x7d04 */

	.org	510
	.word	0xaa55
