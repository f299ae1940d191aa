/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bookkeeping of watchpoints over plain memory, with page tables and rights that are arrays. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "break/watch.h"
#include "tests/unit.h"

#define PAGES 8u
#define PAGE  4096u
#define SIZE  (PAGES * PAGE)
#define ALIAS 0x100000u                 /* a second gpa of the first page */
#define NONE  UINT64_MAX
#define ALL   0u
#define NO_WRITE 1u
#define NO_READ  2u

static _Alignas(PAGE) uint8_t ram[SIZE];
static uint64_t map[2 * PAGES];         /* a page of gvas' gpa; NONE */
static unsigned right[PAGES], alias_right;
static struct gmem *gmem;
static struct watch_table *t;
static struct err err;

static bool resolve(void *arg, const struct watch_spec *spec, uint64_t gva, uint64_t *ret)
{
	(void)arg;
	(void)spec;
	if (gva / PAGE >= 2 * PAGES || map[gva / PAGE] == NONE)
		return false;
	*ret = map[gva / PAGE] + gva % PAGE;
	return true;
}

static void gpas(void *arg, const uint8_t *host, void (*each)(void *each_arg, uint64_t gpa), void *each_arg)
{
	(void)arg;
	each(each_arg, (uint64_t)(host - ram));
	if (host == ram)
		each(each_arg, ALIAS);
}

static int rights(void *arg, uint64_t gpa, bool no_write, bool no_read)
{
	(void)arg;
	*(gpa == ALIAS ? &alias_right : &right[gpa / PAGE]) = (no_write ? NO_WRITE : 0) | (no_read ? NO_READ : 0);
	return 0;
}

static void setup(void)
{
	const struct watch_ops ops = { .resolve = resolve, .gpas = gpas, .rights = rights };
	struct gmem_region r = { .gpa = 0, .size = SIZE, .hva = ram }, alias = { .gpa = ALIAS, .size = PAGE, .hva = ram };

	memset(right, 0, sizeof(right));
	alias_right = 0;
	for (unsigned i = 0; i < 2 * PAGES; i++)
		map[i] = i < PAGES ? i * PAGE : NONE;
	ck_assert_int_eq(gmem_new(&gmem, &err), 0);
	ck_assert_int_eq(gmem_add(gmem, &r, &err), 0);
	alias.slot = 1;
	ck_assert_int_eq(gmem_add(gmem, &alias, &err), 0);
	ck_assert_int_eq(watch_new(gmem, &ops, &t, &err), 0);
}

static void teardown(void)
{
	watch_free(t);
	gmem_free(gmem);
}

static int add(unsigned owner, enum watch_kind kind, uint64_t gva, uint64_t size)
{
	struct watch_spec spec = { .kind = kind, .gva = gva, .size = size };
	bool is_new;

	return watch_add(t, owner, &spec, false, &is_new, &err);
}

static int del(unsigned owner, enum watch_kind kind, uint64_t gva, uint64_t size)
{
	return watch_del(t, owner, &(struct watch_spec){ .kind = kind, .gva = gva, .size = size }, &err);
}

START_TEST(rights_by_kind)
{
	ck_assert_int_eq(add(1, WATCH_WRITE, 0x1100, 4), 0);
	ck_assert_uint_eq(right[1], NO_WRITE);
	ck_assert_int_eq(add(1, WATCH_READ, 0x1100, 4), 0);
	ck_assert_uint_eq(right[1], NO_WRITE | NO_READ);
	ck_assert_int_eq(add(2, WATCH_READ, 0x1100, 4), 0);
	ck_assert_int_eq(del(1, WATCH_READ, 0x1100, 4), 0);
	ck_assert_uint_eq(right[1], NO_WRITE | NO_READ);
	ck_assert_int_eq(del(1, WATCH_READ, 0x1100, 4), -ENOENT);
	ck_assert_int_eq(del(2, WATCH_READ, 0x1100, 4), 0);
	ck_assert_uint_eq(right[1], NO_WRITE);
	ck_assert_int_eq(del(1, WATCH_WRITE, 0x1100, 8), -ENOENT);
	ck_assert_int_eq(del(1, WATCH_WRITE, 0x1100, 4), 0);
	ck_assert_uint_eq(right[1], ALL);
	ck_assert_uint_eq(watch_count(t), 0);
	ck_assert(!watch_has_pages(t));
}
END_TEST

