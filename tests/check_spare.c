/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/spare.h"

#include <string.h>

#include "tests/unit.h"

#define SIZE 40

static const char zeros[SIZE];

START_TEST(pieces_are_zeroed_each_time)
{
	struct spare s = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		char *p = spare_take(&s, SIZE);

		ck_assert_ptr_nonnull(p);
		ck_assert_mem_eq(p, zeros, SIZE);
		memset(p, 0xff, SIZE);
		spare_give(&s, p);
	}
	spare_done(&s);
	ck_assert_uint_eq(s.kept, 0);
}
END_TEST

START_TEST(no_two_have_the_same)
{
	struct spare s = { 0 };
	char *a = spare_take(&s, SIZE), *b = spare_take(&s, SIZE), *c;

	spare_give(&s, a);
	spare_give(&s, b);
	a = spare_take(&s, SIZE);
	b = spare_take(&s, SIZE);
	c = spare_take(&s, SIZE);
	ck_assert_ptr_ne(a, b);
	ck_assert_ptr_ne(a, c);
	ck_assert_ptr_ne(b, c);
	spare_give(&s, a);
	spare_give(&s, b);
	spare_give(&s, c);
	spare_done(&s);
}
END_TEST

START_TEST(only_so_many_are_kept)
{
	struct spare s = { 0 };
	void *p[2 * SPARE_MAX];

	for (size_t i = 0; i < 2 * SPARE_MAX; i++)
		p[i] = spare_take(&s, SIZE);
	for (size_t i = 0; i < 2 * SPARE_MAX; i++)
		spare_give(&s, p[i]);
	ck_assert_uint_le(s.kept, SPARE_MAX);
	spare_give(&s, NULL);
	spare_done(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("spare");
	TCase *t = tcase_create("spare");

	tcase_add_test(t, pieces_are_zeroed_each_time);
	tcase_add_test(t, no_two_have_the_same);
	tcase_add_test(t, only_so_many_are_kept);
	suite_add_tcase(s, t);
	return unit_main(s);
}
