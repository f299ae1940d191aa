/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/carve.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/ring.h"
#include "kvm/slots_priv.h"

void carve_free(struct carve *c)
{
	for (unsigned i = 0; i < c->n; i++)
		free(c->of[i].v);
	free(c->of);
	free(c->owner);
	rights_free(&c->wanted);
	rights_free(&c->in_force);
}

/* What only a machine with carved slots needs. */
static int make_tables(struct slots *s, struct err *err)
{
	struct carve *c = &s->carve;
	unsigned n = s->kvm->max_slots;

	if (c->of)
		return 0;
	c->of = calloc(n, sizeof(*c->of));
	c->owner = calloc(n, sizeof(*c->owner));
	if (c->of && c->owner) {
		c->n = c->below = n;
		return 0;
	}
	free(c->of);
	free(c->owner);
	c->of = NULL;
	c->owner = NULL;
	return err_set(err, ENOMEM, "out of memory");
}

const struct pieces *carve_pieces(const struct slots *s, unsigned id)
{
	const struct carve *c = &s->carve;

	return c->of && !slot_space(id) && c->of[id].v ? &c->of[id] : NULL;
}

bool carve_owner(const struct slots *s, unsigned id, unsigned *ret_slot, uint64_t *ret_gpa)
{
	const struct piece_owner *o;

	if (!s->carve.owner || slot_space(id) || id >= s->kvm->max_slots)
		return false;
	o = &s->carve.owner[id];
	if (!o->used)
		return false;
	*ret_slot = o->slot;
	*ret_gpa = o->gpa;
	return true;
}

int carve_number(struct slots *s, unsigned slot, uint64_t gpa, unsigned *ret)
{
	struct carve *c = &s->carve;

	while (c->below && (c->owner[c->below - 1].used || slots_get(s, c->below - 1)))
		c->below--;
	if (!c->below)
		return -ENOSPC;
	*ret = c->below - 1;
	c->owner[*ret] = (struct piece_owner){ true, slot, gpa };
	c->used++;
	return 0;
}

void carve_unnumber(struct slots *s, unsigned id)
{
	s->carve.owner[id] = (struct piece_owner){ 0 };
	s->carve.used--;
	carve_vacated(s, id);
}

void carve_vacated(struct slots *s, unsigned id)
{
	if (s->carve.owner && !slot_space(id) && id >= s->carve.below)
		s->carve.below = id + 1;
}

uint32_t carve_flags(const struct slot *v, enum page_rights rights)
{
	/* What the guest cannot write needs no log. */
	if (rights != PAGE_ALL)
		return KVM_MEM_READONLY;
	return (v->log ? KVM_MEM_LOG_DIRTY_PAGES : 0) | (v->readonly || v->watched ? KVM_MEM_READONLY : 0);
}

struct kvm_userspace_memory_region carve_region(const struct slot *v, const struct piece *p)
{
	return (struct kvm_userspace_memory_region){
		.slot = p->id,
		.flags = p->flags,
		.guest_phys_addr = p->gpa,
		.memory_size = p->size,
		.userspace_addr = (uintptr_t)v->hva + (p->gpa - v->gpa),
	};
}

int carve_put(const struct slots *s, const struct slot *v, const struct piece *p)
{
	struct kvm_userspace_memory_region kr = carve_region(v, p);

	return kvm_ioctl(s->kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &kr);
}

int carve_take_log(struct slots *s, const struct slot *v, const struct piece *p, struct err *err)
{
	if (!v->dirty || s->rings || !(p->flags & KVM_MEM_LOG_DIRTY_PAGES))
		return 0;
	return dirty_log_take(s, v, p->id, (p->gpa - v->gpa) / DIRTY_PAGE, p->size / DIRTY_PAGE, err);
}

struct piece carve_whole(const struct slot *v)
{
	return (struct piece){ .gpa = v->gpa, .size = v->size, .id = v->id, .flags = carve_flags(v, PAGE_ALL) };
}

uint64_t carve_alike(const struct slot *v, const struct rights *r, uint64_t gpa, enum page_rights *ret)
{
	uint64_t page = gpa / DIRTY_PAGE, end = (v->gpa + v->size - 1) / DIRTY_PAGE, at = page, last;
	bool readonly = v->readonly || v->watched;

	for (bool first = true; ; first = false) {
		enum page_rights now = rights_at(r, at, &last);

		if (readonly && now == PAGE_NO_WRITE)
			now = PAGE_ALL;
		if (first)
			*ret = now;
		else if (now != *ret)
			break;
		if (last >= end)
			return (end + 1 - page) * DIRTY_PAGE;
		at = last + 1;
	}
	return (at - page) * DIRTY_PAGE;
}

