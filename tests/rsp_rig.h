/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stub's session on a fake machine, without sockets: what the protocol tests stand on. */
#ifndef GV_TESTS_RSP_RIG_H
#define GV_TESTS_RSP_RIG_H

#include "gdbstub/session.h"
#include "tests/fake_machine.h"

/*
 * The commander knows: "echo TEXT", "fail" (one line and -EINVAL), "big" (a million bytes), "wait" (until
 * rig_finish() or cancel), and anything else does nothing.
 */
struct rig {
	struct commander commander;     /* first */
	struct fake_machine *f;
	struct session *s;
	bool acks;                      /* the session acknowledges: rig_ask() drops its '+' */
	unsigned left;                  /* owner->left calls */
	unsigned output_calls;          /* owner->output calls */
	command_done_fn *done;          /* of a command that waits; NULL: none */
	void *done_arg;
	struct out *command_out;
	unsigned cancels;
};

/* A client attaches to a new machine and switches acknowledgments off.  CONFIG may be NULL. */
void rig_open(struct rig *r, const struct fake_config *config);
/* The same with acknowledgments left on, and to the machine that is there if there is one. */
void rig_attach(struct rig *r, const struct fake_config *config);
/* The client goes, when whatever stood in the way has been taken away: nothing of it stays behind.  Then as rig_close(). */
void rig_part(struct rig *r);
void rig_close(struct rig *r);

/*
 * Sends a packet and returns the payloads of all that came back, run lengths and escapes undone, joined by '|';
 * before a notification's stands '%'.
 * The text is valid until the next call.
 */
const char *rig_ask(struct rig *r, const char *payload);
const char *rig_ask_bytes(struct rig *r, const void *payload, size_t len);
/* Only sends it. */
void rig_send(struct rig *r, const void *payload, size_t len);
/* What is there without a packet sent: after machine_poll(). */
const char *rig_poll(struct rig *r);
const char *rig_take(struct rig *r);
/* Bytes as they stand, both ways. */
void rig_send_raw(struct rig *r, const char *bytes);
const char *rig_take_raw(struct rig *r);

/* Fails the test unless GOT, REQUEST's reply, is WANT; a WANT that ends in '~' is compared as far as that. */
void rig_compare(const char *got, const char *want, const char *request);
/* Reads a whole document in pieces of LEN bytes: OBJECT is what stands after qXfer, without offset.  Valid until the next call. */
char *rig_document(struct rig *r, const char *object, unsigned len);

/* What follows the registers in a stop reply, of which TEXT is the first; TEXT itself where it is none. */
const char *rig_skip_registers(const char *text);

void rig_finish(struct rig *r, int status);

/* The monitor sets a breakpoint. */
void rig_monitor_break(struct rig *r, uint64_t gva);

/* Appends what a client sends for a payload to RET (room for 2 * LEN + 4) and returns its length. */
size_t rig_frame(const void *payload, size_t len, uint8_t *ret);

#endif
