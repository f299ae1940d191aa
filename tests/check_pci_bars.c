/* SPDX-License-Identifier: GPL-3.0-or-later */
/* BARs: how large they say they are, where they go, which accesses reach a function through them. */
#include "tests/pci_rig.h"

#include <errno.h>

#include "tests/unit.h"

static const struct {
	unsigned bar;
	uint32_t sized, base, command, at;
} bars[] = {
	{ BAR_PORTS, 0xfffffff1, 0xc001, 1, 0xc000 },
	{ BAR_WIDE, 0xffffff01, 0xc101, 1, 0xc100 },
	{ BAR_MEMORY, 0xfffff000, 0xfebf1000, 2, 0xfebf1000 },
};

/* A byte at AT, in the space that the tested BAR is of. */
static uint8_t probe(int i, uint32_t at)
{
	return (uint8_t)(bars[i].bar == BAR_MEMORY ? mmio(at, false, 1, 0) : pc_in(&pc, (uint16_t)at, 1));
}

START_TEST(bars_tell_their_size_and_move)
{
	unsigned bar = bars[_i].bar, reg = 0x10 + 4 * bar;
	struct pci_info info;

	put(a, reg, 4, 0xffffffff);
	ck_assert_uint_eq(get(a, reg, 4), bars[_i].sized);
	put(a, reg, 4, bars[_i].base | 0x6);
	ck_assert_uint_eq(get(a, reg, 4), bars[_i].base);
	a->value = 0x11;
	/* The command register lets accesses in, each bit those of its space. */
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0xff);
	put(a, 0x04, 2, bars[_i].command ^ 3);
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0xff);
	ck_assert(pci_describe(pci, 0, &info));
	ck_assert(info.bar[bar].present && !info.bar[bar].enabled);
	put(a, 0x04, 2, bars[_i].command);
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0x11);
	ck_assert_uint_eq(a->reads, 1);
	ck_assert_uint_eq(a->range, 16 + bar);
	ck_assert(pci_describe(pci, 0, &info));
	ck_assert(info.bar[bar].enabled);
	ck_assert_uint_eq(info.bar[bar].base, bars[_i].at);
	/* Off again, and at 0: nowhere. */
	put(a, 0x04, 2, 0);
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0xff);
	put(a, 0x04, 2, 3);
	put(a, reg, 4, 0);
	ck_assert_uint_eq(probe(_i, 0), 0xff);
	/* A reset takes it away, and the base with it. */
	put(a, reg, 4, bars[_i].base);
	bus_reset(pc.bus);
	ck_assert_uint_eq(get(a, reg, 4), bar != BAR_MEMORY);
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0xff);
	put(a, 0x04, 2, 3);
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0xff);
	ck_assert_uint_eq(a->reads, 1);
}
END_TEST

START_TEST(windows_see_offsets_and_widths)
{
	put(a, 0x10, 4, 0xc001);
	put(a, 0x14, 4, 0xe0000000);
	put(a, 0x04, 2, 3);
	pc_out(&pc, 0xc004, 4, 0x12345678);
	ck_assert_uint_eq(a->offset, 4);
	ck_assert_uint_eq(a->size, 4);
	ck_assert_uint_eq(a->value, 0x12345678);
	pc_out(&pc, 0xc00f, 2, 0xbbaa);         /* the second byte is outside */
	ck_assert_uint_eq(a->offset, 15);
	ck_assert_uint_eq(a->size, 1);
	ck_assert_uint_eq(a->value, 0xaa);
	ck_assert_uint_eq(a->writes, 2);
	pc_out(&pc, 0xbfff, 2, 0xddcc);
	ck_assert_uint_eq(a->offset, 0);
	ck_assert_uint_eq(a->value, 0xdd);
	mmio(0xe0000ff8, true, 8, 0x1122334455667788);
	ck_assert_uint_eq(a->range, 16 + BAR_MEMORY);
	ck_assert_uint_eq(a->offset, 0xff8);
	ck_assert_uint_eq(a->size, 8);
	ck_assert(a->value == 0x1122334455667788);
	mmio(0xe0000ffe, true, 4, 0xddccbbaa);
	ck_assert_uint_eq(a->offset, 0xfff);
	ck_assert_uint_eq(a->value, 0xbb);
	a->value = 0x7f;
	ck_assert_uint_eq(mmio(0xe0000fff, false, 2, 0), 0xff7f);
	/* Ports end at 0xffff: a base beyond is nowhere. */
	put(a, 0x10, 4, 0x1c001);
	ck_assert_uint_eq(pc_in(&pc, 0xc000, 4), 0xffffffff);
	put(a, 0x24, 4, 0xff01);
	ck_assert_uint_eq(pc_in(&pc, 0xffff, 1), 0x7f);
	ck_assert_uint_eq(a->offset, 0xff);
	ck_assert_uint_eq(a->range, 16 + BAR_WIDE);
}
END_TEST

