/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/cmd_regs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "monitor/arch.h"
#include "monitor/core.h"
#include "monitor/render.h"

/* The bits that are set, by name; fields of several as NAME=VALUE.  NULL: it has no named ones. */
static json_t *decode_bits(reg_id reg, uint64_t value)
{
	const struct reg_bits *bits = reg_bits_of(arch_desc.regs[reg].type[0]);
	json_t *list = bits ? json_array() : NULL;

	for (size_t i = 0; bits && i < bits->count; i++) {
		const struct reg_field *f = &bits->fields[i];
		uint64_t v = value >> f->start & ((2ull << (f->end - f->start)) - 1);

		if (v)
			json_array_append_new(list, f->start == f->end ? json_string(f->name)
								       : json_sprintf("%s=%d", f->name, (int)v));
	}
	return list;
}

static json_t *wide_hex(const uint8_t *bytes, unsigned bits)
{
	char text[2 * REG_BYTES_MAX + 3] = "0x";

	for (unsigned i = bits / 8, n = 2; i-- > 0; n += 2)
		snprintf(text + n, sizeof(text) - n, "%02x", bytes[i]);
	return json_string(text);
}

/* One register as NAME and BITS wide, which may be less than all of it. */
static int add_register(struct task *t, json_t *list, reg_id reg, const char *name, unsigned bits,
			struct err *err)
{
	uint8_t bytes[REG_BYTES_MAX] = { 0 };
	const struct reg_info *info = &arch_desc.regs[reg];
	char decimal[64];
	json_t *row, *flags;
	uint64_t v;
	int r;

	r = machine_reg_read(task_machine(t), t->s->cpu, reg, bytes, err);
	if (r)
		return r;
	memcpy(&v, bytes, sizeof(v));
	if (bits < 64)
		v &= (1ULL << bits) - 1;
	row = json_pack("{s:s, s:i, s:s, s:o}", "name", name, "bits", (int)bits, "group",
			arch_desc.groups[info->group].name, "value", bits > 64 ? wide_hex(bytes, bits) : data_hex(v));
	if (monitor_arch.decimal(info->type[0], bytes, decimal, sizeof(decimal)))
		json_object_set_new(row, "decimal", json_string(decimal));
	if (reg == arch_desc.pc) {
		json_object_set_new(row, "symbol", data_symbol(task_machine(t), v));
		data_add_line(row, task_machine(t), v);
	}
	flags = decode_bits(reg, v);
	if (flags)
		json_object_set_new(row, "flags", flags);
	json_array_append_new(list, row);
	return 0;
}

/* Everything of the groups in MASK, named as the vCPU's mode has it. */
static int add_groups(struct task *t, json_t *list, unsigned mask, struct err *err)
{
	struct machine *m = task_machine(t);
	struct cpu_status s;
	unsigned l;
	int r;

	r = machine_cpu_status(m, t->s->cpu, &s, err);
	if (r)
		return r;
	l = arch_desc.choices[arch_desc.choose(0, s.code_bits)].layout;
	for (reg_id i = 0; !r && i < arch_desc.nregs; i++) {
		const struct reg_view *v = &arch_desc.regs[i].view[l];

		if (v->name && (mask >> arch_desc.regs[i].group & 1) && machine_reg_present(m, i))
			r = add_register(t, list, i, v->name, v->bits, err);
	}
	return r;
}

static int group_mask(const char *word, size_t len, unsigned *ret)
{
	if (word_is(word, len, "all")) {
		*ret = ~0u;
		return 0;
	}
	for (unsigned g = 0; g < arch_desc.ngroups; g++)
		if (word_is(word, len, arch_desc.groups[g].name)) {
			*ret = 1u << g;
			return 0;
		}
	return -ENOENT;
}

static int add_named(struct task *t, json_t *list, const char **p, struct err *err)
{
	size_t len;
	const char *word = task_word(p, &len);
	unsigned mask, bits;
	char name[24];
	int id;

	if (!group_mask(word, len, &mask))
		return add_groups(t, list, mask, err);
	if (len && *word == '$') {
		word++;
		len--;
	}
	id = reg_by_name(word, len, &bits);
	if (id < 0)
		return err_set(err, ENOENT, "there is no register '%.*s'", len < 40 ? (int)len : 40, word);
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	return add_register(t, list, (reg_id)id, name, bits, err);
}

