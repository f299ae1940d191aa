/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/chipset_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#define TIMER_HZ        3579545ull
#define NS              1000000000ull
#define HALF            (1ull << 23)    /* ticks from one overflow to the next */

static struct chipset_rig rig;

static void setup(void)
{
	rig_init(&rig);
}

static void teardown(void)
{
	rig_done(&rig);
}

START_TEST(power_management_has_places)
{
	/* Nowhere before firmware puts it somewhere, each with a switch. */
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 8, 4), 0xffffffff);
	rig_put(&rig, PM, 0x40, 4, RIG_PMBASE | 1);
	rig_put(&rig, PM, 0x90, 4, RIG_SMBBA | 1);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 8, 4), 0xffffffff);
	rig_put(&rig, PM, 0x80, 1, 1);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 8, 4), 0);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 0x3f, 1), 0);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 0x40, 1), 0xff);
	rig_put(&rig, PM, 0xd2, 1, 1);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_SMBBA, 1), 0xff);
	rig_put(&rig, PM, 0x04, 2, 1);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_SMBBA, 1), 0);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_SMBBA + 15, 1), 0);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_SMBBA + 16, 1), 0xff);
	rig_put(&rig, PM, 0xd2, 1, 0);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_SMBBA, 1), 0xff);
	rig_put(&rig, PM, 0x40, 4, 0xb000);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE, 2), 0xffff);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xb000, 2), 0);
	rig_put(&rig, PM, 0x40, 4, 0);
	ck_assert_uint_eq(pc_in(&rig.pc, 0, 4), 0xffffffff);
	rig_put(&rig, PM, 0x40, 4, 0xffc0);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xffff, 1), 0);
	/* Over configuration's own ports it does not reach. */
	rig_put(&rig, PM, 0x40, 4, 0xcc0);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xcf4, 4), 0x7fffbfff);
	ck_assert_uint_eq(rig_get(&rig, PM, 0x40, 4), 0xcc1);
	bus_reset(rig.pc.bus);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xcf4, 4), 0xffffffff);
}
END_TEST

/* The first nanosecond of a tick. */
static uint64_t tick(uint64_t n)
{
	return n / TIMER_HZ * NS + (n % TIMER_HZ * NS + TIMER_HZ - 1) / TIMER_HZ;
}

START_TEST(timer_counts_24_bits)
{
	static const uint64_t at[] = { 0, 1, 2, 255, 256, 0x7fffff, 0x800000, 0xffffff, 0x1000000, 0x123456789a };
	size_t i;

	rig_enable_pm(&rig);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		rig.pc.clock = tick(at[i]);
		ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 8, 4), at[i] & 0xffffff);
		ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 9, 1), at[i] >> 8 & 0xff);
		ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 10, 2), at[i] >> 16 & 0xff);
		pc_out(&rig.pc, RIG_PMBASE + 8, 4, 0x55);
		if (at[i]) {
			rig.pc.clock--;
			ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 8, 4), (at[i] - 1) & 0xffffff);
		}
	}
	rig.pc.clock = NS;
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 8, 4), 3579545);
	rig.pc.clock = UINT64_MAX;
	pc_in(&rig.pc, RIG_PMBASE + 8, 4);
	fake_pc_round_trip(&rig.pc);
}
END_TEST

START_TEST(overflow_sets_a_status)
{
	uint64_t n;

	rig_enable_pm(&rig);
	for (n = 1; n < 5; n++) {
		rig.pc.clock = tick(n * HALF) - 1;
		ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE, 2), 0);
		rig.pc.clock++;
		ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE, 2), 1);
		pc_out(&rig.pc, RIG_PMBASE, 2, 0xfffe);
		ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE, 1), 1);
		pc_out(&rig.pc, RIG_PMBASE, 2, 0x0001);
		ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE, 2), 0);
	}
	/* Nobody asked to be interrupted. */
	ck_assert(rig.pc.deadline == DEV_NEVER);
	ck_assert_uint_eq(rig.pc.irqs, 0);
	/* A reset does not see what was before it. */
	rig.pc.clock = tick(6 * HALF);
	bus_reset(rig.pc.bus);
	rig_enable_pm(&rig);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE, 2), 0);
}
END_TEST

