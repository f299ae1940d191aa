/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/feed.h"

#include <errno.h>

static void run_lines(struct feed *f);

static void on_done(void *arg, struct task *t)
{
	struct feed *f = arg;

	(void)t;
	f->task = NULL;
	if (!f->closed)
		run_lines(f);
}

static void run_lines(struct feed *f)
{
	const char *line;
	size_t len;
	int r = 0;

	/* A command that ends at once comes back here by on_done(). */
	if (f->running)
		return;
	f->running = true;
	while (!f->closed && !f->task && (r = lines_next(&f->lines, LINE_MAX_BYTES, &line, &len))) {
		if (r < 0)
			out_printf(f->session.out, "error: the line is longer than %d bytes\n", LINE_MAX_BYTES);
		else
			f->task = task_run_typed(&f->session, line, len, on_done, f);
	}
	f->running = false;
	if (!f->closed && !f->task)
		f->drained(f, f->lines.eof);
}

void feed_open(struct feed *f, struct monitor *mon, struct out *out, void (*drained)(struct feed *f, bool ended))
{
	f->session.kind = SESSION_CLIENT;
	f->session.out = out;
	f->session.notices = true;
	f->drained = drained;
	session_open(&f->session, mon);
}

void feed_close(struct feed *f)
{
	f->closed = true;
	session_close(&f->session);
	lines_done(&f->lines);
}

bool feed_data(struct feed *f, const char *data, size_t len)
{
	if (!len)
		f->lines.eof = true;
	else if (lines_add(&f->lines, data, len))
		out_puts(f->session.out, "error: out of memory, input is lost\n");
	run_lines(f);
	return f->closed || lines_waiting(&f->lines) < FEED_BYTES_MAX;
}
