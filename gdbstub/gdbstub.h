/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The GDB remote stub as main sees it: addresses to listen on, and what it tells back.  Everything is called on
 * the loop thread.  Several clients are served at a time: the first drives, the others observe, and get to drive when they ask for it
 * (`monitor takeover`) or, by age, when the driver leaves.
 *
 * Main polls machine_event_fd() and calls machine_poll(); the stub writes what arises from there by itself.  The
 * program must ignore SIGPIPE: a stdio client may be a pipe.
 */
#ifndef GV_GDBSTUB_GDBSTUB_H
#define GV_GDBSTUB_GDBSTUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "api/command.h"
#include "api/err.h"
#include "api/machine.h"
#include "api/out.h"

struct gdbstub;
struct wirelog;

struct gdbstub_addr {
	enum { GDB_UNIX, GDB_TCP, GDB_STDIO } kind;
	const char *path;               /* GDB_UNIX */
	const char *host;               /* GDB_TCP; NULL: 127.0.0.1 */
	uint16_t port;                  /* GDB_TCP; 0: any free one */
};

/* Any member may be NULL.  None of them may free the stub before it returns. */
struct gdbstub_events {
	void *arg;
	void (*attached)(void *arg, bool on);   /* a client came or went */
	void (*kill)(void *arg);                /* the user ends the session (k, vKill) */
	void (*closed)(void *arg);              /* the stdio client has gone for good */
	void (*note)(void *arg, const char *line);      /* for the log: a client was dropped */
};

/* LOOP, M, CMD (NULL: no `monitor` in gdb) and what *EV names must outlive the stub.  -ENOMEM. */
int gdbstub_new(uv_loop_t *loop, struct machine *m, struct commander *cmd, const struct gdbstub_events *ev,
		struct gdbstub **ret, struct err *err);

/* How clients that come from now on are to see the registers at first (`monitor tdesc` changes it); else REG_CHOICE_AUTO. */
void gdbstub_describe_as(struct gdbstub *s, unsigned choice);

/*
 * Listens on one more address; for GDB_STDIO the client is there at once.  A unix socket gets mode 0600 and never
 * replaces an existing file, save a socket that nobody has open any more; gdbstub_free() unlinks it.
 * -ENAMETOOLONG, -EEXIST (a file that is no socket), -EADDRINUSE, -EADDRNOTAVAIL (no such host), -EINVAL, -EBUSY
 * (stdio: a client is attached already), or what the system call said.
 */
int gdbstub_listen(struct gdbstub *s, const struct gdbstub_addr *a, struct err *err);

/* The packets of clients that come from now on are written to LOG (gdbstub/wirelog.h), which must outlive the stub. */
void gdbstub_log(struct gdbstub *s, struct wirelog *log);

/* How many addresses it listens on, stdio included. */
size_t gdbstub_count(const struct gdbstub *s);
/* Writes what a user types in gdb to reach the INDEX-th: "target remote 127.0.0.1:1234" (the real port). */
void gdbstub_describe(const struct gdbstub *s, size_t index, struct out *o);

/* Before the program ends: writes what waits for clients, for half a second at most each, and lets them answer notifications. */
void gdbstub_flush(struct gdbstub *s);

/*
 * Drops the client without touching the machine, and closes the listeners.  NULL is fine.  The memory goes when
 * the loop has run the close callbacks, so run the loop once more before uv_loop_close().
 */
void gdbstub_free(struct gdbstub *s);

#endif
