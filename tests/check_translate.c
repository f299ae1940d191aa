/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The page walker against page tables built here: by hand for each paging mode and every reserved bit, then random
 * ones compared with a second walk, written straight from the SDM's formats and sharing nothing with the first.
 */
#include "mem/translate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#define RAM_SIZE        0x100000ull
#define RAM_SLOT        7

#define PG      (1ull << 31)
#define PSE     (1ull << 4)
#define PAE     (1ull << 5)
#define PGE     (1ull << 7)
#define LA57    (1ull << 12)
#define LMA     (1ull << 10)
#define NXE     (1ull << 11)
#define NX      (1ull << 63)

#define P       1ull
#define W       2ull
#define U       4ull
#define PS      0x80ull
#define G       0x100ull

static uint8_t ram[RAM_SIZE];
static struct gmem *g;

static void setup(void)
{
	struct gmem_region r = { .gpa = 0, .size = RAM_SIZE, .hva = ram, .slot = RAM_SLOT };

	memset(ram, 0, sizeof(ram));
	ck_assert_int_eq(gmem_new(&g, NULL), 0);
	ck_assert_int_eq(gmem_add(g, &r, NULL), 0);
}

static void teardown(void)
{
	gmem_free(g);
}

static void put32(uint64_t gpa, uint32_t v)
{
	memcpy(ram + gpa, &v, sizeof(v));
}

static void put64(uint64_t gpa, uint64_t v)
{
	memcpy(ram + gpa, &v, sizeof(v));
}

static const struct paging mode_none = { .phys_bits = 40 };
static const struct paging mode_32 = { .cr0 = PG, .cr3 = 0x1000, .cr4 = PSE | PGE, .phys_bits = 40 };
static const struct paging mode_pae = { .cr0 = PG, .cr3 = 0x1020, .cr4 = PAE | PGE, .efer = NXE, .phys_bits = 40 };
static const struct paging mode_4 = {
	.cr0 = PG, .cr3 = 0x1000, .cr4 = PAE | PGE, .efer = LMA | NXE, .phys_bits = 40
};
static const struct paging mode_5 = {
	.cr0 = PG, .cr3 = 0x1000, .cr4 = PAE | PGE | LA57, .efer = LMA | NXE, .phys_bits = 40
};

/*
 * One mapping a row: entries are put at the given places (top first, up to 5), then GVA is walked.  The entries
 * are 4 bytes in 32-bit paging and 8 elsewhere.
 */
struct row {
	const char *what;
	const struct paging *mode;
	uint64_t gva;
	struct { uint64_t gpa, value; } e[5];
	unsigned nlevels;               /* read */
	const char *rights;             /* of "wuxg"; NULL: not mapped */
	uint64_t gpa, page_size;
	uint64_t cr4_off, efer_off;     /* bits taken out of the mode */
	unsigned phys_bits;             /* unless 0 */
};

