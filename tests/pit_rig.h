/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A PC with nothing but a PIT, whose clock the test holds in pulses of the PIT's. */
#ifndef GV_TESTS_PIT_RIG_H
#define GV_TESTS_PIT_RIG_H

#include "dev/pic.h"
#include "tests/fake_pc.h"

#define CONTROL         0x43
#define PORT_B          0x61

extern struct fake_pc pc;
extern uint64_t at;             /* pulses since the beginning */

/* Fixture. */
void setup(void);
void teardown(void);

/* The time of a pulse. */
uint64_t ns_of(uint64_t pulse);
/* Without calling timers: as for a guest that looks before the host does. */
void pass(uint64_t pulses);

/* A control word for counter WHICH; its count, low byte first; the count it has now, by a latch; OUT of counter 2. */
void control(unsigned which, unsigned rw, unsigned mode, bool bcd);
void count(unsigned which, unsigned value);
unsigned value(unsigned which);
bool out2(void);

/* For host.irq: checks that the line changes, and counts how often it rises. */
extern unsigned rises;
void note_rise(void *arg, unsigned gsi, bool level);

/* The next of a sequence. */
uint32_t random_bits(void);

#endif
