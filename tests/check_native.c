/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instructions that the host's processor runs for the guest: beside the same bytes run without us, which have their operands where the
 * guest has them; the faults; and what is not run.
 */
#include "arch/x86/insn/native.h"

#include <string.h>

#include "tests/insn_host.h"
#include "tests/unit.h"

#define CR0_NE         (1ull << 5)
#define CR4_OSXMMEXCPT (1ull << 10)
#define ROUNDS         12
#define COUNT(a)       (int)(sizeof(a) / sizeof((a)[0]))

static struct native *native;
static uint64_t features;

static void start(void)
{
	struct err err;

	setup();
	ck_assert_msg(!native_new(&native, &err), "%s", err.msg);
}

static void end(void)
{
	native_free(native);
	native = NULL;
	teardown();
}

static void fresh(void)
{
	fresh_cpu();
	cpu.native = native;
	cpu.host = features;
	cpu.regs.cr0 |= CR0_NE;
	cpu.regs.cr4 |= CR4_OSXMMEXCPT;
	for (unsigned i = 0; i < INSN_GPRS; i++)
		if (i != INSN_RSP && i != INSN_RDI)
			cpu.regs.gpr[i] = rnd() * 0x100000001ull ^ (uint64_t)rnd() << 40;
	cpu.regs.rflags = 2 | (rnd() & 0x8d5);
}

/* Numbers that are numbers, half of the time: x87 and SSE do the same with others much of the time. */
static void likely_numbers(uint8_t *p, unsigned size)
{
	double d = (double)(int32_t)rnd() / (1 + rnd() % 1000);
	float f = (float)d;

	for (unsigned i = 0; i + size <= 64; i += size)
		if (rnd() & 1)
			memcpy(p + i, size == 8 ? (void *)&d : (void *)&f, size);
}

static void random_round(unsigned round)
{
	long double x;

	fresh();
	fill(mem, 512);
	likely_numbers(mem, round & 1 ? 8 : 4);
	/* Numbers in x87's registers, most of which are in use. */
	for (unsigned i = 0; i < 8; i++) {
		x = (long double)(int32_t)rnd() / (1 + rnd() % 77);
		if (round % 3)
			memcpy(xsave + 32 + 16 * i, &x, 10);
	}
	xsave[4] = round % 4 ? 0xff : (uint8_t)rnd();
	likely_numbers(xsave + 160, 8);
	if (round % 5 == 4)
		put(xsave + 512, host_xcr0 & ~(uint64_t)(round & 7), 8);
}

/* For those whose address is made of more than rdi: they begin with @. */
static void small_indexes(void)
{
	cpu.regs.gpr[INSN_RCX] = rnd() % 16 * 16;
	cpu.regs.gpr[INSN_RSI] = rnd() % 16 * 16;
	cpu.regs.gpr[9] = (uintptr_t)mem + 64;
}

/* -- beside the processor -- */

static const char *const integer[] = {
	"f2 48 0f 38 f1 c1", "f2 0f 38 f0 c1", "f2 0f 38 f1 07", "66 f2 0f 38 f1 47 02", "f2 48 0f 38 f1 47 09", /* crc32 */
	"f2 0f 38 f0 c4",                                                               /* crc32 eax, ah */
	"c4 e2 f0 f2 d0", "c4 e2 70 f2 57 04",                                          /* andn */
	"c4 e2 f3 f6 d0", "c4 e2 f3 f6 57 04", "c4 e2 73 f6 57 04",                     /* mulx */
	"66 48 0f 38 f6 c8", "66 0f 38 f6 4f 03", "f3 48 0f 38 f6 c8", "f3 48 0f 38 f6 4f 08", /* adcx, adox */
	"c4 e3 fb f0 c8 03", "c4 e3 7b f0 4f 02 05",                                    /* rorx */
	"c4 e2 f9 f7 d1", "c4 e2 7b f7 57 01", "c4 e2 fa f7 57 08",                     /* shlx, shrx, sarx */
	"c4 e2 f3 f5 d0", "c4 e2 f2 f5 57 08",                                          /* pdep, pext */
	"c4 e2 f0 f3 c8", "c4 e2 f0 f3 5f 10", "c4 e2 f8 f7 d1", "c4 e2 f8 f5 57 08",   /* blsr, blsi, bextr, bzhi */
	"f3 48 0f bc c1", "f3 0f bc 47 01", "f3 48 0f bd c1", "f3 66 0f bd 47 01",      /* tzcnt, lzcnt */
	"f2 4d 0f 38 f1 c1", "@c4 c2 b8 f2 49 08", "@f2 41 0f 38 f0 44 09 02",            /* with r8 and r9, and an index */
};

