/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A boot sector that asks the BIOS what machine this is, and echoes keys: `r` resets by port 0xcf9, `p` powers off by APM,
 * `d` reads the disk's second sector to `block`, `w` writes it from there.
 */
	.code16
	.text
	.globl start, ready, drive, low_kib, map_size, status, map, block

	.set	map, 0x8000
	.set	block, 0x9000

start:
	ljmp	$0, $1f
1:	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$start, %sp
	movb	%dl, drive
	int	$0x12
	movw	%ax, low_kib

	/* The memory map: 20 bytes an entry. */
	xorl	%ebx, %ebx
	movw	$map, %di
next:
	movl	$0xe820, %eax
	movl	$20, %ecx
	movl	$0x534d4150, %edx
	int	$0x15
	jc	1f
	incw	map_size
	addw	$20, %di
	testl	%ebx, %ebx
	jnz	next
1:
	movw	$hello, %si
	call	print
ready:
	xorw	%ax, %ax
	int	$0x16
	pushw	%ax
	call	put
	popw	%ax
	cmpb	$'r', %al
	je	reset
	cmpb	$'p', %al
	je	off
	movb	$2, %ah
	cmpb	$'d', %al
	je	disk
	movb	$3, %ah
	cmpb	$'w', %al
	jne	ready

disk:
	movb	$1, %al
	movw	$block, %bx
	movw	$2, %cx
	movb	drive, %dl
	xorb	%dh, %dh
	int	$0x13
	movb	%ah, status
	movw	$done, %si
	call	print
	jmp	ready

reset:
	movw	$0xcf9, %dx
	movb	$6, %al
	outb	%al, %dx
1:	hlt
	jmp	1b

off:
	movw	$0x5301, %ax
	xorw	%bx, %bx
	int	$0x15
	movw	$0x530e, %ax
	xorw	%bx, %bx
	movw	$0x0102, %cx
	int	$0x15
	movw	$0x5307, %ax
	movw	$1, %bx
	movw	$3, %cx
	int	$0x15
	jmp	ready

print:
	lodsb
	testb	%al, %al
	jz	1f
	call	put
	jmp	print
1:	ret

put:
	movb	$0x0e, %ah
	movw	$7, %bx
	int	$0x10
	ret

hello:	.asciz	"boot sector here: "
done:	.asciz	" done\r\n"
drive:	.byte	0
status:	.byte	0xff
low_kib: .word	0
map_size: .word	0

	.org	510
	.word	0xaa55
