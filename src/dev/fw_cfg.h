/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The firmware configuration device, as QEMU's (docs/specs/fw_cfg): ports 0x510 (selector), 0x511 (data), 0x514 to 0x51b (DMA).  Firmware
 * finds there what the machine is like.
 */
#ifndef GV_DEV_FW_CFG_H
#define GV_DEV_FW_CFG_H

#include "dev/bus.h"

/* What firmware is told. */
struct fw_cfg_spec {
	uint64_t ram_size;              /* bytes */
	unsigned cpus;
	const char *const *boot_order;  /* device paths, first first (`bootorder`); NULL: none */
	size_t nboot_order;
	const uint8_t *vga_bios;        /* an option ROM (`vgaroms/vgabios.bin`), not owned, must outlive the device; NULL: none */
	size_t vga_bios_size;
};

/*
 * Makes the device: signature, id (with DMA), RAM size, CPU counts, irq0-override, max-cpus, e820 table (`etc/e820`: RAM below and
 * above 4 GiB), `etc/sercon-port` (0x3f8: INT 10h text appears on COM1), `bootorder`, `vgaroms/`, `etc/boot-menu-wait` 0.  -ENOMEM.
 */
int fw_cfg_attach(struct bus *b, const struct fw_cfg_spec *spec, struct err *err);

/* Port 0x402: what is written is host->log's, a read answers 0xe9, by which firmware finds it. */
int debugport_attach(struct bus *b, struct err *err);

#endif
