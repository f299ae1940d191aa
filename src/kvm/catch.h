/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Catchpoints: events that stop the guest and have no place of their own.
 *
 * Threads: the table changes on the loop thread while every vCPU is parked, and is looked at by vCPU threads.
 *
 * Those that look (catch_match(), catch_reset(), catch_halt(), catch_vector()) make a STOP_CATCH event in *EV, with
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
#define CATCH_MSR_RANGES 16             /* apart from each other, by direction: as many as KVM has filters */
#define CATCH_MSR_SPAN 0x2000           /* MSRs in one catchpoint */

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
	enum catch_kind kind;   /* CATCH_PORT, CATCH_MMIO, CATCH_MSR */
	uint64_t addr;          /* port, gpa, MSR number */
	bool write;
	unsigned size, count;   /* bytes of one access; how many at the same port (else 1) */
	const uint8_t *data;    /* what was written, or read: size * count bytes */
	bool claimed;           /* a device, or the processor, answered */
	bool refused;           /* CATCH_MSR: the guest gets a #GP */
};

/*
 * Catchpoints of ports, MMIO, MSRs and unclaimed accesses.  V's thread:
 *   exit_io()    after bus_io(), with `claimed` what that returned;
 *   exit_mmio()  after the access was served, when no slot holds the gpa;
 *   KVM_EXIT_X86_RDMSR and WRMSR: after catch_do_msr().
 */
bool catch_match(struct catch_table *t, const struct catch_access *a, struct stop_event *ev);

/*
 * KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR (api.rst 5): carries the access out, answers KVM, says in *RET what was done,
 * and sets V's needs_completion.  KVM takes it for one from the host, and so allows what the host may do.  Such exits
 * may come when no MSR is caught any more.  V's thread, in vcpu_handle_exit().
 */
void catch_do_msr(struct vcpu *v, struct catch_access *ret);

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
 * Vectors are caught by hidden breakpoints of BREAK_OWNER_CATCH on the first instructions of their handlers.  This puts
 * them where the vCPUs' interrupt tables lead now: loop thread, all parked, registers in the run pages fresh, before
 * anything runs (in start(), after a reset and at each tick).  Takes nothing when no vector is caught.  Failure: a
 * breakpoint could not be set (-ENOMEM); the others are, and it is tried again the next time.
 */
int catch_follow(struct catch_table *t, struct err *err);
/*
 * Whether V's table is another, or holds other gates, than catch_follow() saw: then vm_pause() has it look again.
 * Guests change their tables without an exit; this finds it at the next one.  V's thread, after each exit that the
 * guest may go on from.
 */
bool catch_stale(struct catch_table *t, const struct vcpu *v);
/*
 * V stands at the breakpoint of BREAK_OWNER_CATCH at GVA (the breakpoint's own address): which vector came.  False also
 * when it is another vCPU's handler: V is then to go on.  V's thread, in debug.c where a hit is made into an event.
 */
bool catch_vector(struct catch_table *t, struct vcpu *v, uint64_t gva, struct stop_event *ev);

/* The same of a place in a kernel: CATCH_PANIC, CATCH_OOPS, CATCH_KERNEL. */
bool catch_kernel_hit(struct catch_table *t, struct vcpu *v, uint64_t gva, struct stop_event *ev);
/* Puts their breakpoints where the kernel is now: as catch_follow(), at the same times. */
int catch_kernel_follow(struct catch_table *t, struct err *err);
/* Memory was loaded anew, and the kernel is packed again.  Loop thread, all parked. */
void catch_kernel_reset(struct catch_table *t);

/* The linear address of the handler that V's interrupt table has for VECTOR; false: none.  V's thread, or V parked. */
bool catch_handler(const struct vcpu *v, unsigned vector, uint64_t *ret);

#endif
