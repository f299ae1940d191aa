/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/tdesc.h"

#include <stdio.h>
#include <string.h>

#include "api/regbits.h"

const char *tdesc_choice_name(unsigned choice)
{
	static const char *const names[] = {
		[REG_CHOICE_AUTO] = "auto", [REG_CHOICE_I8086] = "i8086", [REG_CHOICE_I386] = "i386",
		[REG_CHOICE_X86_64] = "x86-64",
	};
	return choice < sizeof(names) / sizeof(names[0]) ? names[choice] : NULL;
}

static enum reg_choice choose_by_machine(struct machine *m, unsigned cpu)
{
	struct cpu_status st = { .code_bits = 64 };

	switch (machine_info(m)->image_bits) {
	case 64:
		return REG_CHOICE_X86_64;
	case 32:
		return REG_CHOICE_I386;
	}
	if (!machine_hold(m, NULL)) {
		struct cpu_status now;

		if (!machine_cpu_status(m, cpu, &now, NULL))
			st = now;
		machine_release(m);
	}
	return st.code_bits == 64 ? REG_CHOICE_X86_64 : st.code_bits == 32 ? REG_CHOICE_I386 : REG_CHOICE_I8086;
}

struct tdesc tdesc_choose(struct machine *m, unsigned cpu, const struct tdesc_wish *wish)
{
	static const struct tdesc all[] = {
		[REG_CHOICE_I8086] = { RL_I386, "i8086", false },
		[REG_CHOICE_I386] = { RL_I386, "i386", false },
		[REG_CHOICE_X86_64] = { RL_X86_64, "i386:x86-64", false },
	};
	struct tdesc t = all[wish->choice == REG_CHOICE_AUTO ? choose_by_machine(m, cpu) : wish->choice];

	t.plain = wish->plain;
	return t;
}

/* gdb's own segments feature is not valid beside its 32-bit core: those rows are free-form then. */
static enum reg_feature feature_of(const struct reg_info *r, enum reg_layout l)
{
	return l == RL_I386 && r->feature == RF_SEGMENTS ? RF_SYSTEM : r->feature;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The views gdb gives of an SSE register. */
static const struct {
	const char *field, *id, *type;
	unsigned count;
} vec128_views[] = {
	{ "v4_float", "v4f", "ieee_single", 4 }, { "v2_double", "v2d", "ieee_double", 2 },
	{ "v16_int8", "v16i8", "int8", 16 },     { "v8_int16", "v8i16", "int16", 8 },
	{ "v4_int32", "v4i32", "int32", 4 },     { "v2_int64", "v2i64", "int64", 2 },
};

static void write_fields(const struct reg_bits *t, unsigned bits, const char *type, struct out *o)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct reg_field *f = &t->fields[i];

		/* gdb shows a field of several bits even when it is 0: too much for what it shows all the time. */
		if (f->end < bits && !(t->plain && f->start != f->end))
			out_printf(o, "<field name=\"%s\" start=\"%u\" end=\"%u\"%s/>\n", f->name, f->start, f->end,
				   type && f->start == f->end ? type : "");
	}
}

/*
 * Flags print well but are no structure, and a structure has members but prints badly: the union is both, and a number to
 * calculate with.  `$cr0.PE` is found in a member without a name.
 */
static void write_bits(const struct reg_bits *t, unsigned bits, struct out *o)
{
	const char *flags = t->plain ? "" : "_flags";

	out_printf(o, "<flags id=\"%s%s\" size=\"%u\">\n", t->type, flags, bits / 8);
	write_fields(t, bits, NULL, o);
	out_puts(o, "</flags>\n");
	if (t->plain)
		return;
	out_printf(o, "<struct id=\"%s_bits\" size=\"%u\">\n", t->type, bits / 8);
	write_fields(t, bits, " type=\"bool\"", o);
	out_printf(o,
		   "</struct>\n<union id=\"%s\">\n<field name=\"value\" type=\"uint%u\"/>\n"
		   "<field name=\"flags\" type=\"%s_flags\"/>\n<field name=\"\" type=\"%s_bits\"/>\n</union>\n",
		   t->type, bits, t->type, t->type);
}

/* As wide as the registers that have it, which are all the same in a layout; 0: there are none. */
static unsigned type_bits(const struct reg_bits *t, enum reg_layout l)
{
	for (unsigned i = 0; i < REG_COUNT; i++)
		if (reg_table[i].view[l].name && !strcmp(reg_table[i].type[l], t->type))
			return reg_table[i].view[l].bits;
	return 0;
}

