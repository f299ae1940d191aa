/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The session: source, echo, expect, assert, plan, serial send, console, help. */
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/render.h"
#include "monitor/script.h"
#include "monitor/term.h"
#include "monitor/text.h"
#include "monitor/vgatext.h"

#define EXPECT_MS 10000
#define SCREEN_MS 50            /* between two looks at the screen: it tells nobody when it changes */
#define PLAN_MAX 100000

static int exec_echo(struct task *t, struct err *err)
{
	(void)err;
	t->result = json_pack("{s:o}", "text", data_text(t->args, strlen(t->args)));
	return 0;
}

static void render_echo(const json_t *result, struct out *o)
{
	out_printf(o, "%s\n", data_str(result, "text"));
}

/* -- expect -- */

struct expectation {
	struct pattern *pattern;
	struct screen *screen;  /* room for the guest's; NULL: it is the serial line that matters */
};

static bool on_screen(struct machine *m, struct expectation *e)
{
	struct out_buf b;
	bool found;

	if (machine_screen(m, e->screen, NULL))
		return false;
	out_buf_init(&b);
	vgatext_lines(e->screen, &b.out);
	found = b.len && pattern_in(e->pattern, b.text, b.len);
	out_buf_done(&b);
	return found;
}

static void expect_advance(struct task *t)
{
	struct monitor *mon = t->s->mon;
	struct expectation *e = t->data;

	if (e->screen)
		t->again = uv_now(mon->loop) + SCREEN_MS;
	if (e->screen ? on_screen(mon->m, e) : window_match(&mon->window, e->pattern))
		task_finish(t, 0);
	else if (machine_state(mon->m) != MACHINE_RUNNING)
		task_finish(t, err_set(&t->err, EPIPE, "%s did not come, and the guest %s",
				       data_str(t->result, "name"),
				       machine_state(mon->m) == MACHINE_ENDED ? "has ended" : "is stopped"));
}

static void expect_timeout(struct task *t)
{
	task_finish(t, err_set(&t->err, ETIMEDOUT, "%s did not come in time", data_str(t->result, "name")));
}

static void expect_interrupt(struct task *t)
{
	task_finish(t, err_set(&t->err, EINTR, "interrupted"));
}

static void expect_drop(struct task *t)
{
	struct expectation *e = t->data;

	pattern_free(e->pattern);
	free(e->screen);
	free(e);
}

static const struct task_wait until_seen = {
	.advance = expect_advance, .timeout = expect_timeout, .interrupt = expect_interrupt, .drop = expect_drop,
};

/* The word screen, with something behind it; alone it is a pattern. */
static bool takes_screen(const char **p)
{
	const char *rest = *p, *word;
	size_t len;

	word = task_word(&rest, &len);
	if (!word_is(word, len, "screen") || !*rest || *rest == '#')
		return false;
	*p = rest;
	return true;
}

/* -ENODEV: there is no screen. */
static int new_expectation(struct machine *m, bool screen, struct pattern *pattern, struct expectation **ret,
			   struct err *err)
{
	struct expectation *e = calloc(1, sizeof(*e));
	struct screen *s = screen ? malloc(sizeof(*s)) : NULL;
	int r = 0;

	if (!e || (screen && !s))
		r = err_set(err, ENOMEM, "out of memory");
	if (!r && screen)
		r = machine_screen(m, s, err);
	if (r) {
		free(e);
		free(s);
		return r;
	}
	*e = (struct expectation){ .pattern = pattern, .screen = s };
	*ret = e;
	return 0;
}

static int exec_expect(struct task *t, struct err *err)
{
	const char *p = t->args, *word;
	bool screen = takes_screen(&p);
	struct expectation *e = NULL;
	struct pattern *pattern;
	uint64_t ms = EXPECT_MS;
	size_t used, len;
	int r;

	r = pattern_new(p, strlen(p), &used, &pattern, err);
	if (r)
		return r == -EINVAL ? task_malformed(t, r) : r;
	p += used;
	used = (size_t)(p - t->args);
	word = task_word(&p, &len);
	if (*word == '#')
		len = 0;
	else if (*p == '#')
		p = "";
	r = len && (*p || text_seconds(word, len, &ms)) ? task_usage(t, err)
							: new_expectation(task_machine(t), screen, pattern, &e, err);
	if (r) {
		pattern_free(pattern);
		return r;
	}
	t->result = json_pack("{s:o}", "name", data_text(t->args, used));
	task_wait(t, &until_seen, e, ms);
	expect_advance(t);
	if (!ms && !t->finished)
		expect_timeout(t);
	return CMD_WAITING;
}

/* -- assert -- */

