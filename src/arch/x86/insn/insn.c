/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/insn/insn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/insn/priv.h"

/* What an opcode byte is; those of two bytes come after 0f. */
enum { PREFIX = 0x40, REX = 0x41, SECOND = 0x42, MOV_SEG = 0x43 };

static const uint8_t one_byte[256] = {
	[0x26] = PREFIX, [0x2e] = PREFIX, [0x36] = PREFIX, [0x3e] = PREFIX, [0x64 ... 0x67] = PREFIX,
	[0xf0] = PREFIX, [0xf2] = PREFIX, [0xf3] = PREFIX, [0x40 ... 0x4f] = REX, [0x0f] = SECOND,
	[0x17] = INSN_MOV_SS, [0x8e] = MOV_SEG, [0x6c ... 0x6d] = INSN_INS, [0x6e ... 0x6f] = INSN_OUTS,
	[0x9c] = INSN_PUSHF, [0x9d] = INSN_POPF, [0xcc ... 0xce] = INSN_INT, [0xcf] = INSN_IRET, [0xf1] = INSN_INT,
	[0xe4 ... 0xe5] = INSN_IN, [0xe6 ... 0xe7] = INSN_OUT, [0xec ... 0xed] = INSN_IN, [0xee ... 0xef] = INSN_OUT,
	[0xf4] = INSN_HLT, [0xfa] = INSN_CLI, [0xfb] = INSN_STI,
};

static const uint8_t two_bytes[256] = {
	[0x05] = INSN_SYSCALL, [0x07] = INSN_SYSRET, [0x34] = INSN_SYSENTER, [0x35] = INSN_SYSEXIT,
	[0x21] = INSN_READ_DR, [0x23] = INSN_WRITE_DR,
};

enum insn_class insn_classify(const uint8_t *bytes, size_t n, unsigned code_bits)
{
	for (size_t i = 0; i < n && i < INSN_BYTES_MAX; i++) {
		uint8_t kind = one_byte[bytes[i]];

		switch (kind) {
		case PREFIX:
			continue;
		case REX:
			if (code_bits == 64)
				continue;
			return INSN_OTHER;
		case SECOND:
			return i + 1 < n ? two_bytes[bytes[i + 1]] : INSN_OTHER;
		case MOV_SEG:
			return i + 1 < n && (bytes[i + 1] >> 3 & 7) == INSN_SS ? INSN_MOV_SS : INSN_OTHER;
		default:
			return kind;
		}
	}
	return INSN_OTHER;
}

int insn_decoder_init(const struct insn_regs *r, ZydisDecoder *ret)
{
	ZydisMachineMode mode = r->code_bits == 64 ? ZYDIS_MACHINE_MODE_LONG_64
			      : r->code_bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32
			      : r->cr0 & 1 ? ZYDIS_MACHINE_MODE_LEGACY_16 : ZYDIS_MACHINE_MODE_REAL_16;
	ZydisStackWidth stack = r->code_bits == 64 ? ZYDIS_STACK_WIDTH_64
			      : r->stack_bits == 32 ? ZYDIS_STACK_WIDTH_32 : ZYDIS_STACK_WIDTH_16;

	return ZYAN_SUCCESS(ZydisDecoderInit(ret, mode, stack)) ? 0 : -EINVAL;
}

int insn_zydis(const struct insn_regs *r, const uint8_t *bytes, size_t n, struct decoded *ret)
{
	ZydisDecoder decoder;
	ZyanStatus s;

	if (insn_decoder_init(r, &decoder))
		return -EINVAL;
	s = ZydisDecoderDecodeFull(&decoder, bytes, n < INSN_BYTES_MAX ? n : INSN_BYTES_MAX, &ret->insn, ret->op);
	if (s == ZYDIS_STATUS_NO_MORE_DATA && n < INSN_BYTES_MAX)
		return -EFAULT;
	return ZYAN_SUCCESS(s) ? 0 : -EINVAL;
}

