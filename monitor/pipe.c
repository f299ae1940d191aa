/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "monitor/core.h"
#include "monitor/feed.h"
#include "util/chan.h"

struct pipe_client {
	struct feed feed;
	struct chan *input;
};

static void on_drained(struct feed *f, bool ended)
{
	struct pipe_client *c = (struct pipe_client *)f;

	if (ended)
		monitor_quit(f->session.mon);
	else
		chan_want(c->input, true, false);
}

static void on_input(void *arg, struct chan *input, bool readable, bool writable)
{
	struct pipe_client *c = arg;
	char data[4096];
	ssize_t n = chan_read(input, data, sizeof(data));

	(void)readable;
	(void)writable;
	if (n == -EAGAIN)
		return;
	if (n <= 0)
		chan_want(input, false, false);
	if (!feed_data(&c->feed, data, n > 0 ? (size_t)n : 0))
		chan_want(input, false, false);
}

int pipe_new(struct monitor *mon, struct err *err)
{
	struct pipe_client *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(err, ENOMEM, "out of memory");
	r = chan_new_shared(mon->loop, STDIN_FILENO, false, on_input, c, &c->input, err);
	if (r) {
		free(c);
		return r;
	}
	feed_open(&c->feed, mon, &mon->shared.out, on_drained);
	mon->pipe = c;
	if (mon->ev.attached)
		mon->ev.attached(mon->ev.arg, true);
	chan_want(c->input, true, false);
	return 0;
}

void pipe_free(struct pipe_client *c)
{
	if (!c)
		return;
	feed_close(&c->feed);
	chan_free(c->input);
	free(c);
}
