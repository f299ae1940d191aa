/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of breakpoints, watchpoints and catchpoints: changing what is in it, and showing it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/cmd_break.h"
#include "monitor/core.h"
#include "monitor/hook.h"
#include "monitor/render.h"
#include "monitor/text.h"

#define ROWS_MAX 1000           /* of one info breakpoints */

/* -- numbers -- */

/* The number of one that is there, at *P. */
static int parse_number(struct task *t, const char **p, struct brk **ret, struct err *err)
{
	struct brk *k;
	uint64_t n;
	int r = task_expr(t, p, &n, err);

	if (r)
		return r;
	k = n && n <= UINT32_MAX ? brks_find(&t->s->mon->breaks, (unsigned)n) : NULL;
	if (!k)
		return err_set(err, ENOENT, "there is no breakpoint %" PRIu64, n);
	*ret = k;
	return 0;
}

static bool has_number(const json_t *numbers, unsigned n)
{
	const json_t *v;
	size_t i;

	json_array_foreach(numbers, i, v)
		if (json_integer_value(v) == n)
			return true;
	return false;
}

/* Those of the arguments, each once; every one is there. */
static int parse_numbers(struct task *t, json_t *numbers, struct err *err)
{
	const char *p = t->args;
	struct brk *k;
	int r;

	while (*p) {
		r = parse_number(t, &p, &k, err);
		if (r)
			return r;
		if (!has_number(numbers, k->number))
			json_array_append_new(numbers, json_integer(k->number));
	}
	return 0;
}

/* EACH for all numbers of the arguments, which then are the result. */
static int for_numbers(struct task *t, int (*each)(struct breaks *b, unsigned number, struct err *err), const char *key,
		       struct err *err)
{
	json_t *numbers = json_array();
	const json_t *v;
	size_t i;
	int r = parse_numbers(t, numbers, err);

	json_array_foreach(numbers, i, v)
		if (!r)
			r = each(&t->s->mon->breaks, (unsigned)json_integer_value(v), err);
	if (r) {
		json_decref(numbers);
		return r;
	}
	t->result = json_pack("{s:o}", key, numbers);
	return 0;
}

int brk_delete_exec(struct task *t, struct err *err)
{
	struct breaks *b = &t->s->mon->breaks;
	size_t n = b->n;
	int r;

	if (*t->args)
		return for_numbers(t, brks_remove, "deleted", err);
	r = brks_remove_all(b, err);
	if (!r)
		t->result = json_pack("{s:b, s:I}", "all", 1, "count", (json_int_t)n);
	return r;
}

static int enable_one(struct breaks *b, unsigned number, struct err *err)
{
	return brks_enable(b, number, true, err);
}

static int disable_one(struct breaks *b, unsigned number, struct err *err)
{
	return brks_enable(b, number, false, err);
}

static int enable_all(struct task *t, bool on, struct err *err)
{
	struct breaks *b = &t->s->mon->breaks;
	int r = 0;

	for (size_t i = 0; !r && i < b->n; i++)
		r = brks_enable(b, b->v[i]->number, on, err);
	if (!r)
		t->result = json_pack("{s:b, s:I}", "all", 1, "count", (json_int_t)b->n);
	return r;
}

int brk_enable_exec(struct task *t, struct err *err)
{
	return *t->args ? for_numbers(t, enable_one, "enabled", err) : enable_all(t, true, err);
}

int brk_disable_exec(struct task *t, struct err *err)
{
	return *t->args ? for_numbers(t, disable_one, "disabled", err) : enable_all(t, false, err);
}

/* -- ignore, condition, commands -- */

int brk_ignore_exec(struct task *t, struct err *err)
{
	const char *p = t->args;
	struct brk *k;
	uint64_t count;
	int r;

	if (!*p)
		return task_usage(t, err);
	r = parse_number(t, &p, &k, err);
	if (!r && !*p)
		return task_usage(t, err);
	if (!r)
		r = task_expr(t, &p, &count, err);
	if (!r)
		r = task_end(t, p, err);
	if (r)
		return r;
	k->ignore = count;
	t->result = json_pack("{s:I, s:I}", "number", (json_int_t)k->number, "ignore", (json_int_t)count);
	return 0;
}

int brk_condition_exec(struct task *t, struct err *err)
{
	const char *p = t->args;
	char *condition = NULL;
	struct brk *k;
	int r;

	if (!*p)
		return task_usage(t, err);
	r = parse_number(t, &p, &k, err);
	if (!r && *p)
		r = task_condition(t, &p, &condition, err);
	if (r)
		return r;
	free(k->condition);
	k->condition = condition;
	t->result = json_pack("{s:I, s:o}", "number", (json_int_t)k->number, "condition",
			      condition ? data_text(condition, strlen(condition)) : json_null());
	return 0;
}