/* A page that has two gpas loses its rights at both; two gvas of one page are one page. */
START_TEST(aliases)
{
	map[9] = ALIAS;
	ck_assert_int_eq(add(1, WATCH_WRITE, 0x9010, 8), 0);
	ck_assert_uint_eq(right[0], NO_WRITE);
	ck_assert_uint_eq(alias_right, NO_WRITE);
	ck_assert_int_eq(add(1, WATCH_ACCESS, 0x10, 8), 0);
	ck_assert_uint_eq(alias_right, NO_WRITE | NO_READ);
	watch_del_all(t, 1);
	ck_assert_uint_eq(right[0] | alias_right, ALL);
}
END_TEST

START_TEST(pages_and_pending)
{
	ck_assert_int_eq(add(1, WATCH_WRITE, 0x6800, 0x3000), 0);
	ck_assert_uint_eq(watch_at(t, 0)->nplaced, 2);
	ck_assert_uint_eq(watch_pending(t), 2);
	ck_assert_uint_eq(right[6] & right[7], NO_WRITE);
	ck_assert_uint_eq(watch_resolve(t, SIZE_MAX), 0);
	map[9] = 0x2000;
	ck_assert_uint_eq(watch_resolve(t, 1) + watch_resolve(t, 1), 1);
	ck_assert_uint_eq(right[2], NO_WRITE);
	/* Memory changes: what was placed is looked for anew. */
	watch_suspend(t);
	for (unsigned i = 0; i < PAGES; i++)
		ck_assert_uint_eq(right[i], ALL);
	map[9] = 0x3000;
	watch_resume(t);
	ck_assert_uint_eq(right[2], ALL);
	ck_assert_uint_eq(right[3] & right[6] & right[7], NO_WRITE);
	ck_assert_int_eq(del(1, WATCH_WRITE, 0x6800, 0x3000), 0);
	ck_assert_uint_eq(watch_pending(t), 0);
	ck_assert_uint_eq(right[3] | right[6] | right[7], ALL);
}
END_TEST

static bool access_at(uint64_t gpa, size_t len, bool write, const void *old, const void *now, size_t index, struct watch_hit *ret)
{
	struct watch_access a = { ram + gpa, len, write, old, now };
	struct watchpoint *w;

	return watch_check(t, &a, index, &w, ret);
}

