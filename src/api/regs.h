/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Register metadata without KVM types: one row a register, in the architecture's table (arch_desc.regs, api/arch.h), gives the
 * target description, the g/G/p/P layouts, the monitor's display and `$reg` in its expressions.
 */
#ifndef GV_API_REGS_H
#define GV_API_REGS_H

#include <stddef.h>
#include <stdint.h>

/* A row of the architecture's register table. */
typedef unsigned reg_id;

#define REG_NONE        ((reg_id)-1)    /* in the place of a row: there is none */
#define REG_MAX         256     /* no architecture has more rows */
#define REG_BYTES_MAX   32      /* the widest single row */
#define REG_LAYOUTS_MAX 2       /* no architecture has more views */

struct reg_view {
	const char *name;       /* NULL: not in this layout */
	uint16_t bits;
	int16_t num;            /* gdb's register number, dense from 0 */
};

struct reg_info {
	/* By layout, a client's view: its rows, and their names, widths and numbers.  Layout 0 has every row, in full width. */
	struct reg_view view[REG_LAYOUTS_MAX];
	/* gdb's type name: int32, int64, code_ptr, data_ptr, vec128, ..., or one of arch_desc.bits */
	const char *type[REG_LAYOUTS_MAX];
	uint8_t feature;        /* of arch_desc.features: what gdb has it described under */
	uint8_t group;          /* of arch_desc.groups: where `info registers` shows it */
};

/* Registers in layout L that a `g` reply holds: numbers 0 to reg_g_count(L) - 1; the rest comes by `p`. */
unsigned reg_g_count(unsigned l);
/* Registers in layout L altogether. */
unsigned reg_num_count(unsigned l);
/* The row with gdb number NUM in layout L, or -1. */
int reg_by_num(unsigned l, unsigned num);
/*
 * The row called NAME (LEN bytes) in any layout, also by the aliases people type: pc, sp, fp, flags.
 * Names are matched without regard to case.  *RET_BITS (may be NULL) is the width of the name found, so
 * that "eax" reads 32 bits of rax.  -1 when there is none.
 */
int reg_by_name(const char *name, size_t len, unsigned *ret_bits);

#endif
