/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A descriptor on libuv's loop that never blocks it, whatever is behind: terminal, pipe, socket, file.  Everything
 * on the loop thread; the program ignores SIGPIPE.
 */
#ifndef GV_UTIL_CHAN_H
#define GV_UTIL_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#include "api/err.h"

struct chan;

/* C is ready for what chan_want() asked.  May free C. */
typedef void chan_ready_fn(void *arg, struct chan *c, bool readable, bool writable);

/* Takes FD over, also on failure.  It wants nothing at first. */
int chan_new(uv_loop_t *loop, int fd, chan_ready_fn *ready, void *arg, struct chan **ret, struct err *err);

/*
 * As chan_new(), for a descriptor that this process shares with others, 0 to 2: opens what is behind it once more,
 * so that O_NONBLOCK, which belongs to the open file, is not set under the others' feet.  Where it cannot be
 * opened again (a socket), the flag is set until chan_free().
 */
int chan_new_shared(uv_loop_t *loop, int fd, bool for_write, chan_ready_fn *ready, void *arg, struct chan **ret,
		    struct err *err);

/* What to wait for from now on. */
void chan_want(struct chan *c, bool readable, bool writable);

/* As read() and write(), but with -errno; -EAGAIN: not now. */
ssize_t chan_read(struct chan *c, void *ret, size_t len);
ssize_t chan_write(struct chan *c, const void *data, size_t len);

/* Blocks until C can be written, MS milliseconds at most; whether it can. */
bool chan_wait_writable(struct chan *c, int ms);

int chan_fd(const struct chan *c);

/* Closes the descriptor at once.  The memory goes when the loop has run its close callback.  NULL is fine. */
void chan_free(struct chan *c);

#endif
