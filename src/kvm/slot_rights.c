/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rights to single pages: setting them, and opening pages for a step. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kvm/ring.h"
#include "kvm/rma.h"
#include "kvm/slots_priv.h"

int slots_set_rights(struct slots *s, uint64_t gpa, enum page_rights rights, struct err *err)
{
	const struct gmem_region *g = rights == PAGE_ALL ? NULL : gmem_find(s->space[0].gmem, gpa);
	int r;

	if (g && rma_refuse(slots_get(s, (unsigned)g->slot), "be taken from the guest page by page", err))
		return -ENOTSUP;
	if (rights == PAGE_NO_WRITE && !s->has_readonly)
		return err_set(err, ENOTSUP, "0x%" PRIx64 ": this host's KVM lacks KVM_CAP_READONLY_MEM", gpa);
	r = rights_set(&s->carve.wanted, gpa / DIRTY_PAGE, rights, err);
	if (!r)
		s->carve.pending = true;
	return r;
}

enum page_rights slots_rights(const struct slots *s, uint64_t gpa)
{
	return rights_at(&s->carve.wanted, gpa / DIRTY_PAGE, NULL);
}

size_t slots_restricted(const struct slots *s)
{
	return s->carve.wanted.pages;
}

/* Has slot V the pieces that RIGHTS ask for; *RET_GONE: or it is gone, which ERR says. */
static int carve_one(struct slots *s, struct slot *v, const struct rights *rights, bool *ret_gone, struct err *err)
{
	uint64_t last;
	int r;

	*ret_gone = false;
	if (!carve_pieces(s, v->id) && rights_at(rights, v->gpa / DIRTY_PAGE, &last) == PAGE_ALL &&
	    last >= (v->gpa + v->size - 1) / DIRTY_PAGE)
		return 0;
	r = carve_again(s, v, rights, ret_gone, err);
	return *ret_gone ? slot_lost(s, v, r, err) : r;
}

int slots_carve(struct slots *s, struct err *err)
{
	struct carve *c = &s->carve;
	const struct gmem_region *g;
	struct rights fresh = { NULL, 0, 0, 0 };
	struct err lost;
	size_t done = 0;
	bool gone;
	int r;

	if (!c->pending)
		return 0;
	r = c->opened ? err_set(err, EBUSY, "pages are open for a step") : rights_copy(&fresh, &c->wanted, err);
	while (!r && (g = gmem_at(s->space[0].gmem, done))) {
		r = carve_one(s, slots_get(s, (unsigned)g->slot), &fresh, &gone, err);
		done += !r;
	}
	if (!r) {
		rights_free(&c->in_force);
		c->in_force = fresh;
		c->pending = false;
		return 0;
	}
	c->pending = false;
	c->restores = true;
	while (done--) {
		int k = carve_one(s, slots_get(s, (unsigned)gmem_at(s->space[0].gmem, done)->slot), &c->in_force, &gone, &lost);

		/* That a slot is gone is worse than why; what stays as it is not to be is tried again. */
		if (gone)
			r = err_set(err, -k, "%s", lost.msg);
		else if (k)
			c->pending = true;
	}
	c->restores = false;
	/* There is room: what is wanted was made from what is in force. */
	rights_copy(&c->wanted, &c->in_force, NULL);
	rights_free(&fresh);
	return r;
}

void slots_gpas_of(struct slots *s, const uint8_t *hva, void (*each)(void *arg, uint64_t gpa), void *arg)
{
	const struct gmem_region *g;

	for (size_t i = 0; (g = gmem_at(s->space[0].gmem, i)); i++)
		if ((uintptr_t)hva - (uintptr_t)g->hva < g->size)
			each(arg, g->gpa + ((uintptr_t)hva - (uintptr_t)g->hva));
}

/* Piece P of V is in the kernel as if it were PAGE_ALL. */
static struct piece opened(const struct slot *v, const struct piece *p)
{
	struct piece open = *p;

