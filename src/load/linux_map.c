/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load/linux.h"

#include <errno.h>

#define HOLE_START      0xa0000ull
#define HOLE_END        0x100000ull

static bool add(struct linux_map *m, uint64_t start, uint64_t end, enum linux_map_type type)
{
	struct linux_map_entry *last = m->n ? &m->e[m->n - 1] : NULL;

	if (start >= end)
		return true;
	if (last && last->type == type && last->gpa + last->size == start) {
		last->size = end - last->gpa;
		return true;
	}
	if (m->n == LINUX_MAP_MAX)
		return false;
	m->e[m->n++] = (struct linux_map_entry){ start, end - start, type };
	return true;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

int linux_map_make(const struct gmem *g, struct linux_map *ret, struct err *err)
{
	struct linux_map m = { 0 };
	const struct gmem_region *r;
	bool hole = false, fits = true;
	size_t i;

	for (i = 0; (r = gmem_at(g, i)) && fits; i++) {
		enum linux_map_type type = r->readonly ? LINUX_MAP_RESERVED : LINUX_MAP_RAM;
		uint64_t end = r->gpa + r->size;

		fits = add(&m, r->gpa, min64(end, HOLE_START), type);
		if (!hole && end > HOLE_START) {
			fits = fits && add(&m, HOLE_START, HOLE_END, LINUX_MAP_RESERVED);
			hole = true;
		}
		fits = fits && add(&m, max64(r->gpa, HOLE_END), end, type);
	}
	if (!fits)
		return err_set(err, ENOSPC, "guest memory is in more than %d pieces, too many to tell Linux of",
			       LINUX_MAP_MAX);
	*ret = m;
	return 0;
}
