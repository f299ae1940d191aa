/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What instruction assist does for kernels that ask the processor about itself: results, flags, faults. */
#include <errno.h>
#include <string.h>

#include "tests/insn_host.h"
#include "tests/unit.h"

#define ZF        0x40ull
#define CR4_PKE   (1ull << 22)
#define CR4_PCIDE (1ull << 17)
#define GDT       1024          /* in mem */
#define LDT       1536
#define PKRU_AT   2688

static uint64_t tsc_aux, xss;
static bool has_aux;

static int on_msr(void *arg, uint32_t index, uint64_t *ret)
{
	(void)arg;
	switch (index) {
	case 0x10:
		*ret = 0x1122334455667788;
		return 0;
	case 0xda0:
		*ret = xss;
		return 0;
	case 0xc0000103:
		if (has_aux)
			*ret = tsc_aux;
		return has_aux ? 0 : -EINVAL;
	default:
		ck_abort_msg("register 0x%x", index);
		return -EINVAL;
	}
}

static void descriptor(unsigned index, unsigned type, unsigned dpl, uint32_t limit, unsigned flags)
{
	uint64_t d = (limit & 0xffff) | (uint64_t)(limit >> 16 & 0xf) << 48 | (uint64_t)type << 40 | (uint64_t)dpl << 45 |
		     1ull << 47 | (uint64_t)flags << 52 | 0x12ull << 32 | 0x5600ull << 24;

	put(mem + GDT + 8 * index, d, 8);
}

static void start(void)
{
	setup();
	cpu.regs.cr0 = 0x80000001;
	cpu.read_msr = on_msr;
	has_aux = true;
	tsc_aux = 0x12345;
	xss = 0;
	memset(mem, 0, AREA);
	descriptor(1, 0x1b, 0, 0xfffff, 0xa);           /* code */
	descriptor(2, 0x13, 0, 0xabcde, 0xc);           /* data */
	descriptor(3, 0x11, 3, 0x123, 0);               /* data, read-only, of level 3 */
	descriptor(4, 0x18, 3, 0x123, 0);               /* code that cannot be read */
	descriptor(5, 0x1e, 0, 0x123, 0);               /* conforming code */
	descriptor(6, 0x0b, 0, 0x67, 0);                /* a busy TSS */
	descriptor(7, 0x0e, 0, 0x67, 0);                /* an interrupt gate */
	descriptor(8, 0x01, 0, 0x67, 0);                /* a 16-bit TSS, which 64-bit mode has not */
	descriptor(9, 0x0c, 0, 0x67, 0);                /* a call gate */
	memcpy(mem + LDT, mem + GDT, 128);
	cpu.gdt = (struct assist_table){ (uintptr_t)mem + GDT, 10 * 8 - 1 };
	cpu.ldt = (struct assist_table){ (uintptr_t)mem + LDT, 2 * 8 - 1 };
}

/* -- descriptors -- */

START_TEST(descriptors)
{
	/* Bits of `seen`: lar, lsl, verr, verw find it. */
	static const struct {
		unsigned selector, cpl, seen;
		uint32_t rights, limit;
	} rows[] = {
		{ 0x00, 0, 0x0, 0, 0 }, { 0x03, 0, 0x0, 0, 0 }, { 0x08, 0, 0x7, 0xa09b00, 0xffffffff }, { 0x10, 0, 0xf, 0xc09300, 0xabcdefff },
		{ 0x13, 0, 0x0, 0, 0 }, { 0x10, 3, 0x0, 0, 0 }, { 0x1b, 3, 0x7, 0xf100, 0x123 }, { 0x20, 0, 0x3, 0xf800, 0x123 },
		{ 0x2b, 3, 0x7, 0x9e00, 0x123 }, { 0x30, 0, 0x3, 0x8b00, 0x67 }, { 0x38, 0, 0x0, 0, 0 }, { 0x40, 0, 0x0, 0, 0 },
		{ 0x48, 0, 0x1, 0x8c00, 0 }, { 0x50, 0, 0x0, 0, 0 }, { 0x0c, 0, 0x7, 0xa09b00, 0xffffffff }, { 0x14, 0, 0x0, 0, 0 },
	};
	static const char *const texts[] = { "0f 02 c1", "0f 03 c1", "0f 00 e1", "0f 00 e9" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned how = 0; how < 4; how++) {
			bool seen = rows[i].seen >> how & 1;
			uint64_t rax = 0xaaaaaaaaaaaaaaaa, want = !seen || how > 1 ? rax : how ? rows[i].limit : rows[i].rights | 0xf0000;

			start();
			cpu.regs.cpl = rows[i].cpl;
			cpu.regs.gpr[INSN_RAX] = rax;
			cpu.regs.gpr[INSN_RCX] = rows[i].selector | 0xffff0000;
			cpu.regs.rflags = seen ? 0x893 : 0x893 | ZF;
			run(texts[how]);
			ck_assert_int_eq(res.kind, ASSIST_DONE);
			ck_assert_msg(cpu.regs.rflags == (seen ? 0x893 | ZF : 0x893), "%s of 0x%x: flags 0x%lx", texts[how],
				      rows[i].selector, cpu.regs.rflags);
			/* Of the limit's four bits in LAR's result nobody says anything. */
			ck_assert_msg((how ? cpu.regs.gpr[INSN_RAX] : cpu.regs.gpr[INSN_RAX] | 0xf0000) == (how ? want : want | 0xf0000),
				      "%s of 0x%x: 0x%lx", texts[how], rows[i].selector, cpu.regs.gpr[INSN_RAX]);
			teardown();
		}
	start();
}
END_TEST

