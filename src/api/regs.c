/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/regs.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

const struct reg_info reg_table[REG_COUNT] = {
/* NOLINTBEGIN(bugprone-macro-parentheses): a parenthesis around a string is no initializer */
#define REG(id, n64, num64, bits64, t64, n32, num32, bits32, t32, feat, grp, home, off, hbits)                  \
	[X86_##id] = { .view = { [RL_X86_64] = { n64, bits64, num64 }, [RL_I386] = { n32, bits32, num32 } },    \
		       .type = { [RL_X86_64] = t64, [RL_I386] = t32 },                                          \
		       .feature = RF_##feat,                                                                    \
		       .group = RG_##grp },
/* NOLINTEND(bugprone-macro-parentheses) */
#include "kvm/regs.def"
#undef REG
};

static const struct {
	const char *name;
	enum reg_id id;
	unsigned bits;
} aliases[] = {
	{ "pc", X86_RIP, 64 },    { "sp", X86_RSP, 64 }, { "fp", X86_RBP, 64 }, { "flags", X86_EFLAGS, 32 },
	{ "rflags", X86_EFLAGS, 32 }, { "ax", X86_RAX, 16 }, { "bx", X86_RBX, 16 }, { "cx", X86_RCX, 16 },
	{ "dx", X86_RDX, 16 },    { "si", X86_RSI, 16 }, { "di", X86_RDI, 16 }, { "bp", X86_RBP, 16 },
	{ "al", X86_RAX, 8 },     { "bl", X86_RBX, 8 },  { "cl", X86_RCX, 8 },  { "dl", X86_RDX, 8 },
};

unsigned reg_num_count(enum reg_layout l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < REG_COUNT; i++)
		n += reg_table[i].view[l].name != NULL;
	return n;
}

unsigned reg_g_count(enum reg_layout l)
{
	return (unsigned)reg_table[X86_GS_BASE].view[l].num + 1;
}

int reg_by_num(enum reg_layout l, unsigned num)
{
	/* Rows are nearly in numeric order in both layouts: look there first. */
	if (num < REG_COUNT && reg_table[num].view[l].num == (int)num)
		return (int)num;
	for (unsigned i = 0; i < REG_COUNT; i++)
		if (reg_table[i].view[l].name && reg_table[i].view[l].num == (int)num)
			return (int)i;
	return -1;
}

static bool same_name(const char *a, const char *name, size_t len)
{
	return a && strlen(a) == len && !strncasecmp(a, name, len);
}

int reg_by_name(const char *name, size_t len, unsigned *ret_bits)
{
	unsigned bits = 0;
	int id = -1;

	for (unsigned l = 0; l < RL_COUNT && id < 0; l++)
		for (unsigned i = 0; i < REG_COUNT && id < 0; i++)
			if (same_name(reg_table[i].view[l].name, name, len)) {
				id = (int)i;
				bits = reg_table[i].view[l].bits;
			}
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]) && id < 0; i++)
		if (same_name(aliases[i].name, name, len)) {
			id = aliases[i].id;
			bits = aliases[i].bits;
		}
	if (id >= 0 && ret_bits)
		*ret_bits = bits;
	return id;
}

const char *reg_feature_name(enum reg_feature f)
{
	static const char *const names[RF_COUNT] = {
		[RF_CORE] = "org.gnu.gdb.i386.core",
		[RF_SEGMENTS] = "org.gnu.gdb.i386.segments",
		[RF_SSE] = "org.gnu.gdb.i386.sse",
		[RF_AVX] = "org.gnu.gdb.i386.avx",
		[RF_AVX512] = "org.gnu.gdb.i386.avx512",
		[RF_PKEYS] = "org.gnu.gdb.i386.pkeys",
		[RF_SYSTEM] = "org.gdbvisor.i386.system",
	};
	return names[f];
}

const char *reg_group_name(enum reg_group g)
{
	static const char *const names[RG_COUNT] = {
		[RG_GENERAL] = "general", [RG_SEGMENT] = "segment", [RG_CONTROL] = "control",
		[RG_X87] = "x87",         [RG_SSE] = "sse",         [RG_AVX] = "avx",
		[RG_DEBUG] = "debug",     [RG_TABLES] = "tables",   [RG_MSR] = "msr",
		[RG_AVX512] = "avx512",
	};
	return names[g];
}
