/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host's end of COM1: carries what the guest sends to a terminal, file, socket or pseudo-terminal, and what
 * comes from there to the guest.  Everything on the loop thread; the program ignores SIGPIPE.
 *
 * Nothing waits: output that its reader does not take is queued, 64 KiB of it, then the oldest is lost and a line
 * in the output says how much.  Input is read only as fast as the guest takes it.
 */
#ifndef GV_SERIAL_H
#define GV_SERIAL_H

#include <stdbool.h>
#include <uv.h>

#include "api/err.h"
#include "api/machine.h"

struct serial;

/*
 * Connects M's COM1 to ADDR: stdio (standard output; for input see serial_stdin()), file:PATH (emptied first),
 * unix:PATH, pty, none.  The unix socket is as usock_listen() makes it; one client is served at a time, others are
 * closed at once, and what the guest sends meanwhile waits for a client.  LOOP and M must outlive it.  -EINVAL: not an
 * address; -EEXIST, -EADDRINUSE: the socket's path is taken; -ENOMEM; else what the system call said.
 */
int serial_new(uv_loop_t *loop, struct machine *m, const char *addr, struct serial **ret, struct err *err);

/*
 * Writes what waits, for half a second at most, gives the terminal back, unlinks the socket and frees.  The memory
 * goes when the loop has run its close callbacks, so run it once more before uv_loop_close().  NULL is fine.
 */
void serial_free(struct serial *s);

/* For stdio: sends the output to standard error instead.  -errno: nothing changed. */
int serial_use_stderr(struct serial *s, struct err *err);

/*
 * For stdio: takes standard input for the guest, or (ON false) leaves it again.  A terminal goes into raw mode
 * then: each key is the guest's, save Ctrl-A x, which calls QUIT with ARG, and Ctrl-A Ctrl-A, which sends one
 * Ctrl-A.  QUIT may free S.  -EBUSY: the terminal is raw already; -errno.
 */
int serial_stdin(struct serial *s, bool on, void (*quit)(void *arg), void *arg, struct err *err);

/* For people: "pty /dev/pts/3", "unix:PATH", "file:PATH", "standard output", "standard error", "none".  S's. */
const char *serial_describe(const struct serial *s);

#endif
