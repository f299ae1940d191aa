/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PIIX3 IDE, 00:01.1: two channels at their ISA places (0x1f0, 0x3f6, GSI 14; 0x170, 0x376, GSI 15) with two drives
 * each, ATA disks and ATAPI CD-ROMs, PIO and bus-master DMA (BAR 4).  ATA/ATAPI-6, SFF-8038i, MMC-3 as far as booting
 * takes it.
 */
#ifndef GV_DEV_IDE_H
#define GV_DEV_IDE_H

#include "dev/disk.h"
#include "dev/pci.h"

#define IDE_DRIVES 4u           /* primary master, primary slave, secondary master, secondary slave */

/* DRIVE: NULL is an empty place; they stay the caller's and must outlive the device.  */
int ide_attach(struct pci_bus *pci, struct disk *const drive[IDE_DRIVES], struct err *err);

#endif
