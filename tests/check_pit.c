/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PIT's ticks, no more of them than the host can bear; port 61h; its state, saved and hostile; what is shown of it. */
#include "dev/pic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pit_rig.h"
#include "tests/unit.h"

#define REST_NS         200000u

static void run(uint64_t pulses)
{
	at += pulses;
	fake_pc_run_to(&pc, ns_of(at));
}

START_TEST(port_b)
{
	uint8_t before = inb(&pc, PORT_B) & 0x10;
	unsigned i, toggles = 0;

	/* Four bits are kept; gate and OUT of counter 2, and refresh every 15 us. */
	outb(&pc, PORT_B, 0xce);
	ck_assert_uint_eq(inb(&pc, PORT_B) & ~0x30, 0x0e);
	fake_pc_round_trip(&pc);
	ck_assert_uint_eq(inb(&pc, PORT_B) & ~0x30, 0x0e);
	for (i = 0; i < 1000; i++) {
		pc.clock += 1000;
		toggles += (inb(&pc, PORT_B) & 0x10) != before;
		before = inb(&pc, PORT_B) & 0x10;
	}
	ck_assert_uint_ge(toggles, 65);
	ck_assert_uint_le(toggles, 67);
	bus_reset(pc.bus);
	ck_assert_uint_eq(inb(&pc, PORT_B) & ~0x30, 0);
}
END_TEST

/* How GRUB and others measure time: a one-shot of 50 ms whose gate is opened. */
START_TEST(calibration_by_counter_2)
{
	outb(&pc, PORT_B, 0);
	control(2, 3, 0, false);
	outb(&pc, PORT_B, 1);
	count(2, 59659);
	ck_assert(!out2());
	pc.clock += 49999000;
	ck_assert(!out2());
	pc.clock += 2000;
	ck_assert(out2());
}
END_TEST

static const struct {
	unsigned mode, count;
	uint64_t ms;
	unsigned rises;
	uint64_t first_ns;              /* from the write on */
} ticks[] = {
	{ 2, 1193, 1000, 1000, 1000686 }, { 3, 1193, 1000, 1000, 1000686 }, { 2, 0, 1000, 18, 54926020 },
	{ 3, 0, 1000, 18, 54926020 }, { 2, 11932, 1000, 99, 10000991 }, { 0, 1193, 1000, 1, 1000686 },
	{ 4, 1193, 1000, 1, 1001524 }, { 1, 1193, 1000, 0, 0 }, { 5, 1193, 1000, 0, 0 },
};

START_TEST(ticks_come_in_time)
{
	uint64_t start = pc.clock;

	pc.host.irq = note_rise;
	rises = 0;
	control(0, 3, ticks[_i].mode, false);
	count(0, ticks[_i].count);
	if (ticks[_i].first_ns)
		ck_assert_uint_le(pc.deadline - start - ticks[_i].first_ns + 1000, 2000);
	else
		ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	fake_pc_run_to(&pc, start + ticks[_i].ms * 1000000);
	ck_assert_uint_eq(rises, ticks[_i].rises);
	if (ticks[_i].rises <= 1)
		ck_assert_uint_eq(pc.deadline, DEV_NEVER);
}
END_TEST

/* A count of 1 is not valid there: whatever comes of it, it costs nothing. */
START_TEST(no_period_of_one)
{
	control(0, 1, 2 + (unsigned)_i, false);
	outb(&pc, 0x40, 1);
	run(1000);
	ck_assert_uint_le(pc.irqs, 1);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
}
END_TEST

/* A clock that has been set back: nothing moves until it has come back, or after a reset. */
START_TEST(clock_set_back)
{
	unsigned before, i;

	for (i = 0; i < 2; i++) {
		control(2, 3, 2, false);
		count(2, 50000);
		outb(&pc, PORT_B, 1);
		pass(1000);
		before = value(2);
		ck_assert_uint_eq(before, 49001);
		pc.clock -= 400 * 1000;
		ck_assert_uint_eq(value(2), before);
		pc.clock += 400 * 1000;
		pass(1);
		ck_assert_uint_eq(value(2), before - 1);
		at -= 100000;
		pc.clock = ns_of(at);
		bus_reset(pc.bus);
	}
}
END_TEST

