/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What dirty logs are made of, without KVM: bitmaps, the copy that differences are taken from, the record of writers. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/baseline.h"
#include "kvm/bitmap.h"
#include "kvm/dirty.h"
#include "tests/unit.h"

static struct err err;

static bool bit(const uint64_t *b, uint64_t page)
{
	return b[page / 64] >> page % 64 & 1;
}

/* Every function against a look at each bit, for sizes around the borders of words. */
START_TEST(bitmaps)
{
	static const uint64_t sizes[] = { 1, 2, 63, 64, 65, 127, 128, 129, 200 };
	uint64_t pages = sizes[_i], b[4], part[5];
	size_t words = bitmap_words(pages), first, n;

	ck_assert_uint_eq(words, pages / 64 + (pages % 64 != 0));
	srand(1);
	for (unsigned round = 0; round < 200; round++) {
		uint64_t count = 0, at = 0, low = pages, high = 0;

		memset(b, 0, sizeof(b));
		for (uint64_t p = 0; p < pages; p++)
			if (rand() % 64 < (int)(round % 8 * round % 8)) {
				bitmap_set(b, p);
				low = low < p ? low : p;
				high = p;
				count++;
			}
		ck_assert_uint_eq(bitmap_count(b, words), count);
		for (uint64_t p = 0; p <= pages; p++) {
			for (at = p; at < pages && !bit(b, at); at++)
				;
			ck_assert_uint_eq(bitmap_next(b, pages, p), at);
		}
		n = bitmap_extent(b, words, &first);
		ck_assert_uint_eq(n, count ? high / 64 - low / 64 + 1 : 0);
		if (n)
			ck_assert_uint_eq(first, low / 64);

		for (uint64_t from = 0; from <= pages; from += 1 + (uint64_t)rand() % 40)
			for (uint64_t len = 1; len <= 256; len += 1 + (uint64_t)rand() % 60) {
				memset(part, 0xee, sizeof(part));
				bitmap_slice(part, len, b, pages, from);
				/* An assertion costs a system call. */
				for (at = 0; at < bitmap_words(len) * 64; at++)
					if (bit(part, at) != (at < len && from + at < pages && bit(b, from + at)))
						break;
				ck_assert_msg(at == bitmap_words(len) * 64, "bit %d of %d from %d", (int)at, (int)len, (int)from);
				ck_assert_uint_eq(part[bitmap_words(len)], 0xeeeeeeeeeeeeeeeeull);
			}
	}
}
END_TEST

/* Eight pages of guest memory at BASE, and what was reported of them. */
#define BASE  0x40000ull
#define PAGES 8u

#define BYTES (PAGES * DIRTY_PAGE)

static uint8_t mem[PAGES * PAGE_BYTES_MAX];
static struct gmem *gmem;
static struct break_table *breaks;
static struct baseline was;
static struct {
	uint64_t gpa;
	size_t len;
	uint8_t was[BASELINE_RUN_MAX], is[BASELINE_RUN_MAX];
} run[16];
static size_t runs, runs_max;

static void memory_up(void)
{
	memset(mem, 0, sizeof(mem));
	ck_assert_int_eq(gmem_new(&gmem, &err), 0);
	ck_assert_int_eq(gmem_add(gmem, &(struct gmem_region){ .gpa = BASE, .size = BYTES, .hva = mem }, &err), 0);
	ck_assert_int_eq(break_new(gmem, &(struct break_trap){ 1, { 0xcc } }, NULL, NULL, &breaks, &err), 0);
	was = (struct baseline){ 0 };
	runs_max = 16;
}

static void memory_down(void)
{
	baseline_drop(&was);
	break_free(breaks);
	gmem_free(gmem);
}

static bool on_run(void *arg, uint64_t gpa, const uint8_t *w, const uint8_t *is, size_t len)
{
	ck_assert_ptr_eq(arg, &runs);
	ck_assert_uint_le(len, BASELINE_RUN_MAX);
	ck_assert_uint_lt(runs, runs_max);
	run[runs].gpa = gpa;
	run[runs].len = len;
	memcpy(run[runs].was, w, len);
	memcpy(run[runs++].is, is, len);
	return runs < runs_max;
}

static void diff(uint64_t bits)
{
	runs = 0;
	baseline_diff(&was, breaks, mem, BASE, &bits, on_run, &runs);
}

