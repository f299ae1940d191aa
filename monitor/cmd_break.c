/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Setting breakpoints and watchpoints, and the rows of all commands about them. */
#include "monitor/cmd_break.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/range.h"
#include "monitor/render.h"
#include "monitor/source.h"
#include "monitor/text.h"


/* -- arguments -- */

/* WORD at *P, with a space or the line's end after it. */
static bool keyword(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n) || ((*p)[n] && !text_space((*p)[n])))
		return false;
	*p += n;
	*p += strspn(*p, " \t");
	return true;
}

static int parse_cpu(struct task *t, const char **p, int *ret, struct err *err)
{
	unsigned cpus = machine_info(task_machine(t))->cpus;
	uint64_t n;
	int r = task_expr(t, p, &n, err);

	if (r)
		return r;
	if (n >= cpus)
		return err_set(err, EINVAL, "there is no vCPU %" PRIu64 ": the last is %u", n, cpus - 1);
	*ret = (int)n;
	return 0;
}

int brk_parse_tail(struct task *t, const char *p, unsigned tail, struct brk *what, struct err *err)
{
	int r = 0;

	while (!r && *p) {
		if ((tail & TAIL_SPACE) && task_option(&p, arch_desc.space)) {
			r = task_expr(t, &p, &what->at.space, err);
			what->at.space &= arch_desc.space_mask;
		} else if ((tail & TAIL_CPU) && task_option(&p, "cpu")) {
			r = parse_cpu(t, &p, &what->cpu, err);
		} else if ((tail & TAIL_EVERY) && keyword(&p, "every")) {
			what->watch.every = true;
		} else if (keyword(&p, "if")) {
			if (!*p)
				return task_malformed(t, err_set(err, EINVAL, "a condition should follow 'if'"));
			return task_condition(t, &p, &what->condition, err);
		} else {
			return task_end(t, p, err);
		}
	}
	return r;
}

int brk_add(struct task *t, struct brk *what, struct err *err)
{
	struct monitor *mon = t->s->mon;
	unsigned number;
	int r = brks_add(&mon->breaks, what, &number, err);

	if (r) {
		free(what->condition);
		return r;
	}
	t->result = brk_data(mon->m, brks_find(&mon->breaks, number));
	return 0;
}

/* -- break, tbreak, hbreak -- */

/* Whether no memory is behind the place yet. */
static bool is_pending(struct machine *m, const struct break_spec *at)
{
	struct translation tr;

	if (machine_translate(m, at->cpu, at->gva, at->space == BREAK_ANY_SPACE ? NULL : &at->space, &tr, NULL))
		return false;
	return !tr.present || tr.slot < 0;
}

/* WHAT at each of N places, all or none; of several the result is a list. */
static int add_breaks(struct task *t, const struct brk *what, const uint64_t *place, int n, struct err *err)
{
	json_t *list = json_array();
	int r = 0;

	for (int i = 0; i < n && !r; i++) {
		struct brk one = *what;

		one.at.gva = place[i];
		one.condition = what->condition ? strdup(what->condition) : NULL;
		if (what->condition && !one.condition)
			r = err_set(err, ENOMEM, "out of memory");
		else
			r = brk_add(t, &one, err);
		if (r)
			break;
		if (one.at.kind == BREAK_SOFT && is_pending(task_machine(t), &one.at))
			json_object_set_new(t->result, "pending", json_true());
		json_array_append_new(list, t->result);
		t->result = NULL;
	}
	if (r)
		for (size_t i = 0; i < json_array_size(list); i++)
			brks_remove(&t->s->mon->breaks, (unsigned)data_u64(json_array_get(list, i), "number"), NULL);
	else
		t->result = n == 1 ? json_incref(json_array_get(list, 0)) : json_pack("{s:O}", "breakpoints", list);
	json_decref(list);
	return r;
}

