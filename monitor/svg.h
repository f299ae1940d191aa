/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pictures of a slot's pages: SVG that needs nothing beside itself, with hover text, and PGM.  Both have at most
 * CELLS_MAX cells, whatever the slot's size.  Pure.
 */
#ifndef GV_MONITOR_SVG_H
#define GV_MONITOR_SVG_H

#include "api/out.h"
#include "monitor/pages.h"

struct svg {
	const char *title, *note;       /* the heading and a line below it; any text */
	const char *low, *high;         /* what the two ends of the colours stand for */
	struct cells cells;
	const double *value;            /* of each cell, 0 (nothing) to 1 */
	/* Says what cells FIRST to LAST, which look the same, are. */
	void (*hover)(void *arg, size_t first, size_t last, struct out *o);
	void *arg;
};

void svg_write(const struct svg *s, struct out *o);

/*
 * The share of dirty pages of each cell as a grey: 0 clean, 255 all dirty.  Rows of CELL_COLUMNS, the last one
 * filled with 0.
 */
void pgm_write(const struct cells *c, const uint64_t *dirty, struct out *o);

#endif
