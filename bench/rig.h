/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the programs that measure share: the machine, the clock, and the lines they print. */
#ifndef GV_BENCH_RIG_H
#define GV_BENCH_RIG_H

#include <stdbool.h>
#include <stddef.h>

#include "api/machine.h"

extern struct machine *m;
extern struct err err;
extern bool missed;             /* a bound was */

/* Ends the program with ERR's line unless R is 0. */
void need(int r);
double now_us(void);
/* Sorts V.  N > 0. */
double median(double *v, size_t n);
/* Prints VALUE and whether it keeps to BOUND; 0: it has none. */
void line(const char *name, double value, const char *unit, double bound);

#endif
