/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/pit_counter.h"

#define CONTROL_BCD     0x01
#define RW_LOW          1
#define RW_HIGH         2
#define RW_BOTH         3

#define STATUS_OUT      0x80
#define STATUS_NULL     0x40

enum mode { TERMINAL_COUNT, ONE_SHOT, RATE, SQUARE, SOFT_STROBE, HARD_STROBE };

static enum mode mode_of(const struct counter *c)
{
	unsigned mode = c->control >> 1 & 7;

	return mode > HARD_STROBE ? mode - 4 : mode;    /* bit 2 does not count in 2 and 3 */
}

static unsigned rw_of(const struct counter *c)
{
	return c->control >> 4;
}

/* One-shots and strobes that the gate starts; it has no other effect there. */
static bool is_triggered(const struct counter *c)
{
	return mode_of(c) == ONE_SHOT || mode_of(c) == HARD_STROBE;
}

static bool is_periodic(const struct counter *c)
{
	return mode_of(c) == RATE || mode_of(c) == SQUARE;
}

/* How many values the counter has. */
static uint32_t modulus(const struct counter *c)
{
	return c->control & CONTROL_BCD ? 10000 : COUNTER_MAX;
}

static uint32_t from_bcd(uint16_t raw)
{
	return (raw >> 12 & 15u) * 1000 + (raw >> 8 & 15u) * 100 + (raw >> 4 & 15u) * 10 + (raw & 15u);
}

static uint16_t to_bcd(uint32_t v)
{
	return (uint16_t)(v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10);
}

/* What `initial` stands for; digits above 9, which the data sheet leaves open, have their weight. */
static uint32_t written_count(const struct counter *c)
{
	uint32_t v = (c->control & CONTROL_BCD ? from_bcd(c->initial) : c->initial) % modulus(c);

	return v ? v : modulus(c);
}

/* SQUARE: an odd count is high for one pulse longer than low. */
static uint32_t high_half(const struct counter *c)
{
	return (c->count + 1) / 2;
}

/* Pulses since the period began. */
static uint32_t position(const struct counter *c)
{
	return (uint32_t)((c->age + (mode_of(c) == SQUARE && c->low ? high_half(c) : 0)) % c->count);
}

/* What the counting element holds: as a count, not in BCD. */
static uint32_t counting(const struct counter *c)
{
	uint32_t v, pos;

	if (!c->loaded)
		return 0;
	switch (mode_of(c)) {
	case RATE:
		v = c->count - position(c);
		break;
	case SQUARE:
		pos = position(c);
		v = (c->count & ~1u) - 2 * (pos < high_half(c) ? pos : pos - high_half(c));
		break;
	default:
		v = c->count + modulus(c) - (uint32_t)(c->age % modulus(c));
	}
	return v % modulus(c);
}

uint16_t counter_value(const struct counter *c)
{
	uint32_t v = counting(c);

	return c->control & CONTROL_BCD ? to_bcd(v) : (uint16_t)v;
}

const char *counter_mode(const struct counter *c)
{
	static const char *const names[] = {
		"interrupt on terminal count", "one-shot", "rate generator", "square wave", "software strobe",
		"hardware strobe",
	};

	return c->control ? names[mode_of(c)] : "not programmed";
}

bool counter_out(const struct counter *c)
{
	switch (mode_of(c)) {
	case TERMINAL_COUNT:
		return !c->control || (c->loaded && c->age >= c->count);
	case ONE_SHOT:
		return !c->loaded || c->age >= c->count;
	case RATE:
		return !c->loaded || c->paused || position(c) != c->count - 1;
	case SQUARE:
		return !c->loaded || c->paused || position(c) < high_half(c);
	default:
		return !c->loaded || c->age != c->count;
	}
}

/* Pulses from now on until OUT rises, if no other count is taken; PULSE_NEVER. */
static uint64_t rises_in(const struct counter *c)
{
	if (!c->loaded || c->paused)
		return PULSE_NEVER;
	switch (mode_of(c)) {
	case TERMINAL_COUNT:
	case ONE_SHOT:
		return c->age < c->count ? c->count - c->age : PULSE_NEVER;
	case RATE:
	case SQUARE:
		return c->count > 1 ? c->count - position(c) : PULSE_NEVER;     /* 1 is not valid there */
	default:
		return c->age <= c->count ? c->count - c->age + 1 : PULSE_NEVER;
	}
}

static void pass(struct counter *c, uint64_t n)
{
	if (c->loaded && !c->paused)
		c->age += n;
}

