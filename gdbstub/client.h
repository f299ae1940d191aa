/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection: a session with descriptors at its ends, on libuv's loop. */
#ifndef GV_GDBSTUB_CLIENT_H
#define GV_GDBSTUB_CLIENT_H

#include <uv.h>

#include "gdbstub/session.h"

struct client;

struct client_owner {
	void *arg;
	/* The connection is over: END says why (SESSION_ON: the client went).  The owner calls client_free(). */
	void (*over)(void *arg, enum session_end end);
	/* client_free()'s last memory has gone. */
	void (*freed)(void *arg);
};

/*
 * Takes over descriptors RFD and WFD, also on failure; they may be one file, but not one descriptor.  Nothing is
 * read before client_start().  -EINVAL: one of them cannot be polled; -ENOMEM.
 */
int client_new(uv_loop_t *loop, int rfd, int wfd, const struct client_owner *owner, struct client **ret,
	       struct err *err);
/* Closes the descriptors at once; the memory goes with the loop's close callbacks, then owner->freed is called. */
void client_free(struct client *c);

/* Begins to read.  S stays the caller's and must live until client_free(). */
void client_start(struct client *c, struct session *s);

/* Output has arisen outside the client's own input: writes it.  Never calls the owner before it returns. */
void client_output(struct client *c);
/* Reads what the loop has not come to yet, a buffer's worth or the end; may call the owner, who may free C. */
void client_catch_up(struct client *c);
/* Waits until there is something to read, or its end, for MS milliseconds at most: whether there is. */
bool client_wait(struct client *c, unsigned ms);
/* Writes what waits, for MS milliseconds at most. */
void client_flush(struct client *c, unsigned ms);

#endif
