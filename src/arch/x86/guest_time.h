/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clocks that KVM keeps for the guest go on while it is stopped: what they gained is taken back before it goes on, so that
 * a minute at a breakpoint is no minute without a timer's tick.  Loop thread, every vCPU parked.
 */
#ifndef GV_X86_GUEST_TIME_H
#define GV_X86_GUEST_TIME_H

#include <stdint.h>

#include "kvm/guest_time.h"
#include "arch/x86/vcpu_x86.h"

/*
 * The machine, stopped since *SINCE, is about to run at NOW_NS.  Short stops count as time that passed, for the calls of
 * KVM would cost a step more than it takes.  After longer ones the KVM clock (api.rst, KVM_SET_CLOCK) and, where the host can
 * (KVM_VCPU_TSC_OFFSET), the time stamp counters are where they were, and the guest's kvmclock says that it was stopped
 * (KVM_KVMCLOCK_CTRL), which Linux's watchdogs heed.  A host that can do none of it changes nothing.
 */
void guest_time_resume(const struct vm *vm, const struct guest_time *since, uint64_t now_ns);
void guest_time_stop(struct guest_time *ret, uint64_t now_ns);

#endif
