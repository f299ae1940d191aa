/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/task.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/expr.h"
#include "monitor/fwlog.h"
#include "monitor/hook.h"
#include "monitor/jsonmem.h"
#include "monitor/names.h"
#include "monitor/render.h"
#include "monitor/slide.h"
#include "monitor/source.h"
#include "monitor/text.h"

void session_open(struct session *s, struct monitor *mon)
{
	s->mon = mon;
	s->next = mon->sessions;
	mon->sessions = s;
}

static struct task *task_of(struct session *s)
{
	struct task *t = s->mon->tasks;

	while (t && t->s != s)
		t = t->next;
	return t;
}

void session_close(struct session *s)
{
	struct session **p = &s->mon->sessions;
	struct task *t;

	while ((t = task_of(s)))
		task_cancel(t);
	while (*p && *p != s)
		p = &(*p)->next;
	if (*p)
		*p = s->next;
	fwlog_leave(s);
	free(s->repeat);
	s->repeat = NULL;
	free(s->list_file);
	s->list_file = NULL;
	if (s->collect)
		hook_done(s->collect);
	free(s->collect);
	s->collect = NULL;
}

static void task_free(struct task *t)
{
	if (t->wait && t->wait->drop)
		t->wait->drop(t);
	json_decref(t->result);
	free(t->line);
	free(t);
}

/* The outcome as its text, or as one JSON object. */
static void render_outcome(const struct task *t, struct out *o)
{
	json_t *obj;

	if (t->json) {
		obj = json_object();
		if (t->cmd)
			json_object_set_new(obj, "command", json_string(t->cmd->name));
		if (t->result)
			json_object_set(obj, "result", t->result);
		if (t->status < 0)
			json_object_set_new(obj, "error", data_text(t->err.msg, strlen(t->err.msg)));
		render_json(obj, o);
		json_decref(obj);
		return;
	}
	if (t->result && t->cmd && t->cmd->render)
		t->cmd->render(t->result, o);
	/* A script tells its failures itself, with file and line. */
	if (t->status < 0 && t->s->kind != SESSION_SCRIPT)
		out_printf(o, "error: %s\n", t->err.msg);
}

/* Less than everything would look like everything.  What the command does it may have done. */
static void lost(struct task *t)
{
	json_decref(t->result);
	t->result = NULL;
	if (t->status >= 0)
		t->status = err_set(&t->err, ENOMEM, "out of memory: what came of it cannot be told");
}

/* In one piece: above a prompt, in a packet or on a socket each piece has its price. */
static void report(struct task *t)
{
	struct out_buf b;

	if (jsonmem_failed())
		lost(t);
	out_buf_init(&b);
	render_outcome(t, &b.out);
	if (!b.failed && !jsonmem_failed())
		out_write(t->out, b.text, b.len);
	else {
		lost(t);
		/* Such a line needs no memory, and no escapes. */
		if (t->json)
			out_puts(t->out, "{\"error\":\"out of memory\"}\n");
		else if (t->s->kind != SESSION_SCRIPT)
			out_printf(t->out, "error: %s\n", t->err.msg);
	}
	out_buf_done(&b);
}

static void unlink_task(struct task *t)
{
	struct task **p = &t->s->mon->tasks;

	while (*p && *p != t)
		p = &(*p)->next;
	if (*p)
		*p = t->next;
	t->next = NULL;
}

static void end(struct task *t, bool tell)
{
	unlink_task(t);
	if (tell)
		report(t);
	t->done(t->arg, t);
	task_free(t);
}

void task_cancel(struct task *t)
{
	t->status = err_set(&t->err, EINTR, "interrupted");
	end(t, false);
}

void task_interrupt(struct task *t)
{
	if (t->wait && t->wait->interrupt && !t->finished)
		t->wait->interrupt(t);
}

int task_wait(struct task *t, const struct task_wait *w, void *data, uint64_t timeout_ms)
{
	t->wait = w;
	t->data = data;
	if (timeout_ms)
		t->deadline = uv_now(t->s->mon->loop) + timeout_ms;
	return CMD_WAITING;
}

void task_finish(struct task *t, int status)
{
	t->status = status;
	t->finished = true;
	monitor_kick(t->s->mon);
}

void task_pump(struct monitor *mon)
{
	struct task *t;

	/* Whatever runs in here may end or start tasks, so every look at the list begins anew. */
	for (t = mon->tasks; t; t = t->next)
		t->pumped = false;
	for (;;) {
		for (t = mon->tasks; t && (t->pumped || t->finished); t = t->next)
			;
		if (!t)
			break;
		t->pumped = true;
		if (t->wait && t->wait->advance)
			t->wait->advance(t);
	}
	for (;;) {
		for (t = mon->tasks; t && !t->finished; t = t->next)
			;
		if (!t)
			break;
		end(t, true);
	}
}

/* -- starting one -- */

