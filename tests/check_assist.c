/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Instruction assist: every handler beside the processor's own execution of the same bytes, and every fault. */
#include <string.h>

#include "tests/insn_host.h"
#include "tests/unit.h"

/* -- beside the processor -- */

static const struct { const char *text; unsigned feature; } moves[] = {
	{ "0f 28 07", ASSIST_SSE }, { "0f 29 07", ASSIST_SSE }, { "0f 28 ca", ASSIST_SSE }, { "44 0f 28 37", ASSIST_SSE },
	{ "0f 10 47 01", ASSIST_SSE }, { "0f 11 47 03", ASSIST_SSE }, { "45 0f 11 f9", ASSIST_SSE },
	{ "66 0f 28 47 10", ASSIST_SSE2 }, { "66 0f 29 4f 20", ASSIST_SSE2 }, { "66 0f 10 57 07", ASSIST_SSE2 },
	{ "66 0f 11 57 07", ASSIST_SSE2 }, { "66 0f 6f 07", ASSIST_SSE2 }, { "66 0f 7f 4f 40", ASSIST_SSE2 },
	{ "f3 0f 6f 5f 05", ASSIST_SSE2 }, { "f3 0f 7f 5f 09", ASSIST_SSE2 }, { "f2 0f f0 5f 05", ASSIST_SSE3 },
	{ "0f 2b 07", ASSIST_SSE }, { "66 0f 2b 07", ASSIST_SSE2 }, { "66 0f e7 0f", ASSIST_SSE2 },
	{ "66 0f 38 2a 17", ASSIST_SSE41 }, { "66 0f 6e c8", ASSIST_SSE2 }, { "66 48 0f 6e c8", ASSIST_SSE2 },
	{ "66 0f 6e 0f", ASSIST_SSE2 }, { "66 48 0f 6e 4f 03", ASSIST_SSE2 }, { "66 0f 7e c8", ASSIST_SSE2 },
	{ "66 48 0f 7e c9", ASSIST_SSE2 }, { "66 0f 7e 4f 05", ASSIST_SSE2 }, { "66 48 0f 7e 0f", ASSIST_SSE2 },
	{ "f3 0f 7e ca", ASSIST_SSE2 }, { "f3 0f 7e 4f 01", ASSIST_SSE2 }, { "66 0f d6 4f 02", ASSIST_SSE2 },
	{ "66 0f d6 ca", ASSIST_SSE2 }, { "f3 0f 10 ca", ASSIST_SSE }, { "f3 0f 10 0f", ASSIST_SSE },
	{ "f3 0f 11 4f 07", ASSIST_SSE }, { "f2 0f 10 ca", ASSIST_SSE2 }, { "f2 0f 10 4f 01", ASSIST_SSE2 },
	{ "f2 0f 11 0f", ASSIST_SSE2 }, { "f2 0f 11 ca", ASSIST_SSE2 }, { "0f 12 0f", ASSIST_SSE }, { "0f 13 0f", ASSIST_SSE },
	{ "66 0f 12 0f", ASSIST_SSE2 }, { "66 0f 13 4f 01", ASSIST_SSE2 }, { "0f 16 0f", ASSIST_SSE }, { "0f 17 4f 08", ASSIST_SSE },
	{ "66 0f 16 0f", ASSIST_SSE2 }, { "66 0f 17 0f", ASSIST_SSE2 }, { "0f c3 07", ASSIST_SSE2 }, { "48 0f c3 47 01", ASSIST_SSE2 },

	{ "c5 f8 28 07", ASSIST_AVX }, { "c5 fc 28 47 20", ASSIST_AVX }, { "c5 fc 29 07", ASSIST_AVX },
	{ "c5 fc 28 ca", ASSIST_AVX }, { "c5 f8 28 ca", ASSIST_AVX }, { "c5 f8 10 4f 01", ASSIST_AVX },
	{ "c5 fc 11 4f 01", ASSIST_AVX }, { "c5 f9 28 0f", ASSIST_AVX }, { "c5 fd 11 4f 03", ASSIST_AVX },
	{ "c5 f9 6f 0f", ASSIST_AVX }, { "c5 fd 7f 0f", ASSIST_AVX }, { "c5 fa 6f 4f 05", ASSIST_AVX },
	{ "c5 fe 7f 4f 05", ASSIST_AVX }, { "c5 ff f0 4f 05", ASSIST_AVX }, { "c5 fc 2b 0f", ASSIST_AVX },
	{ "c5 fd e7 0f", ASSIST_AVX }, { "c5 f9 6e c8", ASSIST_AVX }, { "c4 e1 f9 6e c8", ASSIST_AVX },
	{ "c5 f9 7e 0f", ASSIST_AVX }, { "c4 e1 f9 7e c9", ASSIST_AVX }, { "c5 fa 7e ca", ASSIST_AVX },
	{ "c5 fa 7e 0f", ASSIST_AVX }, { "c5 f9 d6 0f", ASSIST_AVX }, { "c5 ea 10 ca", ASSIST_AVX },
	{ "c5 e2 10 ca", ASSIST_AVX }, { "c5 fa 10 0f", ASSIST_AVX }, { "c5 fa 11 0f", ASSIST_AVX },
	{ "c5 e3 10 ca", ASSIST_AVX }, { "c5 fb 10 0f", ASSIST_AVX }, { "c5 fb 11 0f", ASSIST_AVX },
	{ "c5 e0 12 0f", ASSIST_AVX }, { "c5 f8 13 0f", ASSIST_AVX }, { "c5 e0 16 0f", ASSIST_AVX },
	{ "c5 f9 17 0f", ASSIST_AVX }, { "c4 41 7c 28 ff", ASSIST_AVX },
};