/* A guest that was away for an hour has one tick, and the next one in its usual time. */
START_TEST(missed_ticks_are_one)
{
	uint64_t due;

	pc.host.irq = note_rise;
	control(0, 3, _i ? 3 : 2, false);
	count(0, 1193);
	due = pc.deadline;
	pc.clock += 3600 * 1000000000ull;
	at = pc.clock / 88000 * 105 + pc.clock % 88000 * 105 / 88000;
	rises = 0;
	bus_timers(pc.bus, pc.clock);
	ck_assert_uint_eq(rises, 1);
	ck_assert_uint_gt(pc.deadline, pc.clock);
	ck_assert_uint_le(pc.deadline - pc.clock, 1000700);
	/* In phase: it is a whole number of periods, of 1193 * 88000 / 105 ns each, later. */
	ck_assert_uint_le(((pc.deadline - due) * 105 + 88000) % (1193ull * 88000), 2 * 88000);
	/* The same when the guest looks first. */
	pc.clock += 3600 * 1000000000ull;
	rises = 0;
	inb(&pc, 0x40);
	ck_assert_uint_eq(rises, 1);
	ck_assert_uint_gt(pc.deadline, pc.clock);
}
END_TEST

/* However fast a guest wants its ticks, the host is not called more often than this. */
START_TEST(fast_ticks_are_fewer)
{
	uint64_t end = pc.clock + 1000000000;
	unsigned calls = 0;

	pc.host.irq = note_rise;
	rises = 0;
	control(0, 1, 2, false);
	outb(&pc, 0x40, 2);
	while (pc.deadline < end) {
		pc.clock = pc.deadline;
		bus_timers(pc.bus, pc.clock);
		calls++;
		ck_assert_uint_ge(pc.deadline - pc.clock, calls ? REST_NS - 1 : 0);
		if (!(calls % 100))
			fake_pc_round_trip(&pc);
	}
	ck_assert_uint_le(calls, 5001);
	ck_assert_uint_ge(rises, 4900);
}
END_TEST

/* The line falls with OUT at the latest when somebody looks, and a reset takes it back. */
START_TEST(line_follows_out)
{
	control(0, 1, 0, false);
	ck_assert(!pc.level[0]);
	outb(&pc, 0x40, 10);
	run(10);
	ck_assert(!pc.level[0]);
	run(1);
	ck_assert(pc.level[0]);
	outb(&pc, 0x40, 250);
	ck_assert(!pc.level[0]);
	run(250);
	ck_assert(!pc.level[0]);
	run(1);
	ck_assert(pc.level[0]);
	fake_pc_round_trip(&pc);
	ck_assert(pc.level[0]);
	bus_reset(pc.bus);
	ck_assert(!pc.level[0]);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	/* Programming a rate does not tick by itself. */
	pc.irqs = 0;
	control(0, 3, 2, false);
	count(0, 1000);
	ck_assert_uint_eq(pc.irqs, 0);
	control(0, 3, 0, false);
	ck_assert_uint_eq(pc.irqs, 0);
	control(0, 3, 2, false);
	ck_assert_uint_eq(pc.irqs, 1);
}
END_TEST

/* What is saved is how far things are from now: a machine whose clock is elsewhere goes on from there. */
START_TEST(loading_at_another_time)
{
	struct dev_buf b = { 0 };
	uint64_t wait;
	unsigned v;

	control(0, 3, 2, false);
	count(0, 30000);
	outb(&pc, PORT_B, 1);
	control(2, 3, 3, false);
	count(2, 1001);
	pass(12345);
	wait = pc.deadline - pc.clock;
	fake_pc_save(&pc, &b);
	v = value(2);
	pc.clock += 123456789;
	at = pc.clock / 88000 * 105 + pc.clock % 88000 * 105 / 88000;
	bus_reset(pc.bus);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	ck_assert_int_eq(bus_load(pc.bus, &b, NULL), 0);
	ck_assert_uint_le(pc.deadline - pc.clock - wait + 1000, 2000);
	ck_assert_uint_eq(value(2), v);
	b.pos = 0;
	pc.clock = 0;
	ck_assert_int_eq(bus_load(pc.bus, &b, NULL), 0);
	ck_assert_uint_lt(pc.deadline, 100000000);
	free(b.data);
}
END_TEST

