/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/pit_rig.h"

#include "tests/unit.h"

struct fake_pc pc;
uint64_t at;

uint64_t ns_of(uint64_t pulse)
{
	return (pulse * 88000 + 104) / 105;
}

void pass(uint64_t pulses)
{
	at += pulses;
	pc.clock = ns_of(at);
}

void setup(void)
{
	fake_pc_init(&pc);
	ck_assert_int_eq(pit_attach(pc.bus, NULL), 0);
	at = 1000000;
	pc.clock = ns_of(at);
}

void teardown(void)
{
	fake_pc_done(&pc);
}

void control(unsigned which, unsigned rw, unsigned mode, bool bcd)
{
	outb(&pc, CONTROL, (uint8_t)(which << 6 | rw << 4 | mode << 1 | bcd));
}

void count(unsigned which, unsigned value)
{
	outb(&pc, (uint16_t)(0x40 + which), (uint8_t)value);
	outb(&pc, (uint16_t)(0x40 + which), (uint8_t)(value >> 8));
}

unsigned value(unsigned which)
{
	unsigned low;

	outb(&pc, CONTROL, (uint8_t)(which << 6));
	low = inb(&pc, (uint16_t)(0x40 + which));
	return low | (unsigned)inb(&pc, (uint16_t)(0x40 + which)) << 8;
}

bool out2(void)
{
	return inb(&pc, PORT_B) & 0x20;
}

unsigned rises;

void note_rise(void *arg, unsigned gsi, bool level)
{
	struct fake_pc *f = arg;

	ck_assert_uint_eq(gsi, 0);
	ck_assert(f->level[0] != level);
	f->level[0] = level;
	rises += level;
}

uint32_t random_bits(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}
