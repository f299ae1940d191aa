/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of a slot that exists.  Each either happens whole or puts back what was. */
#include <errno.h>
#include <inttypes.h>

#include "kvm/rma.h"
#include "kvm/slots_priv.h"

/* From OLD to V in gmem.  Cannot fail: one line goes, one comes, and its place was checked. */
static void regions_swap(struct slots *s, const struct slot *old, const struct slot *v)
{
	struct gmem *gmem = slots_gmem_of(s, old->id);
	struct gmem_region g = slot_region(v);

	g.written = gmem_find(gmem, old->gpa)->written;
	gmem_remove(gmem, old->gpa);
	gmem_add(gmem, &g, NULL);
}

/* Makes slot V what TO says (the same number). */
static int slot_become(struct slots *s, struct slot *v, const struct slot *to, struct err *err)
{
	struct slot old = *v;
	bool gone = false;
	int r = dirty_log_harvest(s, v, err);

	if (r)
		return r;
	r = carve_change(s, &old, to, &gone, err);
	if (gone)
		return slot_lost(s, v, r, err);
	if (r < 0)
		return r;
	regions_swap(s, &old, to);
	*v = *to;
	r = dirty_log_resized(s, v, err);
	if (!r)
		return 0;
	if (carve_restore(s, to, &old, &gone) < 0)
		return slot_lost(s, v, r, err);
	regions_swap(s, to, &old);
	*v = old;
	return r;
}

int slots_move(struct slots *s, unsigned id, uint64_t gpa, struct slot_note *ret_note, struct err *err)
{
	struct slot *v = slot_need(s, id, err), to;
	int r;

	if (!v)
		return -ENOENT;
	r = gpa != v->gpa ? rma_refuse(v, "be moved", err) : 0;
	if (!r)
		r = slot_check_place(s, id, gpa, v->size, err);
	if (r)
		return r;
	to = *v;
	to.gpa = gpa;
	if (gpa != v->gpa)
		r = slot_become(s, v, &to, err);
	if (!r && ret_note) {
		*ret_note = (struct slot_note){ "" };
		slot_note_huge(v, ret_note);
	}
	return r;
}

static int set_log(struct slots *s, struct slot *v, bool on, struct err *err)
{
	struct slot old = *v, to = *v;
	bool gone = false;
	/* The kernel drops what it has of a piece, and may refuse the next one. */
	int r = !on && carve_pieces(s, v->id) ? dirty_log_harvest(s, v, err) : 0;

	if (r)
		return r;
	to.log = on;
	r = carve_change(s, &old, &to, &gone, err);
	if (gone)
		return slot_lost(s, v, r, err);
	if (r)
		return r;
	v->log = on;
	if (!on) {
		dirty_log_free(s, v);
		return 0;
	}
	r = dirty_log_new(s, v, err);
	if (!r)
		return 0;
	if (carve_restore(s, &to, &old, &gone))
		return slot_lost(s, v, r, err);
	v->log = false;
	return r;
}

static int set_readonly(struct slots *s, struct slot *v, bool on, struct err *err)
{
	struct slot to = *v;

	to.readonly = on;
	return slot_become(s, v, &to, err);
}

int slots_flags(struct slots *s, unsigned id, const bool *log, const bool *readonly, struct err *err)
{
	struct slot *v = slot_need(s, id, err);
	bool changes;
	int r = 0;

	if (!v)
		return -ENOENT;
	changes = readonly && *readonly != v->readonly;
	if (changes) {
		r = rma_refuse(v, "be read-only", err);
		if (!r)
			r = slot_check_readonly(s, id, v->backing, *readonly, err);
		if (!r)
			r = set_readonly(s, v, *readonly, err);
	}
	if (r || !log || *log == v->log)
		return r;
	r = set_log(s, v, *log, err);
	if (r && changes)
		set_readonly(s, v, !*readonly, NULL);
	return r;
}

int slots_watch(struct slots *s, unsigned id, bool on, struct err *err)
{
	struct slot *v = slot_need(s, id, err), to;
	int r = 0;

	if (!v)
		return -ENOENT;
	if (v->watched == on)
		return 0;
	if (on)
		r = rma_refuse(v, "be made read-only, which recording its writers takes", err);
	if (!r && on)
		r = slot_check_readonly(s, id, NULL, true, err);
	if (r)
		return r;
	to = *v;
	to.watched = on;
	return slot_become(s, v, &to, err);
}