START_TEST(moves_as_the_processor)
{
	if ((host_features & moves[_i].feature) != moves[_i].feature)
		return;
	for (unsigned round = 0; round < 20; round++) {
		fresh_cpu();
		/* Now and then with components in their initial state, whatever bytes they have. */
		if (round % 4 == 3)
			put(xsave + 512, host_xcr0 & ~(round & 4 ? 2ull : 4ull), 8);
		cpu.regs.gpr[INSN_RAX] = rnd() * 0x100000001ull;
		cpu.regs.gpr[INSN_RCX] = rnd() * 0x100000003ull;
		fill(mem, 256);
		compare(moves[_i].text);
	}
}
END_TEST

START_TEST(popcnt_as_the_processor)
{
	static const char *const texts[] = { "f3 0f b8 c1", "f3 48 0f b8 c1", "66 f3 0f b8 c1", "f3 0f b8 07", "f3 48 0f b8 47 01" };
	struct host h;

	if (!(host_features & ASSIST_POPCNT))
		return;
	for (unsigned round = 0; round < 200; round++) {
		const char *text = texts[round % 5];

		fresh_cpu();
		cpu.regs.gpr[INSN_RAX] = rnd() * 0x100000001ull;
		cpu.regs.gpr[INSN_RCX] = round % 10 < 5 ? 0 : rnd() * 0x100000003ull;
		fill(mem, 16);
		if (round % 3 == 0)
			memset(mem, 0, 16);
		cpu.regs.rflags = 0x8d7;
		compare(text);
		run_host(text, &h);
		cpu.regs.rflags = 2;
		run(text);
		ck_assert_uint_eq(cpu.regs.rflags & 0x8d5, h.rflags & 0x8d5);
	}
}
END_TEST

START_TEST(fxsave_as_the_processor)
{
	static const char *const texts[] = { "0f ae 07", "48 0f ae 07" };

	for (unsigned round = 0; round < 50; round++) {
		fresh_cpu();
		if (round % 5 == 4)
			put(xsave + 512, host_xcr0 & ~(uint64_t)(round & 3), 8);
		memset(mem, 0x5a, AREA);
		run_host(texts[round & 1], &(struct host){ 0 });
		/* The mask of MXCSR is the processor's own, and not in a state that was made up. */
		memcpy(xsave + 28, mem + 28, 4);
		memset(mem, 0x5a, AREA);
		/* Reserved bytes are written, kept or cleared as a model likes. */
		compare(texts[round & 1]);
	}
}
END_TEST