static const char *const x87[] = {
	"db e3", "d9 ee", "d9 e8", "d9 eb", "d9 07", "dd 07", "db 2f", "d9 17", "dd 17", "d9 5f 04", "dd 5f 08", "db 7f 10",
	"df 07", "db 07", "df 2f", "df 17", "db 57 04", "df 7f 02", "db 4f 04", "df 27", "df 77 10",
	"d9 c9", "d9 c3", "dd d2", "dd da", "d8 07", "dc 07", "da 07", "de 07", "d8 c1", "dc c2", "de c1",
	"d8 67 04", "dc 67 08", "d8 e2", "dc ea", "de e9", "d8 4f 04", "dc 4f 08", "d8 c9", "de c9", "d8 77 04", "dc 7f 08",
	"d8 f1", "de f9", "de f1", "d9 e0", "d9 e1", "d8 d1", "d8 17", "dc 5f 08", "dd e1", "dd e9", "da e9", "de d9",
	"db f1", "db e9", "df f1", "df e9", "dd 3f", "df e0", "d9 3f", "d9 6f 00", "db e2", "dd c1", "d9 f7", "d9 f6",
	"d9 fa", "d9 fc", "d9 f0", "d9 f1", "d9 fe", "d9 ff", "d9 f2", "d9 f8", "d9 f5", "d9 fd", "d9 f4", "d9 e4", "d9 e5", "d9 d0",
	"da c1", "db d2", "dd 37", "66 dd 37", "dd 27", "d9 37", "66 d9 37", "d9 27", "dd b7 80 00 00 00", "48 dd 07", "9b",
	"@dc 44 0f 08",
};

static const char *const mmx[] = {
	"0f 77", "0f 6f c1", "0f 6f 07", "0f 7f 4f 08", "0f fc c1", "0f fe 4f 08", "0f ef c1", "0f 6e c1", "48 0f 6e 4f 08", "0f 7e c1",
	"0f 71 d1 03", "0f d5 c1", "0f 70 c1 1b", "0f 38 00 c1", "f3 0f d6 c1", "f2 0f d6 c8", "0f 2a c1", "0f 2d 4f 08", "0f d7 c1",
	"0f c4 c1 02", "0f e7 07",
	"4f 2e 0f 7f 0f", "41 66 0f fc 0f",     /* a REX prefix that another behind it makes void */
};

static const char *const sse[] = {
	"66 0f fe c1", "66 0f fe 07", "66 0f ef c1", "66 0f ef 47 10", "0f 57 c0", "0f 58 c1", "0f 58 07", "66 0f 58 c1", "f2 0f 58 47 08",
	"f3 0f 5e 47 04", "0f 5e c1", "66 0f 51 c1", "f3 0f 53 c1", "f2 48 0f 2a c1", "f3 0f 2a 07", "f2 48 0f 2d c1", "f2 0f 2c 47 08",
	"66 0f 2f c1", "0f 2e 07", "66 0f 70 c1 1b", "66 0f 62 c1", "66 0f 73 d9 04", "66 0f 73 f1 05", "66 0f d7 c1", "0f 50 c1",
	"66 0f c4 c1 02", "66 0f c5 c1 03", "66 0f 38 00 c1", "66 0f 38 00 07", "66 0f 3a 0f 47 10 05", "66 0f 38 1c c1",
	"66 0f 3a 16 c1 01", "66 0f 3a 22 47 04 02", "66 0f 38 10 c1", "66 0f 38 17 c1", "66 0f 3a 63 c1 0c", "66 0f 3a 60 4f 01 44",
	"66 0f 38 37 c1", "66 0f 38 dc c1", "66 0f 38 de 07", "66 0f 3a df c1 01", "66 0f 3a 44 c1 11", "0f 38 cb c1", "0f 38 cc c1",
	"0f 3a cc c1 02", "f3 0f 12 c1", "f2 0f d0 c1", "66 0f 2a c1", "66 0f e0 c1", "66 45 0f ef c7", "@66 44 0f fe 7c 37 00",
	"66 0f 38 cf c1", "66 0f 12 07", "66 0f 17 07", "0f c2 c1 05", "f2 0f c2 c1 01", "0f 5a 07", "66 0f 5a c1", "0f c6 c1 4e",
	"66 0f 38 40 47 10", "66 0f 3a 0b c1 01", "66 0f 38 41 c1", "f3 0f 16 47 10",
};

