/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory as a vCPU's own code has it, at CPL 0 and without protection bits, and while user code runs the kernel's too (space.h);
 * traps of ours never show.  The vCPU's thread, or the loop thread while all are parked.
 */
#ifndef GV_KVM_GUEST_MEM_H
#define GV_KVM_GUEST_MEM_H

#include "kvm/vcpu.h"

/* Bytes done from GVA on; fewer than LEN with ERR set: -EFAULT, not mapped; -ENXIO, no memory behind it. */
size_t guest_mem_read(struct vcpu *v, uint64_t gva, void *ret, size_t len, struct err *err);
size_t guest_mem_write(struct vcpu *v, uint64_t gva, const void *data, size_t len, struct err *err);

#endif
