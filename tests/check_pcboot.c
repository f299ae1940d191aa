/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chipset programmed as firmware would, so that the tables for kernels are true. */
#include "dev/pcboot.h"

#include <stdlib.h>

#include "tests/chipset_rig.h"
#include "tests/unit.h"

static struct chipset_rig rig;

static void setup(void)
{
	rig_init(&rig);
}

static void teardown(void)
{
	rig_done(&rig);
}

START_TEST(places_power_management)
{
	ck_assert_uint_eq(pc_in(&rig.pc, PCBOOT_PM_BASE + 8, 4), 0xffffffff);
	pcboot_program(rig.pc.bus);
	ck_assert_uint_eq(pc_in(&rig.pc, PCBOOT_PM_BASE + 8, 4), 0);
	ck_assert_uint_eq(pc_in(&rig.pc, PCBOOT_PM_BASE + 4, 2), 0);
	ck_assert_uint_eq(pc_in(&rig.pc, PCBOOT_SMB_BASE, 1), 0);
	/* ACPI on, as the FADT says; then off with sleep type 0. */
	pc_out(&rig.pc, 0xb2, 1, 0xf1);
	ck_assert_uint_eq(pc_in(&rig.pc, PCBOOT_PM_BASE + 4, 2), 1);
	pc_out(&rig.pc, 0xb2, 1, 0xf0);
	ck_assert_uint_eq(pc_in(&rig.pc, PCBOOT_PM_BASE + 4, 2), 0);
}
END_TEST

START_TEST(routes_interrupts)
{
	unsigned slot, pirq;

	pcboot_program(rig.pc.bus);
	for (pirq = 0; pirq < 4; pirq++)
		ck_assert_uint_eq(rig_get(&rig, ISA_BRIDGE, 0x60 + pirq, 1), pirq < 2 ? 10 : 11);
	ck_assert_uint_eq(rig_get(&rig, PM, PCI_IRQ_LINE, 1), 10);
	ck_assert_uint_eq(rig_get(&rig, CARD, PCI_IRQ_LINE, 1), 11);
	ck_assert_uint_eq(rig_get(&rig, ISA_BRIDGE, PCI_IRQ_LINE, 1), 0);
	/* What the macro says of a slot is where its interrupt comes out, whatever the slot. */
	for (slot = 4; slot < 32; slot++) {
		struct pci_function *f = rig_add_card(&rig, slot);
		unsigned line = PCBOOT_PIRQ_LINE(PCBOOT_PIRQ(slot, 0));

		pcboot_program(rig.pc.bus);
		ck_assert_uint_eq(rig_get(&rig, slot << 11, PCI_IRQ_LINE, 1), line);
		bus_lock(rig.pc.bus);
		pci_set_intx(f, true);
		ck_assert_uint_eq(rig_lines(&rig), 1u << line);
		pci_set_intx(f, false);
		bus_unlock(rig.pc.bus);
		ck_assert_uint_eq(rig_lines(&rig), 0);
	}
}
END_TEST

START_TEST(is_as_after_a_reset_but_for_that)
{
	struct dev_buf first = { 0 }, again = { 0 };

	pcboot_program(rig.pc.bus);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xcf8, 4), 0);
	ck_assert_int_eq(bus_save(rig.pc.bus, &first), 0);
	/* BARs are the guest's to place. */
	ck_assert_uint_eq(rig_get(&rig, CARD, PCI_COMMAND, 2) & 7, 0);
	rig_put(&rig, PM, 0x40, 4, 0xb001);
	rig_put(&rig, ISA_BRIDGE, 0x60, 1, 0x80);
	bus_reset(rig.pc.bus);
	ck_assert_uint_eq(pc_in(&rig.pc, PCBOOT_PM_BASE + 8, 4), 0xffffffff);
	pcboot_program(rig.pc.bus);
	ck_assert_int_eq(bus_save(rig.pc.bus, &again), 0);
	ck_assert_uint_eq(first.len, again.len);
	ck_assert_mem_eq(first.data, again.data, first.len);
	free(first.data);
	free(again.data);
}
END_TEST

START_TEST(without_pci)
{
	struct fake_pc pc;

	fake_pc_init(&pc);
	pcboot_program(pc.bus);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), 0xffffffff);
	fake_pc_done(&pc);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pcboot");
	TCase *t = tcase_create("pcboot");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, places_power_management);
	tcase_add_test(t, routes_interrupts);
	tcase_add_test(t, is_as_after_a_reset_but_for_that);
	tcase_add_test(t, without_pci);
	suite_add_tcase(s, t);
	return unit_main(s);
}
