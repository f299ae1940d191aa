/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kernels ask the processor about itself, or tell it: time, descriptors, translations, XCR0, protection keys. */
#include <string.h>

#include "arch/x86/insn/assist_priv.h"
#include "arch/x86/x86.h"

#define CR4_PKE         (1ull << 22)
#define CR4_PCIDE       (1ull << 17)
#define CR4_TSD         (1ull << 2)
#define SELECTOR_TI     (1u << 2)
#define PKRU            9       /* its component */

/* Bits of a descriptor's type with S. */
#define TYPE_S          0x10u
#define TYPE_CODE       0x08u
#define TYPE_CONFORMING 0x04u
#define TYPE_ALLOWS     0x02u   /* data: may be written; code: may be read */

enum how { HOW_LAR, HOW_LSL, HOW_VERR, HOW_VERW, HOW_READ, HOW_WRITE };

static void set_pair(struct insn_regs *r, uint64_t value)
{
	r->gpr[INSN_RAX] = (uint32_t)value;
	r->gpr[INSN_RDX] = value >> 32;
}

/* UD0 and UD1, which KVM gives up on; UD2 it knows. */
static int run_undefined(struct assist *a)
{
	return assist_raise(a, VECTOR_UD);
}

static int run_rdtscp(struct assist *a)
{
	struct insn_regs *r = &a->cpu->regs;
	uint64_t tsc, aux = 0;

	if ((r->cr4 & CR4_TSD) && r->cpl)
		return assist_raise_code(a, VECTOR_GP, 0);
	if (!a->cpu->read_msr || a->cpu->read_msr(a->cpu->arg, MSR_TSC, &tsc))
		return NOT_OURS;
	/* A KVM that does not tell of it has none, and the guest could not set it. */
	a->cpu->read_msr(a->cpu->arg, MSR_TSC_AUX, &aux);
	set_pair(r, tsc);
	r->gpr[INSN_RCX] = (uint32_t)aux;
	return 0;
}

static int run_xgetbv(struct assist *a)
{
	struct insn_regs *r = &a->cpu->regs;
	uint32_t index = (uint32_t)r->gpr[INSN_RCX];

	if (!(r->cr4 & CR4_OSXSAVE))
		return assist_raise(a, VECTOR_UD);
	if (index > 1 || (index && !(a->cpu->features & ASSIST_XGETBV1)))
		return assist_raise_code(a, VECTOR_GP, 0);
	set_pair(r, index ? r->xcr0 & assist_in_use(a->cpu) : r->xcr0);
	return 0;
}

static int run_pkru(struct assist *a)
{
	struct insn_regs *r = &a->cpu->regs;
	bool write = a->op->how == HOW_WRITE;
	uint8_t *pkru = assist_component(a->cpu, PKRU);
	uint32_t value = (uint32_t)r->gpr[INSN_RAX];

	if (!(r->cr4 & CR4_PKE))
		return assist_raise(a, VECTOR_UD);
	if ((uint32_t)r->gpr[INSN_RCX] || (write && (uint32_t)r->gpr[INSN_RDX]))
		return assist_raise_code(a, VECTOR_GP, 0);
	if (!pkru)
		return NOT_OURS;
	if (write) {
		assist_use(a->cpu, 1ull << PKRU);
		memcpy(pkru, &value, sizeof(value));
		return 0;
	}
	value = 0;
	if (assist_in_use(a->cpu) >> PKRU & 1)
		memcpy(&value, pkru, sizeof(value));
	set_pair(r, value);
	return 0;
}

/* -- descriptors -- */

/* The descriptor of SELECTOR; *RET_FOUND false: there is none, or it is the null one.  0 or STOPPED. */
static int find_descriptor(struct assist *a, uint16_t selector, bool *ret_found, uint64_t *ret)
{
	const struct assist_table *t = selector & SELECTOR_TI ? &a->cpu->ldt : &a->cpu->gdt;
	uint32_t offset = selector & ~7u;
	uint64_t gva = t->base + offset;

	*ret_found = (selector & ~3u) && offset + 7 <= t->limit;
	if (!*ret_found)
		return 0;
	return assist_mem(a, a->cpu->regs.efer & EFER_LMA ? gva : (uint32_t)gva, ret, sizeof(*ret), false);
}