START_TEST(fxrstor_as_the_processor)
{
	static const char *const texts[] = { "0f ae 0f", "48 0f ae 0f" };

	for (unsigned round = 0; round < 50; round++) {
		fresh_cpu();
		random_state(mem, 3);
		/* Whether exceptions are pending is not for the image to say, but for its flags and masks. */
		put(mem, 0x340 | (rnd() & 0x3f), 2);
		put(mem + 2, rnd() & 0xb8bf, 2);
		put(xsave + 28, 0xffff, 4);
		compare(texts[round & 1]);
	}
}
END_TEST

START_TEST(mxcsr_as_the_processor)
{
	for (unsigned round = 0; round < 100; round++) {
		fresh_cpu();
		put(mem, rnd() & 0xffbf, 4);
		compare("0f ae 17");
		put(mem, UINT64_MAX, 8);
		compare("0f ae 1f");
	}
	/* A bit that there is not. */
	fresh_cpu();
	memcpy(mem + 64, xsave, 64);
	put(xsave + 28, 0xffbf, 4);
	put(mem, 0x10000, 4);
	run("0f ae 17");
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, 13);
	ck_assert_mem_eq(xsave + 24, mem + 64 + 24, 4);
}
END_TEST

static const struct { const char *text; unsigned feature; bool compact; } saves[] = {
	{ "0f ae 27", ASSIST_XSAVE, false }, { "48 0f ae 27", ASSIST_XSAVE, false }, { "0f ae 37", ASSIST_XSAVEOPT, false },
	{ "48 0f ae 37", ASSIST_XSAVEOPT, false }, { "0f c7 27", ASSIST_XSAVEC, true }, { "48 0f c7 27", ASSIST_XSAVEC, true },
};

/* What the processor holds to be in use, where the model does not, has initial values; both images load as the same state. */
START_TEST(xsave_as_the_processor)
{
	uint8_t host_mem[AREA], ours[AREA], theirs[AREA];
	struct host h;

	if ((host_features & saves[_i].feature) != saves[_i].feature)
		return;
	for (unsigned round = 0; round < 100; round++) {
		uint64_t rfbm = round % 4 == 0 ? host_xcr0 : rnd(), bv;

		fresh_cpu();
		random_state(xsave, round % 3 ? host_xcr0 : rnd());
		cpu.regs.gpr[INSN_RAX] = rfbm;
		memset(mem, 0x5a, AREA);
		put(mem + 512, rnd() & host_xcr0, 8);
		memset(mem + 520, 0, 56);
		memcpy(ours, mem, AREA);
		run_host(saves[_i].text, &h);
		memcpy(host_mem, mem, AREA);
		memcpy(xsave + 28, out + 28, 4);
		memcpy(mem, ours, AREA);
		run(saves[_i].text);
		ck_assert_int_eq(res.kind, ASSIST_DONE);
		/* MXCSR alone makes SSE count, in the compacted form. */
		if (saves[_i].compact && (rfbm & 2) && (uint32_t)get64(xsave + 24) != 0x1f80)
			ck_assert_uint_eq(get64(mem + 512) & 2, 2);
		/* The same components in use: only then are the bytes to be the same. */
		bv = get64(mem + 512) ^ get64(host_mem + 512);
		ck_assert_msg(!(bv & ~(rfbm & host_xcr0)), "XSTATE_BV 0x%lx, not 0x%lx", get64(mem + 512), get64(host_mem + 512));
		ck_assert_uint_eq(get64(mem + 520), get64(host_mem + 520));
		if (!bv) {
			for (unsigned i = 0; i < AREA; i++)
				ck_assert_msg(mem[i] == host_mem[i], "%s, mask %lx: byte %u is %02x, not %02x", saves[_i].text,
					      rfbm, i, mem[i], host_mem[i]);
		} else if (!saves[_i].compact) {
			/* Loading either must give the same. */
			registers(mem, ours);
			registers(host_mem, theirs);
			ck_assert_mem_eq(ours + 160, theirs + 160, AREA - 160);
		}
	}
}
END_TEST