static void take_count(struct counter *c)
{
	c->load_in = 0;
	c->null = false;
	c->loaded = true;
	c->count = written_count(c);
	c->age = 0;
	c->low = c->next_low;
	c->paused = !c->gate && !is_triggered(c);
}

/* Goes through the pulse at which a count is taken; returns whether OUT rose from before it on. */
static bool pass_load(struct counter *c)
{
	uint64_t before = c->load_in - 1;
	bool rose = rises_in(c) <= before, was;

	pass(c, before);
	was = counter_out(c);
	take_count(c);
	return rose || (!was && counter_out(c));
}

bool counter_advance(struct counter *c, uint64_t n)
{
	bool rose = false;

	if (c->load_in && c->load_in <= n) {
		n -= c->load_in;
		rose = pass_load(c);
	}
	rose |= n && rises_in(c) <= n;
	pass(c, n);
	if (c->load_in)
		c->load_in -= (uint32_t)n;
	return rose;
}

uint64_t counter_rises_in(const struct counter *now)
{
	struct counter c = *now;
	uint64_t in = rises_in(&c), load = c.load_in;

	if (!load || in < load)
		return in;
	if (pass_load(&c))
		return load;
	in = rises_in(&c);
	return in == PULSE_NEVER ? in : load + in;
}

void counter_gate(struct counter *c, bool gate)
{
	if (c->gate == gate)
		return;
	c->gate = gate;
	if (is_triggered(c)) {
		if (gate && c->has_count)
			c->load_in = 1;
		return;
	}
	if (!is_periodic(c)) {
		c->paused = c->loaded && !gate;
		return;
	}
	if (!c->loaded)
		return;
	/* It begins anew when the gate opens; what was to be taken at a period's end is taken then. */
	c->paused = true;
	c->load_in = gate;
	c->next_low = false;
}

void counter_latch(struct counter *c)
{
	if (c->latched || !c->control)
		return;
	c->latch = counter_value(c);
	c->latched = rw_of(c) == RW_BOTH ? 2 : 1;
}

void counter_latch_status(struct counter *c)
{
	if (c->has_status)
		return;
	c->has_status = true;
	c->status = c->control | (counter_out(c) ? STATUS_OUT : 0) | (c->null ? STATUS_NULL : 0);
}

void counter_control(struct counter *c, uint8_t value)
{
	*c = (struct counter){ .control = value & COUNTER_CONTROL_BITS, .gate = c->gate, .null = true };
}

/* `initial` is whole: when it is to be taken. */
static void count_written(struct counter *c)
{
	uint32_t pos;

	c->has_count = true;
	c->null = true;
	if (is_triggered(c))
		return;
	if (!is_periodic(c) || !c->loaded) {
		c->loaded = c->loaded && mode_of(c) != TERMINAL_COUNT;
		c->load_in = 1;
		c->next_low = false;
		return;
	}
	if (c->paused || c->load_in)
		return;
	pos = position(c);
	c->next_low = mode_of(c) == SQUARE && pos < high_half(c);
	c->load_in = (c->next_low ? high_half(c) : c->count) - pos;
}

void counter_write(struct counter *c, uint8_t value)
{
	switch (rw_of(c)) {
	case RW_LOW:
		c->initial = value;
		break;
	case RW_HIGH:
		c->initial = (uint16_t)(value << 8);
		break;
	case RW_BOTH:
		c->second_write = !c->second_write;
		if (c->second_write) {
			c->first = value;
			if (mode_of(c) == TERMINAL_COUNT) {
				c->loaded = c->paused = false;
				c->load_in = 0;
			}
			return;
		}
		c->initial = (uint16_t)(value << 8 | c->first);
		break;
	default:
		return;
	}
	count_written(c);
}

uint8_t counter_read(struct counter *c)
{
	uint16_t raw = counter_value(c);
	bool high = rw_of(c) == RW_HIGH;

	if (c->has_status) {
		c->has_status = false;
		return c->status;
	}
	if (c->latched) {
		high |= rw_of(c) == RW_BOTH && c->latched == 1;
		c->latched--;
		raw = c->latch;
	} else if (rw_of(c) == RW_BOTH) {
		high = c->second_read;
		c->second_read = !c->second_read;
	}
	return (uint8_t)(high ? raw >> 8 : raw);
}

bool counter_consistent(const struct counter *c)
{
	if (c->control && !rw_of(c))
		return false;
	if (c->loaded && (!c->has_count || !c->count || c->count > modulus(c)))
		return false;
	if (c->load_in && !c->has_count)
		return false;
	if (c->latched == 2 && rw_of(c) != RW_BOTH)
		return false;
	return c->control || (!c->has_count && !c->latched);
}

