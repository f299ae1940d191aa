/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Monitor clients on a unix socket: lines in, text or JSON out, no echo and no prompt.  Loop thread. */
#ifndef GV_MONITOR_LISTEN_H
#define GV_MONITOR_LISTEN_H

#include "api/err.h"

struct listener;
struct monitor;

/* See monitor_listen().  Becomes mon->listener. */
int listener_new(struct monitor *mon, const char *path, struct err *err);
/* Closes every client, and removes the socket if it is still the one it made.  NULL is fine. */
void listener_free(struct listener *l);

#endif