/* The lines that follow are commands, up to `end`. */
static int collect(struct task *t, unsigned number, struct err *err)
{
	struct hook *h = calloc(1, sizeof(*h));

	if (!h)
		return err_set(err, ENOMEM, "out of memory");
	h->number = number;
	t->s->collect = h;
	if (t->s->kind != SESSION_SCRIPT)
		t->result = json_pack("{s:s}", "text", "one command a line; end ends them");
	return 0;
}

int brk_commands_exec(struct task *t, struct err *err)
{
	struct hook h = { 0 };
	const char *p = t->args;
	struct brk *k;
	int r;

	if (!*p)
		return task_usage(t, err);
	r = parse_number(t, &p, &k, err);
	if (r)
		return r;
	if (!*p)
		return collect(t, k->number, err);
	h.number = k->number;
	r = hook_add_list(&h, p, err);
	if (!r)
		r = hook_set(&h, t->s->mon, err);
	hook_done(&h);
	return r == -EINVAL ? task_malformed(t, r) : r;
}

/* -- info breakpoints -- */

struct row {
	unsigned number;        /* 0: it has none */
	size_t order;
	json_t *data;
};

struct rows {
	struct monitor *mon;
	unsigned first, last;   /* numbers that are shown; last 0: none */
	struct row v[ROWS_MAX];
	size_t n;
	uint64_t unnumbered;    /* those there was no room for */
};

static void add_row(struct rows *rows, unsigned number, json_t *data)
{
	if (rows->n < ROWS_MAX) {
		rows->v[rows->n] = (struct row){ number, rows->n, data };
		rows->n++;
	} else {
		json_decref(data);
		rows->unnumbered++;
	}
}

static json_t *owners_data(unsigned owners, const char *ours)
{
	json_t *list = json_array();

	if (owners & BREAK_OWNER_MONITOR)
		json_array_append_new(list, json_string(ours));
	if (owners & BREAK_OWNER_GDB)
		json_array_append_new(list, json_string("gdb"));
	return list;
}

static json_t *commands_data(const struct brk *k)
{
	json_t *list = json_array();

	if (k->silent)
		json_array_append_new(list, json_string("silent"));
	for (const char *p = k->commands; p && *p; p = strchr(p, '\n') + 1)
		json_array_append_new(list, data_text(p, strcspn(p, "\n")));
	return list;
}

/* What the list itself knows of K; OWNERS is who the machine has it for. */
static json_t *own_row(struct rows *rows, const struct brk *k, unsigned owners)
{
	json_t *row = brk_data(rows->mon->m, k);

	json_object_set_new(row, "enabled", json_boolean(k->enabled));
	json_object_set_new(row, "hits", json_integer((json_int_t)k->hits));
	json_object_set_new(row, "owners", owners_data(owners | BREAK_OWNER_MONITOR, k->number ? "monitor" : "until"));
	if (k->ignore)
		json_object_set_new(row, "ignore", json_integer((json_int_t)k->ignore));
	if (k->commands || k->silent)
		json_object_set_new(row, "commands", commands_data(k));
	return row;
}

static bool is_shown(const struct rows *rows, const struct brk *k)
{
	return !k->number || (k->number >= rows->first && k->number <= rows->last);
}

static void add_break_facts(json_t *row, const struct break_info *info)
{
	const char *where = info->in_register ? "register" : info->resolved ? "memory" : "pending";

	json_object_set_new(row, "where", json_string(where));
	if (info->resolved)
		json_object_set_new(row, "gpa", data_hex(info->gpa));
}

static void add_breaks(struct rows *rows)
{
	struct break_info info;

	for (size_t i = 0; machine_break_list(rows->mon->m, i, &info); i++) {
		struct brk *k = NULL, gdbs = { .type = BRK_BREAK, .cpu = -1, .enabled = true, .hits = info.hits };
		json_t *row;

		while ((k = brks_of_break(&rows->mon->breaks, &info.spec, k)))
			if (is_shown(rows, k)) {
				row = own_row(rows, k, info.owners);
				add_break_facts(row, &info);
				add_row(rows, k->number, row);
			}
		if (info.owners & BREAK_OWNER_MONITOR)
			continue;
		gdbs.at = info.spec;
		row = own_row(rows, &gdbs, 0);
		json_object_set_new(row, "owners", owners_data(info.owners, ""));
		add_break_facts(row, &info);
		add_row(rows, 0, row);
	}
}

static void add_watch_facts(json_t *row, const struct watch_info *info)
{
	json_object_set_new(row, "where", json_string(info->in_registers ? "register" : "slots"));
	if (info->in_registers)
		return;
	json_object_set_new(row, "pages", json_integer((json_int_t)info->pages));
	json_object_set_new(row, "misses", json_integer((json_int_t)info->misses));
}