/* An image in the compacted form of the components COMP, of which BV hold something. */
static void compacted_image(uint64_t comp, uint64_t bv)
{
	uint32_t at = 576;

	random_state(mem, bv);
	for (unsigned i = 2; i < ASSIST_COMPONENTS; i++) {
		if (!(comp >> i & 1))
			continue;
		if (components[i].aligned)
			at = (at + 63) & ~63u;
		fill(mem + at, components[i].size);
		at += components[i].size;
	}
	put(mem + 520, comp | 1ull << 63, 8);
}

START_TEST(xrstor_as_the_processor)
{
	for (unsigned round = 0; round < 100; round++) {
		uint64_t bv = (round % 3 ? host_xcr0 : rnd()) & host_xcr0;

		fresh_cpu();
		random_state(xsave, round % 5 ? host_xcr0 : rnd());
		put(xsave + 28, 0xffff, 4);
		cpu.regs.gpr[INSN_RAX] = round % 4 ? rnd() : host_xcr0;
		if (_i && (host_features & ASSIST_XSAVEC)) {
			uint64_t comp = bv | (rnd() & host_xcr0);

			compacted_image(comp, bv);
		} else
			random_state(mem, bv);
		compare(round & 1 ? "0f ae 2f" : "48 0f ae 2f");
	}
}
END_TEST

/* -- what a test program's processor cannot show -- */

static const struct fault_case {
	const char *text;
	int vector;             /* -1: done */
	uint64_t cr0, cr4_off;
	unsigned lacks;         /* features */
	unsigned offset;        /* of rdi in memory */
	unsigned cpl, bits;
	uint64_t xcr0_off;
} fault_cases[] = {
	{ .text = "0f 28 07", -1 },
	{ .text = "0f 28 07", 13, .offset = 8 },
	{ .text = "0f 10 07", -1, .offset = 8 },
	{ .text = "0f 28 07", 6, .cr0 = CR0_EM },
	{ .text = "0f 28 07", 7, .cr0 = CR0_TS },
	{ .text = "0f 28 07", 6, .cr0 = CR0_TS | CR0_EM },
	{ .text = "0f 28 07", 6, .cr4_off = CR4_OSFXSR },
	{ .text = "0f 28 07", 6, .lacks = ASSIST_SSE },
	{ .text = "0f 28 07", 7, .cr0 = CR0_TS, .offset = 8 },
	{ .text = "66 0f 28 07", 6, .lacks = ASSIST_SSE2 },
	{ .text = "c5 fc 28 07", -1, .cr4_off = CR4_OSFXSR },
	{ .text = "c5 fc 28 07", 13, .offset = 16 },
	{ .text = "c5 f8 28 07", -1, .offset = 16 },
	{ .text = "c5 fc 28 07", 6, .cr4_off = CR4_OSXSAVE },
	{ .text = "c5 fc 28 07", 6, .xcr0_off = 4 },
	{ .text = "c5 fc 28 07", 7, .cr0 = CR0_TS },
	{ .text = "c5 fc 28 07", 6, .lacks = ASSIST_AVX },
	{ .text = "0f c3 07", -1, .cr0 = CR0_TS | CR0_EM, .cr4_off = CR4_OSFXSR },
	{ .text = "0f ae 07", -1 },
	{ .text = "0f ae 07", 13, .offset = 8 },
	{ .text = "0f ae 07", 7, .cr0 = CR0_TS },
	{ .text = "0f ae 07", 7, .cr0 = CR0_EM },
	{ .text = "0f ae 07", 6, .lacks = ASSIST_FXSR },
	{ .text = "0f ae 27", -1 },
	{ .text = "0f ae 27", 13, .offset = 32 },
	{ .text = "0f ae 27", 6, .cr4_off = CR4_OSXSAVE },
	{ .text = "0f ae 27", 7, .cr0 = CR0_TS },
	{ .text = "0f ae 27", -1, .cr0 = CR0_EM },
	{ .text = "0f ae 27", 6, .lacks = ASSIST_XSAVE },
	{ .text = "0f ae 37", 6, .lacks = ASSIST_XSAVEOPT },
	{ .text = "0f c7 27", 6, .lacks = ASSIST_XSAVEC },
	{ .text = "0f ae 2f", 6, .cr4_off = CR4_OSXSAVE },
	{ .text = "0f ae 2f", 13, .offset = 32 },
	{ .text = "f3 0f b8 07", -1 },
	{ .text = "f3 0f b8 07", 6, .lacks = ASSIST_POPCNT },
	{ .text = "0f 01 ca", -1 },
	{ .text = "0f 01 ca", 6, .lacks = ASSIST_SMAP },
	{ .text = "0f 01 cb", 6, .cpl = 3 },
};

