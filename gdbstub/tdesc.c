/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/tdesc.h"

struct tdesc tdesc_choose(struct machine *m)
{
	static const struct tdesc long_mode = { RL_X86_64, "i386:x86-64" };
	static const struct tdesc protected_mode = { RL_I386, "i386" };
	static const struct tdesc real_mode = { RL_I386, "i8086" };
	struct cpu_status st = { .code_bits = 64 };

	switch (machine_info(m)->image_bits) {
	case 64:
		return long_mode;
	case 32:
		return protected_mode;
	}
	if (!machine_hold(m, NULL)) {
		struct cpu_status now;

		if (!machine_cpu_status(m, 0, &now, NULL))
			st = now;
		machine_release(m);
	}
	return st.code_bits == 64 ? long_mode : st.code_bits == 32 ? protected_mode : real_mode;
}

/* gdb's own segments feature is not valid beside its 32-bit core: those rows are free-form then. */
static enum reg_feature feature_of(const struct reg_info *r, enum reg_layout l)
{
	return l == RL_I386 && r->feature == RF_SEGMENTS ? RF_SYSTEM : r->feature;
}

/* Single bits only: gdb prints a field of several even when it is 0. */
struct flag_bit {
	const char *name;
	unsigned bit;
};

static const struct flag_bit eflags_bits[] = {
	{ "CF", 0 },  { "PF", 2 },  { "AF", 4 },  { "ZF", 6 },  { "SF", 7 },  { "TF", 8 },
	{ "IF", 9 },  { "DF", 10 }, { "OF", 11 }, { "NT", 14 }, { "RF", 16 }, { "VM", 17 },
	{ "AC", 18 }, { "VIF", 19 }, { "VIP", 20 }, { "ID", 21 },
};

static const struct flag_bit mxcsr_bits[] = {
	{ "IE", 0 }, { "DE", 1 }, { "ZE", 2 }, { "OE", 3 },  { "UE", 4 },  { "PE", 5 },  { "DAZ", 6 },
	{ "IM", 7 }, { "DM", 8 }, { "ZM", 9 }, { "OM", 10 }, { "UM", 11 }, { "PM", 12 }, { "FZ", 15 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The <flags> types that features define for themselves. */
static const struct {
	enum reg_feature feature;
	const char *id;
	const struct flag_bit *bits;
	size_t count;
} flags_types[] = {
	{ RF_CORE, "i386_eflags", eflags_bits, COUNT(eflags_bits) },
	{ RF_SSE, "i386_mxcsr", mxcsr_bits, COUNT(mxcsr_bits) },
};

/* The views gdb gives of an SSE register. */
static const struct {
	const char *field, *id, *type;
	unsigned count;
} vec128_views[] = {
	{ "v4_float", "v4f", "ieee_single", 4 }, { "v2_double", "v2d", "ieee_double", 2 },
	{ "v16_int8", "v16i8", "int8", 16 },     { "v8_int16", "v8i16", "int16", 8 },
	{ "v4_int32", "v4i32", "int32", 4 },     { "v2_int64", "v2i64", "int64", 2 },
};

static void write_types(enum reg_feature f, struct out *o)
{
	for (size_t i = 0; i < COUNT(flags_types); i++) {
		if (flags_types[i].feature != f)
			continue;
		out_printf(o, "<flags id=\"%s\" size=\"4\">\n", flags_types[i].id);
		for (size_t k = 0; k < flags_types[i].count; k++) {
			const struct flag_bit *b = &flags_types[i].bits[k];

			out_printf(o, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>\n", b->name, b->bit, b->bit);
		}
		out_puts(o, "</flags>\n");
	}
	if (f != RF_SSE)
		return;
	for (size_t i = 0; i < COUNT(vec128_views); i++)
		out_printf(o, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>\n", vec128_views[i].id,
			   vec128_views[i].type, vec128_views[i].count);
	out_puts(o, "<union id=\"vec128\">\n");
	for (size_t i = 0; i < COUNT(vec128_views); i++)
		out_printf(o, "<field name=\"%s\" type=\"%s\"/>\n", vec128_views[i].field, vec128_views[i].id);
	out_puts(o, "<field name=\"uint128\" type=\"uint128\"/>\n</union>\n");
}

/* The register set a client may show it in; gdb goes by names and types on x86, lldb by this. */
static const char *reg_set(const struct reg_info *r, enum reg_feature f)
{
	if (f == RF_SYSTEM)
		return "system";
	if (r->group == RG_X87)
		return "float";
	return f == RF_SSE || f == RF_AVX ? "vector" : "general";
}

static void write_feature(struct machine *m, enum reg_layout l, enum reg_feature f, struct out *o)
{
	bool open = false;

	for (unsigned i = 0; i < REG_COUNT; i++) {
		const struct reg_info *r = &reg_table[i];

		if (!r->view[l].name || feature_of(r, l) != f || !machine_reg_present(m, (enum reg_id)i))
			continue;
		if (!open) {
			out_printf(o, "<feature name=\"%s\">\n", reg_feature_name(f));
			write_types(f, o);
			open = true;
		}
		out_printf(o, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%d\" group=\"%s\"/>\n",
			   r->view[l].name, r->view[l].bits, r->type[l], r->view[l].num, reg_set(r, f));
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
		write_feature(m, t->layout, (enum reg_feature)f, o);
	out_puts(o, "</target>\n");
}

const char *tdesc_activity(struct machine *m, unsigned cpu)
{
	struct cpu_status st;

	return machine_cpu_status(m, cpu, &st, NULL) ? "running" : st.activity;
}

void tdesc_write_threads(struct machine *m, struct out *o)
{
	out_puts(o, "<?xml version=\"1.0\"?>\n<threads>\n");
	for (unsigned i = 0; i < machine_info(m)->cpus; i++)
		out_printf(o, "<thread id=\"%x\" core=\"%u\" name=\"CPU#%u\">%s</thread>\n", i + 1, i, i,
			   tdesc_activity(m, i));
	out_puts(o, "</threads>\n");
}