/* Whether descriptor D is for what HOW asks, by the tables at LAR and LSL (SDM vol. 2). */
static bool visible(const struct assist *a, uint16_t selector, uint64_t d, unsigned how)
{
	/* Bit I: type I counts, of those without S. */
	static const uint16_t systems[2][2] = {
		[HOW_LAR] = { 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 11 | 1 << 12,
			      1 << 2 | 1 << 9 | 1 << 11 | 1 << 12 },
		[HOW_LSL] = { 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11, 1 << 2 | 1 << 9 | 1 << 11 },
	};
	unsigned type = d >> 40 & 0x1f, dpl = d >> 45 & 3, rpl = selector & 3u;
	unsigned level = a->cpu->regs.cpl > rpl ? a->cpu->regs.cpl : rpl;
	bool code = type & TYPE_CODE, conforming = code && (type & TYPE_CONFORMING);

	if (!(type & TYPE_S))
		return how <= HOW_LSL && (systems[how][!!(a->cpu->regs.efer & EFER_LMA)] >> type & 1) && dpl >= level;
	if (how == HOW_VERR && code && !(type & TYPE_ALLOWS))
		return false;
	if (how == HOW_VERW && (code || !(type & TYPE_ALLOWS)))
		return false;
	return conforming || dpl >= level;
}

static uint64_t limit_of(uint64_t d)
{
	uint32_t limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000));

	return d >> 55 & 1 ? (uint64_t)limit << 12 | 0xfff : limit;
}

static int run_descriptor(struct assist *a)
{
	struct insn_regs *r = &a->cpu->regs;
	unsigned how = a->op->how;
	const ZydisDecodedOperand *from = &a->d->op[how <= HOW_LSL ? 1 : 0];
	uint16_t selector = 0;
	uint64_t d = 0;
	bool found;
	int e = 0;

	if (!(r->cr0 & CR0_PE) || (r->rflags & RFLAGS_VM))
		return assist_raise(a, VECTOR_UD);
	if (from->type == ZYDIS_OPERAND_TYPE_REGISTER)
		selector = (uint16_t)assist_gpr(a, from);
	else
		e = assist_mem(a, assist_address(a), &selector, sizeof(selector), false);
	if (!e)
		e = find_descriptor(a, selector, &found, &d);
	if (e)
		return e;
	r->rflags &= ~RFLAGS_ZF;
	if (!found || !visible(a, selector, d, how))
		return 0;
	r->rflags |= RFLAGS_ZF;
	if (how <= HOW_LSL)
		assist_set_gpr(a, &a->d->op[0], how == HOW_LSL ? limit_of(d) : d >> 32 & 0xffff00);
	return 0;
}

/* -- translations -- */

static int run_invpcid(struct assist *a)
{
	enum { ADDRESS, CONTEXT, ALL, ALL_BUT_GLOBAL };
	const struct insn_regs *r = &a->cpu->regs;
	uint64_t type = assist_gpr(a, &a->d->op[0]), what[2];
	unsigned spare = r->cr4 & CR4_LA57 ? 7 : 16;
	int e;

	if (r->cpl || type > ALL_BUT_GLOBAL)
		return assist_raise_code(a, VECTOR_GP, 0);
	e = assist_mem(a, assist_address(a), what, sizeof(what), false);
	if (e)
		return e;
	if (what[0] >> 12 || (type <= CONTEXT && what[0] && !(r->cr4 & CR4_PCIDE)) ||
	    (type == ADDRESS && (uint64_t)((int64_t)(what[1] << spare) >> spare) != what[1]))
		return assist_raise_code(a, VECTOR_GP, 0);
	/* All of them, which each type may come to. */
	a->result->flush = true;
	return 0;
}

const struct assist_op assist_sys_ops[] = {
	{ ZYDIS_MNEMONIC_UD0, ASSIST_UNDEFINED, 0, run_undefined, 0 },
	{ ZYDIS_MNEMONIC_UD1, ASSIST_UNDEFINED, 0, run_undefined, 0 },
	{ ZYDIS_MNEMONIC_RDTSCP, ASSIST_RDTSCP, 0, run_rdtscp, 0 },
	{ ZYDIS_MNEMONIC_XGETBV, ASSIST_XGETBV, ASSIST_XSAVE, run_xgetbv, 0 },
	{ ZYDIS_MNEMONIC_RDPKRU, ASSIST_PKRU, 0, run_pkru, HOW_READ },
	{ ZYDIS_MNEMONIC_WRPKRU, ASSIST_PKRU, 0, run_pkru, HOW_WRITE },
	{ ZYDIS_MNEMONIC_LAR, ASSIST_DESCRIPTOR, 0, run_descriptor, HOW_LAR },
	{ ZYDIS_MNEMONIC_LSL, ASSIST_DESCRIPTOR, 0, run_descriptor, HOW_LSL },
	{ ZYDIS_MNEMONIC_VERR, ASSIST_DESCRIPTOR, 0, run_descriptor, HOW_VERR },
	{ ZYDIS_MNEMONIC_VERW, ASSIST_DESCRIPTOR, 0, run_descriptor, HOW_VERW },
	{ ZYDIS_MNEMONIC_INVPCID, ASSIST_INVPCID, 0, run_invpcid, 0 },
	{ 0 }
};
