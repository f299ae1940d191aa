/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/pic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_pc.h"
#include "tests/unit.h"

#define CONTROL         0x43
#define PORT_B          0x61
#define REST_NS         200000u

static struct fake_pc pc;
static uint64_t at;             /* pulses since the beginning */

static uint64_t ns_of(uint64_t pulse)
{
	return (pulse * 88000 + 104) / 105;
}

/* Without calling timers: as for a guest that looks before the host does. */
static void pass(uint64_t pulses)
{
	at += pulses;
	pc.clock = ns_of(at);
}

static void run(uint64_t pulses)
{
	at += pulses;
	fake_pc_run_to(&pc, ns_of(at));
}

static void setup(void)
{
	fake_pc_init(&pc);
	ck_assert_int_eq(pit_attach(pc.bus, NULL), 0);
	at = 1000000;
	pc.clock = ns_of(at);
}

static void teardown(void)
{
	fake_pc_done(&pc);
}

static void control(unsigned which, unsigned rw, unsigned mode, bool bcd)
{
	outb(&pc, CONTROL, (uint8_t)(which << 6 | rw << 4 | mode << 1 | bcd));
}

static void count(unsigned which, unsigned value)
{
	outb(&pc, (uint16_t)(0x40 + which), (uint8_t)value);
	outb(&pc, (uint16_t)(0x40 + which), (uint8_t)(value >> 8));
}

static unsigned value(unsigned which)
{
	unsigned low;

	outb(&pc, CONTROL, (uint8_t)(which << 6));
	low = inb(&pc, (uint16_t)(0x40 + which));
	return low | (unsigned)inb(&pc, (uint16_t)(0x40 + which)) << 8;
}

static uint8_t status(unsigned which)
{
	outb(&pc, CONTROL, (uint8_t)(0xe0 | 2u << which));
	return inb(&pc, (uint16_t)(0x40 + which));
}

static bool out2(void)
{
	return inb(&pc, PORT_B) & 0x20;
}

/*
 * Waveforms as in the data sheet's figures, of counter 2.  For each clock pulse: what is done before it (a digit is
 * written as a count of one byte; g and G close and open the gate), and OUT and the count after it.
 */
#define X               0x1ffff         /* nobody can tell */

static const struct {
	unsigned mode;
	const char *doing, *out;
	uint32_t count[12];
} figures[] = {
	{ 0, "4      ", "____---", { 4, 3, 2, 1, 0, 0xffff, 0xfffe } },
	{ 0, "3 g  G ", "______-", { 3, 2, 2, 2, 2, 1, 0 } },
	{ 0, "g3 G   ", "_____--", { X, 3, 3, 2, 1, 0, 0xffff } },
	{ 0, "3  2  ", "_____-", { 3, 2, 1, 2, 1, 0 } },
	{ 0, "1 2  ", "_-__-", { 1, 0, 2, 1, 0 } },
	{ 1, "3 gG    ", "---___--", { X, X, X, 3, 2, 1, 0, 0xffff } },
	{ 1, "3gG gG    ", "--______--", { X, X, 3, 2, 1, 3, 2, 1, 0, 0xffff } },
	{ 1, "2gG 4 gG   ", "--__---____", { X, X, 2, 1, 0, 0xffff, 0xfffe, 4, 3, 2, 1 } },
	{ 2, "3         ", "--_--_--_-", { 3, 2, 1, 3, 2, 1, 3, 2, 1, 3 } },
	{ 2, "3 g G    ", "------_--", { 3, 2, 2, 2, 3, 2, 1, 3, 2 } },
	{ 2, "3  gG   ", "--_---_-", { 3, 2, 1, 1, 3, 2, 1, 3 } },
	{ 2, "4 5       ", "---_----_-", { 4, 3, 2, 1, 5, 4, 3, 2, 1, 5 } },
	{ 6, "2    ", "-_-_-", { 2, 1, 2, 1, 2 } },
	{ 3, "4          ", "--__--__--_", { 4, 2, 4, 2, 4, 2, 4, 2, 4, 2, 4 } },
	{ 7, "5           ", "---__---__--", { 4, 2, 0, 4, 2, 4, 2, 0, 4, 2, 4, 2 } },
	{ 3, "4  g G    ", "--_----__-", { 4, 2, 4, 4, 4, 4, 2, 4, 2, 4 } },
	{ 3, "4 6      ", "--___---_", { 4, 2, 6, 4, 2, 6, 4, 2, 6 } },
	{ 3, "46       ", "--___---_", { 4, 2, 6, 4, 2, 6, 4, 2, 6 } },
	{ 4, "3      ", "---_---", { 3, 2, 1, 0, 0xffff, 0xfffe, 0xfffd } },
	{ 4, "g3 G    ", "-----_--", { X, 3, 3, 2, 1, 0, 0xffff, 0xfffe } },
	{ 4, "3  2    ", "-----_--", { 3, 2, 1, 2, 1, 0, 0xffff, 0xfffe } },
	{ 5, "3gG     ", "-----_--", { X, X, 3, 2, 1, 0, 0xffff, 0xfffe } },
	{ 5, "3gG gG     ", "--------_--", { X, X, 3, 2, 1, 3, 2, 1, 0, 0xffff, 0xfffe } },
};

