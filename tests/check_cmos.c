/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/pc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_pc.h"
#include "tests/unit.h"

#define MIB             (1ull << 20)
#define GIB             (1ull << 30)
#define T2026           1795296279ull   /* Saturday 2026-11-21 21:24:39 UTC */

#define SECOND          1000000000ull   /* of the clock */
#define GSI             8

static struct fake_pc pc;

static void setup(void)
{
	fake_pc_init(&pc);
	pc.now = T2026;
	ck_assert_int_eq(cmos_attach(pc.bus, 128 * MIB, 4, 0x51, NULL), 0);
}

static void teardown(void)
{
	fake_pc_done(&pc);
}

static uint8_t cmos(unsigned index)
{
	outb(&pc, 0x70, (uint8_t)index);
	return inb(&pc, 0x71);
}

static void set_cmos(unsigned index, unsigned value)
{
	outb(&pc, 0x70, (uint8_t)index);
	outb(&pc, 0x71, (uint8_t)value);
}

/* Both clocks go on. */
static void later(uint64_t ns)
{
	pc.now += ns / SECOND;
	fake_pc_run_to(&pc, pc.clock + ns);
}

/* Century, year, month, day, hour, minute, second, weekday. */
static const uint8_t time_index[8] = { 0x32, 0x09, 0x08, 0x07, 0x04, 0x02, 0x00, 0x06 };

static void expect_time(const uint8_t *want)
{
	size_t i;

	for (i = 0; i < 8; i++)
		ck_assert_msg(cmos(time_index[i]) == want[i], "register 0x%x is 0x%x, not 0x%x", time_index[i],
			      cmos(time_index[i]), want[i]);
}

static void set_time(const uint8_t *value)
{
	size_t i;

	for (i = 0; i < 8; i++)
		set_cmos(time_index[i], value[i]);
}

static const struct {
	uint64_t now;
	uint8_t b;
	uint8_t want[8];
} times[] = {
	{ T2026, 0x02, { 0x20, 0x26, 0x11, 0x21, 0x21, 0x24, 0x39, 7 } },
	{ T2026, 0x06, { 20, 26, 11, 21, 21, 24, 39, 7 } },
	{ T2026, 0x00, { 0x20, 0x26, 0x11, 0x21, 0x89, 0x24, 0x39, 7 } },
	{ T2026, 0x04, { 20, 26, 11, 21, 0x89, 24, 39, 7 } },
	{ 0, 0x02, { 0x19, 0x70, 1, 1, 0, 0, 0, 5 } },
	{ 0, 0x00, { 0x19, 0x70, 1, 1, 0x12, 0, 0, 5 } },
	{ 43200, 0x00, { 0x19, 0x70, 1, 1, 0x92, 0, 0, 5 } },
	{ 43200 + 3600, 0x00, { 0x19, 0x70, 1, 1, 0x81, 0, 0, 5 } },
	{ 951782400, 0x02, { 0x20, 0x00, 2, 0x29, 0, 0, 0, 3 } },
	{ 951868799, 0x02, { 0x20, 0x00, 2, 0x29, 0x23, 0x59, 0x59, 3 } },
	{ 951868800, 0x02, { 0x20, 0x00, 3, 1, 0, 0, 0, 4 } },
	{ 4107542399, 0x02, { 0x21, 0x00, 2, 0x28, 0x23, 0x59, 0x59, 1 } },
	{ 4107542400, 0x02, { 0x21, 0x00, 3, 1, 0, 0, 0, 2 } },
	{ 1735689599, 0x02, { 0x20, 0x24, 0x12, 0x31, 0x23, 0x59, 0x59, 3 } },
	{ 1735689600, 0x02, { 0x20, 0x25, 1, 1, 0, 0, 0, 4 } },
};

START_TEST(clock_shows_the_hosts_time)
{
	pc.now = times[_i].now;
	set_cmos(0x0b, times[_i].b);
	expect_time(times[_i].want);
}
END_TEST