/* Where a comment begins: a # behind white space, not between quotes; LEN when there is none. */
static size_t comment_at(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '#' && (i == 0 || text_space(s[i - 1])))
			return i;
		if (s[i] == '"' || s[i] == '\'') {
			size_t n = text_quoted(s + i, len - i);

			if (n)
				i += n - 1;
		}
	}
	return len;
}

static void trim(char *s)
{
	size_t len = strlen(s);

	while (len && text_space(s[len - 1]))
		len--;
	s[len] = '\0';
}

/* Takes a -j right behind the name, or as the last word. */
static void take_json_flag(struct task *t, char *args)
{
	char *end_of = args + strlen(args);

	if (!strncmp(args, "-j", 2) && (!args[2] || text_space(args[2]))) {
		t->json = true;
		args += 2;
		args += strspn(args, " \t");
	} else if (!(t->cmd->flags & CMD_TEXT) && end_of - args > 3 && !strcmp(end_of - 2, "-j") &&
		   text_space(end_of[-3])) {
		t->json = true;
		end_of[-3] = '\0';
		trim(args);
	}
	t->args = args;
}

static int take_format(struct task *t, char **args, struct err *err)
{
	size_t n;
	int r;

	if (**args != '/')
		return 0;
	if (!(t->cmd->flags & CMD_FORMAT))
		return task_malformed(t, err_set(err, EINVAL, "%s takes no /format", t->cmd->name));
	n = strcspn(*args, " \t");
	r = format_parse(*args + 1, n - 1, &t->format, err);
	if (r)
		return task_malformed(t, r);
	*args += n;
	return 0;
}

static int parse(struct task *t, char *line, struct err *err)
{
	size_t len = strlen(line), used;
	char *args;
	int r;

	r = cmd_find(line, len, &used, &t->cmd, err);
	if (r)
		return task_malformed(t, r);
	args = line + used;
	if (!(t->cmd->flags & CMD_TEXT))
		args[comment_at(args, len - used)] = '\0';
	r = take_format(t, &args, err);
	if (r)
		return r;
	args += strspn(args, " \t");
	trim(args);
	take_json_flag(t, args);
	if (*t->args && !*t->cmd->args)
		return task_malformed(t, err_set(err, EINVAL, "%s takes no argument", t->cmd->name));
	return 0;
}

static int allowed(struct task *t, struct err *err)
{
	unsigned flags = t->cmd->flags;

	if ((flags & CMD_RUN) && t->s->from_gdb)
		return err_set(err, EPERM, "gdb runs the guest here: use its own commands for '%s'", t->cmd->name);
	if ((flags & CMD_SCRIPT) && t->s->kind != SESSION_SCRIPT)
		return err_set(err, EPERM, "%s is for scripts", t->cmd->name);
	if ((flags & CMD_TERMINAL) && t->s->kind != SESSION_TERMINAL)
		return err_set(err, EPERM, "%s is for the terminal", t->cmd->name);
	return 0;
}

static void remember(struct task *t)
{
	struct session *s = t->s;

	if (s->kind == SESSION_SCRIPT)
		return;
	free(s->repeat);
	s->repeat = NULL;
	if (t->cmd->flags & CMD_REPEAT)
		s->repeat = strdup(t->cmd->flags & (CMD_FORMAT | CMD_GOES_ON) ? t->cmd->name : t->line);
}

static int execute(struct task *t, const char *line, size_t len)
{
	struct monitor *mon = t->s->mon;
	struct machine *m = mon->m;
	struct err *err = &t->err;
	char *start;
	int r;

	if (len > LINE_MAX_BYTES)
		return task_malformed(t, err_set(err, EINVAL, "the line is longer than %d bytes", LINE_MAX_BYTES));
	if (memchr(line, '\0', len))
		return task_malformed(t, err_set(err, EINVAL, "the line holds a NUL byte"));
	t->line = strndup(line, len);
	if (!t->line)
		return err_set(err, ENOMEM, "out of memory");
	start = t->line + strspn(t->line, " \t");
	if (t->s->collect) {
		r = hook_line(t->s, start, err);
		return r == -EINVAL ? task_malformed(t, r) : r;
	}
	if (!*start || *start == '#')
		return 0;
	r = parse(t, start, err);
	if (!r)
		r = allowed(t, err);
	if (r)
		return r;
	remember(t);
	if (!(t->cmd->flags & CMD_PARKED))
		return t->cmd->exec(t, err);
	r = machine_hold(m, err);
	if (r)
		return r;
	r = t->cmd->exec(t, err);
	slide_follow(mon);
	machine_release(m);
	return r;
}

