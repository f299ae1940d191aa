/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One client: a byte pump without I/O.  Bytes from the client go into session_input(); bytes for it collect in a
 * bounded queue that the owner empties.  The server puts sockets on both ends, tests and fuzzers buffers.
 */
#ifndef GV_GDBSTUB_SESSION_H
#define GV_GDBSTUB_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/command.h"
#include "api/machine.h"

#define SESSION_PACKET_SIZE     0x40000         /* payload bytes of a packet, either way */
#define SESSION_QUEUE_MAX       (16u << 20)     /* a client that lets more than this wait is dropped */

enum session_end {
	SESSION_ON,
	SESSION_DETACHED,       /* D: to be closed when the output has gone */
	SESSION_KILLED,         /* k, vKill: likewise, and the program is to end */
	SESSION_BROKEN,         /* the output queue overflowed or memory ran out: to be closed at once */
};

struct session;
struct triggers;
struct wirelog;

struct session_owner {
	void *arg;
	/* gdb's breakpoints' conditions and commands, when some are to outlive the session; NULL: it has its own. */
	struct triggers *triggers;
	/* Output arose outside session_input(), from machine_poll() or a command. */
	void (*output)(void *arg);
	/* The work that session_leave() left over is done: the session may be freed, from here too. */
	void (*left)(void *arg);
	/*
	 * The number of the client that drives; 0: this one does.  One that does not only observes: it reads while the machine is
	 * stopped, and what runs the machine or changes it is refused with a line that says who drives.
	 */
	unsigned driver;
	/* An observer asks to drive (`monitor takeover`).  NULL: it cannot. */
	void (*take_over)(void *arg);
};

/*
 * A client has come.  A running machine is asked to stop; nothing is sent.  M, CMD (NULL: qRcmd is not supported)
 * and OWNER (copied) must outlive the session.  -ENOMEM.
 */
int session_new(struct machine *m, struct commander *cmd, const struct session_owner *owner,
		struct session **ret, struct err *err);
/* From now on its packets are written to LOG (NULL: to none), as CLIENT's.  LOG must outlive the session. */
void session_log(struct session *s, struct wirelog *log, unsigned client);
/* Before the client has said anything: how it is to see the registers; else it is REG_CHOICE_AUTO. */
void session_describe_as(struct session *s, unsigned choice);
/* Frees it and what it waits for, without touching the machine.  NULL is fine. */
void session_free(struct session *s);

/*
 * Takes bytes from the client and acts on them.  If that resumed the machine, calls machine_poll() with a short
 * spin, so that a quick stop's reply is in the queue on return.
 */
void session_input(struct session *s, const uint8_t *data, size_t len);

/* The bytes that wait for the client; valid until the next call with S. */
const uint8_t *session_output(const struct session *s, size_t *ret_len);
/* The first LEN of them have been sent. */
void session_sent(struct session *s, size_t len);

/* Breakpoints' commands have printed something (triggers_new()'s wake, on the loop thread). */
void session_prints(struct session *s);

/*
 * Whether the client is known to have something to say yet: a notification was sent that it has still to answer, or it is in
 * extended mode and the guest has ended, which it does not take for the end of the session.
 */
bool session_awaits(const struct session *s);

/* Whether the session goes on; when not, session_input() does nothing any more. */
enum session_end session_end(const struct session *s);

/*
 * The client has gone: abandons its command, takes away gdb's breakpoints and lets a stopped machine run.  True
 * when that is done; false when a stop that was asked for is still to come and must be undone first: owner->left
 * follows.  A second call does nothing and answers likewise.
 */
bool session_leave(struct session *s);

/*
 * FROM drives no more: TO does, whose client has NUMBER; gdb's breakpoints are FROM's and go.  The machine stays as it is.  A
 * client in non-stop mode cannot observe: its session ends.
 */
void session_hand_over(struct session *from, struct session *to, unsigned number);
/* Another than the one before drives now: NUMBER. */
void session_observe(struct session *s, unsigned number);

#endif
