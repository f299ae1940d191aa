/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/insn/assist.h"

#include <string.h>

#include "arch/x86/insn/assist_priv.h"

#define IOPL(flags)     ((flags) >> 12 & 3)

int assist_raise(struct assist *a, unsigned vector)
{
	a->result->kind = ASSIST_EXCEPTION;
	a->result->vector = (uint8_t)vector;
	return STOPPED;
}

int assist_raise_code(struct assist *a, unsigned vector, uint32_t code)
{
	a->result->has_code = true;
	a->result->code = code;
	return assist_raise(a, vector);
}

static const ZydisDecodedOperand *memory_operand(const struct assist *a)
{
	for (unsigned i = 0; i < a->d->insn.operand_count; i++)
		if (a->d->op[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			return &a->d->op[i];
	return NULL;
}

uint64_t assist_address(const struct assist *a)
{
	return a->insn.access[0].gva;
}

static bool canonical(const struct insn_regs *r, uint64_t gva)
{
	unsigned spare = r->cr4 & CR4_LA57 ? 7 : 16;

	return (uint64_t)((int64_t)(gva << spare) >> spare) == gva;
}

static int check_canonical(struct assist *a, uint64_t gva, size_t len)
{
	const ZydisDecodedOperand *op = memory_operand(a);
	const struct insn_regs *r = &a->cpu->regs;

	if (r->code_bits != 64 || (canonical(r, gva) && canonical(r, gva + len - 1)))
		return 0;
	return assist_raise_code(a, op && op->mem.segment == ZYDIS_REGISTER_SS ? VECTOR_SS : VECTOR_GP, 0);
}

static int page_fault(struct assist *a, const struct assist_fault *fault)
{
	a->result->cr2 = fault->gva;
	return assist_raise_code(a, VECTOR_PF, fault->code);
}

int assist_mem(struct assist *a, uint64_t gva, void *data, size_t len, bool write)
{
	struct assist_fault fault;
	int r = check_canonical(a, gva, len);

	if (r)
		return r;
	return a->cpu->access(a->cpu->arg, gva, data, len, write, &fault) ? page_fault(a, &fault) : 0;
}

int assist_cmpxchg(struct assist *a, uint64_t gva, void *expected, const void *desired, size_t len, bool *ret_equal)
{
	struct assist_fault fault;
	int r = check_canonical(a, gva, len);

	if (r)
		return r;
	return a->cpu->cmpxchg(a->cpu->arg, gva, expected, desired, len, ret_equal, &fault) ? page_fault(a, &fault) : 0;
}

uint64_t assist_gpr(const struct assist *a, const ZydisDecodedOperand *op)
{
	uint64_t value = a->cpu->regs.gpr[insn_gpr_number(op->reg.value)];

	return op->size >= 64 ? value : value & ((1ull << op->size) - 1);
}

void assist_set_gpr(struct assist *a, const ZydisDecodedOperand *op, uint64_t value)
{
	uint64_t *reg = &a->cpu->regs.gpr[insn_gpr_number(op->reg.value)];

	*reg = op->size == 16 ? (*reg & ~0xffffull) | (value & 0xffff) : op->size == 32 ? (uint32_t)value : value;
}

static bool vm86(const struct insn_regs *r)
{
	return (r->cr0 & CR0_PE) && (r->rflags & RFLAGS_VM);
}

/* Past the instruction, without wrapping in the upper bits that the code's size does not have. */
static void advance(struct assist *a)
{
	struct insn_regs *r = &a->cpu->regs;
	uint64_t mask = r->code_bits == 64 ? UINT64_MAX : r->code_bits == 32 ? 0xffffffff : 0xffff;

	r->rip = (r->rip + a->insn.len) & mask;
	r->rflags &= ~RFLAGS_RF;
}

/* int3, into and int1: exceptions that the guest sees with rip past the instruction. */
static int run_trap(struct assist *a)
{
	if (a->op->how == VECTOR_OF && !(a->cpu->regs.rflags & RFLAGS_OF))
		return 0;
	advance(a);
	return assist_raise(a, a->op->how);
}

static int run_int(struct assist *a)
{
	const struct insn_regs *r = &a->cpu->regs;

	if (vm86(r) && IOPL(r->rflags) < 3)
		return assist_raise_code(a, VECTOR_GP, 0);
	advance(a);
	a->result->kind = ASSIST_SOFT_INT;
	a->result->vector = (uint8_t)a->insn.number;
	return STOPPED;
}

static int64_t sign_extend(uint64_t value, unsigned bits)
{
	return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static int run_bound(struct assist *a)
{
	unsigned bits = a->d->op[0].size;
	uint8_t raw[8] = { 0 };
	int64_t index = sign_extend(assist_gpr(a, &a->d->op[0]), bits);
	uint64_t low = 0, high = 0;
	int r = assist_mem(a, assist_address(a), raw, bits / 4, false);

	if (r)
		return r;
	memcpy(&low, raw, bits / 8);
	memcpy(&high, raw + bits / 8, bits / 8);
	if (index < sign_extend(low, bits) || index > sign_extend(high, bits))
		return assist_raise(a, VECTOR_BR);
	return 0;
}

static int run_ac(struct assist *a)
{
	struct insn_regs *r = &a->cpu->regs;

	if (r->cpl || vm86(r))
		return assist_raise(a, VECTOR_UD);
	r->rflags = a->op->how ? r->rflags | RFLAGS_AC : r->rflags & ~RFLAGS_AC;
	return 0;
}

static int run_popcnt(struct assist *a)
{
	const ZydisDecodedOperand *from = &a->d->op[1];
	uint64_t value = 0;
	int r = 0;

	if (from->type == ZYDIS_OPERAND_TYPE_REGISTER)
		value = assist_gpr(a, from);
	else
		r = assist_mem(a, assist_address(a), &value, from->size / 8, false);
	if (r)
		return r;
	assist_set_gpr(a, &a->d->op[0], (uint64_t)__builtin_popcountll(value));
	a->cpu->regs.rflags = (a->cpu->regs.rflags & ~RFLAGS_ARITH) | (value ? 0 : RFLAGS_ZF);
	return 0;
}

static const struct assist_op basic_ops[] = {
	{ ZYDIS_MNEMONIC_INT3, ASSIST_INT3, 0, run_trap, VECTOR_BP },
	{ ZYDIS_MNEMONIC_INT1, ASSIST_INT1, 0, run_trap, VECTOR_DB },
	{ ZYDIS_MNEMONIC_INTO, ASSIST_INTO, 0, run_trap, VECTOR_OF },
	{ ZYDIS_MNEMONIC_INT, ASSIST_INT_N, 0, run_int, 0 },
	{ ZYDIS_MNEMONIC_BOUND, ASSIST_BOUND, 0, run_bound, 0 },
	{ ZYDIS_MNEMONIC_CLAC, ASSIST_CLAC_STAC, ASSIST_SMAP, run_ac, 0 },
	{ ZYDIS_MNEMONIC_STAC, ASSIST_CLAC_STAC, ASSIST_SMAP, run_ac, 1 },
	{ ZYDIS_MNEMONIC_POPCNT, ASSIST_POPCNT_OP, ASSIST_POPCNT, run_popcnt, 0 },
	{ 0 }
};

static const struct assist_op *const op_tables[] = {
	basic_ops, assist_atomic_ops, assist_sys_ops, assist_iret_ops, assist_xsave_ops, assist_sse_ops,
};

static const struct assist_op *find_op(const struct decoded *d)
{
	for (size_t i = 0; i < sizeof(op_tables) / sizeof(op_tables[0]); i++)
		for (const struct assist_op *op = op_tables[i]; op->run; op++)
			if (op->mnemonic == d->insn.mnemonic)
				return op;
	return assist_native_op(d);
}

enum assist_needs assist_needs(const struct insn_regs *r, const uint8_t *bytes, size_t n)
{
	const struct assist_op *op;
	struct decoded d;

	if (insn_zydis(r, bytes, n, &d))
		return ASSIST_NEEDS_NOTHING;
	op = find_op(&d);
	if (!op || op->name < ASSIST_FXSAVE)
		return ASSIST_NEEDS_NOTHING;
	switch (op->name) {
	case ASSIST_FXSAVE:
	case ASSIST_FXRSTOR:
	case ASSIST_FWAIT:
	case ASSIST_X87:
	case ASSIST_SSE_OP:
		return ASSIST_NEEDS_STATE;
	case ASSIST_SSE_MOVE:
		/* The moves of AVX-512 have some of these names. */
		return d.insn.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY ? ASSIST_NEEDS_STATE : ASSIST_NEEDS_XCR0;
	default:
		return ASSIST_NEEDS_XCR0;
	}
}

void assist_run(struct assist_cpu *cpu, const uint8_t *bytes, size_t n, struct assist_result *ret)
{
	struct assist a = { .cpu = cpu, .result = ret };
	uint64_t flags = cpu->regs.rflags;
	struct decoded d;
	int r = NOT_OURS;

	*ret = (struct assist_result){ .kind = ASSIST_DONE };
	cpu->xsave_changed = cpu->cs.changed = false;
	if (!insn_zydis(&cpu->regs, bytes, n, &d)) {
		a.d = &d;
		a.bytes = bytes;
		a.op = find_op(&d);
		insn_describe(&cpu->regs, &d, bytes, &a.insn);
	}
	if (a.op) {
		ret->name = a.op->name;
		r = (cpu->features & a.op->feature) == a.op->feature ? a.op->run(&a) : assist_raise(&a, VECTOR_UD);
	}
	/* Moves of MMX registers, and those of AVX-512, have names that others have too. */
	if (r == NOT_OURS && a.op && a.op != assist_native_op(&d) && assist_native_op(&d)) {
		a.op = assist_native_op(&d);
		ret->name = a.op->name;
		r = a.op->run(&a);
	}
	if (r == NOT_OURS) {
		ret->kind = ASSIST_UNKNOWN;
		insn_text(&cpu->regs, bytes, n, ret->text, sizeof(ret->text));
	} else if (r != STOPPED) {
		if (r != JUMPED)
			advance(&a);
		ret->trap = flags & RFLAGS_TF;
	}
}

const char *assist_name(enum assist_name name)
{
	static const char *const names[ASSIST_NAMES] = {
		[ASSIST_INT3] = "int3", [ASSIST_INT1] = "int1", [ASSIST_INTO] = "into", [ASSIST_INT_N] = "int n",
		[ASSIST_BOUND] = "bound", [ASSIST_CLAC_STAC] = "clac/stac", [ASSIST_POPCNT_OP] = "popcnt",
		[ASSIST_IRET] = "iret", [ASSIST_CMPXCHG] = "cmpxchg8b/16b", [ASSIST_FXSAVE] = "fxsave", [ASSIST_FWAIT] = "fwait",
		[ASSIST_FXRSTOR] = "fxrstor", [ASSIST_XSAVE_OP] = "xsave",
		[ASSIST_XRSTOR] = "xrstor", [ASSIST_SSE_MOVE] = "sse move", [ASSIST_AVX_MOVE] = "avx move",
		[ASSIST_INTEGER] = "integer", [ASSIST_UNDEFINED] = "ud0/ud1", [ASSIST_RDTSCP] = "rdtscp",
		[ASSIST_DESCRIPTOR] = "lar/lsl/verr/verw", [ASSIST_INVPCID] = "invpcid", [ASSIST_XGETBV] = "xgetbv",
		[ASSIST_PKRU] = "rdpkru/wrpkru", [ASSIST_X87] = "x87/mmx", [ASSIST_SSE_OP] = "sse", [ASSIST_AVX_OP] = "avx",
	};

	return names[name];
}