static const struct row rows[] = {
	{ .what = "no paging", &mode_none, 0x12345, { }, 0, "wux", 0x12345, 0 },
	{ .what = "no paging, truncated", &mode_none, 0xffff800000012345, { }, 0, "wux", 0x12345, 0 },
	{ .what = "no paging, PAE and LMA irrelevant", &mode_none, 0xfffffffff, { }, 0, "wux", 0xffffffff, 0 },

	{ .what = "32: 4K", &mode_32, 0x00403123,
	  { { 0x1004, 0x2000 | P | W | U }, { 0x200c, 0x5000 | P | W | U | G } },
	  2, "wuxg", 0x5123, 0x1000 },
	{ .what = "32: 4K, gva truncated", &mode_32, 0x700403123,
	  { { 0x1004, 0x2000 | P | W | U }, { 0x200c, 0x5000 | P } },
	  2, "x", 0x5123, 0x1000 },
	{ .what = "32: PDE not present", &mode_32, 0x00403123, { { 0x1004, 0x2000 | W | U } }, 1, NULL, 0, 0 },
	{ .what = "32: PTE not present", &mode_32, 0x00403123,
	  { { 0x1004, 0x2000 | P }, { 0x200c, 0x5000 } }, 2, NULL, 0, 0 },
	{ .what = "32: write from the PDE", &mode_32, 0x00403123,
	  { { 0x1004, 0x2000 | P | U }, { 0x200c, 0x5000 | P | W | U } },
	  2, "ux", 0x5123, 0x1000 },
	{ .what = "32: user from the PDE", &mode_32, 0x00403123,
	  { { 0x1004, 0x2000 | P | W }, { 0x200c, 0x5000 | P | W | U } },
	  2, "wx", 0x5123, 0x1000 },
	{ .what = "32: 4M", &mode_32, 0xffc12345,
	  { { 0x1ffc, 0x00400000 | P | W | PS | G } }, 1, "wxg", 0x00412345, 0x400000 },
	{ .what = "32: 4M, PSE-36", &mode_32, 0xffc12345, { { 0x1ffc, 0x00400000 | 0x1fe000 | P | PS } },
	  1, "x", 0xff00412345, 0x400000 },
	{ .what = "32: 4M, bit 21 reserved", &mode_32, 0xffc12345,
	  { { 0x1ffc, 0x00400000 | 0x200000 | P | PS } }, 1, NULL, 0, 0 },
	{ .what = "32: PSE-36 with 36 bits", &mode_32, 0xffc12345,
	  { { 0x1ffc, 0x01e000 | P | PS } }, 1, "x", 0xf00012345,
	  0x400000, .phys_bits = 36 },
	{ .what = "32: PSE-36 beyond 36 bits", &mode_32, 0xffc12345,
	  { { 0x1ffc, 0x020000 | P | PS } }, 1, NULL, 0, 0,
	  .phys_bits = 36 },
	{ .what = "32: PSE-36 with 32 bits", &mode_32, 0xffc12345,
	  { { 0x1ffc, 0x002000 | P | PS } }, 1, NULL, 0, 0,
	  .phys_bits = 32 },
	{ .what = "32: PSE-36 goes no further than 40 bits", &mode_32, 0xffc12345,
	  { { 0x1ffc, 0x1fe000 | P | PS } },
	  1, "x", 0xff00012345, 0x400000, .phys_bits = 46 },
	{ .what = "32: PAT bit of a 4M page", &mode_32, 0xffc12345,
	  { { 0x1ffc, 0x1000 | P | PS } }, 1, "x", 0x12345, 0x400000 },
	{ .what = "32: PS without CR4.PSE", &mode_32, 0x00403123,
	  { { 0x1004, 0x2000 | P | PS }, { 0x200c, 0x5000 | P } },
	  2, "x", 0x5123, 0x1000, .cr4_off = PSE },
	{ .what = "32: no PGE", &mode_32, 0x00403123,
	  { { 0x1004, 0x2000 | P | W | U }, { 0x200c, 0x5000 | P | G } },
	  2, "x", 0x5123, 0x1000, .cr4_off = PGE },
	{ .what = "32: table outside memory", &mode_32, 0x00403123, { { 0x1004, 0xf00000 | P } }, 1, NULL, 0, 0 },

	{ .what = "PAE: 4K", &mode_pae, 0xc0203abc, { { 0x1038, 0x2000 | P }, { 0x2008, 0x3000 | P | W | U },
	  { 0x3018, 0x7000 | P | W | U } }, 3, "wux", 0x7abc, 0x1000 },
	{ .what = "PAE: NX in the PTE", &mode_pae, 0xc0203abc,
	  { { 0x1038, 0x2000 | P }, { 0x2008, 0x3000 | P | W | U },
	  { 0x3018, 0x7000 | P | W | U | NX } }, 3, "wu", 0x7abc, 0x1000 },
	{ .what = "PAE: NX in the PDE", &mode_pae, 0xc0203abc,
	  { { 0x1038, 0x2000 | P }, { 0x2008, 0x3000 | P | W | NX },
	  { 0x3018, 0x7000 | P | W | U } }, 3, "w", 0x7abc, 0x1000 },
	{ .what = "PAE: NX without EFER.NXE", &mode_pae, 0xc0203abc,
	  { { 0x1038, 0x2000 | P }, { 0x2008, 0x3000 | P | W | U },
	  { 0x3018, 0x7000 | P | W | U | NX } }, 3, NULL, 0, 0, .efer_off = NXE },
	{ .what = "PAE: 2M", &mode_pae, 0x10200abc,
	  { { 0x1020, 0x2000 | P }, { 0x2408, 0 }, { 0x2408, 0x600000 | P | PS | G } },
	  2, "xg", 0x600abc, 0x200000 },
	{ .what = "PAE: 2M above 4G", &mode_pae, 0x10200abc,
	  { { 0x1020, 0x2000 | P }, { 0x2408, 0xff00600000 | P | PS } },
	  2, NULL, 0, 0, .phys_bits = 36 },
	{ .what = "PAE: PDPTE absent", &mode_pae, 0x40000000, { { 0x1020, 0x2000 | P } }, 1, NULL, 0, 0 },
	{ .what = "PAE: PDPTE bit 1", &mode_pae, 0, { { 0x1020, 0x2000 | P | W } }, 1, NULL, 0, 0 },
	{ .what = "PAE: PDPTE bit 2", &mode_pae, 0, { { 0x1020, 0x2000 | P | U } }, 1, NULL, 0, 0 },
	{ .what = "PAE: PDPTE bit 5", &mode_pae, 0, { { 0x1020, 0x2000 | P | 0x20 } }, 1, NULL, 0, 0 },
	{ .what = "PAE: PDPTE bit 8", &mode_pae, 0, { { 0x1020, 0x2000 | P | G } }, 1, NULL, 0, 0 },
	{ .what = "PAE: PDPTE bit 63", &mode_pae, 0, { { 0x1020, 0x2000 | P | NX } }, 1, NULL, 0, 0 },
	{ .what = "PAE: PDE address bit 40", &mode_pae, 0,
	  { { 0x1020, 0x2000 | P }, { 0x2000, 0x10000003000 | P } },
	  2, NULL, 0, 0 },
	{ .what = "PAE: PDE bit 52", &mode_pae, 0,
	  { { 0x1020, 0x2000 | P }, { 0x2000, 1ull << 52 | 0x3000 | P } }, 2, NULL, 0, 0 },
	{ .what = "PAE: PTE bit 62", &mode_pae, 0, { { 0x1020, 0x2000 | P }, { 0x2000, 0x3000 | P },
	  { 0x3000, 1ull << 62 | P } }, 3, NULL, 0, 0 },
	{ .what = "PAE: 2M bit 13", &mode_pae, 0,
	  { { 0x1020, 0x2000 | P }, { 0x2000, 0x2000 | P | PS } }, 2, NULL, 0, 0 },

	{ .what = "4: 4K", &mode_4, 0xffff800000403123,
	  { { 0x1800, 0x2000 | P | W | U }, { 0x2000, 0x3000 | P | W | U },
	  { 0x3010, 0x4000 | P | W | U }, { 0x4018, 0x9000 | P | W | U | G } }, 4, "wuxg", 0x9123, 0x1000 },
	{ .what = "4: NX at the top", &mode_4, 0,
	  { { 0x1000, 0x2000 | P | W | U | NX }, { 0x2000, 0x3000 | P | W | U },
	  { 0x3000, 0x4000 | P | W | U }, { 0x4000, 0x9000 | P | W | U } }, 4, "wu", 0x9000, 0x1000 },
	{ .what = "4: write in the PDPT", &mode_4, 0, { { 0x1000, 0x2000 | P | W | U }, { 0x2000, 0x3000 | P | U },
	  { 0x3000, 0x4000 | P | W | U }, { 0x4000, 0x9000 | P | W | U } }, 4, "ux", 0x9000, 0x1000 },
	{ .what = "4: user in the PD", &mode_4, 0,
	  { { 0x1000, 0x2000 | P | W | U }, { 0x2000, 0x3000 | P | W | U },
	  { 0x3000, 0x4000 | P | W }, { 0x4000, 0x9000 | P | W | U } }, 4, "wx", 0x9000, 0x1000 },
	{ .what = "4: 2M", &mode_4, 0x7fffffffffff, { { 0x17f8, 0x2000 | P | U }, { 0x2ff8, 0x3000 | P | U },
	  { 0x3ff8, 0xff00200000 | 0x1000 | P | PS | U | G } }, 3, "uxg", 0xff003fffff, 0x200000 },
	{ .what = "4: 1G", &mode_4, 0xffffffffc0001234,
	  { { 0x1ff8, 0x2000 | P | W }, { 0x2ff8, 0x40000000 | P | PS | W | NX } },
	  2, "w", 0x40001234, 0x40000000 },
	{ .what = "4: not canonical", &mode_4, 0x0000800000000000, { { 0x1800, 0x2000 | P } }, 0, NULL, 0, 0 },
	{ .what = "4: not canonical, upper", &mode_4, 0xffff7fffffffffff,
	  { { 0x1800, 0x2000 | P } }, 0, NULL, 0, 0 },
	{ .what = "4: PS in the PML4", &mode_4, 0, { { 0x1000, 0x2000 | P | PS } }, 1, NULL, 0, 0 },
	{ .what = "4: 1G bit 13", &mode_4, 0,
	  { { 0x1000, 0x2000 | P }, { 0x2000, 0x2000 | P | PS } }, 2, NULL, 0, 0 },
	{ .what = "4: 1G bit 29", &mode_4, 0,
	  { { 0x1000, 0x2000 | P }, { 0x2000, 0x20000000 | P | PS } }, 2, NULL, 0, 0 },
	{ .what = "4: 2M bit 20", &mode_4, 0,
	  { { 0x1000, 0x2000 | P }, { 0x2000, 0x3000 | P }, { 0x3000, 0x100000 | P | PS } },
	  3, NULL, 0, 0 },
	{ .what = "4: address bit 40 of 40", &mode_4, 0, { { 0x1000, 0x10000002000 | P } }, 1, NULL, 0, 0 },
	{ .what = "4: address bit 51 of 52", &mode_4, 0,
	  { { 0x1000, 0x2000 | P }, { 0x2000, 1ull << 51 | P | PS } },
	  2, "x", 1ull << 51, 0x40000000, .phys_bits = 52 },
	{ .what = "4: bits 62-52 are the system's", &mode_4, 0, { { 0x1000, 0x7ff0000000002000 | P },
	  { 0x2000, 0x7ff0000000000000 | P | PS } }, 2, "x", 0, 0x40000000 },
	{ .what = "4: NX without EFER.NXE", &mode_4, 0,
	  { { 0x1000, NX | 0x2000 | P } }, 1, NULL, 0, 0, .efer_off = NXE },
	{ .what = "4: PML4 not in memory", &mode_4, 0, { { 0x1000, 0xffffff000 | P } }, 1, NULL, 0, 0 },
	{ .what = "4: self-reference", &mode_4, 0xfffffffffffff000,
	  { { 0x1ff8, 0x1000 | P | W } }, 4, "wx", 0x1000, 0x1000 },

	{ .what = "5: 4K", &mode_5, 0xff00000000403123, { { 0x1800, 0x2000 | P | W }, { 0x2000, 0x3000 | P | W },
	  { 0x3000, 0x4000 | P | W }, { 0x4010, 0x5000 | P | W }, { 0x5018, 0x9000 | P | W } },
	  5, "wx", 0x9123, 0x1000 },
	{ .what = "5: the top bit of 57", &mode_5, 0x00ffffffffffffff,
	  { { 0x17f8, 0x2000 | P }, { 0x2ff8, 0x3000 | P },
	  { 0x3ff8, P | PS } }, 3, "x", 0x3fffffff, 0x40000000 },
	{ .what = "5: not canonical", &mode_5, 0x0100000000000000, { }, 0, NULL, 0, 0 },
	{ .what = "5: PS in the PML5", &mode_5, 0, { { 0x1000, 0x2000 | P | PS } }, 1, NULL, 0, 0 },
	{ .what = "5: PS in the PML4", &mode_5, 0,
	  { { 0x1000, 0x2000 | P }, { 0x2000, 0x3000 | P | PS } }, 2, NULL, 0, 0 },
};

