/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Model-specific registers: the known ones by name, any by number. */
#include "monitor/x86/parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "monitor/core.h"
#include "monitor/render.h"

/* Intel SDM vol. 4, chapter 2; AMD APM vol. 2, appendix A; Linux's msr.rst for KVM's own. */
static const struct msr_name {
	const char *name;
	uint32_t index;
} names[] = {
	{ "tsc", 0x10 },
	{ "apic_base", 0x1b },
	{ "feature_control", 0x3a },
	{ "tsc_adjust", 0x3b },
	{ "spec_ctrl", 0x48 },
	{ "ucode_rev", 0x8b },
	{ "sysenter_cs", 0x174 },
	{ "sysenter_esp", 0x175 },
	{ "sysenter_eip", 0x176 },
	{ "mcg_cap", 0x179 },
	{ "mcg_status", 0x17a },
	{ "misc_enable", 0x1a0 },
	{ "debugctl", 0x1d9 },
	{ "pat", 0x277 },
	{ "tsc_deadline", 0x6e0 },
	{ "xss", 0xda0 },
	{ "kvm_wall_clock", 0x4b564d00 },
	{ "kvm_system_time", 0x4b564d01 },
	{ "kvm_async_pf", 0x4b564d02 },
	{ "kvm_steal_time", 0x4b564d03 },
	{ "kvm_pv_eoi", 0x4b564d04 },
	{ "efer", 0xc0000080 },
	{ "star", 0xc0000081 },
	{ "lstar", 0xc0000082 },
	{ "cstar", 0xc0000083 },
	{ "fmask", 0xc0000084 },
	{ "fs_base", 0xc0000100 },
	{ "gs_base", 0xc0000101 },
	{ "k_gs_base", 0xc0000102 },
	{ "tsc_aux", 0xc0000103 },
};

#define NNAMES (sizeof(names) / sizeof(names[0]))

/* NAME is "" for an MSR that has none here. */
static json_t *msr_data(uint32_t index, uint64_t value)
{
	const char *name = "";

	for (size_t i = 0; i < NNAMES; i++)
		if (names[i].index == index)
			name = names[i].name;
	return json_pack("{s:o, s:s, s:o}", "index", data_hex(index), "name", name, "value", data_hex(value));
}

static void render_msr(const json_t *row, struct out *o)
{
	out_printf(o, "%08" PRIx64 " %-16s 0x%" PRIx64 "\n", data_u64(row, "index"), data_str(row, "name"),
		   data_u64(row, "value"));
}

/* The known ones that this vCPU has. */
static int exec_info(struct task *t, struct err *err)
{
	json_t *list = json_array();
	uint64_t value;
	int r;

	for (size_t i = 0; i < NNAMES; i++) {
		r = machine_special_read(task_machine(t), t->s->cpu, names[i].index, &value, err);
		if (r == -EBUSY) {
			json_decref(list);
			return r;
		}
		if (!r)
			json_array_append_new(list, msr_data(names[i].index, value));
	}
	t->result = json_pack("{s:i, s:o}", "cpu", (int)t->s->cpu, "msrs", list);
	return 0;
}

static void render_info(const json_t *result, struct out *o)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(result, "msrs"), i, row)
		render_msr(row, o);
}

static bool find_name(const char *word, size_t len, uint32_t *ret)
{
	for (size_t i = 0; i < NNAMES; i++)
		if (strlen(names[i].name) == len && !strncasecmp(names[i].name, word, len)) {
			*ret = names[i].index;
			return true;
		}
	return false;
}

static int get_index(struct task *t, const char **p, uint32_t *ret, struct err *err)
{
	const char *rest = *p, *word;
	uint64_t number;
	size_t len;
	int r;

	word = task_word(&rest, &len);
	if (len > 1 && *word == '$') {
		word++;
		len--;
	}
	if (find_name(word, len, ret)) {
		*p = rest;
		return 0;
	}
	r = task_expr(t, p, &number, err);
	if (!r && number > UINT32_MAX)
		return task_malformed(t, err_set(err, EINVAL, "an MSR's number has 32 bits"));
	if (!r)
		*ret = (uint32_t)number;
	return r;
}

static int exec_msr(struct task *t, struct err *err)
{
	const char *p = t->args;
	uint64_t value;
	uint32_t index = 0;
	bool set;
	int r;

	if (!*p)
		return task_usage(t, err);
	r = get_index(t, &p, &index, err);
	if (r)
		return r;
	set = *p;
	if (set)
		r = task_expr(t, &p, &value, err);
	if (!r)
		r = task_end(t, p, err);
	if (!r && set)
		r = machine_special_write(task_machine(t), t->s->cpu, index, value, err);
	/* Some bits are not what one says. */
	if (!r)
		r = machine_special_read(task_machine(t), t->s->cpu, index, &value, err);
	if (!r)
		t->result = msr_data(index, value);
	return r;
}

static const struct cmd rows[] = {
	{ "info msrs", NULL, "", "the model-specific registers that have names here",
	  "Those this processor has: number, name, value.  msr reads any other by its number.", CMD_PARKED, COMPLETE_NONE,
	  exec_info, render_info },
	{ "msr", NULL, "NAME|INDEX [EXPR]", "read or write a model-specific register",
	  "By a name of info msrs, or by number.  A value the processor would not take is refused.  What is shown after a\n"
	  "write has been read back.", CMD_PARKED, COMPLETE_NONE, exec_msr, render_msr },
};

const struct cmd_group cmd_msr_group = { "model-specific registers", rows, sizeof(rows) / sizeof(rows[0]) };
