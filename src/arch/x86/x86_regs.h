/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * x86's register table by name (arch/x86/regs.def), and the numbers of what else its description lists: for x86's code and for
 * tests.
 */
#ifndef GV_X86_X86_REGS_H
#define GV_X86_X86_REGS_H

#include "api/arch.h"

/* Not REG_...: <sys/ucontext.h>, which <signal.h> brings, has taken those names. */
enum {
#define REG(id, ...) X86_##id,
#include "arch/x86/regs.def"
#undef REG
	X86_REGS
};

/* arch_desc.features */
enum { RF_CORE, RF_SEGMENTS, RF_SSE, RF_AVX, RF_AVX512, RF_PKEYS, RF_SYSTEM, RF_COUNT };

/* arch_desc.groups */
enum {
	RG_GENERAL, RG_SEGMENT, RG_CONTROL, RG_X87, RG_SSE, RG_AVX, RG_DEBUG,
	RG_TABLES,              /* descriptor tables, and what segment registers hide */
	RG_MSR, RG_AVX512, RG_COUNT
};

/* Layouts. */
enum { RL_X86_64, RL_I386, RL_COUNT };

/* arch_desc.choices, behind REG_CHOICE_AUTO */
enum { REG_CHOICE_I8086 = 1, REG_CHOICE_I386, REG_CHOICE_X86_64, REG_CHOICE_COUNT };

/* cpu_status.mode and code_bits */
enum cpu_mode {
	MODE_REAL, MODE_VM86, MODE_PROT16, MODE_PROT32, MODE_COMPAT16, MODE_COMPAT32, MODE_LONG, MODE_COUNT
};

struct x86_mode {
	const char *name;
	unsigned code_bits;
};

extern const struct x86_mode x86_modes[MODE_COUNT];

/* arch_desc.bits */
#define X86_BITS_COUNT 11
extern const struct reg_bits x86_bits[X86_BITS_COUNT];

#endif
