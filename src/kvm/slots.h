/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The slot table: what memory the guest has, kept equal in three places: here, in gmem, and in the kernel
 * (KVM_SET_USER_MEMORY_REGION, api.rst 4.35).  Loop thread, every vCPU parked.
 */
#ifndef GV_KVM_SLOTS_H
#define GV_KVM_SLOTS_H

#include "api/slots.h"
#include "kvm/kvm.h"
#include "mem/gmem.h"

struct slots;

int slots_new(const struct kvm *k, struct slots **ret, struct err *err);        /* K must outlive it */
void slots_free(struct slots *s);               /* unmaps the backings; NULL is fine */

/*
 * Maps SIZE bytes of anonymous memory as slot ID at GPA: gpa and hva agree in their low 21 bits and huge pages are asked
 * for.  On failure nothing has changed.  -EINVAL: unaligned, empty, wrapping, beyond the guest's address width or
 * the host's slot number; -EEXIST: the slot is in use, or the range overlaps another; -ENOMEM.
 */
int slots_add_anon(struct slots *s, unsigned id, uint64_t gpa, uint64_t size, const char *label, struct err *err);
/* Makes all anonymous memory read as zero again. */
int slots_clear(struct slots *s, struct err *err);

struct gmem *slots_gmem(struct slots *s);
/* The INDEX-th slot, ascending by gpa; false past the end. */
bool slots_at(const struct slots *s, size_t index, struct slot_info *ret);

#endif
