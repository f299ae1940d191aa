/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine's devices: info devices, screen, sendkey, inject, log. */
#include "monitor/cmd_devices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "monitor/cmd_break.h"
#include "monitor/arch.h"
#include "monitor/core.h"
#include "monitor/fwlog.h"
#include "monitor/render.h"
#include "monitor/vgatext.h"

#define COLUMNS_MAX 100
#define BARE_MIN 4              /* registers in a row without a meaning stand beside each other */
#define LOG_LINES 25

/* -- info devices -- */

static json_t *device_data(const struct device_info *d)
{
	json_t *ranges = json_array();

	for (unsigned i = 0; i < d->nranges && i < DEVICE_RANGES_MAX; i++) {
		const struct device_range *r = &d->range[i];

		json_array_append_new(ranges, json_pack("{s:s, s:o, s:o}", "kind", r->memory ? "memory" : "ports",
							"first", data_hex(r->base), "last",
							data_hex(r->base + r->size - 1)));
	}
	return json_pack("{s:s, s:s, s:o}", "name", d->name, "what", d->what, "ranges", ranges);
}

/* The device of that name, or the only one whose name begins so. */
static int find_device(struct machine *m, const char *word, size_t len, struct device_info *ret, size_t *ret_index,
		       struct err *err)
{
	struct device_info d;
	char list[160] = "";
	size_t found = 0;

	for (size_t i = 0; machine_device_list(m, i, &d); i++) {
		if (strncasecmp(d.name, word, len))
			continue;
		*ret = d;
		*ret_index = i;
		if (strlen(d.name) == len)
			return 0;
		if (strlen(list) + strlen(d.name) + 3 < sizeof(list)) {
			strcat(list, found ? ", " : "");
			strcat(list, d.name);
		}
		found++;
	}
	if (found > 1)
		return err_set(err, ENOTUNIQ, "'%.*s' could be %s", len < 40 ? (int)len : 40, word, list);
	if (!found)
		return err_set(err, ENOENT, "there is no device '%.*s' (info devices lists them)",
			       len < 40 ? (int)len : 40, word);
	return 0;
}

static void add_reg(void *arg, const struct device_reg *r)
{
	json_t *row = json_pack("{s:o, s:i, s:o}", "name", data_text(r->name, strlen(r->name)), "bits", (int)r->bits,
				"value", data_hex(r->value));

	if (r->text && *r->text)
		json_object_set_new(row, "text", data_text(r->text, strlen(r->text)));
	json_array_append_new(arg, row);
}

static int exec_device(struct task *t, const char *word, size_t len, struct err *err)
{
	struct device_info d = { 0 };
	json_t *regs;
	size_t index = 0;
	int r = find_device(task_machine(t), word, len, &d, &index, err);

	if (r)
		return task_malformed(t, r);
	regs = json_array();
	machine_device_regs(task_machine(t), index, add_reg, regs);
	t->result = device_data(&d);
	json_object_set_new(t->result, "registers", regs);
	return 0;
}

static int exec_devices(struct task *t, struct err *err)
{
	const char *p = t->args, *word;
	struct device_info d;
	json_t *list;
	size_t len;

	word = task_word(&p, &len);
	if (*p)
		return task_usage(t, err);
	if (len)
		return exec_device(t, word, len, err);
	list = json_array();
	for (size_t i = 0; machine_device_list(task_machine(t), i, &d); i++)
		json_array_append_new(list, device_data(&d));
	t->result = json_pack("{s:o}", "devices", list);
	return 0;
}

/* "ports 0x1f0-0x1f7, 0x3f6, memory 0xb8000-0xbffff", in several rows from column INDENT on when it is long. */
static void render_ranges(const json_t *device, size_t indent, struct out *o)
{
	const json_t *row;
	const char *kind = "";
	size_t i, column = indent;

	json_array_foreach(json_object_get(device, "ranges"), i, row) {
		const char *first = data_str(row, "first"), *last = data_str(row, "last"), *now = data_str(row, "kind");
		bool same = !strcmp(now, kind), one = !strcmp(first, last);
		size_t n = (same ? 0 : strlen(now) + 1) + strlen(first) + (one ? 0 : strlen(last) + 1);

		if (i)
			out_puts(o, ",");
		if (i && column + n + 3 > COLUMNS_MAX) {
			out_printf(o, "\n%*s", (int)indent, "");
			column = indent;
		} else if (i) {
			out_puts(o, " ");
		}
		out_printf(o, "%s%s%s%s%s", same ? "" : now, same ? "" : " ", first, one ? "" : "-", one ? "" : last);
		column += n + 2;
		kind = now;
	}
	out_puts(o, "\n");
}

