/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory slots as data, and the physical map they make, drawn to scale. */
#ifndef GV_MONITOR_MAP_H
#define GV_MONITOR_MAP_H

#include <jansson.h>

#include "api/err.h"
#include "api/out.h"

struct task;

#define MAP_LINES 24            /* at most for an address space, with the head */

/*
 * For `info slots` and `slot list`: {"slots": [...], "mmio": [...]}, ascending by address space and address.  vCPUs
 * parked.
 */
int map_exec(struct task *t, struct err *err);
/*
 * A line a region, its bar where it lies, and a map of its own for the second address space when that has slots.  What
 * is too much for MAP_LINES is summed up, the largest slots are not.
 */
void map_render(const json_t *result, struct out *o);
/* A line a slot, all of them. */
void map_render_list(const json_t *result, struct out *o);

#endif
