/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/core.h"
#include "monitor/fwlog.h"
#include "monitor/heat.h"
#include "monitor/hits.h"
#include "monitor/hook.h"
#include "monitor/jsonmem.h"
#include "monitor/listen.h"
#include "monitor/notice.h"
#include "monitor/slide.h"
#include "monitor/render.h"
#include "monitor/script.h"
#include "monitor/pipe.h"
#include "monitor/term.h"

/* -- the loop comes round -- */

static void on_idle(uv_idle_t *idle)
{
	struct monitor *mon = idle->data;

	uv_idle_stop(idle);
	task_pump(mon);
	script_pump(mon);
	if (mon->quit && !mon->quit_told) {
		mon->quit_told = true;
		if (mon->ev.quit)
			mon->ev.quit(mon->ev.arg);
	}
}

void monitor_kick(struct monitor *mon)
{
	uv_idle_start(&mon->idle, on_idle);
}

void monitor_quit(struct monitor *mon)
{
	mon->quit = true;
	monitor_kick(mon);
}

static void on_timer(uv_timer_t *timer)
{
	struct monitor *mon = timer->data;
	uint64_t now = uv_now(mon->loop);

	for (struct task *t = mon->tasks; t; t = t->next) {
		if (t->again && t->again <= now && !t->finished) {
			t->again = 0;
			t->wait->advance(t);
		}
		if (t->deadline && t->deadline <= now && !t->finished)
			t->wait->timeout(t);
	}
	monitor_set_timer(mon);
}

void monitor_set_timer(struct monitor *mon)
{
	uint64_t now = uv_now(mon->loop), first = UINT64_MAX;

	for (struct task *t = mon->tasks; t; t = t->next) {
		if (t->deadline && !t->finished && t->deadline < first)
			first = t->deadline;
		if (t->again && !t->finished && t->again < first)
			first = t->again;
	}
	if (first == UINT64_MAX)
		uv_timer_stop(&mon->timer);
	else
		uv_timer_start(&mon->timer, on_timer, first > now ? first - now : 0, 0);
}

/* -- the machine -- */

static struct monitor *of_observer(struct observer *o)
{
	return (struct monitor *)((char *)o - offsetof(struct monitor, observer));
}

static void render_stop(struct monitor *mon, json_t *stop, struct out *o)
{
	json_t *event;

	if (!mon->json) {
		notice_render(stop, o);
		return;
	}
	event = json_pack("{s:s}", "event", "stopped");
	json_object_update(event, stop);
	render_json(event, o);
	json_decref(event);
}

static void to_everyone(struct out *o, const char *text, size_t len)
{
	struct monitor *mon = (struct monitor *)((char *)o - offsetof(struct monitor, everyone));
	struct session *s, *next;

	for (s = mon->sessions; s; s = next) {
		next = s->next;
		if (s->notices)
			out_write(s->out, text, len);
	}
}

static bool anybody_listens(const struct monitor *mon)
{
	for (const struct session *s = mon->sessions; s; s = s->next)
		if (s->notices)
			return true;
	return false;
}

/* All of TEXT, which ends here, or that it was lost: parts of it would say something else. */
static void tell_everyone(struct monitor *mon, struct out_buf *text)
{
	if (!text->failed)
		out_write(&mon->everyone, text->text, text->len);
	else
		out_puts(&mon->everyone, mon->json ? "{\"error\":\"out of memory\"}\n" : "out of memory: a notice is lost\n");
	out_buf_done(text);
}

static void tell_stop(struct monitor *mon, const struct stop_event *ev)
{
	struct out_buf text;
	json_t *stop;

	/* gdb alone may have a great many. */
	if (!anybody_listens(mon))
		return;
	stop = notice_stop(mon, ev);
	out_buf_init(&text);
	render_stop(mon, stop, &text.out);
	tell_everyone(mon, &text);
	json_decref(stop);
}

static void on_stopped(struct observer *o, const struct stop_event *ev)
{
	struct monitor *mon = of_observer(o);
	struct hook_run hook;
	bool within = false;

	json_decref(mon->hit);
	mon->hit = notice_hit(mon, ev);
	hook = hook_stop(mon, ev);
	mon->stop_asked = false;
	for (struct task *t = mon->tasks; t; t = t->next)
		if (t->wait && t->wait->stopped && !t->finished && !(t->wait->passes && hook.goes_on))
			within |= t->wait->stopped(t, ev);
	monitor_kick(mon);
	if (!within) {
		for (struct session *s = mon->sessions; s; s = s->next)
			s->cpu = ev->cpu;
		if (!hook.silent)
			tell_stop(mon, ev);
		brks_drop_until(&mon->breaks);
	}
	brks_told(&mon->breaks, ev);
	slide_follow(mon);
}

/* Loading again may have put the program elsewhere. */
static void on_reset(struct observer *o)
{
	slide_follow(of_observer(o));
}

static void on_resumed(struct observer *o)
{
	struct monitor *mon = of_observer(o);

	mon->ours = mon->resuming;
	mon->resuming = false;
}

static void on_serial(struct observer *o, const uint8_t *data, size_t len)
{
	struct monitor *mon = of_observer(o);

	window_add(&mon->window, data, len);
	sharedout_serial(&mon->shared, data, len);
	if (mon->tasks)
		monitor_kick(mon);
}

static void on_firmware(struct observer *o, const uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	fwlog_more(of_observer(o));
}

static void on_trouble(struct observer *o, const char *line)
{
	struct monitor *mon = of_observer(o);
	struct out_buf text;
	json_t *event;

	out_buf_init(&text);
	if (mon->json) {
		event = json_pack("{s:s, s:o}", "event", "trouble", "text", data_text(line, strlen(line)));
		render_json(event, &text.out);
		json_decref(event);
	} else {
		out_printf(&text.out, "%s\n", line);
	}
	tell_everyone(mon, &text);
}

