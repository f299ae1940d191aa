/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ranges as people type them: EXPR, EXPR,SIZE or FIRST..LAST (both included).  One that is to be watched may also be
 * *(u8)EXPR to *(u64)EXPR, the 1 to 8 bytes at address EXPR, and a symbol alone is all of what it covers.
 */
#ifndef GV_MONITOR_RANGE_H
#define GV_MONITOR_RANGE_H

#include "monitor/task.h"

#define RANGE_SYMBOL_MAX 65536  /* bytes: a symbol that covers more is a place, not a thing */

struct range {
	uint64_t start, size;   /* size at least 1; does not wrap */
};

/* The range at *P, which moves behind it.  SIZE is that of an EXPR alone. */
int range_parse(struct task *t, const char **p, uint64_t size, struct range *ret, struct err *err);
/* The same for a range to be watched: an EXPR alone is 8 bytes. */
int range_parse_watch(struct task *t, const char **p, struct range *ret, struct err *err);

#endif
