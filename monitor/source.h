/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source text: files on this host, and places named FILE:LINE.  Loop thread. */
#ifndef GV_MONITOR_SOURCE_H
#define GV_MONITOR_SOURCE_H

#include <jansson.h>

#include "monitor/task.h"

#define SOURCE_PLACES_MAX 64    /* of one line */

/*
 * Lines FIRST to LAST of the file at PATH, or as many as there are, as [{"line", "text"}, ...].  What opening it
 * said; -ENOENT: it ends before FIRST; -EINVAL: no regular file, -EFBIG.
 */
int source_read(const char *path, unsigned first, unsigned last, json_t **ret, struct err *err);

/* Whether a word at P is FILE:LINE; *P moves behind it. */
bool source_named(const char **p, const char **ret_file, size_t *ret_len, unsigned *ret_line);
/*
 * The place at *P as task_place() takes it, or all of FILE:LINE's, SOURCE_PLACES_MAX at most; *RET_MOVES: it was
 * named by symbols or lines, and moves with them.  Returns how many.
 */
int source_places(struct task *t, const char **p, uint64_t *ret, bool *ret_moves, struct err *err);

#endif