/* Each of those can be set while the host is elsewhere, and runs on from there. */
START_TEST(clock_can_be_set)
{
	set_cmos(0x0b, times[_i].b | 0x80);
	set_time(times[_i].want);
	pc.now += 1000;                 /* it stands while SET is on */
	expect_time(times[_i].want);
	set_cmos(0x0b, times[_i].b);
	expect_time(times[_i].want);
	pc.now = times[_i].now + 1;
	set_cmos(0x0b, times[_i].b | 0x80);
	set_time(times[_i].want);
	set_cmos(0x0b, times[_i].b);
	bus_reset(pc.bus);
	fake_pc_round_trip(&pc);
	expect_time(times[_i].want);
	/* The guest's clock is one second behind the host's now. */
	pc.now = T2026 + 1;
	set_cmos(0x0b, times[0].b);
	expect_time(times[0].want);
}
END_TEST

START_TEST(clock_takes_single_registers)
{
	set_cmos(0x04, 0x03);
	set_cmos(0x09, 0x99);
	expect_time((const uint8_t[8]){ 0x20, 0x99, 0x11, 0x21, 0x03, 0x24, 0x39, 7 });
	pc.now += 21;
	expect_time((const uint8_t[8]){ 0x20, 0x99, 0x11, 0x21, 0x03, 0x25, 0x00, 7 });
}
END_TEST

START_TEST(clock_survives_nonsense)
{
	uint8_t all[8];
	unsigned b, v;

	for (b = 0; b < 8; b += 2) {
		for (v = 0; v < 256; v++) {
			set_cmos(0x0b, b | 0x80);
			memset(all, (int)v, sizeof(all));
			set_time(all);
			set_cmos(0x0b, b);
			fake_pc_round_trip(&pc);
			set_cmos(0x0b, 0x06);
			ck_assert_uint_lt(cmos(0x00), 60);
			ck_assert_uint_lt(cmos(0x02), 60);
			ck_assert_uint_lt(cmos(0x04), 24);
			ck_assert_uint_le(cmos(0x07) - 1u, 30);
			ck_assert_uint_le(cmos(0x08) - 1u, 11);
			ck_assert_uint_lt(cmos(0x09), 100);
			ck_assert_uint_lt(cmos(0x32), 100);
			ck_assert_uint_le(cmos(0x06) - 1u, 6);
		}
	}
	pc.now = UINT64_MAX;
	set_cmos(0x07, 1);
	fake_pc_round_trip(&pc);
	pc.now = T2026;
	/* Day 0 is the day before the first, month 13 the first of the next year. */
	set_cmos(0x0b, 0x82);
	set_time((const uint8_t[8]){ 0x20, 0x24, 0x03, 0x00, 0, 0, 0, 0 });
	set_cmos(0x0b, 0x02);
	expect_time((const uint8_t[8]){ 0x20, 0x24, 0x02, 0x29, 0, 0, 0, 5 });
	set_cmos(0x0b, 0x82);
	set_time((const uint8_t[8]){ 0x20, 0x24, 0x13, 0x01, 0, 0, 0, 0 });
	set_cmos(0x0b, 0x02);
	expect_time((const uint8_t[8]){ 0x20, 0x25, 0x01, 0x01, 0, 0, 0, 4 });
	set_cmos(0x0b, 0x82);
	set_time((const uint8_t[8]){ 0x20, 0x24, 0x00, 0x01, 0, 0, 0, 0 });
	set_cmos(0x0b, 0x02);
	expect_time((const uint8_t[8]){ 0x20, 0x23, 0x12, 0x01, 0, 0, 0, 6 });
}
END_TEST

