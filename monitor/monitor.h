/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The interactive monitor: a terminal, socket clients, scripts and gdb's `monitor CMD` all run the same commands.
 * Everything on the loop thread.  The caller polls machine_event_fd() and calls machine_poll(), and ignores
 * SIGPIPE.
 */
#ifndef GV_MONITOR_MONITOR_H
#define GV_MONITOR_MONITOR_H

#include <stdbool.h>
#include <uv.h>

#include "api/command.h"
#include "api/err.h"
#include "api/machine.h"

/* What the caller wants to know; any member may be NULL.  Called from the loop, never from within a call. */
struct monitor_events {
	void *arg;
	void (*quit)(void *arg);                        /* quit typed, or ^D */
	void (*script_done)(void *arg, int exit_status);
	void (*attached)(void *arg, bool on);           /* a terminal or client came or went; also within a call */
};

struct monitor;

/*
 * Makes a monitor for M on LOOP.  EV is copied.  JSON: every command answers with one JSON object a line.
 * -ENOMEM.
 */
int monitor_new(uv_loop_t *loop, struct machine *m, const struct monitor_events *ev, bool json,
		struct monitor **ret, struct err *err);

/* How gdb's `monitor CMD` gets in; the monitor's, as long as it lives. */
struct commander *monitor_commander(struct monitor *mon);

/*
 * Serves standard input and output: with line editing when both are terminals, else line by line, ending as with
 * `quit` when the input ends.  Once a process (readline is global).  -EBUSY: there is one already; -errno.
 */
int monitor_terminal(struct monitor *mon, struct err *err);
/* The terminal is somebody else's for a while, and ours again, whatever they did to it; nothing happens without one. */
void monitor_let_go(struct monitor *mon);
void monitor_take_up(struct monitor *mon);

/*
 * Listens on a unix socket at PATH, mode 0600.  A socket nobody listens on any more is replaced, anything else is
 * left alone (-EADDRINUSE, -EEXIST).  -ENAMETOOLONG; -errno.
 */
int monitor_listen(struct monitor *mon, const char *path, struct err *err);

/*
 * Queues a script file ("-": standard input) or one command (as from -x and -e); they run in this order once the
 * loop does, and script_done comes when all are through, with the exit status of the command line's contract.
 * Call all before the loop runs.  -errno: the file cannot be opened (nothing is queued).
 */
int monitor_script(struct monitor *mon, const char *file, struct err *err);
int monitor_execute(struct monitor *mon, const char *cmd, struct err *err);

/*
 * Whether the guest's serial output is shown on the monitor's terminal or in its script's output (default: yes).
 * Off when COM1 goes elsewhere.  With neither terminal nor script the monitor never writes it.
 */
void monitor_show_serial(struct monitor *mon, bool on);

/*
 * Ends every session and restores the terminal at once.  Some memory goes only when LOOP has run its close
 * callbacks, so the caller runs the loop once more before uv_loop_close().  NULL is fine.
 */
void monitor_free(struct monitor *mon);

#endif
