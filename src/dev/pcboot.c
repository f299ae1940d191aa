/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/pcboot.h"

#include "dev/chipset.h"

#define CONFIG_ADDRESS  0xcf8u
#define CONFIG_DATA     0xcfcu
#define ADDRESS_ON      0x80000000u

#define SLOTS           32u
#define FUNCTIONS       8u
#define NOBODY          0xffffu         /* the vendor where there is no function */

#define ISA_BRIDGE      (1u * FUNCTIONS + 0)    /* slot 1's functions */
#define PM              (1u * FUNCTIONS + 3)
#define PIRQRC          0x60u

/* Register writes: where the function is, when it is there. */
static const struct {
	uint8_t function, offset, size;
	uint16_t vendor_device;         /* the device half: others are left alone */
	uint32_t value;
} settings[] = {
	{ ISA_BRIDGE, PIRQRC + 0, 1, 0x7000, PCBOOT_PIRQ_LINE(0) },
	{ ISA_BRIDGE, PIRQRC + 1, 1, 0x7000, PCBOOT_PIRQ_LINE(1) },
	{ ISA_BRIDGE, PIRQRC + 2, 1, 0x7000, PCBOOT_PIRQ_LINE(2) },
	{ ISA_BRIDGE, PIRQRC + 3, 1, 0x7000, PCBOOT_PIRQ_LINE(3) },
	{ PM, 0x40, 4, 0x7113, PCBOOT_PM_BASE | 1 },    /* PMBASE */
	{ PM, 0x80, 1, 0x7113, 0x01 },                  /* PMREGMISC: the ports are on */
	{ PM, 0x90, 4, 0x7113, PCBOOT_SMB_BASE | 1 },   /* SMBBA */
	{ PM, 0xd2, 1, 0x7113, 0x09 },                  /* SMBHSTCFG: on, by interrupt 9 */
	{ PM, PCI_COMMAND, 2, 0x7113, PCI_COMMAND_IO },
};

static void port_out(struct bus *b, unsigned port, unsigned size, uint32_t value)
{
	uint8_t data[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24) };

	bus_io(b, (uint16_t)port, true, size, 1, data);
}

static void config_select(struct bus *b, unsigned function, unsigned offset)
{
	port_out(b, CONFIG_ADDRESS, 4, ADDRESS_ON | function << 8 | (offset & ~3u));
}

static void config_put(struct bus *b, unsigned function, unsigned offset, unsigned size, uint32_t value)
{
	config_select(b, function, offset);
	port_out(b, CONFIG_DATA + (offset & 3), size, value);
}

static uint32_t config_get(struct bus *b, unsigned function, unsigned offset)
{
	uint8_t data[4] = { 0 };

	config_select(b, function, offset);
	bus_io(b, CONFIG_DATA, false, 4, 1, data);
	return data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}

static void set_lines(struct bus *b)
{
	for (unsigned fn = 0; fn < SLOTS * FUNCTIONS; fn++) {
		unsigned pin;

		if ((config_get(b, fn, 0) & 0xffff) == NOBODY)
			continue;
		pin = config_get(b, fn, PCI_IRQ_LINE) >> 8 & 0xff;
		if (pin)
			config_put(b, fn, PCI_IRQ_LINE, 1, PCBOOT_PIRQ_LINE(PCBOOT_PIRQ(fn / FUNCTIONS, pin - 1)));
	}
}

void pcboot_program(struct bus *b)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (config_get(b, settings[i].function, 0) >> 16 == settings[i].vendor_device)
			config_put(b, settings[i].function, settings[i].offset, settings[i].size, settings[i].value);
	set_lines(b);
	port_out(b, CONFIG_ADDRESS, 4, 0);
}
