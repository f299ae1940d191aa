/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/map.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/jsonmem.h"
#include "monitor/core.h"
#include "monitor/render.h"

#define BAR 32u                 /* columns of a bar: all of the map */
#define KEPT (MAP_LINES / 2 - 3)        /* slots with a line of their own when there are too many regions */
#define MAP_TOP (1ULL << 32)    /* the map shows this much at least, */
#define MAP_STEP (1ULL << 30)   /* and ends at a multiple of this */

/* -- the data -- */

/* The windows of the interrupt controllers, which are the kernel's (SDM 3A 11.4.1, 82093AA 3.0). */
static const struct {
	const char *name;
	uint64_t gpa, size;
} windows[] = {
	{ "I/O APIC", 0xfec00000, 0x1000 },
	{ "local APIC", 0xfee00000, 0x1000 },
};

static int slot_json(struct machine *m, const struct slot_info *s, json_t **ret, struct err *err)
{
	struct dirty_map map;
	int r;

	if (s->log) {
		r = machine_dirty_read(m, s->id, DIRTY_USER, false, &map, err);
		if (r)
			return r;
		free(map.bits);
	}
	*ret = json_pack("{s:I, s:o, s:I, s:o, s:s, s:o, s:b, s:b, s:b, s:b}", "id", (json_int_t)s->id, "gpa",
			 data_hex(s->gpa), "size", (json_int_t)s->size, "hva", data_hex(s->hva), "label", s->label,
			 "backing", data_text(s->backing, strnlen(s->backing, sizeof(s->backing))), "readonly",
			 (int)s->readonly, "log", (int)s->log, "watched", (int)s->watched, "huge_aligned",
			 (int)s->huge_aligned);
	if (s->log) {
		json_object_set_new(*ret, "pages", json_integer((json_int_t)map.pages));
		json_object_set_new(*ret, "dirty", json_integer((json_int_t)map.dirty));
	}
	return 0;
}

int map_exec(struct task *t, struct err *err)
{
	json_t *slots = json_array(), *mmio = json_array(), *row;
	struct slot_info s;
	int r;

	for (size_t i = 0; machine_slot_list(task_machine(t), i, &s); i++) {
		r = slot_json(task_machine(t), &s, &row, err);
		if (r) {
			json_decref(slots);
			json_decref(mmio);
			return r;
		}
		json_array_append_new(slots, row);
	}
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		json_array_append_new(mmio, json_pack("{s:s, s:o, s:I}", "name", windows[i].name, "gpa",
						      data_hex(windows[i].gpa), "size",
						      (json_int_t)windows[i].size));
	t->result = json_pack("{s:o, s:o}", "slots", slots, "mmio", mmio);
	return 0;
}

/* -- the list -- */

void map_render_list(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "slots"), *row;
	size_t i;

	json_array_foreach(list, i, row) {
		uint64_t gpa = data_u64(row, "gpa"), size = data_u64(row, "size");

		out_printf(o, "slot %s  0x%" PRIx64 "-0x%" PRIx64 "  ",
			   slot_name((unsigned)data_u64(row, "id")).text, gpa,
			   gpa + size - 1);
		render_size(size, o);
		out_printf(o, "  %s  %s  %s%s%s  hva %s%s\n", data_str(row, "label"), data_str(row, "backing"),
			   data_true(row, "readonly") ? "ro" : "rw", data_true(row, "log") ? " log" : "",
			   data_true(row, "watched") ? " who" : "", data_str(row, "hva"),
			   data_true(row, "huge_aligned") ? "  huge" : "");
	}
	if (!json_array_size(list))
		out_puts(o, "no slots\n");
}

/* -- the map -- */

struct region {
	uint64_t gpa, last;     /* both within it */
	const json_t *slot;     /* one of these, or neither: a hole */
	const json_t *mmio;
	size_t merged;          /* slots in several regions that share a line; 0: it is one region */
};

struct map {
	struct region *v;
	size_t n;
	uint64_t last;          /* address of the scale's end */
};

static void add(struct map *m, struct region r)
{
	uint64_t from = m->n ? m->v[m->n - 1].last + 1 : 0;

	if (r.gpa > from)
		m->v[m->n++] = (struct region){ .gpa = from, .last = r.gpa - 1 };
	m->v[m->n++] = r;
}

static struct region region_of(const json_t *slot, const json_t *mmio)
{
	const json_t *row = slot ? slot : mmio;
	uint64_t gpa = data_u64(row, "gpa");

	return (struct region){ .gpa = gpa, .last = gpa + data_u64(row, "size") - 1, .slot = slot, .mmio = mmio };
}

/* Where the slots of SPACE begin among all of them, which are sorted by their spaces. */
static size_t space_begin(const json_t *slots, unsigned space)
{
	size_t i = 0;

	while (i < json_array_size(slots) &&
	       slot_space((unsigned)data_u64(json_array_get(slots, i), "id")) < space)
		i++;
	return i;
}

/* Slots of address space SPACE, windows and the holes between them, ascending. */
static bool collect(const json_t *result, unsigned space, struct map *m)
{
	const json_t *slots = json_object_get(result, "slots"), *mmio = json_object_get(result, "mmio");
	size_t s = space_begin(slots, space), ns = space_begin(slots, space + 1);
	size_t nm = json_array_size(mmio), w = 0;

	m->v = calloc(2 * (ns - s + nm) + 1, sizeof(*m->v));
	if (!m->v)
		return false;
	while (s < ns || w < nm) {
		const json_t *slot = s < ns ? json_array_get(slots, s) : NULL, *window = json_array_get(mmio, w);

		if (slot && (!window || data_u64(slot, "gpa") < data_u64(window, "gpa"))) {
			add(m, region_of(slot, NULL));
			s++;
		} else {
			add(m, region_of(NULL, window));
			w++;
		}
	}
	m->last = m->n ? m->v[m->n - 1].last : 0;
	if (m->last < MAP_TOP - 1)
		m->last = MAP_TOP - 1;
	m->last |= MAP_STEP - 1;
	return true;
}

