/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Running a vCPU on the loop thread.  What a client asks for is mostly over in no time: a step, or a breakpoint a few instructions
 * on.  Done where the packet was read, that needs no other thread to wake up, twice.  What takes longer is sent off: a timer's
 * signal sets `pause`, the vCPU parks as for a hold, and its own thread goes on with it.
 *
 * Only one vCPU runs then, so nobody else changes the slots or wants to be alone.  It must not wait for the loop thread.
 */
#ifndef GV_KVM_HERE_H
#define GV_KVM_HERE_H

#include "kvm/vcpu.h"

struct here;

/* -ENOMEM.  The caller's thread becomes the one that runs vCPUs; without a timer none ever do. */
int here_new(struct here **ret, struct err *err);
/* Same thread; none is running. */
void here_free(struct here *h);

/*
 * Whether V, the only one to run, is to begin here.  Moving a vCPU to another thread costs nothing on some kernels, and a grace period
 * of RCU on others: then it is moved only where many short runs have followed each other.  All parked.
 */
bool here_wanted(struct here *h, struct vcpu *v);
/* Runs V, which ctl.running counts and whose gate is closed, until it has parked. */
void here_run(struct here *h, struct vcpu *v);
/* A run of one vCPU on its own thread was SHORT: over before it could be waited for. */
void here_count(struct here *h, bool short_run);
/* Moving costs nothing: nobody need look at a gate for a moment. */
bool here_moves_freely(const struct here *h);

#endif
