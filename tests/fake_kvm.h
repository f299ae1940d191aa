/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A KVM of our making, in the place of src/kvm/ioctl.c: what a host without the processor, or the kernel on a bad day, answers.
 * It keeps the kernel's rules for memory slots (api.rst 4.35; tests/kvm_fake.c holds it against the real one) and for powerpc's
 * Real Mode Area (Linux 3.19, arch/powerpc/kvm/book3s_hv.c).  It has no vCPUs but those that fake_kvm_cpus() gives.  Slots are for one thread
 * at a time.
 */
#ifndef GV_TESTS_FAKE_KVM_H
#define GV_TESTS_FAKE_KVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm/kvm.h"

struct fake_host {
	const char *name;
	int rma;                /* KVM_CAP_PPC_RMA */
	uint64_t rma_size;      /* bytes */
	bool readonly, sync_mmu, immediate_exit, manual_log;
	unsigned spaces;        /* KVM_CAP_MULTI_ADDRESS_SPACE */
	unsigned max_slots;
	/* KVM_CAP_ONE_REG, SET_GUEST_DEBUG, PPC_GUEST_DEBUG_SSTEP, PPC_PAPR, GUEST_DEBUG_HW_BPS. */
	bool one_reg, guest_debug, single_step, papr;
	unsigned hw_breaks;
};

/* What makes vCPUs and runs them, as the ioctls of these; -errno. */
struct fake_cpus {
	int (*create)(const struct fake_host *h);       /* a descriptor */
	int (*request)(int fd, unsigned long request, void *arg);       /* -EBADF: FD is none of theirs */
	int (*run)(int fd);
	void (*end)(void);
};

extern const struct fake_host fake_ppc970;      /* Linux 3.x: every VM must have a Real Mode Area */
extern const struct fake_host fake_power7;      /* Linux 3.x: a VM may have one */
extern const struct fake_host fake_modern;      /* no such thing any more */

/* From now on this is the host, without VMs; nothing fails.  What was there before goes. */
void fake_kvm_host(const struct fake_host *h);
/* A VM of it, as far as slots need one: K's descriptors are closed by fake_kvm_end(). */
void fake_kvm_vm(struct kvm *k);
void fake_kvm_end(void);
/* The host's vCPUs, until another host is chosen; kvm_open() finds it then. */
void fake_kvm_cpus(const struct fake_cpus *c);

/* The NTH ioctl (0: the next) with REQUEST fails with ERROR (positive); and every one after it if ALWAYS. */
void fake_kvm_fail(unsigned long request, unsigned nth, int error, bool always);
/* How many ioctls of that kind there were since the last call of this. */
unsigned fake_kvm_count(unsigned long request);

struct fake_slot {
	unsigned id;            /* as KVM_SET_USER_MEMORY_REGION has it */
	uint32_t flags;
	uint64_t gpa, size, hva;
};

/* The INDEX-th slot that the kernel would have, ascending by number; false past the end. */
bool fake_kvm_slot(size_t index, struct fake_slot *ret);
/* The guest writes to GPA of address space 0, as far as dirty logs see it; false: no slot is there. */
bool fake_kvm_write(uint64_t gpa);
/* Whether HVA lies in a Real Mode Area that was given; how many of these are still open somewhere. */
bool fake_kvm_is_rma(uint64_t hva);
unsigned fake_kvm_rmas(void);
/* The SIZE bytes of the guest's at GPA, or NULL; writes are for fake_kvm_write() to note. */
uint8_t *fake_kvm_memory(uint64_t gpa, size_t size);
/* What KVM_RUN would answer for want of a Real Mode Area: 0 or -EPERM. */
int fake_kvm_may_run(void);

#endif