static void add_watches(struct rows *rows)
{
	struct watch_info info;

	for (size_t i = 0; machine_watch_list(rows->mon->m, i, &info); i++) {
		struct brk *k = brks_of_watch(&rows->mon->breaks, &info.spec, NULL);
		struct brk gdbs = { .type = BRK_WATCH, .cpu = -1, .enabled = true, .hits = info.hits };
		json_t *row;

		if (k && !is_shown(rows, k))
			continue;
		gdbs.watch = info.spec;
		row = own_row(rows, k ? k : &gdbs, info.owners);
		if (!k)
			json_object_set_new(row, "owners", owners_data(info.owners, ""));
		add_watch_facts(row, &info);
		add_row(rows, k ? k->number : 0, row);
	}
}

/* What the machine has not: catchpoints, and what is disabled. */
static void add_others(struct rows *rows)
{
	const struct breaks *b = &rows->mon->breaks;

	for (size_t i = brks_from(b, rows->first); i < b->n && b->v[i]->number <= rows->last; i++)
		if (b->v[i]->type == BRK_CATCH || !b->v[i]->enabled)
			add_row(rows, b->v[i]->number, own_row(rows, b->v[i], 0));
}

/* By number, and those without one in the machine's order at the end. */
static int by_number(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->number != y->number)
		return x->number - 1 < y->number - 1 ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static json_t *list_rows(struct rows *rows)
{
	json_t *list = json_array();

	qsort(rows->v, rows->n, sizeof(rows->v[0]), by_number);
	for (size_t i = 0; i < rows->n; i++)
		json_array_append_new(list, rows->v[i].data);
	return list;
}

int brk_info_exec(struct task *t, struct err *err)
{
	struct breaks *b = &t->s->mon->breaks;
	const char *p = t->args;
	struct rows *rows;
	uint64_t first = 1;
	size_t from, end;
	int r = 0;

	if (*p)
		r = task_expr(t, &p, &first, err);
	if (!r)
		r = task_end(t, p, err);
	if (r)
		return r;
	rows = calloc(1, sizeof(*rows));
	if (!rows)
		return err_set(err, ENOMEM, "out of memory");
	rows->mon = t->s->mon;
	rows->first = first > UINT32_MAX ? UINT32_MAX : (unsigned)first;
	from = brks_from(b, rows->first);
	end = b->n - from > ROWS_MAX ? from + ROWS_MAX : b->n;
	rows->last = end > from ? b->v[end - 1]->number : 0;
	add_others(rows);
	add_breaks(rows);
	add_watches(rows);
	t->result = json_pack("{s:o, s:I}", "breakpoints", list_rows(rows), "more",
			      (json_int_t)(b->n - end + rows->unnumbered));
	if (end < b->n)
		json_object_set_new(t->result, "next", json_integer(b->v[end]->number));
	free(rows);
	return 0;
}

/* "pending", "3 pages, 7 misses", ...: what tells that it is not as one would expect. */
static void render_facts(const json_t *row, struct out *o)
{
	if (!strcmp(data_str(row, "where"), "pending"))
		out_puts(o, "  pending");
	if (json_object_get(row, "pages"))
		out_printf(o, "  by slots, pages %" PRIu64 ", misses %" PRIu64, data_u64(row, "pages"),
			   data_u64(row, "misses"));
	if (data_true(row, "temporary"))
		out_puts(o, "  temporary");
	if (!data_true(row, "enabled"))
		out_puts(o, "  disabled");
	if (json_object_get(row, "ignore"))
		out_printf(o, "  ignore %" PRIu64, data_u64(row, "ignore"));
}

static void render_row(const json_t *row, struct out *o)
{
	const json_t *v;
	size_t i;

	if (json_object_get(row, "number"))
		out_printf(o, "%-3" PRIu64 " ", data_u64(row, "number"));
	else
		out_puts(o, "-   ");
	out_printf(o, "%s  ", data_str(row, "kind"));
	brk_render_place(row, o);
	brk_render_extra(row, o);
	render_facts(row, o);
	out_printf(o, "  hits %" PRIu64 " ", data_u64(row, "hits"));
	json_array_foreach(json_object_get(row, "owners"), i, v)
		out_printf(o, "%s %s", i ? "," : "", json_string_value(v));
	out_puts(o, "\n");
	json_array_foreach(json_object_get(row, "commands"), i, v)
		out_printf(o, "        %s\n", json_string_value(v));
}

void brk_info_render(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "breakpoints"), *row;
	size_t i;

	if (!json_array_size(list))
		out_puts(o, "no breakpoints\n");
	json_array_foreach(list, i, row)
		render_row(row, o);
	if (!data_u64(result, "more"))
		return;
	out_printf(o, "... and %" PRIu64 " more", data_u64(result, "more"));
	if (json_object_get(result, "next"))
		out_printf(o, ": info breakpoints %" PRIu64, data_u64(result, "next"));
	out_puts(o, "\n");
}
