/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CMPXCHG8B and CMPXCHG16B as instruction assist carries them out: registers, flags, faults. */
#include <errno.h>
#include <string.h>

#include "arch/x86/insn/assist.h"
#include "tests/unit.h"

#define PLACE 0x7000ull
#define ZF    0x40ull

static struct assist_cpu cpu;
static struct assist_result res;
static uint8_t mem[64];
static unsigned calls;
static bool absent;

static int on_cmpxchg(void *arg, uint64_t gva, void *expected, const void *desired, size_t len, bool *ret_equal,
		      struct assist_fault *ret)
{
	uint8_t was[16];

	(void)arg;
	calls++;
	if (absent) {
		*ret = (struct assist_fault){ .code = 2, .gva = gva };
		return -EFAULT;
	}
	ck_assert(gva >= PLACE && gva - PLACE + len <= sizeof(mem));
	memcpy(was, mem + (gva - PLACE), len);
	*ret_equal = !memcmp(was, expected, len);
	if (*ret_equal)
		memcpy(mem + (gva - PLACE), desired, len);
	memcpy(expected, was, len);
	return 0;
}

static void setup(void)
{
	cpu = (struct assist_cpu){
		.regs = { .code_bits = 64, .stack_bits = 64, .rip = 0x1000, .rflags = 0x893, .cr0 = 0x80000001, .efer = 0x500 },
		.features = ASSIST_CX8 | ASSIST_CX16,
		.cmpxchg = on_cmpxchg,
	};
	cpu.regs.gpr[INSN_RDI] = PLACE;
	cpu.regs.gpr[INSN_RAX] = 0xa1a1a1a1a2a2a2a2;
	cpu.regs.gpr[INSN_RDX] = 0xd1d1d1d1d2d2d2d2;
	cpu.regs.gpr[INSN_RBX] = 0xb1b1b1b1b2b2b2b2;
	cpu.regs.gpr[INSN_RCX] = 0xc1c1c1c1c2c2c2c2;
	for (unsigned i = 0; i < sizeof(mem); i++)
		mem[i] = (uint8_t)(i + 1);
	calls = 0;
	absent = false;
}

static void put(unsigned at, uint64_t value, size_t n)
{
	memcpy(mem + at, &value, n);
}

static uint64_t get(unsigned at, size_t n)
{
	uint64_t value = 0;

	memcpy(&value, mem + at, n);
	return value;
}

static void run(uint8_t last, bool wide, bool lock)
{
	const uint8_t bytes[] = { 0xf0, 0x48, 0x0f, 0xc7, last };
	uint8_t code[5];
	size_t n = 0;

	for (unsigned i = 0; i < sizeof(bytes); i++)
		if ((i != 0 || lock) && (i != 1 || wide))
			code[n++] = bytes[i];
	assist_run(&cpu, code, n, &res);
}

START_TEST(equal_ones_are_replaced)
{
	for (unsigned lock = 0; lock < 2; lock++) {
		setup();
		put(16, 0xa1a1a1a1a2a2a2a2, 8);
		put(24, 0xd1d1d1d1d2d2d2d2, 8);
		cpu.regs.gpr[INSN_RDI] += 16;
		run(0x0f, true, lock);
		ck_assert_int_eq(res.kind, ASSIST_DONE);
		ck_assert_int_eq(res.name, ASSIST_CMPXCHG);
		ck_assert_uint_eq(get(16, 8), 0xb1b1b1b1b2b2b2b2);
		ck_assert_uint_eq(get(24, 8), 0xc1c1c1c1c2c2c2c2);
		ck_assert_uint_eq(get(32, 1), 33);
		ck_assert_uint_eq(get(15, 1), 16);
		ck_assert_uint_eq(cpu.regs.rflags, 0x893 | ZF);
		ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 0xa1a1a1a1a2a2a2a2);
		ck_assert_uint_eq(cpu.regs.gpr[INSN_RDX], 0xd1d1d1d1d2d2d2d2);
		ck_assert_uint_eq(cpu.regs.rip, lock ? 0x1005 : 0x1004);

		setup();
		put(3, 0xa2a2a2a2, 4);
		put(7, 0xd2d2d2d2, 4);
		cpu.regs.gpr[INSN_RDI] += 3;
		run(0x0f, false, lock);
		ck_assert_int_eq(res.kind, ASSIST_DONE);
		ck_assert_uint_eq(get(3, 4), 0xb2b2b2b2);
		ck_assert_uint_eq(get(7, 4), 0xc2c2c2c2);
		ck_assert_uint_eq(get(11, 1), 12);
		ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 0xa1a1a1a1a2a2a2a2);
		ck_assert_uint_eq(cpu.regs.rflags, 0x893 | ZF);
	}
}
END_TEST

START_TEST(others_are_loaded)
{
	cpu.regs.rflags |= ZF;
	run(0x0f, true, true);
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 0x0807060504030201);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RDX], 0x100f0e0d0c0b0a09);
	ck_assert_uint_eq(cpu.regs.rflags, 0x893);
	ck_assert_uint_eq(get(0, 8), 0x0807060504030201);

	setup();
	/* All but a byte are equal. */
	put(0, 0xa2a2a2a2, 4);
	put(4, 0xd3d2d2d2, 4);
	cpu.regs.rflags |= ZF;
	run(0x0f, false, true);
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 0xa2a2a2a2);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RDX], 0xd3d2d2d2);
	ck_assert_uint_eq(cpu.regs.rflags, 0x893);
}
END_TEST

static void refused(unsigned vector, bool has_code)
{
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, vector);
	ck_assert_int_eq(res.has_code, has_code);
	ck_assert_uint_eq(cpu.regs.rip, 0x1000);
	ck_assert_uint_eq(cpu.regs.rflags, 0x893);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 0xa1a1a1a1a2a2a2a2);
	ck_assert_uint_eq(get(8, 1), 9);
}

START_TEST(faults)
{
	/* The address comes before the page. */
	absent = true;
	cpu.regs.gpr[INSN_RDI] += 8;
	run(0x0f, true, true);
	refused(13, true);
	ck_assert_uint_eq(res.code, 0);
	run(0x0f, false, true);
	refused(14, true);
	ck_assert_uint_eq(res.code, 2);
	ck_assert_uint_eq(res.cr2, PLACE + 8);
	calls = 0;
	cpu.regs.gpr[INSN_RDI] = 0x800000000000;
	run(0x0f, true, true);
	refused(13, true);
	cpu.regs.gpr[INSN_RBP] = 0x800000000000;
	assist_run(&cpu, (const uint8_t[]){ 0xf0, 0x48, 0x0f, 0xc7, 0x4d, 0x00 }, 6, &res);
	refused(12, true);
	cpu.features = ASSIST_CX8;
	run(0x0f, true, true);
	refused(6, false);
	ck_assert_uint_eq(calls, 0);
	setup();
	cpu.cmpxchg = NULL;
	run(0x0f, true, true);
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cmpxchg");
	TCase *t = tcase_create("cmpxchg");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, equal_ones_are_replaced);
	tcase_add_test(t, others_are_loaded);
	tcase_add_test(t, faults);
	suite_add_tcase(s, t);
	return unit_main(s);
}
