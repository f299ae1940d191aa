/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/pic_rig.h"

#include "tests/unit.h"

struct fake_pc pc;
struct device *pic;
bool intr;
unsigned told;

void note_intr(void *arg, bool level)
{
	ck_assert_ptr_eq(arg, &pc);
	ck_assert_msg(level != intr, "INTR set to %d twice", level);
	intr = level;
	told++;
}

void line(unsigned n, bool level)
{
	bus_lock(pc.bus);
	pic_set_irq(pic, n, level);
	bus_unlock(pc.bus);
}

void pulse(unsigned n)
{
	line(n, true);
	line(n, false);
}

unsigned ack(void)
{
	return pic_acknowledge(pc.bus, pic);
}

void init_chip(uint16_t port, uint8_t base, uint8_t icw3, uint8_t icw4)
{
	outb(&pc, port, 0x11);
	outb(&pc, port + 1, base);
	outb(&pc, port + 1, icw3);
	outb(&pc, port + 1, icw4);
}

unsigned irr(uint16_t port)
{
	outb(&pc, port, READ_IRR);
	return inb(&pc, port);
}

unsigned isr(uint16_t port)
{
	outb(&pc, port, READ_ISR);
	return inb(&pc, port);
}

void setup(void)
{
	intr = false;
	told = 0;
	fake_pc_init(&pc);
	ck_assert_int_eq(pic_attach(pc.bus, note_intr, &pc, &pic, NULL), 0);
	init_chip(MASTER, 0x20, 0x04, 0x01);
	init_chip(SLAVE, 0x28, 0x02, 0x01);
}

void teardown(void)
{
	fake_pc_done(&pc);
}
