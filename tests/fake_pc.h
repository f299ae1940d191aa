/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bus on a host that only notes what devices ask of it. */
#ifndef GV_TESTS_FAKE_PC_H
#define GV_TESTS_FAKE_PC_H

#include <stdatomic.h>

#include "dev/bus.h"

#define FAKE_PC_MEM (1u << 20)          /* bytes */

struct fake_pc {
	struct dev_host host;
	struct bus *bus;
	uint64_t now;
	bool level[24];                 /* of each GSI */
	unsigned irqs;                  /* calls of host.irq */
	unsigned resets;
	const char *reset_by;
	unsigned exits;
	int exit_status;
	unsigned wanted;                /* calls of host.input_wanted */
	uint64_t clock;                 /* nanoseconds; fake_pc_run_to() moves it */
	uint64_t deadline;              /* as the bus said last */
	uint8_t *mem;                   /* guest memory from gpa 0 on, FAKE_PC_MEM bytes, zero at first */
	unsigned power_offs, remaps;
	atomic_uint wakes;              /* calls of host.wake */
	unsigned troubles;              /* calls of host.trouble */
	char trouble[200];              /* its last line */
	size_t room;                    /* what host.output_room says, less by each output; SIZE_MAX at first: no end to it */
	uint32_t seed;                  /* of host.random */
	unsigned msis;                  /* calls of host.msi; its last message */
	uint64_t msi_address;
	uint32_t msi_data;
	char log[256];                  /* host.log's text, NUL-terminated, cut */
	size_t log_len;
	uint8_t output[256];
	size_t output_len;              /* keeps counting when output is full */
};

/* *F must stay where it is. */
void fake_pc_init(struct fake_pc *f);
void fake_pc_done(struct fake_pc *f);

/* Attaches every device of the PC; returns the serial port. */
struct device *fake_pc_attach_all(struct fake_pc *f, uint64_t ram_size);
/* Saves into B in place of what it held. */
void fake_pc_save(struct fake_pc *f, struct dev_buf *b);
/* Checks that the state, saved, reset and loaded, saves the same again. */
void fake_pc_round_trip(struct fake_pc *f);

/* Lets the clock reach T, with every timer that falls due on the way called at its time. */
void fake_pc_run_to(struct fake_pc *f, uint64_t t);

uint32_t pc_in(struct fake_pc *f, uint16_t port, unsigned size);
void pc_out(struct fake_pc *f, uint16_t port, unsigned size, uint32_t value);

static inline uint8_t inb(struct fake_pc *f, uint16_t port)
{
	return (uint8_t)pc_in(f, port, 1);
}

static inline void outb(struct fake_pc *f, uint16_t port, uint8_t value)
{
	pc_out(f, port, 1, value);
}

#endif
