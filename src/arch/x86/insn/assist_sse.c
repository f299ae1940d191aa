/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SSE and AVX moves between vector registers, general registers and memory.  A move without VEX leaves what is above the XMM
 * register alone; one with VEX clears it (SDM vol. 1, 14.8).  And MXCSR's moves.
 */
#include "arch/x86/insn/assist_priv.h"

#include <string.h>

#define XMM      16     /* bytes */
#define CPU_AVX_STATE (XS_SSE | XS_AVX)

/* What a row of the table says. */
enum {
	FULL = 0,               /* the whole operand */
	ALIGNED = 1 << 0,       /* the whole operand, at a multiple of its size */
	LOW = 1 << 1,           /* the low end, in the operand's size; loads clear the rest of the XMM register */
	MERGE = 1 << 2,         /* with LOW: between registers, the rest is kept */
	HIGH = 1 << 3,          /* the upper eight bytes, and the others are kept */
	KEEP = 1 << 4,          /* with LOW: loads too keep the rest */
	INTEGER = 1 << 5,       /* from a general register to memory: not part of the SSE state */
};

/* Of the rows of MXCSR. */
enum { LOAD, STORE };

static uint8_t *xmm(const struct assist *a, unsigned i)
{
	return a->cpu->xsave + XS_XMM + XMM * i;
}

static uint8_t *upper(const struct assist *a, unsigned i)
{
	uint8_t *c = assist_component(a->cpu, 2);

	return c ? c + XMM * i : NULL;
}