START_TEST(walk_row)
{
	const struct row *r = &rows[_i];
	struct paging p = *r->mode;
	struct translation t;
	struct err err = { 0 };
	char rights[5] = "";
	unsigned i;
	int rc;

	if (r->phys_bits)
		p.phys_bits = r->phys_bits;
	p.cr4 &= ~r->cr4_off;
	p.efer &= ~r->efer_off;
	for (i = 0; i < 5 && r->e[i].gpa; i++) {
		if (r->mode == &mode_32)
			put32(r->e[i].gpa, (uint32_t)r->e[i].value);
		else
			put64(r->e[i].gpa, r->e[i].value);
	}
	memset(&t, 0xee, sizeof(t));
	rc = translate(g, &p, r->gva, &t, &err);
	ck_assert_msg(rc == (r->rights ? 0 : -EFAULT), "%s: %d %s", r->what, rc, err.msg);
	ck_assert_msg(err.code == -rc, "%s: %s", r->what, err.msg);
	ck_assert_msg(t.nlevels == r->nlevels, "%s: %u levels", r->what, t.nlevels);
	ck_assert_msg(t.present == (rc == 0), "%s", r->what);
	ck_assert_msg(t.page_size == r->page_size && t.gpa == r->gpa, "%s: 0x%lx", r->what, t.gpa);
	ck_assert_uint_eq(t.gva, p.cr0 && (p.efer & LMA) ? r->gva : (uint32_t)r->gva);
	if (rc) {
		ck_assert_int_eq(t.slot, -1);
		return;
	}
	snprintf(rights, sizeof(rights), "%s%s%s%s", t.writable ? "w" : "", t.user ? "u" : "",
		 t.executable ? "x" : "", t.global ? "g" : "");
	ck_assert_msg(!strcmp(rights, r->rights), "%s: %s", r->what, rights);
	for (i = 0; i < t.nlevels; i++)
		ck_assert_uint_eq(t.level[i].level, t.nlevels == 1 ? 2 : r->mode == &mode_32 ? 2 - i :
				  r->mode == &mode_pae ? 3 - i : r->mode == &mode_4 ? 4 - i : 5 - i);
	ck_assert_int_eq(t.slot, t.gpa < RAM_SIZE ? RAM_SLOT : -1);
	ck_assert_uint_eq(t.hva, t.gpa < RAM_SIZE ? (uintptr_t)(ram + t.gpa) : 0);
}
END_TEST