START_TEST(waveforms)
{
	const char *doing = figures[_i].doing, *want = figures[_i].out;
	unsigned i, seen;

	outb(&pc, PORT_B, 1);
	control(2, 1, figures[_i].mode, false);
	for (i = 0; doing[i]; i++) {
		if (doing[i] == 'g' || doing[i] == 'G')
			outb(&pc, PORT_B, doing[i] == 'G');
		else if (doing[i] != ' ')
			outb(&pc, 0x42, (uint8_t)(doing[i] - '0'));
		pass(1);
		ck_assert_msg(out2() == (want[i] == '-'), "figure %d: OUT after pulse %u", _i, i);
		seen = inb(&pc, 0x42);
		if (figures[_i].count[i] != X)
			ck_assert_msg(seen == (figures[_i].count[i] & 0xff), "figure %d: 0x%x after pulse %u", _i, seen,
				      i);
	}
}
END_TEST

/* An 8254 that goes pulse by pulse, as its data sheet tells it. */
struct ref {
	unsigned control, mode;
	bool gate, out, null, has, load, trigger, counting, armed, second;
	unsigned first, cr;
	int ce;
	unsigned rises;
};

static int ref_modulus(const struct ref *c)
{
	return c->control & 1 ? 10000 : 65536;
}

static int ref_count(const struct ref *c)
{
	unsigned v = c->cr, n = v;

	if (c->control & 1)
		n = (v >> 12) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15);
	n %= (unsigned)ref_modulus(c);
	return n ? (int)n : ref_modulus(c);
}

static void ref_out(struct ref *c, bool out)
{
	c->rises += out && !c->out;
	c->out = out;
}

static void ref_load(struct ref *c)
{
	c->ce = ref_count(c);
	c->load = c->trigger = c->null = false;
	c->counting = c->armed = true;
}

static bool ref_decrement(struct ref *c)
{
	c->ce = (c->ce - 1 + ref_modulus(c)) % ref_modulus(c);
	return c->ce == 0;
}

static void ref_square(struct ref *c)
{
	bool odd = ref_count(c) & 1;

	/* What `odd` was when the half began is in armed. */
	if (c->ce == (c->out && c->armed ? 0 : 2)) {
		bool out = !c->out;

		ref_load(c);
		c->ce &= ~1;
		c->armed = odd;
		ref_out(c, out);
	} else {
		c->ce -= 2;
	}
}

static void ref_clock(struct ref *c)
{
	switch (c->mode) {
	case 0:
		if (c->load)
			ref_load(c);
		else if (c->counting && c->gate && ref_decrement(c))
			ref_out(c, true);
		break;
	case 1:
		if (c->trigger) {
			ref_load(c);
			ref_out(c, false);
		} else if (c->counting && ref_decrement(c)) {
			ref_out(c, true);
		}
		break;
	case 2:
		if (c->load || c->trigger || (c->counting && c->gate && c->ce == 1)) {
			ref_load(c);
			ref_out(c, true);
		} else if (c->counting && c->gate) {
			c->ce--;
			ref_out(c, c->ce != 1);
		}
		break;
	case 3:
		if (c->load || c->trigger) {
			ref_load(c);
			c->armed = c->ce & 1;
			c->ce &= ~1;
			ref_out(c, true);
		} else if (c->counting && c->gate) {
			ref_square(c);
		}
		break;
	default:
		if (c->load || c->trigger) {
			ref_load(c);
			ref_out(c, true);
		} else if (c->counting && (c->gate || c->mode == 5)) {
			bool end = ref_decrement(c);

			ref_out(c, !(end && c->armed));
			c->armed &= !end;
		}
	}
}

