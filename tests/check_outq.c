/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/outq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

static struct outq q;

static void setup(void)
{
	memset(&q, 0, sizeof(q));
}

/* Takes everything out, STEP bytes at a time, into TEXT (NUL-terminated). */
static size_t drain(char *text, size_t size, size_t step)
{
	const uint8_t *p;
	size_t at = 0, n;

	while (p = outq_peek(&q, &n), n) {
		n = n < step ? n : step;
		ck_assert_uint_lt(at + n, size);
		memcpy(text + at, p, n);
		at += n;
		outq_pop(&q, n);
	}
	text[at] = '\0';
	return at;
}

static void push(const char *text)
{
	outq_push(&q, (const uint8_t *)text, strlen(text));
}

static void push_many(char c, size_t n)
{
	uint8_t *p = malloc(n);

	memset(p, c, n);
	outq_push(&q, p, n);
	free(p);
}

START_TEST(gives_what_it_got)
{
	char text[64];

	ck_assert_uint_eq(drain(text, sizeof(text), 1), 0);
	push("one");
	push("");
	push(" two");
	drain(text, sizeof(text), _i);
	ck_assert_str_eq(text, "one two");
}
END_TEST

START_TEST(wraps_around)
{
	char *text = malloc(2 * OUTQ_BYTES);
	unsigned i;

	for (i = 0; i < 10; i++) {
		push_many((char)('a' + i), OUTQ_BYTES - 7);
		push("1234567");
		ck_assert_uint_eq(drain(text, 2 * OUTQ_BYTES, 1000), OUTQ_BYTES);
		ck_assert_int_eq(text[0], 'a' + (int)i);
		ck_assert_int_eq(text[OUTQ_BYTES - 8], 'a' + (int)i);
		ck_assert_str_eq(text + OUTQ_BYTES - 7, "1234567");
		push("xyz");
		drain(text, 2 * OUTQ_BYTES, 2);
		ck_assert_str_eq(text, "xyz");
	}
	free(text);
}
END_TEST

START_TEST(loses_the_oldest_and_says_so)
{
	static const char notice[] = "\r\n[gdbvisor: 10 bytes of serial output lost]\r\n";
	char *text = malloc(2 * OUTQ_BYTES);

	push("0123456789abc");
	push_many('x', OUTQ_BYTES - 6);
	push("end");
	ck_assert_uint_eq(drain(text, 2 * OUTQ_BYTES, _i), OUTQ_BYTES + strlen(notice));
	ck_assert_int_eq(strncmp(text, notice, strlen(notice)), 0);
	ck_assert_int_eq(strncmp(text + strlen(notice), "abcxxx", 6), 0);
	ck_assert_str_eq(text + OUTQ_BYTES + strlen(notice) - 4, "xend");
	push("more");
	drain(text, 2 * OUTQ_BYTES, 100);
	ck_assert_str_eq(text, "more");
	free(text);
}
END_TEST

START_TEST(one_push_may_be_too_much)
{
	char *text = malloc(2 * OUTQ_BYTES);

	push("abc");
	push_many('x', OUTQ_BYTES + 5);
	ck_assert_uint_gt(drain(text, 2 * OUTQ_BYTES, 4096), OUTQ_BYTES);
	ck_assert_ptr_nonnull(strstr(text, " 8 bytes "));
	ck_assert_ptr_null(strchr(text, 'c'));
	free(text);
}
END_TEST

START_TEST(losses_while_a_notice_is_out)
{
	char *text = malloc(2 * OUTQ_BYTES), *second;
	size_t n;

	push_many('a', OUTQ_BYTES);
	push("bb");
	outq_peek(&q, &n);
	outq_pop(&q, 4);
	push_many('c', OUTQ_BYTES);
	drain(text, 2 * OUTQ_BYTES, 4096);
	ck_assert_ptr_eq(strstr(text, "dbvisor: 2 bytes of serial output lost]\r\n"), text);
	second = strstr(text, "\r\n\r\n[gdbvisor: 65536 bytes of serial output lost]\r\ncc");
	ck_assert_ptr_nonnull(second);
	free(text);
}
END_TEST

START_TEST(a_notice_that_waits_takes_in_more)
{
	char *text = malloc(2 * OUTQ_BYTES);
	size_t n;

	push_many('a', OUTQ_BYTES);
	push("bb");
	outq_peek(&q, &n);
	push("ccc");
	outq_peek(&q, &n);
	drain(text, 2 * OUTQ_BYTES, 4096);
	ck_assert_ptr_eq(strstr(text, "\r\n[gdbvisor: 5 bytes of serial output lost]\r\naaa"), text);
	ck_assert_ptr_null(strstr(text + 1, "lost]\r\n\r\n["));
	push_many('a', OUTQ_BYTES);
	push("b");
	drain(text, 2 * OUTQ_BYTES, 4096);
	ck_assert_ptr_eq(strstr(text, "\r\n[gdbvisor: 1 bytes of serial output lost]\r\naaa"), text);
	free(text);
}
END_TEST

START_TEST(drop_counts)
{
	char text[128];

	push("1234");
	outq_drop(&q);
	push("x");
	drain(text, sizeof(text), 7);
	ck_assert_str_eq(text, "\r\n[gdbvisor: 4 bytes of serial output lost]\r\nx");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("outq");
	TCase *t = tcase_create("outq");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, gives_what_it_got, 1, 5);
	tcase_add_test(t, wraps_around);
	tcase_add_loop_test(t, loses_the_oldest_and_says_so, 7, 9);
	tcase_add_test(t, one_push_may_be_too_much);
	tcase_add_test(t, losses_while_a_notice_is_out);
	tcase_add_test(t, a_notice_that_waits_takes_in_more);
	tcase_add_test(t, drop_counts);
	suite_add_tcase(s, t);
	return unit_main(s);
}
