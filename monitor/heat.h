/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Heat maps: where a slot is written again and again.  Each take of DIRTY_HEAT adds its dirty pages to a counter a
 * cell, after all counters lost a part, so that what happened HEAT_HALF_LIFE takes ago counts half.  Loop thread.
 */
#ifndef GV_MONITOR_HEAT_H
#define GV_MONITOR_HEAT_H

#include <jansson.h>

#include "api/out.h"
#include "monitor/pages.h"

#define HEAT_HALF_LIFE 4        /* takes */

/* What the reader's screen can show. */
enum heat_style { HEAT_PLAIN, HEAT_BLOCKS, HEAT_COLOUR };

struct heat {
	struct heat *next;
	unsigned id;
	uint64_t calls;         /* takes so far */
	struct cells cells;
	double heat[CELLS_MAX]; /* dirty pages of a take, summed up and faded */
};

/*
 * The map of MAP's slot in LIST, a new one when there is none or the slot has another place or size.  NULL: no
 * memory.
 */
struct heat *heat_of(struct heat **list, const struct dirty_map *map);
/* Lets it fade and adds what MAP says. */
void heat_add(struct heat *h, const struct dirty_map *map);
/* Forgets the map of slot ID, if there is one. */
void heat_forget(struct heat **list, unsigned id);
void heat_free_all(struct heat **list);

/* Style for a reader at a terminal (or not), by the environment TERM, NO_COLOR and the locale's variables. */
enum heat_style heat_style_of(bool terminal);
/* "gpa", "cell_pages", "calls", "half_life_calls", "heat" (thousandths of a page, a cell each), "style". */
json_t *heat_json(const struct heat *h, enum heat_style style);
void heat_render(const json_t *v, struct out *o);
void heat_svg(const struct heat *h, struct out *o);

#endif
