/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/core.h"
#include "monitor/lines.h"
#include "monitor/render.h"
#include "util/chan.h"

#define DEPTH_MAX 16            /* of source within source */
#define READ_BYTES 16384
#define LINES_A_TURN 64         /* before the loop looks after others */

struct input {
	struct input *next;
	struct script *script;
	struct chan *file;      /* NULL for a command */
	struct lines lines;
	unsigned line;          /* number of the last one; of a command: which -e it is */
	unsigned depth;
	bool is_command;
	int error;              /* -errno: reading failed */
	char name[];
};

struct script {
	struct script *next;
	struct session session;
	struct monitor *mon;
	struct out *to;
	struct out tap_out;     /* the session's sink: puts "# " before each line under a plan */
	bool mid_line;          /* of a diagnostic */
	struct input *inputs;   /* the first one runs */
	unsigned ncommands;
	struct task *task;
	unsigned planned, points;
	bool ready, due, running, quit, freeing;
	int status;
	char message[400];
	script_done_fn *done;
	void *arg;
};

static struct script *of_out(struct out *o)
{
	return (struct script *)((char *)o - offsetof(struct script, tap_out));
}

static void script_write(struct out *o, const char *text, size_t len)
{
	struct script *s = of_out(o);

	if (!s->planned) {
		out_write(s->to, text, len);
		return;
	}
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len, shown = n;

		if (!s->mid_line)
			out_puts(s->to, "# ");
		while (shown && text[shown - 1] == '\r')
			shown--;
		out_write(s->to, text, shown);
		if (end)
			out_puts(s->to, "\n");
		s->mid_line = !end;
		text += n + (end != NULL);
		len -= n + (end != NULL);
	}
}

static void tap_line(struct script *s, const char *text)
{
	if (s->mid_line)
		out_puts(s->to, "\n");
	s->mid_line = false;
	out_puts(s->to, text);
	out_puts(s->to, "\n");
}

/* -- inputs -- */

static void input_free(struct input *in)
{
	chan_free(in->file);
	lines_done(&in->lines);
	free(in);
}

static void make_ready(struct script *s)
{
	s->ready = true;
	monitor_kick(s->mon);
}

static void on_input(void *arg, struct chan *file, bool readable, bool writable)
{
	struct input *in = arg;
	char data[READ_BYTES];
	ssize_t n = chan_read(file, data, sizeof(data));

	(void)readable;
	(void)writable;
	if (n == -EAGAIN)
		return;
	if (n > 0 && lines_add(&in->lines, data, (size_t)n))
		n = -ENOMEM;
	if (n < 0)
		in->error = (int)n;
	if (n <= 0)
		in->lines.eof = true;
	chan_want(file, false, false);
	make_ready(in->script);
}

static struct input *input_new(struct script *s, const char *name)
{
	struct input *in = calloc(1, sizeof(*in) + strlen(name) + 1);

	if (in) {
		in->script = s;
		strcpy(in->name, name);
	}
	return in;
}

static int open_file(const char *file, struct err *err)
{
	struct stat st;
	int fd;

	/* Not to wait for a FIFO's writer. */
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(err, errno, "%s", file);
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		close(fd);
		return err_errno(err, EISDIR, "%s", file);
	}
	return fd;
}

static int input_open(struct script *s, const char *file, struct input **ret, struct err *err)
{
	bool is_stdin = !strcmp(file, "-");
	int fd = STDIN_FILENO, r;
	struct input *in;

	if (!is_stdin) {
		fd = open_file(file, err);
		if (fd < 0)
			return fd;
	}
	in = input_new(s, is_stdin ? "<stdin>" : file);
	if (!in) {
		if (!is_stdin)
			close(fd);
		return err_set(err, ENOMEM, "out of memory");
	}
	if (is_stdin)
		r = chan_new_shared(s->mon->loop, fd, false, on_input, in, &in->file, err);
	else
		r = chan_new(s->mon->loop, fd, on_input, in, &in->file, err);
	if (r) {
		free(in);
		return r;
	}
	*ret = in;
	return 0;
}

