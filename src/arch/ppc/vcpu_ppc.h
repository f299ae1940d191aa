/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of the host, the VM and a vCPU is PowerPC's: the members `arch` of struct kvm, struct vm and struct vcpu. */
#ifndef GV_PPC_VCPU_PPC_H
#define GV_PPC_VCPU_PPC_H

#include "arch/ppc/ppc_regs.h"
#include "kvm/vcpu.h"

struct power_on;

struct arch_kvm {
	bool missing[PPC_REGS];         /* registers this host's KVM does not give */
	/* Whether KVM has them: KVM_CAP_SET_GUEST_DEBUG, KVM_CAP_PPC_GUEST_DEBUG_SSTEP. */
	bool debugs, steps;
	unsigned breaks, watches;       /* registers of either kind: KVM_CAP_GUEST_DEBUG_HW_BPS and _WPS */
};

struct arch_vm {
	struct power_on *power_on;
};

/* Belongs to whom the vCPU belongs to (vcpu.h). */
struct arch_vcpu {
	bool known;                     /* `regs` are the vCPU's */
	struct kvm_regs regs;
	bool debug_known;               /* `debug` is what the kernel has */
	struct kvm_guest_debug debug;
	uint64_t step_from;             /* pc where the single step began */
};

#endif
