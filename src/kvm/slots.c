/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The slot table: what there is, adding, removing, and back to the start. */
#include "kvm/slots.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/arch.h"
#include "kvm/rma.h"
#include "kvm/slots_priv.h"

#define SLOT_PAGES_MAX 0x7fffffffull    /* KVM_MEM_MAX_NR_PAGES */

int slots_new(const struct kvm *k, struct slots **ret, struct err *err)
{
	struct slots *s = calloc(1, sizeof(*s));
	int multi, r;

	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	s->kvm = k;
	s->has_readonly = kvm_ioctl_num(k->vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) > 0;
	s->has_sync_mmu = kvm_ioctl_num(k->vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_MMU) > 0;
	s->needs_rma = rma_need(k) == RMA_MUST;
	multi = kvm_ioctl_num(k->vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE);
	s->multi = multi > 0 ? (unsigned)multi : 0;
	for (unsigned i = 0; i < SLOT_SPACES; i++) {
		r = gmem_new(&s->space[i].gmem, err);
		if (r) {
			slots_free(s);
			return r;
		}
	}
	*ret = s;
	return 0;
}

void slots_free(struct slots *s)
{
	if (!s)
		return;
	for (struct slot_space *p = s->space; p < s->space + SLOT_SPACES; p++) {
		for (size_t i = 0; i < p->n; i++)
			if (p->v[i].size) {
				dirty_log_free(s, &p->v[i]);
				backing_put(p->v[i].backing);
			}
		free(p->v);
		gmem_free(p->gmem);
	}
	while (s->kept) {
		struct backing *b = s->kept;

		s->kept = b->next_kept;
		backing_put(b);
	}
	carve_free(&s->carve);
	free(s->initial);
	free(s);
}

struct slot *slots_get(struct slots *s, unsigned id)
{
	unsigned n = slot_index(id);
	struct slot_space *p;

	if (slot_space(id) >= SLOT_SPACES)
		return NULL;
	p = slot_space_of(s, id);
	return n < p->n && p->v[n].size ? &p->v[n] : NULL;
}

struct slot_space *slot_space_of(struct slots *s, unsigned id)
{
	return &s->space[slot_space(id)];
}

struct gmem *slots_gmem(struct slots *s)
{
	return s->space[0].gmem;
}

struct gmem *slots_gmem_of(struct slots *s, unsigned id)
{
	return slot_space_of(s, id)->gmem;
}

const struct kvm *slots_kvm(struct slots *s)
{
	return s->kvm;
}

void slots_use_rings(struct slots *s, struct rings *r)
{
	s->rings = r;
}

bool slots_needs_rma(const struct slots *s)
{
	return s->needs_rma;
}

struct rings *slots_rings(struct slots *s)
{
	return s->rings;
}

struct slot *slot_need(struct slots *s, unsigned id, struct err *err)
{
	struct slot *v = slots_get(s, id);

	if (!v)
		err_set(err, ENOENT, "there is no slot %s", slot_name(id).text);
	return v;
}

static int check_number(const struct slots *s, unsigned id, struct err *err)
{
	unsigned space = slot_space(id);

	if (space && s->multi <= 1)
		return err_set(err, ENOTSUP, "slot %s: this host's KVM has one address space (KVM_CAP_MULTI_ADDRESS_SPACE "
			       "is %u)", slot_name(id).text, s->multi);
	if (space && (space >= s->multi || space >= SLOT_SPACES))
		return err_set(err, ENOTSUP, "slot %s: there are %u address spaces here, from 0 on "
			       "(KVM_CAP_MULTI_ADDRESS_SPACE)", slot_name(id).text, s->multi);
	if (slot_index(id) >= s->kvm->max_slots)
		return err_set(err, EINVAL, "slot %s: this host has slots 0 to %u", slot_name(id).text,
			       s->kvm->max_slots - 1);
	return 0;
}

