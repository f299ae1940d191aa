/* SPDX-License-Identifier: GPL-3.0-or-later */
/* x86 in the monitor: what its commands say, and how people write where they are. */
#include "monitor/arch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/x86_regs.h"
#include "monitor/render.h"
#include "monitor/x86/parts.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct cmd_group *const groups[] = { &cmd_debugregs_group, &cmd_msr_group };

#define BREAK_ARGS "EXPR|FILE:LINE [cr3=EXPR] [cpu=N] [if EXPR]"

static const struct cmd_words words[] = {
	{ "translate", "GVA [cr3=EXPR]", NULL,
	  "Shows every level's entry, the physical address, the rights, the slot that holds it, and whether the\n"
	  "page was written since `dirty take`, when the slot is logged.\n"
	  "cr3=EXPR takes other page tables than the selected vCPU's." },
	{ "disas", NULL, NULL, "As 16-, 32- or 64-bit code, by the selected vCPU's mode." },
	{ "print", NULL, NULL,
	  "C's operators on unsigned 64-bit numbers: 31744 0x7c00 4K 'a', $rax, symbols, *EXPR (64 bits),\n"
	  "*(u8)EXPR *(u16)EXPR *(u32)EXPR *(u64)EXPR, ?: || && | ^ & == != < <= > >= << >> + - * / % ~ !\n"
	  "F is one of xduotca; U (b h w g) cuts the value to 1, 2, 4 or 8 bytes first." },
	{ "set", NULL, NULL,
	  "A part of a register ($eax, $al) leaves the rest of it as it is.  EXPR has to fit, as an unsigned\n"
	  "or a negative number." },
	{ "info registers", NULL, NULL,
	  "Without argument: general, segment and control registers.  GROUP is general, segment, control, x87,\n"
	  "sse or avx.  NAME is any register's, as in expressions but without $; eax and al are parts of rax." },
	{ "break", BREAK_ARGS, NULL,
	  "Any number, on all vCPUs, also where no memory is yet.  Found through the selected vCPU's page tables, and\n"
	  "hit under any; with cr3=EXPR through those, and hit under them alone.  cpu=N: only vCPU N's hits count.\n"
	  "if EXPR: only hits where it is not 0; one that has no value stops, and the stop says why.\n"
	  "*EXPR is taken as gdb takes it, as EXPR.  FILE:LINE: in each function that has it, inlined ones too; FILE may\n"
	  "be a path's end." },
	{ "tbreak", BREAK_ARGS, NULL, NULL },
	{ "hbreak", BREAK_ARGS, "set a breakpoint at address EXPR by a debug register",
	  "Changes no memory.  There are four, shared with gdb.  Else as break." },
	{ "catch", "port|mmio|msr|exception|interrupt|unclaimed|reset|halt|shutdown|panic|oops|kernel ... [if EXPR]", NULL,
	  "port RANGE [read|write]       mmio RANGE [read|write]       msr RANGE [read|write]\n"
	  "  RANGE is EXPR, EXPR,COUNT or FIRST..LAST (both included); mmio: physical addresses no slot holds.\n"
	  "exception [N[-M] | NAME]      at the handler: vectors N to M (0-31), or one of de db nmi bp of br ud nm df\n"
	  "                              ts np ss gp pf mf ac mc xm\n"
	  "interrupt N[-M]               the same for any vector up to 255\n"
	  "unclaimed                     a port or MMIO access that no device answers\n"
	  "reset                         the guest asks for a reset, before it is done\n"
	  "halt                          HLT with interrupts off\n"
	  "panic, oops                   a Linux kernel, whose symbols there are, gives up or finds itself at fault\n"
	  "kernel                        the first instruction of a bzImage's kernel, unpacked; set it before the start\n"
	  "shutdown                      triple faults always stop the guest; there is nothing to set" },
};

static const struct vector_name vectors[] = {
	{ 0, "de" }, { 1, "db" }, { 2, "nmi" }, { 3, "bp" }, { 4, "of" }, { 5, "br" }, { 6, "ud" }, { 7, "nm" },
	{ 8, "df" }, { 10, "ts" }, { 11, "np" }, { 12, "ss" }, { 13, "gp" }, { 14, "pf" }, { 16, "mf" }, { 17, "ac" },
	{ 18, "mc" }, { 19, "xm" },
};

static void add_place(json_t *obj, struct machine *m, unsigned cpu, const struct cpu_status *s)
{
	uint8_t cs[REG_BYTES_MAX] = { 0 };

	machine_reg_read(m, cpu, X86_CS, cs, NULL);
	json_object_set_new(obj, "cs", json_sprintf("0x%04x", cs[0] | cs[1] << 8));
	json_object_set_new(obj, "ip", data_hex(s->pc - s->code_base));
}

/* cs:ip where that is how the vCPU addresses code. */
static void render_place_before(const json_t *obj, struct out *o)
{
	const char *mode = data_str(obj, "mode");

	if (!strcmp(mode, x86_modes[MODE_REAL].name) || !strcmp(mode, x86_modes[MODE_VM86].name))
		out_printf(o, "%04" PRIx64 ":%04" PRIx64 " ", data_u64(obj, "cs"), data_u64(obj, "ip"));
}

/* An x87 register's 80 bits. */
static bool decimal(const char *type, const uint8_t *value, char *ret, size_t size)
{
#ifdef __x86_64__
	long double st = 0;

	if (strcmp(type, "i387_ext"))
		return false;
	memcpy(&st, value, 10);
	snprintf(ret, size, "%.18Lg", st);
	return true;
#else
	/* Elsewhere no type of C's has this format. */
	(void)type;
	(void)value;
	(void)ret;
	(void)size;
	return false;
#endif
}

const struct monitor_arch monitor_arch = {
	.groups = groups,
	.ngroups = COUNT(groups),
	.words = words,
	.nwords = COUNT(words),
	.disas = x86_disas,
	.stack_walk = x86_stack_walk,
	.stack_top = x86_stack_top,
	.add_place = add_place,
	.render_place = render_place_before,
	.port_max = 0xffff,
	.special_max = 0xffffffff,
	.exception_max = 31,
	.interrupt_max = 255,
	.special = "msr",
	.vectors = vectors,
	.nvectors = COUNT(vectors),
	.decimal = decimal,
};
