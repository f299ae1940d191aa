/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * powerpc's Real Mode Area (KVM_ALLOCATE_RMA, Linux 3.2 to 3.19): memory that is contiguous for the processor, which PPC970 and
 * POWER7 reach with address translation off.  KVM gives it, of a size that was fixed when the host booted; it is the guest's
 * memory at gpa 0, whole, and never anywhere else.  Loop thread.
 */
#ifndef GV_KVM_RMA_H
#define GV_KVM_RMA_H

#include "kvm/kvm.h"
#include "kvm/slots.h"

enum rma_need {                 /* what KVM_CAP_PPC_RMA says */
	RMA_ABSENT = 0,
	RMA_MAY = 1,            /* the processor can use one */
	RMA_MUST = 2,           /* every VM must have one */
};

enum rma_need rma_need(const struct kvm *k);

/*
 * Has KVM make one, and maps it: *RET, with one reference, whose end unmaps and closes it.  SPEC is the slot that is to have it.
 * -ENOTSUP: this host has none; -EINVAL: not at gpa 0, or of another size than SPEC->size (the message has the real one; 0: any);
 * or what KVM and mmap say.
 */
int rma_new(const struct kvm *k, const struct slot_spec *spec, struct backing **ret, struct err *err);

/*
 * RAM of SIZE bytes from gpa 0 on, in slot ID: where every VM must have a Real Mode Area that is it, and what is beyond its size is
 * in the next free slot.  -EINVAL: SIZE is less than the area's; else as slots_add().
 */
int rma_add_ram(struct slots *s, unsigned id, uint64_t size, const char *label, struct err *err);

/* -ENOTSUP: every VM of this host must have a Real Mode Area, and there is none at gpa 0.  Before anything runs. */
int rma_check_run(struct slots *s, struct err *err);

/* -ENOTSUP, with ERR, when V is one, for what cannot be done to it: WHAT completes "slot 0 is the Real Mode Area, which cannot". */
int rma_refuse(const struct slot *v, const char *what, struct err *err);

#endif