static void append(struct script *s, struct input *in)
{
	struct input **p = &s->inputs;

	while (*p)
		p = &(*p)->next;
	*p = in;
	make_ready(s);
}

int script_add_file(struct script *s, const char *file, struct err *err)
{
	struct input *in;
	int r = input_open(s, file, &in, err);

	if (!r)
		append(s, in);
	return r;
}

int script_add_command(struct script *s, const char *cmd, struct err *err)
{
	struct input *in = input_new(s, "-e");

	if (!in || lines_add(&in->lines, cmd, strlen(cmd)) || lines_add(&in->lines, "\n", 1)) {
		if (in)
			input_free(in);
		return err_set(err, ENOMEM, "out of memory");
	}
	in->is_command = true;
	in->lines.eof = true;
	in->line = s->ncommands++;
	append(s, in);
	return 0;
}

int script_add_text(struct script *s, const char *name, const char *text, struct err *err)
{
	struct input *in = input_new(s, name);

	if (!in || lines_add(&in->lines, text, strlen(text))) {
		if (in)
			input_free(in);
		return err_set(err, ENOMEM, "out of memory");
	}
	in->lines.eof = true;
	append(s, in);
	return 0;
}

void script_start(struct script *s)
{
	make_ready(s);
}

int script_push_file(struct script *s, const char *file, struct err *err)
{
	unsigned depth = s->inputs ? s->inputs->depth + 1 : 0;
	struct input *in;
	int r;

	if (depth > DEPTH_MAX)
		return err_set(err, ELOOP, "%s: scripts nest more than %d deep", file, DEPTH_MAX);
	r = input_open(s, file, &in, err);
	if (r)
		return r;
	in->depth = depth;
	in->next = s->inputs;
	s->inputs = in;
	return 0;
}

/* -- running -- */

int script_new(struct monitor *mon, struct out *out, bool from_gdb, bool notices, script_done_fn *done, void *arg,
	       struct script **ret, struct err *err)
{
	struct script *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	s->mon = mon;
	s->to = out;
	s->tap_out.write = script_write;
	s->done = done;
	s->arg = arg;
	s->session = (struct session){ .kind = SESSION_SCRIPT, .out = &s->tap_out, .from_gdb = from_gdb,
				       .notices = notices, .script = s };
	session_open(&s->session, mon);
	s->next = mon->scripts;
	mon->scripts = s;
	*ret = s;
	return 0;
}

static void to_nobody(struct out *o, const char *text, size_t len)
{
	(void)o;
	(void)text;
	(void)len;
}

static struct out nobody = { .write = to_nobody };

static void input_drop(struct script *s)
{
	struct input *in = s->inputs;

	s->inputs = in->next;
	input_free(in);
}

void script_free(struct script *s)
{
	struct script **p = &s->mon->scripts;

	/* A line of its own may end whoever waits for it: advance() comes back here then. */
	s->freeing = true;
	s->to = &nobody;
	if (s->running)
		return;
	while (*p && *p != s)
		p = &(*p)->next;
	if (*p)
		*p = s->next;
	if (s->mon->run == s)
		s->mon->run = NULL;
	session_close(&s->session);
	while (s->inputs)
		input_drop(s);
	free(s);
}

/* The script ends here, at the line that runs. */
static void fail(struct script *s, int status, const char *text)
{
	const struct input *in = s->inputs;

	if (in)
		snprintf(s->message, sizeof(s->message), "%.120s:%u: %s", in->name, in->line, text);
	else
		snprintf(s->message, sizeof(s->message), "%s", text);
	s->status = status;
	s->quit = true;
}

