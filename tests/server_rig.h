/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stub behind real sockets and pipes, on a loop of the test's own, and its clients. */
#ifndef GV_TESTS_SERVER_RIG_H
#define GV_TESTS_SERVER_RIG_H

#include "gdbstub/gdbstub.h"
#include "tests/fake_machine.h"
#include "tests/unit.h"

struct bed {
	uv_loop_t loop;
	uv_poll_t machine_poll;
	struct fake_machine *f;
	struct gdbstub *stub;
	char dir[64], path[96];
	unsigned came, went, killed, closed, notes;
};

extern struct bed bed;

/* A fixture: a stub that listens nowhere yet.  teardown() fails when an observer, a handle or a file stays behind. */
void setup(void);
void teardown(void);

/* What the loop calls for the machine, of which one test has to do without it for a while. */
void on_machine(uv_poll_t *h, int status, int events);

/* At bed.path, both. */
void listen_unix(void);
int connect_unix(void);

/* Lets the loop do what it can; waits a little for FD to become readable. */
void turn(int fd);
/* Turns the loop until *COUNTER has reached N. */
void wait_for(const unsigned *counter, unsigned n);

void send_packet(int fd, const char *payload);
/* Reads until a packet has ended, or to the end of the connection. */
const char *receive(int fd);
const char *ask(int fd, const char *payload);

#define QC_REPLY "+$QC1#c5"

#endif
