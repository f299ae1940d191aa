/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which memory an instruction touches. */
#include "arch/x86/insn/insn.h"

#include "arch/x86/insn/priv.h"

#define RFLAGS_DF      (1ull << 10)
#define XSAVE_MINIMUM  576      /* the legacy region and the header */

static uint64_t mask_of(unsigned bits)
{
	return bits >= 64 ? UINT64_MAX : (1ull << bits) - 1;
}

uint64_t insn_linear(const struct insn_regs *r, enum insn_seg seg, uint64_t offset)
{
	if (r->code_bits != 64)
		return (uint32_t)(r->base[seg] + offset);
	return seg == INSN_FS || seg == INSN_GS ? r->base[seg] + offset : offset;
}

static enum insn_seg seg_of(ZydisRegister reg)
{
	return reg >= ZYDIS_REGISTER_ES && reg <= ZYDIS_REGISTER_GS ? (enum insn_seg)(reg - ZYDIS_REGISTER_ES) : INSN_DS;
}

static void add(struct insn *ret, const struct insn_access *a)
{
	if (ret->naccess < INSN_ACCESSES_MAX)
		ret->access[ret->naccess++] = *a;
	else
		ret->partial = true;
}

/* REG as part of an address; notes which one it is. */
static uint64_t part(const struct insn_regs *r, const ZydisDecodedInstruction *insn, ZydisRegister reg,
		     struct insn_access *a)
{
	int number;

	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
		return r->rip + insn->length;
	number = insn_gpr_number(reg);
	if (number < 0)
		return 0;
	a->regs |= (uint16_t)(1u << number);
	return r->gpr[number];
}

/* BTS and its like with a register reach beyond the operand, by as many operands as the bit's number says. */
static uint64_t bit_offset(const struct insn_regs *r, const struct decoded *d, struct insn_access *a)
{
	unsigned width = d->op[0].size;
	int64_t bit;
	int number;

	switch (d->insn.mnemonic) {
	case ZYDIS_MNEMONIC_BT:
	case ZYDIS_MNEMONIC_BTS:
	case ZYDIS_MNEMONIC_BTR:
	case ZYDIS_MNEMONIC_BTC:
		break;
	default:
		return 0;
	}
	if (d->op[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
		return 0;
	number = insn_gpr_number(d->op[1].reg.value);
	a->regs |= (uint16_t)(1u << number);
	bit = (int64_t)(r->gpr[number] << (64 - width)) >> (64 - width);
	return (uint64_t)((bit >> (width == 64 ? 6 : width == 32 ? 5 : 4)) * (int64_t)(width / 8));
}

/* The size of the XSAVE family's area depends on the processor's state components. */
static unsigned size_of(const struct insn_regs *r, const struct decoded *d, const ZydisDecodedOperand *op)
{
	const ZydisDecodedInstruction *insn = &d->insn;

	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_XSAVE:
	case ZYDIS_MNEMONIC_XSAVE64:
	case ZYDIS_MNEMONIC_XSAVEC:
	case ZYDIS_MNEMONIC_XSAVEC64:
	case ZYDIS_MNEMONIC_XSAVEOPT:
	case ZYDIS_MNEMONIC_XSAVEOPT64:
	case ZYDIS_MNEMONIC_XSAVES:
	case ZYDIS_MNEMONIC_XSAVES64:
	case ZYDIS_MNEMONIC_XRSTOR:
	case ZYDIS_MNEMONIC_XRSTOR64:
	case ZYDIS_MNEMONIC_XRSTORS:
	case ZYDIS_MNEMONIC_XRSTORS64:
		return r->xsave_size > XSAVE_MINIMUM ? r->xsave_size : XSAVE_MINIMUM;
	/* Only a return to another privilege level reads two more, but in 64-bit mode, where all five always are. */
	case ZYDIS_MNEMONIC_IRET:
	case ZYDIS_MNEMONIC_IRETD:
		return insn->operand_width / 8u * (r->code_bits == 64 ? 5 : 3);
	default:
		break;
	}
	if (insn->avx.broadcast.mode != ZYDIS_BROADCAST_MODE_INVALID && op->element_size &&
	    insn->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX)
		return op->element_size / 8u;
	return op->size / 8u;
}

static bool is_stack(const ZydisDecodedOperand *op)
{
	return op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN && insn_gpr_number(op->mem.base) == INSN_RSP;
}

/* Instructions with a memory operand whose contents do not matter to them. */
static bool touches_nothing(const ZydisDecodedInstruction *insn)
{
	switch (insn->meta.category) {
	case ZYDIS_CATEGORY_NOP:
	case ZYDIS_CATEGORY_WIDENOP:
	case ZYDIS_CATEGORY_PREFETCH:
	case ZYDIS_CATEGORY_CLDEMOTE:
		return true;
	default:
		break;
	}
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_INVLPG:
	case ZYDIS_MNEMONIC_CLFLUSH:
	case ZYDIS_MNEMONIC_CLFLUSHOPT:
	case ZYDIS_MNEMONIC_CLWB:
		return true;
	default:
		return false;
	}
}

/* The stack pointer that POP's operand sees is the one after it has popped. */
static uint64_t popped(const struct decoded *d, const ZydisDecodedOperand *op)
{
	bool sees = d->insn.mnemonic == ZYDIS_MNEMONIC_POP && op->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT &&
		    insn_gpr_number(op->mem.base) == INSN_RSP;

	return sees ? d->insn.operand_width / 8u : 0;
}