START_TEST(clock_registers)
{
	ck_assert_uint_eq(cmos(0x0a), 0x26);
	set_cmos(0x0a, 0xff);
	ck_assert_uint_eq(cmos(0x0a), 0x7f);
	ck_assert_uint_eq(cmos(0x0b), 0x02);
	ck_assert_uint_eq(cmos(0x0d), 0x80);
	set_cmos(0x0d, 0);
	ck_assert_uint_eq(cmos(0x0d), 0x80);
	set_cmos(0x0a, 0x20);
	/* Register C tells of each update once. */
	ck_assert_uint_eq(cmos(0x0c), 0);
	later(SECOND);
	set_cmos(0x0c, 0xff);
	ck_assert_uint_eq(cmos(0x0c), 0x10);
	ck_assert_uint_eq(cmos(0x0c), 0);
	set_cmos(0x0b, 0x7a);
	later(SECOND);
	ck_assert_uint_eq(cmos(0x0c), 0x90);
	/* SET stops updates and their interrupt; a reset stops the interrupts. */
	set_cmos(0x0b, 0xfa);
	ck_assert_uint_eq(cmos(0x0b), 0xea);
	later(SECOND);
	ck_assert_uint_eq(cmos(0x0c), 0);
	bus_reset(pc.bus);
	ck_assert_uint_eq(cmos(0x0b), 0x82);
}
END_TEST

START_TEST(update_interrupt)
{
	set_cmos(0x0b, 0x12);
	ck_assert_uint_eq(pc.deadline, SECOND);
	fake_pc_run_to(&pc, SECOND - 1);
	ck_assert(!pc.level[GSI]);
	fake_pc_run_to(&pc, SECOND);
	ck_assert(pc.level[GSI]);
	/* Nobody acknowledges: nothing more to come. */
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	later(10 * SECOND);
	ck_assert_uint_eq(pc.irqs, 1);
	fake_pc_round_trip(&pc);
	ck_assert(pc.level[GSI]);
	ck_assert_uint_eq(cmos(0x0c), 0xd0);            /* PF comes up unasked */
	ck_assert(!pc.level[GSI]);
	ck_assert_uint_eq(pc.deadline, 12 * SECOND);
	/* An update that was seen by looking is no interrupt any more. */
	pc.clock = 12 * SECOND;
	ck_assert_uint_eq(cmos(0x0c), 0xd0);
	bus_timers(pc.bus, pc.clock);
	ck_assert(!pc.level[GSI]);
	/* Switched on when one is pending: at once. */
	set_cmos(0x0b, 0x02);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	later(SECOND);
	cmos(0x00);
	ck_assert(!pc.level[GSI]);
	set_cmos(0x0b, 0x12);
	ck_assert(pc.level[GSI]);
	set_cmos(0x0b, 0x02);
	ck_assert(!pc.level[GSI]);
	set_cmos(0x0b, 0x12);
	bus_reset(pc.bus);
	ck_assert(!pc.level[GSI]);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	ck_assert_uint_eq(cmos(0x0c), 0);
}
END_TEST

START_TEST(clock_that_is_set_back)
{
	pc.clock = 1000 * SECOND;
	cmos(0x0c);
	pc.clock = 4 * SECOND + 1;
	ck_assert_uint_eq(cmos(0x0c), 0);
	set_cmos(0x0b, 0x12);
	ck_assert_uint_eq(pc.deadline, 5 * SECOND);
}
END_TEST

START_TEST(both_interrupts)
{
	/* The period of half a second, and each second. */
	set_cmos(0x0a, 0x2f);
	set_cmos(0x0b, 0x52);
	ck_assert_uint_eq(pc.deadline, SECOND / 2);
	fake_pc_run_to(&pc, SECOND / 2);
	ck_assert_uint_eq(pc.deadline, SECOND);
	fake_pc_run_to(&pc, SECOND);
	ck_assert_uint_eq(pc.irqs, 1);
	ck_assert_uint_eq(cmos(0x0c), 0xd0);
}
END_TEST

START_TEST(past_is_judged_by_what_was_set_then)
{
	fake_pc_run_to(&pc, SECOND / 2);
	pc.now += 5;
	fake_pc_run_to(&pc, 3 * SECOND / 2);
	/* An alarm two seconds ago; a faster rate. */
	set_cmos(0x05, 0xff);
	set_cmos(0x03, 0xff);
	set_cmos(0x01, 0x42);
	ck_assert_uint_eq(cmos(0x0c) & 0x20, 0);
	set_cmos(0x0a, 0x20);
	cmos(0x0c);
	fake_pc_run_to(&pc, 2 * SECOND + 1);
	set_cmos(0x0a, 0x26);
	ck_assert_uint_eq(cmos(0x0c), 0x10);
}
END_TEST

