/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/tdesc.h"

#include <stdio.h>
#include <string.h>

static unsigned choose_by_machine(struct machine *m, unsigned cpu)
{
	unsigned image_bits = machine_info(m)->image_bits, code_bits = 0;
	struct cpu_status st;

	if (!image_bits && !machine_hold(m, NULL)) {
		if (!machine_cpu_status(m, cpu, &st, NULL))
			code_bits = st.code_bits;
		machine_release(m);
	}
	return arch_desc.choose(image_bits, code_bits);
}

struct tdesc tdesc_choose(struct machine *m, unsigned cpu, const struct tdesc_wish *wish)
{
	unsigned choice = wish->choice == REG_CHOICE_AUTO ? choose_by_machine(m, cpu) : wish->choice;
	const struct arch_choice *as = &arch_desc.choices[choice];

	return (struct tdesc){ .as = as, .layout = as->layout, .plain = wish->plain };
}

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
static unsigned type_bits(const struct reg_bits *t, unsigned l)
{
	for (unsigned i = 0; i < arch_desc.nregs; i++) {
		const struct reg_info *r = &arch_desc.regs[i];

		if (r->view[l].name && !strcmp(r->type[l], t->type))
			return r->view[l].bits;
	}
	return 0;
}

static void write_types(const struct tdesc *d, unsigned f, struct out *o)
{
	const struct reg_bits *t;

	for (size_t i = 0; (t = reg_bits_at(i)); i++)
		if (t->feature == f && (t->plain || !d->plain) && type_bits(t, d->layout))
			write_bits(t, type_bits(t, d->layout), o);
	if (arch_desc.features[f].types)
		out_puts(o, arch_desc.features[f].types);
}

static const char *type_of(const struct tdesc *t, const struct reg_info *r)
{
	const struct reg_bits *bits = t->plain ? reg_bits_of(r->type[t->layout]) : NULL;

	if (!bits || bits->plain)
		return r->type[t->layout];
	return r->view[t->layout].bits == 64 ? "int64" : "int32";
}

static void write_feature(struct machine *m, const struct tdesc *t, unsigned f, struct out *o)
{
	const unsigned l = t->layout;
	bool open = false;

	for (reg_id i = 0; i < arch_desc.nregs; i++) {
		const struct reg_info *r = &arch_desc.regs[i];

		if (!r->view[l].name || arch_desc.features[r->feature].in[l] != f || !machine_reg_present(m, i))
			continue;
		if (!open) {
			out_printf(o, "<feature name=\"%s\">\n", arch_desc.features[f].name);
			write_types(t, f, o);
			open = true;
		}
		out_printf(o, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%d\" group=\"%s\"/>\n",
			   r->view[l].name, r->view[l].bits, type_of(t, r), r->view[l].num, arch_desc.set(r, f));
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
		   t->as->gdb);
	for (unsigned f = 0; f < arch_desc.nfeatures; f++)
		write_feature(m, t, f, o);
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
