/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What firmware writes for its developers: looked at, and followed by sessions as it comes.  Loop thread. */
#ifndef GV_MONITOR_FWLOG_H
#define GV_MONITOR_FWLOG_H

#include <jansson.h>

#include "api/err.h"
#include "api/machine.h"

struct monitor;
struct session;

/* {"bytes", "earlier", "lines"}: the last MAX lines of what is kept, and how many are before them.  NULL: no memory. */
json_t *fwlog_json(struct machine *m, uint64_t max);

/*
 * S is told from now on, line by line; or, with PATH, everything that is kept and all that follows goes to a new file.
 * Both may be on.  -EEXIST, -EALREADY (a file is on), -ENOMEM, and what opening the file said.
 */
int fwlog_follow(struct session *s, const char *path, struct err *err);
/* Ends both; nothing when neither is on. */
void fwlog_leave(struct session *s);

/* There is more. */
void fwlog_more(struct monitor *mon);

#endif
