/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/flash_rig.h"

#include "tests/disk_env.h"
#include "tests/unit.h"

struct fake_pc pc;
struct device *flash;
struct err err;
uint8_t first[SIZE], view[SIZE];

uint64_t get(uint32_t at, unsigned size)
{
	uint64_t value = 0;

	ck_assert(bus_mmio(pc.bus, GPA + at, false, size, (uint8_t *)&value));
	return value;
}

void put(uint32_t at, unsigned size, uint64_t value)
{
	ck_assert(bus_mmio(pc.bus, GPA + at, true, size, (uint8_t *)&value));
}

void command(uint8_t code)
{
	put(0x123, 1, code);
}

void flash_rig_init(struct disk *disk)
{
	fake_pc_init(&pc);
	for (size_t i = 0; i < SIZE; i++)
		first[i] = disk_env_byte(i);
	ck_assert_msg(flash_attach(pc.bus, &(struct flash_spec){ .gpa = GPA, .data = first, .size = SIZE, .disk = disk }, &flash,
				   &err) == 0, "%s", err.msg);
	flash_view(flash, view, true);
}

void flash_rig_done(void)
{
	fake_pc_done(&pc);
}
