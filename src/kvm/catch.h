/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Catchpoints: events that stop the guest and have no place of their own.
 *
 * Threads: the table changes on the loop thread while every vCPU is parked, and is looked at by vCPU threads.
 *
 * Those that look (catch_match(), catch_reset(), catch_halt(), arch.catch_hit()) make a STOP_CATCH event in *EV, with
 * reason, catch_id and text, for the lowest id above EV->catch_id that matches, and answer false when there is none.
 * So a caller starts with a zeroed event, and calls again with the same one when the filter did not want that stop:
 *
 *	struct stop_event ev = { 0 };
 *
 *	while (catch_match(t, &access, &ev))
 *		if (wanted(v, &ev)) { vcpu_event(v, &ev); break; }
 */
#ifndef GV_KVM_CATCH_H
#define GV_KVM_CATCH_H

#include "kvm/vcpu.h"

#define CATCH_MAX 4096                  /* catchpoints at a time */

struct catch_table;

/* VM must outlive the table; its vCPUs need not exist yet.  -ENOMEM. */
int catch_new(struct vm *vm, struct catch_table **ret, struct err *err);
/* Leaves the break table and KVM as they are: for the end of the machine.  NULL is fine. */
void catch_free(struct catch_table *t);

/*
 * As machine_catch_add/remove/list.  Additionally -ENOSPC: CATCH_MAX exist, or MSR ranges are too many.  A range that
 * KVM's own devices serve whole, so that no access to it ever comes out, is refused with -ENOTSUP.  Loop thread, all
 * parked.
 */
int catch_add(struct catch_table *t, const struct catch_spec *spec, unsigned *ret_id, struct err *err);
int catch_remove(struct catch_table *t, unsigned id, struct err *err);
bool catch_list(const struct catch_table *t, size_t index, struct catch_info *ret);
/* Counts a hit of ID, which may have gone: where a STOP_CATCH event is reported, as for breakpoints.  Loop thread. */
void catch_count(struct catch_table *t, unsigned id);
/* Whether ID exists still, for dropping a waiting event whose catchpoint has gone.  Loop thread. */
bool catch_exists(const struct catch_table *t, unsigned id);

/* Whether any of KIND exists: one load.  Any thread. */
bool catch_has(const struct catch_table *t, enum catch_kind kind);

/* An access that has been carried out. */
struct catch_access {
	enum catch_kind kind;   /* CATCH_PORT, CATCH_MMIO, CATCH_SPECIAL */
	uint64_t addr;          /* port, gpa, MSR number */
	bool write;
	unsigned size, count;   /* bytes of one access; how many at the same port (else 1) */
	const uint8_t *data;    /* what was written, or read: size * count bytes */
	bool claimed;           /* a device, or the processor, answered */
	bool refused;           /* CATCH_SPECIAL: the guest gets a #GP */
};

/*
 * Catchpoints of ports, MMIO, MSRs and unclaimed accesses.  V's thread:
 *   exit_io()    after bus_io(), with `claimed` what that returned;
 *   exit_mmio()  after the access was served, when no slot holds the gpa;
 *   special registers: when the access was carried out.
 */
bool catch_match(struct catch_table *t, const struct catch_access *a, struct stop_event *ev);

/* The guest asks for a reset by what is named BY: before guest_reset() (run.c) does it.  Loop thread, all parked. */
bool catch_reset(struct catch_table *t, const char *by, struct stop_event *ev);

/*
 * V is halted with interrupts off.  A halt is told of once for each catchpoint.  Loop thread, V parked; called about
 * every millisecond while catch_wants_tick().
 */
bool catch_halt(struct catch_table *t, struct vcpu *v, struct stop_event *ev);

/* Whether the machine should be parked about every millisecond, for catch_halt() and catch_follow(). */
bool catch_wants_tick(const struct catch_table *t);

/*
 * Puts what catchpoints need where the guest has it now: all parked, registers in the run pages fresh, before anything runs (in
 * start(), after a reset and at each tick).  What could not be done is tried again the next time.
 */
void catch_follow(struct catch_table *t);
/* Memory was loaded anew.  Loop thread, all parked. */
void catch_loaded(struct catch_table *t);

#endif
