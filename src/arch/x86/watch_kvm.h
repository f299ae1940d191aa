/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watchpoints at work: accesses to pages that were taken from the guest are carried out here and looked at; what KVM cannot
 * do on such a page is done by the guest itself in one step with the page open.  The vCPU's own thread.
 */
#ifndef GV_X86_WATCH_KVM_H
#define GV_X86_WATCH_KVM_H

#include "break/watch.h"
#include "arch/x86/vcpu_x86.h"

struct watch_trial;

struct watch_trial *watch_trial_new(void);      /* NULL: out of memory */
void watch_trial_free(struct watch_trial *t);

/*
 * KVM_EXIT_MMIO at a page that a slot holds: carried out, as far as the slot lets the guest, and looked at.  False: it is no
 * page of ours, and nothing was done.
 */
bool watch_mmio(struct vcpu *v);
/*
 * V cannot go on with the instruction at its pc (KVM could not emulate it, or shut down): if a restricted page may be why, it is
 * to take it alone with that open.  False: it has been tried, or nothing is restricted.
 */
bool watch_blames_page(struct vcpu *v);
/* The data register P has seen an access. */
void watch_register_hit(struct vcpu *v, const struct hw_point *p);
/* The instruction is done: tells of the watchpoints it hit, if somebody wants to know. */
void watch_settle(struct vcpu *v);

/* Around a step with pages open (V->open): remembers what they held, and finds what was touched.  DONE: the step was taken. */
void watch_trial_begin(struct vcpu *v);
void watch_trial_end(struct vcpu *v, bool done);
/* The same around an instruction that we carry out ourselves, which may touch any page. */
void watch_assist_begin(struct vcpu *v);
void watch_assist_end(struct vcpu *v);

#endif
