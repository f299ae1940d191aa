/* SPDX-License-Identifier: GPL-3.0-or-later */
/* info: registers, cpus, slots, mem, status, host. */
#include "monitor/cmd.h"

#include <inttypes.h>
#include <string.h>

#include "config.h"
#include "monitor/cmd_regs.h"
#include "monitor/core.h"
#include "monitor/map.h"
#include "monitor/notice.h"
#include "monitor/render.h"

#define RANGES_MAX 4096

/* -- cpus -- */

static int exec_cpus(struct task *t, struct err *err)
{
	struct machine *m = task_machine(t);
	json_t *list = json_array(), *row;
	unsigned n = machine_info(m)->cpus;
	struct cpu_status s;
	int r;

	for (unsigned i = 0; i < n; i++) {
		r = machine_cpu_status(m, i, &s, err);
		if (r) {
			json_decref(list);
			return r;
		}
		row = json_pack("{s:i, s:b, s:i, s:s}", "cpu", (int)i, "selected", (int)(i == t->s->cpu),
				arch_desc.privilege, (int)s.privilege, "activity", s.activity);
		json_object_set_new(row, "paging", json_boolean(s.paging));
		notice_add_task(row, m, i);
		notice_add_place(row, m, i, &s);
		json_array_append_new(list, row);
	}
	t->result = json_pack("{s:o}", "cpus", list);
	return 0;
}

static void render_cpus(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "cpus"), *row;
	size_t i;

	json_array_foreach(list, i, row) {
		out_printf(o, "%c%2" PRIu64 "  %-8s %s %" PRIu64 "  %-16s ",
			   data_true(row, "selected") ? '*' : ' ', data_u64(row, "cpu"), data_str(row, "mode"),
			   arch_desc.privilege, data_u64(row, arch_desc.privilege), data_str(row, "activity"));
		notice_render_place(row, o);
		notice_render_task(row, o);
		out_puts(o, "\n");
	}
}

/* -- mem -- */

struct ranges {
	json_t *list;
	bool more;
};

static bool add_range(void *arg, const struct mem_range *r)
{
	struct ranges *a = arg;

	if (json_array_size(a->list) == RANGES_MAX) {
		a->more = true;
		return false;
	}
	json_array_append_new(a->list, json_pack("{s:o, s:o, s:b, s:b, s:b, s:b, s:I}", "start", data_hex(r->gva),
						 "last", data_hex(r->gva + r->size - 1), "writable",
						 (int)r->writable, "user", (int)r->user, "executable",
						 (int)r->executable, "global", (int)r->global, "page_size",
						 (json_int_t)r->page_size));
	return true;
}

static int exec_mem(struct task *t, struct err *err)
{
	struct ranges a = { .list = json_array() };
	int r = machine_mem_ranges(task_machine(t), t->s->cpu, add_range, &a, err);

	if (r) {
		json_decref(a.list);
		return r;
	}
	t->result = json_pack("{s:i, s:o, s:b}", "cpu", (int)t->s->cpu, "ranges", a.list, "truncated",
			      (int)a.more);
	return 0;
}

static void render_mem(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "ranges"), *row;
	size_t i;

	json_array_foreach(list, i, row) {
		uint64_t start = data_u64(row, "start"), last = data_u64(row, "last");

		out_printf(o, "%016" PRIx64 "-%016" PRIx64 "  r%c%c %s%s  ", start, last,
			   data_true(row, "writable") ? 'w' : '-', data_true(row, "executable") ? 'x' : '-',
			   data_true(row, "user") ? "user" : "supervisor",
			   data_true(row, "global") ? " global" : "");
		/* Past the top the size is 2^64, which is shown as a plain range. */
		if (last - start != UINT64_MAX)
			render_size(last - start + 1, o);
		else
			out_puts(o, "everything");
		if (data_u64(row, "page_size")) {
			out_puts(o, "  pages of ");
			render_size(data_u64(row, "page_size"), o);
		}
		out_puts(o, "\n");
	}
	if (!json_array_size(list))
		out_puts(o, "nothing is mapped\n");
	if (data_true(result, "truncated"))
		out_printf(o, "... and more: the first %d ranges are shown\n", RANGES_MAX);
}

/* -- status -- */

