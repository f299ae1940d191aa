/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instructions carried out for a guest that may have put anything in its registers, and in x87's and SSE's: on a little memory
 * of which a part is missing and another read-only.  Whatever it is ends in one of the ways that assist.h tells of, touches
 * what the decoder says it touches, and comes to the same when done again.  Much of it is run by this processor, where
 * one that faults ends the program.
 */
#include "arch/x86/insn/assist.h"

#include <errno.h>
#include <string.h>

#include "fuzz/cpu.h"
#include "arch/x86/insn/native.h"
#include "tests/insn_host.h"

#define RAM       0x10000u              /* where it begins, and its size */
#define GONE      0x18000u              /* a page that is not there */
#define READ_ONLY 0x1a000u              /* from here on */
#define PAGE      0x1000u
#define XS_MXCSR  24
#define XS_MASK   28
#define XS_HEADER 512
#define XS_END    576
#define VECTOR_XM 19
#define CR4_OSFXSR_OSXSAVE 0x40200ull

struct memory {
	uint8_t *ram;
	const struct insn *insn;        /* what is to be touched; NULL: anything may be */
	unsigned accesses, writes;
};

static struct native *native;
static uint64_t features;

/* A page that must be where the guest looks: both halves of an access that goes over its end. */
static bool there(uint64_t gva, size_t len, bool write)
{
	if (gva < RAM || gva - RAM > RAM - len)
		return false;
	if (gva < GONE + PAGE && gva + len > GONE)
		return false;
	return !write || gva + len <= READ_ONLY;
}

static void check_meant(const struct memory *m, uint64_t gva, size_t len, bool write)
{
	const struct insn *insn = m->insn;

	if (!insn)
		return;
	for (unsigned i = 0; i < insn->naccess; i++) {
		const struct insn_access *a = &insn->access[i];

		if (gva - a->gva < a->size && len <= a->size - (gva - a->gva) && (write ? a->write : a->read))
			return;
	}
	ck_abort_msg("%zu bytes at %#llx are not its own to %s", len, (unsigned long long)gva, write ? "write" : "read");
}

static int on_access(void *arg, uint64_t gva, void *data, size_t len, bool write, struct assist_fault *ret)
{
	struct memory *m = arg;

	ck_assert_uint_ge(len, 1);
	ck_assert_uint_le(len, 4096);
	check_meant(m, gva, len, write);
	m->accesses++;
	if (!there(gva, len, write)) {
		*ret = (struct assist_fault){ .code = write ? 2 : 0, .gva = gva };
		return -EFAULT;
	}
	m->writes += write;
	if (write)
		memcpy(m->ram + (gva - RAM), data, len);
	else
		memcpy(data, m->ram + (gva - RAM), len);
	return 0;
}

static int on_cmpxchg(void *arg, uint64_t gva, void *expected, const void *desired, size_t len, bool *ret_equal,
		      struct assist_fault *ret)
{
	struct memory *m = arg;

	ck_assert(len == 8 || (len == 16 && !(gva & 15)));
	check_meant(m, gva, len, true);
	if (!there(gva, len, true)) {
		*ret = (struct assist_fault){ .code = 2, .gva = gva };
		return -EFAULT;
	}
	*ret_equal = !memcmp(m->ram + (gva - RAM), expected, len);
	if (*ret_equal)
		memcpy(m->ram + (gva - RAM), desired, len);
	else
		memcpy(expected, m->ram + (gva - RAM), len);
	m->writes++;
	return 0;
}

static int on_msr(void *arg, uint32_t index, uint64_t *ret)
{
	(void)arg;
	if (index & 1)
		return -EINVAL;
	*ret = index == 0x10 ? 0x123456789abcull : 0;
	return 0;
}

/* What KVM_GET_XSAVE may give: any contents, but no bits that a processor does not have. */
static void take_state(struct bytes *in, uint8_t *ret)
{
	unsigned n = (unsigned)take(in, 1);
	uint64_t used = n & 0x80 ? take(in, 1) & host_xcr0 : host_xcr0, value;
	uint32_t mxcsr = n & 0x40 ? (uint32_t)take(in, 2) : 0x1f80;

	memset(ret, 0, AREA);
	put(ret, 0x37f, 2);
	put(ret + XS_MASK, 0xffff, 4);
	for (unsigned i = n & 15; i; i--) {
		size_t at = (size_t)take(in, 2) % (AREA - 8);

		value = take(in, 8);
		memcpy(ret + at, &value, sizeof(value));
	}
	put(ret + XS_MXCSR, mxcsr, 4);
	put(ret + XS_MASK, n & 0x20 ? 0 : 0xffff, 4);
	if (n & 0x20)
		ret[XS_MXCSR] &= 0xbf;
	memset(ret + XS_HEADER, 0, XS_END - XS_HEADER);
	put(ret + XS_HEADER, used, 8);
}

static void take_memory(struct bytes *in, uint8_t *ram)
{
	memset(ram, 0, RAM);
	for (unsigned i = (unsigned)take(in, 1) & 15; i; i--) {
		size_t at = (size_t)take(in, 2), len;
		const uint8_t *p = take_span(in, 1 + take(in, 1) % 32, &len);

		if (len > RAM - at)
			len = RAM - at;
		if (len)
			memcpy(ram + at, p, len);
	}
}

/* What the decoder must have told of; others have tables, or areas of which they touch parts that registers select. */
static bool decoded_fully(enum assist_name name)
{
	switch (name) {
	case ASSIST_IRET:
	case ASSIST_DESCRIPTOR:
	case ASSIST_XSAVE_OP:
	case ASSIST_XRSTOR:
		return false;
	default:
		return true;
	}
}

