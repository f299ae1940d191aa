/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/access.h"

#include <errno.h>

#include "arch/x86/walk.h"

#define CR0_WP     (1ull << 16)
#define CR4_PAE    (1ull << 5)
#define CR4_SMEP   (1ull << 20)
#define CR4_SMAP   (1ull << 21)
#define RFLAGS_AC  (1ull << 18)

#define CODE_P     (1u << 0)
#define CODE_W     (1u << 1)
#define CODE_U     (1u << 2)
#define CODE_RSVD  (1u << 3)
#define CODE_I     (1u << 4)

#define ENTRY_P    1u
#define ENTRY_A    0x20u
#define ENTRY_D    0x40u

/* Why there is no page: reserved bits, or simply nothing. */
static uint32_t absent_code(const struct paging *p, const struct translation *t)
{
	const struct walk_level *last;
	struct walk w;

	if (!t->nlevels)
		return 0;
	last = &t->level[t->nlevels - 1];
	walk_init(&w, p);
	if (!(last->entry & ENTRY_P) || walk_entry(&w, t->nlevels - 1, last->entry) != WALK_ABSENT)
		return 0;
	return CODE_P | CODE_RSVD;
}

static bool user_allows(const struct translation *t, enum access_kind kind)
{
	if (!t->user || (kind == ACCESS_WRITE && !t->writable))
		return false;
	return kind != ACCESS_FETCH || t->executable;
}

static bool supervisor_allows(const struct paging *p, const struct translation *t, enum access_kind kind,
			      uint64_t rflags)
{
	if (kind == ACCESS_FETCH)
		return t->executable && !(t->user && (p->cr4 & CR4_SMEP));
	if (t->user && (p->cr4 & CR4_SMAP) && !(rflags & RFLAGS_AC))
		return false;
	return kind != ACCESS_WRITE || t->writable || !(p->cr0 & CR0_WP);
}

int access_check(const struct paging *p, const struct translation *t, enum access_kind kind, const struct access_by *by,
		 uint32_t *ret_code)
{
	bool user = by->cpl == 3;
	struct walk w;
	uint32_t code;

	walk_init(&w, p);
	if (!w.mode->nlevels)
		return 0;
	if (!t->present)
		code = absent_code(p, t);
	else if (user ? user_allows(t, kind) : supervisor_allows(p, t, kind, by->rflags))
		return 0;
	else
		code = CODE_P;
	if (kind == ACCESS_WRITE)
		code |= CODE_W;
	if (user)
		code |= CODE_U;
	if (kind == ACCESS_FETCH && ((p->cr4 & CR4_SMEP) || (w.nx && (p->cr4 & CR4_PAE))))
		code |= CODE_I;
	*ret_code = code;
	return -EFAULT;
}

void access_mark(struct gmem *g, const struct paging *p, const struct translation *t, bool write)
{
	struct walk w;

	walk_init(&w, p);
	for (unsigned i = 0; i < t->nlevels; i++) {
		uint8_t bits = ENTRY_A | (write && i + 1 == t->nlevels ? ENTRY_D : 0);
		size_t n = 1;
		uint8_t *byte = gmem_span(g, t->level[i].entry_gpa, &n);

		/* A PDPTE has no such bits. */
		if (!byte || w.mode->level[i].no_rights || (t->level[i].entry & bits) == bits)
			continue;
		__atomic_fetch_or(byte, bits, __ATOMIC_RELAXED);
		gmem_touch(g, t->level[i].entry_gpa, 1);
	}
}
