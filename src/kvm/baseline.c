/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/baseline.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm/bitmap.h"

static int map_copy(uint64_t pages, struct baseline *ret, struct err *err)
{
	uint64_t size = pages * DIRTY_PAGE;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return err_set(err, ENOMEM, "no memory for a copy of the slot's 0x%" PRIx64 " bytes", size);
	*ret = (struct baseline){ .copy = p, .pages = pages };
	return 0;
}

static uint8_t *page_at(const struct baseline *b, uint64_t page)
{
	return b->copy + page * DIRTY_PAGE;
}

/* Puts a page into a copy that is still all zero; one that is zero too costs nothing. */
static void put_fresh(struct baseline *b, uint64_t page, const uint8_t *data)
{
	static const uint8_t zero[PAGE_BYTES_MAX];

	if (memcmp(data, zero, DIRTY_PAGE))
		memcpy(page_at(b, page), data, DIRTY_PAGE);
}

int baseline_take(struct baseline *b, struct break_table *bt, const uint8_t *host, uint64_t pages, struct err *err)
{
	struct baseline fresh;
	uint8_t now[PAGE_BYTES_MAX];
	int r = map_copy(pages, &fresh, err);

	if (r)
		return r;
	for (uint64_t page = 0; page < pages; page++) {
		break_copy(bt, host + page * DIRTY_PAGE, now, DIRTY_PAGE);
		put_fresh(&fresh, page, now);
	}
	baseline_drop(b);
	*b = fresh;
	return 0;
}

void baseline_fill(struct baseline *b, uint64_t first, const uint8_t *data, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		put_fresh(b, first + i, data + i * DIRTY_PAGE);
}

void baseline_update(struct baseline *b, struct break_table *bt, const uint8_t *host, const uint64_t *bits)
{
	for (uint64_t page = bitmap_next(bits, b->pages, 0); page < b->pages;
	     page = bitmap_next(bits, b->pages, page + 1))
		break_copy(bt, host + page * DIRTY_PAGE, page_at(b, page), DIRTY_PAGE);
}

/* Differing bytes that follow each other, gathered until they are reported. */
struct run {
	uint64_t gpa;
	size_t len;
	uint8_t was[BASELINE_RUN_MAX], is[BASELINE_RUN_MAX];
};

static bool run_report(struct run *run, dirty_diff_fn *each, void *arg)
{
	size_t len = run->len;

	run->len = 0;
	return !len || each(arg, run->gpa, run->was, run->is, len);
}

static bool diff_page(struct run *run, uint64_t gpa, const uint8_t *was, const uint8_t *is, dirty_diff_fn *each,
		      void *arg)
{
	for (size_t i = 0; i < DIRTY_PAGE; i++) {
		if (was[i] == is[i])
			continue;
		if ((gpa + i != run->gpa + run->len || run->len == BASELINE_RUN_MAX) && !run_report(run, each, arg))
			return false;
		if (!run->len)
			run->gpa = gpa + i;
		run->was[run->len] = was[i];
		run->is[run->len++] = is[i];
	}
	return true;
}

void baseline_diff(const struct baseline *b, struct break_table *bt, const uint8_t *host, uint64_t gpa,
		   const uint64_t *bits, dirty_diff_fn *each, void *arg)
{
	struct run run = { .len = 0 };
	uint8_t now[PAGE_BYTES_MAX];

	for (uint64_t page = bitmap_next(bits, b->pages, 0); page < b->pages;
	     page = bitmap_next(bits, b->pages, page + 1)) {
		uint64_t at = gpa + page * DIRTY_PAGE;

		break_copy(bt, host + page * DIRTY_PAGE, now, DIRTY_PAGE);
		if (!memcmp(page_at(b, page), now, DIRTY_PAGE))
			continue;
		if (!diff_page(&run, at, page_at(b, page), now, each, arg))
			return;
	}
	run_report(&run, each, arg);
}

int baseline_slice(const struct baseline *b, uint64_t first, uint64_t pages, struct baseline *ret, struct err *err)
{
	struct baseline part;
	int r = map_copy(pages, &part, err);

	if (r)
		return r;
	for (uint64_t page = 0; page < pages && first + page < b->pages; page++)
		put_fresh(&part, page, page_at(b, first + page));
	*ret = part;
	return 0;
}

void baseline_drop(struct baseline *b)
{
	if (b->copy)
		munmap(b->copy, b->pages * DIRTY_PAGE);
	*b = (struct baseline){ 0 };
}