START_TEST(levels_are_told)
{
	struct translation t;

	put64(0x1800, 0x2000 | P | W);
	put64(0x2000, 0x3000 | P | U);
	put64(0x3010, 0xabc000);
	ck_assert_int_eq(translate(g, &mode_4, 0xffff800000403123, &t, NULL), -EFAULT);
	ck_assert_uint_eq(t.nlevels, 3);
	ck_assert_uint_eq(t.level[0].entry_gpa, 0x1800);
	ck_assert_uint_eq(t.level[0].entry, 0x2000 | P | W);
	ck_assert_uint_eq(t.level[1].level, 3);
	ck_assert_uint_eq(t.level[1].entry_gpa, 0x2000);
	ck_assert_uint_eq(t.level[2].entry_gpa, 0x3010);
	ck_assert_uint_eq(t.level[2].entry, 0xabc000);
}
END_TEST

/* PCID and other low bits of CR3 are no address; a CR3 beyond memory reads no entry. */
START_TEST(cr3_bits)
{
	struct paging p = mode_4;
	struct translation t;
	struct err err;

	put64(0x1000, 0x2000 | P);
	put64(0x2000, P | PS);
	p.cr3 = NX | 0x1fff;
	ck_assert_int_eq(translate(g, &p, 5, &t, NULL), 0);
	ck_assert_uint_eq(t.gpa, 5);
	p.cr3 = 0x80000000;
	ck_assert_int_eq(translate(g, &p, 5, &t, &err), -EFAULT);
	ck_assert_uint_eq(t.nlevels, 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "PML4 at 0x80000000 is outside memory"));
	p = mode_pae;
	p.cr3 = 0x103f;
	put64(0x1020, 0x3000 | P);
	put64(0x3000, 0x400000 | P | PS);
	ck_assert_int_eq(translate(g, &p, 5, &t, NULL), 0);
	ck_assert_uint_eq(t.gpa, 0x400005);
}
END_TEST