/* Registers, that is: what is in its initial state may be so with bytes or without, as the processor likes. */
static void check_same(const uint8_t *ours, const uint8_t *theirs)
{
	static uint8_t one[AREA], two[AREA];

	registers(ours, one);
	registers(theirs, two);
	ck_assert_mem_eq(one, two, AREA);
}

static void check_fault(const struct assist_cpu *was, const uint8_t *state, const struct assist_cpu *now,
			const struct assist_result *end)
{
	bool behind = end->name <= ASSIST_INTO;

	ck_assert_uint_lt(end->vector, 32);
	ck_assert_mem_eq(now->regs.gpr, was->regs.gpr, sizeof(was->regs.gpr));
	if (behind)
		ck_assert_uint_ne(now->regs.rip, was->regs.rip);
	else
		ck_assert_uint_eq(now->regs.rip, was->regs.rip);
	if (!behind)
		ck_assert_uint_eq(now->regs.rflags, was->regs.rflags);
	if (now->xsave_changed)
		ck_assert_uint_eq(end->vector, VECTOR_XM);
	else if (state)
		check_same(now->xsave, state);
}

static void check_result(const struct assist_cpu *was, const uint8_t *state, const struct assist_cpu *now, const uint8_t *bytes,
			 size_t n, const struct assist_result *end, const struct memory *m)
{
	struct insn insn;
	uint64_t past;
	int rc = insn_decode(&was->regs, bytes, n, &insn);

	ck_assert((end->kind == ASSIST_UNKNOWN) == (end->text[0] != '\0'));
	ck_assert_uint_lt(end->name, ASSIST_NAMES);
	ck_assert(assist_name(end->name));
	ck_assert(!rc || end->kind == ASSIST_UNKNOWN);
	ck_assert(!now->cs.changed || end->name == ASSIST_IRET);
	switch (end->kind) {
	case ASSIST_UNKNOWN:
		ck_assert_mem_eq(&now->regs, &was->regs, sizeof(was->regs));
		ck_assert_uint_eq(m->writes, 0);
		ck_assert(!now->xsave_changed);
		break;
	case ASSIST_EXCEPTION:
		check_fault(was, state, now, end);
		break;
	case ASSIST_SOFT_INT:
	case ASSIST_DONE:
		if (end->name == ASSIST_IRET)
			break;
		past = (now->regs.rip - was->regs.rip) << (64 - was->regs.code_bits) >> (64 - was->regs.code_bits);
		ck_assert_uint_eq(past, insn.len);
		for (unsigned i = 0; i < INSN_GPRS; i++)
			ck_assert_msg(now->regs.gpr[i] == was->regs.gpr[i] || insn.written >> i & 1, "register %u is not written", i);
		break;
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	read_host();
	native_new(&native, NULL);
	features = native ? assist_host_features() : 0;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t state[AREA] __attribute__((aligned(64))), state2[AREA] __attribute__((aligned(64))), first[AREA], ram[RAM],
		       start[RAM], ram1[RAM];
	struct bytes in = { data, size };
	struct memory m = { .ram = ram };
	struct assist_cpu start_cpu = {
		.features = ALL_FEATURES, .xsave = state, .xsave_size = AREA, .access = on_access, .cmpxchg = on_cmpxchg,
		.read_msr = on_msr, .arg = &m, .native = native, .host = features,
		.gdt = { RAM + 0x400, 0x7f }, .ldt = { RAM + 0x500, 0x3f },
	}, one, two;
	struct assist_result done, again;
	enum assist_needs needs;
	struct insn insn;
	unsigned how;
	const uint8_t *bytes;
	size_t n, from;
	const uint8_t *code = take_span(&in, take(&in, 1) % (INSN_BYTES_MAX + 1), &n);

	bytes = guarded(code, n);
	cpu_take(&in, &start_cpu.regs);
	start_cpu.regs.xcr0 &= host_xcr0 | 1;
	how = (unsigned)take(&in, 1);
	if (how & 1)
		start_cpu.features = (unsigned)take(&in, 2);
	if (how & 2)
		start_cpu.native = NULL;
	if (how & 4)
		start_cpu.xsave_size = XS_END + take(&in, 1) * 4;
	memcpy(start_cpu.component, components, sizeof(components));
	take_state(&in, first);
	take_memory(&in, start);

	/* Its owner gets the state only for what needs it. */
	needs = assist_needs(&start_cpu.regs, bytes, n);
	from = needs ? start_cpu.xsave_size : 0;
	if (!needs) {
		start_cpu.xsave = NULL;
		start_cpu.xsave_size = 0;
	}
	if (needs != ASSIST_NEEDS_XCR0)
		start_cpu.regs.xcr0 = 0;

	one = start_cpu;
	memcpy(state, first, AREA);
	memcpy(ram, start, RAM);
	assist_run(&one, bytes, n, &done);
	memcpy(ram1, ram, RAM);
	check_result(&start_cpu, needs ? first : NULL, &one, bytes, n, &done, &m);
	/* Bytes beyond what is known are nobody's. */
	ck_assert_mem_eq(state + from, first + from, AREA - from);

	two = start_cpu;
	two.xsave = needs ? state2 : NULL;
	memcpy(state2, first, AREA);
	memcpy(ram, start, RAM);
	if (done.kind != ASSIST_UNKNOWN && decoded_fully(done.name) && !insn_decode(&start_cpu.regs, bytes, n, &insn))
		m.insn = &insn;
	assist_run(&two, bytes, n, &again);
	ck_assert_mem_eq(&done, &again, sizeof(done));
	ck_assert_mem_eq(&one.regs, &two.regs, sizeof(one.regs));
	check_same(state, state2);
	ck_assert_mem_eq(ram, ram1, RAM);
	return 0;
}