/* Offsets into the saved state, which begins after the record's head: a length, the name, 4 bytes of size. */
#define HEAD            (1 + 3 + 4)
#define COUNTER_BYTES   34
#define REST            (3 * COUNTER_BYTES)
enum { CTL, GATE, HAS_COUNT, NULL_COUNT, LOADED, LATCHED = 11, COUNT_AT = 18, LOAD_IN = 22, AGE = 26 };

static const struct {
	unsigned at, bytes;
	uint32_t value;
} hostile[] = {
	{ CTL, 1, 0x40 }, { CTL, 1, 0x0f }, { CTL, 1, 0 }, { GATE, 1, 0 },
	{ COUNTER_BYTES + GATE, 1, 0 }, { GATE, 1, 2 },
	{ 2 * COUNTER_BYTES + GATE, 1, 0 }, { REST, 1, 0 }, { REST, 1, 0x10 }, { REST + 1, 1, 2 }, { HAS_COUNT, 1, 0 },
	{ LATCHED, 1, 3 }, { COUNT_AT, 4, 0 }, { COUNT_AT, 4, 0x10001 }, { LOAD_IN, 4, 0x10001 },
	{ REST + 10, 4, REST_NS + 1 },
	{ 2 * COUNTER_BYTES + COUNT_AT, 4, 10001 }, { 2 * COUNTER_BYTES + COUNT_AT, 4, 0 },
	{ COUNTER_BYTES + LOADED, 1, 1 },
	{ COUNTER_BYTES + LOAD_IN, 1, 1 }, { COUNTER_BYTES + LATCHED, 1, 1 }, { 2 * COUNTER_BYTES + LATCHED, 1, 2 },
};

START_TEST(hostile_states_are_refused)
{
	struct dev_buf b = { 0 }, after = { 0 };
	struct err err = { 0 };
	uint8_t before[256];
	unsigned i;

	control(0, 3, 2, false);
	count(0, 1000);
	outb(&pc, PORT_B, 1);
	control(2, 1, 3, true);
	outb(&pc, 0x42, 0x50);
	pass(100);
	inb(&pc, 0x40);
	fake_pc_save(&pc, &b);
	ck_assert_uint_eq(b.len, HEAD + REST + 14 + 1);
	memcpy(before, b.data, b.len);
	for (i = 0; i < hostile[_i].bytes; i++)
		b.data[HEAD + hostile[_i].at + i] = (uint8_t)(hostile[_i].value >> 8 * i);
	ck_assert_int_eq(bus_load(pc.bus, &b, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "pit: its saved state "));
	fake_pc_save(&pc, &after);
	ck_assert_uint_eq(after.len, b.len);
	ck_assert_mem_eq(after.data, before, b.len);
	free(b.data);
	free(after.data);
}
END_TEST

/* Whatever bytes are loaded and written, at whatever times: no more than the host can bear. */
START_TEST(random_states)
{
	struct dev_buf b = { 0 };
	unsigned i, k, taken = 0;
	uint32_t r;

	for (i = 0; i < 20000; i++) {
		fake_pc_save(&pc, &b);
		for (k = random_bits() % 4; k-- > 0;)
			b.data[HEAD + random_bits() % (REST + 14)] = (uint8_t)(random_bits() >> (random_bits() % 8));
		taken += bus_load(pc.bus, &b, NULL) == 0;
		for (k = 0; k < 10; k++) {
			r = random_bits();
			if (r & 1)
				outb(&pc, r & 2 ? PORT_B : (uint16_t)(0x40 + (r >> 2 & 3)), (uint8_t)(r >> 8));
			else
				inb(&pc, r & 2 ? PORT_B : (uint16_t)(0x40 + (r >> 2 & 3)));
			if (!(r >> 16 & 7))
				fake_pc_run_to(&pc, pc.clock + (r >> 20));
		}
		if (!(r >> 16 & 255))
			pc.clock += (uint64_t)r << 24;
	}
	ck_assert_uint_gt(taken, 1000);
	/* The end of time. */
	pc.clock = UINT64_MAX - 1000;
	for (i = 0; i < 6; i++) {
		control(0, 3, i, false);
		count(0, 1000);
		fake_pc_round_trip(&pc);
	}
	pc.clock = UINT64_MAX;
	bus_timers(pc.bus, pc.clock);
	fake_pc_round_trip(&pc);
	free(b.data);
}
END_TEST