/* ---- Virtual memory ---- */

/* gva 0x10000.. -> gpa 0x30000, 0x2f000, not mapped, outside RAM. */
static void map_four(void)
{
	put64(0x1000, 0x2000 | P);
	put64(0x2000, 0x3000 | P);
	put64(0x3000, 0x4000 | P);
	put64(0x4080, 0x30000 | P);
	put64(0x4088, 0x2f000 | P);
	put64(0x4098, 0x80000000 | P);
	memset(ram + 0x30000, 'A', 0x1000);
	memset(ram + 0x2f000, 'B', 0x1000);
}

START_TEST(vmem_partial)
{
	uint8_t buf[0x3000];
	struct err err = { 0 };

	map_four();
	ck_assert_uint_eq(vmem_read(g, &mode_4, 0x10ffe, buf, 4, &err), 4);
	ck_assert_mem_eq(buf, "AABB", 4);
	ck_assert_int_eq(err.code, 0);
	ck_assert_uint_eq(vmem_read(g, &mode_4, 0x10800, buf, sizeof(buf), &err), 0x1800);
	ck_assert_int_eq(err.code, EFAULT);
	ck_assert_ptr_nonnull(strstr(err.msg, "0x12000 is not mapped"));
	ck_assert_uint_eq(vmem_read(g, &mode_4, 0x13000, buf, 1, &err), 0);
	ck_assert_int_eq(err.code, ENXIO);
	ck_assert_ptr_nonnull(strstr(err.msg, "0x80000000"));
	ck_assert_uint_eq(vmem_read(g, &mode_4, 1ull << 60, buf, 1, &err), 0);
	ck_assert_int_eq(err.code, EFAULT);
	ck_assert_uint_eq(vmem_read(g, &mode_4, 1ull << 60, buf, 0, &err), 0);

	ck_assert_uint_eq(vmem_write(g, &mode_4, 0x10ffe, "1234", 4, &err), 4);
	ck_assert_mem_eq(ram + 0x30ffe, "12", 2);
	ck_assert_mem_eq(ram + 0x2f000, "34", 2);
	ck_assert_uint_eq(vmem_write(g, &mode_4, 0x11ffe, "5678", 4, &err), 2);
	ck_assert_mem_eq(ram + 0x2fffe, "56", 2);
	ck_assert_int_eq(err.code, EFAULT);
	ck_assert_uint_eq(ram[0x31000], 0);
}
END_TEST

