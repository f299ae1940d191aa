/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory slots: slot list, add, move, flags, remove, split, resize, discard, remap, save, check. */
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/map.h"
#include "monitor/render.h"
#include "monitor/slotarg.h"

#define FAULTS_MAX 100

/* {"id": ...} with the machine's note, if it has one. */
static json_t *slot_result(unsigned id, const struct slot_note *note)
{
	json_t *v = json_pack("{s:I}", "id", (json_int_t)id);

	if (note->text[0])
		json_object_set_new(v, "note", data_text(note->text, strnlen(note->text, sizeof(note->text))));
	return v;
}

static void render_note(const json_t *result, struct out *o)
{
	if (*data_str(result, "note"))
		out_printf(o, "note: %s\n", data_str(result, "note"));
}

/* ID and N expressions to the end of the arguments. */
static int take_numbers(struct task *t, unsigned *id, uint64_t *v, size_t n, struct err *err)
{
	const char *p = t->args;
	int r = slotarg_id(t, &p, id, err);

	for (size_t i = 0; !r && i < n; i++)
		r = *p ? task_expr(t, &p, &v[i], err) : task_usage(t, err);
	return r ? r : task_end(t, p, err);
}

static int exec_add(struct task *t, struct err *err)
{
	struct slot_spec spec = { 0 };
	struct slot_note note = { "" };
	const char *p = t->args;
	int r = slotarg_id(t, &p, &spec.id, err);

	if (!r)
		r = *p ? task_expr(t, &p, &spec.gpa, err) : task_usage(t, err);
	if (!r)
		r = *p ? task_expr(t, &p, &spec.size, err) : task_usage(t, err);
	if (!r)
		r = slotarg_spec(t, &p, &spec, err);
	if (!r)
		r = machine_slot_add(task_machine(t), &spec, &note, err);
	if (!r)
		t->result = slot_result(spec.id, &note);
	free((char *)spec.path);
	return r;
}

static int exec_move(struct task *t, struct err *err)
{
	struct slot_note note = { "" };
	uint64_t gpa;
	unsigned id;
	int r = take_numbers(t, &id, &gpa, 1, err);

	if (!r)
		r = machine_slot_move(task_machine(t), id, gpa, &note, err);
	if (!r)
		t->result = slot_result(id, &note);
	return r;
}

static int exec_flags(struct task *t, struct err *err)
{
	const bool *set_log, *set_ro;
	const char *p = t->args;
	bool log, ro;
	unsigned id;
	int r = slotarg_id(t, &p, &id, err);

	if (!r)
		r = slotarg_flags(t, p, &log, &ro, &set_log, &set_ro, err);
	return r ? r : machine_slot_flags(task_machine(t), id, set_log, set_ro, err);
}

static int exec_remove(struct task *t, struct err *err)
{
	struct slot_note note = { "" };
	unsigned id;
	int r = take_numbers(t, &id, NULL, 0, err);

	if (!r)
		r = machine_slot_remove(task_machine(t), id, &note, err);
	if (!r)
		t->result = slot_result(id, &note);
	return r;
}

static int exec_split(struct task *t, struct err *err)
{
	unsigned id, upper;
	uint64_t offset;
	int r = take_numbers(t, &id, &offset, 1, err);

	if (!r)
		r = machine_slot_split(task_machine(t), id, offset, &upper, err);
	if (!r)
		t->result = json_pack("{s:I, s:I}", "id", (json_int_t)id, "upper", (json_int_t)upper);
	return r;
}

static void render_split(const json_t *result, struct out *o)
{
	out_printf(o, "slot %s is the upper part\n", slot_name((unsigned)data_u64(result, "upper")).text);
}

static int exec_resize(struct task *t, struct err *err)
{
	uint64_t size;
	unsigned id;
	int r = take_numbers(t, &id, &size, 1, err);

	return r ? r : machine_slot_resize(task_machine(t), id, size, err);
}

static int exec_discard(struct task *t, struct err *err)
{
	uint64_t v[2];
	unsigned id;
	int r = take_numbers(t, &id, v, 2, err);

	return r ? r : machine_slot_discard(task_machine(t), id, v[0], v[1], err);
}

static int exec_remap(struct task *t, struct err *err)
{
	uint64_t offset, size, file_offset;
	const char *p = t->args;
	char *path = NULL;
	unsigned id;
	int r = slotarg_id(t, &p, &id, err);

	if (!r)
		r = *p ? task_expr(t, &p, &offset, err) : task_usage(t, err);
	if (!r)
		r = *p ? task_expr(t, &p, &size, err) : task_usage(t, err);
	if (!r && strncmp(p, "file:", 5))
		r = task_usage(t, err);
	if (!r) {
		p += 5;
		r = slotarg_file(t, &p, &path, &file_offset, err);
	}
	if (!r)
		r = task_end(t, p, err);
	if (!r)
		r = machine_slot_remap(task_machine(t), id, offset, size, path, file_offset, err);
	free(path);
	return r;
}

static int exec_save(struct task *t, struct err *err)
{
	const char *p = t->args, *path;
	unsigned id;
	int r = slotarg_id(t, &p, &id, err);

	if (!r)
		r = slotarg_path(t, p, &path, err);
	return r ? r : machine_slot_save(task_machine(t), id, path, err);
}