static void ref_control(struct ref *c, unsigned value)
{
	*c = (struct ref){ .control = value & 0x3f, .mode = value >> 1 & 7, .gate = c->gate, .null = true,
			   .out = c->out, .rises = c->rises };
	if (c->mode > 5)
		c->mode -= 4;
	ref_out(c, c->mode != 0);
}

static void ref_write(struct ref *c, unsigned v)
{
	switch (c->control >> 4) {
	case 0:
		return;
	case 1:
		c->cr = v;
		break;
	case 2:
		c->cr = v << 8;
		break;
	case 3:
		c->second = !c->second;
		if (c->second) {
			c->first = v;
			if (c->mode == 0) {
				c->counting = c->load = false;
				ref_out(c, false);
			}
			return;
		}
		c->cr = v << 8 | c->first;
	}
	c->has = c->null = true;
	if (c->mode == 0) {
		c->counting = false;
		ref_out(c, false);
	}
	if (c->mode == 0 || c->mode == 4 || ((c->mode == 2 || c->mode == 3) && !c->counting))
		c->load = true;
}

static void ref_gate(struct ref *c, bool gate)
{
	bool periodic = c->mode == 2 || c->mode == 3;

	if (gate == c->gate)
		return;
	c->gate = gate;
	if (periodic && c->counting) {
		c->trigger = gate;
		ref_out(c, true);
	}
	if (gate && c->has && (c->mode == 1 || c->mode == 5))
		c->trigger = true;
}

static unsigned ref_value(const struct ref *c)
{
	unsigned v = (unsigned)(c->ce % ref_modulus(c));

	if (c->control & 1)
		v = v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
	return c->control >> 4 == 1 ? v & 0xff : c->control >> 4 == 2 ? v >> 8 : v;
}

