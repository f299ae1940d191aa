/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registers of a processor out of an input, for the targets of src/insn. */
#ifndef GV_FUZZ_CPU_H
#define GV_FUZZ_CPU_H

#include "fuzz/fuzz.h"
#include "arch/x86/insn/insn.h"

/*
 * Takes from IN the mode that code runs in, then how many general registers are not as the others, and those, then flags.
 * All are such as a vCPU may have: 64-bit code has a 64-bit stack, virtual-8086 mode CPL 3.
 */
void cpu_take(struct bytes *in, struct insn_regs *ret);

#endif
