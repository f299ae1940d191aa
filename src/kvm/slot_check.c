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
	bool unasked;           /* KVM had no memory to answer with */
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

/* Whether KVM's answer R says nothing of the slot. */
static bool no_answer(struct report *rep, int r)
{
	rep->unasked |= r == -ENOMEM;
	return r == -ENOMEM;
}

/* Whether the kernel has memory at GPA if it should: then a page there for SPARE, a free number, is refused with -EEXIST. */
static bool as_wanted(struct slots *s, const struct slot *v, unsigned spare, uint64_t gpa, bool want, struct report *rep)
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
	return no_answer(rep, r) || (r == -EEXIST) == want;
}

/* Whether there is memory at the first and at the last page of P of V exactly if there should be. */
static bool check_place(struct slots *s, const struct slot *v, const struct piece *p, int spare,
			struct report *rep)
{
	bool want = p->rights != PAGE_NO_ACCESS;

	if (spare < 0 || (as_wanted(s, v, (unsigned)spare, p->gpa, want, rep) &&
			  as_wanted(s, v, (unsigned)spare, p->gpa + p->size - DIRTY_PAGE, want, rep)))
		return true;
	tell(rep, v, "the kernel has %s memory at 0x%" PRIx64 "-0x%" PRIx64, want ? "no" : "wrongly", p->gpa,
	     p->gpa + p->size - 1);
	return false;
}

/* Whether the kernel logs P exactly if it should. */
static bool check_log(struct slots *s, const struct slot *v, const struct piece *p, struct report *rep)
{
	struct kvm_dirty_log log = { .slot = p->id };
	struct err err;
	int r;

	/* With rings the kernel keeps no log of a slot that could be asked for. */
	if (s->rings)
		return true;
	if (!(p->flags & KVM_MEM_LOG_DIRTY_PAGES)) {
		r = kvm_ioctl(s->kvm->vm_fd, KVM_GET_DIRTY_LOG, &log);
		if (r == -ENOENT || no_answer(rep, r))
			return true;
		tell(rep, v, "logging is off, but the kernel keeps a log");
		return false;
	}
	r = carve_take_log(s, v, p, &err);
	if (!r || no_answer(rep, r))
		return true;
	tell(rep, v, "logging is on, but %.120s", err.msg);
	return false;
}

static void check_piece(struct slots *s, const struct slot *v, const struct piece *p, int spare,
			struct report *rep)
{
	struct kvm_userspace_memory_region kr = carve_region(v, p);
	int r;

	if (!check_place(s, v, p, spare, rep) || p->rights == PAGE_NO_ACCESS || !check_log(s, v, p, rep))
		return;
	/* Something is there and logs as it should: setting the same again is accepted only if it is the same. */
	r = kvm_ioctl(s->kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &kr);
	if (no_answer(rep, r))
		return;
	if (r < 0) {
		tell(rep, v, "the kernel has other parameters for it (setting the same again: %s)", strerror(-r));
		return;
	}
	kr.userspace_addr += DIRTY_PAGE;
	r = kvm_ioctl(s->kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &kr);
	if (r != -EINVAL && !no_answer(rep, r))
		tell(rep, v, "the kernel let its memory be changed (%s)", r ? strerror(-r) : "no error");
}

/* The pieces of V: what its pages' rights ask for, side by side, and each in the kernel. */
static void check_pieces(struct slots *s, const struct slot *v, const struct pieces *p, int spare,
			 struct report *rep)
{
	uint64_t gpa = v->gpa;
	enum page_rights want;

	for (size_t i = 0; i < p->n && p->v[i].gpa == gpa; i++) {
		if (p->v[i].size != carve_alike(v, &s->carve.in_force, gpa, &want) || p->v[i].rights != want)
			break;
		check_piece(s, v, &p->v[i], spare, rep);
		gpa += p->v[i].size;
	}
	if (gpa != v->gpa + v->size)
		tell(rep, v, "its piece at 0x%" PRIx64 " is not what its pages' rights ask for", gpa);
}

static void check_kernel(struct slots *s, const struct slot *v, int spare, struct report *rep)
{
	const struct pieces *pieces = carve_pieces(s, v->id);
	const struct piece whole = carve_whole(v);

	if (pieces)
		check_pieces(s, v, pieces, spare, rep);
	else
		check_piece(s, v, &whole, spare, rep);
}

/* A number of address space SPACE that the kernel has nothing for; -1: none. */
static int spare_number(struct slots *s, unsigned space)
{
	unsigned id;

	if (space || !s->carve.of)
		return slots_free_id(s, space, &id, NULL) ? -1 : (int)id;
	if (carve_number(s, 0, 0, &id))
		return -1;
	carve_unnumber(s, id);
	return (int)id;
}

static void check_gmem(struct slots *s, const struct slot *v, struct report *rep)
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
	struct report rep = { each, arg, false };

	if (s->carve.opened)
		return err_set(err, EBUSY, "pages are open for a step");
	for (unsigned i = 0; i < SLOT_SPACES; i++) {
		const struct slot_space *p = &s->space[i];
		const struct gmem_region *more = gmem_at(p->gmem, p->used);
		int spare = spare_number(s, i);

		for (struct slot *v = p->v; v < p->v + p->n; v++)
			if (v->size) {
				check_gmem(s, v, &rep);
				check_kernel(s, v, spare, &rep);
			}
		if (more)
			each(arg, &(struct slot_fault){ .id = (unsigned)more->slot, .text = "our map of guest memory has "
							"more ranges than there are slots" });
	}
	return rep.unasked ? err_set(err, ENOMEM, "not all slots could be checked: KVM had no memory to answer with") : 0;
}
