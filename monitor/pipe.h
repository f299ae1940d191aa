/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor on standard input and output that are no terminal: lines in, text out, no prompt.  Loop thread. */
#ifndef GV_MONITOR_PIPE_H
#define GV_MONITOR_PIPE_H

#include "api/err.h"

struct monitor;
struct pipe_client;

/* Becomes mon->pipe; the end of the input is a `quit`. */
int pipe_new(struct monitor *mon, struct err *err);
void pipe_free(struct pipe_client *c);        /* NULL is fine */

#endif
