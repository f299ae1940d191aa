/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a client has attached to its breakpoints: conditions, any of which makes a hit count, and commands, which print and go
 * on.  They are evaluated where the breakpoint is hit, on the vCPU's own thread.
 *
 * Triggers are the loop thread's and change only while every vCPU is parked.  What commands print goes through a ring of
 * fixed size from the vCPU threads (one at a time, as stop_filter_fn says) to the loop thread; neither waits for the other.
 */
#ifndef GV_GDBSTUB_TRIGGER_H
#define GV_GDBSTUB_TRIGGER_H

#include "api/machine.h"
#include "gdbstub/cursor.h"

#define TRIGGER_EXPRS_MAX 64            /* conditions and commands of one breakpoint */

struct trigger;
struct triggers;

/*
 * For all of gdb's breakpoints of M, which must outlive them.  WAKE (may be NULL) is called with ARG on vCPU threads when there
 * is something for triggers_take(); it must not wait.  -ENOMEM.
 */
int triggers_new(struct machine *m, void (*wake)(void *arg), void *arg, struct triggers **ret, struct err *err);
/* Holds a running machine meanwhile.  NULL is fine. */
void triggers_free(struct triggers *t);

/*
 * Reads ";X LEN,HEX..." and ";cmds:PERSIST,X LEN,HEX..." from ARGS, verifies the expressions and makes a trigger of them, whose
 * register numbers are LAYOUT's; NULL in *RET when nothing is there.  -EINVAL, -E2BIG, -ENOMEM.
 */
int trigger_parse(struct cursor *args, unsigned layout, struct trigger **ret, struct err *err);
void trigger_free(struct trigger *g);

/*
 * Puts G, which is the table's from then on, in the place of what KIND and GVA had; NULL: they have none any more.  What was there
 * goes to *RET_OLD (the caller's), or is freed when that is NULL.  -ENOMEM: nothing has changed, G is the caller's still.
 */
int triggers_set(struct triggers *t, enum break_kind kind, uint64_t gva, struct trigger *g, struct trigger **ret_old,
		 struct err *err);
/*
 * gdb's breakpoints have all been taken away: so are the triggers, but for those whose commands are to go on without a client,
 * which get their breakpoints back.
 */
void triggers_leave(struct triggers *t);

/* Takes printed text, CAP bytes at most, and says how many; when some was lost, that is told after what was before it. */
size_t triggers_take(struct triggers *t, char *ret, size_t cap);

#endif