	open.rights = PAGE_ALL;
	open.flags = carve_flags(v, PAGE_ALL);
	return open;
}

/* One piece, as it is or opened, makes room for the other. */
static int exchange(struct slots *s, const struct slot *v, const struct piece *from, const struct piece *to)
{
	int r = 0;

	if (from->rights != PAGE_NO_ACCESS)
		r = slot_kernel_delete(s, from->id);
	if (r < 0 || to->rights == PAGE_NO_ACCESS)
		return r;
	r = carve_put(s, v, to);
	if (r < 0 && from->rights != PAGE_NO_ACCESS)
		carve_put(s, v, from);
	return r;
}

/* Does DO with every piece of every slot, until it fails. */
static int each_piece(struct slots *s, int (*do_it)(struct slots *s, const struct slot *v, struct piece *p))
{
	const struct gmem_region *g;
	int r = 0;

	for (size_t i = 0; !r && (g = gmem_at(s->space[0].gmem, i)); i++) {
		const struct pieces *p = carve_pieces(s, (unsigned)g->slot);

		for (size_t n = 0; p && n < p->n && !r; n++)
			r = do_it(s, slots_get(s, (unsigned)g->slot), &p->v[n]);
	}
	return r;
}

static int open_whole(struct slots *s, const struct slot *v, struct piece *p)
{
	struct piece open = opened(v, p);
	int r = p->rights == PAGE_ALL ? 0 : exchange(s, v, p, &open);

	p->open = !r && p->rights != PAGE_ALL;
	return r;
}

static int close_whole(struct slots *s, const struct slot *v, struct piece *p)
{
	struct piece open = opened(v, p);
	int r;

	if (!p->open)
		return 0;
	r = carve_take_log(s, v, &open, NULL);
	if (!r)
		r = exchange(s, v, &open, p);
	p->open = r;
	return r;
}

/* The piece that holds PAGE, if it is of a carved slot; *RET: that slot. */
static struct piece *piece_at(struct slots *s, uint64_t page, const struct slot **ret)
{
	const struct gmem_region *g = gmem_find(s->space[0].gmem, page * DIRTY_PAGE);
	const struct pieces *p = g ? carve_pieces(s, (unsigned)g->slot) : NULL;
	size_t low = 0, high = p ? p->n : 0;

	if (!p)
		return NULL;
	/* There are no gaps: the last that begins at or below it holds it. */
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (p->v[mid].gpa / DIRTY_PAGE <= page)
			low = mid;
		else
			high = mid;
	}
	*ret = slots_get(s, (unsigned)g->slot);
	return &p->v[low];
}

/* Adds a part of P, from page FIRST to before END, to what stands in its place in the kernel. */
static int add_fragment(struct slots *s, const struct slot *v, const struct piece *p, uint64_t first, uint64_t end,
			bool open, bool *used_own)
{
	struct carve *c = &s->carve;
	struct piece part = open ? opened(v, p) : *p;
	int r = 0;

	if (first == end || part.rights == PAGE_NO_ACCESS)
		return 0;
	part.gpa = first * DIRTY_PAGE;
	part.size = (end - first) * DIRTY_PAGE;
	/* One of them has the piece's number. */
	if (!*used_own) {
		*used_own = true;
		c->owner[p->id].gpa = part.gpa;
	} else {
		r = carve_number(s, v->id, part.gpa, &part.id);
		if (r)
			return r;
	}
	part.fresh = part.id != p->id;
	r = carve_put(s, v, &part);
	if (r < 0) {
		if (part.fresh)
			carve_unnumber(s, part.id);
		return r;
	}
	c->fragment[c->nfragments++] = (struct fragment){ v->id, part };
	return 0;
}

