/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The monitor on a machine without KVM, for the session tests and for anybody who wants to try its manners:
 *
 *   monitor_fake [-j] [-c CPUS] [-m PATH] [-p FD] [-x FILE | -e CMD]...
 *
 * Without -x and -e it serves standard input; -m listens on a socket as well.  FD is where a test plays the guest,
 * line by line: "serial TEXT" (C escapes) sends on COM1, "firmware TEXT" likewise to its log, "show TEXT" writes to the
 * top of the screen, white on blue, "exit N" ends the guest, "off" switches it off, "sent" prints what COM1 has got to
 * standard error.  Exit status: the script's, or 0.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "monitor/lines.h"
#include "monitor/monitor.h"
#include "monitor/text.h"
#include "tests/fake_machine.h"
#include "util/chan.h"

struct program {
	uv_loop_t loop;
	uv_poll_t events;
	struct fake_machine *fake;
	struct monitor *mon;
	struct chan *guest;
	struct lines lines;
	int status;
};

static void on_quit(void *arg)
{
	struct program *p = arg;

	uv_stop(&p->loop);
}

static void on_script_done(void *arg, int status)
{
	struct program *p = arg;

	p->status = status;
	uv_stop(&p->loop);
}

static void on_events(uv_poll_t *h, int status, int events)
{
	struct program *p = h->data;

	(void)status;
	(void)events;
	machine_poll(&p->fake->machine, 0);
}

static void guest_line(struct program *p, const char *line, size_t len)
{
	struct stop_event end = { .reason = STOP_EXIT, .text = "the guest left by its exit port" };
	char text[4096];
	size_t n;

	if (len > 7 && !memcmp(line, "serial ", 7) && len < sizeof(text)) {
		if (!text_unescape(line + 7, len - 7, text, &n, NULL))
			fake_serial_output(p->fake, text, n);
	} else if (len > 9 && !memcmp(line, "firmware ", 9) && len < sizeof(text)) {
		if (!text_unescape(line + 9, len - 9, text, &n, NULL))
			fake_firmware_output(p->fake, text, n);
	} else if (len > 5 && !memcmp(line, "show ", 5) && len < sizeof(text)) {
		snprintf(text, sizeof(text), "%.*s", (int)len - 5, line + 5);
		fake_screen_text(p->fake, 0, 0, 0x1f, text);
	} else if (len == 3 && !memcmp(line, "off", 3)) {
		strcpy(end.text, "the guest switched itself off");
		fake_inject(p->fake, &end);
	} else if (len > 5 && !memcmp(line, "exit ", 5)) {
		end.exit_status = atoi(line + 5);
		fake_inject(p->fake, &end);
	} else if (len == 4 && !memcmp(line, "sent", 4)) {
		fprintf(stderr, "sent:");
		for (size_t i = 0; i < p->fake->serial_in_len; i++)
			fprintf(stderr, " %02x", p->fake->serial_in[i]);
		fprintf(stderr, ".\n");
	}
}

static void on_guest(void *arg, struct chan *c, bool readable, bool writable)
{
	struct program *p = arg;
	const char *line;
	char data[1024];
	size_t len;
	ssize_t n = chan_read(c, data, sizeof(data));

	(void)readable;
	(void)writable;
	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		chan_want(c, false, false);
		return;
	}
	if (lines_add(&p->lines, data, (size_t)n))
		abort();
	while (lines_next(&p->lines, 2048, &line, &len) > 0)
		guest_line(p, line, len);
}

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static int set_up(struct program *p, int argc, char **argv, struct err *err)
{
	struct monitor_events ev = { .arg = p, .quit = on_quit, .script_done = on_script_done };
	struct fake_config config = { .mode = MODE_LONG, .image_bits = 64 };
	bool json = false, scripts = false;
	int opt, r;

	while ((opt = getopt(argc, argv, "jc:m:p:x:e:")) != -1)
		if (opt == 'j')
			json = true;
		else if (opt == 'c')
			config.cpus = (unsigned)atoi(optarg);
		else if (opt == '?')
			return err_set(err, EINVAL, "see the head of tests/monitor_fake.c");
	p->fake = fake_new(&config);
	r = monitor_new(&p->loop, &p->fake->machine, &ev, json, &p->mon, err);
	for (optind = 1; !r && (opt = getopt(argc, argv, "jc:m:p:x:e:")) != -1;) {
		if (opt == 'm')
			r = monitor_listen(p->mon, optarg, err);
		if (opt == 'x')
			r = monitor_script(p->mon, optarg, err);
		if (opt == 'e')
			r = monitor_execute(p->mon, optarg, err);
		if (opt == 'p')
			r = chan_new(&p->loop, atoi(optarg), on_guest, p, &p->guest, err);
		scripts |= opt == 'x' || opt == 'e';
	}
	if (p->guest)
		chan_want(p->guest, true, false);
	return r || scripts ? r : monitor_terminal(p->mon, err);
}

int main(int argc, char **argv)
{
	struct program p = { 0 };
	struct err err;

	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&p.loop);
	if (set_up(&p, argc, argv, &err)) {
		fprintf(stderr, "monitor_fake: %s\n", err.msg);
		p.status = err.code == EINVAL ? 64 : 66;
	} else {
		uv_poll_init(&p.loop, &p.events, machine_event_fd(&p.fake->machine));
		p.events.data = &p;
		uv_poll_start(&p.events, UV_READABLE, on_events);
		uv_run(&p.loop, UV_RUN_DEFAULT);
	}
	monitor_free(p.mon);
	chan_free(p.guest);
	uv_run(&p.loop, UV_RUN_NOWAIT);
	uv_walk(&p.loop, close_handle, NULL);
	uv_run(&p.loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&p.loop))
		fprintf(stderr, "monitor_fake: a handle is left open\n");
	lines_done(&p.lines);
	fake_free(p.fake);
	return p.status;
}
