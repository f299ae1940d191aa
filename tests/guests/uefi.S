/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * As much of UEFI as a debugger looks at: a system table with the table of images, and a pointer to it at a multiple of 4 MiB below one that
 * leads nowhere.  Behind `ready` it loads an application, counts it, and behind `loaded` calls it.
 */
	.code64
	.text
	.globl	start, ready, loaded, output, tables, images, table_header, app_path

	.set	DECOY, 0x7c00000
	.set	POINTER, 0x7800000
	.set	SHELL, 0x1000000
	.set	APP, 0x2000000
	.set	APP_BODY, 0x1000

start:
	leaq	stack_top(%rip), %rsp
	cld
	leaq	signature(%rip), %rax
	movq	(%rax), %rax
	movq	%rax, DECOY
	movq	$0x3000, DECOY + 8
	movq	%rax, POINTER
	leaq	system_table(%rip), %rax
	movq	%rax, POINTER + 8
	leaq	shell(%rip), %rsi
	movl	$SHELL, %edi
	movl	$shell_end - shell, %ecx
	rep movsb
ready:
	leaq	app(%rip), %rsi
	movl	$APP + APP_BODY, %edi
	movl	$app_end - app, %ecx
	rep movsb
	leaq	app_info(%rip), %rax
	movq	%rax, images + 24(%rip)
	incl	table_header + 4(%rip)
loaded:
	xorl	%ecx, %ecx
	leaq	system_table(%rip), %rdx
	movl	$APP + APP_BODY, %eax		/* its linker script puts its beginning there */
	subq	$32, %rsp			/* what a callee may keep its arguments in */
	call	*%rax
	xorl	%eax, %eax
	outb	%al, $0xf4
1:	hlt
	jmp	1b

/* Microsoft's calling convention: the text is in RDX. */
output:
	movw	(%rdx), %ax
	testw	%ax, %ax
	jz	1f
	outb	%al, $0xe9
	addq	$2, %rdx
	jmp	output
1:	xorl	%eax, %eax
	ret

get_variable:
	movq	$0x800000000000000e, %rax	/* not found */
	ret

set_variable:
	xorl	%eax, %eax
	ret

	.data
	.balign	8
signature:
system_table:
	.ascii	"IBI SYST"
	.long	0x20046, 120, 0, 0
	.quad	0, 0				/* vendor, revision */
	.quad	0, 0, 0, out, 0, 0		/* consoles */
	.quad	runtime, 0
	.quad	2, tables

out:	.quad	0, output
runtime:
	.fill	72, 1, 0
	.quad	get_variable, 0, set_variable

tables:
	.long	0xeb9d2d30
	.word	0x2d88, 0x11d3
	.byte	0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d
	.quad	0x1234
	.long	0x49152e77			/* debug image info */
	.word	0x1ada, 0x4764
	.byte	0xb7, 0xa2, 0x7a, 0xfe, 0xfe, 0xd9, 0x5e, 0x8b
	.quad	table_header

table_header:
	.long	0, 2
	.quad	images
/* Where an image was unloaded is a hole, which is not counted. */
images:	.quad	0, shell_info, 0, 0, other_info, 0, 0

shell_info:
	.quad	1, shell_image, 0
other_info:
	.quad	1, other_image, 0
app_info:
	.quad	1, app_image, 0

shell_image:
	.quad	0x1000, 0, 0, 0, shell_path, 0, 0, 0
	.quad	SHELL, shell_end - shell
other_image:
	.quad	0x1000, 0, 0, 0, other_path, 0, 0, 0
	.quad	0x1800000, 0x10000
app_image:
	.quad	0x1000, 0, 0, 0, app_path, 0, 0, 0
	.quad	APP, APP_BODY + app_end - app

/* Device paths: a file in a firmware volume, and two by their names. */
shell_path:
	.byte	4, 6
	.word	20
	.long	0x7c04a583
	.word	0x9e3e, 0x4f1c
	.byte	0xad, 0x65, 0xe0, 0x52, 0x68, 0xd0, 0xb4, 0xd1
	.byte	0x7f, 0xff, 4, 0
other_path:
	.byte	4, 4
	.word	4 + 2 * 21
	.string16 "\\EFI\\tools\\other.efi"
	.byte	0x7f, 0xff, 4, 0
app_path:
	.byte	4, 4
	.word	4 + 2 * 14		/* with the zero at its end */
	.string16 "\\uefi_app.efi"
	.byte	0x7f, 0xff, 4, 0

/* A PE image of which there is nothing but what names its symbols. */
	.balign	16
shell:	.ascii	"MZ"
	.fill	0x3a, 1, 0
	.long	0x40
	.ascii	"PE\0\0"
	.fill	20, 1, 0
	.word	0x20b
	.fill	110 + 8 * 6, 1, 0
	.long	debug - shell, 28
debug:	.fill	12, 1, 0
	.long	2, 64, codeview - shell, 0
codeview:
	.ascii	"RSDS"
	.fill	20, 1, 0
	.asciz	"/build/Shell/Shell.debug"
shell_end:

	.balign	16
app:	.incbin	"tests/boot/uefi_app.img"
app_end:

	.bss
	.balign	16
	.fill	4096, 1, 0
stack_top:
