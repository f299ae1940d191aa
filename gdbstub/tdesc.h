/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The documents a client reads by qXfer: the target description (gdb manual, appendix G) and the thread list. */
#ifndef GV_GDBSTUB_TDESC_H
#define GV_GDBSTUB_TDESC_H

#include "api/machine.h"
#include "api/out.h"

/* How a client is to see the machine's registers. */
struct tdesc {
	enum reg_layout layout;
	const char *arch;               /* gdb's name of the architecture; static text */
};

/*
 * Chooses by the image's class, and for a flat image by the mode vCPU 0 is in now; a running machine is held for
 * that.  Never fails: where the mode cannot be read it is taken for 64-bit.
 */
struct tdesc tdesc_choose(struct machine *m);

/* Writes target.xml; from reg_table, with every register's number given. */
void tdesc_write_target(struct machine *m, const struct tdesc *t, struct out *o);
/* Writes the thread list: thread N is vCPU N - 1.  PROCESS stands before each id: "", or "p1.". */
void tdesc_write_threads(struct machine *m, const char *process, struct out *o);

/* What a vCPU is doing, for a person; "running" when the machine runs. */
const char *tdesc_activity(struct machine *m, unsigned cpu);

#endif
