/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /dev/kvm, the VM's descriptor, and what this host's KVM can do. */
#ifndef GV_KVM_KVM_H
#define GV_KVM_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/machine.h"

struct arch_kvm;

struct kvm {
	int sys_fd, vm_fd;
	struct arch_kvm *arch;  /* what only this architecture has */
	size_t run_size;        /* bytes of a vCPU's run page mapping */
	unsigned max_cpus, max_slots;
	unsigned phys_bits;     /* how wide the guest's physical addresses are */
	bool immediate_exit;    /* KVM_CAP_IMMEDIATE_EXIT: else vCPUs are stopped by a signal that KVM_RUN unblocks (vcpu.c) */
	uint32_t debug_flags;   /* KVM_GUESTDBG_ flags the host accepts; 0 when it does not say */
};

/*
 * The one place that calls ioctl: as ioctl(2), but answers -errno.
 */
int kvm_ioctl(int fd, unsigned long request, void *arg);
/* The same for requests that take a number. */
int kvm_ioctl_num(int fd, unsigned long request, unsigned long arg);

/* The descriptor of /dev/kvm, or -errno. */
int kvm_device_open(void);

/* A capability: how people know it, and what it means to them. */
struct kvm_cap {
	unsigned cap;
	const char *name;
	int need;               /* 0: only shown; else every bit of it must be in the answer (1: any answer above 0) */
	const char *meaning;
	const char *const *by_value;    /* what each answer from 0 on means, NULL behind the last; NULL: MEANING does */
};
#define KVM_CAP_ROW(name, need, meaning) { KVM_CAP_##name, "KVM_CAP_" #name, need, meaning, NULL }

/*
 * Opens /dev/kvm, checks it and makes a VM (api.rst 4.2).
 * -ENOENT: KVM is missing; -EACCES: not permitted (the message names the group); -ENOTSUP: wrong API version or a
 * missing capability (named).
 */
int kvm_open(struct kvm *k, struct err *err);
void kvm_close(struct kvm *k);                  /* also a half-open one, also one zeroed with descriptors at -1 */

/* The INDEX-th fact for `info host`. */
bool kvm_fact(const struct kvm *k, size_t index, struct host_fact *ret);

#endif
