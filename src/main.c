/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program: reads the command line, makes the parts, ties them to one loop, and decides when and how it all ends. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <uv.h>

#include "api/machine.h"
#include "config.h"
#include "examples/demo_image.h"
#include "gdbscript.h"
#include "gdbstub/gdbstub.h"
#include "gdbstub/wirelog.h"
#include "guest_files.h"
#include "kvm/machine_kvm.h"
#include "lostpage.h"
#include "monitor/monitor.h"
#include "opt.h"
#include "process.h"
#include "sandbox.h"
#include "serial.h"

/* Exit statuses: sysexits' numbers where one fits (see gdbvisor(1)). */
enum {
	STATUS_OK = 0,
	STATUS_USAGE = 64,
	STATUS_INPUT = 66,
	STATUS_GUEST_DIED = 70,
	STATUS_IO = 74,
	STATUS_KVM = 76,
};

struct program {
	struct options opt;
	uv_loop_t loop;
	bool has_loop;
	struct guest_files files;
	struct machine *machine;
	struct observer observer;
	struct monitor *monitor;
	struct gdbstub *stub;
	struct wirelog *log;    /* of packets; NULL: none */
	struct serial *serial;
	uv_poll_t events;
	uv_prepare_t prepare;
	struct process process;
	char *socket_dir;       /* of the default gdb socket; removed at the end */
	char *socket_path;
	bool on_terminal, gdb_on_stdio;
	unsigned attended;      /* who could look at a guest that died: gdb, monitors, scripts */
	int status, signal;
};

/* One line to the user. */
static void complain(const struct err *err)
{
	fprintf(stderr, "gdbvisor: %s\n", err->msg);
}

static void finish(struct program *p, int status)
{
	p->status = status;
	uv_stop(&p->loop);
}

/* --- what the parts report --- */

static void on_stopped(struct observer *o, const struct stop_event *ev)
{
	struct program *p = (struct program *)((char *)o - offsetof(struct program, observer));

	if (ev->reason == STOP_EXIT) {
		p->status = ev->exit_status;
		/* A script still has its say; a person at the terminal may want to look round. */
		if (!p->opt.nscripts && !p->on_terminal)
			finish(p, ev->exit_status);
	} else if ((ev->reason == STOP_TRIPLE_FAULT || ev->reason == STOP_ERROR) && !p->attended) {
		fprintf(stderr, "gdbvisor: vCPU %u died at 0x%llx: %s\n", ev->cpu, (unsigned long long)ev->pc, ev->text);
		finish(p, STATUS_GUEST_DIED);
	}
}

/* At a terminal the monitor says so. */
static void on_trouble(struct observer *o, const char *line)
{
	struct program *p = (struct program *)((char *)o - offsetof(struct program, observer));

	if (!p->on_terminal)
		fprintf(stderr, "gdbvisor: %s\n", line);
}

static void on_attached(void *arg, bool on)
{
	struct program *p = arg;

	if (on)
		p->attended++;
	else if (p->attended)
		p->attended--;
}

static void on_quit(void *arg)
{
	struct program *p = arg;

	finish(p, machine_state(p->machine) == MACHINE_ENDED ? p->status : STATUS_OK);
}

static void on_note(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "gdbvisor: %s\n", line);
}

static void on_lost_pages(void *arg, size_t pages)
{
	(void)arg;
	fprintf(stderr, "gdbvisor: a file that is mapped was cut short, or its disk is full: zeros are in the place of %zu page%s, and what is "
		"written there is not saved\n", pages, pages > 1 ? "s" : "");
}

static void on_script_done(void *arg, int status)
{
	finish(arg, status);
}

static void on_machine_event(uv_poll_t *h, int status, int events)
{
	struct program *p = h->data;

	(void)status;
	(void)events;
	machine_poll(p->machine, 0);
}

/* Whoever resumed the machine in this turn of the loop need not wait for the next. */
static void on_prepare(uv_prepare_t *h)
{
	struct program *p = h->data;

	machine_poll(p->machine, 0);
}

static void on_end_signal(void *arg, int signum)
{
	struct program *p = arg;

	p->signal = signum;
	uv_stop(&p->loop);
}

static void on_suspend(void *arg)
{
	struct program *p = arg;

	monitor_let_go(p->monitor);
}

static void on_resume(void *arg)
{
	struct program *p = arg;

	monitor_take_up(p->monitor);
}

/* --- making the parts --- */

/* Where lines for people go: standard output may be a protocol's or a test's. */
static FILE *notices(const struct program *p)
{
	return p->gdb_on_stdio || p->opt.nscripts ? stderr : stdout;
}

