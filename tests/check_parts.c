/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's small pure parts: escapes, formats, lines, the terminal's filter, expect's window, disassembly. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/arch.h"
#include "monitor/filter.h"
#include "monitor/format.h"
#include "monitor/lines.h"
#include "monitor/text.h"
#include "monitor/window.h"
#include "tests/fake_machine.h"
#include "tests/unit.h"

/* -- text -- */

START_TEST(unescape)
{
	static const struct {
		const char *in, *out;
		size_t len;
	} rows[] = {
		{ "plain", "plain", 5 }, { "a\\r\\n", "a\r\n", 3 }, { "\\x41\\x4", "A\4", 2 },
		{ "\\0\\12\\101", "\0\nA", 3 },
		{ "\\\\\\\"\\'", "\\\"'", 3 }, { "\\e[", "\033[", 2 }, { "", "", 0 }, { "\\1234", "S4", 2 },
	};
	static const char *const wrong[] = { "\\", "\\q", "\\x", "\\xg", "a\\", "\\400", "\\8" };
	struct err err;
	char out[64];
	size_t n;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(text_unescape(rows[i].in, strlen(rows[i].in), out, &n, &err), 0);
		ck_assert_msg(n == rows[i].len && !memcmp(out, rows[i].out, n), "%s", rows[i].in);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(text_unescape(wrong[i], strlen(wrong[i]), out, &n, &err) == -EINVAL, "%s", wrong[i]);
}
END_TEST

START_TEST(escape_comes_back)
{
	char all[256], back[256 * 4];
	struct out_buf b;
	size_t n;

	for (unsigned i = 0; i < 256; i++)
		all[i] = (char)i;
	out_buf_init(&b);
	text_escape(&b.out, all, sizeof(all), '"');
	for (size_t i = 0; i < b.len; i++)
		ck_assert(b.text[i] >= 0x20 && b.text[i] < 0x7f);
	ck_assert_int_eq(text_unescape(b.text, b.len, back, &n, NULL), 0);
	ck_assert_uint_eq(n, sizeof(all));
	ck_assert(!memcmp(back, all, n));
	out_buf_done(&b);
}
END_TEST

START_TEST(quoted)
{
	ck_assert_uint_eq(text_quoted("\"ab\" c", 6), 4);
	ck_assert_uint_eq(text_quoted("\"a\\\"b\"", 6), 6);
	ck_assert_uint_eq(text_quoted("/a b/5", 6), 5);
	ck_assert_uint_eq(text_quoted("\"ab", 3), 0);
	ck_assert_uint_eq(text_quoted("\"ab\\\"", 5), 0);
	ck_assert_uint_eq(text_quoted("\"", 1), 0);
}
END_TEST

