/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "break/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/htab.h"

struct watch_page {
	struct htab_link by_page;       /* key: host address / GMEM_PAGE */
	uint8_t *host;
	struct watch_ref *first;
	size_t writers, readers;        /* refs that want to know of writes alone, or of reads too */
	uint64_t *gpas;                 /* where rights were taken */
	size_t ngpas;
	bool guarded;
	bool overrun;                   /* the guard was in the way: it stands for no rights any longer */
	unsigned round;                 /* that kept the guard last */
	unsigned written;               /* while guarded */
};

#define GUARD_WRITES 5000               /* a page that is filled byte by byte, and some */

/* The part of a watchpoint that lies in one page. */
struct watch_ref {
	struct watchpoint *w;
	struct watch_page *page;        /* NULL: pending */
	struct watch_ref *prev, *next;  /* on the page, or among the pending ones */
	uint64_t gva;                   /* of its first byte */
	uint32_t from, to;              /* in the page; TO is past the last byte */
};

struct watch_table {
	struct gmem *gmem;
	struct watch_ops ops;
	struct watchpoint **all;        /* ascending by gva, size, kind */
	size_t n, cap;
	struct htab pages;
	struct watch_ref *pending, *pending_tail;
	size_t npending;
	uint64_t generation;
	int refused;                    /* why place() could not do with a page that is there: -errno, the last */
	bool suspended;
	struct watch_page *guard[WATCH_GUARDS_MAX];
	unsigned nguards, round;
};

int watch_new(struct gmem *g, const struct watch_ops *ops, struct watch_table **ret, struct err *err)
{
	struct watch_table *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, ENOMEM, "out of memory");
	t->gmem = g;
	t->ops = *ops;
	*ret = t;
	return 0;
}

size_t watch_count(const struct watch_table *t)
{
	return t->n;
}

size_t watch_registers(const struct watch_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->all[i]->in_registers;
	return n;
}

size_t watch_pending(const struct watch_table *t)
{
	return t->npending;
}

uint64_t watch_generation(const struct watch_table *t)
{
	return t->generation;
}

static int order(const struct watch_spec *a, const struct watch_spec *b)
{
	if (a->gva != b->gva)
		return a->gva < b->gva ? -1 : 1;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return (a->kind > b->kind) - (a->kind < b->kind);
}

static size_t lower(const struct watch_table *t, const struct watch_spec *spec)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (order(&t->all[mid]->spec, spec) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct watchpoint *watch_at(const struct watch_table *t, size_t index)
{
	return index < t->n ? t->all[index] : NULL;
}

struct watchpoint *watch_find(const struct watch_table *t, const struct watch_spec *spec)
{
	size_t i = lower(t, spec);

	return i < t->n && !order(&t->all[i]->spec, spec) ? t->all[i] : NULL;
}

/* -- pages -- */

static struct watch_page *page_of(const struct watch_table *t, const uint8_t *host)
{
	struct htab_link *link = t->pages.count ? htab_find(&t->pages, (uintptr_t)host / GMEM_PAGE) : NULL;

	return HTAB_ENTRY(link, struct watch_page, by_page);
}

bool watch_on_page(const struct watch_table *t, const uint8_t *host)
{
	return page_of(t, host);
}

static void pending_add(struct watch_table *t, struct watch_ref *r)
{
	r->page = NULL;
	r->next = NULL;
	r->prev = t->pending_tail;
	*(r->prev ? &r->prev->next : &t->pending) = r;
	t->pending_tail = r;
	t->npending++;
}

static void pending_del(struct watch_table *t, struct watch_ref *r)
{
	*(r->prev ? &r->prev->next : &t->pending) = r->next;
	*(r->next ? &r->next->prev : &t->pending_tail) = r->prev;
	t->npending--;
}

struct collect {
	struct watch_page *page;
	bool failed;
};

static void collect_gpa(void *arg, uint64_t gpa)
{
	struct collect *c = arg;
	uint64_t *p = reallocarray(c->page->gpas, c->page->ngpas + 1, sizeof(*p));

	if (!p) {
		c->failed = true;
		return;
	}
	p[c->page->ngpas++] = gpa;
	c->page->gpas = p;
}

/* Has P's rights be what it is watched for.  As ops->rights: they are not, everywhere. */
static int page_rights(struct watch_table *t, const struct watch_page *p)
{
	bool no_write = p->writers || p->readers || (p->guarded && !p->overrun);
	int rc = 0;

	for (size_t i = 0; i < p->ngpas; i++) {
		int r = t->ops.rights(t->ops.arg, p->gpas[i], no_write, p->readers);

		rc = rc ? rc : r;
	}
	return rc;
}

static void page_free(struct watch_table *t, struct watch_page *p)
{
	htab_del(&t->pages, &p->by_page);
	free(p->gpas);
	free(p);
}

static struct watch_page *page_get(struct watch_table *t, uint8_t *host)
{
	struct watch_page *p = page_of(t, host);
	struct collect c;

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p || htab_add(&t->pages, &p->by_page, (uintptr_t)host / GMEM_PAGE)) {
		free(p);
		return NULL;
	}
	p->host = host;
	c = (struct collect){ .page = p };
	t->ops.gpas(t->ops.arg, host, collect_gpa, &c);
	if (!c.failed)
		return p;
	page_free(t, p);
	return NULL;
}