static void test_point(struct script *s, const struct task *t)
{
	const char *name = data_str(t->result, "name");
	char text[300];

	s->points++;
	snprintf(text, sizeof(text), "%s %u%s%.200s", t->status < 0 ? "not ok" : "ok", s->points,
		 *name ? " - " : "", name);
	tap_line(s, text);
}

/* For a line that is wrong in itself. */
static int wrong_input(const struct script *s)
{
	return s->inputs && s->inputs->is_command ? SCRIPT_USAGE : SCRIPT_INPUT;
}

static void on_done(void *arg, struct task *t)
{
	struct script *s = arg;
	bool point = t->cmd && (t->cmd->flags & CMD_POINT) && !t->malformed;
	char text[sizeof(s->message) + 16];

	s->task = NULL;
	if (s->freeing)
		return;
	if (s->planned && point)
		test_point(s, t);
	if (t->status < 0) {
		fail(s, t->malformed ? wrong_input(s) : SCRIPT_FAILED, t->err.msg);
		snprintf(text, sizeof(text), "%s%s", point ? "# " : "Bail out! ", s->message);
		if (s->planned)
			tap_line(s, text);
	}
	make_ready(s);
}

/* Runs the next line; false: there is none now. */
static bool run_line(struct script *s)
{
	struct input *in = s->inputs;
	const char *line;
	struct err err;
	size_t len;
	int r;

	r = lines_next(&in->lines, LINE_MAX_BYTES, &line, &len);
	if (r) {
		in->line++;
		if (r < 0)
			fail(s, wrong_input(s), "the line is too long");
		else
			s->task = task_run(&s->session, line, len, &s->tap_out, on_done, s);
		return true;
	}
	if (in->error) {
		err_errno(&err, -in->error, "cannot be read");
		fail(s, SCRIPT_INPUT, err.msg);
		return true;
	}
	if (in->lines.eof) {
		input_drop(s);
		return true;
	}
	chan_want(in->file, true, false);
	return false;
}

static void finish(struct script *s)
{
	char text[80];

	if (!s->quit && s->session.collect)
		fail(s, SCRIPT_INPUT, "the script ends before the end of a breakpoint's commands");
	if (!s->quit && s->planned && s->points != s->planned) {
		snprintf(text, sizeof(text), "%u test points were planned and %u run", s->planned, s->points);
		fail(s, SCRIPT_FAILED, text);
	}
	s->done(s->arg, s, s->status, s->message);
	script_free(s);
}

static void advance(struct script *s)
{
	unsigned budget = LINES_A_TURN;
	bool more = true;

	s->running = true;
	while (more && !s->task && !s->quit && !s->freeing && s->inputs && budget--)
		more = run_line(s);
	s->running = false;
	if (s->freeing)
		script_free(s);
	else if (!s->task && (s->quit || !s->inputs))
		finish(s);
	else if (!s->task && more)
		make_ready(s);
}

void script_pump(struct monitor *mon)
{
	struct script *s;

	/* Each has its turn once; the list may change meanwhile. */
	for (s = mon->scripts; s; s = s->next) {
		s->due = s->ready;
		s->ready = false;
	}
	for (;;) {
		for (s = mon->scripts; s && !s->due; s = s->next)
			;
		if (!s)
			return;
		s->due = false;
		advance(s);
	}
}

/* -- what commands ask for -- */

int script_plan(struct script *s, unsigned n, struct err *err)
{
	char text[32];

	if (s->planned)
		return err_set(err, EEXIST, "there is a plan for %u test points already", s->planned);
	s->planned = n;
	snprintf(text, sizeof(text), "1..%u", n);
	tap_line(s, text);
	return 0;
}

bool script_prints_tap(const struct script *s)
{
	return s->planned;
}

void script_quit(struct script *s, int status)
{
	s->quit = true;
	s->status = status;
}

bool script_is_run(const struct script *s)
{
	return s == s->mon->run;
}

struct out *script_out(struct script *s)
{
	return &s->tap_out;
}
