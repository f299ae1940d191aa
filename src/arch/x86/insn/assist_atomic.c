/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CMPXCHG8B and CMPXCHG16B (SDM vol. 2), which are one access to whoever else runs, with LOCK or without. */
#include "arch/x86/insn/assist_priv.h"

#include <string.h>

/* The pair HIGH:LOW of registers of SIZE bytes each, as memory has it. */
static void pair(const struct insn_regs *r, unsigned high, unsigned low, size_t size, uint8_t *ret)
{
	memcpy(ret, &r->gpr[low], size);
	memcpy(ret + size, &r->gpr[high], size);
}

static int run_cmpxchg(struct assist *a)
{
	struct assist_cpu *cpu = a->cpu;
	struct insn_regs *r = &cpu->regs;
	uint8_t expected[16], desired[16];
	uint64_t value[2] = { 0 };
	size_t size = a->op->how;
	bool equal = false;
	int e;

	if (!cpu->cmpxchg)
		return NOT_OURS;
	if (size == 8 && (assist_address(a) & 15))
		return assist_raise_code(a, VECTOR_GP, 0);
	pair(r, INSN_RDX, INSN_RAX, size, expected);
	pair(r, INSN_RCX, INSN_RBX, size, desired);
	e = assist_cmpxchg(a, assist_address(a), expected, desired, 2 * size, &equal);
	if (e)
		return e;
	r->rflags = equal ? r->rflags | RFLAGS_ZF : r->rflags & ~RFLAGS_ZF;
	if (equal)
		return 0;
	memcpy(&value[0], expected, size);
	memcpy(&value[1], expected + size, size);
	r->gpr[INSN_RAX] = value[0];
	r->gpr[INSN_RDX] = value[1];
	return 0;
}

const struct assist_op assist_atomic_ops[] = {
	{ ZYDIS_MNEMONIC_CMPXCHG8B, ASSIST_CMPXCHG, ASSIST_CX8, run_cmpxchg, 4 },
	{ ZYDIS_MNEMONIC_CMPXCHG16B, ASSIST_CMPXCHG, ASSIST_CX16, run_cmpxchg, 8 },
	{ 0 }
};