static const char *const avx[] = {
	"c5 f4 57 c2", "c5 f5 ef d0", "c5 fd ef 47 20", "c5 f5 fe 57 01", "c5 f1 fe d0", "c4 e2 75 00 d0", "c4 e3 fd 00 c1 4e",
	"c4 e3 75 38 d0 01", "c4 e3 7d 39 0f 01", "c4 e2 7d 5a 07", "c4 e2 7d 18 47 04", "c4 e2 7d 58 c1", "c5 f8 77", "c5 fc 77",
	"c4 e3 75 4c d0 30", "c4 e2 75 dc d0", "c4 e3 71 44 d0 11", "c4 e2 f5 b8 d0", "c4 e2 75 98 57 04", "c4 e2 7d 13 c1", "c4 e3 7d 1d 0f 00",
	"c5 f5 d4 d0", "c5 fd d7 c9", "c4 e2 7d 17 c1", "c5 f9 2e 07", "c4 e1 fb 2a c1", "c5 ed 72 f1 05", "c4 41 7d 6f c7",
	"@c5 fe 6f 44 0f 01", "@c4 c1 7d ef 41 00", "c4 e3 75 06 d0 21", "c4 e2 75 36 d0", "c5 fd 70 c1 b1", "c5 f5 6c d0",
};

static const char *const avx512[] = {
	"62 f1 75 48 fe d0", "62 f1 75 48 fe 57 01", "62 f1 75 58 fe 57 01", "62 f1 75 28 fe d0", "62 f1 fd 48 6f 07", "62 f1 7e 48 6f 4f 01",
	"62 f1 7e 48 7f 4f 01", "62 f1 75 49 fe d0", "62 f1 75 c9 fe d0", "62 f1 75 48 72 c2 07", "62 f3 75 48 25 d0 96", "62 f1 75 49 76 c8",
	"c5 fb 92 c8", "c5 fb 93 c9", "c4 e1 fb 92 c8", "c4 e1 f8 91 0f", "c4 e1 f8 90 4f 08", "c5 f4 42 d1", "62 f2 7d 48 58 47 02",
	"62 f2 7d 48 7c c1", "62 b1 75 40 fe d0", "62 f2 75 48 00 d0", "62 f3 f5 48 43 d0 4e", "62 f1 74 18 58 d0", "62 f2 75 48 8d d0",
	"62 f2 75 48 dc d0", "62 f3 75 48 44 d0 11", "62 f2 7d 28 55 c1", "62 f2 f5 48 b4 d0", "62 f2 75 48 50 d0", "62 f3 f5 48 ce d0 01",
};

static const struct list {
	const char *what, *const *text;
	int count;
} lists[] = {
	{ "integer", integer, COUNT(integer) }, { "x87", x87, COUNT(x87) }, { "mmx", mmx, COUNT(mmx) }, { "sse", sse, COUNT(sse) },
	{ "avx", avx, COUNT(avx) }, { "avx512", avx512, COUNT(avx512) },
};

static bool known(const char *text)
{
	uint8_t bytes[15];

	fresh();
	random_state(xsave, host_xcr0);
	put(xsave, 0x37f, 2);
	xsave[3] = 0;
	assist_run(&cpu, bytes, hex(text, bytes), &res);
	return res.kind != ASSIST_UNKNOWN;
}

/* Instructions that the test's own processor has not got are left out, which only AVX-512 and its like may be. */
START_TEST(as_the_processor)
{
	const struct list *l = &lists[_i];
	int done = 0;

	for (int i = 0; i < l->count; i++) {
		if (!known(l->text[i] + (*l->text[i] == '@')))
			continue;
		done++;
		for (unsigned round = 0; round < ROUNDS; round++) {
			random_round(round);
			if (*l->text[i] == '@')
				small_indexes();
			compare(l->text[i] + (*l->text[i] == '@'));
		}
	}
	ck_assert_msg(done == l->count || _i >= 4 || _i == 0, "%s: %d of %d", l->what, done, l->count);
}
END_TEST

/* -- what a test program's processor cannot show -- */

