/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Linux kernel in the guest: info kernel, info tasks, info modules, dmesg. */
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/render.h"
#include "monitor/slide.h"

#define ROWS_MAX   8192
#define FOLLOW_MS  300          /* between two looks at the log */
#define NS         1000000000u

/* -- where it is -- */

static int exec_kernel(struct task *t, struct err *err)
{
	struct kernel_info i;
	int r = machine_kernel_info(task_machine(t), &i, err);

	if (r)
		return r;
	t->result = json_pack("{s:o, s:o, s:o, s:b}", "banner", data_text(i.banner, strlen(i.banner)), "linked",
			      data_hex(i.linked), "slide", data_hex(i.slide), "mapped", (int)i.mapped);
	if (!i.mapped)
		json_object_set_new(t->result, "gpa", data_hex(i.gpa));
	return 0;
}

static void render_kernel(const json_t *result, struct out *o)
{
	uint64_t linked = data_u64(result, "linked"), slide = data_u64(result, "slide");

	render_clean(data_str(result, "banner"), o);
	out_printf(o, "\n%s at 0x%" PRIx64, data_true(result, "mapped") ? "runs" : "will run", linked + slide);
	out_puts(o, ", ");
	if (slide) {
		slide_write(slide, o);
		out_puts(o, " from ");
	}
	out_puts(o, "where it is linked");
	if (!data_true(result, "mapped"))
		out_printf(o, "; now it is at gpa 0x%" PRIx64, data_u64(result, "gpa"));
	out_puts(o, "\n");
}

/* -- lists -- */

struct rows {
	json_t *list;
	bool more;
};

static bool add_row(struct rows *a, json_t *row)
{
	if (json_array_size(a->list) == ROWS_MAX) {
		a->more = true;
		json_decref(row);
		return false;
	}
	json_array_append_new(a->list, row);
	return true;
}

static bool add_task(void *arg, const struct kernel_task *k)
{
	const char state[2] = { k->state };

	return add_row(arg, json_pack("{s:i, s:i, s:i, s:s, s:b, s:i, s:b, s:o, s:o}", "pid", k->pid, "tgid", k->tgid,
				      "parent", k->parent, "state", state, "kernel", (int)k->kernel, "cpu", k->cpu, "running",
				      (int)k->running, "name", data_text(k->comm, strlen(k->comm)), "address",
				      data_hex(k->gva)));
}

static bool add_module(void *arg, const struct kernel_module *mod)
{
	return add_row(arg, json_pack("{s:o, s:o, s:I, s:s}", "name", data_text(mod->name, strlen(mod->name)),
				      "address", data_hex(mod->gva), "size", (json_int_t)mod->size, "state", mod->state));
}

/* What was read of a list that is broken off is shown, too. */
static int list_done(struct task *t, const char *name, struct rows *a, int r)
{
	if (r && !json_array_size(a->list)) {
		json_decref(a->list);
		return r;
	}
	t->result = json_pack("{s:o, s:b}", name, a->list, "truncated", (int)a->more);
	return r;
}

static void render_more(const json_t *result, struct out *o)
{
	if (data_true(result, "truncated"))
		out_printf(o, "... and more: the first %d are shown\n", ROWS_MAX);
}

static int exec_tasks(struct task *t, struct err *err)
{
	struct rows a = { .list = json_array() };

	return list_done(t, "tasks", &a, machine_kernel_tasks(task_machine(t), add_task, &a, err));
}

static void render_tasks(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "tasks"), *row;
	size_t i;

	out_puts(o, "      pid    tgid  parent  cpu  state  task_struct         name\n");
	json_array_foreach(list, i, row) {
		bool kernel = data_true(row, "kernel");

		out_printf(o, "%c %7" PRId64 " %7" PRId64 " %7" PRId64 "  %3" PRId64 "  %-5s  0x%016" PRIx64 "  %s",
			   data_true(row, "running") ? '*' : ' ', (int64_t)data_u64(row, "pid"),
			   (int64_t)data_u64(row, "tgid"), (int64_t)data_u64(row, "parent"),
			   (int64_t)data_u64(row, "cpu"), data_str(row, "state"), data_u64(row, "address"), kernel ? "[" : "");
		render_clean(data_str(row, "name"), o);
		out_puts(o, kernel ? "]\n" : "\n");
	}
	render_more(result, o);
}