static size_t width_of(const json_t *list, const char *key)
{
	const json_t *row;
	size_t i, width = 0;

	json_array_foreach(list, i, row)
		if (strlen(data_str(row, key)) > width)
			width = strlen(data_str(row, key));
	return width;
}

static int digits_of(const json_t *reg)
{
	return (int)(data_u64(reg, "bits") + 3) / 4;
}

/* How many from the I-th on have no meaning told. */
static size_t bare_from(const json_t *list, size_t i)
{
	size_t n = 0;

	while (i + n < json_array_size(list) && !*data_str(json_array_get(list, i + n), "text"))
		n++;
	return n;
}

/* Without the end of its line; returns its digits. */
static int render_reg(const json_t *reg, size_t name, struct out *o)
{
	out_puts(o, "  ");
	render_clean(data_str(reg, "name"), o);
	out_printf(o, "%*s  0x%0*" PRIx64, (int)(name - strlen(data_str(reg, "name"))), "", digits_of(reg),
		   data_u64(reg, "value"));
	return digits_of(reg);
}

/* N of them from the I-th on, several in a row. */
static void render_bare(const json_t *list, size_t i, size_t n, size_t name, struct out *o)
{
	size_t columns, width = 0, at;
	int shown;

	for (size_t k = 0; k < n; k++)
		if ((size_t)digits_of(json_array_get(list, i + k)) > width)
			width = (size_t)digits_of(json_array_get(list, i + k));
	columns = (COLUMNS_MAX - 2) / (2 + name + 4 + width);
	for (size_t k = 0; k < n; k++) {
		at = k % columns;
		shown = render_reg(json_array_get(list, i + k), name, o);
		if (at + 1 == columns || k + 1 == n)
			out_puts(o, "\n");
		else
			out_printf(o, "%*s", (int)width - shown, "");
	}
}

static void render_regs(const json_t *list, struct out *o)
{
	size_t n, name = width_of(list, "name");
	const json_t *row;
	int digits = 0, shown;

	for (size_t i = 0; i < json_array_size(list); i++)
		if (digits_of(json_array_get(list, i)) > digits)
			digits = digits_of(json_array_get(list, i));
	for (size_t i = 0; i < json_array_size(list); i++) {
		row = json_array_get(list, i);
		n = bare_from(list, i);
		if (n >= BARE_MIN) {
			render_bare(list, i, n, name, o);
			i += n - 1;
			continue;
		}
		shown = render_reg(row, name, o);
		if (!n) {
			out_printf(o, "%*s  ", digits - shown, "");
			render_clean(data_str(row, "text"), o);
		}
		out_puts(o, "\n");
	}
	if (!json_array_size(list))
		out_puts(o, "  no registers\n");
}

static void render_devices(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "devices"), *row;
	size_t i, name = width_of(list, "name"), what = width_of(list, "what");

	if (!list) {
		out_printf(o, "%s: %s\n", data_str(result, "name"), data_str(result, "what"));
		if (json_array_size(json_object_get(result, "ranges"))) {
			out_puts(o, "  ");
			render_ranges(result, 2, o);
		}
		render_regs(json_object_get(result, "registers"), o);
		return;
	}
	json_array_foreach(list, i, row) {
		out_printf(o, "%-*s  ", (int)name, data_str(row, "name"));
		if (json_array_size(json_object_get(row, "ranges"))) {
			out_printf(o, "%-*s  ", (int)what, data_str(row, "what"));
			render_ranges(row, name + what + 4, o);
		} else {
			out_printf(o, "%s\n", data_str(row, "what"));
		}
	}
	if (!json_array_size(list))
		out_puts(o, "there are no devices\n");
}

/* -- screen and keyboard -- */

