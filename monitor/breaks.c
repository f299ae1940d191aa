/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/breaks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 64

void brks_init(struct breaks *b, struct machine *m)
{
	*b = (struct breaks){ .m = m };
}

static void brk_free(struct brk *k)
{
	free(k->condition);
	free(k->commands);
	free(k);
}

void brks_done(struct breaks *b)
{
	for (size_t i = 0; i < b->n; i++)
		brk_free(b->v[i]);
	if (b->until)
		brk_free(b->until);
	free(b->v);
	free(b->bucket);
	*b = (struct breaks){ 0 };
}

/* -- by number -- */

size_t brks_from(const struct breaks *b, unsigned number)
{
	size_t low = 0, high = b->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (b->v[mid]->number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct brk *brks_find(const struct breaks *b, unsigned number)
{
	size_t i = brks_from(b, number);

	return i < b->n && b->v[i]->number == number ? b->v[i] : NULL;
}

static int no_such(unsigned number, struct err *err)
{
	return err_set(err, ENOENT, "there is no breakpoint %u", number);
}

/* -- by place: what is enabled is in the hash -- */

static uint64_t key_of(const struct brk *k)
{
	return k->type == BRK_BREAK ? k->at.gva : k->type == BRK_WATCH ? k->watch.gva : k->catch_id;
}

static size_t bucket_of(const struct breaks *b, uint64_t key)
{
	return (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & (b->nbuckets - 1);
}

static void link_in(struct breaks *b, struct brk *k)
{
	struct brk **p = &b->bucket[bucket_of(b, key_of(k))];

	/* At the end: those of one place come as they were set. */
	while (*p)
		p = &(*p)->next;
	k->next = NULL;
	*p = k;
}

static int hash_grow(struct breaks *b, struct err *err)
{
	size_t old_n = b->nbuckets, n = old_n ? old_n * 2 : BUCKETS_MIN;
	struct brk **old = b->bucket, **bucket;

	if (b->nhashed < old_n)
		return 0;
	bucket = calloc(n, sizeof(*bucket));
	if (!bucket)
		return err_set(err, ENOMEM, "out of memory");
	b->bucket = bucket;
	b->nbuckets = n;
	for (size_t i = 0; i < old_n; i++)
		for (struct brk *k = old[i], *next; k; k = next) {
			next = k->next;
			link_in(b, k);
		}
	free(old);
	return 0;
}

static void hash_remove(struct breaks *b, struct brk *k)
{
	struct brk **p = &b->bucket[bucket_of(b, key_of(k))];

	while (*p != k)
		p = &(*p)->next;
	*p = k->next;
	k->next = NULL;
	b->nhashed--;
}

static bool same_break(const struct break_spec *a, const struct break_spec *b)
{
	return a->kind == b->kind && a->gva == b->gva && a->space == b->space;
}

static bool same_watch(const struct watch_spec *a, const struct watch_spec *b)
{
	return a->kind == b->kind && a->gva == b->gva && a->size == b->size;
}

static struct brk *first(const struct breaks *b, uint64_t key, const struct brk *k)
{
	if (k)
		return k->next;
	return b->nbuckets ? b->bucket[bucket_of(b, key)] : NULL;
}

struct brk *brks_of_break(const struct breaks *b, const struct break_spec *spec, const struct brk *k)
{
	struct brk *p = first(b, spec->gva, k);

	while (p && (p->type != BRK_BREAK || !same_break(&p->at, spec)))
		p = p->next;
	return p;
}

struct brk *brks_of_watch(const struct breaks *b, const struct watch_spec *spec, const struct brk *k)
{
	struct brk *p = first(b, spec->gva, k);

	while (p && (p->type != BRK_WATCH || !same_watch(&p->watch, spec)))
		p = p->next;
	return p;
}

struct brk *brks_of_catch(const struct breaks *b, unsigned id, const struct brk *k)
{
	struct brk *p = first(b, id, k);

	while (p && (p->type != BRK_CATCH || p->catch_id != id))
		p = p->next;
	return p;
}

struct brk *brks_match(const struct breaks *b, const struct stop_event *ev, const struct brk *k)
{
	struct break_spec spec = { .kind = ev->kind, .gva = ev->place, .space = ev->space };

	switch (ev->reason) {
	case STOP_BREAKPOINT: return brks_of_break(b, &spec, k);
	case STOP_WATCH: return brks_of_watch(b, &ev->watch.spec, k);
	case STOP_CATCH: return brks_of_catch(b, ev->catch_id, k);
	default: return NULL;
	}
}

/* -- to the machine and back -- */

/* Another enabled one that the machine has as the same. */
static bool shared(const struct breaks *b, const struct brk *k)
{
	const struct brk *p = NULL;

	if (k->type != BRK_BREAK)
		return false;
	while ((p = brks_of_break(b, &k->at, p)))
		if (p != k)
			return true;
	return false;
}

static int arm(struct breaks *b, struct brk *k, struct err *err)
{
	int r = hash_grow(b, err);

	if (!r && k->type == BRK_BREAK)
		r = machine_break_insert(b->m, BREAK_OWNER_MONITOR, &k->at, err);
	else if (!r && k->type == BRK_WATCH)
		r = machine_watch_insert(b->m, BREAK_OWNER_MONITOR, &k->watch, err);
	else if (!r)
		r = machine_catch_add(b->m, &k->caught, &k->catch_id, err);
	if (r)
		return r;
	link_in(b, k);
	b->nhashed++;
	k->enabled = true;
	return 0;
}

/* No stop that has yet to be told is of K. */
static void forget_hits(struct breaks *b, struct brk *k)
{
	for (unsigned cpu = 0; k->wanted_by; cpu++) {
		struct wanted *w = &b->wanted[cpu];
		unsigned n = 0;

		if (!(k->wanted_by >> cpu & 1))
			continue;
		for (unsigned i = 0; i < w->n; i++)
			if (w->v[i] != k)
				w->v[n++] = w->v[i];
		w->n = n;
		k->wanted_by &= ~(1ull << cpu);
	}
}

static int disarm(struct breaks *b, struct brk *k, struct err *err)
{
	int r = 0;

	if (!k->enabled)
		return 0;
	if (k->type == BRK_WATCH)
		r = machine_watch_remove(b->m, BREAK_OWNER_MONITOR, &k->watch, err);
	else if (k->type == BRK_CATCH)
		r = machine_catch_remove(b->m, k->catch_id, err);
	else if (!shared(b, k))
		r = machine_break_remove(b->m, BREAK_OWNER_MONITOR, &k->at, err);
	if (r)
		return r;
	hash_remove(b, k);
	forget_hits(b, k);
	k->enabled = false;
	return 0;
}

/* -- the list -- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static int refuse_twice(const struct breaks *b, const struct brk *what, struct err *err)
{
	const struct brk *k = NULL;

	if (what->type == BRK_WATCH && (k = brks_of_watch(b, &what->watch, NULL)))
		return err_set(err, EEXIST, "watchpoint %u is there already", k->number);
	while (what->type == BRK_BREAK && (k = brks_of_break(b, &what->at, k)))
		if (k->number && k->cpu == what->cpu && k->temporary == what->temporary &&
		    same_text(k->condition, what->condition))
			return err_set(err, EEXIST, "breakpoint %u is there already", k->number);
	return 0;
}

static int make_room(struct breaks *b, struct err *err)
{
	size_t cap = b->cap ? b->cap * 2 : 16;
	struct brk **v;

	if (b->n >= BREAKS_MAX)
		return err_set(err, ENOSPC, "there are %d breakpoints already", BREAKS_MAX);
	if (b->n < b->cap)
		return 0;
	v = realloc(b->v, cap * sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	b->v = v;
	b->cap = cap;
	return 0;
}

int brks_add(struct breaks *b, const struct brk *what, unsigned *ret_number, struct err *err)
{
	struct brk *k;
	int r = refuse_twice(b, what, err);

	if (!r)
		r = make_room(b, err);
	if (r)
		return r;
	k = malloc(sizeof(*k));
	if (!k)
		return err_set(err, ENOMEM, "out of memory");
	*k = *what;
	r = arm(b, k, err);
	if (r) {
		free(k);
		return r;
	}
	k->number = ++b->last;
	b->v[b->n++] = k;
	*ret_number = k->number;
	return 0;
}

void brks_drop_until(struct breaks *b)
{
	if (!b->until || disarm(b, b->until, NULL))
		return;
	brk_free(b->until);
	b->until = NULL;
}

int brks_until(struct breaks *b, const struct break_spec *spec, struct err *err)
{
	struct brk *k;
	int r;

	brks_drop_until(b);
	if (b->until)
		return err_set(err, EBUSY, "the last until's breakpoint could not be taken away");
	k = calloc(1, sizeof(*k));
	if (!k)
		return err_set(err, ENOMEM, "out of memory");
	*k = (struct brk){ .type = BRK_BREAK, .at = *spec, .cpu = -1 };
	r = arm(b, k, err);
	if (r) {
		free(k);
		return r;
	}
	b->until = k;
	return 0;
}

int brks_remove(struct breaks *b, unsigned number, struct err *err)
{
	size_t i = brks_from(b, number);
	int r;

	if (!number || i == b->n || b->v[i]->number != number)
		return no_such(number, err);
	r = disarm(b, b->v[i], err);
	if (r)
		return r;
	brk_free(b->v[i]);
	b->n--;
	memmove(b->v + i, b->v + i + 1, (b->n - i) * sizeof(b->v[0]));
	return 0;
}

int brks_remove_all(struct breaks *b, struct err *err)
{
	int r;

	while (b->n) {
		r = disarm(b, b->v[b->n - 1], err);
		if (r)
			return r;
		brk_free(b->v[--b->n]);
	}
	return 0;
}

int brks_enable(struct breaks *b, unsigned number, bool on, struct err *err)
{
	struct brk *k = brks_find(b, number);

	if (!k)
		return no_such(number, err);
	if (k->enabled == on)
		return 0;
	if (k->type == BRK_WATCH && on && brks_of_watch(b, &k->watch, NULL))
		return refuse_twice(b, k, err);
	return on ? arm(b, k, err) : disarm(b, k, err);
}

static void move(struct breaks *b, struct brk *k, uint64_t delta, struct err *err)
{
	bool was = k->enabled;

	if (was && disarm(b, k, err))
		return;
	if (k->type == BRK_BREAK)
		k->at.gva += delta;
	else
		k->watch.gva += delta;
	/* Its owner is told, and may try again. */
	if (was && !(k->type == BRK_WATCH && brks_of_watch(b, &k->watch, NULL)))
		arm(b, k, err);
}

size_t brks_move(struct breaks *b, uint64_t delta, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->v[i]->moves) {
			move(b, b->v[i], delta, err);
			n++;
		}
	return n;
}

/* -- what a stop is of -- */

static void wanted_clear(struct wanted *w, unsigned cpu)
{
	for (unsigned i = 0; i < w->n; i++)
		w->v[i]->wanted_by &= ~(1ull << cpu);
	w->n = 0;
	w->why[0] = '\0';
}

struct wanted *brks_hit(struct breaks *b, const struct stop_event *ev)
{
	struct wanted *w = &b->wanted[ev->cpu];

	/* Of a hit that was dropped before it was told. */
	if (w->reason != ev->reason || w->pc != ev->pc)
		wanted_clear(w, ev->cpu);
	w->reason = ev->reason;
	w->pc = ev->pc;
	return w;
}

void brks_want(struct breaks *b, struct brk *k, unsigned cpu)
{
	struct wanted *w = &b->wanted[cpu];

	if (w->n == WANTED_MAX || (k->wanted_by >> cpu & 1))
		return;
	w->v[w->n++] = k;
	k->wanted_by |= 1ull << cpu;
}

const struct wanted *brks_wanted(const struct breaks *b, const struct stop_event *ev)
{
	static const struct wanted none;
	const struct wanted *w = &b->wanted[ev->cpu];

	return w->reason == ev->reason && (ev->reason != STOP_BREAKPOINT || w->pc == ev->pc) ? w : &none;
}

void brks_told(struct breaks *b, const struct stop_event *ev)
{
	const struct wanted was = *brks_wanted(b, ev);

	wanted_clear(&b->wanted[ev->cpu], ev->cpu);
	for (unsigned i = 0; i < was.n; i++)
		if (was.v[i]->temporary)
			brks_remove(b, was.v[i]->number, NULL);
}
