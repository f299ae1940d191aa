/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where an expression's names and memory come from: a vCPU and the image's symbols. */
#ifndef GV_MONITOR_NAMES_H
#define GV_MONITOR_NAMES_H

#include "api/machine.h"
#include "monitor/expr.h"

struct names {
	struct machine *m;
	unsigned cpu;
	bool symbols;           /* a symbol was looked up and found */
};

/* For expr_eval(); NAMES stays the caller's.  On any thread that may read CPU's registers and memory. */
struct expr_env names_env(struct names *names);

#endif
