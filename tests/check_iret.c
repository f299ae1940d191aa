/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Instruction assist: IRET at privilege level 0 in protected mode, and its faults, each of which changes nothing. */
#include "arch/x86/insn/assist.h"

#include <errno.h>
#include <string.h>

#include "tests/unit.h"

#define GDT     0x1000u
#define LDT     0x1100u
#define STACK   0x2000u
#define FLAT32  0x00cf9a000000ffffull   /* code, not accessed yet */
#define LIMITED 0x00409b123456ffffull   /* code at 0x123456 and the 64 KiB there, accessed */
#define SMALL   0x00009f0000000fffull   /* 16-bit code, conforming, accessed, 4 KiB */

static uint8_t mem[0x3000];
static struct assist_cpu cpu, before;
static struct assist_result res;
static uint64_t absent;         /* reads and writes of the byte there fault */

static int on_access(void *arg, uint64_t gva, void *data, size_t len, bool write, struct assist_fault *ret)
{
	(void)arg;
	ck_assert_uint_le(gva + len, sizeof(mem));
	if (absent >= gva && absent < gva + len) {
		*ret = (struct assist_fault){ .code = write ? 2 : 0, .gva = absent };
		return -EFAULT;
	}
	memcpy(write ? mem + gva : data, write ? data : mem + gva, len);
	return 0;
}

static void put(uint32_t at, uint64_t value, size_t len)
{
	memcpy(mem + at, &value, len);
}

static void setup(void)
{
	static const uint64_t gdt[] = {
		0, FLAT32, LIMITED, SMALL,
		0x00cf92000000ffff,     /* 0x20: data */
		0x00cf1a000000ffff,     /* 0x28: code that is not present */
		0x00cffa000000ffff,     /* 0x30: code of level 3 */
		0x00cffe000000ffff,     /* 0x38: conforming code of level 3 */
	};

	memset(mem, 0, sizeof(mem));
	memcpy(mem + GDT, gdt, sizeof(gdt));
	put(LDT + 8, LIMITED, 8);
	cpu = (struct assist_cpu){
		.regs = { .code_bits = 32, .stack_bits = 32, .rip = 0x5000, .rflags = 2 | 1 << 16, .cr0 = 1 },
		.gdt = { GDT, sizeof(gdt) - 1 }, .ldt = { LDT, 15 }, .access = on_access,
	};
	cpu.regs.gpr[INSN_RSP] = STACK;
	absent = UINT64_MAX;
}

static void frame32(uint32_t ip, uint32_t cs, uint32_t flags)
{
	put(STACK, ip, 4);
	put(STACK + 4, cs, 4);
	put(STACK + 8, flags, 4);
}

static void run(bool short_operand)
{
	static const uint8_t code[] = { 0x66, 0xcf };
	bool prefix = short_operand == (cpu.regs.code_bits == 32);

	before = cpu;
	memset(&res, 0xee, sizeof(res));
	assist_run(&cpu, prefix ? code : code + 1, prefix ? 2 : 1, &res);
}

static void refused(unsigned vector, uint32_t code)
{
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, vector);
	ck_assert(res.has_code);
	ck_assert_uint_eq(res.code, code);
	ck_assert_mem_eq(&cpu.regs, &before.regs, sizeof(cpu.regs));
	ck_assert(!cpu.cs.changed);
}

START_TEST(returns)
{
	frame32(0xc0001234, 0xffff0008, 0xffe97fd7 & ~(1u << 17));
	run(false);
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_int_eq(res.name, ASSIST_IRET);
	ck_assert(!res.trap && res.unmask_nmi);
	ck_assert_uint_eq(cpu.regs.rip, 0xc0001234);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RSP], STACK + 12);
	/* What is reserved stays as it is: bits 1 (set), 3, 5, 15 and those from 22 on. */
	ck_assert_uint_eq(cpu.regs.rflags, 0x297fd7 & ~(1u << 17));
	ck_assert(cpu.cs.changed && cpu.cs.big && cpu.cs.coarse && !cpu.cs.spare);
	ck_assert_uint_eq(cpu.cs.selector, 8);
	ck_assert_uint_eq(cpu.cs.base, 0);
	ck_assert_uint_eq(cpu.cs.limit, 0xffffffff);
	ck_assert_uint_eq(cpu.cs.type, 0xb);
	ck_assert_uint_eq(cpu.cs.dpl, 0);
	ck_assert_uint_eq(mem[GDT + 8 + 5], 0x9b);
}
END_TEST

