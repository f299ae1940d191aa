/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who wants which breakpoint. */
#include "break/break_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void list_add(struct break_list *l, struct breakpoint *b)
{
	b->prev = NULL;
	b->next = l->head;
	if (l->head)
		l->head->prev = b;
	else
		l->tail = b;
	l->head = b;
	l->count++;
}

void list_del(struct break_list *l, struct breakpoint *b)
{
	*(b->prev ? &b->prev->next : &l->head) = b->next;
	*(b->next ? &b->next->prev : &l->tail) = b->prev;
	l->count--;
}

int break_new(struct gmem *g, const struct break_trap *trap, break_resolve_fn *resolve, void *arg, struct break_table **ret,
	      struct err *err)
{
	struct break_table *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, ENOMEM, "out of memory");
	t->gmem = g;
	t->trap = *trap;
	t->registers = BREAK_REGISTERS;
	t->resolve = resolve;
	t->arg = arg;
	*ret = t;
	return 0;
}

static void free_list(struct break_list *l)
{
	struct breakpoint *next;

	for (struct breakpoint *b = l->head; b; b = next) {
		next = b->next;
		free(b);
	}
}

void break_free(struct break_table *t)
{
	if (!t)
		return;
	site_free_all(t);
	free_list(&t->hard);
	free_list(&t->pending);
	free_list(&t->placed);
	htab_done(&t->by_gva);
	htab_done(&t->by_byte);
	htab_done(&t->by_page);
	spare_done(&t->breakpoints);
	spare_done(&t->sites);
	spare_done(&t->pages);
	free(t->sorted);
	free(t);
}

struct breakpoint *break_first(const struct break_table *t, uint64_t gva)
{
	return HTAB_ENTRY(htab_find(&t->by_gva, gva), struct breakpoint, by_gva);
}

struct breakpoint *break_next(const struct breakpoint *b)
{
	return HTAB_ENTRY(htab_again(&b->by_gva), struct breakpoint, by_gva);
}

struct breakpoint *break_find(const struct break_table *t, const struct break_spec *spec)
{
	struct breakpoint *b = break_first(t, spec->gva);

	while (b && (b->spec.kind != spec->kind || b->spec.space != spec->space))
		b = break_next(b);
	return b;
}

size_t break_sites(const struct break_table *t)
{
	return t->by_byte.count;
}

size_t break_pending(const struct break_table *t)
{
	return t->pending.count;
}

size_t break_count(const struct break_table *t)
{
	return t->by_gva.count;
}

uint64_t break_generation(const struct break_table *t)
{
	return t->generation;
}

static void changed(struct break_table *t)
{
	t->generation++;
	t->sorted_valid = false;
}

/* Firmware copies itself from ROM to RAM: a trap would go along, and stay there. */
static bool in_rom(const struct break_table *t, uint64_t gpa)
{
	const struct gmem_region *r = gmem_find(t->gmem, gpa);

	return r && r->readonly;
}

/* Looks for B's byte, B being in no list: afterwards it is in that of the placed or of the pending ones. */
static bool place(struct break_table *t, struct breakpoint *b)
{
	uint64_t gpa;

	b->in_rom = false;
	if (!b->placed) {
		gpa = b->spec.gva;
		if (t->resolve && !t->resolve(t->arg, &b->spec, &gpa)) {
			list_add(&t->pending, b);
			return false;
		}
		b->gpa = gpa;
		b->placed = true;
	}
	b->in_rom = in_rom(t, b->gpa) && t->hard.count + t->pending.count < t->registers;
	if (!b->in_rom && site_attach(t, b)) {
		list_add(&t->placed, b);
		return true;
	}
	/* It may be mapped to another place by the time there is memory. */
	b->placed = false;
	list_add(&t->pending, b);
	return false;
}

int break_add(struct break_table *t, unsigned owner, const struct break_spec *spec, struct err *err)
{
	struct breakpoint *b = break_find(t, spec);

	if (b) {
		b->owners |= owner;
		t->sorted_valid = false;
		return 0;
	}
	if (spec->kind == BREAK_HARD && t->hard.count == BREAK_REGISTERS)
		return err_set(err, ENOSPC, "all %d debug registers are in use", BREAK_REGISTERS);
	b = spare_take(&t->breakpoints, sizeof(*b));
	if (!b || htab_add(&t->by_gva, &b->by_gva, spec->gva)) {
		spare_give(&t->breakpoints, b);
		return err_set(err, ENOMEM, "out of memory");
	}
	b->spec = *spec;
	b->owners = owner;
	if (spec->kind == BREAK_HARD)
		list_add(&t->hard, b);
	else
		place(t, b);
	changed(t);
	return 0;
}

