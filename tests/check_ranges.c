/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All mapped ranges of hand-made and hostile tables; then both walkers on random tables, compared with a third
 * walk written straight from the SDM's formats, which shares nothing with them.
 */
#include "tests/walk_env.h"

#include <stdlib.h>
#include <string.h>

/* ---- Ranges ---- */

#define RANGES_MAX 4096

struct got {
	size_t n, limit;
	struct mem_range r[RANGES_MAX];
};

static struct got got;

static bool take(void *arg, const struct mem_range *r)
{
	struct got *o = arg;

	ck_assert_uint_lt(o->n, RANGES_MAX);
	o->r[o->n++] = *r;
	return o->n != o->limit;
}

static void collect(const struct paging *p, size_t limit)
{
	got = (struct got){ .limit = limit };
	translate_ranges(g, p, take, &got);
}

static void expect(size_t i, uint64_t gva, uint64_t size, const char *rights, uint64_t page_size)
{
	const struct mem_range *r = &got.r[i];

	ck_assert_uint_lt(i, got.n);
	ck_assert_msg(r->gva == gva && r->size == size, "range %zu: 0x%lx 0x%lx", i, r->gva, r->size);
	ck_assert_str_eq(rights_text(r->writable, r->user, r->executable, r->global), rights);
	ck_assert_uint_eq(r->page_size, page_size);
}

START_TEST(ranges_merge)
{
	unsigned i;

	/* 4K pages 0-9, of which 4 is read-only, 6 missing and 8 global; then 2M pages; then the upper half. */
	put64(0x1000, 0x2000 | P | W | U);
	put64(0x1800, 0x2000 | P | W | U);
	put64(0x2000, 0x3000 | P | W | U);
	put64(0x3000, 0x4000 | P | W | U);
	put64(0x3008, P | W | PS);
	put64(0x3010, 0x200000 | P | W | PS);
	for (i = 0; i < 10; i++)
		put64(0x4000 + i * 8,
		      i == 6 ? 0 : P | (i == 4 ? 0 : W) | (i == 8 ? G : 0) | (uint64_t)(99 - i) << 12);
	collect(&mode_4, 0);
	ck_assert_uint_eq(got.n, 14);
	expect(0, 0, 0x4000, "wx", 0x1000);
	expect(1, 0x4000, 0x1000, "x", 0x1000);
	expect(2, 0x5000, 0x1000, "wx", 0x1000);
	expect(3, 0x7000, 0x1000, "wx", 0x1000);
	expect(4, 0x8000, 0x1000, "wxg", 0x1000);
	expect(5, 0x9000, 0x1000, "wx", 0x1000);
	expect(6, 0x200000, 0x400000, "wx", 0x200000);
	expect(7, 0xffff800000000000, 0x4000, "wx", 0x1000);
	expect(13, 0xffff800000200000, 0x400000, "wx", 0x200000);
	/* EACH can say stop. */
	collect(&mode_4, 3);
	ck_assert_uint_eq(got.n, 3);
	collect(&mode_4, 1);
	ck_assert_uint_eq(got.n, 1);
}
END_TEST

START_TEST(ranges_without_paging)
{
	collect(&mode_none, 0);
	ck_assert_uint_eq(got.n, 1);
	expect(0, 0, 1ull << 32, "wux", 0);
}
END_TEST

START_TEST(ranges_top_of_space)
{
	put64(0x1000, 0x2000 | P);
	put64(0x1ff8, 0x2000 | P);
	put64(0x2000, P | PS);
	put64(0x2ff8, P | PS);
	collect(&mode_4, 0);
	ck_assert_uint_eq(got.n, 4);
	expect(3, 0xffffffffc0000000, 0x40000000, "x", 0x40000000);
	memset(ram + 0x1000, 0, 0x1000);
	put32(0x1ffc, P | PS | W);
	collect(&mode_32, 0);
	ck_assert_uint_eq(got.n, 1);
	expect(0, 0xffc00000, 0x400000, "wx", 0x400000);
}
END_TEST

/* Every entry of every table leads back: 2^36 and 2^45 equal pages, which are two ranges. */
START_TEST(ranges_all_self)
{
	unsigned i;

	for (i = 0; i < 512; i++)
		put64(0x1000 + i * 8, 0x1000 | P | W);
	collect(&mode_4, 0);
	ck_assert_uint_eq(got.n, 2);
	expect(0, 0, 1ull << 47, "wx", 0x1000);
	expect(1, 0xffff800000000000, 1ull << 47, "wx", 0x1000);
	collect(&mode_5, 0);
	ck_assert_uint_eq(got.n, 2);
	expect(1, 0xff00000000000000, 1ull << 56, "wx", 0x1000);
	/* Alternating rights do not merge: as many ranges as pages, until EACH has had enough. */
	for (i = 0; i < 512; i += 2)
		put64(0x1000 + i * 8, 0x1000 | P);
	collect(&mode_5, 1000);
	ck_assert_uint_eq(got.n, 1000);
}
END_TEST

