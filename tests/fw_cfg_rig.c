/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fw_cfg_rig.h"

#include <string.h>

#include "tests/unit.h"

struct fake_pc pc;
struct err err;
uint8_t vga_bios[VGA_BIOS_SIZE];

static const char *const boot_order[] = { "/pci@i0cf8/ide@1,1/drive@1/disk@0", "/a", "HALT" };

void attach(const struct fw_cfg_spec *spec)
{
	ck_assert_msg(fw_cfg_attach(pc.bus, spec, &err) == 0, "%s", err.msg);
}

void fw_cfg_rig_init_bare(void)
{
	fake_pc_init(&pc);
}

void fw_cfg_rig_init(void)
{
	size_t i;

	fw_cfg_rig_init_bare();
	for (i = 0; i < VGA_BIOS_SIZE; i++)
		vga_bios[i] = (uint8_t)(i * 7 + 1);
	attach(&(struct fw_cfg_spec){
		.ram_size = 128 * MIB, .cpus = 4, .boot_order = boot_order, .nboot_order = 3,
		.vga_bios = vga_bios, .vga_bios_size = VGA_BIOS_SIZE,
	});
}

void fw_cfg_rig_done(void)
{
	fake_pc_done(&pc);
}

void select_key(uint16_t key)
{
	pc_out(&pc, SELECTOR, 2, key);
}

void read_ports(uint16_t key, void *ret, size_t len)
{
	uint8_t *p = ret;

	select_key(key);
	for (; len; len--)
		*p++ = inb(&pc, DATA);
}

uint32_t be(const uint8_t *p, unsigned size)
{
	uint32_t value = 0;

	for (; size; size--)
		value = value << 8 | *p++;
	return value;
}

uint16_t find_file(const char *name, uint32_t *ret_size)
{
	uint8_t head[4], entry[64];
	uint16_t key = 0;
	uint32_t i;

	read_ports(KEY_DIRECTORY, head, 4);
	for (i = 0; i < be(head, 4); i++) {
		size_t k;

		for (k = 0; k < sizeof(entry); k++)
			entry[k] = inb(&pc, DATA);
		if (strcmp((char *)entry + 8, name) == 0) {
			ck_assert_uint_eq(key, 0);
			key = (uint16_t)be(entry + 4, 2);
			*ret_size = be(entry, 4);
		}
	}
	return key;
}

uint32_t swapped(uint32_t v)
{
	return __builtin_bswap32(v);
}

void put_descriptor(uint64_t gpa, uint32_t control, uint32_t length, uint64_t address)
{
	uint32_t words[4] = {
		swapped(control), swapped(length), swapped((uint32_t)(address >> 32)), swapped((uint32_t)address),
	};

	if (gpa < FAKE_PC_MEM)
		memcpy(pc.mem + gpa, words, FAKE_PC_MEM - gpa < 16 ? FAKE_PC_MEM - gpa : 16);
}

void start_dma(uint64_t gpa)
{
	if (gpa >> 32)
		pc_out(&pc, DMA_HIGH, 4, swapped((uint32_t)(gpa >> 32)));
	pc_out(&pc, DMA_LOW, 4, swapped((uint32_t)gpa));
}
