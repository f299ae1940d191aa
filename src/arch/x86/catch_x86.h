/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Catchpoints that are x86's: MSRs (catch_msr.c), vectors (catch_vector.c), places in a Linux kernel (catch_kernel.c). */
#ifndef GV_X86_CATCH_X86_H
#define GV_X86_CATCH_X86_H

#include "kvm/catch_priv.h"

#define CATCH_MSR_RANGES 16             /* apart from each other, by direction: as many as KVM has filters */
#define CATCH_MSR_SPAN 0x2000           /* MSRs in one catchpoint */

/*
 * KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR (api.rst 5): carries the access out, answers KVM, says in *RET what was done,
 * and sets V's needs_completion.  KVM takes it for one from the host, and so allows what the host may do.  Such exits
 * may come when no MSR is caught any more.  V's thread, in vcpu_handle_exit().
 */
void catch_do_msr(struct vcpu *v, struct catch_access *ret);

/*
 * Vectors are caught by hidden breakpoints of BREAK_OWNER_CATCH on the first instructions of their handlers.  This puts
 * them where the vCPUs' interrupt tables lead now: loop thread, all parked, registers in the run pages fresh, before
 * anything runs (in start(), after a reset and at each tick).  Takes nothing when no vector is caught.  Failure: a
 * breakpoint could not be set (-ENOMEM); the others are, and it is tried again the next time.
 */
int catch_vectors_follow(struct catch_table *t, struct err *err);
/*
 * Whether V's table is another, or holds other gates, than catch_vectors_follow() saw: then vm_pause() has it look again.
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
/* Puts their breakpoints where the kernel is now: as catch_vectors_follow(), at the same times. */
int catch_kernel_follow(struct catch_table *t, struct err *err);
/* Memory was loaded anew, and the kernel is packed again.  Loop thread, all parked. */
void catch_kernel_reset(struct catch_table *t);

/* The linear address of the handler that V's interrupt table has for VECTOR; false: none.  V's thread, or V parked. */
bool catch_handler(const struct vcpu *v, unsigned vector, uint64_t *ret);

/* MSRs to be denied, so that accesses come to us. */
struct catch_msrs {
	unsigned n;
	struct catch_msr_range {
		uint32_t base, count;
		unsigned dir;   /* mask of enum catch_dir */
	} range[CATCH_MSR_RANGES];
};

/* What the MSR catchpoints among the N of INFO come to.  -ENOSPC: more ranges than KVM takes; -ENOMEM. */
int catch_msrs_make(const struct catch_info *info, size_t n, struct catch_msrs *ret, struct err *err);
/* Whether KVM filters all of START to END.  -EINVAL, -ENOTSUP. */
int catch_msrs_check(uint64_t start, uint64_t end, struct err *err);
/* Tells KVM of the table's MSR catchpoints.  -ENOTSUP (the capability is named), -ENOSPC, -ENOMEM. */
int catch_msrs_set(const struct catch_table *t, struct err *err);

/* Takes up the vectors that are caught now and follows.  -ENOMEM. */
int catch_vectors_changed(struct catch_table *t, struct err *err);
void catch_vectors_free(struct vectors *x);

/*
 * The same of KIND, CATCH_PANIC, CATCH_OOPS or CATCH_KERNEL, which may have been added just now.  -ENOENT: no symbols of a kernel, or
 * not the one that is needed; -EINVAL: the image is no packed kernel; -ENOEXEC: it is one of a kind that is not known.
 */
int catch_kernel_changed(struct catch_table *t, enum catch_kind kind, struct err *err);
bool catch_kernel_wants_tick(const struct catch_table *t);
/* That event was reported: of CATCH_KERNEL. */
void catch_kernel_told(struct catch_table *t);
void catch_kernel_free(struct catch_kernel *x);

/* arch.catch_... */
int x86_catch_check(const struct catch_spec *spec, struct err *err);
int x86_catch_changed(struct catch_table *t, enum catch_kind kind, struct err *err);
void x86_catch_follow(struct catch_table *t);
bool x86_catch_wants_tick(const struct catch_table *t);
bool x86_catch_hit(struct catch_table *t, struct vcpu *v, uint64_t gva, struct stop_event *ev);
void x86_catch_told(struct catch_table *t, enum catch_kind kind);
void x86_catch_free(struct catch_table *t);

#endif
