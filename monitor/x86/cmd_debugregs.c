/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guest's own debug registers, decoded (Intel SDM vol. 3, 17.2). */
#include "monitor/x86/parts.h"

#include <errno.h>
#include <inttypes.h>

#include "arch/x86/x86_regs.h"
#include "monitor/core.h"
#include "monitor/render.h"

#define POINTS 4

static const struct bit_name {
	unsigned bit;
	const char *name;
} dr6_bits[] = {
	{ 0, "B0" }, { 1, "B1" }, { 2, "B2" }, { 3, "B3" }, { 13, "BD" }, { 14, "BS" }, { 15, "BT" },
}, dr7_bits[] = {
	{ 8, "LE" }, { 9, "GE" }, { 13, "GD" },
};

static json_t *bit_list(const struct bit_name *bits, size_t n, uint64_t value)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (value >> bits[i].bit & 1)
			json_array_append_new(list, json_string(bits[i].name));
	return list;
}

static int read_reg(struct task *t, reg_id reg, uint64_t *ret, struct err *err)
{
	*ret = 0;
	return machine_reg_read(task_machine(t), t->s->cpu, reg, ret, err);
}

/* Breakpoint N, as DR7 has it. */
static json_t *point_data(struct machine *m, unsigned n, uint64_t address, uint64_t dr7)
{
	static const char *const kinds[] = { "execute", "write", "io", "access" };
	static const int lengths[] = { 1, 2, 8, 4 };
	unsigned control = dr7 >> (16 + 4 * n) & 0xf;
	json_t *row = data_place(m, address);

	json_object_set_new(row, "name", json_sprintf("dr%u", n));
	json_object_set_new(row, "local", json_boolean(dr7 >> (2 * n) & 1));
	json_object_set_new(row, "global", json_boolean(dr7 >> (2 * n + 1) & 1));
	json_object_set_new(row, "kind", json_string(kinds[control & 3]));
	json_object_set_new(row, "length", json_integer(lengths[control >> 2]));
	return row;
}

static int exec_info(struct task *t, struct err *err)
{
	uint64_t dr[POINTS], dr6, dr7;
	json_t *points;
	int r = *t->args ? task_usage(t, err) : 0;

	for (unsigned n = 0; n < POINTS && !r; n++)
		r = read_reg(t, X86_DR0 + n, &dr[n], err);
	if (!r)
		r = read_reg(t, X86_DR6, &dr6, err);
	if (!r)
		r = read_reg(t, X86_DR7, &dr7, err);
	if (r)
		return r;
	points = json_array();
	for (unsigned n = 0; n < POINTS; n++)
		json_array_append_new(points, point_data(task_machine(t), n, dr[n], dr7));
	t->result = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "cpu", (int)t->s->cpu, "breakpoints", points,
			      "dr6", data_hex(dr6), "dr6_bits",
			      bit_list(dr6_bits, sizeof(dr6_bits) / sizeof(dr6_bits[0]), dr6),
			      "dr7", data_hex(dr7), "dr7_bits",
			      bit_list(dr7_bits, sizeof(dr7_bits) / sizeof(dr7_bits[0]), dr7));
	return 0;
}

static void render_bits(const json_t *result, const char *name, const char *bits, struct out *o)
{
	const json_t *list = json_object_get(result, bits), *v;
	size_t i;

	out_printf(o, "%s %016" PRIx64, name, data_u64(result, name));
	json_array_foreach(list, i, v)
		out_printf(o, "%s%s", i ? " " : "  [", json_string_value(v));
	out_puts(o, json_array_size(list) ? "]\n" : "\n");
}

static void render_point(const json_t *row, struct out *o)
{
	bool local = data_true(row, "local"), global = data_true(row, "global");
	uint64_t length = data_u64(row, "length");
	const char *symbol = data_str(row, "symbol");

	out_printf(o, "%s %016" PRIx64, data_str(row, "name"), data_u64(row, "address"));
	if (local || global)
		out_printf(o, "  %s%s%s %" PRIu64 " byte%s", local ? "L" : "", global ? "G " : " ", data_str(row, "kind"),
			   length, length > 1 ? "s" : "");
	else
		out_puts(o, "  off");
	if (*symbol)
		out_printf(o, "  <%s>", symbol);
	out_puts(o, "\n");
}

static void render_info(const json_t *result, struct out *o)
{
	const json_t *points = json_object_get(result, "breakpoints"), *row;
	size_t i;

	json_array_foreach(points, i, row)
		render_point(row, o);
	render_bits(result, "dr6", "dr6_bits", o);
	render_bits(result, "dr7", "dr7_bits", o);
}

static int exec_set(struct task *t, struct err *err)
{
	const char *p = t->args, *word;
	uint64_t value;
	size_t len;
	int id, r;

	word = task_word(&p, &len);
	if (!len || !*p)
		return task_usage(t, err);
	if (len > 1 && *word == '$') {
		word++;
		len--;
	}
	id = reg_by_name(word, len, NULL);
	if (id < 0 || arch_desc.regs[id].group != RG_DEBUG)
		return task_malformed(t, err_set(err, ENOENT, "there is no debug register '%.*s': dr0 to dr3, dr6, dr7",
						 len < 40 ? (int)len : 40, word));
	r = task_expr(t, &p, &value, err);
	if (!r)
		r = task_end(t, p, err);
	if (!r)
		r = machine_reg_write(task_machine(t), t->s->cpu, (reg_id)id, &value, err);
	/* Some bits are not what one says. */
	if (!r)
		r = read_reg(t, (reg_id)id, &value, err);
	if (!r)
		t->result = json_pack("{s:i, s:s, s:o}", "cpu", (int)t->s->cpu, "name",
				      reg_full(id)->name, "value", data_hex(value));
	return r;
}

static const struct cmd rows[] = {
	{ "info debugregs", NULL, "", "the guest's own debug registers, decoded",
	  "For each breakpoint its address, L or G where DR7 enables it, what it is on, and its length; then DR6 and DR7\n"
	  "with the bits that are set.  Breakpoints of ours, which may stand in the real ones, are not among them.",
	  CMD_PARKED, COMPLETE_NONE, exec_info, render_info },
	{ "debugregs set", NULL, "dr0|dr1|dr2|dr3|dr6|dr7 EXPR", "set one of the guest's own debug registers",
	  "Values that the processor would not take are refused; bits that are fixed in dr6 and dr7 stay as they are.",
	  CMD_PARKED, COMPLETE_REGS, exec_set, NULL },
};

const struct cmd_group cmd_debugregs_group = { "debug registers", rows, sizeof(rows) / sizeof(rows[0]) };
