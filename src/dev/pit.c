/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An 8254 interval timer (Intel 8254 data sheet) and port 0x61 (PIIX, 290550: NMI status and control register), with
 * counter 0's OUT on GSI 0.
 *
 * GSI 0 matters by its rising edges.  The timer is set for the next one; all edges between two moves of the device (a
 * timer, an access) are one, as one input of an interrupt controller can hold no more.  So a guest that was not
 * entered for long gets one interrupt, not a thousand at once, and what it gets depends on this state and on the times
 * of those moves alone, which are what a recording holds.  The timer rests for a while after it was due: a guest that
 * asks for an edge every microsecond costs no more than one that asks for 5000 a second.
 */
#include "dev/pic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dev/pit_counter.h"

/* Ports relative to the first. */
#define PIT_BASE        0x40
enum { PIT_COUNTERS = 3, PIT_CONTROL = 3, PIT_PORTS = 4, PIT_PORT_B = 0x61 - PIT_BASE };

/* The clock is 14.31818 MHz / 12, which is 105 pulses in 88000 ns. */
#define PULSES          105u
#define PULSES_NS       88000u
#define REST_NS         200000u
#define REFRESH_PULSES  18u             /* port 0x61's refresh bit toggles once in these: 15.1 us */

#define CONTROL_RW      0x30            /* 0: a latch command */
#define READ_BACK       3               /* the counter number that is none */
#define READ_BACK_NO_COUNT  0x20
#define READ_BACK_NO_STATUS 0x10

#define PORT_B_GATE     0x01            /* of counter 2 */
/* Those that are written: gate, speaker, two masks of NMI sources that are not there. */
#define PORT_B_BITS     0x0f
#define PORT_B_REFRESH  0x10
#define PORT_B_OUT      0x20            /* of counter 2 */

struct pit_state {
	struct counter counter[PIT_COUNTERS];
	uint8_t port_b;         /* PORT_B_BITS */
	bool level;             /* GSI 0's */
};

struct pit {
	struct device dev;
	struct pit_state s;     /* as it was at pulse AT */
	uint64_t at;
	uint64_t rest_until;    /* host->clock's ns */
};

/* What is saved of the times: how far they are from now. */
struct pit_times {
	uint64_t lag;           /* pulses since `at` */
	uint32_t rest;          /* ns */
};

#define COUNTER_FIELDS(i)                                       \
	DEV_FIELD(struct pit_state, counter[i].control, COUNTER_CONTROL_BITS), \
	DEV_FIELD(struct pit_state, counter[i].gate, 1),            \
	DEV_FIELD(struct pit_state, counter[i].has_count, 1),       \
	DEV_FIELD(struct pit_state, counter[i].null, 1),            \
	DEV_FIELD(struct pit_state, counter[i].loaded, 1),          \
	DEV_FIELD(struct pit_state, counter[i].paused, 1),          \
	DEV_FIELD(struct pit_state, counter[i].low, 1),             \
	DEV_FIELD(struct pit_state, counter[i].next_low, 1),        \
	DEV_FIELD(struct pit_state, counter[i].second_write, 1),    \
	DEV_FIELD(struct pit_state, counter[i].second_read, 1),     \
	DEV_FIELD(struct pit_state, counter[i].has_status, 1),      \
	DEV_FIELD(struct pit_state, counter[i].latched, 2),         \
	DEV_FIELD(struct pit_state, counter[i].first, UINT8_MAX),   \
	DEV_FIELD(struct pit_state, counter[i].status, UINT8_MAX),  \
	DEV_FIELD(struct pit_state, counter[i].latch, UINT16_MAX),  \
	DEV_FIELD(struct pit_state, counter[i].initial, UINT16_MAX), \
	DEV_FIELD(struct pit_state, counter[i].count, COUNTER_MAX),   \
	DEV_FIELD(struct pit_state, counter[i].load_in, COUNTER_MAX), \
	DEV_FIELD(struct pit_state, counter[i].age, UINT64_MAX)

static const struct dev_field fields[] = {
	COUNTER_FIELDS(0),
	COUNTER_FIELDS(1),
	COUNTER_FIELDS(2),
	DEV_FIELD(struct pit_state, port_b, PORT_B_BITS),
	DEV_FIELD(struct pit_state, level, 1),
};