int regs_exec(struct task *t, struct err *err)
{
	unsigned usual = 0;
	json_t *list = json_array();
	const char *p = t->args;
	bool table = !*p || group_mask(p, strlen(p), &(unsigned){ 0 }) == 0;
	int r = 0;

	for (unsigned g = 0; g < arch_desc.ngroups; g++)
		usual |= (unsigned)arch_desc.groups[g].usual << g;
	if (!*p)
		r = add_groups(t, list, usual, err);
	while (*p && !r)
		r = add_named(t, list, &p, err);
	if (r) {
		json_decref(list);
		return r;
	}
	t->result = json_pack("{s:i, s:b, s:o}", "cpu", (int)t->s->cpu, "table", (int)table, "registers", list);
	return 0;
}

/* -- as text -- */

static void render_value(const json_t *row, struct out *o)
{
	uint64_t bits = data_u64(row, "bits");

	if (bits > 64)
		out_puts(o, data_str(row, "value") + 2);
	else
		out_printf(o, "%0*" PRIx64, (int)(bits / 4), data_u64(row, "value"));
}

static void render_extra(const json_t *row, struct out *o)
{
	const json_t *flags = json_object_get(row, "flags"), *v;
	const char *symbol = data_str(row, "symbol"), *decimal = data_str(row, "decimal");
	size_t i;

	if (*symbol)
		out_printf(o, " <%s>", symbol);
	if (*data_str(row, "file")) {
		out_puts(o, " ");
		render_line(row, o);
	}
	if (*decimal)
		out_printf(o, " (%s)", decimal);
	if (!flags)
		return;
	out_puts(o, " [");
	json_array_foreach(flags, i, v)
		out_printf(o, "%s%s", i ? " " : "", json_string_value(v));
	out_puts(o, "]");
}

static const json_t *find_row(const json_t *list, const char *name)
{
	const json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
		if (!strcmp(data_str(row, "name"), name))
			return row;
	return NULL;
}

static const struct arch_group *group_of(const json_t *row)
{
	unsigned g = 0;

	while (g + 1 < arch_desc.ngroups && strcmp(data_str(row, "group"), arch_desc.groups[g].name))
		g++;
	return &arch_desc.groups[g];
}

/* The row with the base that stands beside ROW's register; NULL: there is none. */
static const json_t *base_of(const json_t *list, const json_t *row)
{
	char name[24];

	if (!group_of(row)->bases)
		return NULL;
	snprintf(name, sizeof(name), "%.16s_base", data_str(row, "name"));
	return find_row(list, name);
}

static bool is_base(const json_t *list, const json_t *row)
{
	const char *name = data_str(row, "name"), *end = strstr(name, "_base");
	char of[24];
	const json_t *other;

	if (!end || end[5])
		return false;
	snprintf(of, sizeof(of), "%.*s", (int)(end - name), name);
	other = find_row(list, of);
	return other && group_of(other)->bases;
}

/* How many of these stand in a line of about 80 columns; 0: it has the line for itself. */
static unsigned per_line(const json_t *row)
{
	uint64_t bits = data_u64(row, "bits");

	if (json_object_get(row, "flags") || json_object_get(row, "decimal") || *data_str(row, "symbol") ||
	    strlen(data_str(row, "name")) > 6)
		return 0;
	return bits > 64 ? 2 : bits > 32 ? 3 : 4;
}

static void render_table(const json_t *list, struct out *o)
{
	const char *group = "";
	const json_t *row, *base;
	unsigned column = 0, n;
	size_t i;

	json_array_foreach(list, i, row) {
		if (is_base(list, row))
			continue;
		base = base_of(list, row);
		n = base ? 2 : per_line(row);
		if (column && (!n || column >= n || strcmp(group, data_str(row, "group")))) {
			out_puts(o, "\n");
			column = 0;
		}
		group = data_str(row, "group");
		out_printf(o, "%s%-*s ", column ? "  " : "", group_of(row)->width, data_str(row, "name"));
		if (base)
			out_printf(o, "%04" PRIx64 " base ", data_u64(row, "value"));
		render_value(base ? base : row, o);
		render_extra(row, o);
		column = n ? column + 1 : ~0u;
	}
	if (column)
		out_puts(o, "\n");
}

void regs_render(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "registers"), *row;
	size_t i;

	if (data_true(result, "table")) {
		render_table(list, o);
		return;
	}
	json_array_foreach(list, i, row) {
		out_printf(o, "%-8s %s", data_str(row, "name"), data_str(row, "value"));
		if (data_u64(row, "bits") <= 64)
			out_printf(o, "  %" PRIu64, data_u64(row, "value"));
		render_extra(row, o);
		out_puts(o, "\n");
	}
}
