/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two drives of a channel share: selection, resets, interrupts; places where there is none. */
#include "dev/ide.h"

#include <errno.h>

#include "tests/ide_rig.h"
#include "tests/unit.h"

static struct ide_rig rig;
static uint8_t buf[256 * 512];

static void setup(void)
{
	ide_rig_init(&rig);
}

static void teardown(void)
{
	ide_rig_done(&rig);
}

static uint16_t word(unsigned i)
{
	return (uint16_t)(buf[2 * i] | buf[2 * i + 1] << 8);
}

static uint64_t words(unsigned i, unsigned n)
{
	return n ? word(i) | words(i + 1, n - 1) << 16 : 0;
}

static void identify(unsigned c, uint8_t device)
{
	ide_command(&rig, c, device, 0, 0, 0xec);
	ck_assert_uint_eq(ide_wait(&rig, c), DRDY | DSC | DRQ);
	ck_assert(ide_irq(&rig, c));
	ide_data_in(&rig, c, 2, buf, 512);
	ck_assert_uint_eq(ide_alt(&rig, c), DRDY | DSC);
}

static void expect_signature(unsigned c, uint8_t mid, uint8_t high)
{
	ck_assert_uint_eq(ide_get(&rig, c, ERROR_), 1);
	ck_assert_uint_eq(ide_get(&rig, c, COUNT), 1);
	ck_assert_uint_eq(ide_get(&rig, c, LBA_LOW), 1);
	ck_assert_uint_eq(ide_get(&rig, c, LBA_MID), mid);
	ck_assert_uint_eq(ide_get(&rig, c, LBA_HIGH), high);
}

START_TEST(power_on)
{
	ck_assert_uint_eq(ide_get(&rig, 0, STATUS), DRDY | DSC);
	expect_signature(0, 0, 0);
	ck_assert_uint_eq(ide_get(&rig, 1, STATUS), 0);
	expect_signature(1, 0x14, 0xeb);
	ide_put(&rig, 1, DEVICE, SLAVE);
	ck_assert_uint_eq(ide_get(&rig, 1, STATUS), DRDY | DSC);
	expect_signature(1, 0, 0);
	ck_assert_uint_eq(pci_config_read(&rig, 0, 4), 0x70108086);
	ck_assert_uint_eq(pci_config_read(&rig, 8, 4), 0x01018000);
	ck_assert_uint_eq(rig.pc.irqs, 0);
}
END_TEST

START_TEST(absent_slave)
{
	ide_put(&rig, 0, LBA_LOW, 0x5a);
	ide_put(&rig, 0, DEVICE, SLAVE);
	ck_assert_uint_eq(ide_get(&rig, 0, STATUS), 0);
	ck_assert_uint_eq(ide_alt(&rig, 0), 0);
	/* The master answers with its own registers. */
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_LOW), 0x5a);
	ck_assert_uint_eq(ide_get(&rig, 0, DEVICE), SLAVE);
	/* Nobody carries a command out. */
	ide_put(&rig, 0, COMMAND, 0xec);
	ck_assert_uint_eq(ide_alt(&rig, 0), 0);
	ck_assert(!ide_irq(&rig, 0));
	ck_assert_uint_eq(pc_in(&rig.pc, 0x1f0, 2), 0);
	ide_put(&rig, 0, DEVICE, MASTER);
	ck_assert_uint_eq(ide_get(&rig, 0, STATUS), DRDY | DSC);
	/* But the master does diagnostics for both. */
	ide_put(&rig, 0, DEVICE, SLAVE);
	ide_put(&rig, 0, COMMAND, 0x90);
	ck_assert(ide_irq(&rig, 0));
	ck_assert_uint_eq(ide_get(&rig, 0, DEVICE), MASTER);
	expect_signature(0, 0, 0);
}
END_TEST

