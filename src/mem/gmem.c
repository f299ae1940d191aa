/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mem/gmem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct gmem {
	struct gmem_region *region;     /* ascending by gpa, never overlapping */
	uint64_t *start;                /* their gpas once more: close together, for the search */
	size_t n, cap;
	size_t nwatched;
};

int gmem_new(struct gmem **ret, struct err *err)
{
	struct gmem *g = calloc(1, sizeof(*g));

	if (!g)
		return err_errno(err, ENOMEM, "guest memory table");
	*ret = g;
	return 0;
}

void gmem_free(struct gmem *g)
{
	if (!g)
		return;
	free(g->region);
	free(g->start);
	free(g);
}

/* How many regions start at or below GPA; the last of these is the only one that can hold it. */
static size_t count_up_to(const struct gmem *g, uint64_t gpa)
{
	const uint64_t *base = g->start;
	size_t n = g->n;

	if (!n)
		return 0;
	/* Without a branch that could be mispredicted at each level. */
	while (n > 1) {
		size_t half = n / 2;

		base = base[half] <= gpa ? base + half : base;
		n -= half;
	}
	return (size_t)(base - g->start) + (*base <= gpa);
}

static int grow(struct gmem *g, struct err *err)
{
	size_t cap = g->cap ? g->cap * 2 : 16;
	struct gmem_region *region;
	uint64_t *start;

	if (g->n < g->cap)
		return 0;
	region = reallocarray(g->region, cap, sizeof(*region));
	if (region)
		g->region = region;
	start = reallocarray(g->start, cap, sizeof(*start));
	if (start)
		g->start = start;
	if (!region || !start)
		return err_errno(err, ENOMEM, "guest memory table");
	g->cap = cap;
	return 0;
}

static int overlap_error(const struct gmem_region *r, const struct gmem_region *with, struct err *err)
{
	return err_set(err, EEXIST, "0x%" PRIx64 "-0x%" PRIx64 " overlaps slot %d at 0x%" PRIx64 "-0x%" PRIx64,
		       r->gpa, r->gpa + r->size - 1, with->slot, with->gpa, with->gpa + with->size - 1);
}

int gmem_add(struct gmem *g, const struct gmem_region *r, struct err *err)
{
	size_t at;
	int rc;

	if (!r->size)
		return err_set(err, EINVAL, "a memory region at 0x%" PRIx64 " has no size", r->gpa);
	if (r->size > UINT64_MAX - r->gpa)
		return err_set(err, EINVAL, "a memory region of 0x%" PRIx64 " bytes at 0x%" PRIx64 " wraps",
			       r->size, r->gpa);
	at = count_up_to(g, r->gpa);
	if (at && r->gpa - g->region[at - 1].gpa < g->region[at - 1].size)
		return overlap_error(r, &g->region[at - 1], err);
	if (at < g->n && g->region[at].gpa - r->gpa < r->size)
		return overlap_error(r, &g->region[at], err);
	rc = grow(g, err);
	if (rc)
		return rc;
	memmove(&g->region[at + 1], &g->region[at], (g->n - at) * sizeof(*r));
	memmove(&g->start[at + 1], &g->start[at], (g->n - at) * sizeof(*g->start));
	g->region[at] = *r;
	g->start[at] = r->gpa;
	g->nwatched += r->watched;
	g->n++;
	return 0;
}

int gmem_remove(struct gmem *g, uint64_t gpa)
{
	size_t at = count_up_to(g, gpa);

	if (!at || g->region[at - 1].gpa != gpa)
		return -ENOENT;
	g->nwatched -= g->region[at - 1].watched;
	memmove(&g->region[at - 1], &g->region[at], (g->n - at) * sizeof(*g->region));
	memmove(&g->start[at - 1], &g->start[at], (g->n - at) * sizeof(*g->start));
	g->n--;
	return 0;
}

/* The region that starts at GPA exactly. */
static struct gmem_region *starting_at(struct gmem *g, uint64_t gpa)
{
	size_t at = count_up_to(g, gpa);

	return at && g->region[at - 1].gpa == gpa ? &g->region[at - 1] : NULL;
}

