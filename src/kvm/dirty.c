/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/dirty.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/baseline.h"
#include "kvm/bitmap.h"
#include "kvm/ring.h"
#include "kvm/slots_priv.h"

/* The bitmaps of a log beside those of its consumers. */
enum { WRITTEN = DIRTY_CONSUMERS, GOT, MAPS };

struct dirty_log {
	uint64_t pages;
	bool manual;            /* the kernel's log is cleared by KVM_CLEAR_DIRTY_LOG, not by being read */
	uint64_t *map[MAPS];    /* parts of one allocation, which map[0] begins */
	struct baseline was;    /* of DIRTY_USER's last take; none until somebody asks for differences */
};

static int log_make(uint64_t pages, bool manual, struct dirty_log **ret, struct err *err)
{
	struct dirty_log *l = calloc(1, sizeof(*l));
	size_t words = bitmap_words(pages);

	if (l)
		l->map[0] = calloc(MAPS * words, sizeof(uint64_t));
	if (!l || !l->map[0]) {
		free(l);
		return err_set(err, ENOMEM, "no memory for a dirty log of %" PRIu64 " pages", pages);
	}
	for (unsigned i = 1; i < MAPS; i++)
		l->map[i] = l->map[0] + i * words;
	l->pages = pages;
	l->manual = manual;
	*ret = l;
	return 0;
}

static void log_free(struct dirty_log *l)
{
	baseline_drop(&l->was);
	free(l->map[0]);
	free(l);
}

/*
 * Mode 1, without KVM_DIRTY_LOG_INITIALLY_SET: a log begins clean, and with pages set at first they would all have to be
 * cleared at once, which is the work that the mode puts off.  Asking again changes nothing.
 */
static bool choose_manual(const struct kvm *k)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
				      .args = { KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE } };

	return kvm_ioctl(k->vm_fd, KVM_ENABLE_CAP, &cap) == 0;
}

int dirty_log_new(struct slots *t, struct slot *s, struct err *err)
{
	struct rings *rings = slots_rings(t);
	struct dirty_log *l;
	int r;

	/* What the rings still hold under this number is of a slot before, or of an earlier log. */
	r = rings ? rings_collect(rings, err) : 0;
	if (!r)
		r = log_make(s->size / DIRTY_PAGE, !rings && choose_manual(slots_kvm(t)), &l, err);
	if (r)
		return r;
	s->dirty = l;
	gmem_mark(slots_gmem_of(t, s->id), s->gpa, l->map[WRITTEN]);
	return 0;
}

void dirty_log_free(struct slots *t, struct slot *s)
{
	if (!s->dirty)
		return;
	gmem_mark(slots_gmem_of(t, s->id), s->gpa, NULL);
	log_free(s->dirty);
	s->dirty = NULL;
}

void dirty_log_mark(struct slots *t, unsigned id, uint64_t page)
{
	const struct slot *s;
	unsigned owner;
	uint64_t gpa;

	if (carve_owner(t, id, &owner, &gpa)) {
		s = slots_get(t, owner);
		page += s ? (gpa - s->gpa) / DIRTY_PAGE : 0;
	} else
		s = slots_get(t, id);
	if (s && s->dirty && page < s->dirty->pages)
		__atomic_fetch_or(&s->dirty->map[WRITTEN][page / 64], 1ull << page % 64, __ATOMIC_RELAXED);
}

/* Has the kernel watch every page of a piece of S again, as it does when logging begins. */
static int log_begin_again(struct slots *t, const struct slot *s, const struct piece *p)
{
	struct piece off = *p;
	int r;

	if (!(p->flags & KVM_MEM_LOG_DIRTY_PAGES))
		return 0;
	off.flags &= ~KVM_MEM_LOG_DIRTY_PAGES;
	r = carve_put(t, s, &off);
	return r < 0 ? r : carve_put(t, s, p);
}

/* What S has in the kernel: its pieces, or itself in ONE. */
static struct pieces pieces_of(const struct slots *t, const struct slot *s, struct piece *one)
{
	const struct pieces *p = carve_pieces(t, s->id);

	*one = carve_whole(s);
	return p ? *p : (struct pieces){ one, 1 };
}