static uint32_t random_bits(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

static unsigned rises;

static void note_rise(void *arg, unsigned gsi, bool level)
{
	struct fake_pc *f = arg;

	ck_assert_uint_eq(gsi, 0);
	ck_assert(f->level[0] != level);
	f->level[0] = level;
	rises += level;
}

static void compare(const struct ref *c, unsigned which)
{
	unsigned want = c->control | (c->null ? 0x40u : 0) | (c->out ? 0x80u : 0), got, low;

	got = status(which);
	ck_assert_msg(got == want, "counter %u, control 0x%x: status 0x%x, not 0x%x", which, c->control, got, want);
	if (!c->counting)
		return;
	outb(&pc, CONTROL, (uint8_t)(0xd0 | 2u << which));
	low = inb(&pc, (uint16_t)(0x40 + which));
	got = c->control >> 4 == 3 ? low | (unsigned)inb(&pc, (uint16_t)(0x40 + which)) << 8 : low;
	ck_assert_msg(got == ref_value(c), "counter %u, control 0x%x: count 0x%x, not 0x%x", which, c->control, got,
		      ref_value(c));
}

/* Counts that come to 1 are not valid in modes 2 and 3. */
static unsigned random_byte(const struct ref *c)
{
	unsigned v = random_bits() % 10 + 2;

	if (c->control >> 4 == 3 && c->second)
		return random_bits() & 7 ? 0 : random_bits() % 4;
	return random_bits() & 7 ? v : random_bits() & 0xf0;
}

/* The same done to both, on counters 0 and 2. */
START_TEST(as_pulse_by_pulse)
{
	struct ref ref[3] = { { .gate = true, .out = true }, { .gate = true, .out = true }, { .out = true } };
	unsigned i, which, v, told;
	uint32_t n, k;

	pc.host.irq = note_rise;
	rises = 0;
	for (i = 0; i < 60000; i++) {
		which = random_bits() & 1 ? 0 : 2;
		told = ref[0].rises;
		rises = 0;
		switch (random_bits() & 15) {
		case 0:
			/* Mode and access now and then alone, so that most of the time something counts. */
			v = (random_bits() & 0xf) | (1 + random_bits() % 3) << 4;
			outb(&pc, CONTROL, (uint8_t)(which << 6 | v));
			ref_control(&ref[which], v);
			break;
		case 1:
		case 2:
		case 3:
			v = random_byte(&ref[which]);
			outb(&pc, (uint16_t)(0x40 + which), (uint8_t)v);
			ref_write(&ref[which], v);
			break;
		case 4:
		case 5:
			v = random_bits() & 1;
			outb(&pc, PORT_B, (uint8_t)v);
			ref_gate(&ref[2], v);
			break;
		case 6:
			fake_pc_round_trip(&pc);
			rises = 0;
			break;
		default:
			v = random_bits();
			n = v & 1023 ? v >> 10 & 15 : v >> 10 & 0x1ffff;
			for (k = 0; k < n; k++) {
				ref_clock(&ref[0]);
				ref_clock(&ref[2]);
			}
			pass(n);
			ck_assert_uint_eq(out2(), ref[2].out);
		}
		ck_assert_uint_eq(rises, ref[0].rises != told);
		ck_assert(!pc.level[0] || ref[0].out);
		for (which = 0; which < 3; which += 2)
			if (ref[which].control)
				compare(&ref[which], which);
	}
}
END_TEST

START_TEST(not_programmed)
{
	count(2, 0x1234);
	pass(100000);
	ck_assert_uint_eq(value(2), 0);
	ck_assert_uint_eq(inb(&pc, CONTROL), 0);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	ck_assert_uint_eq(pc.irqs, 0);
}
END_TEST

START_TEST(latches)
{
	outb(&pc, PORT_B, 1);
	control(2, 3, 2, false);
	count(2, 0x1234);
	pass(1 + 0x34);
	outb(&pc, CONTROL, 0x80);
	pass(5);
	/* It stays until it is read, and status comes first. */
	outb(&pc, CONTROL, 0x80);
	outb(&pc, CONTROL, 0xe8);
	ck_assert_uint_eq(inb(&pc, 0x42), 0xb4);
	fake_pc_round_trip(&pc);
	ck_assert_uint_eq(inb(&pc, 0x42), 0x00);
	pass(5);
	ck_assert_uint_eq(inb(&pc, 0x42), 0x12);
	/* Now as it counts: low, high, low. */
	ck_assert_uint_eq(inb(&pc, 0x42), 0xf6);
	ck_assert_uint_eq(inb(&pc, 0x42), 0x11);
	ck_assert_uint_eq(inb(&pc, 0x42), 0xf6);
	/* A control word frees it. */
	outb(&pc, CONTROL, 0x80);
	control(2, 1, 2, false);
	outb(&pc, 0x42, 9);
	pass(1);
	ck_assert_uint_eq(inb(&pc, 0x42), 9);
	/* Status and count of several at once. */
	control(0, 2, 4, true);
	outb(&pc, 0x40, 0x99);
	pass(1);
	outb(&pc, CONTROL, 0xca);
	pass(3);
	ck_assert_uint_eq(inb(&pc, 0x42), 0x94);
	ck_assert_uint_eq(inb(&pc, 0x42), 8);
	ck_assert_uint_eq(inb(&pc, 0x40), 0xa9);
	ck_assert_uint_eq(inb(&pc, 0x40), 0x99);
	ck_assert_uint_eq(inb(&pc, 0x40), 0x98);
	outb(&pc, CONTROL, 0xe4);
	ck_assert_uint_eq(inb(&pc, 0x41), 0x80);        /* nothing was programmed there */
	/* Status stays, too. */
	control(2, 1, 0, false);
	outb(&pc, 0x42, 5);
	outb(&pc, CONTROL, 0xe8);
	pass(10);
	outb(&pc, CONTROL, 0xe8);
	ck_assert_uint_eq(inb(&pc, 0x42), 0x50);
}
END_TEST

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
	tcase_add_loop_test(t, waveforms, 0, COUNT(figures));
	tcase_add_test(t, as_pulse_by_pulse);
	tcase_add_test(t, not_programmed);
	tcase_add_test(t, latches);
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