static int exec_modules(struct task *t, struct err *err)
{
	struct rows a = { .list = json_array() };

	return list_done(t, "modules", &a, machine_kernel_modules(task_machine(t), add_module, &a, err));
}

static void render_modules(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "modules"), *row;
	size_t i;

	json_array_foreach(list, i, row) {
		out_printf(o, "0x%016" PRIx64 "  %8" PRIu64 "  %-8s  ", data_u64(row, "address"), data_u64(row, "size"),
			   data_str(row, "state"));
		render_clean(data_str(row, "name"), o);
		out_puts(o, "\n");
	}
	if (!json_array_size(list))
		out_puts(o, "no modules are loaded\n");
	render_more(result, o);
}

/* -- dmesg -- */

static json_t *message_json(const struct kernel_message *m)
{
	return json_pack("{s:I, s:I, s:i, s:o}", "number", (json_int_t)m->number, "time_ns", (json_int_t)m->time_ns,
			 "level", (int)m->level, "text", data_text(m->text, m->len));
}

/* The last of a log. */
struct tail {
	json_t *list;
	uint64_t max, earlier;
};

static bool add_message(void *arg, const struct kernel_message *m)
{
	struct tail *a = arg;

	json_array_append_new(a->list, message_json(m));
	/* Half of it at once: one by one would be slow. */
	if (json_array_size(a->list) / 2 > a->max) {
		json_t *rest = json_array();

		for (size_t i = json_array_size(a->list) - a->max; i < json_array_size(a->list); i++)
			json_array_append(rest, json_array_get(a->list, i));
		a->earlier += json_array_size(a->list) - json_array_size(rest);
		json_decref(a->list);
		a->list = rest;
	}
	return true;
}

/* Each line of it with the time in front, as the kernel's own console has it. */
static void render_message(const json_t *m, struct out *o)
{
	const char *text = data_str(m, "text"), *end;
	uint64_t ns = data_u64(m, "time_ns");

	do {
		char line[512];
		size_t len;

		end = strchr(text, '\n');
		len = end ? (size_t)(end - text) : strlen(text);
		out_printf(o, "[%5" PRIu64 ".%06" PRIu64 "] ", ns / NS, ns % NS / 1000);
		for (size_t n; len; text += n, len -= n) {
			n = len < sizeof(line) - 1 ? len : sizeof(line) - 1;
			memcpy(line, text, n);
			line[n] = '\0';
			render_clean(line, o);
		}
		out_puts(o, "\n");
		text = end ? end + 1 : text;
	} while (end && *text);
}

static void render_dmesg(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "messages"), *row;
	uint64_t earlier = data_u64(result, "earlier");
	size_t i;

	if (!list)
		return;
	if (earlier)
		out_printf(o, "... %" PRIu64 " message%s before these\n", earlier, earlier == 1 ? "" : "s");
	json_array_foreach(list, i, row)
		render_message(row, o);
	if (!json_array_size(list))
		out_puts(o, "the kernel has said nothing\n");
}

struct follow {
	struct task *t;
	uint64_t from;
};

static bool show_message(void *arg, const struct kernel_message *m)
{
	struct follow *f = arg;
	json_t *row = message_json(m), *event;

	f->from = m->number + 1;
	if (f->t->json) {
		event = json_pack("{s:s, s:o}", "event", "dmesg", "message", row);
		render_json(event, f->t->out);
		json_decref(event);
		return true;
	}
	render_message(row, f->t->out);
	json_decref(row);
	return true;
}

static int show_new(struct task *t, struct follow *f, struct err *err)
{
	struct machine *m = task_machine(t);
	int r = machine_hold(m, err);

	if (r)
		return r;
	r = machine_kernel_log(m, f->from, show_message, f, err);
	slide_follow(t->s->mon);
	machine_release(m);
	/* Before it runs, and after a reset, there is nothing to be told. */
	if (r == -EAGAIN) {
		f->from = 0;
		r = 0;
	}
	return r;
}

