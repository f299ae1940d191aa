/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/num.h"

#include <errno.h>
#include <string.h>

#include "tests/unit.h"

#define UNTOUCHED 0xdeadbeefcafeull

static const struct {
	const char *text;
	uint64_t value;
} good[] = {
	{ "0", 0 },
	{ "7", 7 },
	{ "010", 10 },
	{ "0x10", 16 },
	{ "0Xff", 255 },
	{ "0xAbCdEf", 0xabcdef },
	{ "4K", 4096 },
	{ "4k", 4096 },
	{ "128M", 128ull << 20 },
	{ "3g", 3ull << 30 },
	{ "2T", 2ull << 40 },
	{ "0x10K", 16ull << 10 },
	{ "0K", 0 },
	{ "18446744073709551615", UINT64_MAX },
	{ "0xffffffffffffffff", UINT64_MAX },
	{ "0x00000000000000000000001", 1 },
	{ "16777215T", 16777215ull << 40 },
};

static const struct {
	const char *text;
	int code;
} bad[] = {
	{ "", EINVAL },
	{ "0x", EINVAL },
	{ "0xK", EINVAL },
	{ "K", EINVAL },
	{ "-1", EINVAL },
	{ "+1", EINVAL },
	{ " 1", EINVAL },
	{ "1 ", EINVAL },
	{ "1Z", EINVAL },
	{ "1KK", EINVAL },
	{ "1KB", EINVAL },
	{ "1.5G", EINVAL },
	{ "12f", EINVAL },
	{ "0x12g4", EINVAL },
	{ "0x0x1", EINVAL },
	{ "1e3", EINVAL },
	{ "18446744073709551616", ERANGE },
	{ "0x10000000000000000", ERANGE },
	{ "99999999999999999999999999", ERANGE },
	{ "99999999999999999999999999z", EINVAL },
	{ "16777216T", ERANGE },
	{ "18014398509481984K", ERANGE },
};

START_TEST(takes_numbers)
{
	uint64_t v = UNTOUCHED;

	ck_assert_int_eq(num_parse(good[_i].text, strlen(good[_i].text), &v), 0);
	ck_assert_msg(v == good[_i].value, "%s gave 0x%llx", good[_i].text, (unsigned long long)v);
}
END_TEST

START_TEST(refuses_the_rest)
{
	uint64_t v = UNTOUCHED;
	int r = num_parse(bad[_i].text, strlen(bad[_i].text), &v);

	ck_assert_msg(r == -bad[_i].code, "'%s' gave %d", bad[_i].text, r);
	ck_assert_msg(v == UNTOUCHED, "'%s' wrote its output", bad[_i].text);
}
END_TEST

START_TEST(reads_no_further_than_len)
{
	uint64_t v;

	ck_assert_int_eq(num_parse("123456", 3, &v), 0);
	ck_assert_uint_eq(v, 123);
	ck_assert_int_eq(num_parse("12K", 2, &v), 0);
	ck_assert_uint_eq(v, 12);
	ck_assert_int_eq(num_parse("0x1", 2, &v), -EINVAL);
	ck_assert_int_eq(num_parse("0x1", 1, &v), 0);
	ck_assert_int_eq(num_parse("1\0002", 3, &v), -EINVAL);
}
END_TEST

START_TEST(tells_suffixes)
{
	ck_assert(num_has_suffix("1K", 2));
	ck_assert(num_has_suffix("1t", 2));
	ck_assert(!num_has_suffix("1K", 1));
	ck_assert(!num_has_suffix("0xb", 3));
	ck_assert(!num_has_suffix("", 0));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("num");
	TCase *t = tcase_create("num");

	tcase_add_loop_test(t, takes_numbers, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(t, refuses_the_rest, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, reads_no_further_than_len);
	tcase_add_test(t, tells_suffixes);
	suite_add_tcase(s, t);
	return unit_main(s);
}