static const struct dev_field time_fields[] = {
	DEV_FIELD(struct pit_times, lag, UINT64_MAX),
	DEV_FIELD(struct pit_times, rest, REST_NS),
};

#define NFIELDS(f) (sizeof(f) / sizeof((f)[0]))

static uint64_t pulses(uint64_t ns)
{
	return ns / PULSES_NS * PULSES + ns % PULSES_NS * PULSES / PULSES_NS;
}

/* When pulse N is, at the earliest; DEV_NEVER past the end of time. */
static uint64_t pulse_time(uint64_t n)
{
	if (n / PULSES >= UINT64_MAX / PULSES_NS)
		return DEV_NEVER;
	return n / PULSES * PULSES_NS + (n % PULSES * PULSES_NS + PULSES - 1) / PULSES;
}

static void set_level(struct pit *p, bool level)
{
	if (p->s.level == level)
		return;
	p->s.level = level;
	p->dev.host->irq(p->dev.host->arg, 0, level);
}

/* Tells GSI 0 that OUT 0 rose meanwhile (ROSE), or as it is now against what it was. */
static void tell_out(struct pit *p, bool was, bool rose)
{
	bool is = counter_out(&p->s.counter[0]);

	if (rose || (is && !was)) {
		set_level(p, false);
		set_level(p, true);
	}
	if (!is)
		set_level(p, false);
}

/* Brings the state up to CLOCK. */
static void catch_up(struct pit *p, uint64_t clock)
{
	uint64_t to = pulses(clock), n = to > p->at ? to - p->at : 0;
	bool was = counter_out(&p->s.counter[0]), rose;
	unsigned i;

	rose = counter_advance(&p->s.counter[0], n);
	for (i = 1; i < PIT_COUNTERS; i++)
		counter_advance(&p->s.counter[i], n);
	p->at += n;
	tell_out(p, was, rose);
}

static void arm(struct pit *p)
{
	uint64_t in = counter_rises_in(&p->s.counter[0]), at = DEV_NEVER;

	if (in < PULSE_NEVER - p->at)
		at = pulse_time(p->at + in);
	if (at != DEV_NEVER && at < p->rest_until)
		at = p->rest_until;
	dev_timer(&p->dev, at);
}

static void pit_timer(struct device *d, uint64_t clock)
{
	struct pit *p = (struct pit *)d;

	catch_up(p, clock);
	p->rest_until = clock < UINT64_MAX - REST_NS ? clock + REST_NS : UINT64_MAX;
	arm(p);
}

static void write_control(struct pit_state *s, uint8_t value)
{
	unsigned which = value >> 6, i;
	struct counter *c;

	if (which == READ_BACK) {
		for (i = 0; i < PIT_COUNTERS; i++) {
			if (!(value >> (i + 1) & 1))
				continue;
			if (!(value & READ_BACK_NO_COUNT))
				counter_latch(&s->counter[i]);
			if (!(value & READ_BACK_NO_STATUS))
				counter_latch_status(&s->counter[i]);
		}
		return;
	}
	c = &s->counter[which];
	if (value & CONTROL_RW)
		counter_control(c, value);
	else
		counter_latch(c);
}

static uint8_t read_port_b(const struct pit *p)
{
	return p->s.port_b | (p->at / REFRESH_PULSES % 2 ? PORT_B_REFRESH : 0) |
	       (counter_out(&p->s.counter[2]) ? PORT_B_OUT : 0);
}

static void pit_out(struct device *d, unsigned port, uint8_t value)
{
	struct pit *p = (struct pit *)d;
	bool was;

	catch_up(p, dev_clock(d));
	was = counter_out(&p->s.counter[0]);
	if (port == PIT_PORT_B) {
		p->s.port_b = value & PORT_B_BITS;
		counter_gate(&p->s.counter[2], value & PORT_B_GATE);
	} else if (port == PIT_CONTROL) {
		write_control(&p->s, value);
	} else {
		counter_write(&p->s.counter[port], value);
	}
	tell_out(p, was, false);
	arm(p);
}

static uint8_t pit_in(struct device *d, unsigned port)
{
	struct pit *p = (struct pit *)d;

	catch_up(p, dev_clock(d));
	arm(p);
	if (port == PIT_PORT_B)
		return read_port_b(p);
	return port == PIT_CONTROL ? 0 : counter_read(&p->s.counter[port]);       /* the control word is not read */
}

