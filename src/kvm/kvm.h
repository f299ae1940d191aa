/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /dev/kvm, the VM's descriptor, and what this host's KVM can do. */
#ifndef GV_KVM_KVM_H
#define GV_KVM_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/machine.h"

#define XSAVE_COMPONENTS 10     /* Intel SDM vol. 1, 13.1: those that hold registers of the table */

struct kvm {
	int sys_fd, vm_fd;
	bool user_irqchip;      /* the VM has no interrupt controllers and no PIT of KVM's, nor a local APIC */
	size_t run_size;        /* bytes of a vCPU's run page mapping */
	unsigned max_cpus, max_slots;
	unsigned phys_bits;     /* the guest's MAXPHYADDR */
	struct xsave_component {
		unsigned offset, size;
	} xsave[XSAVE_COMPONENTS];      /* of the guest's processor, by number; size 0: it has none (from 2 on) */
	bool missing[REG_COUNT];        /* regs_probe(): registers this host has not */
	uint32_t debug_flags;   /* KVM_GUESTDBG_ flags the host accepts; 0 when it does not say */
	struct kvm_cpuid2 *cpuid;       /* KVM_GET_SUPPORTED_CPUID; owned */
};

/*
 * The one place that calls ioctl: as ioctl(2), but answers -errno.
 */
int kvm_ioctl(int fd, unsigned long request, void *arg);
/* The same for requests that take a number. */
int kvm_ioctl_num(int fd, unsigned long request, unsigned long arg);

/*
 * Opens /dev/kvm, checks it and makes a VM (api.rst 4.2).  USER_IRQCHIP: interrupt controllers and PIT are to be the caller's.
 * -ENOENT: KVM is missing; -EACCES: not permitted (the message names the group); -ENOTSUP: wrong API version or a
 * missing capability (named).
 */
int kvm_open(struct kvm *k, bool user_irqchip, struct err *err);
/*
 * Gives the VM KVM's interrupt controllers and PIT (api.rst 4.24, 4.71), unless they are the caller's.  Before the first vCPU, and
 * after the memory the machine begins with: a change of slots that follows waits for what they register on KVM's buses, one or
 * two ticks of the host (4 to 8 ms).
 */
int kvm_add_irqchip(const struct kvm *k, struct err *err);
void kvm_close(struct kvm *k);                  /* also a half-open one, also one zeroed with descriptors at -1 */

/* The INDEX-th fact for `info host`. */
bool kvm_fact(const struct kvm *k, size_t index, struct host_fact *ret);

/* KVM_GET_SUPPORTED_CPUID's entry, which is what the guest gets; NULL: there is none. */
const struct kvm_cpuid_entry2 *kvm_cpuid(const struct kvm *k, uint32_t function, uint32_t index);

/* Hides what Linux makes hypercalls for (IPIs, halts in locks, yields) from vCPUs made later, and from kvm_cpuid(). */
void kvm_hide_hypercalls(struct kvm *k);

/* Gives vCPU CPU (of NCPUS) its CPUID: what KVM supports, with this APIC id and topology (Intel SDM CPUID leaves 1, 4, 0xb, 0x1f). */
int kvm_set_cpuid(const struct kvm *k, int vcpu_fd, unsigned cpu, unsigned ncpus, struct err *err);

#endif
