/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The instruction decoder: classes, accesses, addresses against a model of its own, and finding who made an access. */
#include "arch/x86/insn/insn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

static struct insn_regs r;
static uint32_t seed;

static uint32_t rnd(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static void regs_for(unsigned bits)
{
	r = (struct insn_regs){ .code_bits = bits, .stack_bits = bits, .rip = 0x1000, .cr0 = 1 };
	for (unsigned i = 0; i < INSN_GPRS; i++)
		r.gpr[i] = 0x10000 + 0x1000 * i;
	r.base[INSN_FS] = 0x700000;
}

static void setup(void)
{
	seed = 11;
	regs_for(64);
}

static unsigned hex(const char *text, uint8_t *ret)
{
	unsigned n = 0;
	char *end;

	for (const char *p = text; *p; p = *end ? end + 1 : end)
		ret[n++] = (uint8_t)strtoul(p, &end, 16);
	return n;
}

/* "13ff8+8w": address, size, read and written; "i": implicit. */
static const struct { unsigned bits; const char *text; enum insn_class class; const char *accesses; } rows[] = {
	{ 64, "50", INSN_OTHER, "13ff8+8wi" }, { 64, "66 50", INSN_OTHER, "13ffe+2wi" }, { 64, "58", INSN_OTHER, "14000+8ri" },
	{ 64, "8f 04 24", INSN_OTHER, "14008+8w 14000+8ri" }, { 64, "ff 14 24", INSN_OTHER, "14000+8r 13ff8+8wi" },
	{ 64, "e8 00 00 00 00", INSN_OTHER, "13ff8+8wi" }, { 64, "c3", INSN_OTHER, "14000+8ri" },
	{ 32, "60", INSN_OTHER, "13fe0+32wi" }, { 32, "61", INSN_OTHER, "14000+32ri" },
	{ 64, "c8 10 00 02", INSN_OTHER, "13fe8+24wi 14ff8+8ri" }, { 64, "c9", INSN_OTHER, "15000+8ri" },
	{ 64, "9c", INSN_PUSHF, "13ff8+8wi" }, { 64, "9d", INSN_POPF, "14000+8ri" },
	{ 64, "48 cf", INSN_IRET, "14000+40ri" }, { 32, "cf", INSN_IRET, "14000+12ri" },
	{ 64, "cc", INSN_INT, "" }, { 64, "cd 80", INSN_INT, "" }, { 32, "ce", INSN_INT, "" }, { 64, "f1", INSN_INT, "" },
	{ 64, "0f 05", INSN_SYSCALL, "" }, { 64, "0f 34", INSN_SYSENTER, "" }, { 64, "48 0f 07", INSN_SYSRET, "" },
	{ 64, "0f 35", INSN_SYSEXIT, "" }, { 64, "8e d0", INSN_MOV_SS, "" }, { 64, "8e 17", INSN_MOV_SS, "17000+2r" },
	{ 64, "8e d8", INSN_OTHER, "" }, { 32, "17", INSN_MOV_SS, "14000+4ri" }, { 64, "fb", INSN_STI, "" },
	{ 64, "fa", INSN_CLI, "" }, { 64, "f4", INSN_HLT, "" }, { 64, "e5 10", INSN_IN, "" }, { 64, "ee", INSN_OUT, "" },
	{ 64, "6c", INSN_INS, "17000+1wi" }, { 64, "6f", INSN_OUTS, "16000+4ri" },
	{ 64, "f3 6c", INSN_INS, "17000+1wi" }, { 64, "0f 23 f8", INSN_WRITE_DR, "" }, { 64, "0f 21 f1", INSN_READ_DR, "" },
	{ 64, "a4", INSN_OTHER, "17000+1wi 16000+1ri" }, { 64, "f3 48 a7", INSN_OTHER, "16000+8ri 17000+8ri" },
	{ 64, "d7", INSN_OTHER, "13000+1ri" }, { 64, "0f ae 07", INSN_OTHER, "17000+512w" },
	{ 64, "0f ae 27", INSN_OTHER, "17000+576rw" }, { 64, "66 0f f7 c1", INSN_OTHER, "17000+16wi" },
	{ 64, "48 0f c7 0f", INSN_OTHER, "17000+16rw" }, { 64, "f0 0f ab 07", INSN_OTHER, "19000+4rw" },
	{ 64, "0f ba 2f 05", INSN_OTHER, "17000+4rw" }, { 64, "48 0f ab 07", INSN_OTHER, "19000+8rw" },
	{ 64, "8d 07", INSN_OTHER, "" }, { 64, "0f 1f 07", INSN_OTHER, "" }, { 64, "0f 18 07", INSN_OTHER, "" },
	{ 64, "0f 01 3f", INSN_OTHER, "" }, { 64, "0f ae 3f", INSN_OTHER, "" }, { 64, "0f 01 17", INSN_OTHER, "17000+10r" },
	{ 64, "66 0f 38 f8 07", INSN_OTHER, "17000+64r 10000+64wi" }, { 64, "89 05 10 00 00 00", INSN_OTHER, "1016+4w" },
	{ 64, "64 8b 04 25 28 00 00 00", INSN_OTHER, "700028+4r" }, { 64, "c5 fe 7f 07", INSN_OTHER, "17000+32w" },
	{ 64, "62 f1 7c 48 29 07", INSN_OTHER, "17000+64w" }, { 64, "62 f1 7c 58 58 07", INSN_OTHER, "17000+4r" },
	{ 64, "87 07", INSN_OTHER, "17000+4rw" }, { 64, "67 50", INSN_OTHER, "13ff8+8wi" },
	{ 16, "67 89 07", INSN_OTHER, "17000+2w" }, { 16, "89 07", INSN_OTHER, "3000+2w" }, { 32, "62 07", INSN_OTHER, "17000+8r" },
};

START_TEST(classes_and_accesses)
{
	char got[200] = "";
	uint8_t bytes[15];
	unsigned n = hex(rows[_i].text, bytes);
	struct insn insn;

	regs_for(rows[_i].bits);
	ck_assert_msg(!insn_decode(&r, bytes, n, &insn), "%s", rows[_i].text);
	ck_assert_uint_eq(insn.len, n);
	ck_assert_int_eq(insn.class, rows[_i].class);
	ck_assert_int_eq(insn_classify(bytes, n, rows[_i].bits), rows[_i].class);
	for (unsigned i = 0; i < insn.naccess; i++)
		sprintf(got + strlen(got), "%s%lx+%u%s%s%s", i ? " " : "", insn.access[i].gva, insn.access[i].size,
			insn.access[i].read ? "r" : "", insn.access[i].write ? "w" : "", insn.access[i].implicit ? "i" : "");
	ck_assert_msg(!strcmp(got, rows[_i].accesses), "%s: %s, not %s", rows[_i].text, got, rows[_i].accesses);
	ck_assert(!insn.partial);
	/* Any part of it is not enough, or something else. */
	for (unsigned k = 0; k < n; k++) {
		int e = insn_decode(&r, bytes, k, &insn);

		ck_assert(e == -EFAULT || (!e && insn.len <= k) || e == -EINVAL);
	}
	ck_assert_int_eq(insn_decode(&r, bytes, 0, &insn), -EFAULT);
}
END_TEST

static struct insn decoded(const char *text)
{
	uint8_t bytes[15];
	struct insn insn;
	unsigned n = hex(text, bytes);

	ck_assert_int_eq(insn_decode(&r, bytes, n, &insn), 0);
	return insn;
}

START_TEST(details)
{
	struct insn i;
	uint8_t bytes[15];

	ck_assert_uint_eq(decoded("cc").number, 3);
	ck_assert_uint_eq(decoded("cd 80").number, 0x80);
	ck_assert_uint_eq(decoded("f1").number, 1);
	i = decoded("0f 23 f8");
	ck_assert_uint_eq(i.number, 7);
	ck_assert_uint_eq(i.gpr, INSN_RAX);
	i = decoded("41 0f 21 f1");
	ck_assert_uint_eq(i.number, 6);
	ck_assert_uint_eq(i.gpr, 9);
	ck_assert(decoded("f0 0f ab 07").lock);
	ck_assert(decoded("87 07").lock);
	ck_assert(!decoded("89 07").lock);
	i = decoded("f3 a4");
	ck_assert(i.rep);
	ck_assert_uint_eq(i.count, r.gpr[INSN_RCX]);
	r.gpr[INSN_RCX] = 1ull << 32;
	ck_assert_uint_eq(decoded("67 f3 a4").count, 0);
	ck_assert_uint_eq(decoded("67 f3 a4").naccess, 0);
	ck_assert_uint_eq(decoded("f3 6c").written & 1 << INSN_RDI, 1 << INSN_RDI);
	r.xsave_size = 2432;
	ck_assert_uint_eq(decoded("0f ae 2f").access[0].size, 2432);
	/* A gather's addresses are in a vector register. */
	ck_assert(decoded("c4 e2 69 90 04 0f").partial);
	/* Bit -1 is below the operand. */
	r.gpr[INSN_RAX] = (uint32_t)-1;
	ck_assert_uint_eq(decoded("0f a3 07").access[0].gva, r.gpr[INSN_RDI] - 4);
	ck_assert_int_eq(insn_decode(&r, bytes, hex("06", bytes), &i), -EINVAL);
	ck_assert_int_eq(insn_decode(&r, bytes, hex("0f ff", bytes), &i) == 0, 0);
	memset(bytes, 0x66, sizeof(bytes));
	ck_assert_int_eq(insn_decode(&r, bytes, sizeof(bytes), &i), -EINVAL);
	r.rflags = 0;
	/* A REX prefix is an instruction elsewhere. */
	ck_assert_int_eq(insn_classify(bytes, hex("48 9c", bytes), 64), INSN_PUSHF);
	ck_assert_int_eq(insn_classify(bytes, hex("48 9c", bytes), 32), INSN_OTHER);
	ck_assert_int_eq(insn_classify(bytes, hex("66 f2 9d", bytes), 32), INSN_POPF);
	ck_assert_int_eq(insn_classify(bytes, hex("0f", bytes), 64), INSN_OTHER);
}
END_TEST

START_TEST(text)
{
	uint8_t bytes[15];
	char line[80];

	insn_text(&r, bytes, hex("0f ae 2f", bytes), line, sizeof(line));
	ck_assert_str_eq(line, "0f ae 2f  xrstor [rdi]");
	insn_text(&r, bytes, hex("06", bytes), line, sizeof(line));
	ck_assert_str_eq(line, "06  (bad)");
	insn_text(&r, bytes, hex("0f ae 2f", bytes), line, 6);
	ck_assert_str_eq(line, "0f ae");
	/* Nothing at all, after what was there before. */
	insn_text(&r, bytes, 0, line, sizeof(line));
	ck_assert_str_eq(line, " (bad)");
}
END_TEST

/* MOV [base + index * scale + disp], eax with a SIB byte, in 32- and 64-bit code, against the sum itself. */
START_TEST(random_sib)
{
	static const int segs[] = { -1, INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS };
	static const uint8_t prefix[] = { 0, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };

	for (unsigned round = 0; round < 20000; round++) {
		unsigned bits = rnd() & 1 ? 64 : 32, rex = bits == 64 ? rnd() & 3 : 0, base = rnd() & 7, index = rnd() & 7;
		unsigned scale = rnd() & 3, mod = rnd() % 3, n = 0, seg = rnd() % 7, b, x;
		bool narrow = bits == 64 && rnd() % 4 == 0;
		int32_t disp = (int32_t)(rnd() << 8 | (rnd() & 0xff));
		uint64_t want = 0;
		enum insn_seg used;
		uint8_t bytes[15];
		struct insn i;

		regs_for(bits);
		for (unsigned k = 0; k < INSN_GPRS; k++)
			r.gpr[k] = (uint64_t)rnd() << 40 | (uint64_t)rnd() << 16 | rnd();
		for (unsigned k = 0; k < INSN_SEGS; k++)
			r.base[k] = bits == 64 ? (uint64_t)rnd() << 20 : rnd() << 4;
		if (seg)
			bytes[n++] = prefix[seg];
		if (narrow)
			bytes[n++] = 0x67;
		if (rex)
			bytes[n++] = (uint8_t)(0x40 | rex);
		bytes[n++] = 0x89;
		bytes[n++] = (uint8_t)(mod << 6 | 4);
		bytes[n++] = (uint8_t)(scale << 6 | index << 3 | base);
		b = base | (rex & 1) << 3;
		x = index | (rex & 2) << 2;
		if (mod == 1)
			disp = (int8_t)disp;
		if (mod == 1)
			bytes[n++] = (uint8_t)disp;
		else if (mod == 2 || base == 5) {
			memcpy(bytes + n, &disp, 4);
			n += 4;
		} else
			disp = 0;
		want = (uint64_t)(int64_t)disp;
		if (mod || base != 5)
			want += r.gpr[b];
		if (x != 4)
			want += r.gpr[x] << scale;
		used = seg ? (enum insn_seg)segs[seg]
			   : (mod || base != 5) && (b == INSN_RSP || b == INSN_RBP) ? INSN_SS : INSN_DS;
		if (bits == 32 || narrow)
			want = (uint32_t)want;
		if (bits == 32)
			want = (uint32_t)(want + r.base[used]);
		else if (used >= INSN_FS)
			want += r.base[used];
		ck_assert_int_eq(insn_decode(&r, bytes, n, &i), 0);
		ck_assert_uint_eq(i.len, n);
		ck_assert_uint_eq(i.naccess, 1);
		ck_assert_msg(i.access[0].gva == want, "round %u: 0x%lx, not 0x%lx", round, i.access[0].gva, want);
	}
}
END_TEST

/* The eight forms of 16-bit addresses wrap in 64 KiB. */
START_TEST(random_16bit)
{
	static const int8_t forms[8][2] = { { 3, 6 }, { 3, 7 }, { 5, 6 }, { 5, 7 }, { 6, -1 }, { 7, -1 }, { 5, -1 }, { 3, -1 } };

	for (unsigned round = 0; round < 5000; round++) {
		unsigned rm = rnd() & 7;
		uint16_t disp = (uint16_t)rnd(), want;
		uint8_t bytes[4] = { 0x89, (uint8_t)(0x80 | rm), (uint8_t)disp, (uint8_t)(disp >> 8) };
		bool stack = rm == 2 || rm == 3 || rm == 6;
		struct insn i;

		regs_for(16);
		r.cr0 = rnd() & 1;
		for (unsigned k = 0; k < 8; k++)
			r.gpr[k] = rnd();
		r.base[INSN_DS] = rnd();
		r.base[INSN_SS] = rnd();
		want = (uint16_t)(disp + r.gpr[forms[rm][0]] + (forms[rm][1] < 0 ? 0 : r.gpr[forms[rm][1]]));
		ck_assert_int_eq(insn_decode(&r, bytes, 4, &i), 0);
		ck_assert_uint_eq(i.access[0].gva, (uint32_t)(want + r.base[stack ? INSN_SS : INSN_DS]));
	}
}
END_TEST

/* What may come before, and what made the access: its address with the registers as setup() has them, or as it leaves them. */
static const char *const before_texts[] = {
	"48 89 e5", "55", "8b 45 44", "83 c0 48", "90", "0f b6 c0", "48 8b 5b 08", "31 db", "b8 44 00 00 00", "41 57", "e8 66 48 00 00",
	"c7 45 f8 01 00 00 00", "75 0a", "48 8d 05 f2 f3 64 65",
};
static const struct { const char *text; uint64_t gva; unsigned size; bool write; int want; } stores[] = {
	{ "89 07", 0x17000, 4, true, 0 }, { "44 89 07", 0x17000, 4, true, 0 }, { "48 89 07", 0x17000, 8, true, 0 },
	{ "66 89 07", 0x17000, 2, true, 0 }, { "88 07", 0x17000, 1, true, 0 }, { "40 88 37", 0x17000, 1, true, 0 },
	{ "c7 07 01 00 00 00", 0x17000, 4, true, 0 }, { "48 89 44 1f 08", 0x2a008, 8, true, 0 }, { "01 47 10", 0x17010, 4, true, 0 },
	{ "f0 ff 07", 0x17000, 4, true, 0 }, { "0f 11 07", 0x17008, 8, true, 0 }, { "55", 0x14000, 8, true, 0 },
	{ "ff 30", 0x14000, 8, true, 0 }, { "ab", 0x16ffc, 4, true, 0 }, { "48 ab", 0x16ff8, 8, true, 0 },
	{ "a4", 0x16fff, 1, true, 0 }, { "8f 04 24", 0x14000, 8, true, 0 }, { "8b 07", 0x17000, 4, false, 0 },
	{ "48 8b 3f", 0x99990, 8, false, 0 }, { "58", 0x13ff8, 8, false, 0 }, { "0f b6 07", 0x17000, 1, false, 0 },
	{ "c6 05 10 00 00 00 05", 0x1010, 1, true, 0 }, { "89 07", 0x55555, 4, true, -ENOENT }, { "89 07", 0x17000, 4, false, -ENOENT },
	{ "90", 0x17000, 4, true, -ENOENT },
};

START_TEST(finds_the_writer)
{
	unsigned right = 0, none = 0, rounds = 400;

	for (unsigned round = 0; round < rounds; round++) {
		uint8_t bytes[128];
		unsigned n = 0, own, len = 0;
		int e;

		for (unsigned k = 0; k < 10; k++)
			n += hex(before_texts[rnd() % (sizeof(before_texts) / sizeof(before_texts[0]))], bytes + n);
		own = hex(stores[_i].text, bytes + n);
		n += own;
		r.rip = 0x1000;
		e = insn_find_access(&r, bytes, n, stores[_i].gva, stores[_i].size, stores[_i].write, &len);
		if (stores[_i].want) {
			ck_assert_int_eq(e, stores[_i].want);
			ck_assert_uint_eq(len, 0);
		}
		right += !e && len == own;
		none += e != 0;
	}
	/* What comes before may end in what looks like a prefix, and is then now and then taken for one. */
	if (!stores[_i].want)
		ck_assert_msg(right >= rounds * 9 / 10, "%s: %u right, %u without an answer, of %u", stores[_i].text, right, none,
			      rounds);
}
END_TEST

START_TEST(says_when_there_is_no_telling)
{
	uint8_t bytes[15];
	unsigned len = 7;

	/* With nothing before it, the first byte may be a prefix of it or not. */
	ck_assert_int_eq(insn_find_access(&r, bytes, hex("44 89 07", bytes), 0x17000, 4, true, &len), -ENOTUNIQ);
	ck_assert_uint_eq(len, 7);
	ck_assert_int_eq(insn_find_access(&r, bytes, 0, 0x17000, 4, true, &len), -ENOENT);
	ck_assert_int_eq(insn_find_access(&r, bytes, hex("48 89 07", bytes), 0x17000, 4, true, &len), 0);
	ck_assert_uint_eq(len, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("insn");
	TCase *t = tcase_create("insn");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, classes_and_accesses, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(t, details);
	tcase_add_test(t, text);
	tcase_add_test(t, random_sib);
	tcase_add_test(t, random_16bit);
	tcase_add_loop_test(t, finds_the_writer, 0, (int)(sizeof(stores) / sizeof(stores[0])));
	tcase_add_test(t, says_when_there_is_no_telling);
	suite_add_tcase(s, t);
	return unit_main(s);
}
