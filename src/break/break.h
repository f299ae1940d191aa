/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bookkeeping of execution breakpoints: who set what where, and which guest bytes stand under our traps.
 * Knows guest memory (gmem) and nothing of KVM.
 *
 * A *breakpoint* is a linear address, and maybe an address space, with owners.  A *site* is a place in host memory that holds
 * the trap for one or more soft breakpoints: by way of page tables or of slots that alias each other, several addresses
 * may lead to one byte.  A soft breakpoint without a site is *pending*.  What a person or client reads and writes passes by the
 * sites: break_read() shows the guest's own bytes, break_write() puts bytes beneath the traps.
 *
 * Looking up costs the same with one breakpoint and with a million.
 *
 * Threads: changed on the loop thread while every vCPU is parked; vCPU threads look things up.  break_lift(), break_plant(),
 * break_read() and break_write() may also be called by a vCPU thread, one at a time (see struct run_ctl's over_lock).
 */
#ifndef GV_BREAK_BREAK_H
#define GV_BREAK_BREAK_H

#include <stdatomic.h>

#include "api/machine.h"
#include "mem/gmem.h"
#include "util/htab.h"

/* Besides enum break_owner, inside the machine: a place that a catchpoint needs.  It is nobody's to list. */
#define BREAK_OWNER_CATCH 0x80u

struct breakpoint;

#define BREAK_TRAP_MAX 4        /* bytes of the longest trap instruction */

/* What a soft breakpoint puts into memory.  Where instructions are longer than a byte, they lie at multiples of their length. */
struct break_trap {
	unsigned len;           /* bytes: 1, or BREAK_TRAP_MAX */
	uint8_t bytes[BREAK_TRAP_MAX];
};

struct break_site {
	struct htab_link by_byte;       /* key: address of `byte` */
	uint8_t *byte;          /* the first one, in host memory */
	uint8_t saved[BREAK_TRAP_MAX];  /* the guest's own bytes */
	atomic_bool lifted;     /* out of memory for a step; changed by the stepping thread */
	struct breakpoint *first;       /* on it; the next by ->on_site */
	struct break_site *prev, *next; /* on its host page */
};

struct breakpoint {
	struct break_spec spec;
	unsigned owners;        /* mask of enum break_owner and BREAK_OWNER_CATCH, never 0 */
	struct htab_link by_gva;
	bool placed;            /* gpa is known */
	uint64_t gpa;
	struct break_site *site;        /* BREAK_SOFT; NULL: pending */
	bool in_rom;            /* pending, but found, at gpa: in read-only memory, where a debug register is to stand for it */
	struct breakpoint *on_site;     /* next on the same site */
	struct breakpoint *prev, *next; /* pending ones, hard ones, those with a site: each in a list, newest first */
	atomic_ullong hits;
};

#define BREAK_REGISTERS 4       /* debug registers of the processor that hold an address */

struct break_table;

/* Finds the gpa of SPEC->gva as its space or CPU has it now; false: not mapped.  The table's caller's thread. */
typedef bool break_resolve_fn(void *arg, const struct break_spec *spec, uint64_t *ret_gpa);

/*
 * TRAP makes this host's KVM stop.  G must outlive the table.  RESOLVE NULL: gpa and
 * gva are the same.  -ENOMEM.
 */
int break_new(struct gmem *g, const struct break_trap *trap, break_resolve_fn *resolve, void *arg, struct break_table **ret,
	      struct err *err);
void break_free(struct break_table *t);         /* memory is left as it is; NULL is fine */

/*
 * Adds OWNER to the breakpoint SPEC names, making it when it is new.  A soft one whose byte is there is put into memory, else it
 * is pending.  -ENOSPC: BREAK_REGISTERS hard ones exist; -ENOMEM.
 */
int break_add(struct break_table *t, unsigned owner, const struct break_spec *spec, struct err *err);
/* Takes OWNER off; the last one restores the byte, unless the guest has overwritten our trap.  -ENOENT. */
int break_del(struct break_table *t, unsigned owner, const struct break_spec *spec, struct err *err);
void break_del_all(struct break_table *t, unsigned owner);

/* The INDEX-th breakpoint that is somebody's, ascending by gva; NULL past the end.  Valid until the next change. */
struct breakpoint *break_at(struct break_table *t, size_t index);
/* spec->cpu does not matter. */
struct breakpoint *break_find(const struct break_table *t, const struct break_spec *spec);
/* One of any kind and space at GVA, and the next of that gva; NULL: none. */
struct breakpoint *break_first(const struct break_table *t, uint64_t gva);
struct breakpoint *break_next(const struct breakpoint *b);
/* The site at GPA, or NULL. */
struct break_site *break_site_at(const struct break_table *t, uint64_t gpa);
size_t break_sites(const struct break_table *t);
size_t break_pending(const struct break_table *t);
size_t break_count(const struct break_table *t);

/*
 * Which breakpoints are to stand in N debug registers: hard ones, then pending ones, then those set last, which are so kept when
 * the guest overwrites their bytes.  Returns how many RET got.
 */
unsigned break_registers(const struct break_table *t, unsigned n, struct breakpoint *ret[BREAK_REGISTERS]);
/* How many registers there are for breakpoints, BREAK_REGISTERS at first: places in ROM beyond that get traps at the next break_resolve(). */
void break_have_registers(struct break_table *t, unsigned n);
/* Changes whenever what break_registers() gives may have. */
uint64_t break_generation(const struct break_table *t);

/* Calls EACH for every page (GMEM_PAGE bytes of host memory) that sites lie in; how many there are. */
void break_pages(const struct break_table *t, void (*each)(void *arg, uint8_t *page), void *arg);
size_t break_page_count(const struct break_table *t);

/* Tries to find up to BUDGET pending ones' bytes; those tried longest ago first.  Returns how many were found. */
size_t break_resolve(struct break_table *t, size_t budget);
/* Puts the traps back that the guest has overwritten, in up to BUDGET sites, from where break_overwritten() found one.  Returns how many. */
size_t break_verify(struct break_table *t, size_t budget);

/*
 * Whether any trap is overwritten, and not just lifted, of up to BUDGET that it looks at, going round.  Loop thread, also while vCPUs
 * run.
 */
bool break_overwritten(struct break_table *t, size_t budget);

/* Takes the trap at S out of memory for a step, and puts it back, saving anew what the guest wrote meanwhile. */
void break_lift(struct break_table *t, struct break_site *s);
void break_plant(struct break_table *t, struct break_site *s);
/*
 * Around a change of what memory there is or what it holds: takes every trap out; and puts in those whose byte is in
 * memory afterwards, wherever it is then.  A breakpoint without memory is pending meanwhile.
 */
void break_suspend(struct break_table *t);
void break_resume(struct break_table *t);

/* gmem_read() and gmem_write() as a person sees memory: without traps of ours. */
size_t break_read(struct break_table *t, uint64_t gpa, void *ret, size_t len);
size_t break_write(struct break_table *t, uint64_t gpa, const void *data, size_t len);
/* The same of LEN bytes of guest memory at HOST, whatever address space they are in. */
void break_copy(const struct break_table *t, const uint8_t *host, void *ret, size_t len);

#endif