static int exec_assert(struct task *t, struct err *err)
{
	const char *p = t->args, *text;
	char message[160], *unescaped;
	size_t len, n;
	uint64_t value;
	int r;

	if (!*p)
		return task_usage(t, err);
	r = task_expr(t, &p, &value, err);
	if (r == -EINVAL)
		return r;
	/* What could not be evaluated has no end: the whole is its name. */
	len = r ? 0 : strlen(p);
	text = p;
	if (len && *p == '"') {
		if (text_quoted(p, len) != len)
			return task_malformed(t, err_set(err, EINVAL, "a string's closing quote is missing"));
		text++;
		len -= 2;
		unescaped = malloc(len + 1);
		if (!unescaped)
			return err_set(err, ENOMEM, "out of memory");
		if (text_unescape(text, len, unescaped, &n, err)) {
			free(unescaped);
			return task_malformed(t, -EINVAL);
		}
		t->result = json_pack("{s:o}", "name", data_text(unescaped, n));
		free(unescaped);
	} else if (len) {
		t->result = json_pack("{s:o}", "name", data_text(text, len));
	} else {
		len = r ? strlen(t->args) : (size_t)(p - t->args);
		t->result = json_pack("{s:o}", "name", data_text(t->args, len));
	}
	json_object_set_new(t->result, "ok", json_boolean(!r && value));
	if (r)
		return r;
	json_object_set_new(t->result, "value", data_hex(value));
	snprintf(message, sizeof(message), "%s", data_str(t->result, "name"));
	return value ? 0 : err_set(err, EDOM, "not so: %s", message);
}

static int exec_plan(struct task *t, struct err *err)
{
	const char *p = t->args;
	uint64_t n;
	int r;

	if (!*p)
		return task_usage(t, err);
	r = task_expr(t, &p, &n, err);
	if (!r)
		r = task_end(t, p, err);
	if (!r && (!n || n > PLAN_MAX))
		r = task_malformed(t, err_set(err, EINVAL, "a plan has 1 to %d test points", PLAN_MAX));
	return r ? r : script_plan(t->s->script, (unsigned)n, err);
}

/* -- source -- */

/* What the waiting command shares with its script, which may outlive neither. */
static void source_done(void *arg, struct script *s, int status, const char *message)
{
	struct task *t = arg;

	(void)s;
	t->data = NULL;
	if (*message)
		task_finish(t, err_set(&t->err, EIO, "%s", message));
	else
		task_finish(t, status ? err_set(&t->err, EIO, "the script quit with status %d", status) : 0);
}

static void source_interrupt(struct task *t)
{
	if (t->data)
		script_free(t->data);
	t->data = NULL;
	task_finish(t, err_set(&t->err, EINTR, "interrupted"));
}

static void source_drop(struct task *t)
{
	if (t->data)
		script_free(t->data);
}

static const struct task_wait until_run = { .interrupt = source_interrupt, .drop = source_drop };

static int exec_source(struct task *t, struct err *err)
{
	struct script *s;
	int r;

	if (!*t->args)
		return task_usage(t, err);
	if (t->s->script) {
		r = script_push_file(t->s->script, t->args, err);
		return r ? task_malformed(t, r) : 0;
	}
	r = script_new(t->s->mon, t->out, t->s->from_gdb, false, source_done, t, &s, err);
	if (r)
		return r;
	r = script_add_file(s, t->args, err);
	if (r) {
		script_free(s);
		return r;
	}
	return task_wait(t, &until_run, s, 0);
}

/* -- the serial line -- */

static int exec_serial_send(struct task *t, struct err *err)
{
	size_t len = strlen(t->args), n;
	const char *text = t->args;
	char *bytes;
	int r;

	if (!len)
		return task_usage(t, err);
	if (*text == '"' && text_quoted(text, len) == len) {
		text++;
		len -= 2;
	}
	bytes = malloc(len + 1);
	if (!bytes)
		return err_set(err, ENOMEM, "out of memory");
	r = text_unescape(text, len, bytes, &n, err);
	if (r)
		task_malformed(t, r);
	else if (n)
		r = machine_serial_send(task_machine(t), (const uint8_t *)bytes, n, err);
	if (!r)
		t->result = json_pack("{s:I}", "bytes", (json_int_t)n);
	free(bytes);
	return r;
}

static const struct task_wait until_left = { 0 };

static int exec_console(struct task *t, struct err *err)
{
	int r;

	task_wait(t, &until_left, NULL, 0);
	r = term_console(t->s->mon->term, t, err);
	return r ? r : CMD_WAITING;
}

/* -- help -- */

static json_t *row_json(const struct cmd *c)
{
	json_t *row = json_pack("{s:s, s:s, s:s}", "name", c->name, "args", cmd_args(c), "brief", cmd_brief(c));

	if (c->alias)
		json_object_set_new(row, "alias", json_string(c->alias));
	return row;
}

static json_t *group_json(const struct cmd_group *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->count; i++)
		json_array_append_new(list, row_json(&g->rows[i]));
	return json_pack("{s:s, s:o}", "title", g->title, "commands", list);
}

