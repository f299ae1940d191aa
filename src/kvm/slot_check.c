/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the kernel and gmem have what the table says.  KVM does not list its slots: so it is asked for what it must
 * refuse or has already, in an order in which no answer of an intact slot changes anything.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kvm/slots_priv.h"

struct report {
	void (*each)(void *arg, const struct slot_fault *f);
	void *arg;
};

static void tell(const struct report *r, const struct slot *v, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(const struct report *r, const struct slot *v, const char *fmt, ...)
{
	struct slot_fault f = { .id = v->id };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f.text, sizeof(f.text), fmt, ap);
	va_end(ap);
	r->each(r->arg, &f);
}

/* Whether the kernel has memory at GPA: then a page there for SPARE, a free number, is refused with -EEXIST. */
static bool is_taken(struct slots *s, const struct slot *v, unsigned spare, uint64_t gpa)
{
	struct kvm_userspace_memory_region kr = {
		.slot = spare,
		.guest_phys_addr = gpa,
		.memory_size = DIRTY_PAGE,
		.userspace_addr = (uintptr_t)v->hva,
	};
	int r = kvm_ioctl(s->kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &kr);

	if (!r)
		slot_kernel_delete(s, spare);
	return r == -EEXIST;
}

static void check_kernel(struct slots *s, struct slot *v, int spare, const struct report *rep)
{
	struct kvm_dirty_log log = { .slot = v->id };
	struct kvm_userspace_memory_region kr = slot_kernel_region(v);
	int r;

	if (spare >= 0 && (!is_taken(s, v, (unsigned)spare, v->gpa) ||
			   !is_taken(s, v, (unsigned)spare, v->gpa + v->size - DIRTY_PAGE))) {
		tell(rep, v, "the kernel has no memory at 0x%" PRIx64 "-0x%" PRIx64, v->gpa, v->gpa + v->size - 1);
		return;
	}
	if (v->log) {
		struct err err;

		if (dirty_log_harvest(s, v, &err)) {
			tell(rep, v, "logging is on, but %.120s", err.msg);
			return;
		}
		/* (With rings the kernel keeps no log of a slot that could be asked for.) */
	} else if (!s->rings && kvm_ioctl(s->kvm->vm_fd, KVM_GET_DIRTY_LOG, &log) != -ENOENT) {
		tell(rep, v, "logging is off, but the kernel keeps a log");
		return;
	}
	/* Something is there and logs as it should: setting the same again is accepted only if it is the same. */
	r = kvm_ioctl(s->kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &kr);
	if (r < 0) {
		tell(rep, v, "the kernel has other parameters for it (setting the same again: %s)", strerror(-r));
		return;
	}
	kr.userspace_addr += DIRTY_PAGE;
	r = kvm_ioctl(s->kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &kr);
	if (r != -EINVAL)
		tell(rep, v, "the kernel let its memory be changed (%s)", r ? strerror(-r) : "no error");
}

static void check_gmem(struct slots *s, const struct slot *v, const struct report *rep)
{
	const struct gmem_region *g = gmem_find(slots_gmem_of(s, v->id), v->gpa);

	if (!g || g->gpa != v->gpa || g->size != v->size || g->hva != v->hva || g->slot != (int)v->id ||
	    g->readonly != v->readonly || g->watched != v->watched)
		tell(rep, v, "our map of guest memory has it otherwise at 0x%" PRIx64, v->gpa);
	if (v->hva < v->backing->base || v->hva + v->size > v->backing->base + v->backing->size)
		tell(rep, v, "it reaches beyond the memory behind it");
}

int slots_check(struct slots *s, void (*each)(void *arg, const struct slot_fault *f), void *arg, struct err *err)
{
	struct report rep = { each, arg };

	(void)err;
	for (unsigned i = 0; i < SLOT_SPACES; i++) {
		const struct slot_space *p = &s->space[i];
		const struct gmem_region *more = gmem_at(p->gmem, p->used);
		unsigned id;
		int spare = slot_free_id(s, i, &id, NULL) ? -1 : (int)id;

		for (struct slot *v = p->v; v < p->v + p->n; v++)
			if (v->size) {
				check_gmem(s, v, &rep);
				check_kernel(s, v, spare, &rep);
			}
		if (more)
			each(arg, &(struct slot_fault){ .id = (unsigned)more->slot, .text = "our map of guest memory has "
							"more ranges than there are slots" });
	}
	return 0;
}