START_TEST(flags_are_loaded)
{
	/* Each flag of its own: loaded, or not. */
	for (unsigned bit = 0; bit < 32; bit++) {
		bool loads = 0x3d7fd5u >> bit & 1;

		setup();
		if (bit == 17)
			continue;
		frame32(0x10, 8, 1u << bit);
		run(false);
		ck_assert_uint_eq(cpu.regs.rflags, 2 | (loads ? 1u << bit : 0));
		/* What a 16-bit operand does not reach stays: RF among them. */
		setup();
		put(STACK, 0x10, 2);
		put(STACK + 2, 8, 2);
		put(STACK + 4, 1ull << bit, 2);
		cpu.regs.rflags = 2 | 1 << 18;
		run(true);
		ck_assert_int_eq(res.kind, ASSIST_DONE);
		ck_assert_uint_eq(cpu.regs.rflags, 2 | 1 << 18 | (loads && bit < 16 ? 1u << bit : 0));
		ck_assert_uint_eq(cpu.regs.gpr[INSN_RSP], STACK + 6);
	}
}
END_TEST

START_TEST(other_segments)
{
	cpu.regs.rflags |= 1 << 8;
	frame32(0xffff, 0x10, 2);
	run(false);
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert(res.trap);
	ck_assert_uint_eq(cpu.cs.base, 0x123456);
	ck_assert_uint_eq(cpu.cs.limit, 0xffff);
	ck_assert(cpu.cs.big && !cpu.cs.coarse);

	setup();
	frame32(0xffff, 0x0c, 2);
	run(false);
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.cs.selector, 0x0c);
	ck_assert_uint_eq(cpu.cs.base, 0x123456);

	/* From 16-bit code on a 16-bit stack, whose pointer wraps. */
	setup();
	cpu.regs.code_bits = cpu.regs.stack_bits = 16;
	cpu.regs.base[INSN_SS] = 0x1000;
	cpu.regs.gpr[INSN_RSP] = 0xabcdffff0ffcull;
	put(0x1ffc, 0xfff, 2);
	put(0x1ffe, 0x18, 2);
	put(0x2000, 0x202, 2);
	run(true);
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.rip, 0xfff);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RSP], 0xabcdffff1002ull);
	ck_assert(!cpu.cs.big);
	ck_assert_uint_eq(cpu.cs.limit, 0xfff);
}
END_TEST

START_TEST(faults)
{
	static const struct {
		uint32_t ip, cs;
		unsigned vector, code;
	} bad[] = {
		{ 0x10, 0, 13, 0 },             /* null */
		{ 0x10, 0x40, 13, 0x40 },       /* beyond the table */
		{ 0x10, 0x38, 13, 0x38 },       /* of an outer level, conforming */
		{ 0x10, 0x14, 13, 0x14 },       /* beyond the other table */
		{ 0x10, 0x20, 13, 0x20 },       /* data */
		{ 0x10, 0x28, 11, 0x28 },       /* not present */
		{ 0x10, 0x30, 13, 0x30 },       /* of an outer level, but not marked so */
		{ 0x10000, 0x10, 13, 0 },       /* beyond its limit */
		{ 0x1000, 0x18, 13, 0 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setup();
		frame32(bad[i].ip, bad[i].cs, 2);
		run(false);
		refused(bad[i].vector, bad[i].code);
	}
	setup();
	frame32(0x10, 8, 2);
	cpu.gdt.limit = 14;             /* a byte short */
	run(false);
	refused(13, 8);
	for (unsigned i = 0; i < 3; i++) {
		setup();
		frame32(0x10, 8, 2);
		absent = (uint64_t[]){ STACK, STACK + 11, GDT + 8 + 5 }[i];
		run(false);
		refused(14, 0);
		ck_assert_uint_eq(res.cr2, absent);
	}
}
END_TEST

START_TEST(other_returns)
{
	for (unsigned i = 0; i < 6; i++) {
		setup();
		frame32(0x10, i == 0 ? 0x33 : 8, i == 1 ? 2 | 1 << 17 : 2);
		if (i == 2)
			cpu.regs.rflags |= 1 << 14;
		if (i == 3)
			cpu.regs.cpl = 3;
		if (i == 4)
			cpu.regs.cr0 = 0;
		if (i == 5)
			cpu.regs.efer = 1 << 10;
		run(false);
		ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
		ck_assert_mem_eq(&cpu.regs, &before.regs, sizeof(cpu.regs));
		ck_assert(!cpu.cs.changed);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("iret");
	TCase *t = tcase_create("iret");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, returns);
	tcase_add_test(t, flags_are_loaded);
	tcase_add_test(t, other_segments);
	tcase_add_test(t, faults);
	tcase_add_test(t, other_returns);
	suite_add_tcase(s, t);
	return unit_main(s);
}
