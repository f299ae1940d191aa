/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's own breakpoints: their numbers, and the nameless one that `until` needs.  Loop thread. */
#ifndef GV_MONITOR_BREAKS_H
#define GV_MONITOR_BREAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/machine.h"

struct brk {
	unsigned number;        /* from 1; 0: goes at the next stop */
	enum break_kind kind;
	uint64_t gva;
};

struct breaks {
	struct brk *v;          /* ascending by number, but for the temporary ones */
	size_t n, cap;
	unsigned last;          /* number given out last */
};

void breaks_done(struct breaks *b);

/*
 * Sets one in M.  RET_NUMBER NULL: a temporary one.  -EEXIST: that place has one with a number already; what
 * machine_break_insert() answers; -ENOMEM; -ENOSPC: too many.
 */
int breaks_add(struct breaks *b, struct machine *m, enum break_kind kind, unsigned cpu, uint64_t gva,
	       unsigned *ret_number, struct err *err);
/* Takes NUMBER away.  -ENOENT; what machine_break_remove() answers. */
int breaks_remove(struct breaks *b, struct machine *m, unsigned number, struct err *err);
/* After a stop, or when the guest did not start: the temporary ones go. */
void breaks_drop_temporary(struct breaks *b, struct machine *m);

/* One by its number, or by its place (one with a number, if it can be); NULL: none. */
const struct brk *breaks_find(const struct breaks *b, unsigned number);
const struct brk *breaks_at(const struct breaks *b, enum break_kind kind, uint64_t gva);

#endif