/* A web of 127 tables that lead to one another, five levels deep: 2^57 bytes that are all the same. */
START_TEST(ranges_web_of_tables)
{
	uint64_t t, i;

	for (t = 1; t < 128; t++)
		for (i = 0; i < 512; i++)
			put64(t * 0x1000 + i * 8, ((t * 512 + i) * 2654435761u % 127 + 1) * 0x1000 | P | W | U);
	collect(&mode_5, 0);
	ck_assert_uint_eq(got.n, 2);
	expect(0, 0, 1ull << 56, "wux", 0x1000);
}
END_TEST

/* One table in two roles: as a page directory its entries map 2M pages, as a page table 4K pages. */
START_TEST(ranges_table_at_two_levels)
{
	unsigned i;

	put64(0x1000, 0x2000 | P | W);
	put64(0x2000, 0x4000 | P | W);
	put64(0x2008, 0x3000 | P | W);
	put64(0x3000, 0x4000 | P | W);
	for (i = 0; i < 512; i++)
		put64(0x4000 + i * 8, P | W | PS);
	collect(&mode_4, 0);
	ck_assert_uint_eq(got.n, 2);
	expect(0, 0, 1 << 30, "wx", 0x200000);
	expect(1, 1 << 30, 0x200000, "wx", 0x1000);
}
END_TEST

START_TEST(ranges_outside_memory)
{
	struct paging p = mode_4;

	p.cr3 = 0x800000000;
	collect(&p, 0);
	ck_assert_uint_eq(got.n, 0);
	p.cr3 = 0x1000;
	put64(0x1000, 0x700000000 | P);
	put64(0x1008, 0x2000 | P);
	put64(0x2000, P | PS);
	collect(&p, 0);
	ck_assert_uint_eq(got.n, 1);
	/* A PAE root in the last 32 bytes of memory. */
	p = mode_pae;
	p.cr3 = RAM_SIZE - 32;
	put64(RAM_SIZE - 32, 0x2000 | P);
	put64(0x2000, P | PS);
	collect(&p, 0);
	ck_assert_uint_eq(got.n, 1);
	expect(0, 0, 0x200000, "x", 0x200000);
}
END_TEST

/* A table half of which lies in another region, with other host memory behind it. */
START_TEST(ranges_table_across_regions)
{
	static uint8_t low[0x1800], high[0x2800];
	struct gmem_region a = { .gpa = 0x200000, .size = sizeof(low), .hva = low };
	struct gmem_region b = { .gpa = 0x201800, .size = sizeof(high), .hva = high };
	uint64_t page = P | PS | W, table = 0x201000 | P | W;
	struct paging p = mode_4;
	struct translation t;

	ck_assert_int_eq(gmem_add(g, &a, NULL), 0);
	ck_assert_int_eq(gmem_add(g, &b, NULL), 0);
	p.cr3 = 0x200000;
	memcpy(low, &table, 8);
	memcpy(low + 0x17f8, &page, 8);
	memcpy(high, &page, 8);
	collect(&p, 0);
	ck_assert_uint_eq(got.n, 1);
	expect(0, 255ull << 30, 2ull << 30, "wx", 1u << 30);
	ck_assert_int_eq(translate(g, &p, 256ull << 30, &t, NULL), 0);
	/* Without the second region its half is simply not there. */
	ck_assert_int_eq(gmem_remove(g, 0x201800), 0);
	collect(&p, 0);
	ck_assert_uint_eq(got.n, 1);
	expect(0, 255ull << 30, 1ull << 30, "wx", 1u << 30);
}
END_TEST

/* ---- Random tables against a second walker ---- */

struct naive {
	bool present, w, u, x, g;
	uint64_t gpa, size;
};

static uint64_t entry_at(uint64_t gpa, unsigned bytes)
{
	uint64_t v = 0;

	if (gpa <= RAM_SIZE - bytes)
		memcpy(&v, ram + gpa, bytes);
	return v;
}

static struct naive naive_32(const struct paging *p, uint32_t va)
{
	struct naive n = { 0 };
	uint64_t pde = entry_at((p->cr3 & 0xfffff000) + (va >> 22) * 4, 4), pte, hi;
	unsigned m = p->phys_bits > 40 ? 40 : p->phys_bits;

