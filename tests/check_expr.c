/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expressions, against an environment of three registers, three symbols and 16 bytes of memory. */
#include "monitor/expr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#define MEM_BASE 0x1000

static const uint8_t memory[16] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
				    0xee, 0xff, 0x00 };
static unsigned asked;          /* how often the environment was */

static const struct {
	const char *name;
	uint64_t value;
} regs[] = { { "rax", 5 }, { "pc", 0x7c05 }, { "big", UINT64_MAX } },
  syms[] = { { "main", 0x1000 }, { "foo.part.0", 0x2000 }, { "u32", 0x3000 } };

static int env_reg(void *arg, const char *name, size_t len, uint64_t *ret, struct err *err)
{
	(void)arg;
	asked++;
	for (size_t i = 0; i < 3; i++)
		if (strlen(regs[i].name) == len && !memcmp(regs[i].name, name, len)) {
			*ret = regs[i].value;
			return 0;
		}
	return err_set(err, ENOENT, "no register %.*s", (int)len, name);
}

static int env_sym(void *arg, const char *name, size_t len, uint64_t *ret, struct err *err)
{
	(void)arg;
	asked++;
	for (size_t i = 0; i < 3; i++)
		if (strlen(syms[i].name) == len && !memcmp(syms[i].name, name, len)) {
			*ret = syms[i].value;
			return 0;
		}
	return err_set(err, ENOENT, "no symbol %.*s", (int)len, name);
}

static int env_mem(void *arg, uint64_t gva, unsigned size, uint64_t *ret, struct err *err)
{
	(void)arg;
	asked++;
	/* A refusal with this code must not look like a malformed expression. */
	if (gva == 0x666)
		return err_set(err, EINVAL, "cursed");
	if (gva < MEM_BASE || gva - MEM_BASE > sizeof(memory) - size)
		return err_set(err, EFAULT, "not mapped");
	*ret = 0;
	memcpy(ret, memory + (gva - MEM_BASE), size);
	return 0;
}

static const struct expr_env env = { .reg = env_reg, .sym = env_sym, .mem = env_mem };

static const struct {
	const char *text;
	uint64_t value;
} good[] = {
	/* numbers */
	{ "0", 0 }, { "42", 42 }, { "0x7c00", 0x7c00 }, { "4K", 4096 }, { "2m", 2 << 20 }, { "010", 10 },
	{ "18446744073709551615", UINT64_MAX }, { "'a'", 'a' }, { "'\\n'", '\n' }, { "'\\x41'", 'A' },
	{ "'\\''", '\'' },
	{ "'\\0'", 0 }, { "' '", ' ' },
	/* names */
	{ "$rax", 5 }, { "$pc", 0x7c05 }, { "main", 0x1000 }, { "main+4", 0x1004 }, { "foo.part.0", 0x2000 },
	{ "u32", 0x3000 }, { "  main  ", 0x1000 },
	/* arithmetic and precedence */
	{ "1+2*3", 7 }, { "(1+2)*3", 9 }, { "10-3-2", 5 }, { "100/7/2", 7 }, { "17%5", 2 }, { "2*3%4", 2 },
	{ "1<<4|1", 17 }, { "1|2^3&4", 3 }, { "6&3==3", 0 }, { "(6&3)==2", 1 }, { "1+1<<2", 8 }, { "1<<2+1", 8 },
	{ "7>3==1", 1 }, { "1<2<3", 1 }, { "3>=3", 1 }, { "3<=2", 0 }, { "3!=3", 0 }, { "0x10>>4", 1 },
	{ "1||0&&0", 1 }, { "0^0xff|1", 0xff }, { "2-1 != 1", 0 },
	/* unary */
	{ "-1", UINT64_MAX }, { "--1", 1 }, { "~0", UINT64_MAX }, { "!5", 0 }, { "!!5", 1 }, { "-~0", 1 },
	{ "+3", 3 },
	{ "5--3", 8 }, { "5 - -3", 8 },
	/* unsigned, and shifts past the width */
	{ "-1 > 0", 1 }, { "-8 >> 1", 0x7ffffffffffffffc }, { "-1/2", 0x7fffffffffffffff },
	{ "1<<63", 1ULL << 63 },
	{ "1<<64", 0 }, { "1>>64", 0 }, { "$big+1", 0 }, { "0-1", UINT64_MAX },
	/* memory */
	{ "*main", 0x8877665544332211 }, { "*(u8)main", 0x11 }, { "*(u16)main", 0x2211 },
	{ "*(u32)(main+4)", 0x88776655 }, { "*(u64)0x1000", 0x8877665544332211 }, { "*(u8)main+1", 0x12 },
	{ "*( u16 )main", 0x2211 }, { "2**(u8)main", 0x22 }, { "*(u8)0x1001*2", 0x44 },
	{ "*(main+8)", 0x00ffeeddccbbaa99 },{ "-*(u8)main", (uint64_t)-0x11 },
	/* choice */
	{ "1?2:3", 2 }, { "0?2:3", 3 }, { "0?1:0?2:3", 3 }, { "1?0?4:5:6", 5 }, { "1 ? main : nothing", 0x1000 },
	{ "0||2", 1 }, { "2&&3", 1 }, { "0&&0", 0 },
	/* what does not count is not evaluated */
	{ "0 && *0", 0 }, { "1 || *0", 1 }, { "1 || 1/0", 1 }, { "0 ? $nosuch : 7", 7 }, { "0 && nosuch", 0 },
	{ "1 || (0 ? *0 : *1)", 1 },
};

