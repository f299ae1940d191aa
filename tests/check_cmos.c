/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/pc.h"

#include <string.h>

#include "tests/fake_pc.h"
#include "tests/unit.h"

#define MIB             (1ull << 20)
#define GIB             (1ull << 30)
#define T2026           1795296279ull   /* Saturday 2026-11-21 21:24:39 UTC */

static struct fake_pc pc;

static void setup(void)
{
	fake_pc_init(&pc);
	pc.now = T2026;
	ck_assert_int_eq(cmos_attach(pc.bus, 128 * MIB, NULL), 0);
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
	/* Register C tells of each update once. */
	cmos(0x0c);
	ck_assert_uint_eq(cmos(0x0c), 0);
	pc.now++;
	set_cmos(0x0c, 0xff);
	ck_assert_uint_eq(cmos(0x0c), 0x10);
	ck_assert_uint_eq(cmos(0x0c), 0);
	set_cmos(0x0b, 0x7a);
	pc.now++;
	ck_assert_uint_eq(cmos(0x0c), 0x90);
	/* SET stops updates and their interrupt; a reset stops the interrupts. */
	set_cmos(0x0b, 0xfa);
	ck_assert_uint_eq(cmos(0x0b), 0xea);
	pc.now++;
	ck_assert_uint_eq(cmos(0x0c), 0);
	bus_reset(pc.bus);
	ck_assert_uint_eq(cmos(0x0b), 0x82);
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
	ck_assert_int_eq(cmos_attach(pc.bus, sizes[_i].ram, NULL), 0);
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
	TCase *t = tcase_create("cmos");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, clock_shows_the_hosts_time, 0, COUNT(times));
	tcase_add_loop_test(t, clock_can_be_set, 0, COUNT(times));
	tcase_add_test(t, clock_takes_single_registers);
	tcase_add_test(t, clock_survives_nonsense);
	tcase_add_test(t, clock_registers);
	tcase_add_test(t, cmos_memory);
	tcase_add_loop_test(t, memory_sizes, 0, COUNT(sizes));
	suite_add_tcase(s, t);
	return unit_main(s);
}
