/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happens below the guest: the last exits, instructions carried out in KVM's stead, and how stepping is done. */
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/exitlist.h"
#include "monitor/render.h"

#define EXITS_SHOWN 20

/* -- info exits -- */

static void count_reason(json_t *reasons, const char *reason)
{
	json_int_t n = json_integer_value(json_object_get(reasons, reason));

	json_object_set_new(reasons, reason, json_integer(n + 1));
}

static json_t *assist_data(struct machine *m)
{
	json_t *list = json_object();
	struct assist_count a;

	for (size_t i = 0; machine_assist_count(m, i, &a); i++)
		json_object_set_new(list, a.name, json_integer((json_int_t)a.count));
	return list;
}

static int exec_exits(struct task *t, struct err *err)
{
	uint64_t shown = EXITS_SHOWN;
	json_t *reasons;
	const char *p = t->args;
	struct exit_record e;
	size_t kept;
	int r = 0;

	if (*p)
		r = task_expr(t, &p, &shown, err);
	if (!r)
		r = task_end(t, p, err);
	if (r)
		return r;
	reasons = json_object();
	for (kept = 0; machine_exit_record(task_machine(t), kept, &e); kept++)
		count_reason(reasons, e.reason);
	t->result = json_pack("{s:o, s:I, s:o, s:o}", "exits", exitlist(task_machine(t), shown), "kept", (json_int_t)kept, "reasons", reasons,
			      "assisted", assist_data(task_machine(t)));
	return 0;
}

static void render_counts(const char *head, const json_t *counts, struct out *o)
{
	const char *name;
	json_t *n;
	bool any = false;

	json_object_foreach((json_t *)counts, name, n) {
		if (!json_integer_value(n))
			continue;
		out_printf(o, "%s %s %" JSON_INTEGER_FORMAT, any ? "," : head, name, json_integer_value(n));
		any = true;
	}
	if (any)
		out_puts(o, "\n");
}

static void render_exits(const json_t *result, struct out *o)
{
	char head[60];

	exitlist_render(json_object_get(result, "exits"), o);
	if (!data_u64(result, "kept"))
		out_puts(o, "the guest has not run yet\n");
	snprintf(head, sizeof(head), "the last %" PRIu64 ":", data_u64(result, "kept"));
	render_counts(head, json_object_get(result, "reasons"), o);
	render_counts("carried out in KVM's stead:", json_object_get(result, "assisted"), o);
}

/* -- settings -- */

static const struct setting {
	const char *name;
	enum machine_setting which;
} settings[] = {
	{ "step-irqs", SETTING_STEP_IRQS },
	{ "alias-hits", SETTING_ALIAS_HITS },
	{ "assist", SETTING_ASSIST },
};

/* Of all settings, found by the command's own name. */
static int exec_setting(struct task *t, struct err *err)
{
	const char *p = t->args, *word;
	const struct setting *s = settings;
	size_t len;
	bool on;

	(void)err;
	while (strcmp(s->name, t->cmd->name))
		s++;
	word = task_word(&p, &len);
	on = word_is(word, len, "on");
	if (*p || (len && !on && !word_is(word, len, "off")))
		return task_usage(t, err);
	on = machine_setting(task_machine(t), s->which, len ? &on : NULL);
	t->result = json_pack("{s:s, s:b}", "name", s->name, "on", (int)on);
	return 0;
}

static void render_setting(const json_t *result, struct out *o)
{
	out_printf(o, "%s is %s\n", data_str(result, "name"), data_true(result, "on") ? "on" : "off");
}

static const struct cmd rows[] = {
	{ "info exits", NULL, "[N]", "the last N exits from the guest (20), the newest last",
	  "Number, time before the newest, vCPU, reason, where, and what; then how many of each reason are among all that\n"
	  "are kept (4096), and the instructions that were carried out in KVM's stead.", CMD_PARKED, COMPLETE_NONE,
	  exec_exits, render_exits },
	{ "step-irqs", NULL, "[on|off]", "let interrupts be delivered while single-stepping",
	  "Off at first: a step ends at the next instruction, not in a handler.", CMD_PARKED, COMPLETE_NONE,
	  exec_setting, render_setting },
	{ "alias-hits", NULL, "[on|off]", "stop also at breakpoints reached through another mapping",
	  "On at first.  Off: the guest goes on there in silence.", CMD_PARKED, COMPLETE_NONE, exec_setting,
	  render_setting },
	{ "assist", NULL, "[on|off]", "carry out instructions that KVM cannot emulate",
	  "On at first; info exits counts them.  Off: the guest stops there.", CMD_PARKED, COMPLETE_NONE, exec_setting,
	  render_setting },
};

const struct cmd_group cmd_engine_group = { "engine", rows, sizeof(rows) / sizeof(rows[0]) };
