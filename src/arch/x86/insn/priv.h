/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that decode share.  Private to src/insn. */
#ifndef GV_INSN_PRIV_H
#define GV_INSN_PRIV_H

#include <Zydis/Zydis.h>

#include "arch/x86/insn/insn.h"

struct decoded {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

/* -EINVAL also for code or stack bits that do not exist. */
int insn_decoder_init(const struct insn_regs *r, ZydisDecoder *ret);
/* As insn_decode(). */
int insn_zydis(const struct insn_regs *r, const uint8_t *bytes, size_t n, struct decoded *ret);
/* What insn_decode() tells of D. */
void insn_describe(const struct insn_regs *r, const struct decoded *d, const uint8_t *bytes, struct insn *ret);

/* access.c: fills the accesses of RET, whose rep and count are known. */
void insn_accesses(const struct insn_regs *r, const struct decoded *d, struct insn *ret);
/*
 * Takes back what instruction D does to rsp, rsi and rdi on its way, in R, the registers after it.  Returns the mask of
 * registers that are right again.
 */
uint16_t insn_unstep(struct insn_regs *r, const struct decoded *d);

/* The number of a general register, whole or part; -1: none. */
int insn_gpr_number(ZydisRegister reg);

#endif