/* Takes R out of whatever list it is in. */
static void unplace(struct watch_table *t, struct watch_ref *r)
{
	struct watch_page *p = r->page;

	if (!p) {
		pending_del(t, r);
		return;
	}
	*(r->prev ? &r->prev->next : &p->first) = r->next;
	if (r->next)
		r->next->prev = r->prev;
	*(r->w->spec.kind == WATCH_WRITE ? &p->writers : &p->readers) -= 1;
	r->page = NULL;
	r->w->nplaced--;
	page_rights(t, p);
	if (!p->first && !p->guarded)
		page_free(t, p);
}

/* Whether R, which is in no list, has a page now; it is pending else. */
static bool place(struct watch_table *t, struct watch_ref *r)
{
	size_t page = GMEM_PAGE;
	struct watch_page *p = NULL;
	uint64_t gpa;
	uint8_t *host;
	int rc;

	if (t->ops.resolve(t->ops.arg, &r->w->spec, r->gva, &gpa)) {
		host = gmem_span(t->gmem, gpa & ~(uint64_t)(GMEM_PAGE - 1), &page);
		p = host ? page_get(t, host) : NULL;
		if (host && !p)
			t->refused = -ENOMEM;
	}
	if (!p) {
		pending_add(t, r);
		return false;
	}
	r->page = p;
	r->prev = NULL;
	r->next = p->first;
	if (r->next)
		r->next->prev = r;
	p->first = r;
	*(r->w->spec.kind == WATCH_WRITE ? &p->writers : &p->readers) += 1;
	r->w->nplaced++;
	rc = page_rights(t, p);
	if (!rc)
		return true;
	/* With the rights it would never be hit: it is tried again like what is not mapped yet. */
	t->refused = rc;
	unplace(t, r);
	pending_add(t, r);
	return false;
}

/* -- guards -- */

static void unguard(struct watch_table *t, unsigned i)
{
	struct watch_page *p = t->guard[i];

	t->guard[i] = t->guard[--t->nguards];
	p->guarded = false;
	page_rights(t, p);
	if (!p->first)
		page_free(t, p);
}

bool watch_guard(struct watch_table *t, uint8_t *host)
{
	struct watch_page *p;

	if (t->suspended)
		return false;
	p = page_get(t, host - (uintptr_t)host % GMEM_PAGE);
	if (!p)
		return false;
	if (p->guarded) {
		p->round = t->round;
		return !p->overrun;
	}
	if (t->nguards == WATCH_GUARDS_MAX) {
		if (!p->first)
			page_free(t, p);
		return false;
	}
	p->guarded = true;
	p->round = t->round;
	p->written = 0;
	t->guard[t->nguards++] = p;
	if (!page_rights(t, p))
		return true;
	unguard(t, t->nguards - 1);
	return false;
}

bool watch_guards_sweep(struct watch_table *t, unsigned keep)
{
	bool changed = false;

	for (unsigned i = t->nguards; i-- > 0;) {
		struct watch_page *p = t->guard[i];

		if (t->round - p->round >= keep) {
			unguard(t, i);
			changed = true;
		} else if (p->written >= GUARD_WRITES && !p->overrun) {
			p->overrun = true;
			page_rights(t, p);
			changed = true;
		}
	}
	t->round++;
	return changed;
}

