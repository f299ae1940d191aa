/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * KVM_SET_GUEST_DEBUG (api.rst 4.87): arming it, stepping with it, and making sense of its exits.  debug.c arms, step.c steps,
 * debug_exit.c says what an exit means.  The vCPU's own thread, unless it says else.
 */
#ifndef GV_X86_DEBUG_H
#define GV_X86_DEBUG_H

#include "arch/x86/insn/insn.h"
#include "arch/x86/vcpu_x86.h"
#include "kvm/debug.h"

enum debug_use {
	DEBUG_RUN,              /* breakpoints armed */
	DEBUG_STEP,             /* single-step, breakpoints armed */
	DEBUG_STEP_OVER,        /* single-step; of the debug registers those that watch data */
};

/* Tells the kernel, if it does not know already.  Where that fails V has a STOP_ERROR, and does not enter the guest. */
void debug_prepare(struct vcpu *v, enum debug_use use);
/* The guest is about to get exception VECTOR from us, not from KVM: what steps it has to know.  V's thread. */
void debug_given(struct vcpu *v, unsigned vector);
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
/* The instruction at V's pc; false: it cannot be read, or is none.  V's thread, or parked. */
bool debug_insn_at_pc(struct vcpu *v, struct insn *ret);
/* Whether BYTE is the guest's own at V's pc. */
bool debug_byte_at_pc(struct vcpu *v, uint8_t byte);
/*
 * V is at a breakpoint that nobody wants to hear of: carries the instruction there out if it does next to nothing.  False: it is
 * something else, and nothing was done.
 */
bool debug_pass(struct vcpu *v);

#endif
