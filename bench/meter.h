/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the measuring programs share: they read commands from standard input, a line each, and answer each with one
 * line of JSON on standard output.  So several can be alive at once, and be given slices of time in turn.
 */
#ifndef GV_BENCH_METER_H
#define GV_BENCH_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METER_ARGS 6

struct meter {
	double begin, until, last;      /* us */
	uint64_t ops;
	float *us;                      /* each operation's time, as far as there is room */
	size_t timed;
};

struct meter_command {
	const char *name;
	unsigned args;                  /* how many it must have */
	void (*run)(char **args);       /* prints one line */
};

double meter_now_us(void);
/* Starts the clock, for SECONDS, a positive decimal number; a command's argument. */
void meter_start(struct meter *m, const char *seconds);
/* Whether there is time for another operation; the first one always has. */
bool meter_more(const struct meter *m);
/* One call that did OPS operations is done. */
void meter_did(struct meter *m, uint64_t ops);
/* Takes out what has gone by since the last call, which was nothing that is measured. */
void meter_skip(struct meter *m);
/* The same, but for the last US microseconds of it. */
void meter_rewind(struct meter *m, double us);
/* Prints {"ops", "seconds", "rate", "p50_us", "p99_us", "least_us" (of a call), EXTRA: members or ""}. */
void meter_print(struct meter *m, const char *extra);
/* A number that a command was given, in any base of C's; dies of others. */
uint64_t meter_number(const char *text);
/* Serves standard input to its end.  What is no command ends the program. */
void meter_serve(const struct meter_command *commands, size_t n);

#endif