static int exec_screen(struct task *t, struct err *err)
{
	struct screen *s = malloc(sizeof(*s));
	int r;

	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	r = machine_screen(task_machine(t), s, err);
	if (!r)
		t->result = vgatext_json(s, render_in_colour(t->s->kind == SESSION_TERMINAL));
	free(s);
	return r;
}

static int exec_sendkey(struct task *t, struct err *err)
{
	size_t len = strlen(t->args);
	int r;

	if (!len)
		return task_usage(t, err);
	r = machine_key_text(task_machine(t), t->args, len, err);
	if (r)
		return r == -EINVAL ? task_malformed(t, r) : r;
	t->result = json_pack("{s:o}", "typed", data_text(t->args, len));
	return 0;
}

/* -- inject -- */

static int parse_number(struct task *t, const char **p, uint64_t max, const char *what, uint64_t *ret, struct err *err)
{
	int r = **p ? task_expr(t, p, ret, err) : task_usage(t, err);

	if (!r && *ret > max)
		return task_malformed(t, err_set(err, EINVAL, "0x%" PRIx64 " is no %s: the last is 0x%" PRIx64, *ret,
						 what, max));
	return r;
}

static int parse_exception(struct task *t, const char **p, struct injection *i, struct err *err)
{
	const char *rest = *p, *word;
	uint64_t vector = 0, code = 0;
	size_t len;
	int r = 0;

	word = task_word(&rest, &len);
	if (len && catch_vector_number(word, len, &vector) && vector <= monitor_arch.exception_max)
		*p = rest;
	else
		r = parse_number(t, p, monitor_arch.exception_max, "vector of an exception", &vector, err);
	i->has_code = **p;
	if (!r && i->has_code)
		r = parse_number(t, p, UINT32_MAX, "error code", &code, err);
	i->number = (unsigned)vector;
	i->code = (uint32_t)code;
	return r;
}

static json_t *injection_data(const struct injection *i)
{
	static const char *const names[] = {
		[INJECT_NMI] = "nmi", [INJECT_IRQ] = "irq", [INJECT_EXCEPTION] = "exception",
	};
	json_t *v = json_pack("{s:s}", "kind", names[i->kind]);
	const char *name = catch_vector_name(i->number);

	if (i->kind != INJECT_IRQ)
		json_object_set_new(v, "cpu", json_integer(i->cpu));
	if (i->kind != INJECT_NMI)
		json_object_set_new(v, "number", json_integer(i->number));
	if (i->kind == INJECT_EXCEPTION && name)
		json_object_set_new(v, "name", json_string(name));
	if (i->has_code)
		json_object_set_new(v, "code", data_hex(i->code));
	return v;
}

static int exec_inject(struct task *t, struct err *err)
{
	struct injection i = { .cpu = t->s->cpu };
	const char *p = t->args, *word;
	uint64_t line = 0;
	size_t len;
	int r = 0;

	word = task_word(&p, &len);
	if (word_is(word, len, "nmi")) {
		i.kind = INJECT_NMI;
	} else if (word_is(word, len, "irq")) {
		i.kind = INJECT_IRQ;
		r = parse_number(t, &p, 0xffff, "interrupt line", &line, err);
		i.number = (unsigned)line;
	} else if (word_is(word, len, "exception")) {
		i.kind = INJECT_EXCEPTION;
		r = parse_exception(t, &p, &i, err);
	} else {
		return task_usage(t, err);
	}
	if (!r)
		r = task_end(t, p, err);
	if (!r)
		r = machine_inject(task_machine(t), &i, err);
	if (!r)
		t->result = injection_data(&i);
	return r;
}

static void render_inject(const json_t *result, struct out *o)
{
	const char *kind = data_str(result, "kind"), *name = data_str(result, "name"), *code = data_str(result, "code");

	if (!strcmp(kind, "irq")) {
		out_printf(o, "interrupt line %" PRIu64 " was raised and lowered\n", data_u64(result, "number"));
		return;
	}
	out_printf(o, "cpu %" PRIu64 ": ", data_u64(result, "cpu"));
	if (!strcmp(kind, "nmi")) {
		out_puts(o, "an NMI comes\n");
		return;
	}
	out_printf(o, "exception %" PRIu64, data_u64(result, "number"));
	if (*name)
		out_printf(o, " (%s)", name);
	if (*code)
		out_printf(o, ", code %s,", code);
	out_puts(o, " comes before the next instruction\n");
}