START_TEST(values)
{
	struct err err = { 0 };
	uint64_t v = 0;
	int r = expr_eval(good[_i].text, strlen(good[_i].text), 1, &env, NULL, &v, &err);

	ck_assert_msg(!r, "%s: %s", good[_i].text, err.msg);
	ck_assert_msg(v == good[_i].value, "%s: 0x%" PRIx64, good[_i].text, v);
}
END_TEST

static const struct {
	const char *text;
	int code;
	const char *message;    /* how it begins */
} bad[] = {
	{ "", EINVAL, "column 1: the expression ends too early" },
	{ "   ", EINVAL, "column 4: the expression ends" },
	{ "1+", EINVAL, "column 3: the expression ends" }, { "(1", EINVAL, "column 3: the expression ends" },
	{ "1)", EINVAL, "column 2: unexpected ')'" }, { "()", EINVAL, "column 2: unexpected ')'" },
	{ "1 2", EINVAL, "column 3: unexpected '2'" }, { "*", EINVAL, "column 2: the expression ends" },
	{ "1?2", EINVAL, "column 4: the expression ends" }, { "1?2;3", EINVAL, "column 4: unexpected ';'" },
	{ "?1:2", EINVAL, "column 1: unexpected '?'" }, { "1 ++ ", EINVAL, "column 6: the expression ends" },
	{ "12abc", EINVAL, "column 1: '12abc' is not a number" },
	{ "0x", EINVAL, "column 1: '0x' is not a number" },
	{ "0xg", EINVAL, "column 1: '0xg' is not" },
	{ "18446744073709551616", EINVAL, "column 1: '18446744073709551616' does not fit" },
	{ "1Z", EINVAL, "column 1: '1Z' is not" }, { "$", EINVAL, "column 1: a register name should follow" },
	{ "$ rax", EINVAL, "column 1: a register name" }, { "''", EINVAL, "column 1: not a character constant" },
	{ "'", EINVAL, "column 1: not a character" }, { "'ab'", EINVAL, "column 1: not a character" },
	{ "'\\q'", EINVAL, "column 1: not a character" }, { "1 = 1", EINVAL, "column 3: unexpected '='" },
	{ "1 @ 1", EINVAL, "column 3: unexpected '@'" }, { "0 && (1", EINVAL, "column 8: the expression ends" },
	{ "*(u24)main", ENOENT, "column 3: no symbol u24" }, { "\x01", EINVAL, "column 1: unexpected" },
	{ "1/0", EDOM, "column 2: division by zero" }, { "5 + 1%0", EDOM, "column 6: division by zero" },
	{ "nosuch", ENOENT, "column 1: no symbol nosuch" },
	{ "1+$nosuch", ENOENT, "column 3: no register nosuch" },
	{ "*0", EFAULT, "column 1: not mapped" }, { "*(u16)0x100f", EFAULT, "column 1: not mapped" },
	{ "1+*(u8)*(u8)main", EFAULT, "column 3: not mapped" }, { "*(u8)0x666", EIO, "column 1: cursed" },
	 { "1 || 2 ? *0 : 3", EFAULT, "column 10: not mapped" },
};

