/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pieces of x86's monitor_arch, whose comments are their contracts. */
#ifndef GV_MONITOR_X86_PARTS_H
#define GV_MONITOR_X86_PARTS_H

#include "monitor/arch.h"

extern const struct cmd_group cmd_debugregs_group, cmd_msr_group;

/* Zydis, Intel syntax. */
void x86_disas(struct machine *m, unsigned code_bits, uint64_t cs_base, uint64_t addr, const uint8_t *data, size_t len,
	       struct disas_insn *ret);

size_t x86_stack_walk(struct machine *m, unsigned cpu, struct stack_frame *ret, size_t max);
bool x86_stack_top(struct machine *m, unsigned cpu, struct stack_top *ret);

#endif
