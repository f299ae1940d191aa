/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/hook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/script.h"
#include "monitor/text.h"

void hook_done(struct hook *h)
{
	free(h->lines);
	*h = (struct hook){ 0 };
}

/* -- putting them together -- */

static int check_command(const struct hook *h, const char *line, size_t len, bool *ret_goes_on, struct err *err)
{
	const struct cmd *c;
	size_t used;
	int r;

	if (h->goes_on)
		return err_set(err, EINVAL, "nothing may follow continue");
	r = cmd_find(line, len, &used, &c, err);
	if (r)
		return -EINVAL;
	if ((c->flags & (CMD_SCRIPT | CMD_TERMINAL)) || !strcmp(c->name, "commands"))
		return err_set(err, EINVAL, "%s cannot be a breakpoint's command", c->name);
	*ret_goes_on = !strcmp(c->name, "continue");
	return 0;
}

int hook_add(struct hook *h, const char *line, size_t len, struct err *err)
{
	bool goes_on = false;
	char *lines;
	int r;

	while (len && text_space(*line)) {
		line++;
		len--;
	}
	while (len && text_space(line[len - 1]))
		len--;
	if (!len || *line == '#')
		return 0;
	if (word_is(line, len, "silent") && !h->len && !h->goes_on) {
		h->silent = true;
		return 0;
	}
	r = check_command(h, line, len, &goes_on, err);
	if (r)
		return r;
	if (len + 2 > HOOK_BYTES_MAX - h->len)
		return err_set(err, E2BIG, "a breakpoint's commands are %d bytes at most", HOOK_BYTES_MAX);
	lines = realloc(h->lines, h->len + len + 2);
	if (!lines)
		return err_set(err, ENOMEM, "out of memory");
	memcpy(lines + h->len, line, len);
	memcpy(lines + h->len + len, "\n", 2);
	h->lines = lines;
	h->len += len + 1;
	h->goes_on = goes_on;
	return 0;
}

int hook_add_list(struct hook *h, const char *text, struct err *err)
{
	const char *start = text;
	int r = 0;

	while (!r && *start) {
		const char *p = start;

		while (*p && *p != ';') {
			size_t quoted = *p == '"' || *p == '\'' ? text_quoted(p, strlen(p)) : 0;

			p += quoted ? quoted : 1;
		}
		r = hook_add(h, start, (size_t)(p - start), err);
		start = p + (*p == ';');
	}
	return r;
}

int hook_set(struct hook *h, struct monitor *mon, struct err *err)
{
	struct brk *k = brks_find(&mon->breaks, h->number);

	if (!k)
		return err_set(err, ENOENT, "there is no breakpoint %u", h->number);
	free(k->commands);
	k->commands = h->lines;
	k->silent = h->silent;
	k->goes_on = h->goes_on;
	h->lines = NULL;
	return 0;
}

int hook_line(struct session *s, const char *line, struct err *err)
{
	size_t len = strlen(line);
	int r;

	while (len && text_space(line[len - 1]))
		len--;
	if (!word_is(line, len, "end"))
		return hook_add(s->collect, line, len, err);
	r = hook_set(s->collect, s->mon, err);
	hook_done(s->collect);
	free(s->collect);
	s->collect = NULL;
	return r;
}

/* -- running them -- */

/* What waits for a stop has been passed over by one that did not go on after all. */
static void stop_after_all(struct monitor *mon)
{
	const struct stop_event *ev = machine_last_stop(mon->m);

	if (machine_state(mon->m) != MACHINE_STOPPED)
		return;
	for (struct task *t = mon->tasks; t; t = t->next)
		if (t->wait && t->wait->passes && !t->finished)
			t->wait->stopped(t, ev);
}

static void on_done(void *arg, struct script *s, int status, const char *message)
{
	struct monitor *mon = arg;

	(void)s;
	if (status)
		out_printf(&mon->everyone, "error: %s\n", message);
	/* The guest may stand at a later stop, whose commands see to it. */
	if (!--mon->hooks)
		stop_after_all(mon);
}

/* K's commands, less a `continue` that is not to be. */
static int add_commands(struct script *s, const struct brk *k, bool may_go_on)
{
	char name[40], *text;
	size_t len;
	int r;

	if (!k->commands)
		return 0;
	text = strdup(k->commands);
	if (!text)
		return -ENOMEM;
	if (k->goes_on && !may_go_on) {
		for (len = strlen(text) - 1; len && text[len - 1] != '\n';)
			len--;
		text[len] = '\0';
	}
	snprintf(name, sizeof(name), "commands of %u", k->number);
	r = script_add_text(s, name, text, NULL);
	free(text);
	return r;
}

/*
 * The commands of several run one after the other, and only what all of them ask for is done: no notice, and going on,
 * for which the last one has to see to it.
 */
struct hook_run hook_stop(struct monitor *mon, const struct stop_event *ev)
{
	struct hook_run run = { .silent = true, .goes_on = true };
	bool any = false, foreign = mon->gdbs && !mon->ours;
	const struct wanted *w = brks_wanted(&mon->breaks, ev);
	struct script *s;

	for (unsigned i = 0; i < w->n; i++) {
		run.silent &= w->v[i]->silent;
		run.goes_on &= w->v[i]->goes_on;
		any |= w->v[i]->commands || w->v[i]->silent;
	}
	if (!any)
		return (struct hook_run){ 0 };
	run.goes_on &= !mon->stop_asked;
	if (script_new(mon, &mon->everyone, foreign, false, on_done, mon, &s, NULL))
		return (struct hook_run){ 0 };
	for (unsigned i = 0; i < w->n; i++)
		if (add_commands(s, w->v[i], run.goes_on && i == w->n - 1)) {
			script_free(s);
			return (struct hook_run){ 0 };
		}
	script_start(s);
	mon->hooks++;
	run.silent &= !(ev->reason != STOP_CATCH && (ev->owners & BREAK_OWNER_GDB));
	run.goes_on &= !foreign;
	return run;
}