static int status_of(const struct err *err)
{
	switch (err->code) {
	case ENOEXEC:
	case ENOSPC:
	case EBADF:             /* a disk */
		return STATUS_INPUT;
	case EINVAL:
	case ENOMEM:
	case EEXIST:
		return STATUS_USAGE;
	case ENOENT:
	case ENODEV:
	case ENXIO:
	case EACCES:
	case EPERM:
	case ENOTSUP:
		return STATUS_KVM;
	default:
		return STATUS_IO;
	}
}

static int make_machine(struct program *p)
{
	struct machine_config c;
	struct err err = { 0 };
	uint64_t seed = 0;
	int64_t slide;

	if (p->opt.kaslr == KASLR_ON && getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		fprintf(stderr, "gdbvisor: --kaslr=on: the host has no random numbers\n");
		return STATUS_IO;
	}
	if (guest_files_read(&p->files, &p->opt, demo_image, demo_image_size, &c, &err)) {
		complain(&err);
		return STATUS_INPUT;
	}
	c.load.seed = seed;
	if (machine_kvm_new(&c, &p->machine, &err)) {
		complain(&err);
		return status_of(&err);
	}
	slide = (int64_t)machine_info(p->machine)->slide;
	if (slide)
		fprintf(notices(p), "kernel: moved by %s0x%llx from where it is linked\n", slide < 0 ? "-" : "",
			slide < 0 ? 0 - (unsigned long long)slide : (unsigned long long)slide);
	p->observer.stopped = on_stopped;
	p->observer.device_trouble = on_trouble;
	machine_observe(p->machine, &p->observer);
	return STATUS_OK;
}

static void on_command_done(void *arg, int status)
{
	*(int *)arg = status;
}

/* The monitor's own catchpoint, so that it can be seen and deleted there. */
static int catch_unclaimed(struct program *p, struct err *err)
{
	static const char line[] = "catch unclaimed";
	struct commander *c = monitor_commander(p->monitor);
	struct out_buf said;
	int status = 0;

	out_buf_init(&said);
	c->run(c, line, sizeof(line) - 1, &said.out, on_command_done, &status);
	if (status)
		err_set(err, -status, "--unclaimed=stop: %.*s", said.text ? (int)strcspn(said.text, "\n") : 0, said.text);
	out_buf_done(&said);
	return status;
}

/* The terminal's user: a monitor, unless told otherwise or something else needs standard input. */
static int make_monitor(struct program *p)
{
	const struct options *o = &p->opt;
	struct monitor_events ev = { .arg = p, .quit = on_quit, .script_done = on_script_done, .attached = on_attached };
	struct err err = { 0 };
	int r = monitor_new(&p->loop, p->machine, &ev, o->json, &p->monitor, &err);

	if (!r && o->stop_unclaimed)
		r = catch_unclaimed(p, &err);
	if (!r && o->has_monitor && o->monitor.kind == ADDR_UNIX)
		r = monitor_listen(p->monitor, o->monitor.path, &err);
	if (r) {
		complain(&err);
		return STATUS_IO;
	}
	for (size_t i = 0; i < o->nscripts && !r; i++) {
		const struct option_script *s = &o->scripts[i];

		r = s->is_file ? monitor_script(p->monitor, s->text, &err) : monitor_execute(p->monitor, s->text, &err);
	}
	if (r) {
		complain(&err);
		return STATUS_INPUT;
	}
	p->attended += o->nscripts > 0;
	p->on_terminal = o->has_monitor ? o->monitor.kind == ADDR_STDIO
					: !o->nscripts && !p->gdb_on_stdio && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	return STATUS_OK;
}

static int make_serial(struct program *p)
{
	const struct options *o = &p->opt;
	bool stdio = !strcmp(o->serial, "stdio");
	struct err err = { 0 };
	int r;

	/* The monitor shows the serial line among what it prints itself. */
	monitor_show_serial(p->monitor, stdio);
	if (stdio && (p->on_terminal || o->nscripts))
		return STATUS_OK;
	r = serial_new(&p->loop, p->machine, o->serial, &p->serial, &err);
	if (!r && stdio)
		r = p->gdb_on_stdio ? serial_use_stderr(p->serial, &err)
				    : serial_stdin(p->serial, true, on_quit, p, &err);
	if (r) {
		complain(&err);
		return STATUS_IO;
	}
	if (!stdio)
		fprintf(notices(p), "serial: %s\n", serial_describe(p->serial));
	return STATUS_OK;
}