START_TEST(overflow_interrupts)
{
	rig_enable_pm(&rig);
	pc_out(&rig.pc, RIG_PMBASE + 2, 2, 1);
	ck_assert(rig.pc.deadline == DEV_NEVER);    /* ACPI is off: that would be an SMI */
	pc_out(&rig.pc, RIG_PMBASE + 4, 2, 1);
	ck_assert(rig.pc.deadline == tick(HALF));
	fake_pc_run_to(&rig.pc, tick(HALF) - 1);
	ck_assert_uint_eq(rig_lines(&rig), 0);
	fake_pc_run_to(&rig.pc, tick(HALF));
	ck_assert_uint_eq(rig_lines(&rig), 1 << SCI);
	ck_assert(rig.pc.deadline == DEV_NEVER);
	fake_pc_round_trip(&rig.pc);
	ck_assert_uint_eq(rig_lines(&rig), 1 << SCI);
	pc_out(&rig.pc, RIG_PMBASE, 2, 1);
	ck_assert_uint_eq(rig_lines(&rig), 0);
	ck_assert(rig.pc.deadline == tick(2 * HALF));
	fake_pc_round_trip(&rig.pc);
	ck_assert(rig.pc.deadline == tick(2 * HALF));
	fake_pc_run_to(&rig.pc, tick(2 * HALF));
	ck_assert_uint_eq(rig_lines(&rig), 1 << SCI);
	pc_out(&rig.pc, RIG_PMBASE + 2, 2, 0);
	ck_assert_uint_eq(rig_lines(&rig), 0);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE, 2), 1);
	pc_out(&rig.pc, RIG_PMBASE + 2, 2, 1);
	ck_assert_uint_eq(rig_lines(&rig), 1 << SCI);
	pc_out(&rig.pc, RIG_PMBASE + 4, 2, 0);
	ck_assert_uint_eq(rig_lines(&rig), 0);
	pc_out(&rig.pc, RIG_PMBASE + 4, 2, 1);
	bus_reset(rig.pc.bus);
	ck_assert_uint_eq(rig_lines(&rig), 0);
	ck_assert(rig.pc.deadline == DEV_NEVER);
}
END_TEST

/* An overflow that is past, but that nobody has looked at, is so after a load too. */
START_TEST(overflows_are_saved)
{
	struct dev_buf buf = { 0 };

	rig_enable_pm(&rig);
	pc_out(&rig.pc, RIG_PMBASE + 4, 2, 1);
	pc_out(&rig.pc, RIG_PMBASE + 2, 2, 1);
	rig.pc.clock = tick(HALF) + 5;
	fake_pc_save(&rig.pc, &buf);
	rig.pc.clock = tick(3 * HALF);
	bus_reset(rig.pc.bus);
	rig.pc.clock = tick(HALF) + 5;
	ck_assert_int_eq(bus_load(rig.pc.bus, &buf, NULL), 0);
	ck_assert(rig.pc.deadline == tick(HALF));
	fake_pc_run_to(&rig.pc, rig.pc.clock);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE, 2), 1);
	ck_assert_uint_eq(rig_lines(&rig), 1 << SCI);
	free(buf.data);
}
END_TEST

START_TEST(acpi_is_switched_by_apm)
{
	rig_enable_pm(&rig);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 4, 2), 0);
	outb(&rig.pc, 0xb2, 0xf1);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 4, 2), 1);
	ck_assert_uint_eq(inb(&rig.pc, 0xb2), 0xf1);
	outb(&rig.pc, 0xb3, 0xf0);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 4, 2), 1);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xb2, 2), 0xf0f1);
	outb(&rig.pc, 0xb2, 0x53);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 4, 2), 1);
	outb(&rig.pc, 0xb2, 0xf0);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 4, 2), 0);
	ck_assert_uint_eq(inb(&rig.pc, 0xb3), 0xf0);
	pc_out(&rig.pc, 0xb2, 2, 0x1234);
	fake_pc_round_trip(&rig.pc);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xb2, 2), 0x1234);
	bus_reset(rig.pc.bus);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xb2, 2), 0);
}
END_TEST