START_TEST(faults)
{
	const struct fault_case *c = &fault_cases[_i];
	uint8_t before[AREA];

	cpu.regs.cr0 |= c->cr0;
	cpu.regs.cr4 &= ~c->cr4_off;
	cpu.regs.xcr0 = (host_xcr0 | 7) & ~c->xcr0_off;
	cpu.features &= ~c->lacks;
	cpu.regs.cpl = c->cpl;
	cpu.regs.gpr[INSN_RDI] += c->offset;
	if (!cpu.component[2].size)
		cpu.component[2] = (struct assist_component){ 576, 256, false };
	random_state(mem, 0);
	memcpy(before, xsave, AREA);
	run(c->text);
	if (c->vector < 0) {
		ck_assert_msg(res.kind == ASSIST_DONE, "%s: kind %d vector %u", c->text, res.kind, res.vector);
		ck_assert_uint_gt(cpu.regs.rip, 0x1000);
		return;
	}
	ck_assert_msg(res.kind == ASSIST_EXCEPTION, "%s: kind %d", c->text, res.kind);
	ck_assert_msg(res.vector == c->vector, "%s: vector %u", c->text, res.vector);
	ck_assert_int_eq(res.has_code, c->vector == 13);
	ck_assert_uint_eq(res.code, 0);
	ck_assert_uint_eq(cpu.regs.rip, 0x1000);
	ck_assert_uint_eq(writes, 0);
	ck_assert(!cpu.xsave_changed);
	ck_assert_mem_eq(before, xsave, 512);
}
END_TEST

/* An access of every kind to a page that is not there. */
START_TEST(page_faults)
{
	static const struct { const char *text; bool write; unsigned at, cr2; } rows[] = {
		{ "0f 28 07", false, 0, 0 }, { "0f 29 07", true, 0, 0 }, { "0f 11 47 f8", true, 0, 0 }, { "0f c3 07", true, 0, 0 },
		{ "0f ae 07", true, 0, 0 }, { "0f ae 07", true, 256, 256 }, { "0f ae 0f", false, 0, 0 }, { "0f ae 27", true, 0, 0 },
		{ "0f ae 27", true, 512, 512 }, { "0f ae 2f", false, 512, 512 }, { "f3 0f b8 07", false, 0, 0 },
		{ "0f c7 27", true, 512, 512 },
	};
	uint8_t before[AREA];

	cpu.regs.gpr[INSN_RDI] += 1024;
	cpu.regs.gpr[INSN_RAX] = 3;
	memcpy(before, xsave, AREA);
	fault_at = cpu.regs.gpr[INSN_RDI] + rows[_i].at;
	fault_size = 64;
	run(rows[_i].text);
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, 14);
	ck_assert(res.has_code);
	ck_assert_uint_eq(res.code, rows[_i].write ? 2 : 0);
	ck_assert_uint_eq(res.cr2, cpu.regs.gpr[INSN_RDI] + rows[_i].cr2);
	ck_assert_uint_eq(cpu.regs.rip, 0x1000);
	ck_assert_mem_eq(before, xsave, 512);
	ck_assert(!cpu.xsave_changed);
}
END_TEST

