/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of the host's KVM and of the VM is x86's: the member `arch` of struct kvm.  Loop thread. */
#ifndef GV_X86_HOST_X86_H
#define GV_X86_HOST_X86_H

#include "arch/x86/x86_regs.h"
#include "kvm/kvm.h"

#define XSAVE_COMPONENTS 10     /* Intel SDM vol. 1, 13.1: those that hold registers of the table */

struct arch_kvm {
	bool user_irqchip;      /* the VM has no interrupt controllers and no PIT of KVM's, nor a local APIC */
	struct xsave_component {
		unsigned offset, size;
	} xsave[XSAVE_COMPONENTS];      /* of the guest's processor, by number; size 0: it has none (from 2 on) */
	bool missing[X86_REGS];         /* regs_probe(): registers this host has not */
	struct kvm_cpuid2 *cpuid;       /* KVM_GET_SUPPORTED_CPUID; owned */
};

/* arch.host_open, host_close, vm_made, caps. */
int x86_host_open(struct kvm *k, struct err *err);
void x86_host_close(struct kvm *k);
int x86_vm_made(struct kvm *k, struct err *err);
#define X86_NCAPS 15u
extern const struct kvm_cap x86_caps[X86_NCAPS];

/*
 * Gives the VM KVM's interrupt controllers and PIT (api.rst 4.24, 4.71), unless they are the caller's.  Before the first vCPU, and
 * after the memory the machine begins with: a change of slots that follows waits for what they register on KVM's buses, one or
 * two ticks of the host (4 to 8 ms).
 */
int kvm_add_irqchip(const struct kvm *k, struct err *err);

/* KVM_GET_SUPPORTED_CPUID's entry, which is what the guest gets; NULL: there is none. */
const struct kvm_cpuid_entry2 *kvm_cpuid(const struct kvm *k, uint32_t function, uint32_t index);

/* Hides what Linux makes hypercalls for (IPIs, halts in locks, yields) from vCPUs made later, and from kvm_cpuid(). */
void kvm_hide_hypercalls(struct kvm *k);

/* Gives vCPU CPU (of NCPUS) its CPUID: what KVM supports, with this APIC id and topology (Intel SDM CPUID leaves 1, 4, 0xb, 0x1f). */
int kvm_set_cpuid(const struct kvm *k, int vcpu_fd, unsigned cpu, unsigned ncpus, struct err *err);

#endif
