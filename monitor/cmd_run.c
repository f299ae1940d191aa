/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Run control: continue, stop, stepi, until, reset, wait, cpu, quit. */
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/notice.h"
#include "monitor/render.h"
#include "monitor/script.h"
#include "monitor/text.h"

#define STEPS_A_TURN 256        /* before the loop looks after others */
#define STEP_SPIN_US 100

/* How it ended: the stop, as the notice had it. */
static void set_stop(struct task *t, const struct stop_event *ev)
{
	json_decref(t->result);
	t->result = notice_stop(t->s->mon, ev);
}

static int resume(struct task *t, enum action_kind one, unsigned cpu, struct err *err)
{
	struct run_action acts[MACHINE_CPUS_MAX] = { { 0 } };
	unsigned n = machine_info(task_machine(t))->cpus;
	int r;

	for (unsigned i = 0; i < n && i < MACHINE_CPUS_MAX; i++)
		acts[i].kind = one == ACT_CONT ? ACT_CONT : i == cpu ? one : ACT_STAY;
	t->s->mon->resuming = true;
	r = machine_resume(task_machine(t), acts, err);
	if (r)
		t->s->mon->resuming = false;
	return r;
}

/* -- waiting for the next stop -- */

static bool stop_ends_it(struct task *t, const struct stop_event *ev)
{
	set_stop(t, ev);
	task_finish(t, 0);
	return false;
}

static void still_runs(struct task *t)
{
	task_finish(t, err_set(&t->err, ETIMEDOUT, "the guest still runs"));
}

static const struct task_wait until_stop = { .stopped = stop_ends_it, .timeout = still_runs };
static const struct task_wait waiting = { .stopped = stop_ends_it, .timeout = still_runs, .passes = true };

static int exec_wait(struct task *t, struct err *err)
{
	const char *p = t->args, *word;
	uint64_t ms = 0;
	size_t len;

	word = task_word(&p, &len);
	if (len && (text_seconds(word, len, &ms) || *p))
		return task_usage(t, err);
	if (machine_state(task_machine(t)) == MACHINE_RUNNING) {
		task_wait(t, &waiting, NULL, ms);
		/* A time limit of none at all is over at once. */
		if (len && !ms)
			still_runs(t);
		return CMD_WAITING;
	}
	set_stop(t, machine_last_stop(task_machine(t)));
	return 0;
}

/* -- starting and stopping -- */

static int exec_continue(struct task *t, struct err *err)
{
	int r = task_need_stopped(t, err);

	if (!r)
		r = resume(t, ACT_CONT, 0, err);
	if (!r)
		t->result = json_pack("{s:s}", "state", "running");
	return r;
}

/* In a script the next line finds the guest stopped; at a prompt nobody waits. */
static int exec_stop(struct task *t, struct err *err)
{
	struct machine *m = task_machine(t);

	(void)err;
	if (machine_state(m) != MACHINE_RUNNING) {
		set_stop(t, machine_last_stop(m));
		return 0;
	}
	if (t->s->kind == SESSION_SCRIPT)
		task_wait(t, &until_stop, NULL, 0);
	else
		t->result = json_pack("{s:s}", "state", "stopping");
	t->s->mon->stop_asked = true;
	machine_stop(m);
	return t->wait ? CMD_WAITING : 0;
}

static int exec_until(struct task *t, struct err *err)
{
	struct break_spec spec = { .kind = BREAK_SOFT, .space = BREAK_ANY_SPACE, .cpu = t->s->cpu };
	struct monitor *mon = t->s->mon;
	const char *p = t->args;
	int r;

	if (!*p)
		return task_usage(t, err);
	r = task_need_stopped(t, err);
	if (!r)
		r = task_place(t, &p, &spec.gva, err);
	if (!r)
		r = task_end(t, p, err);
	if (!r)
		r = brks_until(&mon->breaks, &spec, err);
	if (r)
		return r;
	if (t->s->kind == SESSION_SCRIPT)
		task_wait(t, &until_stop, NULL, 0);
	else
		t->result = json_pack("{s:s}", "state", "running");
	r = resume(t, ACT_CONT, 0, err);
	if (r) {
		brks_drop_until(&mon->breaks);
		json_decref(t->result);
		t->result = NULL;
		return r;
	}
	return t->wait ? CMD_WAITING : 0;
}

static int exec_reset(struct task *t, struct err *err)
{
	int r;

	if (t->s->kind == SESSION_SCRIPT)
		task_wait(t, &until_stop, NULL, 0);
	r = machine_reset(task_machine(t), err);
	if (r)
		return r;
	if (t->s->from_gdb)
		t->result = json_pack("{s:s}", "text",
				      "the machine was reset; gdb must refresh: maintenance flush register-cache");
	else if (!t->wait)
		t->result = json_pack("{s:s}", "state", "reset");
	return t->wait ? CMD_WAITING : 0;
}

/* -- stepping -- */

struct stepping {
	uint64_t left;          /* steps after the one that is under way */
	unsigned cpu;
	bool again;             /* the last one is done, the next has to be started */
};

static bool step_stopped(struct task *t, const struct stop_event *ev)
{
	struct stepping *s = t->data;

	if (ev->reason == STOP_STEP && s->left) {
		s->left--;
		s->again = true;
		return true;
	}
	return stop_ends_it(t, ev);
}