START_TEST(general_purpose_events_never_come)
{
	ck_assert_uint_eq(pc_in(&rig.pc, 0xafe0, 4), 0);
	pc_out(&rig.pc, 0xafe0, 4, 0x1234ffff);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xafe0, 4), 0x12340000);
	outb(&rig.pc, 0xafe2, 0x56);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xafe2, 2), 0x1256);
	fake_pc_round_trip(&rig.pc);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xafe2, 2), 0x1256);
	ck_assert_uint_eq(pc_in(&rig.pc, 0xafe4, 1), 0xff);
}
END_TEST

static const struct {
	unsigned offset, size;
	uint32_t value, reads;
	unsigned offs;
} sleeps[] = {
	{ 4, 2, 0x2000, 0, 1 }, { 4, 2, 0x2001, 1, 1 }, { 4, 4, 0x2001, 1, 1 }, { 5, 1, 0x20, 0, 1 },
	{ 4, 2, 0xe3ff, 0x0003, 1 },
	{ 4, 2, 0x0000, 0, 0 }, { 4, 2, 0x2400, 0x0400, 0 }, { 4, 2, 0x2800, 0x0800, 0 }, { 4, 2, 0x3c00, 0x1c00, 0 },
	{ 4, 1, 0x20, 0, 0 }, { 2, 2, 0x2000, 0, 0 },
};

START_TEST(guest_switches_itself_off)
{
	rig_enable_pm(&rig);
	pc_out(&rig.pc, (uint16_t)(RIG_PMBASE + sleeps[_i].offset), sleeps[_i].size, sleeps[_i].value);
	ck_assert_uint_eq(rig.pc.power_offs, sleeps[_i].offs);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 4, 2), sleeps[_i].reads);
	fake_pc_round_trip(&rig.pc);
	ck_assert_uint_eq(rig.pc.power_offs, sleeps[_i].offs);
}
END_TEST

START_TEST(smbus_has_nobody_on_it)
{
	rig_enable_pm(&rig);
	ck_assert_uint_eq(inb(&rig.pc, RIG_SMBBA), 0);
	outb(&rig.pc, RIG_SMBBA + 4, 0xa1);
	outb(&rig.pc, RIG_SMBBA + 3, 0x02);
	outb(&rig.pc, RIG_SMBBA + 2, 0x08);
	ck_assert_uint_eq(inb(&rig.pc, RIG_SMBBA), 0);
	outb(&rig.pc, RIG_SMBBA + 2, 0x48);
	/* Not busy, and failed. */
	ck_assert_uint_eq(inb(&rig.pc, RIG_SMBBA), 0x04);
	ck_assert_uint_eq(inb(&rig.pc, RIG_SMBBA + 2), 0x08);
	ck_assert_uint_eq(inb(&rig.pc, RIG_SMBBA + 4), 0xa1);
	fake_pc_round_trip(&rig.pc);
	outb(&rig.pc, RIG_SMBBA, 0x1b);
	ck_assert_uint_eq(inb(&rig.pc, RIG_SMBBA), 0x04);
	outb(&rig.pc, RIG_SMBBA, 0x1e);
	ck_assert_uint_eq(inb(&rig.pc, RIG_SMBBA), 0);
	pc_out(&rig.pc, RIG_SMBBA + 12, 4, 0xffffffff);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_SMBBA + 12, 4), 0);
}
END_TEST

/* Its state is 64 + 16 + 2 + 2 + 8 bytes, then configuration space. */
#define AT_HALF         84u
#define AT_CONFIG       92u

static const struct {
	unsigned at;
	uint8_t value;
} bad[] = {
	{ 0x00, 0x02 }, { 0x01, 0x01 }, { 0x02, 0x02 }, { 0x04, 0x04 }, { 0x05, 0x20 }, { 0x08, 1 }, { 0x37, 0x80 },
	{ 0x3f, 1 }, { 0x40, 0x01 }, { 0x42, 0x40 }, { 0x4f, 1 }, { AT_HALF + 5, 1 }, { AT_HALF + 7, 0x80 },
	{ AT_CONFIG + 0x00, 0 }, { AT_CONFIG + 0x40, 0 }, { AT_CONFIG + 0x80, 2 }, { AT_CONFIG + 0x100, 2 },
};

