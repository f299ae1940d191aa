/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the serial line share: a machine that is nothing but COM1, a loop, and ends of its line. */
#ifndef GV_TESTS_SERIAL_LINE_H
#define GV_TESTS_SERIAL_LINE_H

#include "serial.h"
#include "tests/unit.h"

#define PEER_BYTES (1 << 20)

/* As much of a machine as the serial line sees. */
struct serial_vm {
	struct machine machine;
	struct observer *observer;
	unsigned observers;
	bool full;                      /* has no room for input */
	unsigned refused;
	char input[8192];               /* what came, NUL-terminated */
	size_t ninput;
};

/* Whoever is at the other end: what it reads is collected as the loop runs. */
struct peer {
	uv_poll_t poll;
	int fd;
	bool eof;
	size_t len;
	char *data;                     /* PEER_BYTES, NUL-terminated */
};

extern uv_loop_t loop;
extern uv_timer_t guard;
extern struct serial *serial;
extern struct serial_vm vm;

/* A fixture.  line_done() fails when an observer, a handle or a file stays behind. */
void line_init(void);
void line_done(void);

void open_serial(const char *addr);
void end_serial(void);

void send_bytes(const void *data, size_t len);
void guest_sends(const char *s);

/* Runs the loop until COND holds. */
#define run_until(cond) do { \
	uv_timer_start(&guard, line_on_guard, LINE_PATIENCE_MS, 0); \
	while (!(cond)) \
		uv_run(&loop, UV_RUN_ONCE); \
	uv_timer_stop(&guard); \
} while (0)

#define LINE_PATIENCE_MS 20000          /* a test that waits longer has failed */
void line_on_guard(uv_timer_t *t);

/* Takes FD over. */
struct peer *new_peer(int fd);
void listen_to(struct peer *p);
void say(struct peer *p, const char *s);
/* Closes; the memory goes with the loop. */
void free_peer(struct peer *p);

/* PREFIX and NAME in the test's directory; valid until the next call. */
const char *in_dir(const char *prefix, const char *name);
void expect_file(const char *name, const char *want);
void make_file(const char *name, const char *content);

#endif
