/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pieces of PowerPC's monitor_arch, whose comments are their contracts. */
#ifndef GV_MONITOR_PPC_PARTS_H
#define GV_MONITOR_PPC_PARTS_H

#include "monitor/arch.h"

/* Branches and what stands alone; the rest as ".long 0x...". */
void ppc_disas(struct machine *m, unsigned code_bits, uint64_t code_base, uint64_t addr, const uint8_t *data, size_t len,
	       struct disas_insn *ret);

size_t ppc_stack_walk(struct machine *m, unsigned cpu, struct stack_frame *ret, size_t max);
bool ppc_stack_top(struct machine *m, unsigned cpu, struct stack_top *ret);

#endif