/* -- check -- */

struct faults {
	json_t *list;
	size_t n;
};

static void add_fault(void *arg, const struct slot_fault *f)
{
	struct faults *a = arg;

	if (a->n++ < FAULTS_MAX)
		json_array_append_new(a->list, json_pack("{s:I, s:o}", "id", (json_int_t)f->id, "text",
							 data_text(f->text, strnlen(f->text, sizeof(f->text)))));
}

static int exec_check(struct task *t, struct err *err)
{
	struct faults f = { .list = json_array() };
	struct slot_info s;
	size_t slots = 0;
	int r = machine_slot_check(task_machine(t), add_fault, &f, err);

	if (r) {
		json_decref(f.list);
		return r;
	}
	while (machine_slot_list(task_machine(t), slots, &s))
		slots++;
	t->result = json_pack("{s:I, s:o}", "slots", (json_int_t)slots, "faults", f.list);
	return f.n ? err_set(err, EIO, "%zu difference%s between the table and the kernel", f.n,
			     f.n > 1 ? "s" : "")
		   : 0;
}

static void render_check(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "faults"), *row;
	uint64_t slots = data_u64(result, "slots");
	size_t i;

	json_array_foreach(list, i, row)
		out_printf(o, "slot %s: %s\n", slot_name((unsigned)data_u64(row, "id")).text, data_str(row,
			   "text"));
	if (!json_array_size(list))
		out_printf(o, "the kernel has what the table says: %" PRIu64 " slot%s\n", slots,
			   slots == 1 ? "" : "s");
}

static const struct cmd rows[] = {
	{ "slot list", NULL, "", "the memory slots, a line each", "info slots draws them.", CMD_PARKED,
	  COMPLETE_NONE,
	  map_exec, map_render_list },
	{ "slot add", NULL,
	  "ID GPA SIZE [backing=anon|memfd|file:PATH[@OFF]|hugetlb[:2M|1G]|alias:ID[+OFF]|rma] [shared|private] "
	  "[log] [ro] [as=SPACE]", "give the guest memory at GPA",
	  "The backing is anonymous memory, a memfd, a file from OFF on (shared: the guest's writes reach it;\n"
	  "private, the default: they do not), huge pages, or another slot's memory a second time.  A PATH with\n"
	  "spaces stands in quotes.  log: dirty logging is on; ro: the guest's writes exit as MMIO.\n"
	  "as=1: in the address space of system management mode, where KVM has one: the slot is then named 1:ID.\n"
	  "GPA and SIZE are multiples of 4K.  A running guest is held for the change, and sees all of it at once.",
	  CMD_PARKED, COMPLETE_SLOT, exec_add, render_note },
	{ "slot move", NULL, "ID GPA", "move a slot to GPA with its contents", NULL, CMD_PARKED, COMPLETE_SLOT,
	  exec_move, render_note },
	{ "slot flags", NULL, "ID [log|nolog] [ro|rw]", "switch dirty logging or read-only on or off",
	  "KVM changes logging in place; read-only is made by delete and create, contents kept.", CMD_PARKED,
	  COMPLETE_SLOT, exec_flags, NULL },
	{ "slot remove", NULL, "ID", "take a slot away from the guest",
	  "The guest's accesses there then exit as MMIO.", CMD_PARKED, COMPLETE_SLOT, exec_remove, render_note },
	{ "slot split", NULL, "ID OFF", "cut a slot in two, OFF bytes from its start",
	  "The guest notices nothing.  The upper part gets the lowest free number.", CMD_PARKED, COMPLETE_SLOT,
	  exec_split, render_split },
	{ "slot resize", NULL, "ID SIZE", "give a slot another size",
	  "KVM cannot resize a slot: this deletes it and creates one of the new size, contents kept.  What is\n"
	  "new reads as zero; what is cut off is lost.", CMD_PARKED, COMPLETE_SLOT, exec_resize, NULL },
	{ "slot discard", NULL, "ID OFF SIZE", "throw pages of a slot away",
	  "By madvise() on the backing: they read as zero, or as the file, from then on, and the guest sees it\n"
	  "at once (KVM_CAP_SYNC_MMU).", CMD_PARKED, COMPLETE_SLOT, exec_discard, NULL },
	{ "slot remap", NULL, "ID OFF SIZE file:PATH[@OFF]", "map a file over pages of a slot",
	  "By mmap() over the backing, which the guest sees at once (KVM_CAP_SYNC_MMU).", CMD_PARKED,
	  COMPLETE_SLOT, exec_remap, NULL },
	{ "slot save", NULL, "ID FILE", "write a slot's memory to a new file",
	  "FILE is all that follows ID.  A file that exists is not written over.", CMD_PARKED, COMPLETE_SLOT,
	  exec_save, NULL },
	{ "slot check", NULL, "", "compare the slot table with what the kernel does",
	  "Probes each slot.  Fails when they differ.", CMD_PARKED, COMPLETE_NONE, exec_check, render_check },
};

const struct cmd_group cmd_slot_group = { "slots", rows, sizeof(rows) / sizeof(rows[0]) };