static char shown[4096];

static void note_reg(void *arg, const char *name, unsigned bits, uint64_t v, const char *text)
{
	size_t len = strlen(shown);

	ck_assert_ptr_null(arg);
	ck_assert_uint_lt(v, 1ull << bits);
	snprintf(shown + len, sizeof(shown) - len, "%s=%x%s%s\n", name, (unsigned)v, text ? " " : "", text ? text : "");
}

START_TEST(registers_are_shown)
{
	const struct dev_show show = { .reg = note_reg };
	struct dev_buf before = { 0 }, after = { 0 };

	control(0, 3, 2, false);
	count(0, 0x1000);
	pass(0x801);
	outb(&pc, PORT_B, 2);
	control(2, 3, 3, true);
	count(2, 0x1234);
	pass(0x100);
	shown[0] = '\0';
	fake_pc_save(&pc, &before);
	bus_lock(pc.bus);
	bus_device(pc.bus, 0)->ops->show(bus_device(pc.bus, 0), &show);
	bus_unlock(pc.bus);
	fake_pc_save(&pc, &after);
	ck_assert_mem_eq(before.data, after.data, after.len);
	ck_assert_ptr_nonnull(strstr(shown, "counter0.control=34 rate generator\ncounter0.initial=1000\n"
				     "counter0.count=700\ncounter0.gate=1\ncounter0.out=1\n"));
	ck_assert_ptr_nonnull(strstr(shown, "counter1.control=0 not programmed\n"));
	ck_assert_ptr_nonnull(strstr(shown, "counter2.control=37 square wave\n"
				     "counter2.initial=1234\n"));
	ck_assert_ptr_nonnull(strstr(shown, "counter2.gate=0\n"));
	control(2, 3, 3, true);
	shown[0] = '\0';
	bus_device(pc.bus, 0)->ops->show(bus_device(pc.bus, 0), &show);
	ck_assert_ptr_nonnull(strstr(shown, "counter2.initial=0 not counted yet\n"));
	ck_assert_ptr_nonnull(strstr(shown, "port_61="));
	free(before.data);
	free(after.data);
}
END_TEST

START_TEST(attaching)
{
	struct err err = { 0 };

	ck_assert_int_eq(pit_attach(pc.bus, &err), -EEXIST);
	ck_assert_str_eq(err.msg, "pit: port 0x40 belongs to pit");
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("pit");
	TCase *t = tcase_create("pit");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, port_b);
	tcase_add_test(t, calibration_by_counter_2);
	tcase_add_loop_test(t, ticks_come_in_time, 0, COUNT(ticks));
	tcase_add_loop_test(t, no_period_of_one, 0, 2);
	tcase_add_test(t, clock_set_back);
	tcase_add_loop_test(t, missed_ticks_are_one, 0, 2);
	tcase_add_test(t, fast_ticks_are_fewer);
	tcase_add_test(t, line_follows_out);
	tcase_add_test(t, loading_at_another_time);
	tcase_add_loop_test(t, hostile_states_are_refused, 0, COUNT(hostile));
	tcase_add_test(t, random_states);
	tcase_add_test(t, registers_are_shown);
	tcase_add_test(t, attaching);
	suite_add_tcase(s, t);
	return unit_main(s);
}
