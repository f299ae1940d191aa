/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/i8042_rig.h"

#include <string.h>

#include "tests/unit.h"

struct fake_pc pc;
struct device *kbd;

void setup(void)
{
	fake_pc_init(&pc);
	ck_assert_int_eq(i8042_attach(pc.bus, &kbd, NULL), 0);
}

void teardown(void)
{
	fake_pc_done(&pc);
}

void type(const char *text)
{
	struct err err = { 0 };

	ck_assert_msg(i8042_type(pc.bus, kbd, text, strlen(text), &err) == 0, "%s", err.msg);
}

void command(uint8_t code)
{
	outb(&pc, 0x64, code);
}

void set_cb(uint8_t value)
{
	command(0x60);
	outb(&pc, 0x60, value);
}

uint8_t get(void)
{
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x01, 1);
	return inb(&pc, 0x60);
}

void expect_nothing(void)
{
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x01, 0);
}

void expect(const uint8_t *want, size_t n)
{
	size_t i;
	uint8_t got;

	for (i = 0; i < n; i++) {
		got = get();
		ck_assert_msg(got == want[i], "byte %zu is 0x%02x, not 0x%02x", i, got, want[i]);
	}
	expect_nothing();
}
