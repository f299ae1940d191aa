/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes as instructions: what they are, which memory they touch, which of them touched it, and, where they touch registers
 * alone, what comes of them.  The decoder, the classifier and the one that carries out must tell the same story; what is
 * carried out in 64-bit code the processor that this runs on carries out too.
 */
#include "arch/x86/insn/insn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/cpu.h"
#include "arch/x86/insn/native.h"
#include "arch/x86/insn/plain.h"
#include "arch/x86/insn/priv.h"

#define FLAGS_ARITH 0x8d5ull
#define FLAGS_RF    (1ull << 16)

static struct native *native;

static void check_decoded(const struct insn_regs *r, const uint8_t *bytes, size_t n, const struct insn *insn)
{
	ck_assert_uint_ge(insn->len, 1);
	ck_assert_uint_le(insn->len, n < INSN_BYTES_MAX ? n : INSN_BYTES_MAX);
	ck_assert_uint_le(insn->naccess, INSN_ACCESSES_MAX);
	ck_assert_uint_lt(insn->gpr, INSN_GPRS);
	ck_assert_uint_lt(insn->number, 256);
	ck_assert(insn->class == insn_classify(bytes, n, r->code_bits));
	for (unsigned i = 0; i < insn->naccess; i++) {
		const struct insn_access *a = &insn->access[i];

		ck_assert_msg(a->read || a->write, "access %u does nothing", i);
		ck_assert_uint_le(a->size, 4096);
		ck_assert(r->code_bits == 64 || a->gva <= UINT32_MAX);
	}
}

/* Its text, in room for it and in too little. */
static void check_text(const struct insn_regs *r, const uint8_t *bytes, size_t n, bool good)
{
	char whole[256];
	size_t size = 1 + (n ? bytes[0] % 40 : 0), len;
	char *part = malloc(size);

	ck_assert_ptr_nonnull(part);
	insn_text(r, bytes, n, whole, sizeof(whole));
	len = strlen(whole);
	ck_assert_uint_lt(len, sizeof(whole) - 1);
	ck_assert_msg(!strstr(whole, "(bad)") == good, "%s", whole);
	insn_text(r, bytes, n, part, size);
	ck_assert_uint_eq(strlen(part), len < size ? len : size - 1);
	ck_assert_int_eq(strncmp(part, whole, size - 1), 0);
	free(part);
}

/* It did what AFTER has, and touched what is its first access: it may be found, and nothing that is no instruction. */
static void check_found(const struct insn_regs *after, const uint8_t *bytes, size_t n, const struct insn *insn)
{
	unsigned len = 0;
	int rc;

	for (unsigned i = 0; i < insn->naccess; i++) {
		const struct insn_access *a = &insn->access[i];
		struct insn_regs r = *after;
		struct insn other;

		rc = insn_find_access(after, bytes, n, a->gva, a->size, a->write, &len);
		if (rc) {
			ck_assert(rc == -ENOENT || rc == -ENOTUNIQ);
			continue;
		}
		ck_assert_uint_ge(len, 1);
		ck_assert_uint_le(len, n < INSN_BYTES_MAX ? n : INSN_BYTES_MAX);
		r.rip -= len;
		ck_assert_int_eq(insn_decode(&r, bytes + n - len, len, &other), 0);
		ck_assert_uint_eq(other.len, len);
	}
}

/* Whether the stack pointer or its own place are of account to it: those are not the guest's where it is run. */
static bool knows_place(const struct insn_regs *r, const uint8_t *bytes, size_t n)
{
	struct decoded d;

	if (insn_zydis(r, bytes, n, &d))
		return true;
	for (unsigned i = 0; i < d.insn.operand_count; i++) {
		const ZydisDecodedOperand *op = &d.op[i];

		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER && insn_gpr_number(op->reg.value) == INSN_RSP)
			return true;
		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (op->mem.base == ZYDIS_REGISTER_RIP || insn_gpr_number(op->mem.base) == INSN_RSP))
			return true;
	}
	return false;
}

/* The same by the processor, if it goes on behind it. */
static void check_beside(const struct insn_regs *before, const uint8_t *bytes, size_t len, const struct insn_regs *done)
{
	struct native_regs regs = { .rflags = before->rflags };

	if (!native || before->code_bits != 64 || done->rip - before->rip != len || knows_place(before, bytes, len))
		return;
	memcpy(regs.gpr, before->gpr, sizeof(regs.gpr));
	native_run(native, bytes, len, &regs, NULL, 0);
	for (unsigned i = 0; i < INSN_GPRS; i++)
		ck_assert_msg(i == INSN_RSP || regs.gpr[i] == done->gpr[i], "register %u is %#llx, on the processor %#llx", i,
			      (unsigned long long)done->gpr[i], (unsigned long long)regs.gpr[i]);
	ck_assert_msg(regs.rflags == (done->rflags & FLAGS_ARITH), "flags are %#llx, on the processor %#llx",
		      (unsigned long long)(done->rflags & FLAGS_ARITH), (unsigned long long)regs.rflags);
}

static void check_plain(const struct insn_regs *r, const uint8_t *bytes, size_t n, const struct insn *insn)
{
	struct insn_regs done = *r;
	uint64_t kept = ~(FLAGS_ARITH | FLAGS_RF);

	if (!insn_plain(&done, bytes, n)) {
		ck_assert_mem_eq(&done, r, sizeof(done));
		return;
	}
	ck_assert_msg(insn, "carried out what is no instruction");
	ck_assert_uint_eq(insn->naccess, 0);
	ck_assert(!insn->partial && !insn->lock && !insn->rep && insn->class == INSN_OTHER);
	ck_assert_uint_eq(done.rflags & kept, r->rflags & kept);
	ck_assert_uint_eq(done.rflags & FLAGS_RF, 0);
	for (unsigned i = 0; i < INSN_GPRS; i++)
		ck_assert_msg(done.gpr[i] == r->gpr[i] || insn->written >> i & 1, "register %u is not written", i);
	/* Nothing else has changed. */
	check_beside(r, bytes, insn->len, &done);
	memcpy(done.gpr, r->gpr, sizeof(done.gpr));
	done.rip = r->rip;
	done.rflags = r->rflags;
	ck_assert_mem_eq(&done, r, sizeof(done));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	native_new(&native, NULL);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	struct insn_regs r, after;
	struct insn insn;
	const uint8_t *bytes;
	int rc;

	cpu_take(&in, &r);
	if (in.len > 2 * INSN_BYTES_MAX)
		in.len = 2 * INSN_BYTES_MAX;
	bytes = guarded(in.p, in.len);
	rc = insn_decode(&r, bytes, in.len, &insn);
	ck_assert(!rc || rc == -EINVAL || (rc == -EFAULT && in.len < INSN_BYTES_MAX));
	if (!rc)
		check_decoded(&r, bytes, in.len, &insn);
	insn_classify(bytes, in.len, r.code_bits);
	check_text(&r, bytes, in.len, !rc);
	check_plain(&r, bytes, in.len, rc ? NULL : &insn);
	if (!rc) {
		after = r;
		after.rip += insn.len;
		check_found(&after, bytes, insn.len, &insn);
		check_found(&after, bytes, in.len, &insn);
	}
	return 0;
}