START_TEST(addresses_out_of_reach)
{
	cpu.regs.gpr[INSN_RDI] = 0x0000800000000000;
	run("0f 10 07");
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, 13);
	cpu.regs.gpr[INSN_RDI] = 0x00007ffffffffff8;
	run("0f 11 07");
	ck_assert_uint_eq(res.vector, 13);
	cpu.regs.gpr[INSN_RSP] = 0xffff7ffffffffff0;
	run("0f 11 04 24");
	ck_assert_uint_eq(res.vector, 12);
	ck_assert(res.has_code);
}
END_TEST

/* What XRSTOR refuses, with a word on why in the name of the row. */
START_TEST(bad_images)
{
	static const struct { const char *what; unsigned at; uint64_t value; bool good; } rows[] = {
		{ "nothing wrong", 576, 0, true }, { "XSTATE_BV beyond XCR0", 512, 1ull << 40, false },
		{ "bytes 15 to 8", 520, 1, false }, { "bytes 23 to 16", 528, 1, false }, { "bytes 31 to 24 do not count", 536, 1, true },
		{ "compacted, beyond XCR0", 520, 1ull << 63 | 1ull << 40, false },
		{ "compacted, XSTATE_BV beyond XCOMP_BV", 520, 1ull << 63 | 1, false },
		{ "MXCSR", 24, 0x10000, false },
		{ "bytes 31 to 24 do count in the compacted form", 536, 1, false },
	};

	random_state(mem, 3);
	put(mem + 512, 3, 8);
	put(xsave + 28, 0xffff, 4);
	put(mem + rows[_i].at, rows[_i].value, 8);
	if (_i == 8)
		put(mem + 520, 1ull << 63 | 3, 8);
	cpu.regs.gpr[INSN_RAX] = 3;
	run("0f ae 2f");
	ck_assert_msg((res.kind == ASSIST_DONE) == rows[_i].good, "%s: kind %d", rows[_i].what, res.kind);
	if (!rows[_i].good) {
		ck_assert_uint_eq(res.vector, 13);
		ck_assert(!cpu.xsave_changed);
	}
}
END_TEST

