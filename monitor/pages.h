/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dirty maps as runs of pages, and as the cells of a picture.  Pure. */
#ifndef GV_MONITOR_PAGES_H
#define GV_MONITOR_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/slots.h"

#define CELLS_MAX 1024u         /* of a picture, whatever the slot's size */
#define CELL_COLUMNS 64u

struct page_run {
	uint64_t first, pages;  /* in pages of DIRTY_PAGE bytes, from the slot's start */
};

static inline bool pages_dirty(const struct dirty_map *m, uint64_t page)
{
	return page < m->pages && (m->bits[page / 64] >> page % 64 & 1);
}

/* The first run of dirty pages that begins at page FROM or behind it; false when there is none. */
bool pages_run(const struct dirty_map *m, uint64_t from, struct page_run *ret);

/* How a slot is cut into cells: equal ones, but for the last. */
struct cells {
	uint64_t gpa, pages;    /* the slot's */
	uint64_t each;          /* pages a cell, a power of two */
	size_t n;               /* at most CELLS_MAX */
};

struct cells cells_of(uint64_t gpa, uint64_t pages);
/* The first address of cell I; and how many pages it has. */
uint64_t cells_gpa(const struct cells *c, size_t i);
uint64_t cells_pages(const struct cells *c, size_t i);
/* The dirty pages in each cell, into RET[c->n]. */
void cells_count(const struct cells *c, const struct dirty_map *m, uint64_t *ret);

#endif
