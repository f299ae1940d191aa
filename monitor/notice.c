/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/notice.h"

#include <inttypes.h>
#include <string.h>

#include "monitor/arch.h"
#include "monitor/core.h"
#include "monitor/exitlist.h"
#include "monitor/render.h"
#include "monitor/stack.h"

static void render_break(const json_t *stop, struct out *o);
static void render_watch(const json_t *stop, struct out *o);
static void render_catch(const json_t *stop, struct out *o);
static void render_exit(const json_t *stop, struct out *o);

/* What a guest that died leaves to be looked at. */
#define WORDS_SHOWN     8
#define EXITS_SHOWN     5

/* What the first line says behind "cpu N: ". */
static const struct {
	const char *name, *head;        /* head NULL: "at" */
	bool with_text;                 /* stop_event.text tells more */
	void (*render)(const json_t *stop, struct out *o);      /* NULL: head and place */
} reasons[] = {
	[STOP_ENTRY] = { "entry", "at the start,", false, NULL },
	[STOP_REQUEST] = { "request", "stopped at", false, NULL },
	[STOP_STEP] = { "step", NULL, false, NULL },
	[STOP_BREAKPOINT] = { "breakpoint", NULL, false, render_break },
	[STOP_WATCH] = { "watch", NULL, false, render_watch },
	[STOP_CATCH] = { "catch", NULL, false, render_catch },
	[STOP_TRIPLE_FAULT] = { "triple-fault", "triple fault at", true, NULL },
	[STOP_ERROR] = { "error", "cannot go on at", true, NULL },
	[STOP_EXIT] = { "exit", NULL, false, render_exit },
};

#define NREASONS (sizeof(reasons) / sizeof(reasons[0]))

/* "step", "breakpoint", ...; static text. */
static const char *reason_name(enum stop_reason r)
{
	return (size_t)r < NREASONS ? reasons[r].name : "unknown";
}

void notice_add_place(json_t *obj, struct machine *m, unsigned cpu, const struct cpu_status *s)
{
	json_object_set_new(obj, "mode", json_string(s->mode));
	json_object_set_new(obj, "address", data_hex(s->pc));
	json_object_set_new(obj, "symbol", data_symbol(m, s->pc));
	data_add_line(obj, m, s->pc);
	monitor_arch.add_place(obj, m, cpu, s);
}

void notice_render_place(const json_t *obj, struct out *o)
{
	monitor_arch.render_place(obj, o);
	render_place(obj, o);
}

void notice_add_task(json_t *obj, struct machine *m, unsigned cpu)
{
	struct kernel_task t;

	if (!machine_kernel_current(m, cpu, &t, NULL))
		json_object_set_new(obj, "task", json_pack("{s:o, s:i}", "name", data_text(t.comm, strlen(t.comm)), "pid",
							   t.pid));
}

void notice_render_task(const json_t *obj, struct out *o)
{
	const json_t *task = json_object_get(obj, "task");

	if (!task)
		return;
	out_puts(o, " [");
	render_clean(data_str(task, "name"), o);
	out_printf(o, ", pid %" PRIu64 "]", data_u64(task, "pid"));
}

/* -- whose it is -- */

static void add_owners(json_t *hit, struct monitor *mon, const struct stop_event *ev)
{
	json_t *owners = json_array(), *numbers = json_array();
	const struct wanted *w = brks_wanted(&mon->breaks, ev);

	for (unsigned i = 0; i < w->n; i++) {
		const struct brk *k = w->v[i];

		if (k->number)
			json_array_append_new(numbers, json_integer(k->number));
		else
			json_object_set_new(hit, "until", json_true());
		if (k->temporary)
			json_object_set_new(hit, "temporary", json_true());
	}
	if (ev->reason == STOP_CATCH || (ev->owners & BREAK_OWNER_MONITOR))
		json_array_append_new(owners, json_string("monitor"));
	if (ev->reason != STOP_CATCH && (ev->owners & BREAK_OWNER_GDB))
		json_array_append_new(owners, json_string("gdb"));
	json_object_set_new(hit, "owners", owners);
	json_object_set(hit, "number", json_array_get(numbers, 0));
	if (json_array_size(numbers) > 1)
		json_object_set(hit, "numbers", numbers);
	json_decref(numbers);
	if (w->why[0])
		json_object_set_new(hit, "why", data_text(w->why, strlen(w->why)));
}