START_TEST(seconds)
{
	static const struct {
		const char *text;
		int r;
		uint64_t ms;
	} rows[] = {
		{ "10", 0, 10000 }, { "0.5", 0, 500 }, { "0", 0, 0 }, { "1.25", 0, 1250 }, { "1.234", 0, 1234 },
		{ ".5", 0, 500 }, { "1000000", 0, 1000000000 }, { "", -EINVAL, 0 }, { ".", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 }, { "1.2345", -EINVAL, 0 }, { "1..2", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
		{ "1000001", -EINVAL, 0 }, { "99999999999999999999999", -EINVAL, 0 }, { "1s", -EINVAL, 0 },
		{ "inf", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ms = 0;

		ck_assert_msg(text_seconds(rows[i].text, strlen(rows[i].text), &ms) == rows[i].r, "%s",
			      rows[i].text);
		ck_assert_msg(ms == rows[i].ms, "%s", rows[i].text);
	}
}
END_TEST

/* -- format -- */

START_TEST(format_parsing)
{
	static const char *const wrong[] = { "0", "0x", "xx", "bw", "q", "65537", "4294967297x", "x4", "-1",
					    "x b" };
	struct format f;
	struct err err;

	ck_assert_int_eq(format_parse("", 0, &f, &err), 0);
	ck_assert(!f.count && !f.letter && !f.size);
	ck_assert_int_eq(format_parse("10i", 3, &f, &err), 0);
	ck_assert(f.count == 10 && f.letter == 'i' && !f.size);
	ck_assert_int_eq(format_parse("gx", 2, &f, &err), 0);
	ck_assert(!f.count && f.letter == 'x' && f.size == 8);
	ck_assert_int_eq(format_parse("65536ub", 7, &f, &err), 0);
	ck_assert(f.count == 65536 && f.letter == 'u' && f.size == 1);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(format_parse(wrong[i], strlen(wrong[i]), &f, &err) == -EINVAL, "%s", wrong[i]);
	for (unsigned size = 1; size <= 8; size *= 2)
		ck_assert_uint_eq(format_size(format_unit(size)), size);
	ck_assert(!format_unit(3) && !format_size('q') && !format_size(0));
}
END_TEST

START_TEST(format_values)
{
	static const struct {
		char letter;
		unsigned size;
		uint64_t value;
		int pad;
		const char *text;
	} rows[] = {
		{ 'x', 4, 0x1234, 1, "0x00001234" }, { 'x', 8, 0x1234, 0, "0x1234" },
		{ 'x', 1, 0x1234, 1, "0x34" },
		{ 'd', 1, 0xff, 0, "-1" }, { 'd', 8, UINT64_MAX, 1, "-1" }, { 'd', 2, 0x7fff, 0, "32767" },
		{ 'u', 1, 0xfff, 0, "255" }, { 'u', 8, UINT64_MAX, 0, "18446744073709551615" },
		{ 'o', 1, 8, 0, "010" },
		{ 'o', 1, 8, 1, "0010" }, { 'o', 4, 0, 0, "0" }, { 't', 1, 5, 0, "101" },
		{ 't', 1, 5, 1, "00000101" },
		{ 't', 8, 0, 0, "0" }, { 'c', 1, 'A', 0, "65 'A'" }, { 'c', 1, '\n', 0, "10 '\\n'" },
		{ 'c', 1, 0xff, 0, "-1 '\\377'" }, { 'a', 8, 0x1000, 1, "0x1000" },
	};
	char text[FORMAT_TEXT_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		format_value(text, rows[i].letter, rows[i].size, rows[i].value, rows[i].pad);
		ck_assert_str_eq(text, rows[i].text);
	}
	format_value(text, 't', 8, UINT64_MAX, 1);
	ck_assert_uint_eq(strlen(text), 64);
}
END_TEST

/* -- lines -- */

static void expect_line(struct lines *l, const char *text)
{
	const char *line;
	size_t len;
	int r = lines_next(l, 10, &line, &len);

	if (!text) {
		ck_assert_int_eq(r, 0);
		return;
	}
	ck_assert_int_eq(r, 1);
	ck_assert_msg(len == strlen(text) && !memcmp(line, text, len), "%.*s", (int)len, line);
}

START_TEST(lines_are_cut)
{
	struct lines l = { 0 };
	const char *line;
	size_t len;

	expect_line(&l, NULL);
	lines_add(&l, "one\ntw", 6);
	expect_line(&l, "one");
	expect_line(&l, NULL);
	lines_add(&l, "o\r\n\nend", 7);
	expect_line(&l, "two");
	expect_line(&l, "");
	expect_line(&l, NULL);
	l.eof = true;
	expect_line(&l, "end");
	expect_line(&l, NULL);
	l.eof = false;
	/* the longest, and one more */
	lines_add(&l, "0123456789\n0123456789\r\n0123456789x\nok\n", 38);
	expect_line(&l, "0123456789");
	expect_line(&l, "0123456789");
	ck_assert_int_eq(lines_next(&l, 10, &line, &len), -E2BIG);
	expect_line(&l, "ok");
	/* one that is refused before its end is there */
	lines_add(&l, "0123456789abcdef", 16);
	ck_assert_int_eq(lines_next(&l, 10, &line, &len), -E2BIG);
	expect_line(&l, NULL);
	lines_add(&l, "more of it", 10);
	expect_line(&l, NULL);
	lines_add(&l, "tail\nnext\n", 10);
	expect_line(&l, "next");
	expect_line(&l, NULL);
	lines_done(&l);
}
END_TEST

/* -- filter -- */

START_TEST(filter_lets_text_and_colours_pass)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "hello\r\n", "hello\n" }, { "a\rb\r\n", "a\nb\n" }, { "a\n\rb", "a\nb" },
		{ "\033[31mred\033[0m", "\033[31mred\033[0m" },
		{ "\033[2J\033[Hx", "x" }, { "\033cx", "x" }, { "a\b\a\x7f\x01z", "az" }, { "\tx", "\tx" },
		{ "\xc3\xa4", "\xc3\xa4" },
		{ "\033[38;2;1;2;3mx", "\033[38;2;1;2;3mx" },
		{ "\033[0000000000000000000000000000000000000000000000mx", "x" },
		{ "50%\r100%\r\n", "50%\n100%\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		/* Whole, and byte by byte: cutting must not matter. */
		for (int step = 0; step < 2; step++) {
			struct filter f = { 0 };
			struct out_buf b;
			size_t len = strlen(rows[i].in), n = step ? 1 : len;

			out_buf_init(&b);
			for (size_t at = 0; at < len; at += n)
				filter_write(&f, (const uint8_t *)rows[i].in + at, n, &b.out);
			ck_assert_str_eq(b.text, rows[i].out);
			out_buf_done(&b);
		}
}
END_TEST

/* -- window -- */

static struct pattern *pattern(const char *text)
{
	struct pattern *p = NULL;
	struct err err = { 0 };
	size_t used;

	ck_assert_msg(!pattern_new(text, strlen(text), &used, &p, &err), "%s", err.msg);
	return p;
}

static bool matches(struct window *w, const char *text)
{
	struct pattern *p = pattern(text);
	bool r = window_match(w, p);

	pattern_free(p);
	return r;
}

START_TEST(window_takes_what_it_matched)
{
	struct window w = { 0 };

	window_add(&w, "one two one\r\n", 13);
	ck_assert(matches(&w, "\"one\""));
	ck_assert(matches(&w, "two"));
	ck_assert(!matches(&w, "two"));
	ck_assert(matches(&w, "\"one\\r\\n\""));
	ck_assert(!matches(&w, "one"));
	window_add(&w, "login: ", 7);
	ck_assert(matches(&w, "/^login: /"));
	ck_assert(!matches(&w, "/./"));
	/* What follows on the same line does not begin one. */
	window_add(&w, "root\nroot\n", 10);
	ck_assert(!matches(&w, "/^root$extra/"));
	window_add(&w, "x", 1);
	ck_assert(matches(&w, "/^root$/"));
	ck_assert(!matches(&w, "root"));
	window_done(&w);
}
END_TEST

/* SeaBIOS on a serial line moves the cursor in the middle of words. */
START_TEST(window_leaves_control_sequences_out)
{
	static const char text[] = "\x1b""c\x1b[?7l\x1b[2J\x1b[0;30;47mWelc\x1b[04;04Hom\x1b[0e to\x1b(B G\x1b]0;a title\aRUB\x1b]2;x\x1b\\!\n";
	struct window w = { 0 };
	struct pattern *p;
	struct err err;
	size_t used;

	/* In pieces as well. */
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		window_add(&w, text + i, 1);
	ck_assert(matches(&w, "/^Welcom to GRUB!$/"));
	window_add(&w, text, sizeof(text) - 1);
	ck_assert(matches(&w, "\"Welcom to GRUB!\\n\""));
	/* What never ends is not eaten for good. */
	window_add(&w, "\x1b]begun\nnext\x1b", 13);
	ck_assert(matches(&w, "next"));
	window_add(&w, "[1\nmore", 7);
	ck_assert(matches(&w, "more"));
	ck_assert_int_eq(pattern_new("\"a\\x1b[H\"", 9, &used, &p, &err), -EINVAL);
	window_done(&w);
}
END_TEST

START_TEST(window_lines)
{
	struct window w = { 0 };
	struct pattern *p = pattern("/^done$/");

	/* Until the line ends, its end is not there to match. */
	window_add(&w, "not done\r\ndone", 14);
	ck_assert(!window_match(&w, p));
	window_add(&w, "!", 1);
	ck_assert(!window_match(&w, p));
	window_add(&w, "\r\ndone\r", 7);
	ck_assert(!window_match(&w, p));
	window_add(&w, "\n", 1);
	ck_assert(window_match(&w, p));
	pattern_free(p);
	/* No match across lines. */
	window_add(&w, "a\nb\n", 4);
	ck_assert(!matches(&w, "/a.b/"));
	ck_assert(matches(&w, "/(a|x)$/"));
	ck_assert(matches(&w, "/^b\\/?/"));
	window_done(&w);
}
END_TEST

START_TEST(window_across_chunks)
{
	struct window w = { 0 };
	struct pattern *p = pattern("\"needle\""), *re = pattern("/nee+dle/");
	const char *hay = "xxneedxneeeedle";

	for (size_t i = 0; hay[i]; i++) {
		window_add(&w, hay + i, 1);
		ck_assert(!window_match(&w, p));
		ck_assert(window_match(&w, re) == !hay[i + 1]);
	}
	window_add(&w, "nee", 3);
	ck_assert(!window_match(&w, p));
	window_add(&w, "dle", 3);
	ck_assert(window_match(&w, p));
	pattern_free(p);
	pattern_free(re);
	/* Any byte may come. */
	window_add(&w, "\0\xff needle", 9);
	ck_assert(matches(&w, "/\xff? ?needle/"));
	window_done(&w);
}
END_TEST

START_TEST(window_is_bounded)
{
	static char chunk[70000];
	struct pattern *last = pattern("\"the end\"");
	struct window w = { 0 };

	memset(chunk, 'x', sizeof(chunk));
	window_add(&w, "first", 5);
	for (int i = 0; i < 200; i++) {
		window_add(&w, chunk, sizeof(chunk));
		ck_assert(!window_match(&w, last));
		ck_assert_uint_le(w.cap, 4 * WINDOW_BYTES);
	}
	ck_assert_uint_ge(w.len - w.start, WINDOW_BYTES);
	ck_assert(!matches(&w, "first"));
	window_add(&w, "the end", 7);
	ck_assert(window_match(&w, last));
	pattern_free(last);
	window_done(&w);

	/* One piece that is larger than the window; its end is kept. */
	char *big = malloc(3 * WINDOW_BYTES);

	memset(big, 'y', 3 * WINDOW_BYTES);
	memcpy(big + 3 * WINDOW_BYTES - 3, "fin", 3);
	window_add(&w, big, 3 * WINDOW_BYTES);
	free(big);
	ck_assert(!matches(&w, "/^y/"));
	ck_assert(matches(&w, "/fin/"));
	window_done(&w);
}
END_TEST

START_TEST(patterns)
{
	static const char *const wrong[] = { "", "\"", "\"abc", "/abc", "\"\"", "/(/", "\"\\q\"", "/[/" };
	struct pattern *p;
	struct err err;
	size_t used;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		err.msg[0] = '\0';
		ck_assert_msg(pattern_new(wrong[i], strlen(wrong[i]), &used, &p, &err) == -EINVAL, "%s", wrong[i]);
		ck_assert(err.msg[0] && !strchr(err.msg, '\n'));
	}
	ck_assert_int_eq(pattern_new("\"a b\" 5", 7, &used, &p, &err), 0);
	ck_assert_uint_eq(used, 5);
	pattern_free(p);
	ck_assert_int_eq(pattern_new("word 5", 6, &used, &p, &err), 0);
	ck_assert_uint_eq(used, 4);
	pattern_free(p);
	pattern_free(NULL);
}
END_TEST

