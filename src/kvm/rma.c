/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/rma.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/backing.h"

/* By a name of its own: powerpc's <asm/kvm.h> had struct kvm_allocate_rma for a while, and nobody else's. */
struct rma_answer {
	__u64 rma_size;         /* bytes */
};
#define ALLOCATE_RMA _IOR(KVMIO, 0xa9, struct rma_answer)       /* KVM_ALLOCATE_RMA, api.txt 4.58 of Linux 3.19 */

enum rma_need rma_need(const struct kvm *k)
{
	int r = kvm_ioctl_num(k->vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_PPC_RMA);

	return r == RMA_MAY || r == RMA_MUST ? (enum rma_need)r : RMA_ABSENT;
}

int rma_new(const struct kvm *k, const struct slot_spec *spec, struct backing **ret, struct err *err)
{
	struct rma_answer rma = { 0 };
	int fd, r;

	if (rma_need(k) == RMA_ABSENT)
		return err_set(err, ENOTSUP, "this host's KVM lacks KVM_CAP_PPC_RMA, a Real Mode Area as some powerpc processors have it");
	if (spec->gpa)
		return err_set(err, EINVAL, "a Real Mode Area is at gpa 0, not 0x%" PRIx64, spec->gpa);
	fd = kvm_ioctl(k->vm_fd, ALLOCATE_RMA, &rma);
	if (fd < 0)
		return err_errno(err, -fd, "KVM_ALLOCATE_RMA");
	if (spec->size && spec->size != rma.rma_size) {
		r = err_set(err, EINVAL, "this host's Real Mode Area has 0x%" PRIx64 " bytes, not 0x%" PRIx64,
			    (uint64_t)rma.rma_size, spec->size);
		goto fail;
	}
	r = backing_of_fd(SLOT_RMA, fd, rma.rma_size, ret, err);
	if (!r)
		return 0;
fail:
	close(fd);
	return r;
}

int rma_add_ram(struct slots *s, unsigned id, uint64_t size, const char *label, struct err *err)
{
	struct slot_spec spec = { .id = id, .size = size, .backing = SLOT_ANON };
	struct backing *b;
	int r;

	if (rma_need(slots_kvm(s)) != RMA_MUST)
		return slots_add(s, &spec, label, NULL, err);
	spec.size = 0;
	r = rma_new(slots_kvm(s), &spec, &b, err);
	if (r)
		return r;
	spec.size = b->size;
	if (size < b->size) {
		r = err_set(err, EINVAL, "0x%" PRIx64 " bytes of RAM are too few: every VM of this host has a Real Mode Area of 0x%" PRIx64,
			    size, b->size);
	} else {
		r = slots_add_backing(s, &spec, b, label, err);
	}
	/* The slot has a reference of its own. */
	backing_put(b);
	if (r || size == spec.size)
		return r;
	spec = (struct slot_spec){ .gpa = spec.size, .size = size - spec.size, .backing = SLOT_ANON };
	r = slots_free_id(s, slot_space(id), &spec.id, err);
	if (!r)
		r = slots_add(s, &spec, label, NULL, err);
	if (r)
		slots_remove(s, id, NULL);
	return r;
}

int rma_check_run(struct slots *s, struct err *err)
{
	struct slot_info info;

	if (!slots_needs_rma(s))
		return 0;
	for (size_t i = 0; slots_at(s, i, &info); i++)
		if (info.kind == SLOT_RMA)
			return 0;
	return err_set(err, ENOTSUP, "every VM of this host must have a Real Mode Area (KVM_CAP_PPC_RMA is 2), and this one has none at gpa 0: "
		       "slot add 0 0 SIZE backing=rma");
}

int rma_refuse(const struct slot *v, const char *what, struct err *err)
{
	if (v->backing->kind != SLOT_RMA)
		return 0;
	return err_set(err, ENOTSUP, "slot %s is the Real Mode Area, which cannot %s", slot_name(v->id).text, what);
}
