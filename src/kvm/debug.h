/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Breakpoints at work: plan.c says what stands in debug registers, hit.c what was hit and who is told.  How the processor is
 * told is the architecture's (arch.h).  The vCPU's own thread, unless it says else.
 */
#ifndef GV_KVM_DEBUG_H
#define GV_KVM_DEBUG_H

#include "kvm/vcpu.h"

/* Decides what stands in the debug registers from now on.  Loop thread, all parked, before anything runs. */
void debug_plan(struct vm *vm);
/* How many debug registers watchpoints leave to breakpoints.  Loop thread, all parked. */
unsigned debug_breakpoint_registers(struct vm *vm);
/* Registers that N more bytes of data may be watched with: how many are free of breakpoints that need one.  Loop thread, parked. */
unsigned debug_free_registers(struct vm *vm);

/*
 * V is at a trap byte or a debug register of ours; SITE lies under its pc, or NULL.  Makes the event if somebody wants it, else
 * has V step over it.  False: nothing of ours is here.
 */
bool debug_hit(struct vcpu *v, const struct break_site *site);
/* The same, when it is a trap byte that V has met. */
bool debug_trap_hit(struct vcpu *v);
/* Of ev->owners, those that want the stop stay; false: none does.  ev->cpu and ev->pc are filled in. */
bool stop_wanted(struct vcpu *v, struct stop_event *ev);

/* The site under V's pc, or NULL.  Also the loop thread, V parked. */
struct break_site *debug_site_at_pc(struct vcpu *v);
/* Whether a breakpoint stands at V's pc.  Loop thread, V parked. */
bool debug_at_breakpoint(struct vcpu *v);
/* Whether EV, a breakpoint of V's, is one still.  Loop thread, V parked. */
bool debug_hit_valid(struct vcpu *v, const struct stop_event *ev);

#endif