START_TEST(windows_may_lie_on_each_other)
{
	put(a, 0x04, 2, 3);
	put(b, 0x04, 2, 3);
	a->value = 0xaa;
	b->value = 0xbb;
	/* The one made first wins, whoever came there first. */
	put(b, 0x10, 4, 0xc000);
	put(a, 0x24, 4, 0xc000);
	ck_assert_uint_eq(pc_in(&pc, 0xc00f, 1), 0xaa);
	put(a, 0x24, 4, 0xd000);
	ck_assert_uint_eq(pc_in(&pc, 0xc00f, 1), 0xbb);
	put(a, 0x10, 4, 0xc000);
	put(a, 0x24, 4, 0xc000);
	pc_in(&pc, 0xc000, 1);
	ck_assert_uint_eq(a->range, 16);
	pc_in(&pc, 0xc010, 1);
	ck_assert_uint_eq(a->range, 16 + BAR_WIDE);
	/* Fixed ports stay whose they are: configuration can always move it away again. */
	put(a, 0x24, 4, 0x0c00);
	ck_assert_uint_eq(pc_in(&pc, 0xcf0, 1), 0xaa);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), address(a, 0x24));
	ck_assert_uint_eq(get(a, 0x24, 4), 0x0c01);
	put(a, 0x24, 4, 0xd000);
	ck_assert_uint_eq(pc_in(&pc, 0xcf0, 1), 0xff);
	put(a, 0x14, 4, 0xe0000000);
	put(b, 0x14, 4, 0xe0000000);
	ck_assert_uint_eq(mmio(0xe0000000, false, 1, 0), 0xaa);
	put(a, 0x04, 2, 0);
	ck_assert_uint_eq(mmio(0xe0000000, false, 1, 0), 0xbb);
}
END_TEST

START_TEST(wrong_bars_are_refused)
{
	static const struct { unsigned index; bool memory; uint32_t size; } bad[] = {
		{ 6, true, 16 }, { 0, true, 16 }, { 2, true, 8 }, { 2, true, 0 }, { 2, true, 48 }, { 2, false, 2 },
		{ 2, false, 512 }, { 2, false, 24 }, { UINT32_MAX, false, 16 },
	};
	struct err err = { 0 };
	unsigned i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(pci_add_bar(&a->f, bad[i].index, bad[i].memory, bad[i].size, &err), -EINVAL);
	ck_assert_uint_eq(get(a, 0x18, 4), 0);
	ck_assert_int_eq(pci_add_bar(&a->f, 2, true, 0x80000000, &err), 0);
	ck_assert_int_eq(pci_add_bar(&a->f, 3, true, 16, &err), 0);
	ck_assert_int_eq(pci_add_bar(&a->f, 4, false, 4, &err), 0);
	put(a, 0x18, 4, 0xffffffff);
	ck_assert_uint_eq(get(a, 0x18, 4), 0x80000000);
	put(a, 0x20, 4, 0xffffffff);
	ck_assert_uint_eq(get(a, 0x20, 4), 0xfffffffd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pci_bars");
	TCase *t = tcase_create("pci_bars");

	tcase_set_timeout(t, 30);       /* a busy host */
	tcase_add_checked_fixture(t, pci_rig_init, pci_rig_done);
	tcase_add_loop_test(t, bars_tell_their_size_and_move, 0, COUNT(bars));
	tcase_add_test(t, windows_see_offsets_and_widths);
	tcase_add_test(t, windows_may_lie_on_each_other);
	tcase_add_test(t, wrong_bars_are_refused);
	suite_add_tcase(s, t);
	return unit_main(s);
}