static void follow_advance(struct task *t)
{
	uint64_t now = uv_now(t->s->mon->loop);
	int r;

	/* The loop comes round for others as well. */
	if (now < t->again)
		return;
	t->again = now + FOLLOW_MS;
	r = show_new(t, t->data, &t->err);
	if (r)
		task_finish(t, r);
	else if (machine_state(task_machine(t)) == MACHINE_ENDED)
		task_finish(t, 0);
}

static void follow_interrupt(struct task *t)
{
	task_finish(t, 0);
}

static void follow_drop(struct task *t)
{
	free(t->data);
}

static const struct task_wait following = {
	.advance = follow_advance, .interrupt = follow_interrupt, .drop = follow_drop,
};

static int exec_follow(struct task *t, struct err *err)
{
	struct kernel_info info;
	struct follow *f;
	int r;

	if (t->s->from_gdb || t->s->kind == SESSION_SCRIPT)
		return err_set(err, EPERM, "dmesg -w ends by Ctrl-C, which is the terminal's: dmesg shows what there "
			       "is");
	/* Without symbols there will never be anything. */
	r = machine_kernel_info(task_machine(t), &info, err);
	if (r && r != -EAGAIN)
		return r;
	f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(err, ENOMEM, "out of memory");
	f->t = t;
	task_wait(t, &following, f, 0);
	follow_advance(t);
	return CMD_WAITING;
}

static int exec_dmesg(struct task *t, struct err *err)
{
	struct tail a = { .max = ROWS_MAX };
	const char *p = t->args, *word;
	size_t len;
	int r = 0;

	word = task_word(&p, &len);
	if (word_is(word, len, "-w") && !*p)
		return exec_follow(t, err);
	p = t->args;
	if (*p)
		r = task_expr(t, &p, &a.max, err);
	if (!r)
		r = task_end(t, p, err);
	if (r)
		return r;
	if (a.max > ROWS_MAX)
		a.max = ROWS_MAX;
	a.list = json_array();
	r = machine_kernel_log(task_machine(t), 0, add_message, &a, err);
	while (json_array_size(a.list) > a.max) {
		json_array_remove(a.list, 0);
		a.earlier++;
	}
	if (r && !json_array_size(a.list))
		json_decref(a.list);
	else
		t->result = json_pack("{s:I, s:o}", "earlier", (json_int_t)a.earlier, "messages", a.list);
	return r;
}

static const struct cmd rows[] = {
	{ "info kernel", NULL, "", "the Linux kernel in the guest, and where it runs",
	  "By its symbols (--symbols=vmlinux): the banner, and how far it runs from where it is linked.  The symbols are\n"
	  "moved there.", CMD_PARKED, COMPLETE_NONE, exec_kernel, render_kernel },
	{ "info tasks", NULL, "", "the kernel's tasks, with those that vCPUs run marked",
	  "Every thread: its number, that of its process and its parent's, where it runs or ran last, and its state as\n"
	  "ps has it.  Kernel threads are in brackets.  Needs the DWARF in vmlinux (CONFIG_DEBUG_INFO).", CMD_PARKED,
	  COMPLETE_NONE, exec_tasks, render_tasks },
	{ "info modules", NULL, "", "the kernel's modules: address, bytes, state, name",
	  "Addresses in them are shown with their functions' names, as far as their own symbols go.", CMD_PARKED,
	  COMPLETE_NONE, exec_modules, render_modules },
	{ "dmesg", NULL, "[N|-w]", "the kernel's log, from its memory",
	  "The last N messages, or all.  -w: goes on with new ones as they come, until Ctrl-C.", CMD_PARKED, COMPLETE_WORDS,
	  exec_dmesg, render_dmesg },
};

const struct cmd_group cmd_kernel_group = { "linux", rows, sizeof(rows) / sizeof(rows[0]) };
