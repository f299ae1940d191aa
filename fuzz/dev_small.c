/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PC's small devices: serial port, debug console, exit port, keyboard controller, clock, screen, interrupts, timer. */
#include <string.h>

#include "dev/i8042.h"
#include "dev/pc.h"
#include "dev/pic.h"
#include "dev/vga.h"
#include "fuzz/device.h"

static const struct fuzz_range ranges[] = {
	{ BUS_PORTS, 0x3f8, 8 }, { BUS_PORTS, 0x60, 5 }, { BUS_PORTS, 0x70, 2 }, { BUS_PORTS, 0x3b0, 0x30 },
	{ BUS_PORTS, 0x20, 2 }, { BUS_PORTS, 0xa0, 2 }, { BUS_PORTS, 0x40, 4 }, { BUS_PORTS, 0x4d0, 2 }, { BUS_PORTS, 0x92, 1 },
	{ BUS_PORTS, 0xe9, 1 }, { BUS_PORTS, 0xf4, 4 }, { BUS_PORTS, 0xcf9, 1 }, { BUS_PORTS, 0, 0x1000 },
};

struct pc {
	struct fake_pc fake;
	struct device *uart, *kbd, *vga, *pic;
	bool intr;
	uint8_t text[VGA_TEXT_BYTES];
};

static void on_intr(void *arg, bool level)
{
	struct pc *p = arg;

	ck_assert(p->intr != level);
	p->intr = level;
}

static void special(void *arg, struct bytes *in)
{
	static struct screen screen;
	struct pc *p = arg;
	unsigned what = (unsigned)take(in, 1);
	size_t len;
	const uint8_t *data;
	struct err err = { 0 };

	switch (what % 6) {
	case 0:
		data = take_span(in, take(in, 1) % 40, &len);
		ck_assert_uint_le(uart_input(p->fake.bus, p->uart, data, len), len);
		break;
	case 1:
		data = take_span(in, take(in, 1) % 40, &len);
		/* More than the keyboard holds, if all of it is typed as often as may be. */
		for (unsigned i = 0; i <= what >> 4 && !err.code; i++)
			check_answer(i8042_type(p->fake.bus, p->kbd, (const char *)data, len, &err), &err);
		break;
	case 2:
		vga_screen(p->fake.bus, p->vga, p->text, &screen);
		break;
	case 3:
		bus_lock(p->fake.bus);
		pic_set_irq(p->pic, (unsigned)take(in, 1) % 16, what & 0x80);
		bus_unlock(p->fake.bus);
		break;
	case 4:
		pic_acknowledge(p->fake.bus, p->pic);
		break;
	default:
		p->fake.now = take(in, 8);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pc p;
	struct bytes in = { data, size };
	const struct device_fuzz d = {
		.pc = &p.fake, .arg = &p, .range = ranges, .nranges = sizeof(ranges) / sizeof(ranges[0]), .special = special,
	};

	memset(&p, 0, sizeof(p));
	fake_pc_init(&p.fake);
	ck_assert_int_eq(uart_attach(p.fake.bus, &p.uart, NULL), 0);
	ck_assert_int_eq(debugcon_attach(p.fake.bus, NULL), 0);
	ck_assert_int_eq(exitport_attach(p.fake.bus, NULL), 0);
	ck_assert_int_eq(i8042_attach(p.fake.bus, &p.kbd, NULL), 0);
	ck_assert_int_eq(cmos_attach(p.fake.bus, 64u << 20, 2, CMOS_BY_LBA, NULL), 0);
	ck_assert_int_eq(vga_attach(p.fake.bus, &p.vga, NULL), 0);
	ck_assert_int_eq(pic_attach(p.fake.bus, on_intr, &p, &p.pic, NULL), 0);
	ck_assert_int_eq(pit_attach(p.fake.bus, NULL), 0);
	device_fuzz_run(&d, &in);
	fake_pc_done(&p.fake);
	return 0;
}