/* Cuts P so that the N pages, ascending and all in it, are open. */
static int open_part(struct slots *s, const struct slot *v, struct piece *p, const uint64_t *page, unsigned n)
{
	struct carve *c = &s->carve;
	uint64_t at = p->gpa / DIRTY_PAGE, end = at + p->size / DIRTY_PAGE;
	bool used_own = false;
	int r = p->rights == PAGE_NO_ACCESS ? 0 : slot_kernel_delete(s, p->id);

	if (r < 0)
		return r;
	c->replaced[c->nreplaced].slot = v->id;
	c->replaced[c->nreplaced++].at = (size_t)(p - carve_pieces(s, v->id)->v);
	for (unsigned i = 0, next; i < n && !r; i = next) {
		for (next = i + 1; next < n && page[next] == page[next - 1] + 1; next++)
			;
		r = add_fragment(s, v, p, at, page[i], false, &used_own);
		if (!r)
			r = add_fragment(s, v, p, page[i], page[next - 1] + 1, true, &used_own);
		at = page[next - 1] + 1;
	}
	return r ? r : add_fragment(s, v, p, at, end, false, &used_own);
}

/* Fills RET with the pages of N gpas, ascending, each once; how many. */
static unsigned sort_pages(const uint64_t *gpas, unsigned n, uint64_t *ret)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t page = gpas[i] / DIRTY_PAGE;
		unsigned at = count;

		while (at && ret[at - 1] > page)
			at--;
		if (at && ret[at - 1] == page)
			continue;
		memmove(&ret[at + 1], &ret[at], (count++ - at) * sizeof(*ret));
		ret[at] = page;
	}
	return count;
}

static int open_pages(struct slots *s, const uint64_t *gpas, unsigned n)
{
	uint64_t page[CARVE_OPEN_MAX];
	const struct slot *v = NULL;
	int r = 0;

	n = sort_pages(gpas, n, page);
	for (unsigned i = 0, next; i < n && !r; i = next) {
		struct piece *p = piece_at(s, page[i], &v);

		next = i + 1;
		if (!p || p->rights == PAGE_ALL)
			continue;
		while (next < n && page[next] * DIRTY_PAGE < p->gpa + p->size)
			next++;
		r = open_part(s, v, p, page + i, next - i);
	}
	return r;
}

int slots_open(struct slots *s, const uint64_t *gpas, unsigned n)
{
	struct carve *c = &s->carve;
	int r;

	if (c->opened)
		return -EBUSY;
	if (n > CARVE_OPEN_MAX)
		return -E2BIG;
	if (!c->of)
		return 0;
	c->opened = true;
	r = n ? open_pages(s, gpas, n) : each_piece(s, open_whole);
	if (r)
		slots_close(s);
	return r;
}

/* Takes the fragments out again, the last first, and puts back what they stood for. */
static int close_parts(struct slots *s)
{
	struct carve *c = &s->carve;
	int r;

	while (c->nfragments) {
		const struct fragment *f = &c->fragment[c->nfragments - 1];
		const struct slot *v = slots_get(s, f->slot);

		r = carve_take_log(s, v, &f->piece, NULL);
		if (!r)
			r = slot_kernel_delete(s, f->piece.id);
		if (r < 0)
			return r;
		if (f->piece.fresh)
			carve_unnumber(s, f->piece.id);
		c->nfragments--;
	}
	while (c->nreplaced) {
		unsigned id = c->replaced[c->nreplaced - 1].slot;
		const struct piece *p = &carve_pieces(s, id)->v[c->replaced[c->nreplaced - 1].at];

		r = p->rights == PAGE_NO_ACCESS ? 0 : carve_put(s, slots_get(s, id), p);
		if (r < 0)
			return r;
		c->owner[p->id].gpa = p->gpa;
		c->nreplaced--;
	}
	return 0;
}

int slots_close(struct slots *s)
{
	struct carve *c = &s->carve;
	int r;

	if (!c->opened)
		return 0;
	/* While the numbers still mean what the rings' entries say. */
	r = s->rings ? rings_collect(s->rings, NULL) : 0;
	if (!r)
		r = close_parts(s);
	if (!r)
		r = each_piece(s, close_whole);
	c->opened = r;
	return r;
}
