/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page walker against tables built by hand: each paging mode and every reserved bit; memory access over it. */
#include "tests/walk_env.h"

#include <errno.h>
#include <string.h>

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
	const char *rights;
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
	rights = rights_text(t.writable, t.user, t.executable, t.global);
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
	suite_add_tcase(s, t);
	return unit_main(s);
}