/* A directory of our own for the default socket: nobody else can put something in its place. */
static int private_socket(struct program *p, struct gdbstub_addr *ret, struct err *err)
{
	const char *run = getenv("XDG_RUNTIME_DIR");

	if (!run || *run != '/' || access(run, W_OK))
		run = "/tmp";
	if (asprintf(&p->socket_dir, "%s/gdbvisor-XXXXXX", run) < 0) {
		p->socket_dir = NULL;
		return err_set(err, ENOMEM, "out of memory");
	}
	if (!mkdtemp(p->socket_dir)) {
		err_errno(err, errno, "%s", p->socket_dir);
		free(p->socket_dir);
		p->socket_dir = NULL;
		return -err->code;
	}
	if (asprintf(&p->socket_path, "%s/gdb", p->socket_dir) < 0) {
		p->socket_path = NULL;
		return err_set(err, ENOMEM, "out of memory");
	}
	*ret = (struct gdbstub_addr){ .kind = GDB_UNIX, .path = p->socket_path };
	return 0;
}

static int listen_gdb(struct program *p, struct err *err)
{
	const struct options *o = &p->opt;
	struct gdbstub_addr a;
	int r = 0;

	/* A script is a session of its own: gdb joins it only when asked. */
	if (!o->ngdb && !o->nscripts) {
		r = private_socket(p, &a, err);
		if (!r)
			r = gdbstub_listen(p->stub, &a, err);
	}
	for (size_t i = 0; i < o->ngdb && !r; i++) {
		const struct addr *g = &o->gdb[i];

		if (g->kind == ADDR_NONE)
			continue;
		if (g->exposed)
			fprintf(stderr, "gdbvisor: warning: whoever can connect to %s:%u owns the guest\n", g->host, g->port);
		a = (struct gdbstub_addr){
			.kind = g->kind == ADDR_UNIX ? GDB_UNIX : g->kind == ADDR_TCP ? GDB_TCP : GDB_STDIO,
			.path = g->path,
			.host = g->host,
			.port = g->port,
		};
		r = gdbstub_listen(p->stub, &a, err);
	}
	return r;
}

static void on_log_failed(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "gdbvisor: %s\n", text);
}

static int make_stub(struct program *p)
{
	struct gdbstub_events ev = { .arg = p, .attached = on_attached, .kill = on_quit, .closed = on_quit, .note = on_note };
	struct out_buf line;
	char script[4096];
	struct err err = { 0 };

	if ((p->opt.log_packets && wirelog_open(p->opt.log_packets, on_log_failed, NULL, &p->log, &err)) ||
	    gdbstub_new(&p->loop, p->machine, monitor_commander(p->monitor), &ev, &p->stub, &err)) {
		complain(&err);
		return STATUS_IO;
	}
	gdbstub_log(p->stub, p->log);
	gdbstub_describe_as(p->stub, p->opt.tdesc);
	if (listen_gdb(p, &err)) {
		complain(&err);
		return STATUS_IO;
	}
	for (size_t i = 0; i < gdbstub_count(p->stub); i++) {
		out_buf_init(&line);
		gdbstub_describe(p->stub, i, &line.out);
		fprintf(notices(p), "gdb: %s\n", line.text ? line.text : "");
		/* what begins with "target remote" can be typed as it stands, with the script too */
		if (line.text && !strncmp(line.text, "target remote ", 14) && !gdbscript_path(script, sizeof(script)))
			fprintf(notices(p), "     gdb -x %s -ex '%s'\n", script, line.text);
		out_buf_done(&line);
	}
	return STATUS_OK;
}

static int heed_host(struct program *p)
{
	const struct process_events ev = { .arg = p, .end = on_end_signal, .suspend = on_suspend, .resume = on_resume };
	struct err err = { 0 };

	if (process_heed(&p->process, &p->loop, &ev, &err) || lostpage_watch(&p->loop, on_lost_pages, p, &err)) {
		complain(&err);
		return STATUS_IO;
	}
	return STATUS_OK;
}

static int tie_to_loop(struct program *p)
{
	int r = uv_poll_init(&p->loop, &p->events, machine_event_fd(p->machine));

	if (r) {
		fprintf(stderr, "gdbvisor: the machine cannot be waited for: %s\n", uv_strerror(r));
		return STATUS_IO;
	}
	p->events.data = p;
	uv_poll_start(&p->events, UV_READABLE, on_machine_event);
	uv_prepare_init(&p->loop, &p->prepare);
	p->prepare.data = p;
	uv_prepare_start(&p->prepare, on_prepare);
	if (p->on_terminal)
		process_leave_interrupt(&p->process);
	if (isatty(STDIN_FILENO))
		process_share_terminal(&p->process);
	return STATUS_OK;
}