START_TEST(failures)
{
	struct err err = { 0 };
	uint64_t v = 0xdead;
	int r = expr_eval(bad[_i].text, strlen(bad[_i].text), 1, &env, NULL, &v, &err);

	ck_assert_msg(r == -bad[_i].code, "'%s': %d, %s", bad[_i].text, r, err.msg);
	ck_assert_msg(!strncmp(err.msg, bad[_i].message, strlen(bad[_i].message)), "'%s': %s", bad[_i].text,
		      err.msg);
	ck_assert_msg(v == 0xdead, "the result is untouched");
}
END_TEST

START_TEST(prefix)
{
	static const struct {
		const char *text;
		uint64_t value;
		size_t used;
	} rows[] = {
		{ "main 10", 0x1000, 4 }, { "main+4 cr3=5", 0x1004, 6 }, { "1==1 \"text\"", 1, 4 },
		{ "$rax  # note", 5, 4 }, { "1 -1", 0, 4 }, { "(1) (2)", 1, 3 }, { "1", 1, 1 },
	};
	struct err err;
	uint64_t v;
	size_t used;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(expr_eval(rows[i].text, strlen(rows[i].text), 1, &env, &used, &v, &err), 0);
		ck_assert_msg(v == rows[i].value, "%s", rows[i].text);
		/* Trailing space may count in. */
		ck_assert_msg(used == rows[i].used || strspn(rows[i].text + rows[i].used,
							     " ") == used - rows[i].used,
			      "%s: %zu", rows[i].text, used);
	}
}
END_TEST

START_TEST(columns_count_from_the_line)
{
	struct err err;
	uint64_t v;

	ck_assert_int_eq(expr_eval("1/0", 3, 7, &env, NULL, &v, &err), -EDOM);
	ck_assert_str_eq(err.msg, "column 8: division by zero");
}
END_TEST

START_TEST(length_is_obeyed)
{
	uint64_t v;

	ck_assert_int_eq(expr_eval("12345", 3, 1, &env, NULL, &v, NULL), 0);
	ck_assert_uint_eq(v, 123);
	ck_assert_int_eq(expr_eval("1\0" "2", 3, 1, &env, NULL, &v, NULL), -EINVAL);
}
END_TEST

START_TEST(skipped_sides_ask_nobody)
{
	uint64_t v;

	asked = 0;
	ck_assert_int_eq(expr_eval("0 && ($rax + main + *(u8)5)", 27, 1, &env, NULL, &v, NULL), 0);
	ck_assert_uint_eq(asked, 0);
}
END_TEST

static int eval_repeated(const char *open, const char *middle, const char *close, size_t n)
{
	size_t len = n * (strlen(open) + strlen(close)) + strlen(middle), at = 0;
	char *s = malloc(len + 1);
	uint64_t v;
	int r;

	for (size_t i = 0; i < n; i++)
		at += (size_t)sprintf(s + at, "%s", open);
	at += (size_t)sprintf(s + at, "%s", middle);
	for (size_t i = 0; i < n; i++)
		at += (size_t)sprintf(s + at, "%s", close);
	r = expr_eval(s, at, 1, &env, NULL, &v, NULL);
	free(s);
	return r;
}