static int larger_first(const void *a, const void *b)
{
	const struct region *const *x = a, *const *y = b;
	uint64_t m = (*x)->last - (*x)->gpa, n = (*y)->last - (*y)->gpa;

	/* Of equal ones the lower: qsort() alone does not say. */
	return m != n ? (m < n ? 1 : -1) : ((*x)->gpa < (*y)->gpa ? -1 : 1);
}

/* Puts each series of regions between the KEPT largest slots into one. */
static void shorten(struct map *m)
{
	struct region **by_size = calloc(m->n, sizeof(*by_size));
	size_t n = 0, out = 0;
	bool open = false;

	if (!by_size) {
		m->n = KEPT;
		return;
	}
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].slot)
			by_size[n++] = &m->v[i];
		else
			m->v[i].merged = m->v[i].mmio != NULL;
	qsort(by_size, n, sizeof(by_size[0]), larger_first);
	/* `merged` marks those to keep, the two windows among them. */
	for (size_t i = 0; i < n && i < KEPT; i++)
		by_size[i]->merged = 1;
	free(by_size);
	for (size_t i = 0; i < m->n; i++) {
		struct region r = m->v[i];
		bool kept = r.merged;

		r.merged = 0;
		if (kept || !open) {
			m->v[out++] = r;
		} else {
			struct region *g = &m->v[out - 1];

			/* Holes and slots; how many slots is what it says. */
			g->merged += (g->slot != NULL) + (r.slot != NULL);
			g->slot = g->mmio = NULL;
			g->last = r.last;
		}
		open = !kept;
	}
	m->n = out;
}

static unsigned column(const struct map *m, uint64_t gpa)
{
	return (unsigned)((double)gpa / ((double)m->last + 1) * BAR);
}

static void render_bar(const struct map *m, const struct region *r, struct out *o)
{
	unsigned from = column(m, r->gpa), to = column(m, r->last);
	char bar[BAR + 1], mark = r->merged ? '+' : r->mmio ? '=' : !r->slot ? '.' :
		data_true(r->slot, "readonly") ? 'o' : '#';

	if (from >= BAR)
		from = BAR - 1;
	if (to >= BAR)
		to = BAR - 1;
	memset(bar, ' ', BAR);
	bar[BAR] = '\0';
	/* However small, it has a column. */
	memset(bar + from, mark, to - from + 1);
	out_printf(o, " |%s|", bar);
}

static void render_slot(const json_t *s, struct out *o)
{
	uint64_t dirty = data_u64(s, "dirty"), pages = data_u64(s, "pages");

	out_printf(o, " %s  %s  %s%s%s  %s", data_str(s, "label"), data_str(s, "backing"),
		   data_true(s, "readonly") ? "ro" : "rw", data_true(s, "log") ? " log" : "",
		   data_true(s, "watched") ? " who" : "", data_true(s, "huge_aligned") ? "huge" : "small pages");
	if (!data_true(s, "log") || !pages)
		return;
	if (dirty && dirty * 1000 < pages)
		out_puts(o, "  dirty <0.1%");
	else
		out_printf(o, "  dirty %.1f%%", 100.0 * (double)dirty / (double)pages);
}

static void render_region(const struct map *m, const struct region *r, struct out *o)
{
	struct out_buf size;
	char name[32], gpa[20];

	if (r->merged)
		snprintf(name, sizeof(name), "%zu slot%s", r->merged, r->merged > 1 ? "s" : "");
	else if (r->slot)
		snprintf(name, sizeof(name), "slot %s", slot_name((unsigned)data_u64(r->slot, "id")).text);
	else
		snprintf(name, sizeof(name), "%s", r->mmio ? "mmio" : "hole");
	out_buf_init(&size);
	render_size(r->last - r->gpa + 1, &size.out);
	snprintf(gpa, sizeof(gpa), "0x%" PRIx64, r->gpa);
	out_printf(o, "%12s  %-10s %10s", gpa, name, size.text);
	if (size.failed)
		jsonmem_miss();
	out_buf_done(&size);
	render_bar(m, r, o);
	if (r->merged)
		out_puts(o, " and holes: slot list has every slot");
	else if (r->slot)
		render_slot(r->slot, o);
	else if (r->mmio)
		out_printf(o, " %s", data_str(r->mmio, "name"));
	out_puts(o, "\n");
}

static void render_space(const json_t *result, unsigned space, struct out *o)
{
	struct map m = { 0 };

	if (!collect(result, space, &m)) {
		jsonmem_miss();
		return;
	}
	if (m.n > MAP_LINES - 1)
		shorten(&m);
	out_puts(o, "guest-physical memory");
	if (space)
		out_printf(o, " of address space %u, system management mode's", space);
	out_puts(o, ", a bar's width is ");
	render_size(m.last + 1, o);
	out_puts(o, ": # slot, o read-only slot, = mmio, . hole\n");
	for (size_t i = 0; i < m.n; i++)
		render_region(&m, &m.v[i], o);
	free(m.v);
}

void map_render(const json_t *result, struct out *o)
{
	const json_t *slots = json_object_get(result, "slots");

	render_space(result, 0, o);
	if (space_begin(slots, 1) < json_array_size(slots))
		render_space(result, 1, o);
}