bool watch_guard_written(struct watch_table *t, const uint8_t *host)
{
	struct watch_page *p = page_of(t, host);

	return p && p->guarded && !p->first && ++p->written == GUARD_WRITES;
}

size_t watch_resolve(struct watch_table *t, size_t budget)
{
	size_t placed = 0;

	if (t->suspended)
		return 0;
	for (size_t n = t->npending < budget ? t->npending : budget; n; n--) {
		struct watch_ref *r = t->pending;

		pending_del(t, r);
		placed += place(t, r);
	}
	return placed;
}

void watch_suspend(struct watch_table *t)
{
	t->suspended = true;
	while (t->nguards)
		unguard(t, 0);
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->all[i]->nrefs; k++)
			if (t->all[i]->refs[k].page) {
				unplace(t, &t->all[i]->refs[k]);
				pending_add(t, &t->all[i]->refs[k]);
			}
}

void watch_resume(struct watch_table *t)
{
	t->suspended = false;
	watch_resolve(t, SIZE_MAX);
}

/* -- watchpoints -- */

static void free_one(struct watchpoint *w)
{
	free(w->refs);
	free(w);
}

void watch_free(struct watch_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->pages.buckets; i++) {
		struct htab_link *next;

		for (struct htab_link *link = t->pages.bucket[i]; link; link = next) {
			struct watch_page *p = HTAB_ENTRY(link, struct watch_page, by_page);

			next = link->next;
			free(p->gpas);
			free(p);
		}
	}
	for (size_t i = 0; i < t->n; i++)
		free_one(t->all[i]);
	htab_done(&t->pages);
	free(t->all);
	free(t);
}

static int make_refs(struct watchpoint *w)
{
	uint64_t first = w->spec.gva / GMEM_PAGE, last = (w->spec.gva + (w->spec.size - 1)) / GMEM_PAGE;

	w->nrefs = last - first + 1;
	w->refs = calloc(w->nrefs, sizeof(*w->refs));
	if (!w->refs)
		return -ENOMEM;
	for (size_t i = 0; i < w->nrefs; i++) {
		struct watch_ref *r = &w->refs[i];
		uint64_t page = (first + i) * GMEM_PAGE;

		r->w = w;
		r->gva = i ? page : w->spec.gva;
		r->from = (uint32_t)(r->gva % GMEM_PAGE);
		r->to = (uint32_t)(i + 1 < w->nrefs ? GMEM_PAGE : w->spec.gva + (w->spec.size - 1) - page + 1);
	}
	return 0;
}

static int check(const struct watch_spec *spec, struct err *err)
{
	if (!spec->size || spec->size > WATCH_SIZE_MAX)
		return err_set(err, EINVAL, "a watchpoint covers 1 byte to %llu MiB, not 0x%" PRIx64 " bytes",
			       WATCH_SIZE_MAX >> 20, spec->size);
	if (spec->gva + (spec->size - 1) < spec->gva)
		return err_set(err, EINVAL, "0x%" PRIx64 " bytes at 0x%" PRIx64 " reach past the top of memory",
			       spec->size, spec->gva);
	return 0;
}

static void drop(struct watch_table *t, size_t i)
{
	struct watchpoint *w = t->all[i];

	for (size_t k = 0; k < w->nrefs; k++)
		unplace(t, &w->refs[k]);
	memmove(&t->all[i], &t->all[i + 1], (t->n - i - 1) * sizeof(struct watchpoint *));
	t->n--;
	free_one(w);
	t->generation++;
}

int watch_add(struct watch_table *t, unsigned owner, const struct watch_spec *spec, bool in_registers, bool *ret_new,
	      struct err *err)
{
	struct watchpoint *w = watch_find(t, spec), **all;
	size_t i;
	int r = check(spec, err);

