/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ACPI tables for a PC that starts without firmware (ACPI 6.4, chapter 5): RSDP, XSDT, FADT of revision 5, FACS,
 * MADT and a DSDT with the PCI root, the interrupt links of the PIIX3, COM1, RTC, keyboard, a processor object per
 * vCPU and \_S5.
 *
 * They describe the machine that dev/chipset.h, dev/i8042.h and dev/pc.h make, and what pcboot_program()
 * (dev/pcboot.h) has put into it: without that call, after every reset, the power management ports that the FADT
 * names are nowhere.  Interrupts are as KVM routes them when nobody changes its table: interrupt line n is pin n of
 * the I/O APIC, also line 0.
 */
#ifndef GV_LOAD_ACPI_H
#define GV_LOAD_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#include "api/err.h"
#include "mem/gmem.h"

#define ACPI_BYTES_MAX 0x4000u          /* enough for any spec */

struct acpi_spec {
	unsigned cpus;                  /* 1 to MACHINE_CPUS_MAX; their APIC ids are 0, 1, ... */
	bool no_apic;                   /* neither local nor I/O APICs (--irqchip=user): no MADT */
	/*
	 * RAM reserved for the tables: GPA a multiple of 16, all of it below 4 GiB.  A kernel that is not told where
	 * the RSDP is looks for it between 0xe0000 and 0xfffff.  The memory map should call the place reserved (type
	 * 2): the FACS in it is written by the guest.
	 */
	uint64_t gpa, size;
	uint16_t pm_base;               /* port of the PIIX4's power management; 0: as pcboot_program() has it */
	uint32_t pci_base;              /* gpa from which on PCI has what is below the I/O APIC; 0: PC_RAM_LOW_MAX */
};

/*
 * Writes the tables into G, the RSDP at spec->gpa, which is also *RET_RSDP_GPA.  Same SPEC, same bytes.  Failure
 * changes nothing.
 * -EINVAL: no such number of vCPUs, or no such place; -ENOSPC: SIZE is too small, or not all of it is RAM; -ENOMEM.
 */
int acpi_build(const struct acpi_spec *spec, struct gmem *g, uint64_t *ret_rsdp_gpa, struct err *err);

/* The same tables for firmware that puts them where it likes, as files of dev/fw_cfg.h. */
struct acpi_files {
	uint8_t *rsdp, *tables, *loader;        /* owned; each pointer is an offset into `tables`, each checksum 0 */
	size_t rsdp_size, tables_size, loader_size;
};

/* SPEC's place does not count.  -EINVAL as acpi_build(), -ENOMEM; then RET is as it was. */
int acpi_files_new(const struct acpi_spec *spec, struct acpi_files *ret, struct err *err);
void acpi_files_done(struct acpi_files *f);     /* one that is zero is fine */

#endif
