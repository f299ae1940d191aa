/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One counter of an 8254 (Intel 8254 data sheet).  It is not stepped: its state is which count it took and how many
 * clock pulses ago, and all else follows.  What is written is taken at the next pulse, as on the chip, so a count of N
 * ends N + 1 pulses after it was written.  Every function takes about the same time, whatever the state and the number
 * of pulses.
 */
#ifndef GV_DEV_PIT_COUNTER_H
#define GV_DEV_PIT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#define COUNTER_CONTROL_BITS 0x3f
#define COUNTER_MAX          0x10000u
#define PULSE_NEVER          UINT64_MAX

struct counter {
	uint8_t control;        /* bits 5 to 0 as written; 0: none yet, which is no valid one */
	bool gate;
	bool has_count;         /* `initial` was written since */
	bool null;              /* and has not been taken */
	bool loaded;            /* there is something to count: */
	bool paused;            /* by the gate; `age` stands still */
	bool low;               /* SQUARE: `age` began with the half of OUT low */
	bool next_low;          /* `low` of the count to be taken */
	bool second_write, second_read;         /* the next byte of a pair is the high one */
	bool has_status;        /* latched */
	uint8_t latched;        /* bytes of `latch` still to be read */
	uint8_t first;          /* low byte that awaits the high one */
	uint8_t status;
	uint16_t latch;
	uint16_t initial;       /* as written: the count register */
	uint32_t count;         /* that was taken: 1 to COUNTER_MAX */
	uint32_t load_in;       /* pulses until `initial` is taken; 0: not to be */
	uint64_t age;           /* pulses since `count` was taken */
};

/* A control word: bits 5 to 0 of VALUE, with an access mode (bits 5 and 4) that is not 0. */
void counter_control(struct counter *c, uint8_t value);
void counter_write(struct counter *c, uint8_t value);
uint8_t counter_read(struct counter *c);
/* Latch commands: kept until they are read, a second one before has no effect. */
void counter_latch(struct counter *c);
void counter_latch_status(struct counter *c);
void counter_gate(struct counter *c, bool gate);

/* The level of OUT; high in a counter that is not programmed. */
bool counter_out(const struct counter *c);
/* What the counting element holds, as it is read. */
uint16_t counter_value(const struct counter *c);
const char *counter_mode(const struct counter *c);      /* static text */

/* Lets N pulses pass; returns whether OUT rose. */
bool counter_advance(struct counter *c, uint64_t n);
/* Pulses from now on until OUT rises, by what is known now; PULSE_NEVER. */
uint64_t counter_rises_in(const struct counter *c);
/* Whether its state, in which each member is in its type's range as commented, can come about. */
bool counter_consistent(const struct counter *c);

#endif