	if (r)
		return r;
	*ret_new = !w;
	if (w) {
		w->owners |= owner;
		w->spec.every = spec->every;
		return 0;
	}
	if (t->n == t->cap) {
		all = reallocarray(t->all, t->cap ? 2 * t->cap : 16, sizeof(struct watchpoint *));
		if (!all)
			return err_set(err, ENOMEM, "out of memory");
		t->all = all;
		t->cap = t->cap ? 2 * t->cap : 16;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(err, ENOMEM, "out of memory");
	w->spec = *spec;
	w->owners = owner;
	w->in_registers = in_registers;
	if (!in_registers && make_refs(w)) {
		free_one(w);
		return err_set(err, ENOMEM, "out of memory");
	}
	i = lower(t, spec);
	memmove(&t->all[i + 1], &t->all[i], (t->n - i) * sizeof(struct watchpoint *));
	t->all[i] = w;
	t->n++;
	t->refused = 0;
	for (size_t k = 0; k < w->nrefs; k++)
		place(t, &w->refs[k]);
	t->generation++;
	if (t->refused) {
		r = t->refused;
		drop(t, i);
		return err_errno(err, -r, "taking the rights to the pages at 0x%" PRIx64, spec->gva);
	}
	return 0;
}

bool watch_has_pages(const struct watch_table *t)
{
	return t->pages.count || t->npending;
}

int watch_leave_registers(struct watch_table *t, struct err *err)
{
	for (size_t i = 0; i < t->n; i++) {
		struct watchpoint *w = t->all[i];

		if (!w->in_registers)
			continue;
		if (make_refs(w))
			return err_set(err, ENOMEM, "out of memory");
		w->in_registers = false;
		for (size_t k = 0; k < w->nrefs; k++)
			place(t, &w->refs[k]);
		t->generation++;
	}
	return 0;
}

int watch_del(struct watch_table *t, unsigned owner, const struct watch_spec *spec, struct err *err)
{
	struct watchpoint *w = watch_find(t, spec);

	if (!w || !(w->owners & owner))
		return err_set(err, ENOENT, "no such watchpoint at 0x%" PRIx64, spec->gva);
	w->owners &= ~owner;
	if (!w->owners)
		drop(t, lower(t, spec));
	return 0;
}

void watch_del_all(struct watch_table *t, unsigned owner)
{
	for (size_t i = t->n; i-- > 0;) {
		t->all[i]->owners &= ~owner;
		if (!t->all[i]->owners)
			drop(t, i);
	}
}

/* -- accesses -- */

unsigned watch_pieces(const struct watch_spec *spec, struct watch_piece ret[4])
{
	uint64_t gva = spec->gva, left = spec->size;
	unsigned n = 0;

	/* Four registers cover no more; the rest need not be counted to the end. */
	while (left && n <= 4) {
		unsigned size = 8;

		while (size > left || gva % size)
			size /= 2;
		if (n < 4)
			ret[n] = (struct watch_piece){ gva, size };
		n++;
		gva += size;
		left -= size;
	}
	return n;
}

static uint64_t value(const uint8_t *p, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

/* Whether A, which begins at AT in R's page, hits R; *RET says where. */
static bool hits(const struct watch_ref *r, const struct watch_access *a, size_t at, struct watch_hit *ret)
{
	const struct watch_spec *spec = &r->w->spec;
	size_t from = at > r->from ? at : r->from, to = at + a->len < r->to ? at + a->len : r->to;

	if (from >= to || spec->kind == (a->write ? WATCH_READ : WATCH_WRITE))
		return false;
	if (spec->kind == WATCH_WRITE && !spec->every) {
		/* From the first byte that changed. */
		while (from < to && a->old[from - at] == a->now[from - at])
			from++;
		if (from == to)
			return false;
	}
	ret->spec = *spec;
	ret->write = a->write;
	ret->gva = r->gva + (from - r->from);
	ret->size = to - from < 8 ? (unsigned)(to - from) : 8;
	ret->old = value(a->old + (from - at), ret->size);
	ret->now = value(a->now + (from - at), ret->size);
	return true;
}

bool watch_check(struct watch_table *t, const struct watch_access *a, size_t index, struct watchpoint **ret_w,
		 struct watch_hit *ret_hit)
{
	const struct watch_page *p = page_of(t, a->host);
	size_t at = (uintptr_t)a->host % GMEM_PAGE, n = 0;

	if (!p)
		return false;
	for (const struct watch_ref *r = p->first; r; r = r->next) {
		if (!hits(r, a, at, ret_hit) || n++ < index)
			continue;
		*ret_w = r->w;
		return true;
	}
	if (!n && !index)
		for (const struct watch_ref *r = p->first; r; r = r->next)
			atomic_fetch_add_explicit(&r->w->misses, 1, memory_order_relaxed);
	return false;
}