/* Code that is not 64-bit reaches eight registers of each kind, and leaves the others as they are. */
START_TEST(short_code_has_eight_registers)
{
	static const char *const saves32[] = { "0f ae 07", "0f ae 27", "0f c7 27" };
	static const char *const loads32[] = { "0f ae 0f", "0f ae 2f" };
	uint8_t before[AREA];

	cpu.regs.code_bits = cpu.regs.stack_bits = 32;
	cpu.regs.xcr0 = 7;
	cpu.regs.gpr[INSN_RAX] = 7;
	cpu.component[2] = (struct assist_component){ 576, 256, false };
	for (unsigned i = 0; i < 3; i++) {
		memset(mem, 0x5a, AREA);
		run(saves32[i]);
		ck_assert_int_eq(res.kind, ASSIST_DONE);
		ck_assert_mem_eq(mem + 160, xsave + 160, 128);
		ck_assert_uint_eq(mem[288], 0x5a);
		ck_assert(!memcmp(mem + 288, mem + 289, 127));
		if (i) {
			ck_assert_mem_eq(mem + 576, xsave + 576, 128);
			ck_assert(!memcmp(mem + 704, mem + 703 + 2, 100));
			ck_assert_uint_eq(mem[704], 0x5a);
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		random_state(mem, 7);
		put(mem + 512, 3, 8);
		put(xsave + 28, 0xffff, 4);
		memcpy(before, xsave, AREA);
		run(loads32[i]);
		ck_assert_int_eq(res.kind, ASSIST_DONE);
		ck_assert_mem_eq(xsave + 160, mem + 160, 128);
		ck_assert_mem_eq(xsave + 288, before + 288, 128);
		ck_assert_uint_eq(xsave[576], i ? 0 : before[576]);
		ck_assert_mem_eq(xsave + 704, before + 704, 128);
	}
}
END_TEST

/* Where components lie in the compacted form: of sizes that no processor's round up for it. */
START_TEST(compacted_places)
{
	uint8_t before[AREA];

	cpu.regs.xcr0 = 0x1f;
	memset(cpu.component, 0, sizeof(cpu.component));
	cpu.component[2] = (struct assist_component){ 600, 20, false };
	cpu.component[3] = (struct assist_component){ 700, 12, false };
	cpu.component[4] = (struct assist_component){ 800, 8, true };
	put(xsave + 512, 0x1f, 8);
	cpu.regs.gpr[INSN_RAX] = 0x1d;
	memset(mem, 0, AREA);
	run("0f c7 27");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_mem_eq(mem + 576, xsave + 600, 20);
	ck_assert_mem_eq(mem + 596, xsave + 700, 12);
	ck_assert_mem_eq(mem + 640, xsave + 800, 8);
	/* And back, into registers that have changed. */
	put(xsave + 28, 0xffff, 4);
	memcpy(before, xsave, AREA);
	fill(xsave + 600, 300);
	run("0f ae 2f");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_mem_eq(xsave + 600, before + 600, 20);
	ck_assert_mem_eq(xsave + 700, before + 700, 12);
	ck_assert_mem_eq(xsave + 800, before + 800, 8);
}
END_TEST

/* Without REX.W the pointers of x87 have 32 bits in memory. */
START_TEST(x87_pointers)
{
	put(xsave + 8, 0x1122334455667788, 8);
	put(xsave + 16, 0x99aabbccddeeff00, 8);
	run("0f ae 07");
	ck_assert_uint_eq(get64(mem + 8), 0x55667788);
	ck_assert_uint_eq(get64(mem + 16), 0xddeeff00);
	run("48 0f ae 07");
	ck_assert_uint_eq(get64(mem + 8), 0x1122334455667788);
	ck_assert_uint_eq(get64(mem + 16), 0x99aabbccddeeff00);
}
END_TEST

START_TEST(interrupts)
{
	run("cc");
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, 3);
	ck_assert(!res.has_code);
	ck_assert_uint_eq(cpu.regs.rip, 0x1001);
	run("f1");
	ck_assert_uint_eq(res.vector, 1);
	ck_assert_uint_eq(cpu.regs.rip, 0x1002);
	run("cd 80");
	ck_assert_int_eq(res.kind, ASSIST_SOFT_INT);
	ck_assert_uint_eq(res.vector, 0x80);
	ck_assert_uint_eq(cpu.regs.rip, 0x1004);
	/* INT 3 in two bytes is a software interrupt like the others. */
	run("cd 03");
	ck_assert_int_eq(res.kind, ASSIST_SOFT_INT);
	ck_assert_uint_eq(res.vector, 3);

	cpu.regs.code_bits = cpu.regs.stack_bits = 16;
	cpu.regs.rip = 0xffff;
	run("cd 21");
	ck_assert_uint_eq(cpu.regs.rip, 1);
	run("ce");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.rip, 2);
	cpu.regs.rflags |= 1 << 11;
	run("ce");
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, 4);
	ck_assert_uint_eq(cpu.regs.rip, 3);
	/* In virtual-8086 mode INT n needs IOPL 3. */
	cpu.regs.rflags = 2 | 1 << 17;
	cpu.regs.cpl = 3;
	run("cd 21");
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, 13);
	ck_assert_uint_eq(cpu.regs.rip, 3);
	cpu.regs.rflags |= 3 << 12;
	run("cd 21");
	ck_assert_int_eq(res.kind, ASSIST_SOFT_INT);
}
END_TEST

START_TEST(flags)
{
	cpu.regs.rflags = 2 | 1 << 16;
	run("0f 01 cb");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.rflags, 2 | 1 << 18);
	ck_assert_uint_eq(cpu.regs.rip, 0x1003);
	ck_assert(!res.trap);
	cpu.regs.rflags |= 1 << 8;
	run("0f 01 ca");
	ck_assert_uint_eq(cpu.regs.rflags, 2 | 1 << 8);
	ck_assert(res.trap);
}
END_TEST

