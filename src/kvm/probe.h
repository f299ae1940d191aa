/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding out, in a scratch VM, what this host's KVM does: capabilities do not tell. */
#ifndef GV_KVM_PROBE_H
#define GV_KVM_PROBE_H

#include "kvm/kvm.h"

struct probe {
	/*
	 * The byte a soft breakpoint puts into memory: int3 where KVM shows it to us in every mode; else one that a KVM which
	 * emulates kernel code gives up on, so that it cannot reach the guest's own handler.
	 */
	uint8_t trap_byte;
	/*
	 * KVM_EXIT_DEBUG for an int3 in real mode: code runs on the processor then, which single-steps by its trap flag.  Else
	 * the kernel emulates it, and steps by its own bookkeeping, where telling it anew costs as much as the step.
	 */
	bool int3_exits;
};

/* Takes about two milliseconds.  K gives /dev/kvm; its VM is not touched.  -EIO, -ENOMEM. */
int probe_host(const struct kvm *k, struct probe *ret, struct err *err);

#endif
