/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the machine is, in AML.  Interrupt links are the PIRQ registers of the PIIX3 (data sheet 290550, 2.3.11):
 * the guest sees there what pcboot_program() routed, and may route them elsewhere.
 */
#include "load/dsdt.h"

#include <stdio.h>

#include "dev/chipset.h"
#include "dev/pc.h"
#include "dev/pcboot.h"

#define SLOTS           32u
#define PINS            4u
#define ANY_FUNCTION    0xffffu
#define IOAPIC_GPA      0xfec00000u

#define PIRQRC          0x60u
#define PIRQRC_OFF      0x80
#define PIRQRC_LINE     0x0f
#define STA_PRESENT     0x09            /* and works, but decodes nothing */
#define STA_ON          0x0b

/* Lines that nobody has but PCI (5 is that of a sound card or a second printer). */
static const uint32_t link_lines[] = { 5, 10, 11 };

static const char link_name[CHIPSET_PIRQS][5] = { "LNKA", "LNKB", "LNKC", "LNKD" };
static const char route_field[CHIPSET_PIRQS][5] = { "PRQA", "PRQB", "PRQC", "PRQD" };
static const char route_path[CHIPSET_PIRQS][22] = {
	"\\_SB.PCI0.ISA.PRQA", "\\_SB.PCI0.ISA.PRQB", "\\_SB.PCI0.ISA.PRQC", "\\_SB.PCI0.ISA.PRQD",
};

struct ports {
	uint16_t base;
	uint8_t bytes;
};

/* Devices of the ISA bridge.  A second range of no bytes, a line of 0: there is none. */
static const struct isa_device {
	const char *name, *id;
	struct ports ports[2];
	unsigned line;
} isa_device[] = {
	{ "COM1", "PNP0501", { { 0x3f8, 8 } }, 4 },
	{ "RTC", "PNP0B00", { { 0x70, 2 } }, 8 },
	{ "KBD", "PNP0303", { { 0x60, 1 }, { 0x64, 1 } }, 1 },
};

/* Ports of the board itself, so that nothing is put there: SMBus, APM, GPE, level bits; and power management's. */
#define PM_PORTS        64
static const struct ports board_ports[] = {
	{ PCBOOT_SMB_BASE, 16 }, { 0xb2, 2 }, { 0xafe0, 4 }, { 0x4d0, 2 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void add_processors(struct aml *a, unsigned n)
{
	char name[8];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "C%03X", i & 0xfff);
		aml_open_device(a, name);
		aml_op(a, AML_NAME);
		aml_name(a, "_HID");
		aml_string(a, "ACPI0007");
		aml_name_int(a, "_UID", i);
		aml_close(a);
	}
}

static void begin_resources(struct aml *a, const char *name)
{
	aml_op(a, AML_NAME);
	aml_name(a, name);
	aml_open_template(a);
}

/* IRQC(register): what a link has now, interrupt 0 if nothing. */
static void add_link_resources(struct aml *a)
{
	static const uint32_t none;

	aml_open_method(a, "IRQC", 1, true);
	begin_resources(a, "RES");
	aml_link_irqs(a, &none, 1);
	aml_close_template(a);
	aml_op(a, AML_CREATE_DWORD_FIELD);
	aml_name(a, "RES");
	aml_int(a, AML_LINK_IRQ);
	aml_name(a, "LINE");
	aml_open_if(a);
	aml_op(a, AML_NOT);
	aml_op(a, AML_AND);
	aml_op(a, AML_ARG0);
	aml_int(a, PIRQRC_OFF);
	aml_no_target(a);
	aml_op(a, AML_AND);
	aml_op(a, AML_ARG0);
	aml_int(a, PIRQRC_LINE);
	aml_name(a, "LINE");
	aml_close(a);
	aml_op(a, AML_RETURN);
	aml_name(a, "RES");
	aml_close(a);
}

static void add_link_status(struct aml *a, const char *route)
{
	aml_open_method(a, "_STA", 0, false);
	aml_open_if(a);
	aml_op(a, AML_AND);
	aml_name(a, route);
	aml_int(a, PIRQRC_OFF);
	aml_no_target(a);
	aml_op(a, AML_RETURN);
	aml_int(a, STA_PRESENT);
	aml_close(a);
	aml_op(a, AML_RETURN);
	aml_int(a, STA_ON);
	aml_close(a);
}

static void add_link_changes(struct aml *a, const char *route)
{
	aml_open_method(a, "_DIS", 0, false);
	aml_op(a, AML_OR);
	aml_name(a, route);
	aml_int(a, PIRQRC_OFF);
	aml_name(a, route);
	aml_close(a);

	aml_open_method(a, "_SRS", 1, true);
	aml_op(a, AML_CREATE_DWORD_FIELD);
	aml_op(a, AML_ARG0);
	aml_int(a, AML_LINK_IRQ);
	aml_name(a, "LINE");
	aml_op(a, AML_STORE);
	aml_name(a, "LINE");
	aml_name(a, route);
	aml_close(a);
}

