/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Resets the machine in each of its ways, counting boots in CMOS byte 0x50, which a reset keeps: by the keyboard
 * controller, by port 0x92, by port 0xcf9; the fourth boot exits with 3, the number of resets.
 */
	.code16
	.text
	.globl start, boots

start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$start, %sp
	movb	$0x50, %al
	outb	%al, $0x70
	inb	$0x71, %al
	movb	%al, %bl
	incb	%al
	outb	%al, $0x71
	movb	%bl, boots
	movb	%bl, %al
	addb	$'0', %al
	movw	$0x3f8, %dx
	outb	%al, %dx
	cmpb	$0, %bl
	je	by_0x64
	cmpb	$1, %bl
	je	by_0x92
	cmpb	$2, %bl
	je	by_0xcf9
	movb	%bl, %al
	outb	%al, $0xf4
	jmp	sleep
by_0x64:
	movb	$0xfe, %al
	outb	%al, $0x64
	jmp	sleep
by_0x92:
	inb	$0x92, %al
	andb	$0xfe, %al
	outb	%al, $0x92
	orb	$1, %al
	outb	%al, $0x92
	jmp	sleep
by_0xcf9:
	movw	$0xcf9, %dx
	movb	$0x02, %al
	outb	%al, %dx
	movb	$0x06, %al
	outb	%al, %dx
sleep:
	cli
	hlt
	jmp	sleep

	.org	0x100			/* 0x7d00 */
boots:	.byte	0

	.org	510
	.word	0xaa55
