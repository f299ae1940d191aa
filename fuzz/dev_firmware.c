/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What firmware speaks to: fw_cfg and its DMA, the debug port, flash memory. */
#include <endian.h>
#include <string.h>

#include "dev/flash.h"
#include "dev/fw_cfg.h"
#include "fuzz/device.h"

#define DMA_AT  0x1000u                 /* in guest memory */
#define GPA     0xffc00000u
#define SIZE    (4u * FLASH_BLOCK)

static const struct fuzz_range ranges[] = {
	{ BUS_PORTS, 0x510, 12 }, { BUS_PORTS, 0x510, 2 }, { BUS_PORTS, 0x514, 8 }, { BUS_PORTS, 0x402, 1 },
	{ BUS_MEMORY, GPA, SIZE }, { BUS_MEMORY, GPA, 4 }, { BUS_MEMORY, GPA + SIZE - 8, 16 },
};

static struct device *flash;
static uint8_t view[SIZE];

/* One of fw_cfg's DMA operations, of a length about that of some item, on the guest's memory or beyond it. */
static void dma(struct fake_pc *pc, struct bytes *in)
{
	unsigned what = (unsigned)take(in, 1), key = (unsigned)take(in, what & 0x80 ? 2 : 1);
	uint32_t length = htobe32((uint32_t)take(in, what & 0x40 ? 4 : what & 0x20 ? 2 : 1)), at = htobe32(DMA_AT);
	uint32_t control = htobe32(key << 16 | (what & 0x1f));
	uint64_t address = htobe64(take(in, 3) << (key & 0x20 ? 40 : 0));

	memcpy(pc->mem + DMA_AT, &control, 4);
	memcpy(pc->mem + DMA_AT + 4, &length, 4);
	memcpy(pc->mem + DMA_AT + 8, &address, 8);
	bus_io(pc->bus, 0x518, true, 4, 1, (uint8_t *)&at);
}

static void special(void *arg, struct bytes *in)
{
	struct fake_pc *pc = arg;

	if (in->len && in->p[0] & 2) {
		dma(pc, in);
		return;
	}
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
