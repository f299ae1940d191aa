/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the process has from its host: signals, limits, and a shell that may put it to sleep.  Loop thread. */
#ifndef GV_PROCESS_H
#define GV_PROCESS_H

#include <uv.h>

#include "api/err.h"

struct process_events {
	void *arg;
	void (*end)(void *arg, int signum);     /* SIGTERM, SIGHUP, SIGINT */
	/* Ctrl-Z: the terminal is somebody else's from now on. */
	void (*suspend)(void *arg);
	/* It is ours again, in whatever state they left it.  Also without a suspend() before it. */
	void (*resume)(void *arg);
};

struct process {
	struct process_events events;
	uv_signal_t end[3], suspend, resume;
};

/* First of all, without a loop.  -EMFILE: too few descriptors are allowed for anything. */
int process_begin(struct err *err);
/*
 * From now on signals are events: before there is what they would leave behind.  SIGHUP stays ignored if it is.
 * -errno: there is no pipe for them.
 */
int process_heed(struct process *p, uv_loop_t *loop, const struct process_events *ev, struct err *err);
/* SIGINT is somebody else's: at a terminal Ctrl-C stops the guest, not the program. */
void process_leave_interrupt(struct process *p);
/* The program has the terminal: sleeps at SIGTSTP with its modes as they were before. */
void process_share_terminal(struct process *p);

#endif