static struct break_list *list_of(struct break_table *t, const struct breakpoint *b)
{
	if (b->spec.kind == BREAK_HARD)
		return &t->hard;
	return b->site ? &t->placed : &t->pending;
}

static void drop(struct break_table *t, struct breakpoint *b)
{
	list_del(list_of(t, b), b);
	if (b->site)
		site_detach(t, b);
	htab_del(&t->by_gva, &b->by_gva);
	spare_give(&t->breakpoints, b);
}

int break_del(struct break_table *t, unsigned owner, const struct break_spec *spec, struct err *err)
{
	struct breakpoint *b = break_find(t, spec);

	if (!b || !(b->owners & owner))
		return err_set(err, ENOENT, "no breakpoint at 0x%" PRIx64, spec->gva);
	b->owners &= ~owner;
	if (!b->owners)
		drop(t, b);
	changed(t);
	return 0;
}

static void del_from(struct break_table *t, struct break_list *l, unsigned owner)
{
	struct breakpoint *next;

	for (struct breakpoint *b = l->head; b; b = next) {
		next = b->next;
		b->owners &= ~owner;
		if (!b->owners)
			drop(t, b);
	}
}

void break_del_all(struct break_table *t, unsigned owner)
{
	del_from(t, &t->hard, owner);
	del_from(t, &t->pending, owner);
	del_from(t, &t->placed, owner);
	changed(t);
}

/* -- in order -- */

static int compare(const void *a, const void *b)
{
	const struct break_spec *x = &(*(struct breakpoint *const *)a)->spec, *y = &(*(struct breakpoint *const *)b)->spec;

	if (x->gva != y->gva)
		return x->gva < y->gva ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->space > y->space) - (x->space < y->space);
}

static void gather(struct break_table *t, const struct break_list *l)
{
	for (struct breakpoint *b = l->head; b; b = b->next)
		if (b->owners & ~BREAK_OWNER_CATCH)
			t->sorted[t->nsorted++] = b;
}

struct breakpoint *break_at(struct break_table *t, size_t index)
{
	struct breakpoint **p;

	if (!t->sorted_valid) {
		p = reallocarray(t->sorted, break_count(t) + 1, sizeof(struct breakpoint *));
		if (!p)
			return NULL;
		t->sorted = p;
		t->nsorted = 0;
		gather(t, &t->hard);
		gather(t, &t->pending);
		gather(t, &t->placed);
		qsort(t->sorted, t->nsorted, sizeof(struct breakpoint *), compare);
		t->sorted_valid = true;
	}
	return index < t->nsorted ? t->sorted[index] : NULL;
}

/* -- debug registers -- */

static unsigned take(const struct break_list *l, unsigned n, unsigned have, struct breakpoint *ret[BREAK_REGISTERS])
{
	for (struct breakpoint *b = l->head; b && have < n; b = b->next) {
		unsigned i = 0;

		/* One register serves all that are at its address. */
		while (i < have && ret[i]->spec.gva != b->spec.gva)
			i++;
		if (i == have)
			ret[have++] = b;
	}
	return have;
}

unsigned break_registers(const struct break_table *t, unsigned n, struct breakpoint *ret[BREAK_REGISTERS])
{
	unsigned have = take(&t->hard, n, 0, ret);

	have = take(&t->pending, n, have, ret);
	return take(&t->placed, n, have, ret);
}

void break_have_registers(struct break_table *t, unsigned n)
{
	t->registers = n;
}

/* -- pending ones -- */

size_t break_resolve(struct break_table *t, size_t budget)
{
	size_t found = 0;

	if (t->suspended)
		return 0;
	for (size_t n = t->pending.count < budget ? t->pending.count : budget; n; n--) {
		struct breakpoint *b = t->pending.tail;

		/* To the front when it stays, so that all have their turn. */
		list_del(&t->pending, b);
		found += place(t, b);
	}
	if (found)
		changed(t);
	return found;
}

/* -- memory changes -- */

void break_resume(struct break_table *t)
{
	struct break_list was = t->placed;
	struct breakpoint *next;

	t->suspended = false;
	/* Sites are bytes of host memory, and any of these may be another one now, or none. */
	site_free_all(t);
	t->placed = (struct break_list){ 0 };
	for (struct breakpoint *b = was.tail; b; b = next) {
		next = b->prev;
		b->site = NULL;
		place(t, b);
	}
	break_resolve(t, SIZE_MAX);
	changed(t);
}