static void add_link(struct aml *a, unsigned pirq)
{
	aml_open_device(a, link_name[pirq]);
	aml_name_eisa_id(a, "_HID", "PNP0C0F");
	aml_name_int(a, "_UID", pirq);
	begin_resources(a, "_PRS");
	aml_link_irqs(a, link_lines, COUNT(link_lines));
	aml_close_template(a);
	add_link_status(a, route_path[pirq]);
	add_link_changes(a, route_path[pirq]);
	aml_open_method(a, "_CRS", 0, false);
	aml_op(a, AML_RETURN);
	aml_name(a, "IRQC");
	aml_name(a, route_path[pirq]);
	aml_close(a);
	aml_close(a);
}

/* Which link each pin of each slot has. */
static void add_routes(struct aml *a)
{
	aml_op(a, AML_NAME);
	aml_name(a, "_PRT");
	aml_open_package(a, SLOTS * PINS);
	for (unsigned i = 0; i < SLOTS * PINS; i++) {
		unsigned slot = i / PINS, pin = i % PINS;

		aml_open_package(a, 4);
		aml_int(a, slot << 16 | ANY_FUNCTION);
		aml_int(a, pin);
		aml_name(a, link_name[PCBOOT_PIRQ(slot, pin)]);
		aml_int(a, 0);
		aml_close(a);
	}
	aml_close(a);
}

static void add_bridge_resources(struct aml *a, uint32_t pci_base)
{
	begin_resources(a, "_CRS");
	aml_window_buses(a, 0, 0);
	aml_io(a, 0xcf8, 8);
	aml_window_ports(a, 0, 0xcf7);
	aml_window_ports(a, 0xd00, 0xffff);
	aml_window_memory(a, 0xa0000, 0xbffff);
	aml_window_memory(a, pci_base, IOAPIC_GPA - 1);
	aml_close_template(a);
}

static void add_isa_device(struct aml *a, const struct isa_device *d)
{
	aml_open_device(a, d->name);
	aml_name_eisa_id(a, "_HID", d->id);
	begin_resources(a, "_CRS");
	for (size_t i = 0; i < COUNT(d->ports) && d->ports[i].bytes; i++)
		aml_io(a, d->ports[i].base, d->ports[i].bytes);
	aml_irq(a, d->line);
	aml_close_template(a);
	aml_close(a);
}

static void add_board(struct aml *a, uint16_t pm_base)
{
	aml_open_device(a, "BRD");
	aml_name_eisa_id(a, "_HID", "PNP0C02");
	begin_resources(a, "_CRS");
	aml_io(a, pm_base, PM_PORTS);
	for (size_t i = 0; i < COUNT(board_ports); i++)
		aml_io(a, board_ports[i].base, board_ports[i].bytes);
	aml_close_template(a);
	aml_close(a);
}

static void add_isa_bridge(struct aml *a, uint16_t pm_base)
{
	aml_open_device(a, "ISA");
	aml_name_int(a, "_ADR", 0x00010000);
	aml_region(a, "PIRQ", AML_PCI_CONFIG, PIRQRC, CHIPSET_PIRQS);
	aml_open_field(a, "PIRQ");
	for (unsigned i = 0; i < CHIPSET_PIRQS; i++)
		aml_field(a, route_field[i], 8);
	aml_close(a);
	for (size_t i = 0; i < COUNT(isa_device); i++)
		add_isa_device(a, &isa_device[i]);
	add_board(a, pm_base);
	aml_close(a);
}

static void add_pci(struct aml *a, uint16_t pm_base, uint32_t pci_base)
{
	aml_open_device(a, "PCI0");
	aml_name_eisa_id(a, "_HID", "PNP0A03");
	aml_name_int(a, "_UID", 0);
	aml_name_int(a, "_BBN", 0);
	add_bridge_resources(a, pci_base);
	add_routes(a);
	add_isa_bridge(a, pm_base);
	aml_close(a);
}

/* Off is sleep type 0 in the PIIX4's control register. */
static void add_off(struct aml *a)
{
	aml_op(a, AML_NAME);
	aml_name(a, "_S5");
	aml_open_package(a, 4);
	for (unsigned i = 0; i < 4; i++)
		aml_int(a, 0);
	aml_close(a);
}

void dsdt_contents(struct aml *a, unsigned processors, uint16_t pm_base, uint32_t pci_base)
{
	aml_open_scope(a, "\\_SB");
	add_processors(a, processors);
	add_link_resources(a);
	for (unsigned i = 0; i < CHIPSET_PIRQS; i++)
		add_link(a, i);
	add_pci(a, pm_base, pci_base);
	aml_close(a);
	add_off(a);
}