static void pit_reset(struct device *d)
{
	struct pit *p = (struct pit *)d;

	set_level(p, false);
	p->s = (struct pit_state){ .counter = { { .gate = true }, { .gate = true } } };
	p->at = pulses(dev_clock(d));
	p->rest_until = 0;
	arm(p);
}

static int pit_save(const struct device *d, struct dev_buf *b)
{
	const struct pit *p = (const struct pit *)d;
	uint64_t clock = dev_clock(d), now = pulses(clock);
	struct pit_times t = {
		.lag = now > p->at ? now - p->at : 0,
		.rest = p->rest_until > clock ? (uint32_t)(p->rest_until - clock) : 0,
	};
	int r = dev_fields_save(&p->s, fields, NFIELDS(fields), b);

	return r < 0 ? r : dev_fields_save(&t, time_fields, NFIELDS(time_fields), b);
}

static int pit_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct pit *p = (struct pit *)d;
	struct pit_state s = p->s;
	struct pit_times t;
	uint64_t clock = dev_clock(d), now = pulses(clock);
	bool bad = false, level;
	unsigned i;
	int r = dev_fields_load(&s, fields, NFIELDS(fields), b, d->ops->name, err);

	if (r == 0)
		r = dev_fields_load(&t, time_fields, NFIELDS(time_fields), b, d->ops->name, err);
	if (r < 0)
		return r;
	for (i = 0; i < PIT_COUNTERS; i++)
		bad |= !counter_consistent(&s.counter[i]) || s.counter[i].gate != (i < 2 || (s.port_b & PORT_B_GATE));
	if (bad)
		return err_set(err, EINVAL, "%s: its saved state contradicts itself", d->ops->name);
	level = s.level;
	s.level = p->s.level;
	p->s = s;
	p->at = now > t.lag ? now - t.lag : 0;
	p->rest_until = t.rest < UINT64_MAX - clock ? clock + t.rest : UINT64_MAX;
	set_level(p, level);
	arm(p);
	return 0;
}

static void pit_free(struct device *d)
{
	free(d);
}

static void show_counter(const struct counter *c, unsigned which, const struct dev_show *s)
{
	const struct {
		const char *name;
		unsigned bits;
		uint64_t value;
		const char *text;
	} reg[] = {
		{ "control", 6, c->control, counter_mode(c) },
		{ "initial", 16, c->initial, c->null ? "not counted yet" : NULL },
		{ "count", 16, counter_value(c), NULL },
		{ "gate", 1, c->gate, NULL },
		{ "out", 1, counter_out(c), NULL },
	};
	char name[24];
	size_t i;

	for (i = 0; i < NFIELDS(reg); i++) {
		snprintf(name, sizeof(name), "counter%u.%s", which, reg[i].name);
		s->reg(s->arg, name, reg[i].bits, reg[i].value, reg[i].text);
	}
}

/* As they are now, but for the device itself, which only moves by its own rules. */
static void pit_show(const struct device *d, const struct dev_show *s)
{
	const struct pit *p = (const struct pit *)d;
	struct pit now = *p;
	uint64_t to = pulses(dev_clock(d));
	unsigned i;

	for (i = 0; i < PIT_COUNTERS; i++) {
		counter_advance(&now.s.counter[i], to > p->at ? to - p->at : 0);
		show_counter(&now.s.counter[i], i, s);
	}
	now.at = to > p->at ? to : p->at;
	s->reg(s->arg, "port_61", 8, read_port_b(&now), "gate 2, speaker, refresh, OUT 2");
}

static const struct dev_ops pit_ops = {
	.name = "pit",
	.what = "interval timer (8254), port 0x61",
	.reset = pit_reset,
	.save = pit_save,
	.load = pit_load,
	.free = pit_free,
	.in = pit_in,
	.out = pit_out,
	.timer = pit_timer,
	.show = pit_show,
};

int pit_attach(struct bus *b, struct err *err)
{
	struct pit *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_set(err, ENOMEM, "no memory for the interval timer");
	p->dev.ops = &pit_ops;
	p->s.counter[0].gate = p->s.counter[1].gate = true;
	r = bus_attach(b, &p->dev, PIT_BASE, PIT_PORTS, err);
	return r < 0 ? r : bus_attach(b, &p->dev, PIT_BASE + PIT_PORT_B, 1, err);
}
