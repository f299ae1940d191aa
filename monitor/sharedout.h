/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Standard output, which the monitor's text and the guest's serial line share: above the prompt on a terminal, as
 * diagnostics while a script prints TAP, as events in JSON mode, else just as it comes.  Loop thread.
 */
#ifndef GV_MONITOR_SHAREDOUT_H
#define GV_MONITOR_SHAREDOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/out.h"

struct monitor;

struct sharedout {
	struct out out;         /* whole lines of text */
	struct monitor *mon;
	bool show_serial;
	bool open_line;         /* the guest has not ended its line */
};

void sharedout_init(struct sharedout *s, struct monitor *mon);
/* The guest sent LEN bytes. */
void sharedout_serial(struct sharedout *s, const uint8_t *data, size_t len);

/* Writes all of it to FD; gives up when that cannot be done. */
void sharedout_write_fd(int fd, const void *data, size_t len);

#endif
