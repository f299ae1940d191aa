/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "break/break.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct break_table {
	struct gmem *gmem;
	uint8_t trap;                   /* what an armed site holds in memory */
	struct breakpoint **bps;        /* ascending by gva, then kind */
	size_t nbps, bps_cap;
	struct break_site **sites;      /* ascending by gpa */
	size_t nsites, sites_cap;
	size_t nsoft, nhard;
};

int break_new(struct gmem *g, uint8_t trap, struct break_table **ret, struct err *err)
{
	struct break_table *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, ENOMEM, "out of memory");
	t->gmem = g;
	t->trap = trap;
	*ret = t;
	return 0;
}

void break_free(struct break_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nbps; i++)
		free(t->bps[i]);
	for (size_t i = 0; i < t->nsites; i++)
		free(t->sites[i]);
	free(t->bps);
	free(t->sites);
	free(t);
}

/* Index of the first breakpoint not below (gva, kind). */
static size_t bp_lower(const struct break_table *t, uint64_t gva, enum break_kind kind)
{
	size_t lo = 0, hi = t->nbps;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct breakpoint *b = t->bps[mid];

		if (b->gva < gva || (b->gva == gva && b->kind < kind))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static size_t site_lower(const struct break_table *t, uint64_t gpa)
{
	size_t lo = 0, hi = t->nsites;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->sites[mid]->gpa < gpa)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The array with room for one more pointer; NULL: out of memory, the old one still stands. */
static void *grown(void *array, size_t count, size_t *cap)
{
	size_t want = *cap ? *cap * 2 : 16;
	void *p;

	if (count < *cap)
		return array;
	p = reallocarray(array, want, sizeof(void *));
	if (p)
		*cap = want;
	return p;
}

struct breakpoint *break_at(struct break_table *t, size_t index)
{
	return index < t->nbps ? t->bps[index] : NULL;
}

struct breakpoint *break_find(struct break_table *t, enum break_kind kind, uint64_t gva)
{
	size_t i = bp_lower(t, gva, kind);

	return i < t->nbps && t->bps[i]->gva == gva && t->bps[i]->kind == kind ? t->bps[i] : NULL;
}

struct break_site *break_site_find(struct break_table *t, uint64_t gpa)
{
	size_t i = site_lower(t, gpa);

	return i < t->nsites && t->sites[i]->gpa == gpa ? t->sites[i] : NULL;
}

size_t break_soft_count(const struct break_table *t)
{
	return t->nsoft;
}

unsigned break_hard(const struct break_table *t, uint64_t ret[BREAK_HARD_MAX])
{
	unsigned n = 0;

	for (size_t i = 0; n < t->nhard; i++)
		if (t->bps[i]->kind == BREAK_HARD)
			ret[n++] = t->bps[i]->gva;
	return n;
}

void break_site_set(struct break_table *t, struct break_site *s, bool arm)
{
	uint8_t *p;
	size_t one = 1;

	if (s->armed == arm)
		return;
	p = gmem_span(t->gmem, s->gpa, &one);
	s->armed = arm && p;
	if (!p)
		return;         /* its memory was removed: there is nothing to restore */
	if (arm) {
		s->saved = *p;
		*p = t->trap;
	} else if (*p == t->trap)
		*p = s->saved;  /* anything else was written by the guest and stays */
}

static int site_get(struct break_table *t, uint64_t gpa, struct break_site **ret, struct err *err)
{
	struct break_site *s = break_site_find(t, gpa);
	size_t i = site_lower(t, gpa), one = 1;
	struct break_site **all;

	if (!s) {
		if (!gmem_span(t->gmem, gpa, &one))
			return err_set(err, ENXIO, "no memory at gpa 0x%" PRIx64, gpa);
		all = grown(t->sites, t->nsites, &t->sites_cap);
		if (all)
			t->sites = all;
		s = all ? calloc(1, sizeof(*s)) : NULL;
		if (!s)
			return err_set(err, ENOMEM, "out of memory");
		s->gpa = gpa;
		memmove(&t->sites[i + 1], &t->sites[i], (t->nsites - i) * sizeof(*t->sites));
		t->sites[i] = s;
		t->nsites++;
		break_site_set(t, s, true);
	}
	s->refs++;
	*ret = s;
	return 0;
}

static void site_put(struct break_table *t, struct break_site *s)
{
	size_t i = site_lower(t, s->gpa);

	if (--s->refs)
		return;
	break_site_set(t, s, false);
	memmove(&t->sites[i], &t->sites[i + 1], (t->nsites - i - 1) * sizeof(*t->sites));
	t->nsites--;
	free(s);
}

int break_add(struct break_table *t, enum break_owner owner, enum break_kind kind, uint64_t gva, uint64_t gpa,
	      struct err *err)
{
	struct breakpoint *b = break_find(t, kind, gva);
	size_t i = bp_lower(t, gva, kind);
	struct breakpoint **all;
	int r;

	if (b) {
		b->owners |= owner;
		return 0;
	}
	if (kind == BREAK_HARD && t->nhard == BREAK_HARD_MAX)
		return err_set(err, ENOSPC, "all %d debug registers are in use", BREAK_HARD_MAX);
	all = grown(t->bps, t->nbps, &t->bps_cap);
	if (all)
		t->bps = all;
	b = all ? calloc(1, sizeof(*b)) : NULL;
	if (!b)
		return err_set(err, ENOMEM, "out of memory");
	b->gva = gva;
	b->kind = kind;
	b->owners = owner;
	if (kind == BREAK_SOFT) {
		r = site_get(t, gpa, &b->site, err);
		if (r) {
			free(b);
			return r;
		}
		t->nsoft++;
	} else
		t->nhard++;
	memmove(&t->bps[i + 1], &t->bps[i], (t->nbps - i) * sizeof(*t->bps));
	t->bps[i] = b;
	t->nbps++;
	return 0;
}

static void bp_drop(struct break_table *t, size_t i)
{
	struct breakpoint *b = t->bps[i];

	if (b->kind == BREAK_SOFT) {
		site_put(t, b->site);
		t->nsoft--;
	} else
		t->nhard--;
	memmove(&t->bps[i], &t->bps[i + 1], (t->nbps - i - 1) * sizeof(*t->bps));
	t->nbps--;
	free(b);
}

int break_del(struct break_table *t, enum break_owner owner, enum break_kind kind, uint64_t gva, struct err *err)
{
	struct breakpoint *b = break_find(t, kind, gva);

	if (!b || !(b->owners & owner))
		return err_set(err, ENOENT, "no breakpoint at 0x%" PRIx64, gva);
	b->owners &= ~owner;
	if (!b->owners)
		bp_drop(t, bp_lower(t, gva, kind));
	return 0;
}

void break_del_all(struct break_table *t, enum break_owner owner)
{
	for (size_t i = t->nbps; i-- > 0;) {
		t->bps[i]->owners &= ~owner;
		if (!t->bps[i]->owners)
			bp_drop(t, i);
	}
}

void break_suspend(struct break_table *t)
{
	for (size_t i = 0; i < t->nsites; i++)
		break_site_set(t, t->sites[i], false);
}

void break_resume(struct break_table *t)
{
	for (size_t i = 0; i < t->nsites; i++)
		break_site_set(t, t->sites[i], true);
}

void break_rearm(struct break_table *t)
{
	for (size_t i = 0; i < t->nsites; i++) {
		t->sites[i]->armed = false;
		break_site_set(t, t->sites[i], true);
	}
}

size_t break_read(struct break_table *t, uint64_t gpa, void *ret, size_t len)
{
	size_t done = gmem_read(t->gmem, gpa, ret, len);
	uint8_t *bytes = ret;

	for (size_t i = site_lower(t, gpa); i < t->nsites && t->sites[i]->gpa - gpa < done; i++) {
		const struct break_site *s = t->sites[i];

		if (s->armed && bytes[s->gpa - gpa] == t->trap)
			bytes[s->gpa - gpa] = s->saved;
	}
	return done;
}

size_t break_write(struct break_table *t, uint64_t gpa, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	size_t done = 0;

	/* Plain runs go to memory; a byte under an armed site goes beneath it. */
	for (size_t i = site_lower(t, gpa); i < t->nsites && t->sites[i]->gpa - gpa < len; i++) {
		struct break_site *s = t->sites[i];
		size_t at = s->gpa - gpa;

		if (!s->armed)
			continue;
		done += gmem_write(t->gmem, gpa + done, bytes + done, at - done);
		if (done < at)
			return done;
		s->armed = false;
		if (gmem_write(t->gmem, s->gpa, bytes + at, 1) != 1)
			return done;
		break_site_set(t, s, true);
		done = at + 1;
	}
	return done + gmem_write(t->gmem, gpa + done, bytes + done, len - done);
}