START_TEST(depth)
{
	ck_assert_int_eq(eval_repeated("(", "1", ")", 30), 0);
	ck_assert_int_eq(eval_repeated("(", "1", ")", 100000), -EINVAL);
	ck_assert_int_eq(eval_repeated("-", "1", "", 30), 0);
	ck_assert_int_eq(eval_repeated("-", "1", "", 100000), -EINVAL);
	ck_assert_int_eq(eval_repeated("*(u8)", "0x1000", "", 100000), -EINVAL);
	ck_assert_int_eq(eval_repeated("1?", "1", ":2", 100000), -EINVAL);
	/* Long but flat is no trouble. */
	ck_assert_int_eq(eval_repeated("", "1", "+1", 100000), 0);
	ck_assert_int_eq(eval_repeated("", "1", "||1", 50000), 0);
}
END_TEST

START_TEST(fuzz)
{
	static const char *const parts[] = {
		"(", ")", "+", "-", "*", "/", "%", "<<", ">>", "<", ">", "<=", ">=", "==", "!=", "&", "|", "^",
		"&&",
		"||", "!", "~", "?", ":", "$rax", "$", "main", "1", "0x7c00", "4K", "'a'", "'", "(u8)", "*(u32)",
		" ",
		"\t", "nosuch", "99999999999999999999", "\xff", "\"", "\\", "0",
	};
	char text[256];
	struct err err;
	uint64_t v;
	size_t used;

	srand(20240601);
	for (unsigned round = 0; round < 50000; round++) {
		size_t len = 0;
		int n = rand() % 24, r, c;

		for (int i = 0; i < n; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
						parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))]);
		if (len && rand() % 4 == 0)
			text[(size_t)rand() % len] = (char)rand();
		/* From the heap with the exact size, so that a byte too many is seen. */
		char *exact = malloc(len ? len : 1);

		memcpy(exact, text, len);
		used = SIZE_MAX;
		err.msg[0] = '\0';
		r = expr_eval(exact, len, 1, &env, round & 1 ? &used : NULL, &v, &err);
		ck_assert_msg(r <= 0 && (r == 0) == (err.msg[0] == '\0'), "%.*s", (int)len, text);
		if (!r && (round & 1))
			ck_assert_uint_le(used, len);
		/* What is malformed is so without being evaluated, too, if its names are known. */
		c = expr_check(exact, len, 1, &env, NULL);
		if (!(round & 1))
			ck_assert_msg(c == -ENOENT || (c == -EINVAL) == (r == -EINVAL) || r == -ENOENT || r == -EDOM ||
				      r == -EFAULT || r == -EIO, "%.*s: %d, %d", (int)len, text, r, c);
		ck_assert(c == 0 || c == -EINVAL || c == -ENOENT);
		free(exact);
	}
}
END_TEST

START_TEST(checking)
{
	static const struct {
		const char *text;
		int code;
		unsigned asked;
	} rows[] = {
		{ "1", 0, 0 }, { "1/0", 0, 0 }, { "*(u8)5 == *0x666", 0, 0 }, { "0 && $rax + main", 0, 2 },
		{ "1 ? $rax : main", 0, 2 }, { "0 && $nosuch", -ENOENT, 1 }, { "1 || nosuch", -ENOENT, 1 },
		{ "1/0 )", -EINVAL, 0 }, { "*5 +", -EINVAL, 0 }, { "", -EINVAL, 0 }, { "1 1", -EINVAL, 0 },
		{ "*(u8)nosuch", -ENOENT, 1 }, { "$rax == 5 && ((1)", -EINVAL, 1 },
	};
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		asked = 0;
		ck_assert_msg(expr_check(rows[i].text, strlen(rows[i].text), 1, &env, &err) == rows[i].code, "%s",
			      rows[i].text);
		ck_assert_msg(asked == rows[i].asked, "%s: %u", rows[i].text, asked);
	}
	ck_assert_int_eq(expr_check("1\0" "2", 3, 1, &env, NULL), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("expr");
	TCase *t = tcase_create("expr");

	tcase_add_loop_test(t, values, 0, (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(t, failures, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(t, prefix);
	tcase_add_test(t, columns_count_from_the_line);
	tcase_add_test(t, length_is_obeyed);
	tcase_add_test(t, skipped_sides_ask_nobody);
	tcase_add_test(t, depth);
	tcase_add_test(t, checking);
	tcase_add_test(t, fuzz);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return unit_main(s);
}