static void write_vec128(struct out *o)
{
	for (size_t i = 0; i < COUNT(vec128_views); i++)
		out_printf(o, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>\n", vec128_views[i].id,
			   vec128_views[i].type, vec128_views[i].count);
	out_puts(o, "<union id=\"vec128\">\n");
	for (size_t i = 0; i < COUNT(vec128_views); i++)
		out_printf(o, "<field name=\"%s\" type=\"%s\"/>\n", vec128_views[i].field, vec128_views[i].id);
	out_puts(o, "<field name=\"uint128\" type=\"uint128\"/>\n</union>\n");
}

static void write_types(const struct tdesc *d, enum reg_feature f, struct out *o)
{
	const struct reg_bits *t;

	for (size_t i = 0; (t = reg_bits_at(i)); i++)
		if (t->feature == f && (t->plain || !d->plain) && type_bits(t, d->layout))
			write_bits(t, type_bits(t, d->layout), o);
	if (f == RF_SSE || f == RF_AVX512)
		write_vec128(o);
	if (f == RF_AVX512)
		out_puts(o, "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>\n");
}

/* The register set a client may show it in; gdb goes by names and types on x86, lldb by this. */
static const char *reg_set(const struct reg_info *r, enum reg_feature f)
{
	if (f == RF_SYSTEM && r->group != RG_CONTROL && r->group != RG_GENERAL)
		return reg_group_name(r->group);
	if (f == RF_SYSTEM || f == RF_PKEYS)
		return "system";
	if (r->group == RG_X87)
		return "float";
	return f == RF_SSE || f == RF_AVX || f == RF_AVX512 ? "vector" : "general";
}

static const char *type_of(const struct tdesc *t, const struct reg_info *r)
{
	const struct reg_bits *bits = t->plain ? reg_bits_of(r->type[t->layout]) : NULL;

	if (!bits || bits->plain)
		return r->type[t->layout];
	return r->view[t->layout].bits == 64 ? "int64" : "int32";
}

static void write_feature(struct machine *m, const struct tdesc *t, enum reg_feature f, struct out *o)
{
	enum reg_layout l = t->layout;
	bool open = false;

	for (unsigned i = 0; i < REG_COUNT; i++) {
		const struct reg_info *r = &reg_table[i];

		if (!r->view[l].name || feature_of(r, l) != f || !machine_reg_present(m, (enum reg_id)i))
			continue;
		if (!open) {
			out_printf(o, "<feature name=\"%s\">\n", reg_feature_name(f));
			write_types(t, f, o);
			open = true;
		}
		out_printf(o, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%d\" group=\"%s\"/>\n",
			   r->view[l].name, r->view[l].bits, type_of(t, r), r->view[l].num, reg_set(r, f));
	}
	if (open)
		out_puts(o, "</feature>\n");
}

void tdesc_write_target(struct machine *m, const struct tdesc *t, struct out *o)
{
	out_printf(o,
		   "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
		   "<target version=\"1.0\">\n"
		   "<architecture>%s</architecture>\n<osabi>none</osabi>\n",
		   t->arch);
	for (unsigned f = 0; f < RF_COUNT; f++)
		write_feature(m, t, (enum reg_feature)f, o);
	out_puts(o, "</target>\n");
}

const char *tdesc_activity(struct machine *m, unsigned cpu)
{
	struct cpu_status st;

	return machine_cpu_status(m, cpu, &st, NULL) ? "running" : st.activity;
}

void tdesc_task(struct machine *m, unsigned cpu, char ret[TDESC_TASK_MAX])
{
	struct kernel_task t;

	*ret = '\0';
	if (machine_kernel_current(m, cpu, &t, NULL))
		return;
	for (char *p = t.comm; *p; p++)
		if (*p < ' ' || *p > '~' || strchr("<>&\"", *p))
			*p = '?';
	snprintf(ret, TDESC_TASK_MAX, ", %s (pid %d)", t.comm, t.pid);
}

void tdesc_write_threads(struct machine *m, const char *process, struct out *o)
{
	char task[TDESC_TASK_MAX];

	out_puts(o, "<?xml version=\"1.0\"?>\n<threads>\n");
	for (unsigned i = 0; i < machine_info(m)->cpus; i++) {
		tdesc_task(m, i, task);
		out_printf(o, "<thread id=\"%s%x\" core=\"%u\" name=\"CPU#%u\">%s%s</thread>\n", process, i + 1, i, i,
			   tdesc_activity(m, i), task);
	}
	out_puts(o, "</threads>\n");
}
