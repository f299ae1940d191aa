/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Dirty rings (api.rst 8.29, KVM_CAP_DIRTY_LOG_RING): KVM tells of each page that a vCPU dirties by an entry in a ring of
 * that vCPU's, in place of a bitmap for each slot.  Collecting moves the entries into the slots' logs.
 *
 * KVM lets the guest out for a full ring when 64 entries are left.  A KVM that does much between two looks at that fills entries
 * twice, and the pages they named are lost: then everything is taken for dirty (dirty_log_lost()).
 *
 * A ring belongs to its vCPU's thread while that runs, and to the loop thread while it is parked.
 */
#ifndef GV_KVM_RING_H
#define GV_KVM_RING_H

#include "kvm/slots.h"

struct rings;

/*
 * Has the VM of S keep rings of ENTRIES (a power of two), one for each vCPU, which are made after this.  S has to outlive it.
 * -ENOTSUP: the host has none, or none that large; -EINVAL: KVM takes no rings of that size; -ENOMEM.
 */
int rings_new(struct slots *s, unsigned entries, struct rings **ret, struct err *err);
void rings_free(struct rings *r);               /* NULL is fine */

/* Maps the ring of the vCPU that has this descriptor.  CPU below MACHINE_CPUS_MAX. */
int rings_add(struct rings *r, unsigned cpu, int vcpu_fd, struct err *err);

/*
 * Takes what CPU's ring holds into the logs of the slots it names, and gives its entries back to KVM.  What slots without a log
 * would get is dropped.  *RET_COUNT: how many entries there were.
 */
int rings_collect_cpu(struct rings *r, unsigned cpu, unsigned *ret_count, struct err *err);
/* The same for all.  Loop thread, every vCPU parked. */
int rings_collect(struct rings *r, struct err *err);

#endif