static int set_break(struct task *t, enum break_kind kind, bool temporary, struct err *err)
{
	struct brk what = { .type = BRK_BREAK, .cpu = -1, .temporary = temporary };
	uint64_t place[SOURCE_PLACES_MAX];
	const char *p = t->args;
	int n, r;

	what.at = (struct break_spec){ .kind = kind, .space = BREAK_ANY_SPACE, .cpu = t->s->cpu };
	if (!*p)
		return task_usage(t, err);
	n = source_places(t, &p, place, &what.moves, err);
	if (n < 0)
		return n;
	r = brk_parse_tail(t, p, TAIL_SPACE | TAIL_CPU, &what, err);
	if (!r)
		r = add_breaks(t, &what, place, n, err);
	free(what.condition);
	return r;
}

static void render_breaks(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "breakpoints"), *row;
	size_t i;

	if (!list)
		brk_render(result, o);
	json_array_foreach((json_t *)list, i, row)
		brk_render(row, o);
}

static int exec_break(struct task *t, struct err *err)
{
	return set_break(t, BREAK_SOFT, false, err);
}

static int exec_tbreak(struct task *t, struct err *err)
{
	return set_break(t, BREAK_SOFT, true, err);
}

static int exec_hbreak(struct task *t, struct err *err)
{
	return set_break(t, BREAK_HARD, false, err);
}

/* -- watch, rwatch, awatch -- */

static int set_watch(struct task *t, enum watch_kind kind, struct err *err)
{
	struct brk what = { .type = BRK_WATCH, .cpu = -1 };
	const char *p = t->args;
	struct range range;
	int r;

	if (!*p)
		return task_usage(t, err);
	t->by_symbol = false;
	r = range_parse_watch(t, &p, &range, err);
	if (r)
		return r;
	what.moves = t->by_symbol;
	what.watch = (struct watch_spec){ .kind = kind, .gva = range.start, .size = range.size, .cpu = t->s->cpu };
	r = brk_parse_tail(t, p, kind == WATCH_WRITE ? TAIL_EVERY : 0, &what, err);
	return r ? r : brk_add(t, &what, err);
}

static int exec_watch(struct task *t, struct err *err)
{
	return set_watch(t, WATCH_WRITE, err);
}

static int exec_rwatch(struct task *t, struct err *err)
{
	return set_watch(t, WATCH_READ, err);
}

static int exec_awatch(struct task *t, struct err *err)
{
	return set_watch(t, WATCH_ACCESS, err);
}

/* -- as data and as text -- */

static const char *const watch_names[] = {
	[WATCH_WRITE] = "write", [WATCH_READ] = "read", [WATCH_ACCESS] = "access",
};
static const char *const dir_names[] = {
	[CATCH_READ] = "read", [CATCH_WRITE] = "write", [CATCH_READ | CATCH_WRITE] = "any",
};

static json_t *break_data(struct machine *m, const struct brk *k)
{
	json_t *row = data_code(m, k->at.gva);

	json_object_set_new(row, "type", json_string("breakpoint"));
	json_object_set_new(row, "kind", json_string(k->at.kind == BREAK_HARD ? "hard" : "soft"));
	if (k->at.space != BREAK_ANY_SPACE)
		json_object_set_new(row, arch_desc.space, data_hex(k->at.space));
	return row;
}

static json_t *watch_data(struct machine *m, const struct brk *k)
{
	json_t *row = data_place(m, k->watch.gva);

	json_object_set_new(row, "type", json_string("watchpoint"));
	json_object_set_new(row, "kind", json_string(watch_names[k->watch.kind]));
	json_object_set_new(row, "size", json_integer((json_int_t)k->watch.size));
	if (k->watch.every)
		json_object_set_new(row, "every", json_true());
	return row;
}

static json_t *catch_data(const struct brk *k)
{
	json_t *row = json_pack("{s:s, s:s}", "type", "catchpoint", "kind", catch_name(k->caught.kind));

	if (k->caught.kind <= CATCH_EXCEPTION) {
		json_object_set_new(row, "first", data_hex(k->caught.start));
		json_object_set_new(row, "last", data_hex(k->caught.end));
	}
	if (k->caught.dir)
		json_object_set_new(row, "access", json_string(dir_names[k->caught.dir]));
	return row;
}

