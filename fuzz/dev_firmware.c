/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What firmware speaks to: fw_cfg and its DMA, the debug port, flash memory. */
#include <string.h>

#include "dev/flash.h"
#include "dev/fw_cfg.h"
#include "fuzz/device.h"

#define GPA     0xffc00000u
#define SIZE    (4u * FLASH_BLOCK)

static const struct fuzz_range ranges[] = {
	{ BUS_PORTS, 0x510, 12 }, { BUS_PORTS, 0x510, 2 }, { BUS_PORTS, 0x514, 8 }, { BUS_PORTS, 0x402, 1 },
	{ BUS_MEMORY, GPA, SIZE }, { BUS_MEMORY, GPA, 4 }, { BUS_MEMORY, GPA + SIZE - 8, 16 },
};

static struct device *flash;
static uint8_t view[SIZE];

static void special(void *arg, struct bytes *in)
{
	struct fake_pc *pc = arg;

	bus_lock(pc->bus);
	if (flash_shows_array(flash))
		flash_view(flash, view, take(in, 1) & 1);
	bus_unlock(pc->bus);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const order[] = { "/rom@genroms/a.rom", "/pci@i0cf8/ide@1,1/drive@0/disk@0" };
	static const uint8_t rom[512] = { 0x55, 0xaa, 1 };
	static uint8_t first[SIZE];
	static struct fake_pc pc;
	const struct fw_cfg_spec spec = {
		.ram_size = 64u << 20, .cpus = 2, .boot_order = order, .nboot_order = 2, .vga_bios = rom, .vga_bios_size = sizeof(rom),
		.acpi_rsdp = { rom, 20 }, .acpi_tables = { rom, 300 }, .acpi_loader = { rom, 128 },
	};
	struct bytes in = { data, size };
	const struct device_fuzz d = {
		.pc = &pc, .arg = &pc, .range = ranges, .nranges = sizeof(ranges) / sizeof(ranges[0]), .special = special,
	};

	fake_pc_init(&pc);
	memset(first, 0xff, sizeof(first));
	ck_assert_int_eq(fw_cfg_attach(pc.bus, &spec, NULL), 0);
	ck_assert_int_eq(debugport_attach(pc.bus, NULL), 0);
	ck_assert_int_eq(flash_attach(pc.bus, &(struct flash_spec){ .gpa = GPA, .data = first, .size = SIZE }, &flash, NULL), 0);
	flash_view(flash, view, true);
	device_fuzz_run(&d, &in);
	fake_pc_done(&pc);
	return 0;
}
