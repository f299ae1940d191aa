/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "linux/unpack.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SETUP_SECTS   0x1f1u
#define SECTOR        512u
#define ENTRY_64      0x200u            /* of the protected-mode code (Linux, Documentation/x86/boot.rst) */
#define ENTRY_BYTES   0x1000u           /* the jump is no further from it */
#define COPIED_BYTES  0x400u

/* What a walk over instructions has seen. */
struct walk {
	const struct unpacker *u;
	uint32_t at;
	uint64_t lea[INSN_GPRS];        /* offset that the last LEA to each register has made, from the base; 0: none */
	bool called;
	ZydisDecoder decoder;
};

struct decoded {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
};

static void begin(struct walk *w, const struct unpacker *u, uint32_t at)
{
	*w = (struct walk){ .u = u, .at = at };
	ZydisDecoderInit(&w->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
}

/* The next instruction, before END; false: there is none. */
static bool next(struct walk *w, uint32_t end, struct decoded *ret)
{
	if (w->at >= end || ZYAN_FAILED(ZydisDecoderDecodeFull(&w->decoder, w->u->code + w->at, end - w->at, &ret->insn,
								ret->op)))
		return false;
	w->at += ret->insn.length;
	return true;
}

/* -1: it is none of 64 bits. */
static int gpr_number(ZydisRegister reg)
{
	return ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_GPR64 ? ZydisRegisterGetId(reg) : -1;
}

static void note(struct walk *w, const struct decoded *d)
{
	int gpr;

	w->called |= d->insn.mnemonic == ZYDIS_MNEMONIC_CALL;
	if (d->insn.mnemonic != ZYDIS_MNEMONIC_LEA || d->op[1].mem.index != ZYDIS_REGISTER_NONE)
		return;
	gpr = gpr_number(d->op[0].reg.value);
	if (gpr >= 0)
		w->lea[gpr] = (uint64_t)d->op[1].mem.disp.value +
			      (d->op[1].mem.base == ZYDIS_REGISTER_RIP ? w->at : 0);
}

/* Goes on to a jump by a register, whose number it is; -1: there is none before END. */
static int to_jump(struct walk *w, uint32_t end, uint32_t *ret_at)
{
	struct decoded d;

	while (next(w, end, &d)) {
		note(w, &d);
		if (d.insn.mnemonic != ZYDIS_MNEMONIC_JMP || d.op[0].type != ZYDIS_OPERAND_TYPE_REGISTER)
			continue;
		*ret_at = w->at - d.insn.length;
		return gpr_number(d.op[0].reg.value);
	}
	return -1;
}

static uint32_t end_at(const struct unpacker *u, uint64_t from, uint32_t bytes)
{
	return (uint32_t)(u->size - from < bytes ? u->size : from + bytes);
}

static bool find(struct unpacker *u)
{
	struct walk w;
	uint64_t copied;
	int gpr;

	begin(&w, u, ENTRY_64);
	gpr = to_jump(&w, end_at(u, ENTRY_64, ENTRY_BYTES), &u->jump);
	if (gpr < 0)
		return false;
	copied = w.lea[gpr];
	if (!copied || copied >= u->size)
		return false;
	u->jump_gpr = (enum insn_gpr)gpr;
	u->copied = (uint32_t)copied;
	begin(&w, u, u->copied);
	gpr = to_jump(&w, end_at(u, copied, COPIED_BYTES), &u->start);
	/* What was called gave the address back. */
	if (gpr != INSN_RAX || !w.called)
		return false;
	u->start_gpr = INSN_RAX;
	return true;
}

int unpacker_find(const uint8_t *file, size_t size, struct unpacker *ret, struct err *err)
{
	struct unpacker u = { 0 };
	size_t setup;

	if (size <= SETUP_SECTS)
		return err_set(err, ENOEXEC, "this is no bzImage");
	setup = (file[SETUP_SECTS] ? file[SETUP_SECTS] + 1u : 5u) * SECTOR;
	if (size > setup && size - setup <= UINT32_MAX) {
		u.code = file + setup;
		u.size = size - setup;
	}
	if (u.size <= ENTRY_64 || !find(&u))
		return err_set(err, ENOEXEC, "the code that unpacks this kernel is not as Linux has it");
	*ret = u;
	return 0;
}