static const struct {
	uint8_t a;
	unsigned hz;
} rates[] = {
	{ 0x21, 256 }, { 0x22, 128 }, { 0x23, 8192 }, { 0x24, 4096 }, { 0x25, 2048 }, { 0x26, 1024 }, { 0x27, 512 },
	{ 0x28, 256 }, { 0x29, 128 }, { 0x2a, 64 }, { 0x2b, 32 }, { 0x2c, 16 }, { 0x2d, 8 }, { 0x2e, 4 }, { 0x2f, 2 },
};

START_TEST(periodic_interrupt)
{
	unsigned hz = rates[_i].hz, n, before;

	set_cmos(0x0a, rates[_i].a);
	set_cmos(0x0b, 0x42);
	ck_assert_uint_eq(pc.deadline, (SECOND + hz - 1) / hz);
	for (n = 0; n < 2 * hz; n++) {
		ck_assert_uint_ne(pc.deadline, DEV_NEVER);
		fake_pc_run_to(&pc, pc.deadline);
		ck_assert(pc.level[GSI]);
		ck_assert_uint_eq(pc.deadline, DEV_NEVER);
		ck_assert_uint_eq(cmos(0x0c) & 0xe0, 0xc0);
		ck_assert(!pc.level[GSI]);
	}
	ck_assert_uint_eq(pc.clock, 2 * SECOND);
	/* No storm while nobody reads register C. */
	before = pc.irqs;
	later(SECOND);
	ck_assert_uint_eq(pc.irqs - before, 1);
	/* SET does not stop it; the divider does, and rate 0. */
	set_cmos(0x0b, 0xc2);
	cmos(0x0c);
	ck_assert_uint_ne(pc.deadline, DEV_NEVER);
	set_cmos(0x0a, 0x60 | (rates[_i].a & 0x0f));
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	set_cmos(0x0a, 0x20);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	later(SECOND);
	ck_assert_uint_eq(cmos(0x0c) & 0xc0, 0);
}
END_TEST

START_TEST(divider_starts_half_a_second_before_an_update)
{
	fake_pc_run_to(&pc, 123456789);
	set_cmos(0x0b, 0x12);
	set_cmos(0x0a, 0x76);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	cmos(0x0c);
	later(7 * SECOND);
	ck_assert_uint_eq(cmos(0x0c), 0);
	set_cmos(0x0a, 0x26);
	ck_assert_uint_eq(pc.deadline, pc.clock + SECOND / 2);
	fake_pc_round_trip(&pc);
	ck_assert_uint_eq(pc.deadline, pc.clock + SECOND / 2);
}
END_TEST

START_TEST(update_in_progress)
{
	unsigned changes = 0, n;
	uint8_t a, last = cmos(0x0a);

	for (n = 0; n < 10000; n++) {
		pc.clock += SECOND / 1000;
		a = cmos(0x0a);
		ck_assert_uint_eq(a & 0x7f, 0x26);
		changes += a != last;
		last = a;
	}
	/* Up and down each second, but after the last one's. */
	ck_assert_uint_eq(changes, 20);
	pc.clock = 20 * SECOND - 1;
	ck_assert_uint_eq(cmos(0x0a), 0xa6);
	pc.clock = 20 * SECOND;
	ck_assert_uint_eq(cmos(0x0a), 0x26);
	pc.clock = 21 * SECOND - 2228000;
	ck_assert_uint_eq(cmos(0x0a), 0xa6);
	pc.clock--;
	set_cmos(0x0b, 0x82);
	pc.clock = 22 * SECOND - 1;
	ck_assert_uint_eq(cmos(0x0a), 0x26);
}
END_TEST

