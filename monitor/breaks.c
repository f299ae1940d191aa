/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/breaks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BREAKS_MAX 4096

void breaks_done(struct breaks *b)
{
	free(b->v);
	*b = (struct breaks){ 0 };
}

const struct brk *breaks_find(const struct breaks *b, unsigned number)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].number == number)
			return &b->v[i];
	return NULL;
}

const struct brk *breaks_at(const struct breaks *b, enum break_kind kind, uint64_t gva)
{
	const struct brk *temporary = NULL;

	for (size_t i = 0; i < b->n; i++) {
		if (b->v[i].kind != kind || b->v[i].gva != gva)
			continue;
		if (b->v[i].number)
			return &b->v[i];
		temporary = &b->v[i];
	}
	return temporary;
}

static int make_room(struct breaks *b, struct err *err)
{
	size_t cap = b->cap ? b->cap * 2 : 16;
	struct brk *v;

	if (b->n < b->cap)
		return 0;
	if (b->n >= BREAKS_MAX)
		return err_set(err, ENOSPC, "there are %d breakpoints already", BREAKS_MAX);
	v = realloc(b->v, cap * sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	b->v = v;
	b->cap = cap;
	return 0;
}

int breaks_add(struct breaks *b, struct machine *m, enum break_kind kind, unsigned cpu, uint64_t gva,
	       unsigned *ret_number, struct err *err)
{
	const struct brk *there = breaks_at(b, kind, gva);
	struct break_spec spec = { .kind = kind, .gva = gva, .space = BREAK_ANY_SPACE, .cpu = cpu };
	int r;

	if (ret_number && there && there->number)
		return err_set(err, EEXIST, "breakpoint %u is there already", there->number);
	r = make_room(b, err);
	if (!r)
		r = machine_break_insert(m, BREAK_OWNER_MONITOR, &spec, err);
	if (r)
		return r;
	b->v[b->n++] = (struct brk){ .number = ret_number ? ++b->last : 0, .kind = kind, .gva = gva };
	if (ret_number)
		*ret_number = b->last;
	return 0;
}

/* Forgets entry I; the machine's breakpoint goes with the last entry at its place. */
static int drop(struct breaks *b, struct machine *m, size_t i, struct err *err)
{
	struct brk gone = b->v[i];
	struct break_spec spec = { .kind = gone.kind, .gva = gone.gva, .space = BREAK_ANY_SPACE };
	int r;

	b->n--;
	memmove(b->v + i, b->v + i + 1, (b->n - i) * sizeof(b->v[0]));
	if (breaks_at(b, gone.kind, gone.gva))
		return 0;
	r = machine_break_remove(m, BREAK_OWNER_MONITOR, &spec, err);
	if (!r)
		return 0;
	memmove(b->v + i + 1, b->v + i, (b->n - i) * sizeof(b->v[0]));
	b->v[i] = gone;
	b->n++;
	return r;
}

int breaks_remove(struct breaks *b, struct machine *m, unsigned number, struct err *err)
{
	const struct brk *found = number ? breaks_find(b, number) : NULL;

	if (!found)
		return err_set(err, ENOENT, "there is no breakpoint %u", number);
	return drop(b, m, (size_t)(found - b->v), err);
}

void breaks_drop_temporary(struct breaks *b, struct machine *m)
{
	for (size_t i = b->n; i-- > 0;)
		if (!b->v[i].number)
			drop(b, m, i, NULL);
}
