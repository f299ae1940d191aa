/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The firmware configuration device, as QEMU's (docs/specs/fw_cfg): ports 0x510 (selector), 0x511 (data), 0x514 to
 * 0x51b (DMA).  Firmware finds there what the machine is like.  Nothing can be written.  A DMA read zeroes 1 MiB behind
 * an item's end at most; one that wants more has its error bit set, as one has that meets a gpa without memory.
 */
#ifndef GV_DEV_FW_CFG_H
#define GV_DEV_FW_CFG_H

#include "dev/bus.h"

/* What firmware is told. */
struct fw_cfg_spec {
	uint64_t ram_size;              /* bytes */
	unsigned cpus;
	bool irq0_override;             /* GSI 0, the timer's, is at the IOAPIC's pin 2 (KVM's own routing: pin 0) */
	const char *const *boot_order;  /* device paths, first first (`bootorder`); NULL: none */
	size_t nboot_order;
	/* An option ROM (`vgaroms/vgabios.bin`), not owned, must outlive the device; NULL: none. */
	const uint8_t *vga_bios;
	size_t vga_bios_size;
	/* ACPI tables for firmware that places them: the RSDP, the tables, and what is to be done to them; copied.  NULL data: none. */
	struct fw_cfg_file {
		const uint8_t *data;
		size_t size;
	} acpi_rsdp, acpi_tables, acpi_loader;
};

/*
 * Makes the device: signature, id (with DMA), RAM size, CPU counts, IRQ 0 override, e820 table (`etc/e820`: RAM below
 * and above 4 GiB), `etc/sercon-port` (0x3f8: INT 10h text appears on COM1), `bootorder`, `vgaroms/`,
 * `etc/boot-menu-wait` 0, `etc/acpi/rsdp`, `etc/acpi/tables`, `etc/table-loader`.  SPEC is copied.  -ENOMEM; -EEXIST as bus_attach().
 */
int fw_cfg_attach(struct bus *b, const struct fw_cfg_spec *spec, struct err *err);

/* Port 0x402: what is written is host->log's, a read answers 0xe9, by which firmware finds it. */
int debugport_attach(struct bus *b, struct err *err);

#endif
