/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/sharedout.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <unistd.h>

#include "monitor/core.h"
#include "monitor/render.h"
#include "monitor/script.h"
#include "monitor/term.h"

void sharedout_write_fd(int fd, const void *data, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	const char *s = data;

	while (len) {
		ssize_t n = write(fd, s, len);

		if (n >= 0) {
			s += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			poll(&p, 1, -1);
		} else if (errno != EINTR) {
			return;
		}
	}
}

static void sharedout_text(struct out *o, const char *text, size_t len)
{
	struct sharedout *s = (struct sharedout *)o;

	if (s->mon->term) {
		term_text(s->mon->term, text, len);
		return;
	}
	if (s->open_line)
		sharedout_write_fd(STDOUT_FILENO, "\n", 1);
	s->open_line = false;
	sharedout_write_fd(STDOUT_FILENO, text, len);
}

void sharedout_init(struct sharedout *s, struct monitor *mon)
{
	*s = (struct sharedout){ .out.write = sharedout_text, .mon = mon, .show_serial = true };
}

static void serial_event(struct out *o, const uint8_t *data, size_t len)
{
	json_t *v = json_pack("{s:s, s:o}", "event", "serial", "text", data_text((const char *)data, len));

	render_json(v, o);
	json_decref(v);
}

void sharedout_serial(struct sharedout *s, const uint8_t *data, size_t len)
{
	struct monitor *mon = s->mon;

	if (!s->show_serial || !len)
		return;
	if (mon->run && script_prints_tap(mon->run)) {
		out_write(script_out(mon->run), (const char *)data, len);
	} else if (mon->term && term_raw(mon->term)) {
		term_serial(mon->term, data, len);
	} else if (mon->json && (mon->term || mon->pipe || mon->run)) {
		serial_event(&s->out, data, len);
	} else if (mon->term) {
		term_serial(mon->term, data, len);
	} else if (mon->pipe || mon->run) {
		sharedout_write_fd(STDOUT_FILENO, data, len);
		s->open_line = data[len - 1] != '\n';
	}
}
