/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/rights.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void rights_free(struct rights *r)
{
	free(r->run);
	*r = (struct rights){ 0 };
}

/* How many runs begin at or below PAGE; the last of these is the only one that can hold it. */
static size_t count_up_to(const struct rights *r, uint64_t page)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->run[mid].first <= page)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int make_room(struct rights *r, size_t n, struct err *err)
{
	size_t cap = r->cap * 2 > n ? r->cap * 2 : n;
	struct rights_run *run;

	if (n <= r->cap)
		return 0;
	run = reallocarray(r->run, cap, sizeof(*run));
	if (!run)
		return err_set(err, ENOMEM, "no memory for the rights of %zu ranges of pages", n);
	r->run = run;
	r->cap = cap;
	return 0;
}

/* Puts N runs where GONE were, from AT on. */
static void replace(struct rights *r, size_t at, size_t gone, const struct rights_run *by, size_t n)
{
	memmove(&r->run[at + n], &r->run[at + gone], (r->n - at - gone) * sizeof(*by));
	if (n)
		memcpy(&r->run[at], by, n * sizeof(*by));
	r->n += n - gone;
}

/* Whether the runs AT and AT + 1 are one. */
static bool joins(const struct rights *r, size_t at)
{
	const struct rights_run *a = r->run + at;

	return at + 1 < r->n && a[0].first + a[0].pages == a[1].first && a[0].rights == a[1].rights;
}

int rights_set(struct rights *r, uint64_t page, enum page_rights rights, struct err *err)
{
	struct rights_run by[3], was = { 0 };
	size_t at = count_up_to(r, page), n = 0, gone = 0;
	int rc;

	if (rights_at(r, page, NULL) == rights)
		return 0;
	rc = make_room(r, r->n + 2, err);
	if (rc)
		return rc;
	if (at && page - r->run[at - 1].first < r->run[at - 1].pages) {
		was = r->run[--at];
		gone = 1;
		r->pages--;
		if (page > was.first)
			by[n++] = (struct rights_run){ was.first, page - was.first, was.rights };
	}
	if (rights != PAGE_ALL) {
		by[n++] = (struct rights_run){ page, 1, rights };
		r->pages++;
	}
	if (gone && page - was.first < was.pages - 1)
		by[n++] = (struct rights_run){ page + 1, was.pages - 1 - (page - was.first), was.rights };
	replace(r, at, gone, by, n);
	for (size_t i = at + n; i && i >= at; i--)
		if (joins(r, i - 1)) {
			r->run[i - 1].pages += r->run[i].pages;
			replace(r, i, 1, NULL, 0);
		}
	return 0;
}

enum page_rights rights_at(const struct rights *r, uint64_t page, uint64_t *ret_last)
{
	size_t at = r->n ? count_up_to(r, page) : 0;
	enum page_rights rights = PAGE_ALL;
	uint64_t last = at < r->n ? r->run[at].first - 1 : UINT64_MAX;

	if (at && page - r->run[at - 1].first < r->run[at - 1].pages) {
		rights = r->run[at - 1].rights;
		last = r->run[at - 1].first + r->run[at - 1].pages - 1;
	}
	if (ret_last)
		*ret_last = last;
	return rights;
}

int rights_copy(struct rights *to, const struct rights *from, struct err *err)
{
	int r = make_room(to, from->n, err);

	if (r)
		return r;
	if (from->n)
		memcpy(to->run, from->run, from->n * sizeof(*to->run));
	to->n = from->n;
	to->pages = from->pages;
	return 0;
}
