/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtrace. */
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>

#include "monitor/core.h"
#include "monitor/render.h"
#include "monitor/stack.h"

#define FRAMES_SHOWN    20

static int exec_backtrace(struct task *t, struct err *err)
{
	struct stack_frame frames[STACK_FRAMES_MAX];
	uint64_t shown = FRAMES_SHOWN;
	const char *p = t->args;
	json_t *list;
	size_t n;
	int r = 0;

	if (*p)
		r = task_expr(t, &p, &shown, err);
	if (!r)
		r = task_end(t, p, err);
	if (!r && (!shown || shown > STACK_FRAMES_MAX))
		r = task_malformed(t, err_set(err, EINVAL, "1 to %d frames can be shown", STACK_FRAMES_MAX));
	if (r)
		return r;
	n = stack_walk(task_machine(t), t->s->cpu, frames, (size_t)shown);
	if (!n)
		return err_set(err, EBUSY, "the vCPU cannot be looked at");
	list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *row = data_place(task_machine(t), frames[i].pc);

		/* A call may be the last of its line, and of its function. */
		data_add_line(row, task_machine(t), frames[i].pc - (i > 0));
		json_object_set_new(row, "level", json_integer((json_int_t)i));
		if (frames[i].at)
			json_object_set_new(row, "at", data_hex(frames[i].at));
		json_object_set_new(row, "guessed", json_boolean(frames[i].guessed));
		json_array_append_new(list, row);
	}
	t->result = json_pack("{s:I, s:o}", "cpu", (json_int_t)t->s->cpu, "frames", list);
	return 0;
}

static void render_backtrace(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "frames"), *row;
	size_t i;

	json_array_foreach((json_t *)list, i, row) {
		out_printf(o, "#%-3" PRIu64 "%s ", data_u64(row, "level"), data_true(row, "guessed") ? "?" : " ");
		render_place(row, o);
		out_puts(o, "\n");
	}
}

static const struct cmd rows[] = {
	{ "backtrace", "bt", "[N]", "the calls that led to where the vCPU is, N of them (20) at most",
	  "By frame pointers; where there are none, every word on the stack that a call may have pushed, with a ?.  gdb, with\n"
	  "the program's unwind information, knows better.", CMD_PARKED, COMPLETE_NONE, exec_backtrace, render_backtrace },
};

const struct cmd_group cmd_stack_group = { "stack", rows, sizeof(rows) / sizeof(rows[0]) };
