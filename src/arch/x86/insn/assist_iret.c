/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IRET in 16- and 32-bit protected mode, to the privilege level it comes from, which is 0 (SDM vol. 2, IRET). */
#include <string.h>

#include "arch/x86/insn/assist_priv.h"
#include "arch/x86/x86.h"

/* What IRET with a 32-bit operand loads: CF PF AF ZF SF TF IF DF OF IOPL NT RF AC VIF VIP ID; VM would be another kind of return. */
#define FLAGS_LOADED    0x3d7fd5ull
#define FLAGS_LOW       0xffffull
#define RFLAGS_NT       (1ull << 14)
#define SELECTOR_TI     (1u << 2)
#define TYPE_CODE       0x18u           /* S, and executable */
#define TYPE_CONFORMING 0x04u
#define TYPE_ACCESSED   0x01u

/* Reads the descriptor of SELECTOR; the exception for one beyond its table names the selector. */
static int read_descriptor(struct assist *a, uint16_t selector, uint64_t *ret_gva, uint64_t *ret)
{
	const struct assist_table *t = selector & SELECTOR_TI ? &a->cpu->ldt : &a->cpu->gdt;
	uint32_t offset = selector & ~7u;

	if (!(selector & ~3u))
		return assist_raise_code(a, VECTOR_GP, 0);
	if (offset + 7 > t->limit)
		return assist_raise_code(a, VECTOR_GP, selector & ~3u);
	*ret_gva = (t->base + offset) & 0xffffffff;
	return assist_mem(a, *ret_gva, ret, sizeof(*ret), false);
}

static struct assist_code_segment code_segment(uint16_t selector, uint64_t d)
{
	uint32_t limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000));

	return (struct assist_code_segment){
		.changed = true,
		.selector = selector,
		.base = (uint32_t)((d >> 16 & 0xffffff) | (d >> 32 & 0xff000000)),
		.limit = d >> 55 & 1 ? limit << 12 | 0xfff : limit,
		.type = (uint8_t)(d >> 40 & 0xf) | TYPE_ACCESSED,
		.dpl = d >> 45 & 3,
		.big = d >> 54 & 1,
		.coarse = d >> 55 & 1,
		.spare = d >> 52 & 1,
	};
}

/* Whether code at level 0 may return to descriptor D; 0 or STOPPED. */
static int check_code(struct assist *a, uint16_t selector, uint64_t d)
{
	unsigned type = d >> 40 & 0x1f, dpl = d >> 45 & 3;

	if ((type & TYPE_CODE) != TYPE_CODE || dpl > (selector & 3u) || (!(type & TYPE_CONFORMING) && dpl != (selector & 3u)))
		return assist_raise_code(a, VECTOR_GP, selector & ~3u);
	return d >> 47 & 1 ? 0 : assist_raise_code(a, VECTOR_NP, selector & ~3u);
}

static int run_iret(struct assist *a)
{
	struct insn_regs *r = &a->cpu->regs;
	unsigned size = a->d->insn.operand_width / 8;
	uint64_t mask = r->stack_bits == 32 ? 0xffffffff : 0xffff;
	uint64_t loaded = size == 4 ? FLAGS_LOADED : FLAGS_LOADED & FLAGS_LOW;
	struct assist_code_segment cs;
	uint32_t frame[3] = { 0 };
	uint64_t gva = 0, d = 0;
	int e;

	if (!(r->cr0 & CR0_PE) || r->efer & EFER_LMA || r->cpl || r->rflags & (RFLAGS_VM | RFLAGS_NT))
		return NOT_OURS;
	for (unsigned i = 0; i < 3; i++) {
		e = assist_mem(a, insn_linear(r, INSN_SS, (r->gpr[INSN_RSP] + i * size) & mask), &frame[i], size, false);
		if (e)
			return e;
	}
	if (frame[1] & 3 || (size == 4 && frame[2] & RFLAGS_VM))
		return NOT_OURS;
	e = read_descriptor(a, (uint16_t)frame[1], &gva, &d);
	if (!e)
		e = check_code(a, (uint16_t)frame[1], d);
	if (e)
		return e;
	cs = code_segment((uint16_t)frame[1], d);
	if (frame[0] > cs.limit)
		return assist_raise_code(a, VECTOR_GP, 0);
	if (!(d >> 40 & TYPE_ACCESSED)) {
		uint8_t type = (uint8_t)(d >> 40) | TYPE_ACCESSED;

		e = assist_mem(a, gva + 5, &type, 1, true);
		if (e)
			return e;
	}
	a->cpu->cs = cs;
	a->result->unmask_nmi = true;
	r->gpr[INSN_RSP] = (r->gpr[INSN_RSP] & ~mask) | ((r->gpr[INSN_RSP] + 3 * size) & mask);
	r->rflags = (r->rflags & ~loaded) | (frame[2] & loaded) | 2;
	r->rip = frame[0];
	return JUMPED;
}

const struct assist_op assist_iret_ops[] = {
	{ ZYDIS_MNEMONIC_IRET, ASSIST_IRET, 0, run_iret, 0 },
	{ ZYDIS_MNEMONIC_IRETD, ASSIST_IRET, 0, run_iret, 0 },
	{ 0 }
};
