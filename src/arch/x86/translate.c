/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/translate.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/x86/walk.h"
#include "arch/x86/x86.h"

#define CR4_PSE         (1ull << 4)
#define CR4_PAE         (1ull << 5)
#define CR4_PGE         (1ull << 7)
#define CR4_LA57        (1ull << 12)
#define EFER_NXE        (1ull << 11)

#define PTE_P           (1ull << 0)
#define PTE_W           (1ull << 1)
#define PTE_U           (1ull << 2)
#define PTE_PS          (1ull << 7)
#define PTE_G           (1ull << 8)
#define PTE_NX          (1ull << 63)

/* Bits HI to LO, both included. */
#define BITS(hi, lo)    ((~0ull >> (63 - (hi))) & (~0ull << (lo)))

#define PHYS_BITS_MAX   52
#define PSE36_BITS_MAX  40      /* a 4M entry has room for address bits up to 39 */

/*
 * The paging modes (SDM vol. 3, 4.3 to 4.5), top level first.  The reserved bits given are those that do not
 * depend on the processor; walk_init() adds the address bits above MAXPHYADDR, and NX where EFER.NXE is off.
 */
static const struct walk_mode modes[] = {
	[WALK_NONE] = { .name = "no paging", .gva_bits = 32 },
	[WALK_32] = {
		.name = "32-bit paging", .gva_bits = 32, .entry_size = 4, .cr3_mask = BITS(31, 12),
		.nlevels = 2, .level = {
			{ .level = 2, .shift = 22, .bits = 10, .large = true },
			{ .level = 1, .shift = 12, .bits = 10 },
		},
	},
	[WALK_PAE] = {
		.name = "PAE paging", .gva_bits = 32, .entry_size = 8, .cr3_mask = BITS(31, 5),
		.high_reserved = BITS(62, 52),
		.nlevels = 3, .level = {
			/* A PDPTE gives no rights; the bits that would hold them are reserved. */
			{ .level = 3, .shift = 30, .bits = 2, .no_rights = true,
			  .reserved = PTE_NX | BITS(8, 5) | BITS(2, 1) },
			{ .level = 2, .shift = 21, .bits = 9, .large = true, .reserved_large = BITS(20, 13) },
			{ .level = 1, .shift = 12, .bits = 9 },
		},
	},
	[WALK_4LEVEL] = {
		.name = "4-level paging", .gva_bits = 48, .entry_size = 8, .cr3_mask = BITS(51, 12),
		.nlevels = 4, .level = {
			{ .level = 4, .shift = 39, .bits = 9, .reserved = PTE_PS },
			{ .level = 3, .shift = 30, .bits = 9, .large = true, .reserved_large = BITS(29, 13) },
			{ .level = 2, .shift = 21, .bits = 9, .large = true, .reserved_large = BITS(20, 13) },
			{ .level = 1, .shift = 12, .bits = 9 },
		},
	},
	[WALK_5LEVEL] = {
		.name = "5-level paging", .gva_bits = 57, .entry_size = 8, .cr3_mask = BITS(51, 12),
		.nlevels = 5, .level = {
			{ .level = 5, .shift = 48, .bits = 9, .reserved = PTE_PS },
			{ .level = 4, .shift = 39, .bits = 9, .reserved = PTE_PS },
			{ .level = 3, .shift = 30, .bits = 9, .large = true, .reserved_large = BITS(29, 13) },
			{ .level = 2, .shift = 21, .bits = 9, .large = true, .reserved_large = BITS(20, 13) },
			{ .level = 1, .shift = 12, .bits = 9 },
		},
	},
};

static const char *const table_names[] = { "", "page table", "page directory", "PDPT", "PML4", "PML5" };