/* The pieces that V is to have, without numbers; none when it is to be whole. */
static int make_pieces(const struct slot *v, const struct rights *r, struct pieces *ret, struct err *err)
{
	/* As many as the runs and what is between them, and no more than pages. */
	size_t most = 2 * r->n + 1 < v->size / DIRTY_PAGE ? 2 * r->n + 1 : v->size / DIRTY_PAGE;
	struct pieces p = { NULL, 0 };
	enum page_rights rights;
	struct piece *fit;

	*ret = p;
	if (slot_space(v->id) || (carve_alike(v, r, v->gpa, &rights) == v->size && rights == PAGE_ALL))
		return 0;
	p.v = calloc(most, sizeof(*p.v));
	if (!p.v)
		return err_set(err, ENOMEM, "slot %s: no memory for its pieces", slot_name(v->id).text);
	for (uint64_t gpa = v->gpa, size; gpa - v->gpa < v->size; gpa += size) {
		size = carve_alike(v, r, gpa, &rights);
		p.v[p.n++] = (struct piece){ .gpa = gpa, .size = size, .rights = rights, .flags = carve_flags(v, rights) };
	}
	fit = realloc(p.v, p.n * sizeof(*p.v));
	p.v = fit ? fit : p.v;
	*ret = p;
	return 0;
}

/* What goes, and what comes. */
struct change {
	const struct slot *old, *now;
	struct pieces from, to;
	bool from_whole, to_whole;
	struct piece from_one, to_one;
};

static bool is_there(const struct piece *p)
{
	return p->rights != PAGE_NO_ACCESS;
}

/* Whether the kernel could make piece A of OLD piece B of NOW without taking it away. */
static bool is_same(const struct change *c, const struct piece *a, const struct piece *b)
{
	return a->gpa == b->gpa && a->size == b->size && is_there(a) == is_there(b) &&
	       a->gpa - c->old->gpa + c->old->hva == b->gpa - c->now->gpa + c->now->hva &&
	       !((a->flags ^ b->flags) & KVM_MEM_READONLY);
}

/* Finds what stays, and gives it its number again. */
static void match(struct change *c)
{
	struct piece *a = c->from.v, *a_end = a + c->from.n, *b = c->to.v, *b_end = b + c->to.n;

	for (struct piece *p = a; p < a_end; p++)
		p->stays = p->passed = false;
	/* The whole slot has the slot's number, and no piece may have that. */
	if (!c->old || !c->now || c->from_whole != c->to_whole)
		return;
	while (a < a_end && b < b_end) {
		if (is_same(c, a, b)) {
			a->stays = b->stays = true;
			b->id = a->id;
			b->was_flags = a->flags;
		}
		if (a->gpa + a->size <= b->gpa + b->size)
			a++;
		else
			b++;
	}
}

/* Gives up the numbers that were free before. */
static void unnumber(struct slots *s, const struct change *c)
{
	for (size_t i = 0; i < c->to.n; i++)
		if (c->to.v[i].fresh)
			carve_unnumber(s, c->to.v[i].id);
}

/* Numbers for what comes: those of what goes, and free ones. */
static int number(struct slots *s, struct change *c, struct err *err)
{
	struct carve *carve = &s->carve;
	size_t goes = 0, comes = 0, at = 0;

	if (c->to_whole)
		return 0;
	for (size_t i = 0; i < c->from.n && !c->from_whole; i++)
		goes += !c->from.v[i].stays;
	for (size_t i = 0; i < c->to.n; i++)
		comes += !c->to.v[i].stays;
	if (comes > goes && !carve->restores && s->space[0].used + carve->used + (comes - goes) + CARVE_SPARE > s->kvm->max_slots)
		return err_set(err, ENOSPC, "slot %s: too few of this host's %u slots are free to cut %zu pieces out of it",
			       slot_name(c->now->id).text, s->kvm->max_slots, c->to.n);
	for (struct piece *p = c->to.v; p < c->to.v + c->to.n; p++) {
		if (p->stays)
			continue;
		while (goes && at < c->from.n && c->from.v[at].stays)
			at++;
		if (goes && at < c->from.n) {
			c->from.v[at].passed = true;
			p->id = c->from.v[at++].id;
			continue;
		}
		if (carve_number(s, c->now->id, p->gpa, &p->id)) {
			unnumber(s, c);
			return err_set(err, ENOSPC, "slot %s: no slot number of this host's KVM is free for a piece of it",
				       slot_name(c->now->id).text);
		}
		p->fresh = true;
	}
	return 0;
}

