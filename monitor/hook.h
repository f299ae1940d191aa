/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of a breakpoint, run when it stops the guest.  Loop thread. */
#ifndef GV_MONITOR_HOOK_H
#define GV_MONITOR_HOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "api/err.h"
#include "api/machine.h"

struct monitor;
struct session;

#define HOOK_BYTES_MAX 65536    /* of one breakpoint's commands */

/* Commands being put together: `silent` and `continue` are told apart, all else is kept as lines. */
struct hook {
	unsigned number;        /* the breakpoint's */
	char *lines;            /* each with its newline; NULL: none yet */
	size_t len;
	bool silent, goes_on;
};

void hook_done(struct hook *h);
/*
 * Adds one command, LEN bytes.  -EINVAL: there is no such command, it may not stand here, or it comes behind
 * `continue`; -E2BIG; -ENOMEM.
 */
int hook_add(struct hook *h, const char *line, size_t len, struct err *err);
/* Adds what TEXT has between its semicolons (those within quotes do not count). */
int hook_add_list(struct hook *h, const char *text, struct err *err);
/* Gives them to their breakpoint in place of those it had.  -ENOENT. */
int hook_set(struct hook *h, struct monitor *mon, struct err *err);

/* A line typed while S puts commands together, up to `end`. */
int hook_line(struct session *s, const char *line, struct err *err);

/* What a stop's commands ask for. */
struct hook_run {
	bool silent;            /* nobody is to be told of the stop */
	bool goes_on;           /* they resume the guest: it counts as running on */
};

/* Starts the commands of all that EV is of, if there are any; they run from the loop. */
struct hook_run hook_stop(struct monitor *mon, const struct stop_event *ev);

#endif
