/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * KVM_SET_GUEST_DEBUG (api.rst 4.87): arming it, stepping with it, and making sense of its exits.  debug.c arms, step.c steps,
 * hit.c says what was hit.  The vCPU's own thread, unless it says else.
 */
#ifndef GV_KVM_DEBUG_H
#define GV_KVM_DEBUG_H

#include "kvm/vcpu.h"

enum debug_use {
	DEBUG_RUN,              /* breakpoints armed */
	DEBUG_STEP,             /* single-step, breakpoints armed */
	DEBUG_STEP_OVER,        /* single-step; of the debug registers those that watch data */
};

/* Decides what stands in the debug registers from now on.  Loop thread, all parked, before anything runs. */
void debug_plan(struct vm *vm);
/* How many debug registers watchpoints leave to breakpoints.  Loop thread, all parked. */
unsigned debug_breakpoint_registers(struct vm *vm);
/* Registers that N more bytes of data may be watched with: how many are free of breakpoints that need one.  Loop thread, parked. */
unsigned debug_free_registers(struct vm *vm);

/* Tells the kernel, if it does not know already.  Where that fails V has a STOP_ERROR, and does not enter the guest. */
void debug_prepare(struct vcpu *v, enum debug_use use);
/* Has the guest's DR6 show BITS and gives it a #DB. */
bool debug_give_db(struct vcpu *v, uint64_t bits);
/*
 * V's instruction has written, by way of us.  A KVM that emulates forgets the trap which the guest's own trap flag has due after it:
 * it is given here.
 */
void debug_owe_trap(struct vcpu *v);
/* Delivers the guest's INT1 at the pc, which leaves DR6 as it is. */
bool debug_give_int1(struct vcpu *v);
/* Whether none of the guest's own debug registers is in use.  V's thread. */
bool debug_own_idle(struct vcpu *v);
/* Takes the single-step bit out of the guest's DR6: the trap it speaks of was ours. */
void debug_forget_trap(struct vcpu *v);

/*
 * Gives the guest a #BP of its own that KVM showed us instead, delivered as the instruction's own, so that the guest sees the pc
 * behind it; ADVANCE where KVM does not do that for us.
 */
bool debug_give_bp(struct vcpu *v, bool advance);

/* Steps until V's action is done, a pause, or an event; STEPPED: the first step was taken already. */
void debug_run_steps(struct vcpu *v, bool stepped);
/* One step of what V->over says; nobody else is in the guest, and over_lock is held.  Returns whether it was taken. */
bool debug_step_alone(struct vcpu *v);

/* KVM_EXIT_DEBUG.  Returns whether V may re-enter the guest. */
bool debug_exit(struct vcpu *v);
/*
 * V is at a trap byte or a debug register of ours; SITE lies under its pc, or NULL.  Makes the event if somebody wants it, else
 * has V step over it.  False: nothing of ours is here.
 */
bool debug_hit(struct vcpu *v, const struct break_site *site);
/* The same, when it is a trap byte that V has met. */
bool debug_trap_hit(struct vcpu *v);
/* Whether BYTE is the guest's own at V's pc. */
bool debug_byte_at_pc(struct vcpu *v, uint8_t byte);
/* Of ev->owners, those that want the stop stay; false: none does.  ev->cpu and ev->pc are filled in. */
bool stop_wanted(struct vcpu *v, struct stop_event *ev);

/* The site under V's pc, or NULL.  Also the loop thread, V parked. */
struct break_site *debug_site_at_pc(struct vcpu *v);
/* Whether a breakpoint stands at V's pc.  Loop thread, V parked. */
bool debug_at_breakpoint(struct vcpu *v);
/* Whether EV, a breakpoint of V's, is one still.  Loop thread, V parked. */
bool debug_hit_valid(struct vcpu *v, const struct stop_event *ev);

#endif
