/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakpoints: break, hbreak, delete, info breakpoints. */
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/render.h"

static const char *kind_name(enum break_kind kind)
{
	return kind == BREAK_HARD ? "hard" : "soft";
}

static int set_break(struct task *t, enum break_kind kind, struct err *err)
{
	struct monitor *mon = t->s->mon;
	const char *p = t->args;
	unsigned number;
	uint64_t gva;
	int r;

	if (!*p)
		return task_usage(t, err);
	r = task_expr(t, &p, &gva, err);
	if (!r)
		r = task_end(t, p, err);
	if (!r)
		r = breaks_add(&mon->breaks, mon->m, kind, t->s->cpu, gva, &number, err);
	if (r)
		return r;
	t->result = data_place(mon->m, gva);
	json_object_set_new(t->result, "number", json_integer(number));
	json_object_set_new(t->result, "kind", json_string(kind_name(kind)));
	return 0;
}

static int exec_break(struct task *t, struct err *err)
{
	return set_break(t, BREAK_SOFT, err);
}

static int exec_hbreak(struct task *t, struct err *err)
{
	return set_break(t, BREAK_HARD, err);
}

static void render_break(const json_t *result, struct out *o)
{
	out_printf(o, "%sbreakpoint %" PRIu64 " at ", strcmp(data_str(result, "kind"), "hard") ? "" : "hardware ",
		   data_u64(result, "number"));
	render_place(result, o);
	out_puts(o, "\n");
}

/* -- delete -- */

/* Takes the numbers in the arguments, or all there are, off the list; every one exists. */
static int delete_listed(struct task *t, json_t *numbers, struct err *err)
{
	struct monitor *mon = t->s->mon;
	json_t *v;
	size_t i;
	int r;

	json_array_foreach(numbers, i, v) {
		r = breaks_remove(&mon->breaks, mon->m, (unsigned)json_integer_value(v), err);
		if (r)
			return r;
	}
	return 0;
}

static bool has_number(const json_t *numbers, uint64_t n)
{
	const json_t *v;
	size_t i;

	json_array_foreach(numbers, i, v)
		if ((uint64_t)json_integer_value(v) == n)
			return true;
	return false;
}

static int collect_numbers(struct task *t, json_t *numbers, struct err *err)
{
	const struct breaks *b = &t->s->mon->breaks;
	const char *p = t->args;
	uint64_t n;
	int r;

	for (size_t i = 0; !*p && i < b->n; i++)
		if (b->v[i].number)
			json_array_append_new(numbers, json_integer(b->v[i].number));
	while (*p) {
		r = task_expr(t, &p, &n, err);
		if (r)
			return r;
		if (!n || n > UINT32_MAX || !breaks_find(b, (unsigned)n))
			return err_set(err, ENOENT, "there is no breakpoint %" PRIu64, n);
		if (!has_number(numbers, n))
			json_array_append_new(numbers, json_integer((json_int_t)n));
	}
	return 0;
}

static int exec_delete(struct task *t, struct err *err)
{
	json_t *numbers = json_array();
	int r = collect_numbers(t, numbers, err);

	if (!r)
		r = delete_listed(t, numbers, err);
	if (r) {
		json_decref(numbers);
		return r;
	}
	t->result = json_pack("{s:o}", "deleted", numbers);
	return 0;
}

/* -- info breakpoints -- */

static void add_row(struct task *t, json_t *list, const struct break_info *info, unsigned number)
{
	json_t *row = data_place(task_machine(t), info->spec.gva), *owners = json_array();

	if (number)
		json_object_set_new(row, "number", json_integer(number));
	if (info->owners & BREAK_OWNER_MONITOR)
		json_array_append_new(owners, json_string(number ? "monitor" : "until"));
	if (info->owners & BREAK_OWNER_GDB)
		json_array_append_new(owners, json_string("gdb"));
	json_object_set_new(row, "owners", owners);
	json_object_set_new(row, "kind", json_string(kind_name(info->spec.kind)));
	json_object_set_new(row, "hits", json_integer((json_int_t)info->hits));
	if (info->resolved)
		json_object_set_new(row, "gpa", data_hex(info->gpa));
	json_array_append_new(list, row);
}

static int exec_info_breakpoints(struct task *t, struct err *err)
{
	json_t *list = json_array();
	struct break_info info;

	(void)err;
	for (size_t i = 0; machine_break_list(task_machine(t), i, &info); i++) {
		const struct brk *b = breaks_at(&t->s->mon->breaks, info.spec.kind, info.spec.gva);

		add_row(t, list, &info, b && (info.owners & BREAK_OWNER_MONITOR) ? b->number : 0);
	}
	t->result = json_pack("{s:o}", "breakpoints", list);
	return 0;
}

static void render_info_breakpoints(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "breakpoints"), *row, *owner;
	size_t i, k;

	if (!json_array_size(list))
		out_puts(o, "no breakpoints\n");
	json_array_foreach(list, i, row) {
		if (json_object_get(row, "number"))
			out_printf(o, "%-4" PRIu64, data_u64(row, "number"));
		else
			out_puts(o, "-   ");
		out_printf(o, "%s  ", data_str(row, "kind"));
		render_place(row, o);
		out_printf(o, "  hits %" PRIu64 " ", data_u64(row, "hits"));
		json_array_foreach(json_object_get(row, "owners"), k, owner)
			out_printf(o, "%s %s", k ? "," : "", json_string_value(owner));
		out_puts(o, "\n");
	}
}

static const struct cmd rows[] = {
	{ "break", "b", "EXPR", "set a breakpoint at address EXPR",
	  "By an int3 in the guest's memory, found through the selected vCPU's page tables now; for all vCPUs.",
	  CMD_PARKED, COMPLETE_EXPR, exec_break, render_break },
	{ "hbreak", NULL, "EXPR", "set a breakpoint at address EXPR by a debug register",
	  "Needs no memory there yet and changes none.  There are four, shared with gdb.", CMD_PARKED,
	  COMPLETE_EXPR, exec_hbreak, render_break },
	{ "delete", "d", "[N...]", "delete breakpoints N, or all of the monitor's",
	  "The numbers are those of `info breakpoints`; gdb's have none and are gdb's to delete.", CMD_PARKED,
	  COMPLETE_NONE, exec_delete, NULL },
	{ "info breakpoints", NULL, "", "breakpoints, their numbers, hits and owners", NULL, 0, COMPLETE_NONE,
	  exec_info_breakpoints, render_info_breakpoints },
};

const struct cmd_group cmd_break_group = { "break", rows, sizeof(rows) / sizeof(rows[0]) };