/* -- disassembly -- */

static struct fake_machine *fake;

static void check_insn(unsigned bits, uint64_t base, uint64_t addr, const char *bytes, size_t len,
		       unsigned want_len,
		       const char *text)
{
	struct disas_insn insn;
	uint8_t *exact = malloc(len);

	memcpy(exact, bytes, len);
	monitor_arch.disas(&fake->machine, bits, base, addr, exact, len, &insn);
	free(exact);
	ck_assert_str_eq(insn.text, text);
	ck_assert_uint_eq(insn.len, want_len);
}

START_TEST(disassembly)
{
	fake = fake_new(NULL);
	check_insn(16, 0, 0x1000, "\xb8\x34\x12", 3, 3, "mov ax, 0x1234");
	check_insn(32, 0, 0x1000, "\xb8\x34\x12\0\0", 5, 5, "mov eax, 0x1234");
	check_insn(64, 0, 0x1000, "\x48\xb8\x34\x12\0\0\0\0\0\0", 10, 10, "mov rax, 0x1234");
	check_insn(64, 0, 0x1000, "\xeb\x0e", 2, 2, "jmp 0x1010 <main>");
	check_insn(64, 0, 0x1000, "\xeb\x10", 2, 2, "jmp 0x1012 <main+2>");
	check_insn(64, 0, 0x1000, "\x48\x8b\x05\xf9\x0f\0\0", 7, 7, "mov rax, [0x2000 <counter>]");
	/* A 16-bit branch wraps in its segment, and is shown where the segment lies. */
	check_insn(16, 0x7c0, 0x7c0, "\xe8\xfd\xff", 3, 3, "call 0x7c0");
	check_insn(16, 0x20000, 0x20000, "\xeb\xf0", 2, 2, "jmp 0x2fff2");
	/* Bytes that are none, or too few. */
	check_insn(64, 0, 0x1000, "\x06", 1, 1, "(bad)");
	check_insn(64, 0, 0x1000, "\x48\xb8\x34", 3, 1, "(bad)");
	fake_free(fake);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("parts");
	TCase *t = tcase_create("parts");

	tcase_add_test(t, unescape);
	tcase_add_test(t, escape_comes_back);
	tcase_add_test(t, quoted);
	tcase_add_test(t, seconds);
	tcase_add_test(t, format_parsing);
	tcase_add_test(t, format_values);
	tcase_add_test(t, lines_are_cut);
	tcase_add_test(t, filter_lets_text_and_colours_pass);
	tcase_add_test(t, window_takes_what_it_matched);
	tcase_add_test(t, window_lines);
	tcase_add_test(t, window_leaves_control_sequences_out);
	tcase_add_test(t, window_across_chunks);
	tcase_add_test(t, window_is_bounded);
	tcase_add_test(t, patterns);
	tcase_add_test(t, disassembly);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return unit_main(s);
}
