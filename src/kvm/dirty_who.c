/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/dirty.h"

#define BUCKETS (2 * DIRTY_WHO_MAX)     /* a power of two; never more than half full, so that probing ends soon */

/* A slot's record.  An entry with count 0 is free; none is ever removed. */
struct tally {
	struct dirty_writer entry[BUCKETS];
	size_t used;
	uint64_t others;        /* writes by whoever came when DIRTY_WHO_MAX were known */
};

struct dirty_who {
	pthread_mutex_t lock;
	struct tally **slot;    /* by slot number, of address space 0; NULL: not recorded */
	size_t n;
	/* What dirty_who_at() lists, sorted; the loop thread's. */
	struct dirty_writer *list;
	size_t listed;
	unsigned list_slot;
};

int dirty_who_new(struct dirty_who **ret, struct err *err)
{
	struct dirty_who *w = calloc(1, sizeof(*w));

	if (w)
		w->list = calloc(DIRTY_WHO_MAX + 1, sizeof(*w->list));
	if (!w || !w->list) {
		free(w);
		return err_set(err, ENOMEM, "out of memory");
	}
	pthread_mutex_init(&w->lock, NULL);
	*ret = w;
	return 0;
}

void dirty_who_free(struct dirty_who *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n; i++)
		free(w->slot[i]);
	free(w->slot);
	free(w->list);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* Room for slot number SLOT; with the lock held. */
static int grow(struct dirty_who *w, unsigned slot)
{
	struct tally **all;

	if (slot < w->n)
		return 0;
	all = reallocarray(w->slot, slot + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	memset(all + w->n, 0, (slot + 1 - w->n) * sizeof(*all));
	w->slot = all;
	w->n = slot + 1;
	return 0;
}

int dirty_who_begin(struct dirty_who *w, unsigned slot, struct err *err)
{
	struct tally *t = calloc(1, sizeof(*t));
	int r = -ENOMEM;

	if (t) {
		pthread_mutex_lock(&w->lock);
		r = grow(w, slot);
		if (!r) {
			free(w->slot[slot]);
			w->slot[slot] = t;
		}
		pthread_mutex_unlock(&w->lock);
	}
	if (!r)
		return 0;
	free(t);
	return err_set(err, ENOMEM, "slot %s: no memory to record its writers", slot_name(slot).text);
}

static size_t bucket(unsigned cpu, uint64_t pc, uint64_t gpa)
{
	uint64_t h = (pc ^ (uint64_t)cpu << 56) * 0x9e3779b97f4a7c15ull;

	h = (h ^ h >> 32 ^ gpa / DIRTY_PAGE) * 0x9e3779b97f4a7c15ull;
	return h >> 40 & (BUCKETS - 1);
}

static void count(struct tally *t, unsigned cpu, uint64_t pc, uint64_t gpa)
{
	struct dirty_writer *e;

	for (size_t i = bucket(cpu, pc, gpa);; i = (i + 1) & (BUCKETS - 1)) {
		e = &t->entry[i];
		if (!e->count)
			break;
		if (e->cpu == cpu && e->pc == pc && e->gpa == gpa) {
			e->count++;
			return;
		}
	}
	if (t->used == DIRTY_WHO_MAX) {
		t->others++;
		return;
	}
	t->used++;
	*e = (struct dirty_writer){ .cpu = cpu, .pc = pc, .gpa = gpa, .count = 1 };
}

void dirty_who_note(struct dirty_who *w, unsigned slot, unsigned cpu, uint64_t pc, uint64_t gpa)
{
	pthread_mutex_lock(&w->lock);
	if (slot < w->n && w->slot[slot])
		count(w->slot[slot], cpu, pc, gpa & ~(uint64_t)(DIRTY_PAGE - 1));
	pthread_mutex_unlock(&w->lock);
}

void dirty_who_forget(struct dirty_who *w, unsigned slot)
{
	pthread_mutex_lock(&w->lock);
	if (slot < w->n) {
		free(w->slot[slot]);
		w->slot[slot] = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	w->listed = 0;
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Most frequent first, and a fixed order among equals. */
static int compare(const void *a, const void *b)
{
	const struct dirty_writer *x = a, *y = b;
	int r = order(y->count, x->count);

	if (!r)
		r = order(x->gpa, y->gpa);
	if (!r)
		r = order(x->pc, y->pc);
	return r ? r : order(x->cpu, y->cpu);
}

static void make_list(struct dirty_who *w, unsigned slot)
{
	const struct tally *t;

	w->listed = 0;
	w->list_slot = slot;
	pthread_mutex_lock(&w->lock);
	t = slot < w->n ? w->slot[slot] : NULL;
	for (size_t i = 0; t && i < BUCKETS; i++)
		if (t->entry[i].count)
			w->list[w->listed++] = t->entry[i];
	if (t && t->others)
		w->list[w->listed++] = (struct dirty_writer){ .count = t->others };
	pthread_mutex_unlock(&w->lock);
	qsort(w->list, w->listed, sizeof(*w->list), compare);
}

bool dirty_who_at(struct dirty_who *w, unsigned slot, size_t index, struct dirty_writer *ret)
{
	if (!index || w->list_slot != slot)
		make_list(w, slot);
	if (index >= w->listed)
		return false;
	*ret = w->list[index];
	return true;
}