struct task *task_run(struct session *s, const char *line, size_t len, struct out *out, task_done_fn *done,
		      void *arg)
{
	struct task *t = calloc(1, sizeof(*t));
	struct task oom = { .s = s, .out = out };
	struct task **p = &s->mon->tasks;
	int r;

	if (!t) {
		oom.json = s->mon->json;
		oom.status = err_set(&oom.err, ENOMEM, "out of memory");
		report(&oom);
		done(arg, &oom);
		return NULL;
	}
	*t = (struct task){ .s = s, .out = out, .json = s->mon->json, .done = done, .arg = arg };
	/* In the list before it runs: a stop may come while it starts. */
	while (*p)
		p = &(*p)->next;
	*p = t;
	r = execute(t, line, len);
	if (r == CMD_WAITING) {
		if (t->deadline || t->again)
			monitor_set_timer(s->mon);
		return t;
	}
	t->status = r;
	/* Nothing typed, nothing said. */
	if (!t->cmd && !t->status) {
		end(t, false);
		return NULL;
	}
	end(t, true);
	return NULL;
}

struct task *task_run_typed(struct session *s, const char *line, size_t len, task_done_fn *done, void *arg)
{
	size_t space = 0;

	while (space < len && text_space(line[space]))
		space++;
	if (space == len && s->repeat) {
		line = s->repeat;
		len = strlen(line);
	}
	return task_run(s, line, len, s->out, done, arg);
}

/* -- what handlers share -- */

int task_malformed(struct task *t, int code)
{
	t->malformed = true;
	return code;
}

int task_usage(struct task *t, struct err *err)
{
	return task_malformed(t, err_set(err, EINVAL, "usage: %s%s%s", t->cmd->name, *t->cmd->args ? " " : "",
					 cmd_args(t->cmd)));
}

int task_expr(struct task *t, const char **p, uint64_t *ret, struct err *err)
{
	struct names names = { .m = task_machine(t), .cpu = t->s->cpu };
	const struct expr_env env = names_env(&names);
	size_t used;
	int r;

	r = expr_eval(*p, strlen(*p), (size_t)(*p - t->line) + 1, &env, &used, ret, err);
	t->by_symbol |= names.symbols;
	if (r)
		return r == -EINVAL ? task_malformed(t, r) : r;
	*p += used;
	*p += strspn(*p, " \t");
	return 0;
}

int task_expr_place(struct task *t, const char **p, uint64_t *ret, struct err *err)
{
	const char *after = *p + 1;

	if (**p == '*' && strncmp(after + strspn(after, " "), "(u", 2))
		*p = after;
	return task_expr(t, p, ret, err);
}

int task_place(struct task *t, const char **p, uint64_t *ret, struct err *err)
{
	uint64_t places[SOURCE_PLACES_MAX];
	bool moves;
	int n = source_places(t, p, places, &moves, err);

	if (n < 0)
		return n;
	if (n > 1)
		return err_set(err, ENOTUNIQ, "that line is in %d places, the first at 0x%" PRIx64, n, places[0]);
	*ret = places[0];
	return 0;
}

int task_expr_to(struct task *t, const char *from, const char *to, uint64_t *ret, struct err *err)
{
	struct names names = { .m = task_machine(t), .cpu = t->s->cpu };
	const struct expr_env env = names_env(&names);
	int r = expr_eval(from, (size_t)(to - from), (size_t)(from - t->line) + 1, &env, NULL, ret, err);

	t->by_symbol |= names.symbols;
	return r == -EINVAL ? task_malformed(t, r) : r;
}

int task_condition(struct task *t, const char **p, char **ret, struct err *err)
{
	struct names names = { .m = task_machine(t), .cpu = t->s->cpu };
	const struct expr_env env = names_env(&names);
	char *copy;
	int r = expr_check(*p, strlen(*p), (size_t)(*p - t->line) + 1, &env, err);

	if (r)
		return r == -EINVAL ? task_malformed(t, r) : r;
	copy = strdup(*p);
	if (!copy)
		return err_set(err, ENOMEM, "out of memory");
	*p += strlen(*p);
	*ret = copy;
	return 0;
}

int task_end(struct task *t, const char *p, struct err *err)
{
	p += strspn(p, " \t");
	if (!*p)
		return 0;
	return task_malformed(t, err_set(err, EINVAL, "column %zu: unexpected '%.40s'", (size_t)(p - t->line) + 1,
					 p));
}

bool task_option(const char **p, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(*p, name, n) || (*p)[n] != '=')
		return false;
	*p += n + 1;
	return true;
}

const char *task_word(const char **p, size_t *ret_len)
{
	const char *word = *p + strspn(*p, " \t");

	*ret_len = strcspn(word, " \t");
	*p = word + *ret_len;
	*p += strspn(*p, " \t");
	return word;
}

bool word_is(const char *word, size_t len, const char *text)
{
	return strlen(text) == len && !memcmp(word, text, len);
}

int task_need_stopped(struct task *t, struct err *err)
{
	if (machine_state(task_machine(t)) != MACHINE_RUNNING)
		return 0;
	return err_set(err, EBUSY, "the guest is running: stop it first");
}