START_TEST(differences_are_exact)
{
	uint64_t all = 0xff;

	for (size_t i = 0; i < 4 * DIRTY_PAGE; i++)
		mem[i] = (uint8_t)(i * 7);
	ck_assert_int_eq(baseline_take(&was, breaks, mem, PAGES, &err), 0);
	diff(all);
	ck_assert_uint_eq(runs, 0);

	mem[5] ^= 1;
	mem[6] ^= 2;
	mem[8] ^= 4;
	mem[PAGES * DIRTY_PAGE - 1] = 9;
	diff(all);
	ck_assert_uint_eq(runs, 3);
	ck_assert_uint_eq(run[0].gpa, BASE + 5);
	ck_assert_uint_eq(run[0].len, 2);
	ck_assert_uint_eq(run[0].was[0], 35);
	ck_assert_uint_eq(run[0].is[0], 34);
	ck_assert_uint_eq(run[0].was[1], 42);
	ck_assert_uint_eq(run[0].is[1], 40);
	ck_assert_uint_eq(run[1].gpa, BASE + 8);
	ck_assert_uint_eq(run[1].len, 1);
	ck_assert_uint_eq(run[2].gpa, BASE + BYTES - 1);
	ck_assert_uint_eq(run[2].was[0], 0);
	ck_assert_uint_eq(run[2].is[0], 9);
	/* Only in the pages asked for; nothing was forgotten by looking. */
	diff(0x7e);
	ck_assert_uint_eq(runs, 0);
	diff(0x80);
	ck_assert_uint_eq(runs, 1);
	/* One who has enough gets no more. */
	runs_max = 2;
	diff(all);
	ck_assert_uint_eq(runs, 2);
	runs_max = 16;
	/* A page that was brought up to date has no differences, the others keep theirs. */
	all = 1;
	baseline_update(&was, breaks, mem, &all);
	diff(0xff);
	ck_assert_uint_eq(runs, 1);
	ck_assert_uint_eq(run[0].gpa, BASE + BYTES - 1);
}
END_TEST

START_TEST(differences_across_pages)
{
	ck_assert_int_eq(baseline_take(&was, breaks, mem, PAGES, &err), 0);
	memset(mem + DIRTY_PAGE - 3, 1, 6);
	memset(mem + 3 * DIRTY_PAGE - 1, 2, 2 * BASELINE_RUN_MAX + 1);
	diff(0xff);
	ck_assert_uint_eq(runs, 4);
	ck_assert_uint_eq(run[0].gpa, BASE + DIRTY_PAGE - 3);
	ck_assert_uint_eq(run[0].len, 6);
	ck_assert_uint_eq(run[1].gpa, BASE + 3 * DIRTY_PAGE - 1);
	ck_assert_uint_eq(run[1].len, BASELINE_RUN_MAX);
	ck_assert_uint_eq(run[2].gpa, run[1].gpa + BASELINE_RUN_MAX);
	ck_assert_uint_eq(run[2].len, BASELINE_RUN_MAX);
	ck_assert_uint_eq(run[3].len, 1);
	for (size_t i = 0; i < BASELINE_RUN_MAX; i++) {
		ck_assert_uint_eq(run[2].was[i], 0);
		ck_assert_uint_eq(run[2].is[i], 2);
	}
	/* A page between that nobody asks for parts a run. */
	diff(0xff & ~(1u << 3));
	ck_assert_uint_eq(runs, 3);
	ck_assert_uint_eq(run[1].gpa, BASE + 3 * DIRTY_PAGE - 1);
	ck_assert_uint_eq(run[1].len, 1);
	ck_assert_uint_eq(run[2].gpa, BASE + 4 * DIRTY_PAGE);
	ck_assert_uint_eq(run[2].len, DIRTY_PAGE);
}
END_TEST

/* Without page tables gva and gpa are the same. */
static int trap(uint64_t gpa)
{
	struct break_spec spec = { .kind = BREAK_SOFT, .gva = gpa, .space = BREAK_ANY_SPACE };

	return break_add(breaks, BREAK_OWNER_GDB, &spec, &err);
}

