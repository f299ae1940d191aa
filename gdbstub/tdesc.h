/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The documents a client reads by qXfer: the target description (gdb manual, appendix G) and the thread list. */
#ifndef GV_GDBSTUB_TDESC_H
#define GV_GDBSTUB_TDESC_H

#include "api/arch.h"
#include "api/machine.h"
#include "api/out.h"

/* What somebody asked for. */
struct tdesc_wish {
	unsigned choice;                /* of arch_desc.choices */
	bool plain;                     /* registers of named bits are numbers and no more */
};

/* How a client is to see the machine's registers. */
struct tdesc {
	const struct arch_choice *as;   /* never REG_CHOICE_AUTO's */
	unsigned layout;                /* that one's */
	bool plain;
};

/*
 * Chooses as *WISH says: REG_CHOICE_AUTO by the image's class, and for a flat image by the mode vCPU CPU is in now; a running
 * machine is held for that.  Never fails: where the mode cannot be read it is taken for 64-bit.
 */
struct tdesc tdesc_choose(struct machine *m, unsigned cpu, const struct tdesc_wish *wish);

/* Writes target.xml; from arch_desc, with every register's number given. */
void tdesc_write_target(struct machine *m, const struct tdesc *t, struct out *o);
/* Writes the thread list: thread N is vCPU N - 1.  PROCESS stands before each id: "", or "p1.". */
void tdesc_write_threads(struct machine *m, const char *process, struct out *o);

/* What a vCPU is doing, for a person; "running" when the machine runs. */
const char *tdesc_activity(struct machine *m, unsigned cpu);
/*
 * What follows that where a Linux kernel is known and the machine stands still: ", init (pid 1)", else "".  The name is the guest's;
 * what is not printable in it, or would have to be escaped, is a ?.
 */
#define TDESC_TASK_MAX 40
void tdesc_task(struct machine *m, unsigned cpu, char ret[TDESC_TASK_MAX]);

#endif