json_t *brk_data(struct machine *m, const struct brk *k)
{
	json_t *row = k->type == BRK_BREAK ? break_data(m, k) : k->type == BRK_WATCH ? watch_data(m, k) : catch_data(k);

	if (k->number)
		json_object_set_new(row, "number", json_integer(k->number));
	if (k->temporary)
		json_object_set_new(row, "temporary", json_true());
	if (k->cpu >= 0)
		json_object_set_new(row, "cpu", json_integer(k->cpu));
	if (k->condition)
		json_object_set_new(row, "condition", data_text(k->condition, strlen(k->condition)));
	return row;
}

static void render_vectors(uint64_t first, uint64_t last, struct out *o)
{
	const char *name = first == last ? catch_vector_name(first) : NULL;

	out_printf(o, "%" PRIu64, first);
	if (first != last)
		out_printf(o, "-%" PRIu64, last);
	if (name)
		out_printf(o, " (%s)", name);
}

void brk_render_place(const json_t *row, struct out *o)
{
	uint64_t first = data_u64(row, "first"), last = data_u64(row, "last"), size = data_u64(row, "size");

	if (json_object_get(row, "address"))
		render_place(row, o);
	if (size)
		out_printf(o, ", %" PRIu64 " byte%s", size, size == 1 ? "" : "s");
	if (!json_object_get(row, "first"))
		return;
	if (!strcmp(data_str(row, "kind"), catch_name(CATCH_EXCEPTION)))
		render_vectors(first, last, o);
	else if (first == last)
		out_printf(o, "0x%" PRIx64, first);
	else
		out_printf(o, "0x%" PRIx64 "-0x%" PRIx64, first, last);
}

void brk_render_extra(const json_t *row, struct out *o)
{
	const char *access = data_str(row, "access");

	if (*access && strcmp(access, "any"))
		out_printf(o, " %s", access);
	if (data_true(row, "every"))
		out_puts(o, " every");
	if (json_object_get(row, arch_desc.space))
		out_printf(o, " %s=%s", arch_desc.space, data_str(row, arch_desc.space));
	if (json_object_get(row, "cpu"))
		out_printf(o, " cpu=%" PRIu64, data_u64(row, "cpu"));
	if (*data_str(row, "condition"))
		out_printf(o, " if %s", data_str(row, "condition"));
}

void brk_render(const json_t *row, struct out *o)
{
	const char *type = data_str(row, "type"), *kind = data_str(row, "kind");

	if (data_true(row, "temporary"))
		out_puts(o, "temporary ");
	if (!strcmp(kind, "hard"))
		out_puts(o, "hardware ");
	out_printf(o, "%s %" PRIu64, type, data_u64(row, "number"));
	if (!strcmp(type, "breakpoint"))
		out_puts(o, " at ");
	else
		out_printf(o, ": %s%s", kind, json_object_get(row, "first") || json_object_get(row, "address") ? " " : "");
	brk_render_place(row, o);
	brk_render_extra(row, o);
	if (data_true(row, "pending"))
		out_puts(o, ", pending: no memory is there yet");
	out_puts(o, "\n");
}

#define BREAK_ARGS "EXPR|FILE:LINE [SPACE=EXPR] [cpu=N] [if EXPR]"
#define WATCH_ARGS "RANGE [if EXPR]"
#define RANGE_HELP \
	"RANGE is EXPR, EXPR,SIZE, FIRST..LAST (both included), or *(u32)EXPR: the 4 bytes at EXPR (u8 to u64).\n" \
	"A symbol alone is all it covers, an EXPR alone 8 bytes.  Any number, any length up to 1G.\n"