int gmem_mark(struct gmem *g, uint64_t gpa, uint64_t *bitmap)
{
	struct gmem_region *r = starting_at(g, gpa);

	if (!r)
		return -ENOENT;
	r->written = bitmap;
	return 0;
}

bool gmem_watching(const struct gmem *g)
{
	return g->nwatched;
}

static bool holds(const struct gmem *g, size_t at, uint64_t gpa)
{
	return at < g->n && gpa - g->region[at].gpa < g->region[at].size;
}

/*
 * Where this thread found the last one, in whatever table: a guess that is looked at before anything else.  No two regions hold
 * a gpa, so it is right whenever it fits.
 */
static _Thread_local size_t found_last;

const struct gmem_region *gmem_find(const struct gmem *g, uint64_t gpa)
{
	size_t at = found_last;

	if (holds(g, at, gpa))
		return &g->region[at];
	at = count_up_to(g, gpa);
	if (!at || !holds(g, at - 1, gpa))
		return NULL;
	found_last = at - 1;
	return &g->region[at - 1];
}

const struct gmem_region *gmem_overlap(const struct gmem *g, uint64_t gpa, uint64_t size, int skip)
{
	size_t at = count_up_to(g, gpa);

	if (at && gpa - g->region[at - 1].gpa < g->region[at - 1].size && g->region[at - 1].slot != skip)
		return &g->region[at - 1];
	while (at < g->n && g->region[at].slot == skip)
		at++;
	return at < g->n && g->region[at].gpa - gpa < size ? &g->region[at] : NULL;
}

const struct gmem_region *gmem_at(const struct gmem *g, size_t index)
{
	return index < g->n ? &g->region[index] : NULL;
}

uint8_t *gmem_span(const struct gmem *g, uint64_t gpa, size_t *ret_len)
{
	const struct gmem_region *r = gmem_find(g, gpa);
	uint64_t left;

	if (!r)
		return NULL;
	left = r->size - (gpa - r->gpa);
	if (left < *ret_len)
		*ret_len = left;
	return r->hva + (gpa - r->gpa);
}

size_t gmem_read(const struct gmem *g, uint64_t gpa, void *ret, size_t len)
{
	size_t done, n;
	uint8_t *p;

	/* No region reaches 2^64, so the address cannot wrap before a span is missing. */
	for (done = 0; done < len; done += n) {
		n = len - done;
		p = gmem_span(g, gpa + done, &n);
		if (!p)
			break;
		memcpy((uint8_t *)ret + done, p, n);
	}
	return done;
}

/* Host memory of the first N (in: wanted) bytes at GPA, which are about to be written. */
static uint8_t *span_to_write(struct gmem *g, uint64_t gpa, size_t *n)
{
	const struct gmem_region *r;
	uint8_t *p = gmem_span(g, gpa, n);

	if (!p || !*n)
		return p;
	r = gmem_find(g, gpa);
	if (r->written)
		for (uint64_t page = (gpa - r->gpa) / GMEM_PAGE; page <= (gpa - r->gpa + *n - 1) / GMEM_PAGE; page++)
			__atomic_fetch_or(&r->written[page / 64], 1ull << page % 64, __ATOMIC_RELAXED);
	return p;
}

size_t gmem_write(struct gmem *g, uint64_t gpa, const void *data, size_t len)
{
	size_t done, n;
	uint8_t *p;

	for (done = 0; done < len; done += n) {
		n = len - done;
		p = span_to_write(g, gpa + done, &n);
		if (!p)
			break;
		memcpy(p, (const uint8_t *)data + done, n);
	}
	return done;
}

size_t gmem_zero(struct gmem *g, uint64_t gpa, size_t len)
{
	size_t done, n;
	uint8_t *p;

	for (done = 0; done < len; done += n) {
		n = len - done;
		p = span_to_write(g, gpa + done, &n);
		if (!p)
			break;
		memset(p, 0, n);
	}
	return done;
}

void gmem_touch(struct gmem *g, uint64_t gpa, uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		size_t n = len - done;

		if (!span_to_write(g, gpa + done, &n))
			break;
		done += n;
	}
}