START_TEST(descriptors_elsewhere)
{
	/* A 16-bit TSS counts outside IA-32e mode; from memory; into 16 bits. */
	cpu.regs.efer = 0;
	cpu.regs.code_bits = cpu.regs.stack_bits = 32;
	put(mem, 0x40, 2);
	cpu.regs.gpr[INSN_RAX] = 0xaaaaaaaa;
	run("66 0f 03 07");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 0xaaaa0067);
	ck_assert_uint_eq(cpu.regs.rflags & ZF, ZF);
	cpu.regs.rflags |= 1 << 17;
	run("0f 03 07");
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, 6);
	/* A byte of it is beyond the table. */
	start();
	cpu.gdt.limit--;
	cpu.regs.gpr[INSN_RCX] = 0x48;
	cpu.regs.rflags |= ZF;
	run("0f 02 c1");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.rflags & ZF, 0);
	start();
	fault_at = (uintptr_t)mem + GDT + 16;
	fault_size = 1;
	cpu.regs.gpr[INSN_RCX] = 0x10;
	run("0f 00 e9");
	ck_assert_uint_eq(res.vector, 14);
	ck_assert_uint_eq(res.cr2, fault_at);
}
END_TEST

/* -- the others -- */

static void refused(const char *text, unsigned vector)
{
	struct assist_cpu before = cpu;

	run(text);
	ck_assert_msg(res.kind == ASSIST_EXCEPTION && res.vector == vector, "%s: kind %d, vector %u", text, res.kind, res.vector);
	ck_assert_int_eq(res.has_code, vector == 13 || vector == 14);
	ck_assert_mem_eq(&cpu.regs, &before.regs, sizeof(cpu.regs));
	ck_assert(!res.flush);
}

START_TEST(invpcid)
{
	static const char text[] = "66 0f 38 82 07";    /* rax says what, rdi where */

	for (unsigned type = 0; type < 4; type++) {
		start();
		cpu.regs.gpr[INSN_RAX] = type;
		run(text);
		ck_assert_int_eq(res.kind, ASSIST_DONE);
		ck_assert(res.flush);
		/* A PCID, where there are none. */
		put(mem, 5, 8);
		if (type < 2)
			refused(text, 13);
		cpu.regs.cr4 |= CR4_PCIDE;
		run(text);
		ck_assert(res.flush);
		put(mem + 8, 0x800000000000, 8);
		if (type)
			run(text);
		else
			refused(text, 13);
		put(mem, 0x1000, 8);
		refused(text, 13);
	}
	start();
	cpu.regs.gpr[INSN_RAX] = 4;
	refused(text, 13);
	cpu.regs.gpr[INSN_RAX] = 0;
	cpu.regs.cpl = 3;
	refused(text, 13);
	cpu.regs.cpl = 0;
	fault_at = (uintptr_t)mem + 15;
	fault_size = 1;
	refused(text, 14);
}
END_TEST

START_TEST(rdtscp)
{
	cpu.regs.gpr[INSN_RDX] = cpu.regs.gpr[INSN_RCX] = UINT64_MAX;
	run("0f 01 f9");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 0x55667788);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RDX], 0x11223344);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RCX], 0x12345);
	has_aux = false;
	run("0f 01 f9");
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RCX], 0);
	cpu.regs.cr4 |= 4;
	run("0f 01 f9");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	cpu.regs.cpl = 3;
	refused("0f 01 f9", 13);
	cpu.regs.cpl = 0;
	cpu.read_msr = NULL;
	run("0f 01 f9");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
}
END_TEST

START_TEST(xgetbv)
{
	cpu.regs.xcr0 = 0x1000000e7;
	cpu.regs.gpr[INSN_RCX] = 0xf00000000;
	put(xsave + 512, 5, 8);
	run("0f 01 d0");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 0xe7);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RDX], 1);
	cpu.regs.gpr[INSN_RCX] = 1;
	run("0f 01 d0");
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 5);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RDX], 0);
	cpu.features &= ~ASSIST_XGETBV1;
	refused("0f 01 d0", 13);
	cpu.features |= ASSIST_XGETBV1;
	cpu.regs.gpr[INSN_RCX] = 2;
	refused("0f 01 d0", 13);
	cpu.regs.cr4 &= ~CR4_OSXSAVE;
	refused("0f 01 d0", 6);
}
END_TEST

