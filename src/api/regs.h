/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Register metadata without KVM types, made from src/kvm/regs.def: one row a register gives the target
 * description, the g/G/p/P layouts, the monitor's display and `$reg` in its expressions.
 */
#ifndef GV_API_REGS_H
#define GV_API_REGS_H

#include <stddef.h>
#include <stdint.h>

/* Not REG_...: <sys/ucontext.h>, which <signal.h> brings, has taken those names. */
enum reg_id {
#define REG(id, ...) X86_##id,
#include "kvm/regs.def"
#undef REG
	REG_COUNT
};

#define REG_BYTES_MAX 32        /* the widest single row (upper halves of zmm registers) */

/* The gdb feature a register is described under. */
enum reg_feature { RF_CORE, RF_SEGMENTS, RF_SSE, RF_AVX, RF_AVX512, RF_PKEYS, RF_SYSTEM, RF_COUNT };

/* How `info registers` groups them. */
enum reg_group {
	RG_GENERAL, RG_SEGMENT, RG_CONTROL, RG_X87, RG_SSE, RG_AVX, RG_DEBUG,
	RG_TABLES,              /* descriptor tables, and what segment registers hide */
	RG_MSR, RG_AVX512, RG_COUNT
};

/* A client's view: which rows it has, under which names, widths and numbers. */
enum reg_layout { RL_X86_64, RL_I386, RL_COUNT };

/* Which description of its registers a client is to be given. */
enum reg_choice {
	REG_CHOICE_AUTO,        /* by the image's class; where it has none, by the vCPU's mode */
	REG_CHOICE_I8086, REG_CHOICE_I386, REG_CHOICE_X86_64,
};

struct reg_view {
	const char *name;       /* NULL: not in this layout */
	uint16_t bits;
	int16_t num;            /* gdb's register number, dense from 0 */
};

struct reg_info {
	struct reg_view view[RL_COUNT]; /* view[RL_X86_64] exists for every row and has the full width */
	/* gdb's type name: int32, int64, code_ptr, data_ptr, i387_ext, vec128, ...; x86_...: of named bits (api/regbits.h) */
	const char *type[RL_COUNT];
	enum reg_feature feature;
	enum reg_group group;
};

extern const struct reg_info reg_table[REG_COUNT];

/* Registers in layout L that a `g` reply holds: numbers 0 to reg_g_count(L) - 1; the rest comes by `p`. */
unsigned reg_g_count(enum reg_layout l);
/* Registers in layout L altogether. */
unsigned reg_num_count(enum reg_layout l);
/* The row with gdb number NUM in layout L, or -1. */
int reg_by_num(enum reg_layout l, unsigned num);
/*
 * The row called NAME (LEN bytes) in any layout, also by the aliases people type: pc, sp, fp, flags.
 * Names are matched without regard to case.  *RET_BITS (may be NULL) is the width of the name found, so
 * that "eax" reads 32 bits of rax.  -1 when there is none.
 */
int reg_by_name(const char *name, size_t len, unsigned *ret_bits);
/* gdb's name of feature F, as in <feature name="...">. */
const char *reg_feature_name(enum reg_feature f);
const char *reg_group_name(enum reg_group g);

#endif