	if (!(pde & 1))
		return n;
	if ((pde & 0x80) && (p->cr4 & PSE)) {
		hi = pde >> 13 & 0x1ff;
		if (hi >> (m - 32))
			return n;
		return (struct naive){ true, pde & 2, pde & 4, true, (pde & G) && (p->cr4 & PGE),
				       hi << 32 | (pde & 0xffc00000) | (va & 0x3fffff), 0x400000 };
	}
	pte = entry_at((pde & 0xfffff000) + (va >> 12 & 0x3ff) * 4, 4);
	if (!(pte & 1))
		return n;
	return (struct naive){ true, pde & pte & 2, pde & pte & 4, true, (pte & G) && (p->cr4 & PGE),
			       (pte & 0xfffff000) | (va & 0xfff), 0x1000 };
}

static struct naive naive_64(const struct paging *p, uint64_t va)
{
	bool lm = p->efer & LMA, nxe = p->efer & NXE;
	unsigned level = !lm ? 3 : p->cr4 & LA57 ? 5 : 4, top = level;
	uint64_t table = p->cr3 & (lm ? 0xffffffffff000 : 0xffffffe0), e, off;
	struct naive n = { .w = true, .u = true, .x = true }, none = { 0 };

	if (!lm)
		va &= 0xffffffff;
	else if (level == 4 ? va + 0x800000000000 > 0xffffffffffff : va + (1ull << 56) > 0x1ffffffffffffff)
		return none;
	for (;; level--) {
		unsigned shift = 12 + 9 * (level - 1);

		e = entry_at(table + (va >> shift & (!lm && level == top ? 3 : 511)) * 8, 8);
		if (!(e & 1) || (e & 0xfffffffffffff) >> p->phys_bits || (!nxe && e >> 63))
			return none;
		if (!lm && (e << 1 >> 53))
			return none;
		if (!lm && level == 3) {
			if (e >> 63 || (e & 0x1e6))
				return none;
			table = e & 0xffffffffff000;
			continue;
		}
		n.w &= e >> 1 & 1;
		n.u &= e >> 2 & 1;
		n.x &= !(e >> 63);
		if (level >= 4 && (e & 0x80))
			return none;
		table = e & 0xffffffffff000;
		if (level > 1 && !(e & 0x80))
			continue;
		n.size = 1ull << shift;
		off = va & (n.size - 1);
		if (level > 1 && (table & (n.size - 1) & ~0x1000ull))
			return none;
		n.gpa = (table & ~(n.size - 1)) | off;
		n.g = (e >> 8 & 1) && (p->cr4 & PGE);
		n.present = true;
		return n;
	}
}

static uint64_t rnd(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
}

#define TABLES 12

/* An entry that mostly makes sense, and every so often does not. */
static uint64_t random_entry(void)
{
	uint64_t e = ((rnd() % TABLES) + 1) << 12 | (rnd() & 0x167) | P;

	switch (rnd() % 16) {
	case 0: return e | PS;
	case 1: return (rnd() & 0xffffc0000000) | (e & 0x167) | PS;
	case 2: return (rnd() & 0xff00200000) | (e & 0x167) | PS;
	case 3: return (rnd() & 0x3fe000) | (e & 0x167) | PS;
	case 4: return e | 1ull << (40 + rnd() % 24);
	case 5: return e | NX;
	case 6: return rnd();
	case 7: case 8: case 9: return e | W | U;
	default: return e;
	}
}

static const struct paging *const paged[] = { &mode_32, &mode_pae, &mode_4, &mode_5 };

static uint64_t random_gva(const struct paging *p)
{
	unsigned shift[] = { 12, 21, 22, 30, 39, 48 };
	uint64_t va = 0;
	size_t i;

	/* A few indices per level, so that walks meet the same entries. */
	for (i = 0; i < (p->cr4 & LA57 ? 6u : 5u); i++)
		va += (rnd() % 4) << shift[i];
	va |= rnd() & 0xfff;
	if (rnd() % 4 == 0)
		va = rnd();
	else if (rnd() % 2)
		va |= p->cr4 & LA57 ? ~0ull << 56 : ~0ull << 47;
	return va;
}

static void randomise(const struct paging *p, bool sparse)
{
	uint64_t gpa;

	for (gpa = 0x1000; gpa < 0x1000 * (TABLES + 1); gpa += 8) {
		/* Dense at the start of either half, where random_gva() goes. */
		bool used = sparse ? rnd() % 64 == 0 : (gpa & 0x7ff) < 64 || rnd() % 8 == 0;

		put64(gpa, used ? random_entry() : 0);
	}
	/* Hardly any random entry is a good PDPTE. */
	for (gpa = p->cr3; p->cr3 == mode_pae.cr3 && gpa < p->cr3 + 32; gpa += 8)
		if (rnd() % 4)
			put64(gpa, (rnd() % TABLES + 1) << 12 | P);
}

