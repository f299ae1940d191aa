/* SPDX-License-Identifier: GPL-3.0-or-later */
/* KVM_SET_GUEST_DEBUG (api.rst 4.87): arming it, stepping with it, and making sense of its exits.  The vCPU's own thread. */
#ifndef GV_KVM_DEBUG_H
#define GV_KVM_DEBUG_H

#include "kvm/vcpu.h"

enum debug_use {
	DEBUG_RUN,              /* breakpoints armed */
	DEBUG_STEP,             /* single-step, breakpoints armed */
	DEBUG_STEP_OVER,        /* single-step, debug registers off */
};

/* Tells the kernel, if it does not know already. */
void debug_prepare(struct vcpu *v, enum debug_use use);

/* Steps until V's action is done, a pause, or an event; STEPPED: the first step was taken already. */
void debug_run_steps(struct vcpu *v, bool stepped);

/* One step with the breakpoint at V's pc out of the way; others must be parked.  Returns whether it was taken. */
bool debug_step_over(struct vcpu *v);

/* KVM_EXIT_DEBUG.  Returns whether V may re-enter the guest. */
bool debug_exit(struct vcpu *v);
/* KVM could not emulate the instruction at the pc.  Returns whether it was an int3 and has been dealt with; *RET_ENTER: V may re-enter. */
bool debug_emulation_failure(struct vcpu *v, bool *ret_enter);

/* Whether a breakpoint stands at V's pc. */
bool debug_at_breakpoint(struct vcpu *v);

#endif