/*
 * The log goes on without what the kernel drops with its pieces, and no ring names a number any longer that other memory
 * may have next.  A slot that goes needs its log if it does not go: a piece may be refused when others have gone.
 */
static int save_logs(struct slots *s, const struct change *c, struct err *err)
{
	bool goes = false;
	int r = 0;

	for (size_t i = 0; i < c->from.n && !r; i++) {
		const struct piece *p = &c->from.v[i];

		if (p->stays || !is_there(p))
			continue;
		goes = true;
		if (c->now || c->from.n > 1)
			r = carve_take_log(s, c->old, p, err);
		/* What was there before comes back in any case: then all of it may have been written. */
		if (r && s->carve.restores) {
			gmem_touch(slots_gmem_of(s, c->old->id), p->gpa, p->size);
			r = 0;
		}
	}
	return r || !goes || !s->rings ? r : rings_collect(s->rings, err);
}

/* Puts back the first OUT of what went, after taking away the first IN of what came; whether KVM took that. */
static bool undo(struct slots *s, const struct change *c, size_t out, size_t in)
{
	bool ok = true;

	while (in--) {
		struct piece p = c->to.v[in];

		if (p.stays && p.flags != p.was_flags) {
			p.flags = p.was_flags;
			ok &= carve_put(s, c->old, &p) >= 0;
		} else if (!p.stays && is_there(&p))
			ok &= slot_kernel_delete(s, p.id) >= 0;
	}
	while (out--)
		if (!c->from.v[out].stays && is_there(&c->from.v[out]))
			ok &= carve_put(s, c->old, &c->from.v[out]) >= 0;
	return ok;
}

static int carry_out(struct slots *s, const struct change *c, bool *ret_lost)
{
	size_t out = 0, in = 0;
	int r = 0;

	for (; out < c->from.n; out++) {
		if (c->from.v[out].stays || !is_there(&c->from.v[out]))
			continue;
		r = slot_kernel_delete(s, c->from.v[out].id);
		if (r < 0)
			break;
	}
	for (; r >= 0 && in < c->to.n; in++) {
		const struct piece *p = &c->to.v[in];

		if (!is_there(p) || (p->stays && p->flags == p->was_flags))
			continue;
		r = carve_put(s, c->now, p);
		if (r < 0)
			break;
	}
	if (r >= 0)
		return 0;
	if (undo(s, c, out, in))
		return r;
	/* Not half of it: whatever is still there goes as well. */
	for (size_t i = 0; i < c->to.n; i++)
		slot_kernel_drop(s, c->to.v[i].id);
	for (size_t i = 0; i < c->from.n; i++)
		slot_kernel_drop(s, c->from.v[i].id);
	*ret_lost = true;
	return r;
}

/* The table of pieces after a change: what OLD had goes, what NOW has comes. */
static void settle(struct slots *s, struct change *c)
{
	struct carve *carve = &s->carve;
	unsigned id = c->old ? c->old->id : c->now->id;

	for (size_t i = 0; i < c->from.n && !c->from_whole; i++)
		if (!c->from.v[i].stays && !c->from.v[i].passed)
			carve_unnumber(s, c->from.v[i].id);
	for (size_t i = 0; i < c->to.n && !c->to_whole; i++) {
		struct piece *p = &c->to.v[i];

		carve->owner[p->id] = (struct piece_owner){ true, id, p->gpa };
		p->stays = p->fresh = false;
	}
	if (!c->from_whole)
		free(c->from.v);
	if (carve->of && !slot_space(id))
		carve->of[id] = c->to_whole ? (struct pieces){ NULL, 0 } : c->to;
}

/* Slot ID is nowhere any longer. */
static void settle_lost(struct slots *s, struct change *c)
{
	unnumber(s, c);
	for (size_t i = 0; i < c->from.n && !c->from_whole; i++)
		c->from.v[i].stays = c->from.v[i].passed = false;
	if (!c->to_whole)
		free(c->to.v);
	c->to = (struct pieces){ NULL, 0 };
	c->to_whole = true;
	settle(s, c);
}