static bool is_vector(const ZydisDecodedOperand *op)
{
	ZydisRegisterClass class;

	if (op->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	class = ZydisRegisterGetClass(op->reg.value);
	return class == ZYDIS_REGCLASS_XMM || class == ZYDIS_REGCLASS_YMM;
}

static unsigned number(const ZydisDecodedOperand *op)
{
	return (unsigned)ZydisRegisterGetId(op->reg.value);
}

static bool vex(const struct assist *a)
{
	return a->d->insn.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
}

/* The value of an operand of SIZE bytes, which it may not all hold. */
static int fetch(struct assist *a, const ZydisDecodedOperand *op, uint8_t *ret, unsigned size)
{
	uint64_t value;
	unsigned n;

	if (op->type == ZYDIS_OPERAND_TYPE_MEMORY)
		return assist_mem(a, assist_address(a), ret, size, false);
	if (!is_vector(op)) {
		value = assist_gpr(a, op);
		memcpy(ret, &value, size);
		return 0;
	}
	n = number(op);
	memcpy(ret, xmm(a, n), size < XMM ? size : XMM);
	if (size > XMM)
		memcpy(ret + XMM, upper(a, n), XMM);
	return 0;
}

/* Makes the vector register OP what VALUE (32 bytes) says, by the rules of the instruction's encoding. */
static void set_vector(struct assist *a, const ZydisDecodedOperand *op, const uint8_t *value)
{
	unsigned n = number(op);
	uint8_t *zmm;

	if (vex(a) && memcmp(upper(a, n), value + XMM, XMM)) {
		assist_use(a->cpu, XS_AVX);
		memcpy(upper(a, n), value + XMM, XMM);
	}
	zmm = assist_component(a->cpu, XS_ZMM_HI256);
	if (vex(a) && zmm && (assist_in_use(a->cpu) >> XS_ZMM_HI256 & 1))
		memset(zmm + 32 * n, 0, 32);
	assist_use(a->cpu, XS_SSE);
	memcpy(xmm(a, n), value, XMM);
}

static int check_state(struct assist *a)
{
	const struct insn_regs *r = &a->cpu->regs;

	if (vex(a)) {
		if (!(r->cr4 & CR4_OSXSAVE) || (r->xcr0 & CPU_AVX_STATE) != CPU_AVX_STATE || !(r->cr0 & CR0_PE) ||
		    (r->rflags & RFLAGS_VM))
			return assist_raise(a, VECTOR_UD);
	} else if ((r->cr0 & CR0_EM) || !(r->cr4 & CR4_OSFXSR))
		return assist_raise(a, VECTOR_UD);
	if (r->cr0 & CR0_TS)
		return assist_raise(a, VECTOR_NM);
	return 0;
}

/* A register or half of it from FROM; what the move keeps comes from KEPT, where three operands say so another register. */
static int into_vector(struct assist *a, const ZydisDecodedOperand *to, const ZydisDecodedOperand *kept,
		       const ZydisDecodedOperand *from)
{
	unsigned how = a->op->how, size = from->size / 8;
	bool keeps = (how & (HIGH | KEEP)) || ((how & MERGE) && is_vector(from));
	uint8_t value[2 * XMM] = { 0 }, part[2 * XMM] = { 0 };
	int r;

	if (keeps)
		memcpy(value, xmm(a, number(kept)), XMM);
	r = fetch(a, from, part, size);
	if (r)
		return r;
	memcpy(value + (how & HIGH ? 8 : 0), part, size);
	set_vector(a, to, value);
	return 0;
}

/* The other direction: memory or a general register gets the whole, the low end or the high half. */
static int from_vector(struct assist *a, const ZydisDecodedOperand *to, const ZydisDecodedOperand *from)
{
	uint8_t value[2 * XMM];
	uint64_t word;
	unsigned size = to->size / 8, n = number(from);

	memcpy(value, xmm(a, n), XMM);
	if (size > XMM)
		memcpy(value + XMM, upper(a, n), XMM);
	if (to->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		memcpy(&word, value, sizeof(word));
		assist_set_gpr(a, to, word);
		return 0;
	}
	return assist_mem(a, assist_address(a), value + (a->op->how & HIGH ? 8 : 0), size, true);
}

/* MOVNTI. */
static int from_general(struct assist *a)
{
	uint64_t value = assist_gpr(a, &a->d->op[1]);

	return assist_mem(a, assist_address(a), &value, a->d->op[0].size / 8, true);
}

static int run_move(struct assist *a)
{
	const ZydisDecodedOperand *op = a->d->op;
	unsigned count = a->d->insn.operand_count_visible;
	bool to_vector = is_vector(&op[0]), from_is = count >= 2 && is_vector(&op[count - 1]);
	int r;

	if (a->op->how & INTEGER)
		return from_general(a);
	/* MOVSD is also the name of a string instruction; the MMX registers and EVEX are left alone. */
	if (count < 2 || count > 3 || !(to_vector || from_is) ||
	    a->d->insn.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX || a->cpu->xsave_size < XS_EXTENDED)
		return NOT_OURS;
	for (unsigned i = 0; i < count; i++)
		if (op[i].type == ZYDIS_OPERAND_TYPE_REGISTER && !is_vector(&op[i]) && insn_gpr_number(op[i].reg.value) < 0)
			return NOT_OURS;
	r = check_state(a);
	if (r)
		return r;
	if (vex(a) && !upper(a, 0))
		return NOT_OURS;
	if (a->insn.naccess && (a->op->how & ALIGNED) && (assist_address(a) & (a->insn.access[0].size - 1)))
		return assist_raise_code(a, VECTOR_GP, 0);
	assist_write_out(a->cpu, CPU_AVX_STATE);
	return to_vector ? into_vector(a, &op[0], &op[count == 3 ? 1 : 0], &op[count - 1]) : from_vector(a, &op[0], &op[1]);
}

/* STMXCSR, and LDMXCSR, which faults for bits that the processor has not. */
static int run_mxcsr(struct assist *a)
{
	uint32_t value, mask;
	int r;

	if (a->cpu->xsave_size < XS_EXTENDED)
		return NOT_OURS;
	r = check_state(a);
	if (r)
		return r;
	if (a->op->how == STORE)
		return assist_mem(a, assist_address(a), a->cpu->xsave + XS_MXCSR, sizeof(value), true);
	r = assist_mem(a, assist_address(a), &value, sizeof(value), false);
	if (r)
		return r;
	memcpy(&mask, a->cpu->xsave + XS_MXCSR_MASK, sizeof(mask));
	if (value & ~(mask ? mask : MXCSR_MASK_OLD))
		return assist_raise_code(a, VECTOR_GP, 0);
	assist_use(a->cpu, XS_SSE);
	memcpy(a->cpu->xsave + XS_MXCSR, &value, sizeof(value));
	return 0;
}

#define SSE(mnemonic, feature, how)                                                                             \
	{ ZYDIS_MNEMONIC_##mnemonic, ASSIST_SSE_MOVE, ASSIST_##feature, run_move, how },                        \
	{ ZYDIS_MNEMONIC_V##mnemonic, ASSIST_AVX_MOVE, ASSIST_AVX, run_move, how }

const struct assist_op assist_sse_ops[] = {
	SSE(MOVAPS, SSE, ALIGNED), SSE(MOVUPS, SSE, FULL), SSE(MOVAPD, SSE2, ALIGNED), SSE(MOVUPD, SSE2, FULL),
	SSE(MOVDQA, SSE2, ALIGNED), SSE(MOVDQU, SSE2, FULL), SSE(LDDQU, SSE3, FULL), SSE(MOVNTPS, SSE, ALIGNED),
	SSE(MOVNTPD, SSE2, ALIGNED), SSE(MOVNTDQ, SSE2, ALIGNED), SSE(MOVNTDQA, SSE41, ALIGNED),
	SSE(MOVD, SSE2, LOW), SSE(MOVQ, SSE2, LOW), SSE(MOVSS, SSE, LOW | MERGE), SSE(MOVSD, SSE2, LOW | MERGE),
	SSE(MOVLPS, SSE, LOW | KEEP), SSE(MOVLPD, SSE2, LOW | KEEP), SSE(MOVHPS, SSE, HIGH), SSE(MOVHPD, SSE2, HIGH),
	{ ZYDIS_MNEMONIC_MOVNTI, ASSIST_SSE_MOVE, ASSIST_SSE2, run_move, INTEGER },
	{ ZYDIS_MNEMONIC_LDMXCSR, ASSIST_SSE_OP, ASSIST_SSE, run_mxcsr, LOAD },
	{ ZYDIS_MNEMONIC_STMXCSR, ASSIST_SSE_OP, ASSIST_SSE, run_mxcsr, STORE },
	{ ZYDIS_MNEMONIC_VLDMXCSR, ASSIST_AVX_OP, ASSIST_AVX, run_mxcsr, LOAD },
	{ ZYDIS_MNEMONIC_VSTMXCSR, ASSIST_AVX_OP, ASSIST_AVX, run_mxcsr, STORE },
	{ 0 }
};