static int exec_status(struct task *t, struct err *err)
{
	static const char *const states[] = {
		[MACHINE_STOPPED] = "stopped", [MACHINE_RUNNING] = "running", [MACHINE_ENDED] = "ended",
	};
	struct machine *m = task_machine(t);
	const struct machine_info *i = machine_info(m);
	enum machine_state s = machine_state(m);

	(void)err;
	t->result = json_pack("{s:s, s:o, s:s, s:i, s:i, s:I}", "state", states[s], "image",
			      data_text(i->image, strlen(i->image)), "kind", i->image_kind, "bits",
			      (int)i->image_bits, "cpus", (int)i->cpus, "memory", (json_int_t)i->ram_size);
	if (i->slide)
		json_object_set_new(t->result, "slide", json_integer((json_int_t)i->slide));
	if (s != MACHINE_RUNNING)
		json_object_set_new(t->result, "stop", notice_stop(t->s->mon, machine_last_stop(m)));
	return 0;
}

static void render_status(const json_t *result, struct out *o)
{
	const json_t *stop = json_object_get(result, "stop");
	int64_t slide;

	out_printf(o, "%s: %s image %s, ", data_str(result, "state"), data_str(result, "kind"),
		   data_str(result, "image"));
	render_size(data_u64(result, "memory"), o);
	out_printf(o, " of memory, %" PRIu64 " vCPU%s\n", data_u64(result, "cpus"),
		   data_u64(result, "cpus") == 1 ? "" : "s");
	slide = json_integer_value(json_object_get(result, "slide"));
	if (slide)
		out_printf(o, "the kernel was moved by %s0x%" PRIx64 " from where it is linked\n", slide < 0 ? "-" : "",
			   slide < 0 ? 0 - (uint64_t)slide : (uint64_t)slide);
	if (stop)
		notice_render_head(stop, o);
}

/* -- host -- */

static int exec_host(struct task *t, struct err *err)
{
	json_t *list = json_array();
	struct host_fact f;

	(void)err;
	for (size_t i = 0; machine_host_fact(task_machine(t), i, &f); i++)
		json_array_append_new(list, json_pack("{s:s, s:o, s:s}", "name", f.name, "value",
						      data_text(f.value, strnlen(f.value, sizeof(f.value))),
						      "meaning", f.meaning));
	t->result = json_pack("{s:o}", "facts", list);
	return 0;
}

static void render_host(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "facts"), *row;
	size_t i, width = 0;

	json_array_foreach(list, i, row)
		if (strlen(data_str(row, "name")) > width)
			width = strlen(data_str(row, "name"));
	json_array_foreach(list, i, row)
		out_printf(o, "%-*s  %-12s  %s\n", (int)width, data_str(row, "name"), data_str(row, "value"),
			   data_str(row, "meaning"));
}

static int exec_version(struct task *t, struct err *err)
{
	(void)err;
	t->result = json_pack("{s:s}", "version", PACKAGE_VERSION);
	return 0;
}

static void render_version(const json_t *result, struct out *o)
{
	out_printf(o, "gdbvisor %s\n", data_str(result, "version"));
}

static const struct cmd rows[] = {
	{ "info registers", NULL, "[all|GROUP|NAME...]", "the selected vCPU's registers",
	  "Without argument: the usual ones.  NAME is any register's, as in expressions but without $.",
	  CMD_PARKED, COMPLETE_REGS, regs_exec, regs_render },
	{ "info cpus", NULL, "", "every vCPU: mode, privilege, activity, where it is",
	  "The selected one is marked.  With a Linux kernel's symbols: the task that it runs, too.", CMD_PARKED, COMPLETE_NONE, exec_cpus, render_cpus },
	{ "info slots", NULL, "", "the physical map: slots, holes and MMIO, to scale",
	  "A slot's line says: label, backing, rw or ro, log, who (its writers are recorded), whether\n"
	  "large pages are possible, and how much of it was written since `dirty take`.\n"
	  "slot list has every slot.", CMD_PARKED,
	  COMPLETE_NONE, map_exec, map_render },
	{ "info mem", NULL, "", "what the selected vCPU's page tables map, with its rights", NULL, CMD_PARKED,
	  COMPLETE_NONE, exec_mem, render_mem },
	{ "info status", NULL, "", "the machine, whether it runs, and the last stop", NULL, 0, COMPLETE_NONE,
	  exec_status, render_status },
	{ "info host", NULL, "", "what this host's KVM can do, probed at the start", NULL, 0, COMPLETE_NONE,
	  exec_host, render_host },
	{ "info version", NULL, "", "which gdbvisor this is", "Linux's scripts for gdb ask a remote for it, to know what it is.", 0,
	  COMPLETE_NONE, exec_version, render_version },
};

const struct cmd_group cmd_info_group = { "info", rows, sizeof(rows) / sizeof(rows[0]) };