/* Alarms against 21:24:39: register B; hour, minute and second; seconds until it goes off (0: not within 20). */
static const struct {
	uint8_t b, alarm[3];
	unsigned after;
} alarms[] = {
	{ 0x22, { 0x21, 0x24, 0x42 }, 3 }, { 0x26, { 21, 24, 42 }, 3 }, { 0x20, { 0x89, 0x24, 0x42 }, 3 },
	{ 0x24, { 0x89, 24, 42 }, 3 }, { 0x20, { 0x09, 0x24, 0x42 }, 0 }, { 0x22, { 0x21, 0x24, 0x39 }, 0 },
	{ 0x22, { 0xff, 0xff, 0x45 }, 6 }, { 0x22, { 0xc0, 0xff, 0xc1 }, 1 }, { 0x22, { 0xbf, 0xff, 0xff }, 0 },
	{ 0x22, { 0x21, 0x25, 0x42 }, 0 }, { 0x22, { 0x22, 0x24, 0x42 }, 0 }, { 0x22, { 0x21, 0xff, 0x40 }, 1 },
};

START_TEST(alarm_interrupt)
{
	unsigned n;

	set_cmos(0x05, alarms[_i].alarm[0]);
	set_cmos(0x03, alarms[_i].alarm[1]);
	set_cmos(0x01, alarms[_i].alarm[2]);
	set_cmos(0x0b, alarms[_i].b);
	for (n = 1; n <= 20 && !pc.level[GSI]; n++) {
		ck_assert_uint_eq(pc.deadline, n * SECOND);
		later(SECOND);
	}
	if (!alarms[_i].after) {
		ck_assert(!pc.level[GSI]);
		return;
	}
	ck_assert_uint_eq(n - 1, alarms[_i].after);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	ck_assert_uint_eq(cmos(0x0c) & 0xb0, 0xb0);
	ck_assert(!pc.level[GSI]);
	ck_assert_uint_ne(pc.deadline, DEV_NEVER);
}
END_TEST

START_TEST(alarm_while_the_guest_was_stopped)
{
	set_cmos(0x05, 0x22);
	set_cmos(0x03, 0x00);
	set_cmos(0x01, 0x00);
	set_cmos(0x0b, 0x22);
	/* The time of day goes on, the guest does not: at the next update it is seen. */
	pc.now += 3600;
	ck_assert_uint_eq(pc.irqs, 0);
	fake_pc_run_to(&pc, SECOND);
	ck_assert_uint_eq(cmos(0x0c) & 0xa0, 0xa0);
	/* Days later it is one. */
	pc.now += 100 * 86400;
	fake_pc_run_to(&pc, 2 * SECOND);
	ck_assert_uint_eq(cmos(0x0c) & 0xa0, 0xa0);
	pc.now++;
	fake_pc_run_to(&pc, 3 * SECOND);
	ck_assert_uint_eq(cmos(0x0c) & 0xa0, 0);
	/* Time that is set, or set back, was not passed. */
	set_cmos(0x04, 0x21);
	fake_pc_run_to(&pc, 4 * SECOND);
	set_cmos(0x04, 0x22);
	fake_pc_run_to(&pc, 5 * SECOND);
	ck_assert_uint_eq(cmos(0x0c) & 0xa0, 0);
	pc.now -= 7200;
	fake_pc_run_to(&pc, 6 * SECOND);
	ck_assert_uint_eq(cmos(0x0c) & 0xa0, 0);
	/* No alarm while the time is being set. */
	ck_assert_uint_eq(pc.deadline, 7 * SECOND);
	set_cmos(0x0b, 0xa2);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
}
END_TEST

/* A state of a machine that has run for longer is taken as from now on. */
START_TEST(load_at_an_earlier_time)
{
	struct dev_buf buf = { 0 };

	set_cmos(0x0b, 0x12);
	pc.clock = 1000 * SECOND + 1;
	cmos(0x0c);
	fake_pc_save(&pc, &buf);
	bus_reset(pc.bus);
	pc.clock = 5 * SECOND + 1;
	ck_assert_int_eq(bus_load(pc.bus, &buf, NULL), 0);
	ck_assert_uint_eq(pc.deadline, 6 * SECOND);
	fake_pc_run_to(&pc, 6 * SECOND);
	ck_assert(pc.level[GSI]);
	free(buf.data);
}
END_TEST