static json_t *watch_data(struct machine *m, const struct watch_hit *w)
{
	json_t *data = data_place(m, w->gva);

	json_object_set_new(data, "access", json_string(w->write ? "write" : "read"));
	json_object_set_new(data, "size", json_integer(w->size));
	json_object_set_new(data, "old", data_hex(w->old));
	json_object_set_new(data, "new", data_hex(w->now));
	json_object_set_new(data, w->at_known ? "by" : "now_at", data_code(m, w->at));
	return data;
}

json_t *notice_hit(struct monitor *mon, const struct stop_event *ev)
{
	json_t *hit;

	if (ev->reason != STOP_BREAKPOINT && ev->reason != STOP_WATCH && ev->reason != STOP_CATCH)
		return NULL;
	hit = json_object();
	add_owners(hit, mon, ev);
	if (ev->reason == STOP_BREAKPOINT)
		json_object_set_new(hit, "kind", json_string(ev->kind == BREAK_HARD ? "hard" : "soft"));
	if (ev->reason == STOP_BREAKPOINT && ev->alias)
		json_object_set_new(hit, "alias_of", data_code(mon->m, ev->place));
	if (ev->reason == STOP_WATCH)
		json_object_set_new(hit, "watch", watch_data(mon->m, &ev->watch));
	return hit;
}

/* -- the stop -- */

static void add_instruction(json_t *obj, struct machine *m, const struct cpu_status *s, unsigned cpu)
{
	uint8_t bytes[DISAS_BYTES_MAX];
	size_t n = machine_mem_read(m, cpu, s->pc, bytes, sizeof(bytes), NULL);
	struct disas_insn insn;

	if (!n)
		return;
	monitor_arch.disas(m, s->code_bits, s->code_base, s->pc, bytes, n, &insn);
	json_object_set_new(obj, "instruction", data_text(insn.text, strlen(insn.text)));
}

static void add_remains(json_t *obj, struct machine *m, unsigned cpu)
{
	json_object_set_new(obj, "stack", stack_words(m, cpu, WORDS_SHOWN));
	json_object_set_new(obj, "exits", exitlist(m, EXITS_SHOWN));
}

json_t *notice_stop(struct monitor *mon, const struct stop_event *ev)
{
	json_t *obj = json_object();
	struct cpu_status s;

	/* First of all: the symbols follow a kernel that is found. */
	if (ev->reason != STOP_STEP && ev->reason != STOP_EXIT)
		notice_add_task(obj, mon->m, ev->cpu);
	json_object_set_new(obj, "reason", json_string(reason_name(ev->reason)));
	json_object_set_new(obj, "cpu", json_integer(ev->cpu));
	json_object_set_new(obj, "cpus", json_integer(machine_info(mon->m)->cpus));
	if (ev->reason == STOP_EXIT)
		json_object_set_new(obj, "status", json_integer(ev->exit_status));
	if (ev->text[0])
		json_object_set_new(obj, "text", data_text(ev->text, strnlen(ev->text, sizeof(ev->text))));
	if (mon->hit)
		json_object_update(obj, mon->hit);
	if (!machine_cpu_status(mon->m, ev->cpu, &s, NULL)) {
		notice_add_place(obj, mon->m, ev->cpu, &s);
		add_instruction(obj, mon->m, &s, ev->cpu);
		if (ev->reason == STOP_TRIPLE_FAULT || ev->reason == STOP_ERROR)
			add_remains(obj, mon->m, ev->cpu);
	} else {
		json_object_set_new(obj, "address", data_hex(ev->pc));
		json_object_set_new(obj, "symbol", data_symbol(mon->m, ev->pc));
		data_add_line(obj, mon->m, ev->pc);
	}
	return obj;
}

/* "breakpoint 1", "breakpoints 1, 2", "gdb's watchpoint". */
static void render_numbers(const json_t *stop, const char *what, struct out *o)
{
	const json_t *numbers = json_object_get(stop, "numbers"), *n;
	size_t i;

	if (!json_object_get(stop, "number")) {
		out_printf(o, "gdb's %s", what);
		return;
	}
	out_printf(o, "%s%s%s ", data_true(stop, "temporary") ? "temporary " : "", what, numbers ? "s" : "");
	if (!numbers)
		out_printf(o, "%" PRIu64, data_u64(stop, "number"));
	json_array_foreach(numbers, i, n)
		out_printf(o, "%s%" JSON_INTEGER_FORMAT, i ? ", " : "", json_integer_value(n));
}

