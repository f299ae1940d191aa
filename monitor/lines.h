/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cuts a stream of bytes into lines.  Pure. */
#ifndef GV_MONITOR_LINES_H
#define GV_MONITOR_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct lines {
	char *buf;
	size_t start, len, cap; /* what has not been handed out is buf[start .. len) */
	bool eof;               /* nothing will be added: the rest is a line, too */
	bool skip;              /* within a line that was too long */
};

void lines_done(struct lines *l);
/* -ENOMEM. */
int lines_add(struct lines *l, const void *data, size_t len);
/* How much waits. */
size_t lines_waiting(const struct lines *l);
/*
 * The next line without its end ("\n" or "\r\n"), valid until the next lines_add(): 1; 0: there is no whole
 * one; -E2BIG: it is longer than MAX, and is skipped.
 */
int lines_next(struct lines *l, size_t max, const char **ret, size_t *ret_len);

#endif
