/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bookkeeping of execution breakpoints: who set what where, and which guest bytes stand under our trap bytes
 * (int3, or what this host stops at instead).
 * Knows guest memory (gmem) and nothing of KVM.
 *
 * A *breakpoint* is a linear address with owners.  A *site* is a physical byte that holds the trap byte for one or more soft
 * breakpoints (two linear addresses may map to one byte).  What a person or client reads and writes passes by the sites:
 * break_read() shows the guest's own bytes, break_write() puts bytes beneath the traps.
 *
 * Threads: changed on the loop thread while every vCPU is parked.  break_site_set() may also be called by a vCPU thread
 * that steps over a site while all others are parked.
 */
#ifndef GV_BREAK_BREAK_H
#define GV_BREAK_BREAK_H

#include "api/machine.h"
#include "mem/gmem.h"

struct break_site {
	uint64_t gpa;
	unsigned refs;          /* soft breakpoints on it */
	uint8_t saved;          /* the guest's own byte */
	bool armed;             /* the trap is in memory, as far as we know */
};

struct breakpoint {
	uint64_t gva;
	enum break_kind kind;
	unsigned owners;        /* mask of enum break_owner, never 0 */
	struct break_site *site;        /* BREAK_SOFT */
	uint64_t hits;
};

#define BREAK_HARD_MAX 4        /* debug registers of the processor */

struct break_table;

/* TRAP is the byte that makes this host's KVM stop: int3, or what does instead.  G must outlive the table.  -ENOMEM. */
int break_new(struct gmem *g, uint8_t trap, struct break_table **ret, struct err *err);
void break_free(struct break_table *t);         /* memory is left as it is; NULL is fine */

/*
 * Adds OWNER to the breakpoint at GVA, making it when it is new; GPA is where a soft one's trap goes (its byte is saved and
 * replaced).  -ENXIO: no memory there; -ENOSPC: BREAK_HARD_MAX hard ones exist; -ENOMEM.
 */
int break_add(struct break_table *t, enum break_owner owner, enum break_kind kind, uint64_t gva, uint64_t gpa,
	      struct err *err);
/* Takes OWNER off; the last one restores the byte, unless the guest has overwritten our trap.  -ENOENT. */
int break_del(struct break_table *t, enum break_owner owner, enum break_kind kind, uint64_t gva, struct err *err);
void break_del_all(struct break_table *t, enum break_owner owner);

/* The INDEX-th breakpoint, ascending by gva; NULL past the end.  Valid until the next change. */
struct breakpoint *break_at(struct break_table *t, size_t index);
struct breakpoint *break_find(struct break_table *t, enum break_kind kind, uint64_t gva);
/* The armed site at GPA, or NULL. */
struct break_site *break_site_find(struct break_table *t, uint64_t gpa);
size_t break_soft_count(const struct break_table *t);
/* Linear addresses of the hard breakpoints; returns how many. */
unsigned break_hard(const struct break_table *t, uint64_t ret[BREAK_HARD_MAX]);

/* Takes the trap at S out of memory (ARM false) or puts it back, saving anew what the guest wrote meanwhile. */
void break_site_set(struct break_table *t, struct break_site *s, bool arm);
/*
 * Around a change of what memory there is or what it holds: takes every trap out, and puts in those whose byte is in
 * memory afterwards.  A site without memory stays, and comes back when a later break_resume() finds memory at its gpa.
 */
void break_suspend(struct break_table *t);
void break_resume(struct break_table *t);
/* After RAM was cleared and loaded again: saves the new bytes and arms every site. */
void break_rearm(struct break_table *t);

/* gmem_read() and gmem_write() as a person sees memory: without traps of ours. */
size_t break_read(struct break_table *t, uint64_t gpa, void *ret, size_t len);
size_t break_write(struct break_table *t, uint64_t gpa, const void *data, size_t len);

#endif