/* `help info`: every command that begins with this word. */
static json_t *family_json(const char *word, size_t len)
{
	json_t *list = json_array();
	const struct cmd *c;

	for (size_t i = 0; (c = cmd_at(i)); i++)
		if (strchr(c->name, ' ') && strcspn(c->name, " ") == len && !strncmp(c->name, word, len))
			json_array_append_new(list, row_json(c));
	if (json_array_size(list))
		return json_pack("{s:[o]}", "groups", json_pack("{s:s#, s:o}", "title", word, (int)len, "commands",
								 list));
	json_decref(list);
	return NULL;
}

static int exec_help(struct task *t, struct err *err)
{
	size_t len = strlen(t->args), used;
	const struct cmd *c;
	json_t *groups;
	int r;

	if (!len) {
		groups = json_array();
		for (size_t i = 0; cmd_group_at(i); i++)
			json_array_append_new(groups, group_json(cmd_group_at(i)));
		t->result = json_pack("{s:o}", "groups", groups);
		return 0;
	}
	t->result = family_json(t->args, len);
	if (t->result)
		return 0;
	r = cmd_find(t->args, len, &used, &c, err);
	if (!r)
		r = task_end(t, t->args + used, err);
	if (r)
		return task_malformed(t, r);
	t->result = row_json(c);
	if (cmd_help(c))
		json_object_set_new(t->result, "help", json_string(cmd_help(c)));
	return 0;
}

static void render_row(const json_t *row, struct out *o)
{
	const char *args = data_str(row, "args");
	char usage[80] = "";

	strncat(usage, data_str(row, "name"), 30);
	if (*args)
		strcat(usage, " ");
	strncat(usage, args, 40);
	out_printf(o, "  %-35s %s\n", usage, data_str(row, "brief"));
}

static void render_help(const json_t *result, struct out *o)
{
	const json_t *groups = json_object_get(result, "groups"), *group, *row;
	size_t i, k;

	json_array_foreach(groups, i, group) {
		out_printf(o, "%s\n", data_str(group, "title"));
		json_array_foreach(json_object_get(group, "commands"), k, row)
			render_row(row, o);
	}
	if (groups)
		return;
	out_printf(o, "usage: %s%s%s\n%s\n", data_str(result, "name"), *data_str(result, "args") ? " " : "",
		   data_str(result, "args"), data_str(result, "brief"));
	if (*data_str(result, "help"))
		out_printf(o, "%s\n", data_str(result, "help"));
	if (*data_str(result, "alias"))
		out_printf(o, "short: %s\n", data_str(result, "alias"));
}

static const struct cmd rows[] = {
	{ "source", NULL, "FILE", "run the commands in FILE",
	  "One a line; a line that begins with # is a comment.  It stops at the first line that fails.", CMD_TEXT,
	  COMPLETE_FILE, exec_source, NULL },
	{ "echo", NULL, "[TEXT]", "print TEXT", NULL, CMD_TEXT, COMPLETE_NONE, exec_echo, render_echo },
	{ "expect", NULL, "[screen] PATTERN [TIMEOUT]", "wait until PATTERN comes on the serial line",
	  "PATTERN is a \"substring\" with C's escapes, one bare word, or /a POSIX extended regular expression/,\n"
	  "which has to match within a line.  It is looked for in what came since the last match.  Fails after\n"
	  "TIMEOUT seconds (10), or at once when the guest is stopped and it has not come.  Control sequences for\n"
	  "terminals are left out of the text.\n"
	  "With screen, until the guest's text screen shows it: as `screen` has it, now or later.",
	  CMD_TEXT | CMD_POINT,
	  COMPLETE_NONE, exec_expect, NULL },
	{ "assert", NULL, "EXPR [TEXT]", "fail unless EXPR is true (not 0)", "TEXT names it in messages.",
	  CMD_PARKED | CMD_POINT, COMPLETE_EXPR, exec_assert, NULL },
	{ "plan", NULL, "N", "print TAP: each assert and expect of the script is one of N test points",
	  "Everything else the script prints becomes a diagnostic.", CMD_SCRIPT, COMPLETE_NONE, exec_plan, NULL },
	{ "serial send", NULL, "TEXT", "send TEXT to the guest's COM1",
	  "With C's escapes: \\r is Enter.  Quotes around the whole are not sent.", CMD_TEXT, COMPLETE_NONE,
	  exec_serial_send, NULL },
	{ "console", NULL, "", "give the keyboard to the guest's COM1 until Ctrl-]", NULL, CMD_TERMINAL,
	  COMPLETE_NONE, exec_console, NULL },
	{ "help", "h", "[COMMAND]", "list the commands, or explain one",
	  "Names can be shortened as long as they are unique; every command takes -j for its result as JSON.",
	  0, COMPLETE_COMMAND, exec_help, render_help },
};

const struct cmd_group cmd_session_group = { "session", rows, sizeof(rows) / sizeof(rows[0]) };
