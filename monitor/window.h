/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The serial output since the last match, and the patterns that `expect` looks for in it.  Control sequences for terminals are left
 * out: firmware sends them in the middle of words.  Loop thread.
 */
#ifndef GV_MONITOR_WINDOW_H
#define GV_MONITOR_WINDOW_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

#define WINDOW_BYTES 1048576    /* at least so much of the latest output is kept */

struct window {
	char *buf;
	size_t start, len, cap; /* what counts is buf[start .. len) */
	uint64_t base;          /* position of buf[0] in all that was ever sent */
	bool mid_line;          /* buf[start] does not begin a line */
	unsigned char escape;   /* inside a terminal's control sequence: window.c's enum */
};

struct pattern;

void window_done(struct window *w);
/* Takes LEN more bytes; the oldest go when there are too many, and also when memory runs out. */
void window_add(struct window *w, const void *data, size_t len);
/* Looks for P from where it last gave up; true: found, and everything up to the end of the match is taken. */
bool window_match(struct window *w, struct pattern *p);

/* Whether P is anywhere in TEXT (LEN bytes with a NUL behind them), which is left in any state. */
bool pattern_in(struct pattern *p, char *text, size_t len);

/*
 * Reads "a quoted substring", with C escapes, or /a POSIX extended regular expression/, which has to match in one
 * line (^ and $ are its ends, a carriage return before its end is not seen, and of a line that does not end its
 * last 4096 bytes count), or one word without quotes as a substring.  TEXT is LEN bytes, *RET_USED of them the
 * pattern.  -EINVAL, also for one with an escape character, which never comes; -ENOMEM.
 */
int pattern_new(const char *text, size_t len, size_t *ret_used, struct pattern **ret, struct err *err);
void pattern_free(struct pattern *p);   /* NULL is fine */

#endif