START_TEST(nonsense_changes_nothing)
{
	struct dev_buf state = { 0 };

	fake_pc_save(&rig.pc, &state);
	rig_enable_pm(&rig);
	pc_out(&rig.pc, RIG_PMBASE + 2, 2, 0x0521);
	outb(&rig.pc, RIG_PMBASE + 4, 1);
	fake_pc_run_to(&rig.pc, tick(HALF));
	rig_refuses(&rig, &state, "piix4_pm", bad[_i].at, bad[_i].value);
	ck_assert_uint_eq(pc_in(&rig.pc, RIG_PMBASE + 2, 2), 0x0521);
	ck_assert_uint_eq(rig_lines(&rig), 1 << SCI);
	free(state.data);
}
END_TEST

static char shown[8192];

static void note_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	size_t n = strlen(shown);

	(void)arg;
	ck_assert_ptr_nonnull(name);
	snprintf(shown + n, sizeof(shown) - n, "%s/%u=0x%llx %s\n", name, bits, (unsigned long long)value,
		 text ? text : "-");
}

START_TEST(registers_are_shown)
{
	static const struct dev_show show = { .reg = note_reg };
	static const char *const want[] = {
		"COMMAND/16=0x6 memory master\n", "PAM1/8=0x33 -\n", "SMRAM/8=0x2 -\n", "DRB0-3/32=0x1010101 -\n",
		"PIRQRCC/8=0xb -\n", "XBCS/16=0x3 -\n", "PMBASE/32=0x601 -\n", "DEVACTB/32=0x2000000 -\n",
		"PMSTS/16=0x1 -\n", "PMEN/16=0x1 -\n", "PMCNTRL/16=0x1 -\n", "PMTMR/24=0x800000 -\n",
		"GPE0_EN/16=0x1234 -\n",
		"APMC/8=0xf1 -\n", "SMBHSTSTS/8=0x4 -\n", "SCI/1=0x0 idle\n", "IRQ_LINE/8=0x0 INTA, PIRQA, idle\n",
	};
	struct dev_buf before = { 0 }, after = { 0 };
	const struct device *d;
	size_t i;

	rig_enable_pm(&rig);
	rig_put(&rig, HOST_BRIDGE, 0x5a, 1, 0x33);
	rig_put(&rig, ISA_BRIDGE, 0x62, 1, 0x0b);
	outb(&rig.pc, 0xb2, 0xf1);
	pc_out(&rig.pc, 0xafe2, 2, 0x1234);
	outb(&rig.pc, RIG_SMBBA + 2, 0x48);
	outb(&rig.pc, RIG_PMBASE + 2, 1);
	rig.pc.clock = tick(HALF);
	fake_pc_save(&rig.pc, &before);
	for (i = 0; (d = bus_device(rig.pc.bus, i)); i++)
		if (d->ops->show)
			d->ops->show(d, &show);
	fake_pc_save(&rig.pc, &after);
	ck_assert_mem_eq(before.data, after.data, before.len);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		ck_assert_msg(strstr(shown, want[i]) != NULL, "no %s in %s", want[i], shown);
	free(before.data);
	free(after.data);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("pm");
	TCase *t = tcase_create("pm");

	tcase_set_timeout(t, 30);       /* a busy host */
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, power_management_has_places);
	tcase_add_test(t, timer_counts_24_bits);
	tcase_add_test(t, overflow_sets_a_status);
	tcase_add_test(t, overflow_interrupts);
	tcase_add_test(t, overflows_are_saved);
	tcase_add_test(t, acpi_is_switched_by_apm);
	tcase_add_test(t, general_purpose_events_never_come);
	tcase_add_loop_test(t, guest_switches_itself_off, 0, COUNT(sleeps));
	tcase_add_test(t, smbus_has_nobody_on_it);
	tcase_add_loop_test(t, nonsense_changes_nothing, 0, COUNT(bad));
	tcase_add_test(t, registers_are_shown);
	suite_add_tcase(s, t);
	return unit_main(s);
}