static void add_operand(const struct insn_regs *r, const struct decoded *d, const ZydisDecodedOperand *op,
			struct insn *ret)
{
	struct insn_access a = {
		.size = size_of(r, d, op),
		.read = op->actions & ZYDIS_OPERAND_ACTION_MASK_READ,
		.write = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE,
		.implicit = op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN,
	};
	/* In 64-bit mode with a 32-bit address size the stack is still addressed by rsp. */
	unsigned width = is_stack(op) ? d->insn.stack_width : d->insn.address_width;
	uint64_t offset = (uint64_t)op->mem.disp.value;

	offset += part(r, &d->insn, op->mem.base, &a) + popped(d, op);
	if (op->mem.index != ZYDIS_REGISTER_NONE)
		offset += part(r, &d->insn, op->mem.index, &a) * op->mem.scale;
	if (d->insn.mnemonic == ZYDIS_MNEMONIC_XLAT) {
		offset += r->gpr[INSN_RAX] & 0xff;
		a.regs |= 1 << INSN_RAX;
	}
	if (op == &d->op[0])
		offset += bit_offset(r, d, &a);
	if (is_stack(op) && a.write)
		offset -= a.size;
	a.gva = insn_linear(r, seg_of(op->mem.segment), offset & mask_of(width));
	add(ret, &a);
}

/* ENTER copies frame pointers of the LEVEL - 1 procedures around it, pushing each (SDM vol. 2, ENTER). */
static void add_enter(const struct insn_regs *r, const struct decoded *d, struct insn *ret)
{
	unsigned level = d->op[1].imm.value.u & 31, slot = d->insn.operand_width / 8u;
	uint64_t mask = mask_of(d->insn.stack_width);
	struct insn_access frames = { .read = true, .implicit = true, .size = level > 1 ? (level - 1) * slot : 0,
				      .regs = 1 << INSN_RBP };
	struct insn_access pushed = { .write = true, .implicit = true, .size = (level + 1) * slot, .regs = 1 << INSN_RSP };

	pushed.gva = insn_linear(r, INSN_SS, (r->gpr[INSN_RSP] - pushed.size) & mask);
	frames.gva = insn_linear(r, INSN_SS, (r->gpr[INSN_RBP] - frames.size) & mask);
	add(ret, &pushed);
	if (frames.size)
		add(ret, &frames);
}

void insn_accesses(const struct insn_regs *r, const struct decoded *d, struct insn *ret)
{
	if ((ret->rep && !ret->count) || touches_nothing(&d->insn))
		return;
	if (d->insn.mnemonic == ZYDIS_MNEMONIC_ENTER) {
		add_enter(r, d, ret);
		return;
	}
	for (unsigned i = 0; i < d->insn.operand_count; i++) {
		const ZydisDecodedOperand *op = &d->op[i];

		if (op->type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		if (op->mem.type == ZYDIS_MEMOP_TYPE_VSIB)
			ret->partial = true;
		else if (op->mem.type == ZYDIS_MEMOP_TYPE_MEM)
			add_operand(r, d, op, ret);
	}
}

/* Adds DELTA to the low BITS of a register, as instructions do: 32 bits of them clear the rest. */
static void shift(uint64_t *reg, unsigned bits, uint64_t delta)
{
	uint64_t mask = mask_of(bits);

	*reg = (bits == 16 ? *reg & ~mask : 0) | ((*reg + delta) & mask);
}

uint16_t insn_unstep(struct insn_regs *r, const struct decoded *d)
{
	bool string = d->insn.meta.category == ZYDIS_CATEGORY_STRINGOP ||
		      d->insn.meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
	uint64_t stack = 0;
	uint16_t done = 0;

	if (d->insn.mnemonic == ZYDIS_MNEMONIC_ENTER || d->insn.mnemonic == ZYDIS_MNEMONIC_LEAVE)
		return 0;
	for (unsigned i = 0; i < d->insn.operand_count; i++) {
		const ZydisDecodedOperand *op = &d->op[i];
		unsigned size = op->size / 8u;
		int number;

		if (op->type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		number = insn_gpr_number(op->mem.base);
		if (is_stack(op)) {
			stack += op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE ? size : -(uint64_t)size;
			done |= 1 << INSN_RSP;
		} else if (string && number >= 0) {
			shift(&r->gpr[number], d->insn.address_width,
			      r->rflags & RFLAGS_DF ? size : -(uint64_t)size);
			done |= (uint16_t)(1u << number);
		}
	}
	shift(&r->gpr[INSN_RSP], d->insn.stack_width, stack);
	/* One that pops into a register it also moves has left nothing to take back. */
	for (unsigned i = 0; i < d->insn.operand_count_visible; i++)
		if (d->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER && (d->op[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
		    insn_gpr_number(d->op[i].reg.value) >= 0)
			done &= (uint16_t)~(1u << insn_gpr_number(d->op[i].reg.value));
	/* The element before the last is the first of those that a REP has left. */
	if (string && (d->insn.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)))
		shift(&r->gpr[INSN_RCX], d->insn.address_width, 1);
	return done;
}