/* Takes every page of slot S for written, and has the kernel watch them again. */
static int log_lost(struct slots *t, const struct slot *s, struct err *err)
{
	uint64_t *bits = s->dirty->map[WRITTEN];
	struct piece one;
	struct pieces p = pieces_of(t, s, &one);

	/* What is written before the kernel watches again is among what is marked after that. */
	for (size_t i = 0; i < p.n; i++) {
		int r = log_begin_again(t, s, &p.v[i]);

		if (r < 0)
			return slot_kernel_error(s->id, r, err);
	}
	for (uint64_t page = 0; page < s->dirty->pages; page += 64) {
		uint64_t left = s->dirty->pages - page;

		__atomic_fetch_or(&bits[page / 64], left < 64 ? (1ull << left) - 1 : ~0ull, __ATOMIC_RELAXED);
	}
	return 0;
}

int dirty_log_lost(struct slots *t, struct err *err)
{
	const struct gmem_region *g;
	int r = 0;

	for (unsigned i = 0; i < SLOT_SPACES; i++)
		for (size_t n = 0; !r && (g = gmem_at(t->space[i].gmem, n)); n++) {
			const struct slot *s = slots_get(t, (unsigned)g->slot);

			if (s && s->dirty && s->log)
				r = log_lost(t, s, err);
		}
	return r;
}

/* Asks the kernel what was written of the piece of S that has number ID there; GOT begins with it then. */
static int get_log(struct slots *t, const struct slot *s, unsigned id, struct err *err)
{
	struct kvm_dirty_log get = { .slot = id, .dirty_bitmap = s->dirty->map[GOT] };
	int r = kvm_ioctl(slots_kvm(t)->vm_fd, KVM_GET_DIRTY_LOG, &get);

	return r < 0 ? err_errno(err, -r, "slot %s: KVM_GET_DIRTY_LOG", slot_name(s->id).text) : 0;
}

/* Has the kernel log anew the pages that it told of; api.rst 4.117 wants multiples of 64 pages, except at the end. */
static int clear_log(struct slots *t, const struct slot *s, unsigned id, uint64_t pages, struct err *err)
{
	uint64_t *got = s->dirty->map[GOT];
	struct kvm_clear_dirty_log c = { .slot = id };
	size_t first, n = s->dirty->manual ? bitmap_extent(got, bitmap_words(pages), &first) : 0;
	int r;

	if (!n)
		return 0;
	c.first_page = first * 64;
	c.num_pages = (uint32_t)(n * 64 < pages - c.first_page ? n * 64 : pages - c.first_page);
	c.dirty_bitmap = got + first;
	r = kvm_ioctl(slots_kvm(t)->vm_fd, KVM_CLEAR_DIRTY_LOG, &c);
	return r < 0 ? err_errno(err, -r, "slot %s: KVM_CLEAR_DIRTY_LOG", slot_name(s->id).text) : 0;
}

int dirty_log_take(struct slots *t, const struct slot *s, unsigned id, uint64_t first, uint64_t pages, struct err *err)
{
	int r = get_log(t, s, id, err);

	if (!r)
		bitmap_put(s->dirty->map[WRITTEN], first, s->dirty->map[GOT], pages);
	return r;
}

/* What the kernel knows goes to WRITTEN.  What could not be cleared it tells of once more: too often, but not lost. */
static int take_all(struct slots *t, const struct slot *s, struct err *err)
{
	struct piece one;
	struct pieces p = pieces_of(t, s, &one);
	int r = 0;

	if (slots_rings(t))
		return rings_collect(slots_rings(t), err);
	for (size_t i = 0; i < p.n && !r; i++) {
		uint64_t pages = p.v[i].size / DIRTY_PAGE;

		if (!(p.v[i].flags & KVM_MEM_LOG_DIRTY_PAGES))
			continue;
		r = dirty_log_take(t, s, p.v[i].id, (p.v[i].gpa - s->gpa) / DIRTY_PAGE, pages, err);
		if (!r)
			r = clear_log(t, s, p.v[i].id, pages, err);
	}
	return r;
}

int dirty_log_harvest(struct slots *t, struct slot *s, struct err *err)
{
	struct dirty_log *l = s->dirty;
	uint64_t *written;
	int r;

	if (!l)
		return 0;
	/* The kernel writes as many bits as its slot has pages. */
	if (s->size / DIRTY_PAGE != l->pages)
		return err_set(err, EINVAL, "slot %s: its log is of another size", slot_name(s->id).text);
	written = l->map[WRITTEN];
	r = take_all(t, s, err);
	for (size_t i = 0; i < bitmap_words(l->pages); i++) {
		uint64_t w = written[i];

		if (!w)
			continue;
		for (unsigned c = 0; c < DIRTY_CONSUMERS; c++)
			l->map[c][i] |= w;
		written[i] = 0;
	}
	return r;
}

