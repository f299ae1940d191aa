/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instructions that touch registers and nothing else, carried out by ourselves: what breakpoints mostly stand on and loops mostly
 * end with.  For whoever has to take one step where that costs several calls of KVM.  Pure; any thread.
 */
#ifndef GV_INSN_PLAIN_H
#define GV_INSN_PLAIN_H

#include "arch/x86/insn/insn.h"

/*
 * Carries out the instruction in the N bytes at R->rip: R's general registers, rip and rflags are then as the processor leaves
 * them (RF clear, flags that the manual leaves open as this host has them).  Of the rest only code_bits counts: the caller sees to
 * limits of the code segment, canonical addresses, and what may come instead of an instruction.  False: it is none of those, or N
 * bytes are not all of it; R is as it was.
 */
bool insn_plain(struct insn_regs *r, const uint8_t *bytes, size_t n);

#endif