/* With a monitor, or a script, there is somebody who may want files; gdb's `monitor` commands are not asked. */
static int confine(struct program *p)
{
	const struct options *o = &p->opt;
	bool shut = o->has_monitor && o->monitor.kind == ADDR_NONE && !o->nscripts;
	enum sandbox_level level = shut ? SANDBOX_SHUT : SANDBOX_FILES;
	bool entered = false, unlink = p->socket_dir || !strncmp(o->serial, "unix:", 5);
	struct err err = { 0 };

	for (size_t i = 0; i < o->ngdb; i++)
		unlink |= o->gdb[i].kind == ADDR_UNIX;
	if (o->sandbox == SANDBOX_ON || (o->sandbox == SANDBOX_DEFAULT && sandbox_built())) {
		machine_kvm_prepare(p->machine);
		entered = !sandbox_enter(level, unlink, &err);
		if (!entered)
			fprintf(stderr, "gdbvisor: %s%s\n", o->sandbox == SANDBOX_DEFAULT ? "warning: " : "", err.msg);
	}
	if (o->verbose && entered)
		fprintf(stderr, "gdbvisor: sandbox: %s\n", sandbox_describe(level));
	else if (o->verbose)
		fprintf(stderr, "gdbvisor: sandbox: off%s%s\n", sandbox_built() ? "" : ", ",
			sandbox_built() ? "" : sandbox_why_not());
	return entered || o->sandbox != SANDBOX_ON ? STATUS_OK : STATUS_USAGE;
}

static void start_running(struct program *p)
{
	struct run_action acts[MACHINE_CPUS_MAX];
	struct err err = { 0 };

	for (unsigned i = 0; i < MACHINE_CPUS_MAX; i++)
		acts[i] = (struct run_action){ .kind = ACT_CONT };
	if (machine_resume(p->machine, acts, &err))
		complain(&err);
}

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void tear_down(struct program *p)
{
	if (p->stub)
		gdbstub_flush(p->stub);
	gdbstub_free(p->stub);
	if (p->socket_dir)
		rmdir(p->socket_dir);
	wirelog_close(p->log);
	serial_free(p->serial);
	monitor_free(p->monitor);
	lostpage_unwatch();
	if (p->has_loop) {
		/* Their memory goes in the close callbacks; what is left over then is ours. */
		uv_run(&p->loop, UV_RUN_NOWAIT);
		uv_walk(&p->loop, close_handle, NULL);
		uv_run(&p->loop, UV_RUN_DEFAULT);
		uv_loop_close(&p->loop);
	}
	if (p->machine)
		machine_unobserve(p->machine, &p->observer);
	machine_kvm_free(p->machine);
	guest_files_done(&p->files);
	free(p->socket_dir);
	free(p->socket_path);
	options_done(&p->opt);
}

static int run(struct program *p)
{
	int status;

	for (size_t i = 0; i < p->opt.ngdb; i++)
		p->gdb_on_stdio |= p->opt.gdb[i].kind == ADDR_STDIO;
	if (uv_loop_init(&p->loop)) {
		fprintf(stderr, "gdbvisor: the event loop cannot be made\n");
		return STATUS_IO;
	}
	p->has_loop = true;
	status = make_machine(p);
	if (!status)
		status = heed_host(p);
	if (!status)
		status = make_monitor(p);
	if (!status)
		status = make_serial(p);
	if (!status)
		status = make_stub(p);
	if (status)
		return status;
	if (p->opt.verbose)
		fprintf(stderr, "gdbvisor: %s: %s image, %u vCPU%s, %llu KiB\n", machine_info(p->machine)->image,
			machine_info(p->machine)->image_kind, p->opt.cpus, p->opt.cpus > 1 ? "s" : "",
			(unsigned long long)p->opt.memory >> 10);
	status = tie_to_loop(p);
	fflush(stdout);
	if (!status)
		status = confine(p);
	if (status)
		return status;
	if (p->on_terminal) {
		struct err err = { 0 };

		if (monitor_terminal(p->monitor, &err)) {
			complain(&err);
			return STATUS_IO;
		}
	}
	if (p->opt.run)
		start_running(p);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	return p->status;
}

int main(int argc, char **argv)
{
	struct program p = { 0 };
	struct out_buf help;
	struct err err = { 0 };
	int status;

	if (process_begin(&err)) {
		complain(&err);
		return STATUS_IO;
	}
	if (options_parse(argc, argv, &p.opt, &err)) {
		complain(&err);
		return STATUS_USAGE;
	}
	if (p.opt.help || p.opt.version) {
		out_buf_init(&help);
		if (p.opt.help)
			options_help(&help.out);
		else
			out_printf(&help.out, "gdbvisor %s\n", PACKAGE_VERSION);
		fputs(help.text, stdout);
		out_buf_done(&help);
		options_done(&p.opt);
		return fflush(stdout) ? STATUS_IO : STATUS_OK;
	}
	status = run(&p);
	tear_down(&p);
	if (p.signal) {
		signal(p.signal, SIG_DFL);
		raise(p.signal);
	}
	return status;
}
