/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bookkeeping of watchpoints: which bytes somebody wants to hear of, and which pages the guest must lose rights to for that.
 * Knows guest memory (gmem) and nothing of KVM.
 *
 * A watchpoint that is not in debug registers stands on *pages* of host memory: several guest addresses may lead to one, and
 * all of them lose the right.  A part of it that is not mapped, or has no memory, waits until it is.
 *
 * Threads: changed on the loop thread while every vCPU is parked; watch_check() by vCPU threads, one at a time.
 */
#ifndef GV_BREAK_WATCH_H
#define GV_BREAK_WATCH_H

#include <stdatomic.h>

#include "api/machine.h"
#include "mem/gmem.h"

#define WATCH_REGISTER_BYTES 32         /* four debug registers of eight bytes */

struct watch_ref;

struct watchpoint {
	struct watch_spec spec;
	unsigned owners;        /* mask of enum break_owner, never 0 */
	bool in_registers;
	struct watch_ref *refs; /* one a page of its range; NULL when it is in registers */
	size_t nrefs, nplaced;
	uint8_t last[WATCH_REGISTER_BYTES];     /* in registers: what was there when it was last looked at */
	bool last_valid;
	atomic_ullong hits, misses;
};

struct watch_table;

/* What the table asks of the machine; all on the thread that changes the table. */
struct watch_ops {
	void *arg;
	/* The gpa that GVA has for vCPU spec->cpu now. */
	bool (*resolve)(void *arg, const struct watch_spec *spec, uint64_t gva, uint64_t *ret_gpa);
	/* Every gpa that shows the host page at HOST. */
	void (*gpas)(void *arg, const uint8_t *host, void (*each)(void *each_arg, uint64_t gpa), void *each_arg);
	/* From now on the guest may not write, or not even read, the page at GPA; both false: all is allowed.  -ENOMEM, -ENOTSUP. */
	int (*rights)(void *arg, uint64_t gpa, bool no_write, bool no_read);
};

/* G must outlive the table.  *OPS is copied.  -ENOMEM. */
int watch_new(struct gmem *g, const struct watch_ops *ops, struct watch_table **ret, struct err *err);
void watch_free(struct watch_table *t);         /* rights stay as they are; NULL is fine */

/*
 * Adds OWNER to the watchpoint SPEC names, making it when it is new; *RET_NEW says whether.  Rights change by ops->rights alone: the
 * caller puts them into force.  -EINVAL: empty, too large or wrapping; -ENOMEM; what ops->rights said.
 */
int watch_add(struct watch_table *t, unsigned owner, const struct watch_spec *spec, bool in_registers, bool *ret_new,
	      struct err *err);
/* Has every watchpoint stand on pages from now on.  -ENOMEM: some are in registers still. */
int watch_leave_registers(struct watch_table *t, struct err *err);
/* Whether any page is watched or guarded. */
bool watch_has_pages(const struct watch_table *t);
/* Takes OWNER off, and gives the rights back with the last one.  -ENOENT. */
int watch_del(struct watch_table *t, unsigned owner, const struct watch_spec *spec, struct err *err);
void watch_del_all(struct watch_table *t, unsigned owner);

/* The INDEX-th, ascending by gva; NULL past the end. */
struct watchpoint *watch_at(const struct watch_table *t, size_t index);
struct watchpoint *watch_find(const struct watch_table *t, const struct watch_spec *spec);
size_t watch_count(const struct watch_table *t);
/* How many are in registers. */
size_t watch_registers(const struct watch_table *t);
/* Parts that have no page yet. */
size_t watch_pending(const struct watch_table *t);
/* Changes with every change of what is watched in registers. */
uint64_t watch_generation(const struct watch_table *t);

/*
 * Guards: pages whose writes exit because breakpoints' bytes lie in them, so that none is lost when the guest loads its code
 * there.  A guard that is in the way of too many writes goes, and does not come back before the memory changes.
 *
 * watch_guard() keeps one at the page of HOST, making it when it is new; false: it may not have one.  watch_guards_sweep() ends a
 * round and takes away those that the last KEEP rounds did not keep; true: rights changed.
 */
#define WATCH_GUARDS_MAX 64
bool watch_guard(struct watch_table *t, uint8_t *host);
bool watch_guards_sweep(struct watch_table *t, unsigned keep);
/* The guest wrote to the page of HOST.  True: its guard is too much in the way, and to be swept.  As watch_check(). */
bool watch_guard_written(struct watch_table *t, const uint8_t *host);

/* Tries to place what is pending, up to BUDGET parts.  Returns how many were placed: rights changed then. */
size_t watch_resolve(struct watch_table *t, size_t budget);
/* Around a change of what memory there is: gives all rights back; and takes them where the memory is then. */
void watch_suspend(struct watch_table *t);
void watch_resume(struct watch_table *t);

/* One aligned piece of 1, 2, 4 or 8 bytes, as a debug register watches it. */
struct watch_piece {
	uint64_t gva;
	unsigned size;
};

/* Splits SPEC's range; returns how many pieces it takes, RET gets the first four. */
unsigned watch_pieces(const struct watch_spec *spec, struct watch_piece ret[4]);

/* An access of LEN bytes at HOST: bytes before and after (the same for a read). */
struct watch_access {
	const uint8_t *host;
	size_t len;
	bool write;
	const uint8_t *old, *now;
};

/*
 * The INDEX-th watchpoint of those that the access hits; false past the end.  *RET_W gets it and *RET_HIT what is to be told
 * (all but the pc).  An access that hits none counts as a miss of the page's watchpoints, once, when INDEX is 0.
 */
bool watch_check(struct watch_table *t, const struct watch_access *a, size_t index, struct watchpoint **ret_w,
		 struct watch_hit *ret_hit);
/* Whether any byte of the host page that HOST lies in is watched. */
bool watch_on_page(const struct watch_table *t, const uint8_t *host);

#endif
