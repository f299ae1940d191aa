/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Page walks over a little memory: the input makes control registers and tables, which may contain themselves, and says
 * which addresses are looked at.  Both walkers must agree.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "arch/x86/idt.h"
#include "arch/x86/translate.h"

#define PAGES   16u
#define PAGE    4096u
#define RANGES_MAX 50u
#define CR4_PGE 0x80u

static uint8_t ram[PAGES * PAGE];

struct seen {
	const struct gmem *g;
	const struct paging *p;
	uint64_t end;           /* of the last range */
	unsigned n;
};

static void check_inside(const struct seen *s, const struct mem_range *r, uint64_t gva)
{
	struct translation t;

	ck_assert_int_eq(translate(s->g, s->p, gva, &t, NULL), 0);
	ck_assert(t.present);
	ck_assert_uint_eq(t.page_size, r->page_size);
	ck_assert(t.writable == r->writable && t.user == r->user && t.executable == r->executable);
	ck_assert(t.global == r->global);
}

static bool on_range(void *arg, const struct mem_range *r)
{
	struct seen *s = arg;

	ck_assert(!s->n || r->gva >= s->end);
	/* SDM vol. 3, 4.10.2.4: without CR4.PGE no page is global. */
	ck_assert(!r->global || (s->p->cr4 & CR4_PGE));
	s->end = r->gva + r->size;
	if (s->p->cr0 >> 31 & 1) {
		check_inside(s, r, r->gva);
		check_inside(s, r, r->gva + r->size - 1);
	}
	return ++s->n < RANGES_MAX;
}

static void fill_tables(struct bytes *in)
{
	unsigned n = (unsigned)take(in, 1);

	for (; n && in->len; n--) {
		unsigned what = (unsigned)take(in, 1), page = what % PAGES, index = (unsigned)take(in, 2) % 512;
		uint64_t entry = take(in, 2) | take(in, 1) << 12 | take(in, 1) << 56;
		unsigned i, count = what & 0x10 ? 512 - index : 1;

		if (what & 0x20)
			entry |= take(in, 4) << 20;
		for (i = 0; i < count; i++)
			memcpy(ram + page * PAGE + (index + i) * 8, &entry, 8);
	}
}

static bool read_linear(void *arg, uint64_t gva, void *ret, size_t len)
{
	struct seen *s = arg;

	return vmem_read(s->g, s->p, gva, ret, len, NULL) == len;
}

static void look_at(struct seen *s, struct bytes *in)
{
	unsigned what = (unsigned)take(in, 1);
	uint64_t gva = take(in, 8);
	struct translation t;
	struct err err = { 0 };
	uint8_t data[300];
	struct idt idt = {
		.kind = what >> 4 & 3 ? IDT_PROT : IDT_LONG, .idt = { gva, 0xfff }, .gdt = { gva >> 3, 0xff }, .read = read_linear,
		.arg = s,
	};
	struct idt_gate gate;
	size_t n;

	check_answer(translate(s->g, s->p, gva, &t, &err), &err);
	ck_assert_uint_le(t.nlevels, 5);
	err = (struct err){ 0 };
	n = vmem_read(s->g, s->p, gva, data, sizeof(data), &err);
	ck_assert_uint_le(n, sizeof(data));
	ck_assert((n < sizeof(data)) == (err.code != 0));
	err = (struct err){ 0 };
	check_answer(idt_find(&idt, what, &gate, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t cr4s[] = { 0, 0x10, 0x20, 0xa0, 0x20, 0x1020, 0x10b0, 0x90 };
	struct bytes in = { data, size };
	struct gmem_region low = { .size = 8 * PAGE, .hva = ram }, high = { .gpa = 8 * PAGE, .size = 8 * PAGE, .hva = ram + 8 * PAGE,
									     .slot = 1, .readonly = true };
	unsigned what = (unsigned)take(&in, 1);
	struct paging p = { .cr0 = what & 0x80 ? 1 : 0x80000001, .cr4 = cr4s[what & 7], .phys_bits = what & 0x40 ? 36 : 52 };
	struct gmem *g;
	struct seen s = { .p = &p };

	if (what & 8)
		p.efer |= 0x500;
	if (what & 16)
		p.efer |= 0x800;
	p.cr3 = take(&in, 2);
	memset(ram, 0, sizeof(ram));
	ck_assert_int_eq(gmem_new(&g, NULL), 0);
	ck_assert_int_eq(gmem_add(g, &low, NULL), 0);
	ck_assert_int_eq(gmem_add(g, &high, NULL), 0);
	s.g = g;
	fill_tables(&in);
	translate_ranges(g, &p, on_range, &s);
	for (unsigned i = 0; i < 32 && in.len; i++)
		look_at(&s, &in);
	gmem_free(g);
	return 0;
}