static const struct walk_mode *mode_of(const struct paging *p)
{
	if (!(p->cr0 & CR0_PG))
		return &modes[WALK_NONE];
	if (!(p->cr4 & CR4_PAE))
		return &modes[WALK_32];
	if (!(p->efer & EFER_LMA))
		return &modes[WALK_PAE];
	return &modes[p->cr4 & CR4_LA57 ? WALK_5LEVEL : WALK_4LEVEL];
}

void walk_init(struct walk *w, const struct paging *p)
{
	unsigned i, phys_bits = p->phys_bits;
	uint64_t all;

	if (phys_bits > PHYS_BITS_MAX)
		phys_bits = PHYS_BITS_MAX;
	if (phys_bits < 32)
		phys_bits = 32;
	*w = (struct walk){ .mode = mode_of(p), .nx = p->efer & EFER_NXE, .global = p->cr4 & CR4_PGE };
	w->root = p->cr3 & w->mode->cr3_mask;

	if (w->mode == &modes[WALK_32]) {
		unsigned m = phys_bits < PSE36_BITS_MAX ? phys_bits : PSE36_BITS_MAX;

		/* PSE-36: bits 20-13 of a 4M entry are address bits 39-32; those above MAXPHYADDR are reserved. */
		w->pse36 = m > 32 ? BITS(m - 20, 13) : 0;
		w->large[0] = p->cr4 & CR4_PSE;
		w->reserved_large[0] = BITS(21, 13) & ~w->pse36;
		return;
	}
	all = w->mode->high_reserved | (w->nx ? 0 : PTE_NX);
	if (phys_bits < PHYS_BITS_MAX)
		all |= BITS(51, phys_bits);
	for (i = 0; i < w->mode->nlevels; i++) {
		w->large[i] = w->mode->level[i].large;
		w->reserved[i] = w->mode->level[i].reserved | all;
		w->reserved_large[i] = w->mode->level[i].reserved_large;
	}
}

enum walk_kind walk_entry(const struct walk *w, unsigned depth, uint64_t entry)
{
	if (!(entry & PTE_P) || (entry & w->reserved[depth]))
		return WALK_ABSENT;
	if (depth + 1 == w->mode->nlevels)
		return WALK_PAGE;
	if (!w->large[depth] || !(entry & PTE_PS))
		return WALK_TABLE;
	return entry & w->reserved_large[depth] ? WALK_ABSENT : WALK_PAGE;
}

unsigned walk_rights(const struct walk *w, unsigned depth, uint64_t entry, unsigned inherited)
{
	unsigned rights = WALK_X;

	if (w->mode->level[depth].no_rights)
		return inherited;
	if (entry & PTE_W)
		rights |= WALK_W;
	if (entry & PTE_U)
		rights |= WALK_U;
	if (w->nx && (entry & PTE_NX))
		rights &= ~(unsigned)WALK_X;
	return inherited & rights;
}

bool walk_global(const struct walk *w, uint64_t entry)
{
	return w->global && (entry & PTE_G);
}

uint64_t walk_table_gpa(uint64_t entry)
{
	return entry & BITS(51, 12);
}

/* Where the page that ENTRY maps begins. */
static uint64_t page_gpa(const struct walk *w, unsigned depth, uint64_t entry)
{
	uint64_t gpa = entry & BITS(51, w->mode->level[depth].shift);

	if (w->mode->level[depth].shift == 22)
		gpa |= (entry & w->pse36) << 19;
	return gpa;
}

uint64_t walk_load(const struct walk *w, const uint8_t *p)
{
	uint64_t e64 = 0;
	uint32_t e32;

	if (w->mode->entry_size == sizeof(e64)) {
		memcpy(&e64, p, sizeof(e64));
		return e64;
	}
	memcpy(&e32, p, sizeof(e32));
	return e32;
}

static void fill_host(const struct gmem *g, struct translation *t)
{
	const struct gmem_region *r = gmem_find(g, t->gpa);

	t->slot = r ? r->slot : -1;
	t->hva = r ? (uint64_t)(uintptr_t)(r->hva + (t->gpa - r->gpa)) : 0;
}