int slot_check_place(const struct slots *s, unsigned id, uint64_t gpa, uint64_t size, struct err *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), width = s->kvm->phys_bits;
	const struct gmem_region *g;
	int r = check_number(s, id, err);

	if (r)
		return r;
	if (!size || (gpa | size) % page)
		return err_set(err, EINVAL,
			       "slot %s: gpa 0x%" PRIx64 " and size 0x%" PRIx64 " must be multiples of 0x%" PRIx64
			       ", the size not 0", slot_name(id).text, gpa, size, page);
	if (gpa + size < gpa || (width < 64 && (gpa + size - 1) >> width))
		return err_set(err, EINVAL,
			       "slot %s: gpa 0x%" PRIx64 " + 0x%" PRIx64 " is beyond the guest's %" PRIu64 " address bits",
			       slot_name(id).text, gpa, size, width);
	if (size / page > SLOT_PAGES_MAX)
		return err_set(err, EINVAL, "slot %s: 0x%" PRIx64 " bytes of memory are more than the 0x%llx pages that KVM "
			       "takes in a slot", slot_name(id).text, size, SLOT_PAGES_MAX);
	for (size_t i = 0; i < arch.nreserved; i++)
		if (gpa < arch.reserved[i].gpa + arch.reserved[i].size && arch.reserved[i].gpa < gpa + size)
			return err_set(err, EEXIST, "slot %s: 0x%" PRIx64 "-0x%" PRIx64 " overlaps 0x%" PRIx64 "-0x%" PRIx64
				       ", which belongs to %s", slot_name(id).text, gpa, gpa + size - 1,
									  arch.reserved[i].gpa,
				       arch.reserved[i].gpa + arch.reserved[i].size - 1, arch.reserved[i].what);
	g = gmem_overlap(s->space[slot_space(id)].gmem, gpa, size, (int)id);
	if (g)
		return err_set(err, EEXIST, "slot %s: 0x%" PRIx64 "-0x%" PRIx64 " overlaps slot %s at 0x%" PRIx64 "-0x%" PRIx64,
			       slot_name(id).text, gpa, gpa + size - 1, slot_name((unsigned)g->slot).text, g->gpa,
			       g->gpa + g->size - 1);
	return 0;
}

int slot_check_readonly(const struct slots *s, unsigned id, const struct backing *b, bool readonly,
			struct err *err)
{
	if (readonly && !s->has_readonly)
		return err_set(err, ENOTSUP, "slot %s: this host's KVM lacks KVM_CAP_READONLY_MEM",
			       slot_name(id).text);
	if (!readonly && b && b->unwritable)
		return err_set(err, EACCES,
			       "slot %s: %s cannot be written, a slot that shares it has to be read-only", slot_name(id).text,
			       b->path);
	return 0;
}