/* A new log with L's part from page FIRST on, PAGES long, its differences too. */
static int log_slice(const struct dirty_log *l, uint64_t first, uint64_t pages, struct dirty_log **ret,
		     struct err *err)
{
	struct dirty_log *part;
	int r = log_make(pages, l->manual, &part, err);

	if (r)
		return r;
	if (l->was.copy) {
		r = baseline_slice(&l->was, first, pages, &part->was, err);
		if (r) {
			log_free(part);
			return r;
		}
	}
	for (unsigned i = 0; i < GOT; i++)
		bitmap_slice(part->map[i], pages, l->map[i], l->pages, first);
	*ret = part;
	return 0;
}

int dirty_log_resized(struct slots *t, struct slot *s, struct err *err)
{
	struct dirty_log *l = s->dirty;
	uint64_t pages = s->size / DIRTY_PAGE;
	int r;

	if (!l)
		return 0;
	if (pages != l->pages) {
		r = log_slice(l, 0, pages, &l, err);
		if (r)
			return r;
		/* What a file holds in the new part is not zero, and no change either. */
		if (l->was.copy && pages > s->dirty->pages)
			baseline_fill(&l->was, s->dirty->pages, s->hva + s->dirty->pages * DIRTY_PAGE,
				      pages - s->dirty->pages);
		log_free(s->dirty);
		s->dirty = l;
	}
	gmem_mark(slots_gmem_of(t, s->id), s->gpa, l->map[WRITTEN]);
	return 0;
}

int dirty_log_split(struct slots *t, struct slot *low, struct slot *high, uint64_t page, struct err *err)
{
	int r;

	if (!low->dirty)
		return 0;
	r = log_slice(low->dirty, page, high->size / DIRTY_PAGE, &high->dirty, err);
	if (!r)
		gmem_mark(slots_gmem_of(t, high->id), high->gpa, high->dirty->map[WRITTEN]);
	return r;
}

static int need_log(const struct slot *s, struct err *err)
{
	return s->dirty ? 0 : err_set(err, EINVAL, "slot %s: dirty logging is off", slot_name(s->id).text);
}

int dirty_log_read(struct slots *t, struct slot *s, struct break_table *b, enum dirty_consumer who, bool take,
		   struct dirty_map *ret, struct err *err)
{
	struct dirty_log *l = s->dirty;
	uint64_t *bits;
	size_t bytes;
	int r = need_log(s, err);

	if (!r)
		r = dirty_log_harvest(t, s, err);
	if (r)
		return r;
	bytes = bitmap_words(l->pages) * sizeof(*bits);
	bits = malloc(bytes);
	if (!bits)
		return err_set(err, ENOMEM, "no memory for a bitmap of %" PRIu64 " pages", l->pages);
	memcpy(bits, l->map[who], bytes);
	if (take) {
		if (who == DIRTY_USER && l->was.copy)
			baseline_update(&l->was, b, s->hva, bits);
		memset(l->map[who], 0, bytes);
	}
	*ret = (struct dirty_map){
		.id = s->id,
		.gpa = s->gpa,
		.pages = l->pages,
		.dirty = bitmap_count(bits, bitmap_words(l->pages)),
		.bits = bits,
	};
	return 0;
}

int dirty_log_diff(struct slots *t, struct slot *s, struct break_table *b, dirty_diff_fn *each, void *arg,
		   struct err *err)
{
	struct dirty_log *l = s->dirty;
	int r = need_log(s, err);

	if (r)
		return r;
	if (!l->was.copy) {
		r = baseline_take(&l->was, b, s->hva, l->pages, err);
		return r ? r : err_set(err, EAGAIN, "slot %s: its contents are remembered from now on; ask again later",
				       slot_name(s->id).text);
	}
	r = dirty_log_harvest(t, s, err);
	if (!r)
		baseline_diff(&l->was, b, s->hva, s->gpa, l->map[DIRTY_USER], each, arg);
	return r;
}