static void render_watch(const json_t *stop, struct out *o)
{
	const json_t *w = json_object_get(stop, "watch"), *by = json_object_get(w, "by");
	uint64_t size = data_u64(w, "size");

	render_numbers(stop, "watchpoint", o);
	out_printf(o, ": %s of %" PRIu64 " byte%s at ", data_str(w, "access"), size, size == 1 ? "" : "s");
	render_place(w, o);
	out_printf(o, ": %s", data_str(w, "old"));
	if (!strcmp(data_str(w, "access"), "write"))
		out_printf(o, " -> %s", data_str(w, "new"));
	out_puts(o, by ? ", by " : ", now at ");
	render_place(by ? by : json_object_get(w, "now_at"), o);
}

static void render_break(const json_t *stop, struct out *o)
{
	const json_t *place = json_object_get(stop, "alias_of");

	if (json_object_get(stop, "number") || !data_true(stop, "until")) {
		render_numbers(stop, "breakpoint", o);
		out_puts(o, " at ");
	} else {
		out_puts(o, "reached ");
	}
	render_place(stop, o);
	if (place) {
		out_puts(o, ", another mapping of ");
		render_place(place, o);
	}
}

static void render_catch(const json_t *stop, struct out *o)
{
	render_numbers(stop, "catchpoint", o);
	out_printf(o, ": %s, at ", data_str(stop, "text"));
	render_place(stop, o);
}

static void render_plain(const json_t *stop, struct out *o)
{
	const char *reason = data_str(stop, "reason"), *text = data_str(stop, "text"), *head = NULL;
	bool with_text = false;

	for (size_t i = 0; i < NREASONS; i++)
		if (!strcmp(reasons[i].name, reason)) {
			head = reasons[i].head;
			with_text = reasons[i].with_text;
		}
	out_printf(o, "%s ", head ? head : "at");
	render_place(stop, o);
	if (*text && with_text)
		out_printf(o, ": %s", text);
}

static void render_exit(const json_t *stop, struct out *o)
{
	/* The exit port makes odd ones; what ends in another way has a sentence of its own. */
	if (!(data_u64(stop, "status") & 1) && *data_str(stop, "text"))
		render_clean(data_str(stop, "text"), o);
	else
		out_printf(o, "the guest ended with status %" PRIu64, data_u64(stop, "status"));
}

void notice_render_head(const json_t *stop, struct out *o)
{
	const char *reason = data_str(stop, "reason"), *why = data_str(stop, "why");

	for (size_t i = 0; i < NREASONS; i++) {
		if (strcmp(reasons[i].name, reason))
			continue;
		out_printf(o, "cpu %" PRIu64 ": ", data_u64(stop, "cpu"));
		(reasons[i].render ? reasons[i].render : render_plain)(stop, o);
		notice_render_task(stop, o);
		if (*why)
			out_printf(o, " (%s)", why);
		out_puts(o, "\n");
	}
}

void notice_render(const json_t *stop, struct out *o)
{
	const char *reason = data_str(stop, "reason"), *insn = data_str(stop, "instruction");
	bool step = !strcmp(reason, reason_name(STOP_STEP));

	if (!step)
		notice_render_head(stop, o);
	if (!strcmp(reason, reason_name(STOP_EXIT)))
		return;
	if (step && data_u64(stop, "cpus") > 1)
		out_printf(o, "cpu %" PRIu64 ": ", data_u64(stop, "cpu"));
	out_puts(o, "=> ");
	monitor_arch.render_place(stop, o);
	/* Above it the line has been told. */
	(step ? render_place : render_address)(stop, o);
	out_printf(o, ":  %s\n", *insn ? insn : "(cannot be read)");
	if (json_object_get(stop, "stack")) {
		out_puts(o, "its stack:\n");
		stack_render_words(json_object_get(stop, "stack"), o);
	}
	if (json_array_size(json_object_get(stop, "exits"))) {
		out_puts(o, "the last exits:\n");
		exitlist_render(json_object_get(stop, "exits"), o);
	}
}