int slot_make_room(struct slots *s, unsigned id, struct err *err)
{
	struct slot_space *p = slot_space_of(s, id);
	unsigned at = slot_index(id);
	size_t n = p->n * 2 > at ? p->n * 2 : (size_t)at + 1;
	struct slot *v;

	if (at < p->n)
		return 0;
	v = reallocarray(p->v, n, sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	memset(v + p->n, 0, (n - p->n) * sizeof(*v));
	p->v = v;
	p->n = n;
	return 0;
}

int slots_free_id(struct slots *s, unsigned space, unsigned *ret, struct err *err)
{
	struct slot_space *p = &s->space[space];

	while (p->lowest < p->n && p->v[p->lowest].size)
		p->lowest++;
	if (p->lowest >= s->kvm->max_slots)
		return err_set(err, ENOSPC, "all %u slots of this host are in use", s->kvm->max_slots);
	*ret = slot_id(space, p->lowest);
	return 0;
}

int slot_kernel_put(const struct slots *s, const struct slot *v)
{
	const struct piece whole = carve_whole(v);

	return carve_put(s, v, &whole);
}

int slot_kernel_delete(const struct slots *s, unsigned id)
{
	struct kvm_userspace_memory_region kr = { .slot = id };

	return kvm_ioctl(s->kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &kr);
}

void slot_kernel_drop(struct slots *s, unsigned id)
{
	int r = slot_kernel_delete(s, id);

	s->stuck |= r < 0 && r != -EINVAL;
}

int slot_kernel_error(unsigned id, int r, struct err *err)
{
	return err_errno(err, -r, "slot %s: KVM_SET_USER_MEMORY_REGION", slot_name(id).text);
}

struct gmem_region slot_region(const struct slot *v)
{
	return (struct gmem_region){ .gpa = v->gpa, .size = v->size, .hva = v->hva, .slot = (int)v->id,
				     .readonly = v->readonly, .watched = v->watched };
}

void slot_note_huge(const struct slot *v, struct slot_note *ret)
{
	if (v->size >= BACKING_HUGE_SIZE && (v->gpa ^ (uintptr_t)v->hva) % BACKING_HUGE_SIZE)
		snprintf(ret->text, sizeof(ret->text), "slot %s: gpa and hva differ in their low 21 bits: no large pages",
			 slot_name(v->id).text);
}

/* Unmaps it, unless the guest may reach it yet: what is mapped there next would be the guest's. */
static void let_go(struct slots *s, struct backing *b)
{
	if (!s->stuck || b->kept) {
		backing_put(b);
		return;
	}
	b->kept = true;
	b->next_kept = s->kept;
	s->kept = b;
}

void slot_forget(struct slots *s, struct slot *v)
{
	struct slot_space *p = slot_space_of(s, v->id);

	dirty_log_free(s, v);
	gmem_remove(p->gmem, v->gpa);
	let_go(s, v->backing);
	if (slot_index(v->id) < p->lowest)
		p->lowest = slot_index(v->id);
	carve_vacated(s, v->id);
	*v = (struct slot){ 0 };
	p->used--;
}

int slot_lost(struct slots *s, struct slot *v, int r, struct err *err)
{
	unsigned id = v->id;

	carve_drop(s, id);
	slot_forget(s, v);
	return err_errno(err, -r, "slot %s is gone: KVM refused to change it and then to restore it%s", slot_name(id).text,
			 s->stuck ? ", and may have it still: its memory stays mapped" : "");
}

/* Finds or makes the memory of a new slot V; OWN is somebody's who has it already, or NULL. */
static int find_backing(struct slots *s, const struct slot_spec *spec, struct backing *own, struct slot *v, struct err *err)
{
	const struct slot *of;
	int r;

	if (own) {
		v->backing = backing_get(own);
		v->hva = own->base + spec->offset;
		return 0;
	}
	if (spec->backing != SLOT_ALIAS) {
		r = spec->backing == SLOT_RMA ? rma_new(s->kvm, spec, &v->backing, err) : backing_new(spec, &v->backing, err);
		if (r)
			return err_prefix(err, r, "slot %s", slot_name(v->id).text);
		v->hva = v->backing->base;
		return 0;
	}
	of = slots_get(s, spec->alias_of);
	if (!of)
		return err_set(err, ENOENT, "slot %s: there is no slot %s to alias", slot_name(v->id).text,
			       slot_name(spec->alias_of).text);
	if (of->alias)
		return err_set(err, EINVAL, "slot %s: slot %s is an alias itself: alias what it aliases",
			       slot_name(v->id).text, slot_name(of->id).text);
	r = rma_refuse(of, "have an alias", err);
	if (r)
		return r;
	if (spec->offset % (uint64_t)sysconf(_SC_PAGESIZE))
		return err_set(err, EINVAL, "slot %s: offset 0x%" PRIx64 " is no multiple of 0x%lx",
			       slot_name(v->id).text, spec->offset,
			       sysconf(_SC_PAGESIZE));
	if (spec->offset > of->size || v->size > of->size - spec->offset)
		return err_set(err, EINVAL, "slot %s: 0x%" PRIx64 " bytes at offset 0x%" PRIx64 " are not all in slot %s of 0x%"
			       PRIx64 " bytes", slot_name(v->id).text, v->size, spec->offset,
							  slot_name(of->id).text, of->size);
	r = slot_check_readonly(s, v->id, of->backing, v->readonly, err);
	if (r)
		return r;
	v->backing = backing_get(of->backing);
	v->hva = of->hva + spec->offset;
	v->alias = true;
	v->alias_of = of->id;
	return 0;
}

static int add_slot(struct slots *s, const struct slot_spec *spec, struct backing *own, const char *label,
		    struct slot_note *ret_note, struct err *err)
{
	struct slot v = { .id = spec->id, .gpa = spec->gpa, .size = spec->size, .readonly = spec->readonly,
			  .log = spec->log, .label = label };
	const struct slot *have = slots_get(s, spec->id);
	struct slot_space *space;
	struct slot *at;
	struct gmem_region g;
	bool gone = false;
	int r;

	if (have)
		return err_set(err, EEXIST, "slot %s is in use (0x%" PRIx64 "-0x%" PRIx64 ")",
			       slot_name(have->id).text, have->gpa,
			       have->gpa + have->size - 1);
	r = slot_check_place(s, v.id, v.gpa, v.size, err);
	if (!r && v.readonly && spec->backing == SLOT_RMA)
		r = err_set(err, ENOTSUP, "slot %s: a Real Mode Area cannot be read-only", slot_name(v.id).text);
	if (!r)
		r = slot_check_readonly(s, v.id, NULL, v.readonly, err);
	if (!r)
		r = slot_make_room(s, v.id, err);
	if (!r)
		r = carve_vacate(s, v.id, err);
	if (!r)
		r = find_backing(s, spec, own, &v, err);
	if (r)
		return r;
	space = slot_space_of(s, v.id);
	g = slot_region(&v);
	r = gmem_add(space->gmem, &g, err);
	if (r) {
		backing_put(v.backing);
		return r;
	}
	at = &space->v[slot_index(v.id)];
	*at = v;
	space->used++;
	r = carve_change(s, NULL, &v, &gone, err);
	if (r)
		goto fail;
	if (v.log) {
		r = dirty_log_new(s, at, err);
		if (r) {
			if (carve_change(s, &v, NULL, &gone, NULL) < 0)
				carve_drop(s, v.id);
			goto fail;
		}
	}
	if (ret_note) {
		*ret_note = (struct slot_note){ "" };
		slot_note_huge(&v, ret_note);
	}
	return 0;
fail:
	slot_forget(s, at);
	return r;
}

int slots_add(struct slots *s, const struct slot_spec *spec, const char *label, struct slot_note *ret_note,
	      struct err *err)
{
	return add_slot(s, spec, NULL, label, ret_note, err);
}

int slots_add_backing(struct slots *s, const struct slot_spec *spec, struct backing *b, const char *label, struct err *err)
{
	return add_slot(s, spec, b, label, NULL, err);
}

int slots_remove(struct slots *s, unsigned id, struct err *err)
{
	struct slot *v = slot_need(s, id, err);
	bool gone = false;
	int r;

	if (!v)
		return -ENOENT;
	r = carve_change(s, v, NULL, &gone, err);
	if (r)
		return gone ? slot_lost(s, v, r, err) : r;
	slot_forget(s, v);
	return 0;
}

/* "alias:0+0x1000", as long as that slot still holds the memory. */
static void alias_text(struct slots *s, const struct slot *v, char *ret, size_t size)
{
	const struct slot *of = slots_get(s, v->alias_of);

	if (of && of->backing == v->backing && !of->alias && v->hva >= of->hva && v->hva < of->hva + of->size)
		snprintf(ret, size, "alias:%s+0x%" PRIx64, slot_name(of->id).text, (uint64_t)(v->hva - of->hva));
	else
		snprintf(ret, size, "alias (what was slot %s)", slot_name(v->alias_of).text);
}

bool slots_at(struct slots *s, size_t index, struct slot_info *ret)
{
	const struct slot_space *p = s->space;
	const struct gmem_region *g;
	const struct slot *v;

	while (p < s->space + SLOT_SPACES - 1 && index >= p->used)
		index -= p++->used;
	g = gmem_at(p->gmem, index);
	if (!g)
		return false;
	v = &p->v[slot_index((unsigned)g->slot)];
	*ret = (struct slot_info){
		.id = v->id,
		.gpa = v->gpa,
		.size = v->size,
		.hva = (uintptr_t)v->hva,
		.readonly = v->readonly,
		.log = v->log,
		.watched = v->watched,
		.huge_aligned = !((v->gpa ^ (uintptr_t)v->hva) % BACKING_HUGE_SIZE),
		.kind = v->alias ? SLOT_ALIAS : v->backing->kind,
		.label = v->label,
	};
	if (v->alias)
		alias_text(s, v, ret->backing, sizeof(ret->backing));
	else
		backing_text(v->backing, ret->backing, sizeof(ret->backing));
	return true;
}

int slots_mark_initial(struct slots *s, struct err *err)
{
	struct slot_initial *list;
	size_t n = 0;

	for (unsigned i = 0; i < SLOT_SPACES; i++)
		n += s->space[i].used;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return err_set(err, ENOMEM, "out of memory");
	n = 0;
	for (const struct slot_space *p = s->space; p < s->space + SLOT_SPACES; p++)
		for (const struct slot *v = p->v; v < p->v + p->n; v++)
			if (v->size)
				list[n++] = (struct slot_initial){ v->id, v->gpa, v->size,
								     v->backing->kind == SLOT_RMA ? SLOT_RMA : SLOT_ANON, v->label };
	free(s->initial);
	s->initial = list;
	s->ninitial = n;
	return 0;
}

/* Whether V is as INITIAL says, with memory of its own. */
static bool is_intact(const struct slot *v, const struct slot_initial *initial)
{
	const struct backing *b = v->backing;

	return v->gpa == initial->gpa && v->size == initial->size && v->label == initial->label && !v->readonly &&
	       !v->alias && b->kind == initial->kind && !b->remapped && b->base == v->hva && b->size == v->size;
}

static const struct slot_initial *find_initial(const struct slots *s, unsigned id)
{
	for (size_t i = 0; i < s->ninitial; i++)
		if (s->initial[i].id == id)
			return &s->initial[i];
	return NULL;
}

int slots_restore(struct slots *s, struct err *err)
{
	int r = 0;

	for (const struct slot_space *p = s->space; p < s->space + SLOT_SPACES; p++)
		for (size_t i = 0; i < p->n && !r; i++) {
			const struct slot *v = &p->v[i];
			const struct slot_initial *initial = v->size ? find_initial(s, v->id) : NULL;

			if (v->size && (!initial || !is_intact(v, initial)))
				r = slots_remove(s, v->id, err);
		}
	for (size_t i = 0; i < s->ninitial && !r; i++) {
		const struct slot_initial *n = &s->initial[i];
		struct slot *v = slots_get(s, n->id);
		struct slot_spec spec = { .id = n->id, .gpa = n->gpa, .size = n->size, .backing = n->kind };

		if (!v) {
			r = slots_add(s, &spec, n->label, NULL, err);
			continue;
		}
		if (n->kind == SLOT_RMA)
			memset(v->hva, 0, v->size);
		else
			r = backing_discard(v->backing, 0, v->size, err);
		gmem_touch(slots_gmem_of(s, v->id), v->gpa, v->size);
	}
	return r;
}
