/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/htab.h"

#include <stdlib.h>

#include "tests/unit.h"

#define N 100000u

struct thing {
	int before;
	struct htab_link link;
};

static struct thing thing[N];

START_TEST(empty)
{
	struct htab h = { 0 };

	ck_assert_ptr_null(htab_find(&h, 0));
	ck_assert_ptr_null(HTAB_ENTRY(htab_find(&h, 7), struct thing, link));
	htab_done(&h);
}
END_TEST

START_TEST(found_and_gone)
{
	struct htab h = { 0 };

	for (unsigned i = 0; i < N; i++)
		ck_assert_int_eq(htab_add(&h, &thing[i].link, i * 4096ull), 0);
	ck_assert_uint_eq(h.count, N);
	for (unsigned i = 0; i < N; i += 2)
		htab_del(&h, &thing[i].link);
	ck_assert_uint_eq(h.count, N / 2);
	for (unsigned i = 0; i < N; i++) {
		struct thing *t = HTAB_ENTRY(htab_find(&h, i * 4096ull), struct thing, link);

		if (t != (i % 2 ? &thing[i] : NULL))
			ck_abort_msg("thing %u", i);
	}
	ck_assert_ptr_null(htab_find(&h, 1));
	htab_done(&h);
	ck_assert_uint_eq(h.count, 0);
}
END_TEST

/* Of one key the last comes first, also after the table has grown around them. */
START_TEST(same_key)
{
	struct htab h = { 0 };
	struct htab_link *link;
	unsigned i;

	for (i = 0; i < 3; i++)
		ck_assert_int_eq(htab_add(&h, &thing[i].link, 5), 0);
	for (; i < 5000; i++)
		ck_assert_int_eq(htab_add(&h, &thing[i].link, i + 10), 0);
	ck_assert_int_eq(htab_add(&h, &thing[i].link, 5), 0);
	link = htab_find(&h, 5);
	ck_assert_ptr_eq(link, &thing[i].link);
	for (i = 3; i-- > 0;) {
		link = htab_again(link);
		ck_assert_ptr_eq(link, &thing[i].link);
	}
	ck_assert_ptr_null(htab_again(link));
	htab_del(&h, &thing[1].link);
	ck_assert_ptr_eq(htab_again(htab_again(htab_find(&h, 5))), &thing[0].link);
	htab_done(&h);
}
END_TEST

/* Keys that differ in their low bits, in their middle ones or in their upper ones only: no bucket has more than a few. */
START_TEST(spread)
{
	for (unsigned shift = 0; shift < 48; shift += 4) {
		struct htab h = { 0 };
		size_t worst = 0;

		for (uint64_t i = 0; i < 10000; i++)
			ck_assert_int_eq(htab_add(&h, &thing[i].link, i << shift), 0);
		for (size_t i = 0; i < h.buckets; i++) {
			size_t n = 0;

			for (const struct htab_link *link = h.bucket[i]; link; link = link->next)
				n++;
			worst = n > worst ? n : worst;
		}
		ck_assert_msg(worst < 30, "shifted by %u, a bucket has %zu", shift, worst);
		htab_done(&h);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("htab");
	TCase *c = tcase_create("htab");

	tcase_add_test(c, empty);
	tcase_add_test(c, found_and_gone);
	tcase_add_test(c, same_key);
	tcase_add_test(c, spread);
	suite_add_tcase(s, c);
	return unit_main(s);
}