static int change(struct slots *s, const struct slot *old, const struct slot *now, const struct rights *rights,
		  bool *ret_lost, struct err *err)
{
	struct change c = { .old = old, .now = now };
	unsigned id = old ? old->id : now->id;
	const struct pieces *have = old ? carve_pieces(s, id) : NULL;
	bool gone = false;
	int r = 0;

	if (s->carve.opened)
		return err_set(err, EBUSY, "slot %s: pages of it are open for a step", slot_name(id).text);
	if (now && rights->n)
		r = make_tables(s, err);
	if (now && !r)
		r = make_pieces(now, rights, &c.to, err);
	if (r)
		return r;
	if (have)
		c.from = *have;
	if (old && !have) {
		c.from_one = carve_whole(old);
		c.from = (struct pieces){ &c.from_one, 1 };
		c.from_whole = true;
	}
	if (now && !c.to.v) {
		c.to_one = carve_whole(now);
		c.to = (struct pieces){ &c.to_one, 1 };
		c.to_whole = true;
	}
	match(&c);
	r = number(s, &c, err);
	if (r) {
		if (!c.to_whole)
			free(c.to.v);
		return r;
	}
	r = save_logs(s, &c, err);
	if (!r) {
		r = carry_out(s, &c, &gone);
		if (r < 0)
			slot_kernel_error(id, r, err);
	}
	if (!r) {
		settle(s, &c);
	} else if (gone) {
		settle_lost(s, &c);
		*ret_lost = true;
	} else {
		unnumber(s, &c);
		if (!c.to_whole)
			free(c.to.v);
	}
	return r;
}

/* What the kernel changes by itself: flags or place of a slot that was whole and stays so. */
static bool in_place(const struct slots *s, const struct slot *old, const struct slot *now)
{
	enum page_rights rights;

	return old && now && !carve_pieces(s, old->id) && old->size == now->size && old->hva == now->hva &&
	       (slot_space(now->id) || (carve_alike(now, &s->carve.in_force, now->gpa, &rights) == now->size &&
					rights == PAGE_ALL)) &&
	       !((carve_flags(old, PAGE_ALL) ^ carve_flags(now, PAGE_ALL)) & KVM_MEM_READONLY);
}

int carve_change(struct slots *s, const struct slot *old, const struct slot *now, bool *ret_lost, struct err *err)
{
	int r;

	if (!in_place(s, old, now))
		return change(s, old, now, &s->carve.in_force, ret_lost, err);
	r = slot_kernel_put(s, now);
	return r < 0 ? slot_kernel_error(now->id, r, err) : 0;
}

int carve_restore(struct slots *s, const struct slot *now, const struct slot *was, bool *ret_lost)
{
	int r;

	s->carve.restores = true;
	r = carve_change(s, now, was, ret_lost, NULL);
	s->carve.restores = false;
	return r;
}

int carve_again(struct slots *s, const struct slot *v, const struct rights *rights, bool *ret_lost, struct err *err)
{
	return change(s, v, v, rights, ret_lost, err);
}

void carve_drop(struct slots *s, unsigned id)
{
	const struct pieces *have = carve_pieces(s, id);

	if (!have) {
		slot_kernel_drop(s, id);
		return;
	}
	for (size_t i = 0; i < have->n; i++) {
		slot_kernel_drop(s, have->v[i].id);
		carve_unnumber(s, have->v[i].id);
	}
	free(have->v);
	s->carve.of[id] = (struct pieces){ NULL, 0 };
}

int carve_vacate(struct slots *s, unsigned id, struct err *err)
{
	struct piece *p = NULL, to;
	unsigned owner, other;
	const struct slot *v;
	uint64_t gpa;
	int r;

	if (!carve_owner(s, id, &owner, &gpa))
		return 0;
	v = slots_get(s, owner);
	for (size_t i = 0; i < s->carve.of[owner].n; i++)
		if (s->carve.of[owner].v[i].id == id)
			p = &s->carve.of[owner].v[i];
	if (!p || s->carve.opened)
		return err_set(err, EBUSY, "slot %u: its number is in use for a step", id);
	if (carve_number(s, owner, gpa, &other))
		return err_set(err, ENOSPC, "slot %u: its number stands for a piece of slot %u, and all of this host's %u are "
			       "in use", id, owner, s->kvm->max_slots);
	to = *p;
	to.id = other;
	r = is_there(p) ? carve_take_log(s, v, p, err) : 0;
	if (!r && s->rings)
		r = rings_collect(s->rings, err);
	if (!r && is_there(p)) {
		r = slot_kernel_delete(s, id);
		if (r >= 0) {
			r = carve_put(s, v, &to);
			if (r < 0 && carve_put(s, v, p) < 0) {
				/* It is not there, and the next slots_carve() tries again. */
				p->rights = PAGE_NO_ACCESS;
				s->carve.pending = true;
			}
		}
		if (r < 0)
			slot_kernel_error(owner, r, err);
	}
	if (r < 0) {
		carve_unnumber(s, other);
		return r;
	}
	*p = to;
	carve_unnumber(s, id);
	return 0;
}
