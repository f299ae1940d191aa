/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How gdb's `monitor CMD` reaches the monitor without either including the other: main hands the stub a
 * struct commander that the monitor implements.  All on the loop thread.
 */
#ifndef GV_API_COMMAND_H
#define GV_API_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "api/out.h"

/* Called once when the command has finished: STATUS 0, or a -errno whose message has gone to the sink. */
typedef void command_done_fn(void *arg, int status);

struct commander {
	/*
	 * Runs one command LINE of LEN bytes (no newline, not NUL-terminated).  Output streams to OUT as it
	 * arises, a failure's one line included.  DONE is called exactly once, before return or later
	 * (a `wait` takes its time); OUT and ARG stay valid until then.  Returns a token for cancel(), NULL
	 * when DONE has been called already.
	 */
	void *(*run)(struct commander *c, const char *line, size_t len, struct out *out, command_done_fn *done,
		     void *arg);
	/* A gdb client came or went.  NULL: nobody wants to know. */
	void (*attached)(struct commander *c, bool on);
	/* Abandons a command that has not finished: DONE is called with -EINTR before return. */
	void (*cancel)(struct commander *c, void *token);
};

#endif
