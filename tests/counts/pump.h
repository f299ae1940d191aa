/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client that costs nothing: packets are framed beforehand, and a reply is only looked at where it stands.  So what is counted
 * around it is the session's and the machine's.
 */
#ifndef GV_TESTS_COUNTS_PUMP_H
#define GV_TESTS_COUNTS_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdbstub/session.h"

#define PUMP_PACKETS 6

/* What is counted: the packets are sent one after the other, each with its reply awaited. */
struct op {
	const char *name;
	const char *before[PUMP_PACKETS];       /* not counted; each is answered with OK or by a stop */
	const char *packets[PUMP_PACKETS];
	const char *after[PUMP_PACKETS];        /* like before */
};

struct pump {
	struct machine *m;
	struct session *s;
	const char *wrong;                      /* the packet whose reply was an error or none, or NULL */
	uint8_t frames[PUMP_PACKETS][512];
	size_t len[PUMP_PACKETS];
};

/* A session on M, whose client needs no acknowledgements; false: it does not begin.  M must outlive it. */
bool pump_open(struct pump *p, struct machine *m);
void pump_close(struct pump *p);

/* Sends these, up to the first that is NULL.  False: p->wrong. */
bool pump_say(struct pump *p, const char *const packets[PUMP_PACKETS]);

/* Makes the frames of OP's packets; then pump_turn() sends them all, and may be counted.  False: p->wrong. */
void pump_load(struct pump *p, const struct op *op);
bool pump_turn(struct pump *p, const struct op *op);

#endif