static void step_advance(struct task *t)
{
	struct stepping *s = t->data;
	int r = 0;

	for (unsigned i = 0; i < STEPS_A_TURN && s->again && !t->finished; i++) {
		s->again = false;
		r = resume(t, ACT_STEP, s->cpu, &t->err);
		if (r) {
			task_finish(t, r);
			return;
		}
		machine_poll(task_machine(t), STEP_SPIN_US);
	}
	if (s->again)
		monitor_kick(t->s->mon);
}

/* The step that is under way, or the next one, is the last: its stop is told as any other. */
static void step_interrupt(struct task *t)
{
	struct stepping *s = t->data;

	s->left = 0;
}

static void step_drop(struct task *t)
{
	free(t->data);
}

static const struct task_wait until_stepped = {
	.stopped = step_stopped, .advance = step_advance, .interrupt = step_interrupt, .drop = step_drop,
};

static int exec_stepi(struct task *t, struct err *err)
{
	struct stepping *s;
	const char *p = t->args;
	uint64_t n = 1;
	int r = task_need_stopped(t, err);

	if (!r && *p)
		r = task_expr(t, &p, &n, err);
	if (!r)
		r = task_end(t, p, err);
	if (r)
		return r;
	if (!n)
		return task_malformed(t, err_set(err, EINVAL, "zero steps are none"));
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	s->left = n - 1;
	s->cpu = t->s->cpu;
	task_wait(t, &until_stepped, s, 0);
	r = resume(t, ACT_STEP, s->cpu, err);
	return r ? r : CMD_WAITING;
}

/* -- the rest -- */

static int exec_cpu(struct task *t, struct err *err)
{
	unsigned cpus = machine_info(task_machine(t))->cpus;
	const char *p = t->args;
	uint64_t n;
	int r;

	if (*p) {
		r = task_expr(t, &p, &n, err);
		if (!r)
			r = task_end(t, p, err);
		if (r)
			return r;
		if (n >= cpus)
			return err_set(err, EINVAL, "there is no vCPU %" PRIu64 ": the last is %u", n, cpus - 1);
		t->s->cpu = (unsigned)n;
	}
	t->result = json_pack("{s:i, s:i}", "cpu", (int)t->s->cpu, "cpus", (int)cpus);
	return 0;
}

static void render_cpu(const json_t *result, struct out *o)
{
	out_printf(o, "cpu %" PRIu64 " of %" PRIu64 "\n", data_u64(result, "cpu"), data_u64(result, "cpus"));
}

static int exec_quit(struct task *t, struct err *err)
{
	struct script *s = t->s->script;
	const char *p = t->args;
	uint64_t status = 0;
	int r;

	if (*p) {
		if (!s)
			return task_malformed(t, err_set(err, EINVAL, "a status is for scripts"));
		r = task_expr(t, &p, &status, err);
		if (!r)
			r = task_end(t, p, err);
		if (r)
			return r;
		if (status > 255)
			return task_malformed(t, err_set(err, EINVAL, "a status is at most 255"));
	}
	if (s)
		script_quit(s, (int)status);
	if (!s || !script_is_run(s))
		monitor_quit(t->s->mon);
	return 0;
}

static const struct cmd rows[] = {
	{ "continue", "c", "", "resume every vCPU",
	  "Returns at once; a notice tells of the next stop.  A script waits for it with `wait`.", CMD_RUN,
	  COMPLETE_NONE, exec_continue, NULL },
	{ "stop", NULL, "", "stop every vCPU", "In a script it returns when they have stopped.", 0, COMPLETE_NONE,
	  exec_stop, NULL },
	{ "stepi", "si", "[N]", "step the selected vCPU by N instructions (1)",
	  "The other vCPUs stay where they are.  Ends early at any other stop.  An empty line repeats it.",
	  CMD_RUN | CMD_REPEAT, COMPLETE_EXPR, exec_stepi, NULL },
	{ "until", "u", "EXPR|FILE:LINE", "resume every vCPU until one reaches address EXPR",
	  "Sets a breakpoint there that goes at the next stop, whatever stops the guest.\n"
	  "In a script it returns at that stop.", CMD_RUN, COMPLETE_EXPR, exec_until, NULL },
	{ "reset", NULL, "", "start over: memory, devices and vCPUs as after loading",
	  "Breakpoints stay.  The guest is stopped afterwards.", 0, COMPLETE_NONE, exec_reset, render_text },
	{ "wait", NULL, "[TIMEOUT]", "wait until the guest stops",
	  "Returns at once when it is stopped already.  TIMEOUT is in seconds (0.5 is half of one); when it is\n"
	  "over the command fails.  Without it, there is no limit.", CMD_RUN, COMPLETE_NONE, exec_wait, NULL },
	{ "cpu", NULL, "[N]", "select vCPU N, or show which one is selected",
	  "stepi, registers, memory and expressions are the selected vCPU's.  A stop selects the vCPU it\n"
	  "concerns.",
	  0, COMPLETE_NONE, exec_cpu, render_cpu },
	{ "quit", "q", "[STATUS]", "end the program", "In a script: with exit status STATUS, 0 to 255.", 0,
	  COMPLETE_NONE, exec_quit, NULL },
};

const struct cmd_group cmd_run_group = { "run control", rows, sizeof(rows) / sizeof(rows[0]) };