START_TEST(protection_keys)
{
	cpu.component[9] = (struct assist_component){ PKRU_AT, 8, false };
	put(xsave + 512, 3, 8);
	put(xsave + PKRU_AT, UINT64_MAX, 8);
	cpu.regs.gpr[INSN_RCX] = cpu.regs.gpr[INSN_RDX] = 0;
	refused("0f 01 ee", 6);
	cpu.regs.cr4 |= CR4_PKE;
	cpu.regs.gpr[INSN_RDX] = 7;
	run("0f 01 ee");
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 0);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RDX], 0);
	ck_assert(!cpu.xsave_changed);
	cpu.regs.gpr[INSN_RAX] = 0x55555554;
	run("0f 01 ef");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert(cpu.xsave_changed);
	ck_assert_uint_eq(get64(xsave + PKRU_AT), 0x55555554);
	ck_assert_uint_eq(get64(xsave + 512), 0x203);
	cpu.regs.gpr[INSN_RAX] = 0;
	run("0f 01 ee");
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX], 0x55555554);
	cpu.regs.gpr[INSN_RDX] = 1;
	refused("0f 01 ef", 13);
	cpu.regs.gpr[INSN_RCX] = 1;
	refused("0f 01 ee", 13);
}
END_TEST

START_TEST(mxcsr)
{
	static const struct {
		const char *load, *store;
	} rows[] = { { "0f ae 17", "0f ae 1f" }, { "c5 f8 ae 17", "c5 f8 ae 1f" } };

	for (unsigned i = 0; i < 2; i++) {
		start();
		cpu.regs.xcr0 = 7;
		if (!cpu.component[2].size)
			cpu.component[2] = (struct assist_component){ 576, 256, false };
		put(xsave + 28, 0xffff, 4);
		put(mem, 0xffffffff00001fa0, 8);
		run(rows[i].load);
		ck_assert_int_eq(res.kind, ASSIST_DONE);
		ck_assert_uint_eq(get64(xsave + 24) & 0xffffffff, 0x1fa0);
		ck_assert_uint_eq(get64(xsave + 512) & 2, 2);
		put(mem, UINT64_MAX, 8);
		run(rows[i].store);
		ck_assert_uint_eq(get64(mem), 0xffffffff00001fa0);
		put(mem, 0x10000, 8);
		refused(rows[i].load, 13);
		ck_assert_uint_eq(get64(xsave + 24) & 0xffffffff, 0x1fa0);
		cpu.regs.cr0 |= CR0_TS;
		refused(rows[i].store, 7);
	}
}
END_TEST

/* As XSAVEC and XRSTOR, but for the levels, and for components of the kernel's own. */
START_TEST(supervisor_states)
{
	put(xsave + 28, 0xffff, 4);
	cpu.regs.gpr[INSN_RAX] = UINT64_MAX;
	cpu.regs.gpr[INSN_RDX] = 0;
	run("48 0f c7 2f");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(get64(mem + 520), host_xcr0 | 1ull << 63);
	ck_assert_mem_eq(mem + 160, xsave + 160, 256);
	memset(xsave + 160, 0, 256);
	run("48 0f c7 1f");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_mem_eq(mem + 160, xsave + 160, 256);
	xss = 1 << 11;
	run("48 0f c7 2f");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	cpu.regs.gpr[INSN_RAX] = 7;
	run("48 0f c7 2f");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	/* The standard form. */
	put(mem + 520, 0, 8);
	refused("48 0f c7 1f", 13);
	cpu.regs.cpl = 3;
	refused("48 0f c7 2f", 13);
	cpu.features &= ~ASSIST_XSAVES;
	refused("48 0f c7 2f", 6);
}
END_TEST

START_TEST(undefined)
{
	refused("0f ff c1", 6);
	refused("0f b9 c1", 6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sys");
	TCase *t = tcase_create("sys");

	read_host();
	tcase_add_checked_fixture(t, start, teardown);
	tcase_add_test(t, descriptors);
	tcase_add_test(t, descriptors_elsewhere);
	tcase_add_test(t, invpcid);
	tcase_add_test(t, rdtscp);
	tcase_add_test(t, xgetbv);
	tcase_add_test(t, protection_keys);
	tcase_add_test(t, mxcsr);
	if (host_xcr0)
		tcase_add_test(t, supervisor_states);
	tcase_add_test(t, undefined);
	suite_add_tcase(s, t);
	return unit_main(s);
}