static const struct cmd rows[] = {
	{ "break", "b", BREAK_ARGS, "set a breakpoint at address EXPR, or where code of line LINE begins",
	  "Any number, on all vCPUs, also where no memory is yet.  Found through the selected vCPU's page tables, and\n"
	  "hit under any; with SPACE=EXPR through those, and hit under them alone.  cpu=N: only vCPU N's hits count.\n"
	  "if EXPR: only hits where it is not 0; one that has no value stops, and the stop says why.\n"
	  "*EXPR is taken as gdb takes it, as EXPR.  FILE:LINE: in each function that has it, inlined ones too; FILE may\n"
	  "be a path's end.",
	  CMD_PARKED, COMPLETE_EXPR, exec_break, render_breaks },
	{ "tbreak", NULL, BREAK_ARGS, "set a breakpoint that goes when it is hit", "Else as break.", CMD_PARKED,
	  COMPLETE_EXPR, exec_tbreak, render_breaks },
	{ "hbreak", NULL, BREAK_ARGS, "set a breakpoint at address EXPR without changing memory",
	  "As many as the processor has registers for, shared with gdb.  Else as break.", CMD_PARKED, COMPLETE_EXPR,
	  exec_hbreak, render_breaks },
	{ "watch", NULL, "RANGE [every] [if EXPR]", "stop when memory changes",
	  RANGE_HELP "every: also writes that leave the value as it was.", CMD_PARKED, COMPLETE_EXPR, exec_watch,
	  brk_render },
	{ "rwatch", NULL, WATCH_ARGS, "stop when memory is read", RANGE_HELP "Fetching instructions is no read.",
	  CMD_PARKED, COMPLETE_EXPR, exec_rwatch, brk_render },
	{ "awatch", NULL, WATCH_ARGS, "stop when memory is read or written", RANGE_HELP "Every write counts.", CMD_PARKED,
	  COMPLETE_EXPR, exec_awatch, brk_render },
	{ "catch", NULL, "mmio|exception|interrupt|unclaimed|reset|halt|shutdown|panic|oops|kernel ... [if EXPR]",
	  "stop at an event",
	  "mmio RANGE [read|write]       RANGE is EXPR, EXPR,COUNT or FIRST..LAST (both included): physical addresses no slot holds\n"
	  "exception [N[-M]]             at the handler: vectors N to M\n"
	  "interrupt N[-M]               the same for any vector\n"
	  "unclaimed                     an access that no device answers\n"
	  "reset                         the guest asks for a reset, before it is done\n"
	  "halt                          a halt that nothing can end\n"
	  "panic, oops                   a Linux kernel, whose symbols there are, gives up or finds itself at fault\n"
	  "kernel                        the first instruction of a packed kernel, unpacked; set it before the start\n"
	  "shutdown                      what ends the machine always stops the guest; there is nothing to set", CMD_PARKED,
	  COMPLETE_NONE, catch_exec, catch_render },
	{ "delete", "d", "[N...]", "delete breakpoints, watchpoints and catchpoints N, or all of the monitor's",
	  "The numbers are those of `info breakpoints`; gdb's have none and are gdb's to delete.", CMD_PARKED,
	  COMPLETE_NONE, brk_delete_exec, NULL },
	{ "enable", NULL, "[N...]", "have breakpoints N count again, or all of the monitor's", NULL, CMD_PARKED,
	  COMPLETE_NONE, brk_enable_exec, NULL },
	{ "disable", NULL, "[N...]", "have breakpoints N not count, or all of the monitor's",
	  "The guest then runs as if they were not there; their numbers, conditions and counts stay.", CMD_PARKED,
	  COMPLETE_NONE, brk_disable_exec, NULL },
	{ "ignore", NULL, "N COUNT", "pass over the next COUNT hits of breakpoint N",
	  "Hits whose condition does not hold are none.  0: stop at the next.", CMD_PARKED, COMPLETE_EXPR,
	  brk_ignore_exec, NULL },
	{ "condition", NULL, "N [EXPR]", "have breakpoint N stop only where EXPR is not 0", "Without EXPR: always.",
	  CMD_PARKED, COMPLETE_EXPR, brk_condition_exec, NULL },
	{ "commands", NULL, "N [CMD; CMD...]", "run commands whenever breakpoint N stops the guest",
	  "Without them on the line, they follow line by line up to `end`; none at all takes them away.\n"
	  "Their output goes where stops are told.  `silent` first: the stop itself is not told.  `continue` last:\n"
	  "the guest goes on, and `wait` does not see the stop; while gdb runs the guest it is refused.", CMD_TEXT,
	  COMPLETE_NONE, brk_commands_exec, render_text },
	{ "info breakpoints", NULL, "[N]", "breakpoints, watchpoints and catchpoints, the monitor's and gdb's",
	  "From number N on, a thousand at a time.", CMD_PARKED, COMPLETE_NONE, brk_info_exec, brk_info_render },
};

const struct cmd_group cmd_break_group = { "break", rows, sizeof(rows) / sizeof(rows[0]) };