int slots_split(struct slots *s, unsigned id, uint64_t offset, unsigned *ret_id, struct err *err)
{
	struct slot *v = slot_need(s, id, err), *upper, old, low, high;
	struct gmem_region g;
	bool gone = false;
	unsigned new_id;
	int r;

	if (!v)
		return -ENOENT;
	r = rma_refuse(v, "be split", err);
	if (r)
		return r;
	if (!offset || offset >= v->size || offset % v->backing->page_size)
		return err_set(err, EINVAL, "slot %s: it can be cut at multiples of 0x%" PRIx64 " below its size 0x%" PRIx64
			       ", not at 0x%" PRIx64, slot_name(id).text, v->backing->page_size, v->size, offset);
	if (v->watched)
		return err_set(err, EBUSY, "slot %s: its writers are being recorded", slot_name(id).text);
	r = slots_free_id(s, slot_space(id), &new_id, err);
	if (!r)
		r = slot_make_room(s, new_id, err);
	if (!r)
		r = carve_vacate(s, new_id, err);
	if (r)
		return r;
	v = slots_get(s, id);
	r = dirty_log_harvest(s, v, err);
	if (r)
		return r;
	old = low = high = *v;
	low.size = offset;
	high.id = new_id;
	high.gpa += offset;
	high.hva += offset;
	high.size -= offset;
	high.dirty = NULL;

	/* The upper part's line first: it alone may fail for want of memory. */
	regions_swap(s, &old, &low);
	g = slot_region(&high);
	r = gmem_add(slots_gmem_of(s, id), &g, err);
	if (r) {
		regions_swap(s, &low, &old);
		return r;
	}
	r = carve_change(s, &old, &low, &gone, err);
	if (r < 0)
		goto fail;
	r = carve_change(s, NULL, &high, &gone, err);
	if (r < 0) {
		gone = carve_restore(s, &low, &old, &gone) < 0;
		goto fail;
	}
	backing_get(high.backing);
	*v = low;
	upper = &slot_space_of(s, id)->v[slot_index(new_id)];
	*upper = high;
	slot_space_of(s, id)->used++;
	if (!v->dirty)
		goto done;
	r = dirty_log_split(s, v, upper, offset / DIRTY_PAGE, err);
	if (!r)
		r = dirty_log_resized(s, v, err);
	if (!r)
		goto done;
	/* Together again. */
	if (carve_change(s, &high, NULL, &gone, NULL) < 0)
		carve_drop(s, new_id);
	slot_forget(s, upper);
	if (carve_restore(s, &low, &old, &gone) < 0)
		return slot_lost(s, v, r, err);
	regions_swap(s, &low, &old);
	*v = old;
	return r;
done:
	*ret_id = new_id;
	return 0;
fail:
	gmem_remove(slots_gmem_of(s, id), high.gpa);
	regions_swap(s, &low, &old);
	return gone ? slot_lost(s, v, r, err) : r;
}

/*
 * Makes slot V, the only one with its memory, SIZE bytes long.  The memory moves to another address: so the slot
 * leaves the kernel first, and what comes back after a failure is the old size at the new address.
 */
static int grow(struct slots *s, struct slot *v, uint64_t size, struct err *err)
{
	struct backing *b = v->backing;
	uint64_t at = (uint64_t)(v->hva - b->base), was = at + v->size;
	struct slot old, to;
	bool gone = false;
	int r = dirty_log_harvest(s, v, err), k;

	if (r)
		return r;
	r = carve_change(s, v, NULL, &gone, err);
	if (r < 0)
		return gone ? slot_lost(s, v, r, err) : r;
	/* What an earlier, larger size left behind goes first, so that the slot grows by zeros. */
	backing_trim(b, was);
	r = backing_grow(b, at + size, err);
	if (r)
		err_prefix(err, r, "slot %s", slot_name(v->id).text);
	old = to = *v;
	old.hva = to.hva = b->base + at;
	to.size = r ? old.size : size;
	k = r ? carve_restore(s, NULL, &to, &gone) : carve_change(s, NULL, &to, &gone, err);
	if (k < 0 && !r) {
		r = k;
		to = old;
		k = carve_restore(s, NULL, &to, &gone);
	}
	if (k < 0)
		return slot_lost(s, v, k, err);
	regions_swap(s, v, &to);
	*v = to;
	if (!r) {
		r = dirty_log_resized(s, v, err);
		if (!r)
			return 0;
		if (carve_restore(s, &to, &old, &gone) < 0)
			return slot_lost(s, v, r, err);
		regions_swap(s, &to, &old);
		*v = old;
	}
	/* KVM may have a piece of it still. */
	if (!s->stuck)
		backing_trim(b, was);
	return r;
}