/* -- gdb's `monitor CMD` -- */

struct gdb_run {
	command_done_fn *done;
	void *arg;
};

static void gdb_done(void *arg, struct task *t)
{
	struct gdb_run *run = arg;

	/* gdb throws a command's output away when it fails, and the error that stands in the JSON with it. */
	run->done(run->arg, t->json ? 0 : t->status);
	free(run);
}

static void *gdb_run(struct commander *c, const char *line, size_t len, struct out *out, command_done_fn *done,
		     void *arg)
{
	struct monitor *mon = (struct monitor *)((char *)c - offsetof(struct monitor, commander));
	struct gdb_run *run = malloc(sizeof(*run));

	if (!run) {
		out_puts(out, "error: out of memory\n");
		done(arg, -ENOMEM);
		return NULL;
	}
	*run = (struct gdb_run){ .done = done, .arg = arg };
	return task_run(&mon->gdb, line, len, out, gdb_done, run);
}

static void gdb_cancel(struct commander *c, void *token)
{
	(void)c;
	task_cancel(token);
}

static void gdb_attached(struct commander *c, bool on)
{
	struct monitor *mon = (struct monitor *)((char *)c - offsetof(struct monitor, commander));

	mon->gdbs += on ? 1 : -1u;
}

struct commander *monitor_commander(struct monitor *mon)
{
	return &mon->commander;
}

/* -- the command line's scripts -- */

static void on_run_done(void *arg, struct script *s, int status, const char *message)
{
	struct monitor *mon = arg;

	(void)s;
	if (*message)
		fprintf(stderr, "%s\n", message);
	if (mon->ev.script_done)
		mon->ev.script_done(mon->ev.arg, status);
}

static int need_run(struct monitor *mon, struct err *err)
{
	if (mon->run)
		return 0;
	return script_new(mon, &mon->shared.out, false, true, on_run_done, mon, &mon->run, err);
}

int monitor_script(struct monitor *mon, const char *file, struct err *err)
{
	int r = need_run(mon, err);

	return r ? r : script_add_file(mon->run, file, err);
}

int monitor_execute(struct monitor *mon, const char *cmd, struct err *err)
{
	int r = need_run(mon, err);

	return r ? r : script_add_command(mon->run, cmd, err);
}

int monitor_terminal(struct monitor *mon, struct err *err)
{
	if (mon->term || mon->pipe)
		return err_set(err, EBUSY, "the monitor has standard input already");
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? term_new(mon, err) : pipe_new(mon, err);
}

void monitor_let_go(struct monitor *mon)
{
	if (mon->term)
		term_let_go(mon->term);
}

void monitor_take_up(struct monitor *mon)
{
	if (mon->term)
		term_take_up(mon->term);
}

int monitor_listen(struct monitor *mon, const char *path, struct err *err)
{
	return listener_new(mon, path, err);
}

/* -- making and freeing -- */

int monitor_new(uv_loop_t *loop, struct machine *m, const struct monitor_events *ev, bool json,
		struct monitor **ret, struct err *err)
{
	struct monitor *mon = calloc(1, sizeof(*mon));

	if (!mon)
		return err_set(err, ENOMEM, "out of memory");
	jsonmem_watch();
	mon->loop = loop;
	mon->m = m;
	if (ev)
		mon->ev = *ev;
	mon->json = json;
	mon->everyone.write = to_everyone;
	mon->slide = machine_sym_slide(m, NULL);
	brks_init(&mon->breaks, m);
	machine_break_filter(m, BREAK_OWNER_MONITOR, hits_wanted, &mon->breaks);
	sharedout_init(&mon->shared, mon);
	mon->commander = (struct commander){ .run = gdb_run, .attached = gdb_attached, .cancel = gdb_cancel };
	mon->gdb = (struct session){ .kind = SESSION_GDB, .from_gdb = true };
	session_open(&mon->gdb, mon);
	mon->observer = (struct observer){ .stopped = on_stopped, .resumed = on_resumed, .was_reset = on_reset,
					  .serial_output = on_serial, .firmware_output = on_firmware, .device_trouble = on_trouble };
	machine_observe(m, &mon->observer);
	uv_idle_init(loop, &mon->idle);
	uv_timer_init(loop, &mon->timer);
	mon->idle.data = mon->timer.data = mon;
	mon->handles = 2;
	*ret = mon;
	return 0;
}

void monitor_show_serial(struct monitor *mon, bool on)
{
	mon->shared.show_serial = on;
}

static void on_close(uv_handle_t *h)
{
	struct monitor *mon = h->data;

	if (!--mon->handles)
		free(mon);
}

/* The filter reads the list, so it goes first, also when a vCPU cannot be brought out of the guest. */
static void forget_breaks(struct monitor *mon)
{
	bool held = !machine_hold(mon->m, NULL);

	machine_break_filter(mon->m, BREAK_OWNER_MONITOR, NULL, NULL);
	if (held)
		machine_release(mon->m);
	brks_done(&mon->breaks);
}

void monitor_free(struct monitor *mon)
{
	if (!mon)
		return;
	machine_unobserve(mon->m, &mon->observer);
	listener_free(mon->listener);
	pipe_free(mon->pipe);
	term_free(mon->term);
	while (mon->scripts)
		script_free(mon->scripts);
	session_close(&mon->gdb);
	forget_breaks(mon);
	json_decref(mon->hit);
	window_done(&mon->window);
	heat_free_all(&mon->heats);
	uv_close((uv_handle_t *)&mon->idle, on_close);
	uv_close((uv_handle_t *)&mon->timer, on_close);
}
