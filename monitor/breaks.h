/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The monitor's own breakpoints, watchpoints and catchpoints: one list, one numbering, and which of them an event is
 * of.  A million are fine: by number they are found by bisection, by place through a hash.
 *
 * Threads: the loop thread's, and changed only while every vCPU is parked.  brks_match() and the members that say so
 * are also the stop filter's (monitor/hits.h), on a vCPU's thread.
 */
#ifndef GV_MONITOR_BREAKS_H
#define GV_MONITOR_BREAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/machine.h"

enum brk_type { BRK_BREAK, BRK_WATCH, BRK_CATCH };

struct brk {
	unsigned number;        /* from 1; 0: that of `until`, which goes at the next stop */
	enum brk_type type;
	union {
		struct break_spec at;
		struct watch_spec watch;
		struct catch_spec caught;
	};
	unsigned catch_id;      /* BRK_CATCH, while enabled: the machine's number */
	int cpu;                /* the only vCPU whose hits count; -1: any */
	bool enabled;
	bool temporary;         /* goes when it is hit */
	bool silent;            /* its commands begin with `silent` */
	bool moves;             /* its place was named by symbols, and goes where they go */
	bool goes_on;           /* its commands end with `continue` */
	char *condition;        /* owned; NULL: none */
	char *commands;         /* lines, each with its newline; owned; NULL: none */
	uint64_t ignore;        /* so many hits are passed over; the filter's, too */
	uint64_t hits;          /* those passed over included; the filter's, too */
	uint64_t wanted_by;     /* a bit a vCPU: in its struct wanted; the filter's, too */
	struct brk *next;       /* in the same bucket */
};

#define BREAKS_MAX 1000000
#define WANTED_MAX 8            /* of one stop; more are hit all the same, but not named */

/*
 * What a vCPU waits with until its stop is told: all that its hit was of.  There may be several, of which the machine
 * reports one: at one address by other means or for other spaces, and through other mappings.  The filter's.
 */
struct wanted {
	enum stop_reason reason;
	uint64_t pc;
	unsigned n;
	struct brk *v[WANTED_MAX];
	char why[200];          /* why a condition had no value; "": all had */
};

struct breaks {
	struct machine *m;
	struct brk **v;         /* ascending by number */
	size_t n, cap;
	struct brk *until;      /* NULL: none */
	struct brk **bucket;    /* by gva, or a catchpoint's id */
	size_t nbuckets;        /* a power of two, or 0 */
	size_t nhashed;
	unsigned last;          /* number given out last */
	struct wanted wanted[MACHINE_CPUS_MAX];
};

void brks_init(struct breaks *b, struct machine *m);
/* Forgets all; the machine keeps what it has. */
void brks_done(struct breaks *b);

/*
 * Sets what WHAT says (type, its union, cpu, temporary, condition) and gives it a number.  The condition becomes the
 * list's on success.  -EEXIST: the same is there already, or that watchpoint with another condition; what the machine
 * answers; -ENOMEM; -ENOSPC: too many.
 */
int brks_add(struct breaks *b, const struct brk *what, unsigned *ret_number, struct err *err);
/* Sets the one of `until`, in place of what was left of another. */
int brks_until(struct breaks *b, const struct break_spec *spec, struct err *err);
/* Takes NUMBER away.  -ENOENT; what the machine answers: it stays then. */
int brks_remove(struct breaks *b, unsigned number, struct err *err);
/* Takes all with a number away; at an error the rest stays. */
int brks_remove_all(struct breaks *b, struct err *err);
/* Gives it to the machine or takes it away from it; its number and counts stay.  -ENOENT; what the machine answers. */
int brks_enable(struct breaks *b, unsigned number, bool on, struct err *err);
/*
 * Those that were named by symbols are DELTA (modulo 2^64) from where they were.  Returns how many; one that the
 * machine will not have at its new place is disabled there, with ERR saying why, and counted as well.
 */
size_t brks_move(struct breaks *b, uint64_t delta, struct err *err);
/* No start, or a stop that was told: until's goes. */
void brks_drop_until(struct breaks *b);
/* All that EV, a stop, is of; none when it is not of any. */
const struct wanted *brks_wanted(const struct breaks *b, const struct stop_event *ev);
/* For the filter: what EV's vCPU waits with, emptied when that was for another hit.  And: K is wanted there. */
struct wanted *brks_hit(struct breaks *b, const struct stop_event *ev);
void brks_want(struct breaks *b, struct brk *k, unsigned cpu);
/* EV has been told: temporary ones that it was of go, and nothing is remembered of it. */
void brks_told(struct breaks *b, const struct stop_event *ev);

/* NULL: there is none. */
struct brk *brks_find(const struct breaks *b, unsigned number);
/* Where the first with NUMBER or a higher one stands in b->v; b->n: there is none. */
size_t brks_from(const struct breaks *b, unsigned number);

/* The next one after K (NULL: the first) that the machine's SPEC stands for, enabled ones only; NULL: no more. */
struct brk *brks_of_break(const struct breaks *b, const struct break_spec *spec, const struct brk *k);
struct brk *brks_of_watch(const struct breaks *b, const struct watch_spec *spec, const struct brk *k);
struct brk *brks_of_catch(const struct breaks *b, unsigned id, const struct brk *k);
/* The same for what EV, a hit the filter is asked about, is of. */
struct brk *brks_match(const struct breaks *b, const struct stop_event *ev, const struct brk *k);

#endif