/* -- log -- */

static int exec_log_on(struct task *t, const char *path, struct err *err)
{
	int r;

	if (!*path && t->s->from_gdb)
		return err_set(err, EPERM, "gdb shows nothing between its commands: log shows what there is");
	r = fwlog_follow(t->s, *path ? path : NULL, err);
	if (r)
		return r;
	t->result = json_pack("{s:b}", "on", 1);
	if (*path)
		json_object_set_new(t->result, "file", data_text(path, strlen(path)));
	return 0;
}

static int exec_log(struct task *t, struct err *err)
{
	const char *p = t->args, *word;
	uint64_t lines = LOG_LINES;
	size_t len;
	int r = 0;

	word = task_word(&p, &len);
	if (word_is(word, len, "on"))
		return exec_log_on(t, p, err);
	if (word_is(word, len, "off") && !*p) {
		fwlog_leave(t->s);
		t->result = json_pack("{s:b}", "on", 0);
		return 0;
	}
	p = t->args;
	if (*p)
		r = task_expr(t, &p, &lines, err);
	if (!r)
		r = task_end(t, p, err);
	if (r)
		return r;
	t->result = fwlog_json(task_machine(t), lines);
	return t->result ? 0 : err_set(err, ENOMEM, "out of memory");
}

static void render_log(const json_t *result, struct out *o)
{
	const json_t *lines = json_object_get(result, "lines"), *line;
	uint64_t earlier = data_u64(result, "earlier");
	size_t i;

	if (!lines)
		return;
	if (earlier)
		out_printf(o, "... %" PRIu64 " line%s before these: log %" PRIu64 "\n", earlier,
			   earlier == 1 ? "" : "s", earlier + json_array_size(lines));
	json_array_foreach(lines, i, line) {
		render_clean(json_string_value(line), o);
		out_puts(o, "\n");
	}
	if (!data_u64(result, "bytes"))
		out_puts(o, "firmware has written nothing\n");
}

static const struct cmd rows[] = {
	{ "info devices", NULL, "[NAME]", "the devices: name, what it is, ports and memory",
	  "With NAME, of which the beginning is enough: its registers and what their values mean.  Looking changes\n"
	  "nothing in the device.", 0, COMPLETE_DEVICE, exec_devices, render_devices },
	{ "info pci", NULL, "[[BB:]SS.F]", "the functions on the PCI bus",
	  "Place, vendor and device, class, name; what it decodes and its interrupt.  With a place, as in 00:01.1 or\n"
	  "1.1: command, status, and the whole of its configuration space.", 0, COMPLETE_NONE, pci_exec, pci_render },
	{ "screen", NULL, "", "what the guest's screen shows, in text modes",
	  "In colour on a terminal that has it, unless NO_COLOR is set; else plain.  Blanks at the ends are left out.",
	  0, COMPLETE_NONE, exec_screen, vgatext_render },
	{ "sendkey", NULL, "TEXT", "type TEXT on the guest's keyboard",
	  "The rest of the line as it stands, as on a US keyboard, less blanks at its end (they are <space>);\n"
	  "between < and > a key's name: <enter>, <esc>, <tab>, <up>, <f1>, <ctrl-alt-del>, <lt> for < itself.\n"
	  "Enter is not added.", CMD_TEXT, COMPLETE_NONE, exec_sendkey, NULL },
	{ "inject", NULL, "nmi|irq N|exception N [CODE]", "make an interrupt or exception happen",
	  "An NMI or exception for the selected vCPU; an exception, by number or as in pf, comes before its next\n"
	  "instruction, with its error code if it has one.  irq raises interrupt line N and lowers it.", CMD_PARKED,
	  COMPLETE_WORDS, exec_inject, render_inject },
	{ "log", NULL, "[N|on [FILE]|off]", "what firmware writes for its developers, to port 0x402",
	  "The last N lines (25).  on: each line as it comes, too; with FILE, a new one: all of it goes there, what\n"
	  "there is first.  off: no longer.  on and off are for this terminal, client or script alone.", 0,
	  COMPLETE_WORDS, exec_log, render_log },
};

const struct cmd_group cmd_devices_group = { "devices", rows, sizeof(rows) / sizeof(rows[0]) };