static const struct fault_case {
	const char *text;
	int vector;             /* -1: done */
	uint64_t cr0, cr4_off;
	unsigned offset;        /* of rdi in memory */
	uint64_t xcr0_off;
} fault_cases[] = {
	{ .text = "66 0f fe 07", .vector = -1 },
	{ .text = "66 0f fe 07", .vector = 13, .offset = 8 },
	{ .text = "66 0f fe 07", .vector = 6, .cr0 = CR0_EM },
	{ .text = "66 0f fe 07", .vector = 6, .cr0 = CR0_EM | CR0_TS },
	{ .text = "66 0f fe 07", .vector = 7, .cr0 = CR0_TS, .offset = 8 },
	{ .text = "66 0f fe 07", .vector = 6, .cr4_off = CR4_OSFXSR },
	{ .text = "f2 0f 58 07", .vector = -1, .offset = 1 },
	{ .text = "66 0f 3a 63 07 0c", .vector = -1, .offset = 1 },
	{ .text = "c5 fd ef 07", .vector = -1, .offset = 1, .cr4_off = CR4_OSFXSR },
	{ .text = "c5 fd ef 07", .vector = 6, .cr4_off = CR4_OSXSAVE },
	{ .text = "c5 fd ef 07", .vector = 6, .xcr0_off = 4 },
	{ .text = "c5 fd ef 07", .vector = 7, .cr0 = CR0_TS },
	{ .text = "c5 fd ef 07", .vector = -1, .cr0 = CR0_EM },
	{ .text = "dd 07", .vector = -1, .offset = 1, .cr4_off = CR4_OSFXSR },
	{ .text = "dd 07", .vector = 7, .cr0 = CR0_TS },
	{ .text = "dd 07", .vector = 7, .cr0 = CR0_EM },
	{ .text = "db e3", .vector = 7, .cr0 = CR0_TS },
	{ .text = "df e0", .vector = 7, .cr0 = CR0_EM },
	{ .text = "0f fc c1", .vector = -1, .cr4_off = CR4_OSFXSR },
	{ .text = "0f fc c1", .vector = 7, .cr0 = CR0_TS },
	{ .text = "0f fc c1", .vector = 6, .cr0 = CR0_EM },
	{ .text = "0f 77", .vector = 6, .cr0 = CR0_EM },
	{ .text = "f2 0f 38 f1 07", .vector = -1, .cr0 = CR0_EM | CR0_TS, .cr4_off = CR4_OSFXSR | CR4_OSXSAVE, .offset = 1 },
	{ .text = "c4 e2 f0 f2 d0", .vector = -1, .cr0 = CR0_EM | CR0_TS, .cr4_off = CR4_OSXSAVE },
	{ .text = "62 f1 75 48 fe d0", .vector = 6, .xcr0_off = 0xe0 },
};

START_TEST(faults)
{
	const struct fault_case *c = &fault_cases[_i];
	struct assist_cpu before;
	uint8_t kept[AREA];

	fresh();
	memset(mem, 0, AREA);
	cpu.regs.cr0 |= c->cr0;
	cpu.regs.cr4 &= ~c->cr4_off;
	cpu.regs.xcr0 &= ~c->xcr0_off;
	cpu.regs.gpr[INSN_RDI] += c->offset;
	before = cpu;
	memcpy(kept, xsave, AREA);
	run(c->text);
	if (res.kind == ASSIST_UNKNOWN && *c->text == '6' && c->text[1] == '2')
		return;
	if (c->vector < 0) {
		ck_assert_msg(res.kind == ASSIST_DONE, "%s: kind %d, vector %u", c->text, res.kind, res.vector);
		return;
	}
	ck_assert_msg(res.kind == ASSIST_EXCEPTION && res.vector == c->vector, "%s: kind %d, vector %u", c->text, res.kind,
		      res.vector);
	ck_assert_int_eq(res.has_code, c->vector == 13);
	ck_assert_mem_eq(&cpu.regs, &before.regs, sizeof(cpu.regs));
	ck_assert_mem_eq(kept, xsave, AREA);
	ck_assert(!cpu.xsave_changed);
}
END_TEST