START_TEST(hits_and_misses)
{
	const uint8_t old[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, now[8] = { 1, 2, 3, 4, 9, 6, 7, 8 };
	struct watch_hit hit;

	ck_assert_int_eq(add(1, WATCH_WRITE, 0x1100, 8), 0);
	ck_assert(access_at(0x1100, 8, true, old, now, 0, &hit));
	ck_assert_uint_eq(hit.gva, 0x1104);
	ck_assert_uint_eq(hit.size, 4);
	ck_assert_uint_eq(hit.old, 0x08070605);
	ck_assert_uint_eq(hit.now, 0x08070609);
	ck_assert(!access_at(0x1100, 8, true, old, now, 1, &hit));
	ck_assert_uint_eq(watch_at(t, 0)->misses, 0);
	ck_assert(!access_at(0x1100, 8, true, old, old, 0, &hit));      /* no change */
	ck_assert(!access_at(0x1100, 8, false, old, old, 0, &hit));     /* a read */
	ck_assert(!access_at(0x1108, 8, true, old, now, 0, &hit));      /* beside it */
	ck_assert(!access_at(0x10fc, 4, true, old + 4, now + 4, 0, &hit));
	ck_assert_uint_eq(watch_at(t, 0)->misses, 4);
	/* Only its last byte reaches in. */
	ck_assert(access_at(0x10fc, 5, true, old, now, 0, &hit));
	ck_assert_uint_eq(hit.gva, 0x1100);
	ck_assert_uint_eq(hit.size, 1);
	ck_assert(!access_at(0x2100, 8, true, old, now, 0, &hit));
	/* With another of the same bytes each is told of. */
	ck_assert_int_eq(add(1, WATCH_ACCESS, 0x1104, 1), 0);
	ck_assert(access_at(0x1100, 8, true, old, now, 1, &hit));
	ck_assert(!access_at(0x1100, 8, true, old, now, 2, &hit));
	ck_assert(access_at(0x1104, 1, false, old, old, 0, &hit));
	ck_assert(!hit.write);
	ck_assert_int_eq(hit.spec.kind, WATCH_ACCESS);
}
END_TEST

START_TEST(every_write)
{
	struct watch_spec spec = { .kind = WATCH_WRITE, .gva = 0x1100, .size = 4, .every = true };
	struct watch_hit hit;
	bool is_new = false;

	ck_assert_int_eq(watch_add(t, 1, &spec, false, &is_new, &err), 0);
	ck_assert(is_new);
	ck_assert(access_at(0x1100, 4, true, "same", "same", 0, &hit));
	spec.every = false;
	ck_assert_int_eq(watch_add(t, 2, &spec, false, &is_new, &err), 0);
	ck_assert(!is_new);
	ck_assert(!access_at(0x1100, 4, true, "same", "same", 0, &hit));
}
END_TEST

START_TEST(guards)
{
	ck_assert(watch_guard(t, ram + 0x1234));
	ck_assert_uint_eq(right[1], NO_WRITE);
	ck_assert(watch_on_page(t, ram + 0x1000));
	ck_assert(!watch_guards_sweep(t, 2));
	ck_assert(!watch_guards_sweep(t, 2));
	ck_assert(watch_guards_sweep(t, 2));
	ck_assert_uint_eq(right[1], ALL);
	/* A watchpoint keeps the rights when the guard goes, and the other way round. */
	ck_assert(watch_guard(t, ram + 0x1000));
	ck_assert_int_eq(add(1, WATCH_WRITE, 0x1100, 4), 0);
	ck_assert(watch_guards_sweep(t, 0));
	ck_assert_uint_eq(right[1], NO_WRITE);
	ck_assert(watch_guard(t, ram + 0x1000));
	watch_del_all(t, 1);
	ck_assert_uint_eq(right[1], NO_WRITE);
	ck_assert(watch_guards_sweep(t, 0));
	ck_assert_uint_eq(right[1], ALL);
	ck_assert(!watch_has_pages(t));
}
END_TEST

/* Too many writes to a page end its guard, until memory changes. */
START_TEST(guard_in_the_way)
{
	unsigned n = 1;

	ck_assert(!watch_guard_written(t, ram));
	ck_assert(watch_guard(t, ram));
	while (!watch_guard_written(t, ram))
		ck_assert_uint_lt(n++, 100000);
	ck_assert_uint_gt(n, PAGE);
	ck_assert(watch_guards_sweep(t, 2));
	ck_assert_uint_eq(right[0], ALL);
	ck_assert(!watch_guard(t, ram));
	ck_assert_uint_eq(right[0], ALL);
	watch_suspend(t);
	ck_assert(!watch_guard(t, ram));
	watch_resume(t);
	ck_assert(watch_guard(t, ram));
	ck_assert_uint_eq(right[0], NO_WRITE);
}
END_TEST

START_TEST(pieces)
{
	static const struct { uint64_t gva, size; unsigned n, first; } rows[] = {
		{ 0x1000, 1, 1, 1 }, { 0x1000, 8, 1, 8 }, { 0x1001, 8, 4, 1 }, { 0x1004, 8, 2, 4 }, { 0x1000, 32, 4, 8 },
		{ 0x1007, 18, 4, 1 }, { 0x1000, 40, 5, 8 }, { 0x1002, 2, 1, 2 }, { 0x1001, 1ull << 40, 5, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct watch_spec spec = { .gva = rows[i].gva, .size = rows[i].size };
		struct watch_piece p[4];
		unsigned n = watch_pieces(&spec, p);
		uint64_t at = spec.gva;

		ck_assert_uint_eq(n, rows[i].n);
		ck_assert_uint_eq(p[0].size, rows[i].first);
		for (unsigned k = 0; k < n && k < 4; at += p[k++].size) {
			ck_assert_uint_eq(p[k].gva, at);
			ck_assert_uint_eq(at % p[k].size, 0);
		}
		if (n <= 4)
			ck_assert_uint_eq(at, spec.gva + spec.size);
	}
}
END_TEST

START_TEST(registers)
{
	struct watch_spec spec = { .kind = WATCH_WRITE, .gva = 0x1100, .size = 8 };
	uint64_t g = watch_generation(t);
	bool is_new;

	ck_assert_int_eq(watch_add(t, 1, &spec, true, &is_new, &err), 0);
	ck_assert_uint_ne(watch_generation(t), g);
	ck_assert_uint_eq(watch_registers(t), 1);
	ck_assert_uint_eq(right[1], ALL);
	ck_assert(!watch_has_pages(t));
	ck_assert_int_eq(watch_leave_registers(t, &err), 0);
	ck_assert_uint_eq(watch_registers(t), 0);
	ck_assert_uint_eq(right[1], NO_WRITE);
}
END_TEST

START_TEST(bad_ranges)
{
	ck_assert_int_eq(add(1, WATCH_WRITE, 0x1000, 0), -EINVAL);
	ck_assert_int_eq(add(1, WATCH_WRITE, 0x1000, 1ull << 63), -EINVAL);
	ck_assert_int_eq(add(1, WATCH_WRITE, 0, WATCH_SIZE_MAX + 1), -EINVAL);
	ck_assert_int_eq(add(1, WATCH_WRITE, UINT64_MAX, 2), -EINVAL);
	ck_assert_uint_eq(watch_count(t), 0);
	/* The last byte there is may be. */
	ck_assert_int_eq(add(1, WATCH_WRITE, UINT64_MAX, 1), 0);
	ck_assert_uint_eq(watch_pending(t), 1);
}
END_TEST

/* After any additions and removals the rights are what the watchpoints that are left ask for. */
START_TEST(random_rights)
{
	struct { uint64_t gva, size; enum watch_kind kind; } model[32];
	unsigned n = 0;

	srand(99);
	for (unsigned round = 0; round < 20000; round++) {
		if (n < 32 && rand() % 2) {
			unsigned i = 0;

			model[n].gva = (uint64_t)rand() % SIZE;
			model[n].size = 1 + (uint64_t)rand() % (rand() % 2 ? 8 : SIZE - model[n].gva);
			model[n].kind = (enum watch_kind)(rand() % 3);
			if (model[n].size > SIZE - model[n].gva)
				model[n].size = SIZE - model[n].gva;
			while (i < n && (model[i].gva != model[n].gva || model[i].size != model[n].size || model[i].kind != model[n].kind))
				i++;
			ck_assert_int_eq(add(1, model[n].kind, model[n].gva, model[n].size), 0);
			n += i == n;
		} else if (n) {
			unsigned i = (unsigned)rand() % n;

			ck_assert_int_eq(del(1, model[i].kind, model[i].gva, model[i].size), 0);
			model[i] = model[--n];
		}
		if (rand() % 64 == 0) {
			watch_suspend(t);
			watch_resume(t);
		}
		for (unsigned page = 0; page < PAGES; page++) {
			unsigned want = ALL;

			for (unsigned i = 0; i < n; i++)
				if (model[i].gva / PAGE <= page && (model[i].gva + model[i].size - 1) / PAGE >= page)
					want |= model[i].kind == WATCH_WRITE ? NO_WRITE : NO_WRITE | NO_READ;
			if (right[page] != want)
				ck_abort_msg("round %u: page %u has %u, not %u", round, page, right[page], want);
		}
		if (alias_right != right[0])
			ck_abort_msg("round %u: the alias differs", round);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("watch table");
	TCase *c = tcase_create("watch table");

	if (page_bytes() != PAGE)
		return unit_skip_all("this host's pages have not 4096 bytes, which the test counts by");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, rights_by_kind);
	tcase_add_test(c, aliases);
	tcase_add_test(c, pages_and_pending);
	tcase_add_test(c, hits_and_misses);
	tcase_add_test(c, every_write);
	tcase_add_test(c, guards);
	tcase_add_test(c, guard_in_the_way);
	tcase_add_test(c, pieces);
	tcase_add_test(c, registers);
	tcase_add_test(c, bad_ranges);
	tcase_add_test(c, random_rights);
	suite_add_tcase(s, c);
	return unit_main(s);
}
