/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The 8254's modes: by the data sheet's figures, and against a second one that goes pulse by pulse; what latches hold. */
#include "tests/pit_rig.h"
#include "tests/unit.h"

static uint8_t status(unsigned which)
{
	outb(&pc, CONTROL, (uint8_t)(0xe0 | 2u << which));
	return inb(&pc, (uint16_t)(0x40 + which));
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

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("pit_modes");
	TCase *t = tcase_create("pit_modes");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, waveforms, 0, COUNT(figures));
	tcase_add_test(t, as_pulse_by_pulse);
	tcase_add_test(t, not_programmed);
	tcase_add_test(t, latches);
	suite_add_tcase(s, t);
	return unit_main(s);
}