/* The end of RAM inside a large page, the end of the 32-bit space, and no paging at all. */
START_TEST(vmem_edges)
{
	uint8_t buf[16];
	struct err err = { 0 };

	put32(0x1000, P | PS);
	put32(0x1ffc, P | PS);
	memcpy(ram, "start", 5);
	memcpy(ram + RAM_SIZE - 4, "last", 4);
	ck_assert_uint_eq(vmem_read(g, &mode_32, RAM_SIZE - 4, buf, 8, &err), 4);
	ck_assert_mem_eq(buf, "last", 4);
	ck_assert_int_eq(err.code, ENXIO);
	ck_assert_uint_eq(vmem_read(g, &mode_none, RAM_SIZE - 4, buf, 8, &err), 4);
	ck_assert_uint_eq(vmem_read(g, &mode_none, 0x100000000ull, buf, 5, &err), 5);
	ck_assert_mem_eq(buf, "start", 5);
	ck_assert_uint_eq(vmem_read(g, &mode_none, 0xffffffff, buf, 5, &err), 0);
	ck_assert_int_eq(err.code, ENXIO);
}
END_TEST

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
	char s[5];

	ck_assert_uint_lt(i, got.n);
	ck_assert_msg(r->gva == gva && r->size == size, "range %zu: 0x%lx 0x%lx", i, r->gva, r->size);
	snprintf(s, sizeof(s), "%s%s%s%s", r->writable ? "w" : "", r->user ? "u" : "", r->executable ? "x" : "",
		 r->global ? "g" : "");
	ck_assert_str_eq(s, rights);
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
static struct { const struct paging *p; uint64_t next; struct mem_range last; unsigned n; } check;

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
	uint64_t last = r->gva + (r->size - 1), mid = r->gva + (rnd() % r->size);
	struct naive a = naive_any(check.p, r->gva), b = naive_any(check.p, last), c = naive_any(check.p, mid), d;

	(void)arg;
	ck_assert(r->size);
	ck_assert_msg(same(&a, r) && same(&b, r) && same(&c, r), "0x%lx 0x%lx", r->gva, r->size);
	ck_assert(!check.n || r->gva > check.last.gva + (check.last.size - 1));
	if (r->gva && (r->gva != 1ull << 32 || check.p->efer & LMA)) {
		d = naive_any(check.p, r->gva - 1);
		ck_assert_msg(!same(&d, r), "0x%lx should reach further down", r->gva);
		/* What lies between the last range and this one is not mapped. */
		if (check.n && check.last.gva + check.last.size != r->gva)
			ck_assert(!d.present);
		d = naive_any(check.p, check.last.gva + check.last.size);
		if (check.n && check.last.gva + check.last.size != r->gva)
			ck_assert(!d.present);
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
	Suite *s = suite_create("translate");
	TCase *t = tcase_create("translate");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, walk_row, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, levels_are_told);
	tcase_add_test(t, cr3_bits);
	tcase_add_test(t, vmem_partial);
	tcase_add_test(t, vmem_edges);
	tcase_add_test(t, ranges_merge);
	tcase_add_test(t, ranges_without_paging);
	tcase_add_test(t, ranges_top_of_space);
	tcase_add_test(t, ranges_all_self);
	tcase_add_test(t, ranges_web_of_tables);
	tcase_add_test(t, ranges_outside_memory);
	tcase_add_test(t, ranges_table_across_regions);
	tcase_add_loop_test(t, random_walks, 0, 4);
	tcase_add_loop_test(t, random_ranges, 0, 4);
	suite_add_tcase(s, t);
	return unit_main(s);
}