/* A page that is not there, or may not be written: nothing has happened. */
START_TEST(page_faults)
{
	static const struct {
		const char *text;
		uint32_t code;
	} rows[] = {
		{ "66 0f fe 07", 0 }, { "c5 fe 7f 07", 2 }, { "db 3f", 2 }, { "dd 1f", 2 }, { "dd 07", 0 }, { "dd 37", 2 }, { "f2 0f 38 f1 07", 0 },
		{ "66 0f 3a 16 07 01", 2 }, { "d9 3f", 2 },
	};
	struct assist_cpu before;
	uint8_t kept[AREA];

	for (int i = 0; i < COUNT(rows); i++) {
		fresh();
		fault_at = cpu.regs.gpr[INSN_RDI] + 1;
		fault_size = 1;
		before = cpu;
		memcpy(kept, xsave, AREA);
		run(rows[i].text);
		ck_assert_msg(res.kind == ASSIST_EXCEPTION && res.vector == 14, "%s: kind %d, vector %u", rows[i].text, res.kind,
			      res.vector);
		ck_assert_uint_eq(res.code, rows[i].code);
		ck_assert_uint_eq(res.cr2, fault_at);
		ck_assert_mem_eq(&cpu.regs, &before.regs, sizeof(cpu.regs));
		ck_assert_mem_eq(kept, xsave, AREA);
	}
}
END_TEST

/* An exception of x87's waits for the next instruction that looks, and nobody here gets a signal. */
START_TEST(unmasked_x87)
{
	fresh();
	put(xsave, 0x37b, 2);           /* divisions by zero are not masked */
	put(xsave + 2, 0, 2);
	xsave[4] = 0;
	run("d9 ee");
	run("d9 e8");
	ck_assert_uint_eq(get64(xsave) >> 16 & 0x80, 0);
	run("d8 f1");                   /* 1 / 0 */
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	run("d9 e8");
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, 16);
	run("db 0f");                   /* fisttp, which came with SSE3 */
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, 16);
	run("df e0");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RAX] & 0x84, 0x84);
	run("db e2");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	run("d9 e8");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	/* The flags count, also in a state whose summary bit does not say so. */
	put(xsave + 2, 0x04, 2);
	run("d9 e8");
	ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
	ck_assert_uint_eq(res.vector, 16);
	put(xsave + 2, 0x80, 2);
	run("d9 e8");
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	/* Where the PC's interrupt is to tell of it, nobody can. */
	put(xsave + 2, 0x84, 2);
	cpu.regs.cr0 &= ~CR0_NE;
	run("d9 e8");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
}
END_TEST

/* 1 / 0 by SSE: a flag, or #XM, or #UD where the kernel does not know #XM. */
START_TEST(unmasked_sse)
{
	double one = 1, zero = 0;
	uint8_t kept[AREA];

	for (unsigned round = 0; round < 3; round++) {
		fresh();
		put(xsave + 24, round ? 0x1d82 : 0x1f82, 4);
		if (round == 2)
			cpu.regs.cr4 &= ~CR4_OSXMMEXCPT;
		memcpy(xsave + 160, &one, 8);
		memcpy(xsave + 176, &zero, 8);
		memcpy(kept, xsave, AREA);
		run("f2 0f 5e c1");
		if (!round) {
			ck_assert_int_eq(res.kind, ASSIST_DONE);
			ck_assert_uint_eq(get64(xsave + 24) & 0xffff, 0x1f86);
			ck_assert_uint_eq(get64(xsave + 160), 0x7ff0000000000000);
			continue;
		}
		ck_assert_int_eq(res.kind, ASSIST_EXCEPTION);
		ck_assert_uint_eq(res.vector, round == 1 ? 19 : 6);
		ck_assert(!res.has_code);
		if (round == 1)
			ck_assert_uint_eq(get64(xsave + 24) & 0xffff, 0x1d86);
		ck_assert_mem_eq(kept + 160, xsave + 160, AREA - 160);
		/* What was raised before is no reason. */
		memcpy(xsave + 176, &one, 8);
		put(xsave + 24, 0x1d86, 4);
		run("f2 0f 5e c1");
		ck_assert_int_eq(res.kind, ASSIST_DONE);
		ck_assert_uint_eq(get64(xsave + 24) & 0xffff, 0x1d86);
	}
}
END_TEST