int slots_resize(struct slots *s, unsigned id, uint64_t size, struct err *err)
{
	struct slot *v = slot_need(s, id, err), to;
	struct backing *b;
	int r;

	if (!v)
		return -ENOENT;
	b = v->backing;
	r = size != v->size ? rma_refuse(v, "have another size", err) : 0;
	if (!r)
		r = slot_check_place(s, id, v->gpa, size, err);
	if (r || size == v->size)
		return r;
	if (s->stuck)
		return err_set(err, EBUSY, "slot %s: KVM has memory still that was to be given up, and none of it is unmapped",
			       slot_name(id).text);
	if (size % b->page_size)
		return err_set(err, EINVAL,
			       "slot %s: size 0x%" PRIx64 " is no multiple of its huge page, 0x%" PRIx64, slot_name(id).text,
			       size, b->page_size);
	if (size > v->size && b->refs > 1)
		return err_set(err, EBUSY, "slot %s shares its memory with another slot (an alias, or a part split off): "
			       "it cannot grow", slot_name(id).text);
	if (size > v->size)
		return grow(s, v, size, err);
	to = *v;
	to.size = size;
	r = slot_become(s, v, &to, err);
	if (!r && b->refs == 1)
		backing_trim(b, (uint64_t)(v->hva - b->base) + size);
	return r;
}

/* Every slot that shows these bytes of a backing has them changed. */
static void touch_all(struct slots *s, const struct backing *b, const uint8_t *from, uint64_t size)
{
	for (const struct slot_space *p = s->space; p < s->space + SLOT_SPACES; p++) {
		const struct gmem_region *g;

		for (size_t i = 0; (g = gmem_at(p->gmem, i)); i++) {
			const uint8_t *lo = from > g->hva ? from : g->hva;
			const uint8_t *hi = from + size < g->hva + g->size ? from + size : g->hva + g->size;

			if (p->v[slot_index((unsigned)g->slot)].backing == b && lo < hi)
				gmem_touch(p->gmem, g->gpa + (uint64_t)(lo - g->hva), (uint64_t)(hi - lo));
		}
	}
}

/* Whether SIZE bytes at OFFSET of slot ID can get other contents beneath the guest; *RET: where in its backing. */
static int check_part(struct slots *s, unsigned id, uint64_t offset, uint64_t size, uint64_t *ret, struct err *err)
{
	const struct slot *v = slot_need(s, id, err);

	if (!v)
		return -ENOENT;
	if (rma_refuse(v, "get other memory beneath the guest", err))
		return -ENOTSUP;
	if (!s->has_sync_mmu)
		return err_set(err, ENOTSUP, "slot %s: this host's KVM lacks KVM_CAP_SYNC_MMU",
			       slot_name(id).text);
	if (offset > v->size || size > v->size - offset)
		return err_set(err, EINVAL, "slot %s: 0x%" PRIx64 " bytes at offset 0x%" PRIx64 " are not all in its 0x%"
			       PRIx64 " bytes", slot_name(id).text, size, offset, v->size);
	*ret = (uint64_t)(v->hva - v->backing->base) + offset;
	return 0;
}

int slots_discard(struct slots *s, unsigned id, uint64_t offset, uint64_t size, struct err *err)
{
	struct backing *b;
	uint64_t at;
	int r = check_part(s, id, offset, size, &at, err);

	if (r)
		return r;
	b = slots_get(s, id)->backing;
	r = backing_discard(b, at, size, err);
	if (r)
		return err_prefix(err, r, "slot %s", slot_name(id).text);
	touch_all(s, b, b->base + at, size);
	return 0;
}

int slots_remap(struct slots *s, unsigned id, uint64_t offset, uint64_t size, const char *path,
		uint64_t file_offset, struct err *err)
{
	struct backing *b;
	uint64_t at;
	int r = check_part(s, id, offset, size, &at, err);

	if (r)
		return r;
	b = slots_get(s, id)->backing;
	r = backing_remap(b, at, size, path, file_offset, err);
	if (r)
		return err_prefix(err, r, "slot %s", slot_name(id).text);
	touch_all(s, b, b->base + at, size);
	return 0;
}
