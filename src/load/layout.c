/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which places in guest RAM an image takes, and where there is room for what belongs beside it. */
#include "load/parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

void layout_init(struct layout *l, const struct gmem *g)
{
	*l = (struct layout){ .g = g };
}

void layout_done(struct layout *l)
{
	free(l->used);
	layout_init(l, l->g);
}

static int note(struct layout *l, uint64_t gpa, uint64_t size, struct err *err)
{
	size_t cap = l->cap ? l->cap * 2 : 16;
	struct extent *p;

	if (l->n == l->cap) {
		p = reallocarray(l->used, cap, sizeof(*p));
		if (!p)
			return err_errno(err, ENOMEM, "layout of the image");
		l->used = p;
		l->cap = cap;
	}
	l->used[l->n++] = (struct extent){ gpa, size };
	return 0;
}

static uint64_t ram_end(const struct gmem *g)
{
	const struct gmem_region *r;
	uint64_t end = 0;
	size_t i;

	for (i = 0; (r = gmem_at(g, i)); i++)
		if (!r->readonly)
			end = r->gpa + r->size;
	return end;
}

/* A guest of 1 TiB is the most that advice to enlarge it is meant for. */
#define ADVICE_MAX      (1024 * GIB)

static int not_ram(const struct gmem *g, uint64_t gpa, uint64_t size, uint64_t at, const char *what,
		   struct err *err)
{
	uint64_t end = ram_end(g);
	const char *advice = "";

	if (gmem_find(g, at))
		return err_set(err, ENOSPC, "%s (0x%" PRIx64 "-0x%" PRIx64 ") overlaps ROM at 0x%" PRIx64, what,
			       gpa, gpa + size - 1, at);
	if (gpa + size > end && gpa + size <= ADVICE_MAX)
		advice = ": give it more memory with -m";
	return err_set(err, ENOSPC,
		       "%s (0x%" PRIx64 "-0x%" PRIx64 ") lies outside guest RAM, which ends at 0x%" PRIx64
		       "%s", what, gpa, gpa + size - 1, end, advice);
}

int layout_add(struct layout *l, uint64_t gpa, uint64_t size, const char *what, struct err *err)
{
	const struct gmem_region *r;
	uint64_t at;

	if (size > UINT64_MAX - gpa)
		return err_set(err, EINVAL, "%s of 0x%" PRIx64 " bytes at 0x%" PRIx64 " wraps", what, size, gpa);
	for (at = gpa; at < gpa + size; at = r->gpa + r->size) {
		r = gmem_find(l->g, at);
		if (!r || r->readonly)
			return not_ram(l->g, gpa, size, at, what, err);
	}
	return note(l, gpa, size, err);
}

uint64_t layout_end(const struct layout *l)
{
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->used[i].gpa + l->used[i].size > end)
			end = l->used[i].gpa + l->used[i].size;
	return end;
}

static int by_gpa(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

static void sort(struct layout *l)
{
	if (l->n)
		qsort(l->used, l->n, sizeof(*l->used), by_gpa);
}

int layout_check(struct layout *l, struct err *err)
{
	size_t i;

	sort(l);
	for (i = 1; i < l->n; i++)
		if (l->used[i].gpa - l->used[i - 1].gpa < l->used[i - 1].size)
			return err_set(err, ENOEXEC, "two segments overlap at 0x%" PRIx64, l->used[i].gpa);
	return 0;
}

bool layout_holds(const struct layout *l, uint64_t gpa, uint64_t size)
{
	size_t lo = 0, hi = l->n;
	const struct extent *e;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->used[mid].gpa <= gpa)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return false;
	e = &l->used[lo - 1];
	return gpa - e->gpa < e->size && size <= e->size - (gpa - e->gpa);
}

/* What is looked for, and the best place so far. */
struct wish {
	uint64_t size, align;
	enum layout_side side;
	bool found;
	uint64_t gpa;
};

/* Offers the free RAM [LO, HI); gaps come in ascending order. */
static void offer(struct wish *w, uint64_t lo, uint64_t hi)
{
	uint64_t gpa;

	if (w->found && w->side == LAYOUT_LOWEST)
		return;
	if (hi <= lo || hi - lo < w->size)
		return;
	if (w->side == LAYOUT_LOWEST) {
		if (lo > UINT64_MAX - (w->align - 1))
			return;
		gpa = (lo + w->align - 1) & ~(w->align - 1);
	} else {
		gpa = (hi - w->size) & ~(w->align - 1);
	}
	if (gpa < lo || gpa > hi - w->size)
		return;
	w->found = true;
	w->gpa = gpa;
}

int layout_place(struct layout *l, uint64_t lo, uint64_t hi, uint64_t size, uint64_t align,
		 enum layout_side side, const char *what, uint64_t *ret_gpa, struct err *err)
{
	struct wish w = { .size = size, .align = align, .side = side };
	const struct gmem_region *r, *next;
	uint64_t at, end, taken_to = lo;        /* nothing below it is free */
	size_t i, k = 0;
	int rc;

	sort(l);
	for (i = 0; (r = gmem_at(l->g, i)); i++) {
		if (r->readonly)
			continue;
		at = r->gpa;
		end = r->gpa + r->size;
		/* Neighbours are one run. */
		while ((next = gmem_at(l->g, i + 1)) && next->gpa == end && !next->readonly) {
			end = next->gpa + next->size;
			i++;
		}
		if (end > hi)
			end = hi;
		for (; k < l->n && l->used[k].gpa < end; k++) {
			offer(&w, at > taken_to ? at : taken_to, l->used[k].gpa);
			if (l->used[k].gpa + l->used[k].size > taken_to)
				taken_to = l->used[k].gpa + l->used[k].size;
		}
		offer(&w, at > taken_to ? at : taken_to, end);
	}
	if (!w.found)
		return err_set(err, ENOSPC,
			       "no 0x%" PRIx64 " bytes of free RAM in 0x%" PRIx64 "-0x%" PRIx64 " for %s", size,
			       lo, hi - 1, what);
	rc = note(l, w.gpa, size, err);
	if (!rc)
		*ret_gpa = w.gpa;
	return rc;
}