START_TEST(fwait)
{
	/*
	 * CR0 MP, TS and NE; the status word, where divisions by zero are not masked; whether x87 is in its initial state; the
	 * vector, -1: none, -2: nobody's.
	 */
	static const struct { unsigned cr0, status, idle; int vector; } rows[] = {
		{ 0, 0, 0, -1 }, { 2, 0, 0, -1 }, { 8, 0, 0, -1 }, { 10, 0, 0, 7 }, { 42, 0x84, 0, 7 },
		{ 32, 0x80, 0, -1 }, { 32, 0x84, 0, 16 }, { 32, 4, 0, 16 }, { 32, 0x83, 0, -1 }, { 0, 4, 0, -2 }, { 32, 0x84, 1, -1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh_cpu();
		cpu.regs.cr0 |= rows[i].cr0;
		put(xsave, 0x37b, 2);
		xsave[2] = (uint8_t)rows[i].status;
		put(xsave + 512, rows[i].idle ? 2 : 3, 8);
		run("9b");
		if (rows[i].vector >= 0)
			ck_assert_uint_eq(res.vector, (unsigned)rows[i].vector);
		ck_assert_int_eq(res.kind, rows[i].vector == -1 ? ASSIST_DONE : rows[i].vector == -2 ? ASSIST_UNKNOWN :
				 ASSIST_EXCEPTION);
		ck_assert_uint_eq(cpu.regs.rip, rows[i].vector == -1 ? 0x1001 : 0x1000);
		ck_assert(!cpu.xsave_changed);
	}
}
END_TEST

START_TEST(what_nobody_can_do)
{
	struct assist_cpu before = cpu;

	run("66 0f fe c1");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	ck_assert_str_eq(res.text, "66 0f fe c1  paddd xmm0, xmm1");
	run("0f ff");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(res.text, "0f ff"));
	/* MMX registers, EVEX, and the string instruction that has the name of a move. */
	run("0f 6f c1");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	run("62 f1 7c 48 28 07");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	run("a5");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	/* State beyond the buffer. */
	cpu.xsave_size = 576;
	cpu.component[2] = (struct assist_component){ 576, 256, false };
	cpu.regs.xcr0 = 7;
	cpu.regs.gpr[INSN_RAX] = 7;
	run("0f ae 27");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	run("c5 fc 28 c1");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	cpu.xsave_size = 0;
	run("0f 28 c1");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	ck_assert_mem_eq(before.regs.base, cpu.regs.base, sizeof(before.regs.base));
	ck_assert_uint_eq(cpu.regs.rip, 0x1000);
	ck_assert_uint_eq(writes, 0);
	for (unsigned i = 0; i < ASSIST_NAMES; i++)
		ck_assert_ptr_nonnull(assist_name(i));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("assist");
	TCase *t = tcase_create("assist");

	read_host();
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))
	if (host_features & ASSIST_XSAVE) {
		tcase_add_loop_test(t, moves_as_the_processor, 0, COUNT(moves));
		tcase_add_test(t, popcnt_as_the_processor);
		tcase_add_test(t, fxsave_as_the_processor);
		tcase_add_test(t, fxrstor_as_the_processor);
		tcase_add_test(t, mxcsr_as_the_processor);
		tcase_add_loop_test(t, xsave_as_the_processor, 0, COUNT(saves));
		tcase_add_loop_test(t, xrstor_as_the_processor, 0, 2);
	}
	tcase_add_loop_test(t, faults, 0, COUNT(fault_cases));
	tcase_add_loop_test(t, page_faults, 0, 12);
	tcase_add_test(t, addresses_out_of_reach);
	tcase_add_loop_test(t, bad_images, 0, 9);
	tcase_add_test(t, short_code_has_eight_registers);
	tcase_add_test(t, compacted_places);
	tcase_add_test(t, x87_pointers);
	tcase_add_test(t, interrupts);
	tcase_add_test(t, flags);
	tcase_add_test(t, fwait);
	tcase_add_test(t, what_nobody_can_do);
	suite_add_tcase(s, t);
	return unit_main(s);
}