START_TEST(random_walks)
{
	unsigned round, i, mapped = 0;

	srandom(42 + (unsigned)_i);
	for (round = 0; round < 200; round++) {
		struct paging p = *paged[_i];

		randomise(&p, false);
		if (rnd() % 4 == 0)
			p.efer &= ~NXE;
		if (rnd() % 4 == 0)
			p.cr4 &= ~(PGE | PSE);
		p.phys_bits = 36 + rnd() % 17;
		for (i = 0; i < 300; i++) {
			uint64_t va = random_gva(&p);
			struct naive n = p.cr4 & PAE ? naive_64(&p, va) : naive_32(&p, (uint32_t)va);
			struct translation t;
			int rc = translate(g, &p, va, &t, NULL);

			ck_assert_msg((rc == 0) == n.present, "0x%lx: %d, should be %d", va, rc, n.present);
			ck_assert_int_eq(t.present, n.present);
			if (rc)
				continue;
			mapped++;
			if (t.gpa != n.gpa || t.page_size != n.size || t.writable != n.w || t.user != n.u ||
			    t.executable != n.x || t.global != n.g)
				ck_abort_msg("0x%lx: 0x%lx %lx, should be 0x%lx %lx", va, t.gpa, t.page_size,
					     n.gpa, n.size);
		}
	}
	ck_assert_uint_gt(mapped, 3000);
}
END_TEST

/* Each range must agree with the second walk at its ends, and its neighbours must differ. */
static struct { const struct paging *p; struct mem_range last; unsigned n; } check;

static struct naive naive_any(const struct paging *p, uint64_t va)
{
	return p->cr4 & PAE ? naive_64(p, va) : naive_32(p, (uint32_t)va);
}

static bool same(const struct naive *n, const struct mem_range *r)
{
	return n->present && n->w == r->writable && n->u == r->user && n->x == r->executable &&
	       n->g == r->global && n->size == r->page_size;
}

static bool verify(void *arg, const struct mem_range *r)
{
	uint64_t last = r->gva + (r->size - 1), mid = r->gva + (rnd() % r->size), gap;
	struct naive a = naive_any(check.p, r->gva), b = naive_any(check.p, last), c = naive_any(check.p, mid), d;

	(void)arg;
	ck_assert(r->size);
	ck_assert_msg(same(&a, r) && same(&b, r) && same(&c, r), "0x%lx 0x%lx", r->gva, r->size);
	ck_assert(!check.n || r->gva > check.last.gva + (check.last.size - 1));
	/* What lies between the last range and this one is not mapped, and this one could not begin earlier. */
	gap = check.n ? check.last.gva + check.last.size : 0;
	if (gap != r->gva) {
		d = naive_any(check.p, gap);
		ck_assert(!d.present);
		d = naive_any(check.p, r->gva - 1);
		ck_assert(!d.present);
	} else if (check.n) {
		ck_assert_msg(!same(&a, &check.last), "0x%lx should have merged", r->gva);
	}
	check.last = *r;
	return ++check.n < 2000;
}

START_TEST(random_ranges)
{
	unsigned round, i;

	srandom(4242 + (unsigned)_i);
	for (round = 0; round < 60; round++) {
		struct paging p = *paged[_i];

		randomise(&p, round & 1);
		p.phys_bits = 36 + rnd() % 17;
		check.p = &p;
		check.n = 0;
		translate_ranges(g, &p, verify, NULL);
		if (check.n == 2000)
			continue;
		/* All were told: whatever the second walk finds mapped must be in one of them. */
		collect(&p, 0);
		for (i = 0; i < 300; i++) {
			uint64_t va = random_gva(&p);
			struct naive n = naive_any(&p, va);
			bool in = false;
			size_t k;

			if (!(p.efer & LMA))
				va &= 0xffffffff;
			for (k = 0; k < got.n && !in; k++)
				in = va - got.r[k].gva < got.r[k].size;
			ck_assert_msg(in == n.present, "0x%lx", va);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ranges");
	TCase *t = tcase_create("ranges");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, ranges_merge);
	tcase_add_test(t, ranges_without_paging);
	tcase_add_test(t, ranges_top_of_space);
	tcase_add_test(t, ranges_all_self);
	tcase_add_test(t, ranges_web_of_tables);
	tcase_add_test(t, ranges_table_at_two_levels);
	tcase_add_test(t, ranges_outside_memory);
	tcase_add_test(t, ranges_table_across_regions);
	tcase_add_loop_test(t, random_walks, 0, 4);
	tcase_add_loop_test(t, random_ranges, 0, 4);
	suite_add_tcase(s, t);
	return unit_main(s);
}