static bool canonical(const struct walk_mode *m, uint64_t gva)
{
	unsigned unused = 64 - m->gva_bits;

	return (uint64_t)((int64_t)(gva << unused) >> unused) == gva;
}

int translate(const struct gmem *g, const struct paging *p, uint64_t gva, struct translation *ret, struct err *err)
{
	unsigned depth, rights = WALK_W | WALK_U | WALK_X;
	enum walk_kind kind = WALK_TABLE;
	uint64_t table, entry = 0;
	struct walk w;

	walk_init(&w, p);
	if (w.mode->gva_bits == 32)
		gva = (uint32_t)gva;
	*ret = (struct translation){ .gva = gva, .slot = -1 };
	if (w.mode->gva_bits > 32 && !canonical(w.mode, gva))
		return err_set(err, EFAULT, "0x%" PRIx64 " is not canonical (%s)", gva, w.mode->name);

	table = w.root;
	for (depth = 0; depth < w.mode->nlevels && kind == WALK_TABLE; depth++) {
		const struct walk_step *l = &w.mode->level[depth];
		uint64_t entry_gpa = table + ((gva >> l->shift) & BITS(l->bits - 1, 0)) * w.mode->entry_size;
		uint8_t raw[sizeof(entry)];

		if (gmem_read(g, entry_gpa, raw, w.mode->entry_size) != w.mode->entry_size)
			return err_set(err, EFAULT, "0x%" PRIx64 " is not mapped: its %s at 0x%" PRIx64
				       " is outside memory", gva, table_names[l->level], table);
		entry = walk_load(&w, raw);
		ret->level[ret->nlevels++] = (struct walk_level){ l->level, entry_gpa, entry };
		kind = walk_entry(&w, depth, entry);
		if (kind == WALK_ABSENT)
			return err_set(err, EFAULT, "0x%" PRIx64 " is not mapped (%s entry 0x%" PRIx64
				       " at 0x%" PRIx64 ")", gva, table_names[l->level], entry, entry_gpa);
		rights = walk_rights(&w, depth, entry, rights);
		table = walk_table_gpa(entry);
		if (kind == WALK_PAGE) {
			ret->page_size = 1ull << l->shift;
			ret->gpa = page_gpa(&w, depth, entry) | (gva & (ret->page_size - 1));
			ret->global = walk_global(&w, entry);
		}
	}
	if (!w.mode->nlevels)
		ret->gpa = gva;
	ret->present = true;
	ret->writable = rights & WALK_W;
	ret->user = rights & WALK_U;
	ret->executable = rights & WALK_X;
	fill_host(g, ret);
	return 0;
}

/* Where GVA is, with *RET_LEN (in: bytes wanted; out: as many as are together there); NULL: ERR says why. */
static uint8_t *vmem_span(const struct gmem *g, const struct paging *p, uint64_t gva, size_t *ret_len,
			  struct err *err)
{
	struct translation t;
	uint64_t page, left;
	uint8_t *hva;

	if (translate(g, p, gva, &t, err))
		return NULL;
	page = t.page_size ? t.page_size : 1ull << 32;
	left = page - (t.gva & (page - 1));
	if (left < *ret_len)
		*ret_len = left;
	hva = gmem_span(g, t.gpa, ret_len);
	if (!hva)
		err_set(err, ENXIO, "no memory at 0x%" PRIx64 " (physical 0x%" PRIx64 ")", t.gva, t.gpa);
	return hva;
}

size_t vmem_read(const struct gmem *g, const struct paging *p, uint64_t gva, void *ret, size_t len,
		 struct err *err)
{
	size_t done, n;
	uint8_t *hva;

	for (done = 0; done < len; done += n) {
		n = len - done;
		hva = vmem_span(g, p, gva + done, &n, err);
		if (!hva)
			break;
		memcpy((uint8_t *)ret + done, hva, n);
	}
	return done;
}
