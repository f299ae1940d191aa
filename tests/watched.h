/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine of a test, with what it has told its observer so far. */
#ifndef GV_TESTS_WATCHED_H
#define GV_TESTS_WATCHED_H

#include "api/machine.h"

extern struct machine *m;
extern struct err err;                  /* for whoever wants one */
extern struct stop_event stop;          /* reported last */
extern unsigned stops, resets;          /* how many came */
extern char serial[1 << 17];            /* what came on COM1 so far */
extern size_t serial_len;

/* Has M be MADE, observed, with nothing told yet. */
void watched_begin(struct machine *made);
/* Frees M. */
void watched_end(void);
/* Polls M until DONE, first for SPIN_US and then asleep between events; false: not within DEADLINE_MS. */
bool watched_until(bool (*done)(size_t wanted), size_t wanted, unsigned spin_us, unsigned deadline_ms);
/* DONE for that many stops. */
bool watched_stops(size_t wanted);

#endif