START_TEST(empty_places)
{
	struct disk_spec spec[IDE_DRIVES] = { { 0 } };
	unsigned i;

	ide_rig_done(&rig);
	ide_rig_init_env(&rig);
	spec[3].path = disk_env_file(&rig.env, 'd', 5120);
	ide_rig_attach(&rig, spec);
	for (i = 0; i < 8; i++)
		ck_assert_uint_eq(ide_get(&rig, 0, i), i ? 0x7f : 0xff);
	ck_assert_uint_eq(ide_alt(&rig, 0), 0x7f);
	ck_assert_uint_eq(pc_in(&rig.pc, 0x1f0, 4), 0xffffffff);
	ide_command(&rig, 0, MASTER, 0, 1, 0xec);
	ide_command(&rig, 0, SLAVE, 0, 1, 0x90);
	ide_control(&rig, 0, SRST);
	ide_control(&rig, 0, 0);
	ck_assert_uint_eq(ide_alt(&rig, 0), 0x7f);
	/* A slave does not answer for its master. */
	ck_assert_uint_eq(ide_get(&rig, 1, STATUS), 0x7f);
	ide_command(&rig, 1, MASTER, 0, 1, 0xec);
	ck_assert_uint_eq(ide_get(&rig, 1, STATUS), 0x7f);
	identify(1, SLAVE);
	ck_assert_uint_eq(words(60, 2), 10);
	ck_assert_uint_eq(rig.pc.irqs, 1);
}
END_TEST

START_TEST(soft_reset)
{
	ide_command(&rig, 1, SLAVE, 0, 8, 0xc6);
	ide_command(&rig, 1, SLAVE, 5, 2, 0x20);
	ide_wait(&rig, 1);
	ck_assert(ide_irq(&rig, 1));
	ide_control(&rig, 1, SRST);
	ck_assert(!ide_irq(&rig, 1));
	ck_assert_uint_eq(ide_alt(&rig, 1), BSY);
	ide_put(&rig, 1, LBA_LOW, 0x77);
	ide_put(&rig, 1, DEVICE, SLAVE);
	ide_put(&rig, 1, COMMAND, 0xec);
	ide_control(&rig, 1, 0);
	/* The master is selected, and both show who they are. */
	ck_assert_uint_eq(ide_alt(&rig, 1), 0);
	expect_signature(1, 0x14, 0xeb);
	ide_put(&rig, 1, DEVICE, SLAVE);
	ck_assert_uint_eq(ide_wait(&rig, 1), DRDY | DSC);
	expect_signature(1, 0, 0);
	identify(1, SLAVE);
	ck_assert_uint_eq(word(59), 0x0110);
	/* Unless it was told to keep its settings. */
	ide_command(&rig, 1, SLAVE, 0, 8, 0xc6);
	ide_put(&rig, 1, FEATURE, 0x66);
	ide_command(&rig, 1, SLAVE, 0, 0, 0xef);
	ide_control(&rig, 1, SRST);
	ide_control(&rig, 1, 0);
	identify(1, SLAVE);
	ck_assert_uint_eq(word(59), 0x0108);
	bus_reset(rig.pc.bus);
	identify(1, SLAVE);
	ck_assert_uint_eq(word(59), 0x0110);
}
END_TEST

/* A reset while the disk is at a request: its result is nobody's, and the next command's data is right. */
START_TEST(reset_with_a_request_under_way)
{
	unsigned i;

	for (i = 0; i < 50; i++) {
		ide_command(&rig, 0, MASTER, i, 200, 0x20);
		if (i % 3 == 0) {
			ide_control(&rig, 0, SRST);
			ide_control(&rig, 0, 0);
		} else if (i % 3 == 1) {
			bus_reset(rig.pc.bus);
			ck_assert_uint_eq(ide_alt(&rig, 0), DRDY | DSC);
		} else {
			/* Not while it is busy. */
			ide_put(&rig, 0, COMMAND, 0x90);
			ide_put(&rig, 0, LBA_LOW, 99);
			ide_wait(&rig, 0);
			ide_data_in(&rig, 0, 4, buf, 200 * 512);
			ide_expect_pattern(buf, i * 512, 200 * 512);
			ide_control(&rig, 0, SRST);
			ide_control(&rig, 0, 0);
		}
		ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
		expect_signature(0, 0, 0);
		ck_assert(!ide_irq(&rig, 0));
		ide_command(&rig, 0, MASTER, 500 + i, 1, 0x20);
		ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
		ide_data_in(&rig, 0, 2, buf, 512);
		ide_expect_pattern(buf, (500 + i) * 512, 512);
	}
}
END_TEST

