/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of pages with rights, against an array of them. */
#include <stdlib.h>

#include "kvm/bitmap.h"
#include "kvm/rights.h"
#include "tests/unit.h"

#define PAGES 200u

static struct err err;
static enum page_rights model[PAGES];

static void compare(const struct rights *r)
{
	size_t pages = 0, runs = 0;

	for (uint64_t p = 0; p < PAGES; p++) {
		uint64_t last, end = p;

		while (end + 1 < PAGES && model[end + 1] == model[p])
			end++;
		ck_assert_uint_eq(rights_at(r, p, &last), model[p]);
		/* Beyond the model every page is PAGE_ALL. */
		ck_assert_uint_eq(last, end == PAGES - 1 && model[p] == PAGE_ALL ? UINT64_MAX : end);
		pages += model[p] != PAGE_ALL;
		runs += model[p] != PAGE_ALL && (!p || model[p - 1] != model[p]);
	}
	ck_assert_uint_eq(r->pages, pages);
	ck_assert_uint_eq(r->n, runs);
}

START_TEST(random_pages)
{
	struct rights r = { 0 }, copy = { 0 };

	srand(3);
	for (unsigned round = 0; round < 20000; round++) {
		/* Close together for a while, so that runs meet, and sometimes anywhere. */
		unsigned p = round % 3 ? (round / 100 * 7 + (unsigned)rand() % 12) % PAGES : (unsigned)rand() % PAGES;

		model[p] = (enum page_rights)(rand() % 3);
		ck_assert_int_eq(rights_set(&r, p, model[p], &err), 0);
		if (round % 16 == 0)
			compare(&r);
		if (round % 512 == 0) {
			ck_assert_int_eq(rights_copy(&copy, &r, &err), 0);
			compare(&copy);
		}
	}
	compare(&r);
	for (unsigned p = 0; p < PAGES; p++)
		ck_assert_int_eq(rights_set(&r, p, model[p] = PAGE_ALL, &err), 0);
	compare(&r);
	rights_free(&r);
	rights_free(&copy);
}
END_TEST

/* A piece's dirty bitmap goes into its slot's. */
START_TEST(bitmap_pieces)
{
	uint64_t from[3], to[6], want[6];

	srand(4);
	for (unsigned round = 0; round < 5000; round++) {
		uint64_t pages = 1 + (uint64_t)rand() % 192, first = (uint64_t)rand() % (6 * 64 - pages + 1);

		for (unsigned i = 0; i < 3; i++)
			from[i] = 0;
		for (unsigned i = 0; i < 6; i++)
			want[i] = to[i] = round % 3 ? 0 : (uint64_t)rand() << rand() % 33;
		for (uint64_t p = 0; p < pages; p++)
			if (rand() % 3 == 0) {
				bitmap_set(from, p);
				bitmap_set(want, first + p);
			}
		bitmap_put(to, first, from, pages);
		for (unsigned i = 0; i < 6; i++)
			ck_assert_uint_eq(to[i], want[i]);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rights");
	TCase *c = tcase_create("rights");

	tcase_add_test(c, random_pages);
	tcase_add_test(c, bitmap_pieces);
	suite_add_tcase(s, c);
	return unit_main(s);
}
