/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/x86/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <Zydis/Zydis.h>

struct place {
	struct machine *m;
	uint64_t cs_base;
};

/* By hand, as the library's own way would make everyone link Zycore too. */
static ZyanStatus append(ZydisFormatterBuffer *buffer, const char *text)
{
	size_t len = strlen(text);
	ZyanString *string;

	ZYAN_CHECK(ZydisFormatterBufferAppend(buffer, ZYDIS_TOKEN_SYMBOL));
	ZYAN_CHECK(ZydisFormatterBufferGetString(buffer, &string));
	if (len > string->vector.capacity - string->vector.size)
		return ZYAN_STATUS_INSUFFICIENT_BUFFER_SIZE;
	memcpy((char *)string->vector.data + string->vector.size - 1, text, len + 1);
	string->vector.size += len;
	return ZYAN_STATUS_SUCCESS;
}

/* Linear, where the processor would go: a 16-bit branch wraps within its segment, wherever that is. */
static ZyanStatus target_of(const ZydisFormatterContext *c, const struct place *p, uint64_t *ret)
{
	const ZydisDecodedOperand *op = c->operand;

	if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && op->imm.is_relative &&
	    c->instruction->operand_width == 16) {
		uint64_t ip = c->runtime_address - p->cs_base + c->instruction->length + (uint64_t)op->imm.value.s;

		*ret = p->cs_base + (ip & 0xffff);
		return ZYAN_STATUS_SUCCESS;
	}
	return ZydisCalcAbsoluteAddress(c->instruction, op, c->runtime_address, ret);
}

static ZyanStatus print_address(const ZydisFormatter *f, ZydisFormatterBuffer *buffer, ZydisFormatterContext *c)
{
	const struct place *p = c->user_data;
	uint64_t target, offset = 0;
	const char *name;
	char text[160];

	(void)f;
	ZYAN_CHECK(target_of(c, p, &target));
	name = machine_sym_at(p->m, target, &offset);
	if (name && offset)
		snprintf(text, sizeof(text), "0x%" PRIx64 " <%.100s+%" PRIu64 ">", target, name, offset);
	else if (name)
		snprintf(text, sizeof(text), "0x%" PRIx64 " <%.100s>", target, name);
	else
		snprintf(text, sizeof(text), "0x%" PRIx64, target);
	return append(buffer, text);
}

void x86_disas(struct machine *m, unsigned code_bits, uint64_t cs_base, uint64_t addr, const uint8_t *data, size_t len,
	       struct disas_insn *ret)
{
	struct place place = { .m = m, .cs_base = cs_base };
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisFormatterFunc hook = print_address;
	ZydisDecodedInstruction insn;
	ZydisFormatter formatter;
	ZydisDecoder decoder;
	ZyanStatus s;

	if (code_bits == 64)
		s = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	else if (code_bits == 32)
		s = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	else
		s = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
	if (ZYAN_SUCCESS(s))
		s = ZydisDecoderDecodeFull(&decoder, data, len, &insn, operands);
	if (ZYAN_SUCCESS(s))
		s = ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	if (ZYAN_SUCCESS(s)) {
		ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
		ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED);
		ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED);
		s = ZydisFormatterSetHook(&formatter, ZYDIS_FORMATTER_FUNC_PRINT_ADDRESS_ABS,
					  (const void **)&hook);
	}
	if (ZYAN_SUCCESS(s))
		s = ZydisFormatterFormatInstruction(&formatter, &insn, operands, insn.operand_count_visible,
						    ret->text, sizeof(ret->text), addr, &place);
	if (ZYAN_FAILED(s)) {
		strcpy(ret->text, "(bad)");
		ret->len = 1;
		return;
	}
	ret->len = insn.length;
}