START_TEST(what_firmware_reads)
{
	ck_assert_uint_eq(cmos(0x10), 0);
	ck_assert_uint_eq(cmos(0x14), 0x02);
	ck_assert_uint_eq(cmos(0x38), 0);
	ck_assert_uint_eq(cmos(0x39), 0x51);
	ck_assert_uint_eq(cmos(0x3d), 0x32);
	ck_assert_uint_eq(cmos(0x5f), 3);
	set_cmos(0x5f, 7);
	set_cmos(0x3d, 0x23);
	bus_reset(pc.bus);
	ck_assert_uint_eq(cmos(0x5f), 3);
	ck_assert_uint_eq(cmos(0x3d), 0x23);
	fake_pc_done(&pc);
	fake_pc_init(&pc);
	ck_assert_int_eq(cmos_attach(pc.bus, MIB, 1000, 0, NULL), 0);
	ck_assert_uint_eq(cmos(0x5f), 255);
}
END_TEST

static char seen_text[512];

static void note_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	size_t len = strlen(seen_text);

	(void)arg;
	ck_assert(bits == 64 || value >> bits == 0);
	snprintf(seen_text + len, sizeof(seen_text) - len, "%s=%llx %s\n", name, (unsigned long long)value, text ? text : "");
}

START_TEST(shows_its_registers)
{
	const struct dev_show s = { .reg = note_reg };
	struct dev_buf a = { 0 }, b = { 0 };
	const struct device *d = bus_device(pc.bus, 0);

	set_cmos(0x0b, 0x52);
	later(SECOND);
	outb(&pc, 0x70, 0x8f);
	fake_pc_save(&pc, &a);
	seen_text[0] = '\0';
	d->ops->show(d, &s);
	ck_assert_str_eq(seen_text, "time=6b020c18 2026-11-21 21:24:40\nindex=8f NMI masked\nrtc_a=26 1024 Hz\n"
			 "rtc_b=52 BCD, 24 hours; enabled: periodic update\n"
			 "rtc_c=d0 IRQ 8 is up; pending: periodic update\nalarm_hour=0 \nalarm_minute=0 \nalarm_second=0 \n"
			 "shutdown=0 \nboot_order=32 \n");
	fake_pc_save(&pc, &b);
	ck_assert_mem_eq(a.data, b.data, a.len);
	free(a.data);
	free(b.data);
}
END_TEST

/* Any register, any time, any value: the line and the timer keep to what the registers say. */
START_TEST(random_accesses)
{
	uint64_t seed = 0x9e3779b97f4a7c15ull + (uint64_t)_i;
	uint8_t b, c;
	unsigned n;
	uint32_t r;

	for (n = 0; n < 100000; n++) {
		seed ^= seed >> 12;
		seed ^= seed << 25;
		seed ^= seed >> 27;
		r = (uint32_t)(seed * 0x2545f4914f6cdd1dull >> 32);
		if (r % 8 == 0)
			later(r >> 8 & 1 ? r >> 12 : SECOND + (r >> 6));
		else if (r % 64 == 1)
			pc.now += r;
		else if (r % 256 == 2)
			bus_reset(pc.bus);
		else if (r & 0x100)
			set_cmos(r & 0x200 ? (r >> 10) % 16 : r >> 10, (uint8_t)(r >> 20));
		else
			cmos(r & 0x200 ? (r >> 10) % 16 : r >> 10);
		if (n % 16)
			continue;
		fake_pc_round_trip(&pc);
		b = cmos(0x0b);
		c = pc.level[GSI];
		ck_assert_uint_eq(cmos(0x0c) >> 7, c);
		ck_assert(!pc.level[GSI]);
		ck_assert(!(b & 0x70) || pc.deadline > pc.clock);
	}
}
END_TEST