int insn_gpr_number(ZydisRegister reg)
{
	switch (ZydisRegisterGetClass(reg)) {
	case ZYDIS_REGCLASS_GPR8:
		/* ah, ch, dh and bh are numbered between bl and spl. */
		if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
			return reg - ZYDIS_REGISTER_AH;
		return reg < ZYDIS_REGISTER_AH ? reg - ZYDIS_REGISTER_AL : reg - ZYDIS_REGISTER_SPL + INSN_RSP;
	case ZYDIS_REGCLASS_GPR16:
	case ZYDIS_REGCLASS_GPR32:
	case ZYDIS_REGCLASS_GPR64:
		return ZydisRegisterGetId(reg);
	default:
		return -1;
	}
}

static unsigned vector_of(const struct decoded *d)
{
	switch (d->insn.mnemonic) {
	case ZYDIS_MNEMONIC_INT1:
		return 1;
	case ZYDIS_MNEMONIC_INT3:
		return 3;
	case ZYDIS_MNEMONIC_INTO:
		return 4;
	default:
		return (uint8_t)d->op[0].imm.value.u;
	}
}

static void describe_numbers(const struct decoded *d, struct insn *ret)
{
	unsigned dr;

	if (ret->class == INSN_INT)
		ret->number = vector_of(d);
	if (ret->class == INSN_READ_DR || ret->class == INSN_WRITE_DR) {
		dr = ret->class == INSN_WRITE_DR ? 0 : 1;
		ret->number = (unsigned)(d->op[dr].reg.value - ZYDIS_REGISTER_DR0);
		ret->gpr = (unsigned)insn_gpr_number(d->op[!dr].reg.value);
	}
}

void insn_describe(const struct insn_regs *r, const struct decoded *d, const uint8_t *bytes, struct insn *ret)
{
	uint64_t reps = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE;

	*ret = (struct insn){ .len = d->insn.length, .class = insn_classify(bytes, d->insn.length, r->code_bits) };
	describe_numbers(d, ret);
	ret->lock = d->insn.attributes & ZYDIS_ATTRIB_HAS_LOCK;
	ret->rep = d->insn.attributes & reps;
	if (ret->rep)
		ret->count = d->insn.address_width == 64 ? r->gpr[INSN_RCX]
			   : r->gpr[INSN_RCX] & (d->insn.address_width == 32 ? 0xffffffff : 0xffff);
	for (unsigned i = 0; i < d->insn.operand_count; i++) {
		const ZydisDecodedOperand *op = &d->op[i];

		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY && d->insn.mnemonic == ZYDIS_MNEMONIC_XCHG)
			ret->lock = true;
		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER && (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
		    insn_gpr_number(op->reg.value) >= 0)
			ret->written |= (uint16_t)(1u << insn_gpr_number(op->reg.value));
	}
	/* Zydis names them for MOVS and its like, and not for INS and OUTS. */
	if (ret->class == INSN_INS || ret->class == INSN_OUTS)
		ret->written |= (uint16_t)(1u << (ret->class == INSN_INS ? INSN_RDI : INSN_RSI) | (unsigned)ret->rep << INSN_RCX);
	insn_accesses(r, d, ret);
}

int insn_decode(const struct insn_regs *r, const uint8_t *bytes, size_t n, struct insn *ret)
{
	struct decoded d;
	int err = insn_zydis(r, bytes, n, &d);

	if (!err)
		insn_describe(r, &d, bytes, ret);
	return err;
}

void insn_text(const struct insn_regs *r, const uint8_t *bytes, size_t n, char *text, size_t size)
{
	ZydisFormatter f;
	struct decoded d;
	char line[160] = "";
	size_t len = 0, count = n < INSN_BYTES_MAX ? n : INSN_BYTES_MAX;
	bool good = !insn_zydis(r, bytes, n, &d);

	if (good)
		count = d.insn.length;
	for (size_t i = 0; i < count; i++)
		len += (size_t)sprintf(line + len, "%02x ", bytes[i]);
	if (good)
		good = ZYAN_SUCCESS(ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_INTEL));
	if (good) {
		ZydisFormatterSetProperty(&f, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
		ZydisFormatterSetProperty(&f, ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED);
		ZydisFormatterSetProperty(&f, ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED);
		ZydisFormatterSetProperty(&f, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED);
		line[len++] = ' ';
		good = ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&f, &d.insn, d.op, d.insn.operand_count_visible,
								    line + len, sizeof(line) - len,
								    insn_linear(r, INSN_CS, r->rip), NULL));
	}
	snprintf(text, size, "%s%s", line, good ? "" : " (bad)");
}