START_TEST(traps_are_no_difference)
{
	uint64_t two = 2;

	memset(mem, 0x90, BYTES);
	ck_assert_int_eq(baseline_take(&was, breaks, mem, PAGES, &err), 0);
	ck_assert_int_eq(trap(BASE + 0x111), 0);
	ck_assert_uint_eq(mem[0x111], 0xcc);
	diff(0xff);
	ck_assert_uint_eq(runs, 0);
	/* What is remembered with a trap in place is what stands beneath it. */
	ck_assert_int_eq(trap(BASE + 0x1fff), 0);
	baseline_update(&was, breaks, mem, &two);
	break_del_all(breaks, BREAK_OWNER_GDB);
	diff(0xff);
	ck_assert_uint_eq(runs, 0);
	ck_assert_int_eq(trap(BASE + 0x111), 0);
	ck_assert_uint_eq(break_write(breaks, BASE + 0x111, "x", 1), 1);
	diff(0xff);
	ck_assert_uint_eq(runs, 1);
	ck_assert_uint_eq(run[0].len, 1);
	ck_assert_uint_eq(run[0].was[0], 0x90);
	ck_assert_uint_eq(run[0].is[0], 'x');
}
END_TEST

/* A trap goes in and out unseen, but a byte written beneath one is marked. */
START_TEST(traps_are_not_marked)
{
	uint64_t bits = 0;

	ck_assert_int_eq(gmem_mark(gmem, BASE, &bits), 0);
	ck_assert_int_eq(trap(BASE + 0x1011), 0);
	break_lift(breaks, break_site_at(breaks, BASE + 0x1011));
	break_plant(breaks, break_site_at(breaks, BASE + 0x1011));
	break_suspend(breaks);
	break_resume(breaks);
	ck_assert_uint_eq(bits, 0);
	ck_assert_uint_eq(break_write(breaks, BASE + 0x1011, "x", 1), 1);
	ck_assert_uint_eq(bits, 2);
	ck_assert_uint_eq(break_write(breaks, BASE + 0x1fff, "xy", 2), 2);
	ck_assert_uint_eq(bits, 6);
	bits = 0;
	break_del_all(breaks, BREAK_OWNER_GDB);
	ck_assert_uint_eq(bits, 0);
	ck_assert_uint_eq(mem[0x1011], 'x');
}
END_TEST

START_TEST(parts_of_a_copy)
{
	struct baseline part = { 0 };
	static uint8_t page[2 * PAGE_BYTES_MAX];

	for (size_t i = 0; i < PAGES; i++)
		memset(mem + i * DIRTY_PAGE, (int)i, DIRTY_PAGE);
	ck_assert_int_eq(baseline_take(&was, breaks, mem, PAGES, &err), 0);
	ck_assert_int_eq(baseline_slice(&was, 5, 6, &part, &err), 0);
	ck_assert_uint_eq(part.pages, 6);
	for (size_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(part.copy[i * DIRTY_PAGE], i < 3 ? i + 5 : 0);
		ck_assert_uint_eq(part.copy[i * DIRTY_PAGE + DIRTY_PAGE - 1], i < 3 ? i + 5 : 0);
	}
	memset(page + DIRTY_PAGE, 0x77, DIRTY_PAGE);
	baseline_fill(&part, 3, page, 2);
	ck_assert_uint_eq(part.copy[3 * DIRTY_PAGE], 0);
	ck_assert_uint_eq(part.copy[4 * DIRTY_PAGE], 0x77);
	/* They are separate. */
	baseline_drop(&was);
	ck_assert_uint_eq(part.copy[0], 5);
	baseline_drop(&part);
	ck_assert_ptr_null(part.copy);
	baseline_drop(&part);
	ck_assert_int_eq(baseline_take(&was, breaks, mem, 1ull << 40, &err), -ENOMEM);
	ck_assert_ptr_null(was.copy);
}
END_TEST

