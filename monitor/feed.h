/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session fed by a stream of lines: a socket client, or standard input that is no terminal.  Loop thread. */
#ifndef GV_MONITOR_FEED_H
#define GV_MONITOR_FEED_H

#include <stdbool.h>
#include <stddef.h>

#include "monitor/lines.h"
#include "monitor/task.h"

#define FEED_BYTES_MAX 65536    /* of lines not yet run; then the owner stops reading */

struct feed {
	struct session session;
	struct lines lines;
	struct task *task;      /* the command that runs; the next line waits for it */
	bool running, closed;
	/* All lines have run; when the input has ended, so has the session. */
	void (*drained)(struct feed *f, bool ended);
};

/* F is zeroed; results go to OUT. */
void feed_open(struct feed *f, struct monitor *mon, struct out *out, void (*drained)(struct feed *f, bool ended));
void feed_close(struct feed *f);

/* LEN bytes have come; 0: the end.  Runs what can be run.  False: enough waits, stop reading until drained(). */
bool feed_data(struct feed *f, const char *data, size_t len);

#endif