START_TEST(cmos_memory)
{
	unsigned i;

	outb(&pc, 0x70, 0x8f);
	ck_assert_uint_eq(inb(&pc, 0x70), 0x8f);
	outb(&pc, 0x71, 0x0a);
	ck_assert_uint_eq(cmos(0x0f), 0x0a);
	for (i = 0x36; i < 0x5b; i++)
		set_cmos(i, i ^ 0xff);
	set_cmos(0x01, 0x11);
	set_cmos(0x15, 0x99);
	fake_pc_round_trip(&pc);
	bus_reset(pc.bus);
	ck_assert_uint_eq(inb(&pc, 0x70), 0);
	/* The shutdown byte and other memory live on; the sizes are the machine's again. */
	ck_assert_uint_eq(cmos(0x0f), 0x0a);
	ck_assert_uint_eq(cmos(0x01), 0x11);
	for (i = 0x36; i < 0x5b; i++)
		ck_assert_uint_eq(cmos(i), i ^ 0xff);
	ck_assert_uint_eq(cmos(0x15), 0x80);
}
END_TEST

static const struct {
	uint64_t ram;
	unsigned base_kib, ext_kib, above_16m, above_4g;
} sizes[] = {
	{ 512 << 10, 512, 0, 0, 0 },
	{ MIB, 640, 0, 0, 0 },
	{ 2 * MIB, 640, 1024, 0, 0 },
	{ 16 * MIB, 640, 15360, 0, 0 },
	{ 17 * MIB, 640, 16384, 16, 0 },
	{ 64 * MIB, 640, 64512, 768, 0 },
	{ 128 * MIB, 640, 64512, 1792, 0 },
	{ 3 * GIB, 640, 64512, 48896, 0 },
	{ 3 * GIB + MIB, 640, 64512, 48896, 16 },
	{ 8 * GIB, 640, 64512, 48896, 5 * 16384 },
	{ UINT64_MAX, 640, 64512, 48896, 0xffffff },
};

START_TEST(memory_sizes)
{
	fake_pc_done(&pc);
	fake_pc_init(&pc);
	ck_assert_int_eq(cmos_attach(pc.bus, sizes[_i].ram, 1, 0, NULL), 0);
	ck_assert_uint_eq(cmos(0x15) | cmos(0x16) << 8, sizes[_i].base_kib);
	ck_assert_uint_eq(cmos(0x17) | cmos(0x18) << 8, sizes[_i].ext_kib);
	ck_assert_uint_eq(cmos(0x30) | cmos(0x31) << 8, sizes[_i].ext_kib);
	ck_assert_uint_eq(cmos(0x34) | cmos(0x35) << 8, sizes[_i].above_16m);
	ck_assert_uint_eq(cmos(0x5b) | cmos(0x5c) << 8 | cmos(0x5d) << 16, sizes[_i].above_4g);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("cmos");
	TCase *t = tcase_create("cmos"), *f = tcase_create("random");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, clock_shows_the_hosts_time, 0, COUNT(times));
	tcase_add_loop_test(t, clock_can_be_set, 0, COUNT(times));
	tcase_add_test(t, clock_takes_single_registers);
	tcase_add_test(t, clock_survives_nonsense);
	tcase_add_test(t, clock_registers);
	tcase_add_test(t, cmos_memory);
	tcase_add_loop_test(t, memory_sizes, 0, COUNT(sizes));
	tcase_add_test(t, update_interrupt);
	tcase_add_test(t, clock_that_is_set_back);
	tcase_add_test(t, both_interrupts);
	tcase_add_test(t, past_is_judged_by_what_was_set_then);
	tcase_add_loop_test(t, periodic_interrupt, 0, COUNT(rates));
	tcase_add_test(t, divider_starts_half_a_second_before_an_update);
	tcase_add_test(t, update_in_progress);
	tcase_add_loop_test(t, alarm_interrupt, 0, COUNT(alarms));
	tcase_add_test(t, alarm_while_the_guest_was_stopped);
	tcase_add_test(t, load_at_an_earlier_time);
	tcase_add_test(t, what_firmware_reads);
	tcase_add_test(t, shows_its_registers);
	tcase_set_timeout(f, 60);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_add_loop_test(f, random_accesses, 0, 2);
	suite_add_tcase(s, f);
	suite_add_tcase(s, t);
	return unit_main(s);
}
