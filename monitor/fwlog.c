/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/fwlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/core.h"
#include "monitor/newfile.h"
#include "monitor/render.h"

#define KEPT_BYTES 65536        /* what a machine keeps of the text */
#define CHUNK_BYTES 4096
#define CHUNKS_A_TURN 64        /* of a guest that writes faster than this reads */
#define FOLLOWED_LINE_MAX 240

/* Where a session is in the text.  By position, as what observers are given may be in the file's beginning already. */
struct follower {
	bool shown;
	uint64_t shown_at;
	char line[FOLLOWED_LINE_MAX];   /* the last one, which has not ended */
	size_t line_len;
	bool cut;                       /* the line was too long: its end does not begin another */
	int fd;                         /* -1: no file */
	uint64_t file_at;
	char path[120];                 /* as messages have it */
};

/* All that is kept; *AT is behind it then.  The guest may go on writing, so there is a bound. */
static size_t read_kept(struct machine *m, uint64_t *at, char *buf)
{
	size_t len = 0, n;

	while (len < KEPT_BYTES && (n = machine_firmware_log(m, at, buf + len, KEPT_BYTES - len)))
		len += n;
	return len;
}

static json_t *line_text(const char *line, size_t len)
{
	if (len && line[len - 1] == '\r')
		len--;
	return data_text(line, len);
}

json_t *fwlog_json(struct machine *m, uint64_t max)
{
	char *buf = malloc(KEPT_BYTES), *end, *next;
	uint64_t at = 0, count = 0, earlier;
	json_t *lines = json_array();
	size_t len;

	if (!buf) {
		json_decref(lines);
		return NULL;
	}
	len = read_kept(m, &at, buf);
	end = buf + len;
	for (const char *p = buf; p < end; p = next) {
		next = memchr(p, '\n', (size_t)(end - p));
		next = next ? next + 1 : end;
		count++;
	}
	earlier = count > max ? count - max : 0;
	for (const char *p = buf; p < end; p = next) {
		next = memchr(p, '\n', (size_t)(end - p));
		if (count-- <= max)
			json_array_append_new(lines, line_text(p, (size_t)((next ? next : end) - p)));
		next = next ? next + 1 : end;
	}
	free(buf);
	return json_pack("{s:I, s:I, s:o}", "bytes", (json_int_t)at, "earlier", (json_int_t)earlier, "lines", lines);
}

/* -- following -- */

static void put_line(const struct monitor *mon, struct follower *f, struct out *o)
{
	json_t *text = line_text(f->line, f->line_len), *event;

	f->line_len = 0;
	if (mon->json) {
		event = json_pack("{s:s, s:o}", "event", "firmware", "text", text);
		render_json(event, o);
		json_decref(event);
		return;
	}
	out_puts(o, "firmware: ");
	render_clean(json_string_value(text), o);
	out_puts(o, "\n");
	json_decref(text);
}

static void show(struct session *s, struct follower *f, const char *data, size_t len, struct out *o)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n')
			f->line[f->line_len++] = data[i];
		if (f->line_len == sizeof(f->line) || (data[i] == '\n' && (f->line_len || !f->cut)))
			put_line(s->mon, f, o);
		f->cut = data[i] != '\n' && !f->line_len;
	}
}

static void show_more(struct session *s, struct follower *f, struct out *o)
{
	char chunk[CHUNK_BYTES];
	size_t n;

	for (unsigned i = 0; i < CHUNKS_A_TURN; i++) {
		n = machine_firmware_log(s->mon->m, &f->shown_at, chunk, sizeof(chunk));
		if (!n)
			return;
		show(s, f, chunk, n, o);
	}
}

static void write_more(struct session *s, struct follower *f, struct out *o)
{
	char chunk[CHUNK_BYTES];
	struct err err;
	size_t n;
	int code = 0;

	for (unsigned i = 0; i < CHUNKS_A_TURN && !code; i++) {
		n = machine_firmware_log(s->mon->m, &f->file_at, chunk, sizeof(chunk));
		if (!n)
			return;
		code = newfile_append(f->fd, chunk, n);
	}
	if (!code)
		return;
	close(f->fd);
	f->fd = -1;
	err_errno(&err, code, "%s", f->path);
	out_printf(o, "log: nothing more is written to %s\n", err.msg);
}

void fwlog_more(struct monitor *mon)
{
	struct session *s, *next;
	struct out_buf b;

	for (s = mon->sessions; s; s = next) {
		next = s->next;
		if (!s->follower)
			continue;
		out_buf_init(&b);
		if (s->follower->fd >= 0)
			write_more(s, s->follower, &b.out);
		if (s->follower->shown)
			show_more(s, s->follower, &b.out);
		/* Last, as a session may go of it.  In one piece: above a prompt each has its price. */
		if (b.len && s->out)
			out_write(s->out, b.text, b.len);
		out_buf_done(&b);
	}
}

static int begin_shown(struct session *s, struct follower *f, char *buf)
{
	/* What there was before is for those who ask. */
	if (!f->shown)
		read_kept(s->mon->m, &f->shown_at, buf);
	f->shown = true;
	return 0;
}

static int begin_file(struct session *s, struct follower *f, const char *path, char *buf, struct err *err)
{
	int r;

	if (f->fd >= 0)
		return err_set(err, EALREADY, "it goes to %s already (log off ends that)", f->path);
	f->file_at = 0;
	r = newfile_write(path, buf, read_kept(s->mon->m, &f->file_at, buf), err);
	if (r)
		return r;
	f->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (f->fd < 0)
		return err_errno(err, errno, "%s", path);
	f->path[0] = '\0';
	strncat(f->path, path, sizeof(f->path) - 1);
	return 0;
}

int fwlog_follow(struct session *s, const char *path, struct err *err)
{
	char *buf = malloc(KEPT_BYTES);
	int r;

	if (!s->follower) {
		s->follower = calloc(1, sizeof(*s->follower));
		if (s->follower)
			s->follower->fd = -1;
	}
	if (!buf || !s->follower)
		r = err_set(err, ENOMEM, "out of memory");
	else
		r = path ? begin_file(s, s->follower, path, buf, err) : begin_shown(s, s->follower, buf);
	free(buf);
	return r;
}

void fwlog_leave(struct session *s)
{
	if (s->follower && s->follower->fd >= 0)
		close(s->follower->fd);
	free(s->follower);
	s->follower = NULL;
}