/* x87 remembers the guest's addresses, not those of our code and buffer. */
START_TEST(x87_remembers_the_guest)
{
	fresh();
	put(xsave, 0x37b, 2);
	put(xsave + 2, 0, 2);
	xsave[4] = 0;
	cpu.regs.rip = 0xffffffff81000123;
	run("d9 e8");
	cpu.regs.rip = 0xffffffff81000321;
	memset(mem, 0, 8);
	run("dc 37");                   /* 1 / 0, which fails, and processors remember that at the least */
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(get64(xsave + 8), 0xffffffff81000321);
	ck_assert_uint_eq(get64(xsave + 16), (uintptr_t)mem);
}
END_TEST

START_TEST(code_of_32_bits)
{
	static const char *const texts[] = { "66 0f fe 07", "dd 07", "f2 0f 38 f1 07", "0f fe 47 08",
		/* Those that set flags, and those whose state in memory has another form. */
		"0f 2f c1", "66 0f 2e 07", "66 0f 38 17 c1", "66 0f 3a 63 c1 0c", "db f1", "df e9", "f3 0f bc c1", "66 0f 38 f6 c8",
		"df e0", "dd 37", "d9 27", "66 d9 37", "d9 f1" };

	for (int i = 0; i < COUNT(texts); i++) {
		fresh();
		fill(mem, 64);
		cpu.regs.code_bits = cpu.regs.stack_bits = 32;
		run(texts[i]);
		ck_assert_msg(res.kind == ASSIST_DONE, "%s", texts[i]);
		ck_assert_uint_eq(cpu.regs.rip, 0x1000 + strlen(texts[i]) / 3 + 1);
	}
}
END_TEST

/* The register that stands for the operand's address here is one that the instruction has no other use for. */
START_TEST(rdi_is_the_guests_too)
{
	uint64_t start = 0x1122334455667788, want;

	if (!known("f2 48 0f 38 f1 c1"))
		return;
	fresh();
	fill(mem, 64);
	cpu.regs.gpr[9] = (uintptr_t)mem;
	cpu.regs.gpr[INSN_RAX] = start;
	run("f2 49 0f 38 f1 01");       /* crc32 rax, [r9] */
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	want = cpu.regs.gpr[INSN_RAX];
	cpu.regs.gpr[INSN_RDI] = start;
	run("f2 49 0f 38 f1 39");       /* crc32 rdi, [r9] */
	ck_assert_int_eq(res.kind, ASSIST_DONE);
	ck_assert_uint_eq(cpu.regs.gpr[INSN_RDI], want);
}
END_TEST

/* Those that do more than compute, have more than one place in memory, or registers that are not the guest's alone. */
START_TEST(what_is_not_run)
{
	static const char *const texts[] = {
		"66 0f f7 c1", "0f f7 c1", "c4 e2 71 90 14 07", "c4 e2 75 2c 07", "62 f1 75 49 fe 07"
	};
	struct assist_cpu before;

	for (int i = 0; i < COUNT(texts); i++) {
		fresh();
		before = cpu;
		run(texts[i]);
		ck_assert_msg(res.kind == ASSIST_UNKNOWN, "%s: kind %d", texts[i], res.kind);
		ck_assert_mem_eq(&cpu.regs, &before.regs, sizeof(cpu.regs));
	}
	/* Without the native engine, or the instruction set, or with the stack pointer. */
	fresh();
	cpu.native = NULL;
	run("66 0f fe c1");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	fresh();
	cpu.host = 0;
	run("66 0f fe c1");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	fresh();
	run("f2 48 0f 38 f1 cc");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
	fresh();
	cpu.regs.code_bits = cpu.regs.stack_bits = 32;
	run("c5 fd ef c1");
	ck_assert_int_eq(res.kind, ASSIST_UNKNOWN);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("native");
	TCase *t = tcase_create("native");
	struct err err;
	struct native *n;

	read_host();
	if (native_new(&n, &err))
		return unit_skip_all(err.msg);
	native_free(n);
	features = assist_host_features();
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, start, end);
	tcase_add_loop_test(t, as_the_processor, 0, COUNT(lists));
	tcase_add_loop_test(t, faults, 0, COUNT(fault_cases));
	tcase_add_test(t, page_faults);
	tcase_add_test(t, unmasked_x87);
	tcase_add_test(t, unmasked_sse);
	tcase_add_test(t, x87_remembers_the_guest);
	tcase_add_test(t, code_of_32_bits);
	tcase_add_test(t, rdi_is_the_guests_too);
	tcase_add_test(t, what_is_not_run);
	suite_add_tcase(s, t);
	return unit_main(s);
}
