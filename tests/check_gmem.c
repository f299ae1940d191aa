/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mem/gmem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

static struct gmem *make(void)
{
	struct gmem *g = NULL;

	ck_assert_int_eq(gmem_new(&g, NULL), 0);
	ck_assert_ptr_nonnull(g);
	return g;
}

static int add(struct gmem *g, uint64_t gpa, uint64_t size, uint8_t *hva, int slot, struct err *err)
{
	return gmem_add(g, &(struct gmem_region){ .gpa = gpa, .size = size, .hva = hva, .slot = slot }, err);
}

START_TEST(empty_table)
{
	struct gmem *g = make();
	uint8_t b = 7;
	size_t n = 1;

	ck_assert_ptr_null(gmem_find(g, 0));
	ck_assert_ptr_null(gmem_at(g, 0));
	ck_assert_ptr_null(gmem_span(g, 0, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(gmem_read(g, 0, &b, 1), 0);
	ck_assert_uint_eq(gmem_write(g, UINT64_MAX, &b, 1), 0);
	ck_assert_uint_eq(gmem_zero(g, 5, 1), 0);
	ck_assert_uint_eq(b, 7);
	ck_assert_int_eq(gmem_remove(g, 0), -ENOENT);
	gmem_free(g);
	gmem_free(NULL);
}
END_TEST

static const struct {
	uint64_t gpa, size;
	int rc;
	const char *says;
} adds[] = {
	/* beside 0x1000-0x1fff (slot 3) and 0x4000-0x4fff (slot 4) */
	{ 0x2000, 0x2000, 0, NULL },
	{ 0, 0x1000, 0, NULL },
	{ 0x5000, 1, 0, NULL },
	{ UINT64_MAX - 0x1000, 0x1000, 0, NULL },
	{ 0x2000, 0, -EINVAL, "0x2000" },
	{ 0x2000, UINT64_MAX, -EINVAL, "wraps" },
	{ UINT64_MAX, 1, -EINVAL, "wraps" },
	{ UINT64_MAX - 0xfff, 0x1000, -EINVAL, "wraps" },
	{ 0x1000, 0x1000, -EEXIST, "slot 3 at 0x1000-0x1fff" },
	{ 0x1fff, 1, -EEXIST, "slot 3" },
	{ 0x1000, 1, -EEXIST, "slot 3" },
	{ 0xfff, 2, -EEXIST, "slot 3" },
	{ 0, 0x10000, -EEXIST, "slot 3" },
	{ 0x2000, 0x2001, -EEXIST, "slot 4 at 0x4000-0x4fff" },
	{ 0x4800, 0x10, -EEXIST, "slot 4" },
};

START_TEST(add_checks)
{
	static uint8_t mem[0x1000];
	struct gmem *g = make();
	struct err err = { 0 };

	ck_assert_int_eq(add(g, 0x4000, 0x1000, mem, 4, &err), 0);
	ck_assert_int_eq(add(g, 0x1000, 0x1000, mem, 3, &err), 0);
	ck_assert_int_eq(add(g, adds[_i].gpa, adds[_i].size, mem, 9, &err), adds[_i].rc);
	ck_assert_int_eq(err.code, -adds[_i].rc);
	if (adds[_i].says)
		ck_assert_msg(strstr(err.msg, adds[_i].says), "message: %s", err.msg);
	/* What failed changed nothing. */
	ck_assert_int_eq(gmem_find(g, 0x1000)->slot, 3);
	ck_assert_int_eq(gmem_find(g, 0x4fff)->slot, 4);
	ck_assert_int_eq(gmem_at(g, 2) != NULL, !adds[_i].rc);
	gmem_free(g);
}
END_TEST

START_TEST(access_across_regions)
{
	uint8_t a[16], b[16], buf[64], want[32];
	struct gmem *g = make();
	size_t i, n;

	/* Neighbours whose host memory is not: 0x100-0x10f, 0x110-0x11f; then a hole. */
	for (i = 0; i < 16; i++) {
		a[i] = want[i] = (uint8_t)i;
		b[i] = want[16 + i] = (uint8_t)(0x80 + i);
	}
	ck_assert_int_eq(add(g, 0x110, 16, b, 2, NULL), 0);
	ck_assert_int_eq(gmem_add(g, &(struct gmem_region){ .gpa = 0x100, .size = 16, .hva = a, .slot = 1,
							.readonly = true }, NULL), 0);

	memset(buf, 0xee, sizeof(buf));
	ck_assert_uint_eq(gmem_read(g, 0x100, buf, sizeof(buf)), 32);
	ck_assert_mem_eq(buf, want, 32);
	ck_assert_uint_eq(buf[32], 0xee);
	ck_assert_uint_eq(gmem_read(g, 0xff, buf, 4), 0);
	ck_assert_uint_eq(gmem_read(g, 0x11f, buf, 4), 1);
	ck_assert_uint_eq(buf[0], 0x8f);

	n = 100;
	ck_assert_ptr_eq(gmem_span(g, 0x104, &n), a + 4);
	ck_assert_uint_eq(n, 12);
	n = 3;
	ck_assert_ptr_eq(gmem_span(g, 0x11d, &n), b + 13);
	ck_assert_uint_eq(n, 3);
	ck_assert_ptr_null(gmem_span(g, 0x120, &n));
	ck_assert_uint_eq(n, 3);

	/* Read-only is the guest's affair. */
	ck_assert_uint_eq(gmem_write(g, 0x10e, "wxyz", 4), 4);
	ck_assert_mem_eq(a + 14, "wx", 2);
	ck_assert_mem_eq(b, "yz", 2);
	ck_assert_uint_eq(gmem_write(g, 0x11e, "1234", 4), 2);
	ck_assert_mem_eq(b + 14, "12", 2);
	ck_assert_uint_eq(gmem_zero(g, 0x10f, 100), 17);
	ck_assert_uint_eq(a[14], 'w');
	ck_assert_uint_eq(a[15], 0);
	for (i = 0; i < 16; i++)
		ck_assert_uint_eq(b[i], 0);
	gmem_free(g);
}
END_TEST

START_TEST(top_of_the_address_space)
{
	uint8_t mem[16] = { 1, 2, 3 }, buf[32];
	struct gmem *g = make();

	/* Address 0 exists too: an access must not come round to it. */
	ck_assert_int_eq(add(g, UINT64_MAX - 16, 16, mem, 1, NULL), 0);
	ck_assert_int_eq(add(g, 0, 16, mem, 0, NULL), 0);
	ck_assert_uint_eq(gmem_read(g, UINT64_MAX - 16, buf, 32), 16);
	ck_assert_ptr_null(gmem_find(g, UINT64_MAX));
	gmem_free(g);
}
END_TEST

START_TEST(overlaps)
{
	static uint8_t mem[0x1000];
	struct gmem *g = make();

	ck_assert_ptr_null(gmem_overlap(g, 0, UINT64_MAX, -1));
	ck_assert_int_eq(add(g, 0x1000, 0x1000, mem, 3, NULL), 0);
	ck_assert_int_eq(add(g, 0x2000, 0x1000, mem, 4, NULL), 0);
	ck_assert_int_eq(add(g, 0x8000, 0x1000, mem, 5, NULL), 0);
	ck_assert_ptr_null(gmem_overlap(g, 0, 0x1000, -1));
	ck_assert_ptr_null(gmem_overlap(g, 0x3000, 0x5000, -1));
	ck_assert_ptr_null(gmem_overlap(g, 0x9000, 0x5000, -1));
	ck_assert_int_eq(gmem_overlap(g, 0, 0x1001, -1)->slot, 3);
	ck_assert_int_eq(gmem_overlap(g, 0x1fff, 1, -1)->slot, 3);
	ck_assert_int_eq(gmem_overlap(g, 0x1800, 0x1000, -1)->slot, 3);
	ck_assert_int_eq(gmem_overlap(g, 0x3000, 0x5001, -1)->slot, 5);
	/* A slot that moves does not stand in its own way, others do. */
	ck_assert_ptr_null(gmem_overlap(g, 0x1800, 0x800, 3));
	ck_assert_ptr_null(gmem_overlap(g, 0, 0x2000, 3));
	ck_assert_int_eq(gmem_overlap(g, 0x1800, 0x1000, 3)->slot, 4);
	ck_assert_int_eq(gmem_overlap(g, 0, 0x10000, 3)->slot, 4);
	ck_assert_int_eq(gmem_overlap(g, 0x2800, 0x6000, 4)->slot, 5);
	gmem_free(g);
}
END_TEST

#define MANY 32764     /* what KVM takes */

/* Regions of 2 pages at every 4th page, added and removed in a shuffled order, against what they must be. */
START_TEST(many_regions)
{
	static unsigned order[MANY];
	static uint8_t mem[2];
	struct gmem *g = make();
	unsigned i, j, t;
	uint64_t last = 0;

	srand(1);
	for (i = 0; i < MANY; i++)
		order[i] = i;
	for (i = MANY - 1; i; i--) {
		j = (unsigned)rand() % (i + 1);
		t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
	for (i = 0; i < MANY; i++)
		ck_assert_int_eq(add(g, order[i] * 4ull, 2, mem, (int)order[i], NULL), 0);
	for (i = 0; i < MANY; i++) {
		ck_assert_int_eq(gmem_at(g, i)->slot, (int)i);
		ck_assert_int_eq(gmem_find(g, i * 4ull)->slot, (int)i);
		ck_assert_int_eq(gmem_find(g, i * 4ull + 1)->slot, (int)i);
		ck_assert_ptr_null(gmem_find(g, i * 4ull + 2));
		ck_assert_ptr_null(gmem_find(g, i * 4ull + 3));
		ck_assert_ptr_null(gmem_overlap(g, i * 4ull + 2, 2, -1));
		ck_assert_int_eq(gmem_overlap(g, i * 4ull + 1, 9, -1)->slot, (int)i);
	}
	ck_assert_ptr_null(gmem_at(g, MANY));
	ck_assert_int_eq(gmem_remove(g, 1), -ENOENT);
	for (i = 0; i < MANY / 2; i++) {
		ck_assert_int_eq(gmem_remove(g, order[i] * 4ull), 0);
		ck_assert_int_eq(gmem_remove(g, order[i] * 4ull), -ENOENT);
	}
	for (i = 0; i < MANY; i++) {
		const struct gmem_region *r = gmem_find(g, order[i] * 4ull);

		ck_assert_int_eq(r != NULL, i >= MANY / 2);
		if (i < MANY - MANY / 2) {
			ck_assert(!i || gmem_at(g, i)->gpa > last);
			last = gmem_at(g, i)->gpa;
		}
	}
	gmem_free(g);
}
END_TEST

/* What was found last is no answer for another table, nor for another time. */
START_TEST(found_again)
{
	struct gmem *a = make(), *b = make();
	static uint8_t mem[0x4000];

	ck_assert_int_eq(add(a, 0x1000, 0x1000, mem, 1, NULL), 0);
	ck_assert_int_eq(add(a, 0x2000, 0x1000, mem, 2, NULL), 0);
	ck_assert_int_eq(add(a, 0x5000, 0x1000, mem, 3, NULL), 0);
	ck_assert_int_eq(add(b, 0x2000, 0x2000, mem, 4, NULL), 0);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(gmem_find(a, 0x5fff)->slot, 3);
		ck_assert_ptr_null(gmem_find(b, 0x5fff));
		ck_assert_int_eq(gmem_find(b, 0x2000)->slot, 4);
		ck_assert_int_eq(gmem_find(a, 0x2000)->slot, 2);
		ck_assert_ptr_null(gmem_find(a, 0xfff));
		ck_assert_ptr_null(gmem_find(a, 0x3000));
		ck_assert_int_eq(gmem_find(a, 0x1fff)->slot, 1);
	}
	ck_assert_int_eq(gmem_find(a, 0x5000)->slot, 3);
	ck_assert_int_eq(gmem_remove(a, 0x5000), 0);
	ck_assert_ptr_null(gmem_find(a, 0x5000));
	ck_assert_int_eq(gmem_find(a, 0x2000)->slot, 2);
	ck_assert_int_eq(gmem_remove(a, 0x1000), 0);
	ck_assert_int_eq(gmem_find(a, 0x2000)->slot, 2);
	gmem_free(a);
	gmem_free(b);
}
END_TEST

/* Two neighbours of 3 and 70 pages, the second with a bitmap: which bits writes set. */
START_TEST(writes_are_marked)
{
	static uint8_t a[3 * PAGE_BYTES_MAX], b[70 * PAGE_BYTES_MAX];
	uint64_t bits[2] = { 0 }, base = 0x10000, gpa = base + 3 * GMEM_PAGE;
	struct gmem *g = make();
	size_t one = 1;

	ck_assert_int_eq(add(g, base, 3 * GMEM_PAGE, a, 1, NULL), 0);
	ck_assert_int_eq(add(g, gpa, 70 * GMEM_PAGE, b, 2, NULL), 0);
	ck_assert_int_eq(gmem_mark(g, gpa + GMEM_PAGE, bits), -ENOENT);
	ck_assert_int_eq(gmem_mark(g, gpa, bits), 0);

	ck_assert_uint_eq(gmem_write(g, gpa, "", 0), 0);
	ck_assert_uint_eq(gmem_read(g, gpa, a, 16), 16);
	*gmem_span(g, gpa, &one) = 1;
	ck_assert_uint_eq(gmem_write(g, base, "x", 1), 1);
	ck_assert_uint_eq(bits[0] | bits[1], 0);
	/* Over the border between the two, and over one of pages. */
	ck_assert_uint_eq(gmem_write(g, gpa - 1, "xy", 2), 2);
	ck_assert_uint_eq(bits[0], 1);
	ck_assert_uint_eq(gmem_write(g, gpa + 2 * GMEM_PAGE - 1, "xy", 2), 2);
	ck_assert_uint_eq(bits[0], 7);
	ck_assert_uint_eq(gmem_zero(g, gpa + 63 * GMEM_PAGE, GMEM_PAGE + 1), GMEM_PAGE + 1);
	ck_assert_uint_eq(bits[0], 7 | 1ull << 63);
	ck_assert_uint_eq(bits[1], 1);
	gmem_touch(g, gpa + 68 * GMEM_PAGE, UINT64_MAX / 2);
	ck_assert_uint_eq(bits[1], 1 | 3 << 4);
	ck_assert_uint_eq(b[68 * GMEM_PAGE], 0);
	/* What has been asked to stop does. */
	bits[0] = bits[1] = 0;
	ck_assert_int_eq(gmem_mark(g, gpa, NULL), 0);
	ck_assert_uint_eq(gmem_write(g, gpa, "x", 1), 1);
	ck_assert_uint_eq(bits[0], 0);
	gmem_free(g);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("gmem");
	TCase *t = tcase_create("gmem");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, empty_table);
	tcase_add_loop_test(t, add_checks, 0, sizeof(adds) / sizeof(adds[0]));
	tcase_add_test(t, access_across_regions);
	tcase_add_test(t, top_of_the_address_space);
	tcase_add_test(t, overlaps);
	tcase_add_test(t, many_regions);
	tcase_add_test(t, found_again);
	tcase_add_test(t, writes_are_marked);
	suite_add_tcase(s, t);
	return unit_main(s);
}