START_TEST(interrupts)
{
	ide_control(&rig, 0, NIEN);
	ide_command(&rig, 0, MASTER, 0, 0, 0xe7);
	ide_wait(&rig, 0);
	ck_assert(!ide_irq(&rig, 0));
	/* It has been pending all the time. */
	ide_control(&rig, 0, 0);
	ck_assert(ide_irq(&rig, 0));
	/* The alternate status does not take it back; another command does. */
	ide_alt(&rig, 0);
	ck_assert(ide_irq(&rig, 0));
	ide_command(&rig, 0, MASTER, 0, 1, 0x20);
	ck_assert(!ide_irq(&rig, 0));
	ide_wait(&rig, 0);
	ck_assert(ide_irq(&rig, 0));
	/* Only the one that is selected drives the line. */
	ide_put(&rig, 0, DEVICE, SLAVE);
	ck_assert(!ide_irq(&rig, 0));
	ide_get(&rig, 0, STATUS);
	ide_put(&rig, 0, DEVICE, MASTER);
	ck_assert(ide_irq(&rig, 0));
	ck_assert(!ide_irq(&rig, 1));
	bus_reset(rig.pc.bus);
	ck_assert(!ide_irq(&rig, 0));
}
END_TEST

START_TEST(both_drives_hear_registers)
{
	ide_put(&rig, 1, DEVICE, MASTER);
	ide_put(&rig, 1, LBA_LOW, 0x12);
	ide_put(&rig, 1, DEVICE, SLAVE);
	ck_assert_uint_eq(ide_get(&rig, 1, LBA_LOW), 0x12);
	/* But not while one is busy or has data. */
	ide_command(&rig, 1, SLAVE, 0x34, 1, 0x20);
	ide_wait(&rig, 1);
	ide_put(&rig, 1, LBA_LOW, 0x56);
	ck_assert_uint_eq(ide_get(&rig, 1, LBA_LOW), 0x34);
	ide_put(&rig, 1, DEVICE, MASTER);
	ck_assert_uint_eq(ide_get(&rig, 1, LBA_LOW), 0x56);
	/* Both are at something at once. */
	ide_put(&rig, 1, DEVICE, SLAVE);
	ide_data_in(&rig, 1, 2, buf, 512);
	ide_expect_pattern(buf, 0x34 * 512, 512);
}
END_TEST

START_TEST(channel_switched_off)
{
	pci_config_write(&rig, 0x40, 2, 0x0000);
	ck_assert_uint_eq(ide_get(&rig, 0, STATUS), 0x7f);
	ide_control(&rig, 0, NIEN);
	ide_put(&rig, 0, LBA_LOW, 0x99);
	pci_config_write(&rig, 0x40, 2, 0x8000);
	ck_assert_uint_eq(ide_get(&rig, 0, STATUS), DRDY | DSC);
	expect_signature(0, 0, 0);
	ck_assert_uint_eq(ide_get(&rig, 1, STATUS), 0);
	pci_config_write(&rig, 0x40, 4, 0);
	bus_reset(rig.pc.bus);
	ck_assert_uint_eq(pci_config_read(&rig, 0x40, 4), 0x80008000);
}
END_TEST

START_TEST(places_taken)
{
	struct disk *const none[IDE_DRIVES] = { NULL };
	struct err err = { 0 };

	ck_assert_int_eq(ide_attach(rig.pci, none, &err), -EEXIST);
	ck_assert_str_eq(err.msg, "ide: port 0x170 belongs to ide");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ide_channel");
	TCase *t = tcase_create("channel");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, power_on);
	tcase_add_test(t, absent_slave);
	tcase_add_test(t, empty_places);
	tcase_add_test(t, soft_reset);
	tcase_add_test(t, reset_with_a_request_under_way);
	tcase_add_test(t, interrupts);
	tcase_add_test(t, both_drives_hear_registers);
	tcase_add_test(t, channel_switched_off);
	tcase_add_test(t, places_taken);
	suite_add_tcase(s, t);
	return unit_main(s);
}
