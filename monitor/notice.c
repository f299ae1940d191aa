/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/notice.h"

#include <inttypes.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/disas.h"
#include "monitor/render.h"

/* What the first line says behind "cpu N: "; NULL: there is none. */
static const struct {
	const char *name, *head;
	bool with_text;         /* stop_event.text tells more */
} reasons[] = {
	[STOP_ENTRY] = { "entry", "at the start,", false },
	[STOP_REQUEST] = { "request", "stopped at", false },
	[STOP_STEP] = { "step", NULL, false },
	[STOP_BREAKPOINT] = { "breakpoint", "breakpoint", false },
	[STOP_WATCH] = { "watch", "watchpoint", true },
	[STOP_CATCH] = { "catch", "catchpoint", true },
	[STOP_TRIPLE_FAULT] = { "triple-fault", "triple fault at", true },
	[STOP_ERROR] = { "error", "cannot go on at", true },
	[STOP_EXIT] = { "exit", NULL, true },
};

const char *notice_reason(enum stop_reason r)
{
	return (size_t)r < sizeof(reasons) / sizeof(reasons[0]) ? reasons[r].name : "unknown";
}

const char *notice_mode(enum cpu_mode mode)
{
	static const char *const names[] = {
		[MODE_REAL] = "real",         [MODE_VM86] = "vm86",         [MODE_PROT16] = "prot16",
		[MODE_PROT32] = "prot32",     [MODE_COMPAT16] = "compat16", [MODE_COMPAT32] = "compat32",
		[MODE_LONG] = "long",
	};
	return (size_t)mode < sizeof(names) / sizeof(names[0]) ? names[mode] : "unknown";
}

void notice_add_place(json_t *obj, struct machine *m, const struct cpu_status *s)
{
	json_object_set_new(obj, "mode", json_string(notice_mode(s->mode)));
	json_object_set_new(obj, "address", data_hex(s->pc));
	json_object_set_new(obj, "symbol", data_symbol(m, s->pc));
	json_object_set_new(obj, "cs", json_sprintf("0x%04x", s->cs));
	json_object_set_new(obj, "ip", data_hex(s->ip));
}

void notice_render_place(const json_t *obj, struct out *o)
{
	const char *mode = data_str(obj, "mode");

	if (!strcmp(mode, "real") || !strcmp(mode, "vm86"))
		out_printf(o, "%04" PRIx64 ":%04" PRIx64 " ", data_u64(obj, "cs"), data_u64(obj, "ip"));
	render_place(obj, o);
}

/* Who the breakpoint belongs to, and its number when it is ours. */
static void add_break(json_t *obj, struct monitor *mon, const struct stop_event *ev)
{
	const struct brk *b = breaks_at(&mon->breaks, ev->kind, ev->pc);
	json_t *owners = json_array();

	if (ev->owners & BREAK_OWNER_MONITOR)
		json_array_append_new(owners, json_string("monitor"));
	if (ev->owners & BREAK_OWNER_GDB)
		json_array_append_new(owners, json_string("gdb"));
	json_object_set_new(obj, "owners", owners);
	json_object_set_new(obj, "kind", json_string(ev->kind == BREAK_HARD ? "hard" : "soft"));
	if (b && b->number)
		json_object_set_new(obj, "number", json_integer(b->number));
	else if (b)
		json_object_set_new(obj, "until", json_true());
}

static void add_instruction(json_t *obj, struct machine *m, const struct cpu_status *s, unsigned cpu)
{
	uint8_t bytes[DISAS_BYTES_MAX];
	size_t n = machine_mem_read(m, cpu, s->pc, bytes, sizeof(bytes), NULL);
	struct disas_insn insn;

	if (!n)
		return;
	disas_one(m, s->code_bits, s->pc - s->ip, s->pc, bytes, n, &insn);
	json_object_set_new(obj, "instruction", data_text(insn.text, strlen(insn.text)));
}

json_t *notice_stop(struct monitor *mon, const struct stop_event *ev)
{
	json_t *obj = json_object();
	struct cpu_status s;

	json_object_set_new(obj, "reason", json_string(notice_reason(ev->reason)));
	json_object_set_new(obj, "cpu", json_integer(ev->cpu));
	json_object_set_new(obj, "cpus", json_integer(machine_info(mon->m)->cpus));
	if (ev->reason == STOP_EXIT)
		json_object_set_new(obj, "status", json_integer(ev->exit_status));
	if (ev->text[0])
		json_object_set_new(obj, "text", data_text(ev->text, strnlen(ev->text, sizeof(ev->text))));
	if (ev->reason == STOP_BREAKPOINT)
		add_break(obj, mon, ev);
	if (!machine_cpu_status(mon->m, ev->cpu, &s, NULL)) {
		notice_add_place(obj, mon->m, &s);
		add_instruction(obj, mon->m, &s, ev->cpu);
	} else {
		json_object_set_new(obj, "address", data_hex(ev->pc));
		json_object_set_new(obj, "symbol", data_symbol(mon->m, ev->pc));
	}
	return obj;
}

static void render_break(const json_t *stop, struct out *o)
{
	if (json_object_get(stop, "number"))
		out_printf(o, "breakpoint %" PRIu64 " at ", data_u64(stop, "number"));
	else if (data_true(stop, "until"))
		out_puts(o, "reached ");
	else
		out_puts(o, "gdb's breakpoint at ");
}

void notice_render_head(const json_t *stop, struct out *o)
{
	const char *reason = data_str(stop, "reason"), *text = data_str(stop, "text");

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strcmp(reasons[i].name, reason))
			continue;
		out_printf(o, "cpu %" PRIu64 ": ", data_u64(stop, "cpu"));
		if (i == STOP_EXIT) {
			out_printf(o, "the guest ended with status %" PRIu64 "\n", data_u64(stop, "status"));
			return;
		}
		if (i == STOP_BREAKPOINT)
			render_break(stop, o);
		else
			out_printf(o, "%s ", reasons[i].head ? reasons[i].head : "at");
		render_place(stop, o);
		if (*text && reasons[i].with_text)
			out_printf(o, ": %s", text);
		out_puts(o, "\n");
	}
}

void notice_render(const json_t *stop, struct out *o)
{
	const char *reason = data_str(stop, "reason"), *insn = data_str(stop, "instruction");
	bool step = !strcmp(reason, notice_reason(STOP_STEP));

	if (!step)
		notice_render_head(stop, o);
	if (!strcmp(reason, notice_reason(STOP_EXIT)))
		return;
	if (step && data_u64(stop, "cpus") > 1)
		out_printf(o, "cpu %" PRIu64 ": ", data_u64(stop, "cpu"));
	out_puts(o, "=> ");
	notice_render_place(stop, o);
	out_printf(o, ":  %s\n", *insn ? insn : "(cannot be read)");
}