START_TEST(writers)
{
	struct dirty_who *w;
	struct dirty_writer x = { .cpu = 99 };

	ck_assert_int_eq(dirty_who_new(&w, &err), 0);
	dirty_who_note(w, 3, 0, 0x100, 0x5000);         /* nobody asked */
	ck_assert(!dirty_who_at(w, 3, 0, &x));
	ck_assert_int_eq(dirty_who_begin(w, 3, &err), 0);
	ck_assert_int_eq(dirty_who_begin(w, 0, &err), 0);
	ck_assert(!dirty_who_at(w, 3, 0, &x));
	ck_assert_uint_eq(x.cpu, 99);

	dirty_who_note(w, 3, 0, 0x100, 0x5008);
	for (unsigned i = 0; i < 3; i++)
		dirty_who_note(w, 3, 1, 0x100, 0x5ff8);
	for (unsigned i = 0; i < 2; i++)
		dirty_who_note(w, 3, 1, 0x104, 0x6000);
	dirty_who_note(w, 0, 7, 0x999, 0x1000);
	dirty_who_note(w, 4, 7, 0x999, 0x1000);
	ck_assert(dirty_who_at(w, 3, 0, &x));
	ck_assert(x.cpu == 1 && x.pc == 0x100 && x.gpa == 0x5000 && x.count == 3);
	/* A list stays what it was while it is read. */
	dirty_who_note(w, 3, 2, 0x100, 0x5000);
	ck_assert(dirty_who_at(w, 3, 1, &x));
	ck_assert(x.cpu == 1 && x.pc == 0x104 && x.gpa == 0x6000 && x.count == 2);
	ck_assert(dirty_who_at(w, 3, 2, &x));
	ck_assert(x.cpu == 0 && x.pc == 0x100 && x.gpa == 0x5000 && x.count == 1);
	ck_assert(!dirty_who_at(w, 3, 3, &x));
	ck_assert(dirty_who_at(w, 3, 0, &x));
	ck_assert(dirty_who_at(w, 3, 3, &x));
	ck_assert(dirty_who_at(w, 0, 0, &x));
	ck_assert(x.cpu == 7 && x.pc == 0x999);
	ck_assert(!dirty_who_at(w, 0, 1, &x));

	dirty_who_forget(w, 3);
	dirty_who_forget(w, 1000);
	ck_assert(!dirty_who_at(w, 3, 0, &x));
	dirty_who_note(w, 3, 0, 1, 1);
	ck_assert(!dirty_who_at(w, 3, 0, &x));
	ck_assert(dirty_who_at(w, 0, 0, &x));
	ck_assert_int_eq(dirty_who_begin(w, 0, &err), 0);
	ck_assert(!dirty_who_at(w, 0, 0, &x));
	dirty_who_free(w);
	dirty_who_free(NULL);
}
END_TEST

static void *note_many(void *arg)
{
	struct dirty_who *w = arg;

	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < DIRTY_WHO_MAX + 1000; i++)
			dirty_who_note(w, 1, 0, 0x1000 + i, 0x7000ull + i % 3 * DIRTY_PAGE);
	return NULL;
}

/* More writers than are told apart, from several threads: none is lost from the sum. */
START_TEST(too_many_writers)
{
	struct dirty_who *w;
	struct dirty_writer x;
	pthread_t thread[3];
	uint64_t sum = 0, last = UINT64_MAX;
	size_t n;

	ck_assert_int_eq(dirty_who_new(&w, &err), 0);
	ck_assert_int_eq(dirty_who_begin(w, 1, &err), 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, note_many, w), 0);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	for (n = 0; dirty_who_at(w, 1, n, &x); n++) {
		if (!n)
			ck_assert(x.pc == 0 && x.gpa == 0 && x.count == 9 * 1000);
		else
			ck_assert(x.count == 9 && x.gpa == 0x7000ull + (x.pc - 0x1000) % 3 * DIRTY_PAGE);
		ck_assert_uint_le(x.count, last);
		last = x.count;
		sum += x.count;
	}
	ck_assert_uint_eq(n, DIRTY_WHO_MAX + 1);
	ck_assert_uint_eq(sum, 9 * (DIRTY_WHO_MAX + 1000));
	dirty_who_free(w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dirty");
	TCase *t = tcase_create("bitmap"), *b = tcase_create("differences"), *w = tcase_create("who");

	tcase_set_timeout(t, 60);
	tcase_set_timeout(w, 60);
	tcase_add_loop_test(t, bitmaps, 0, 9);
	tcase_add_checked_fixture(b, memory_up, memory_down);
	tcase_add_test(b, differences_are_exact);
	tcase_add_test(b, differences_across_pages);
	tcase_add_test(b, traps_are_no_difference);
	tcase_add_test(b, traps_are_not_marked);
	tcase_add_test(b, parts_of_a_copy);
	tcase_add_test(w, writers);
	tcase_add_test(w, too_many_writers);
	suite_add_tcase(s, t);
	suite_add_tcase(s, b);
	suite_add_tcase(s, w);
	return unit_main(s);
}
