/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Intel 440FX and PIIX (data sheets 290549 and 290550/290562): the host bridge with its PAM registers, the ISA bridge
 * with its PIRQ routing, power management with its timer.  The IDE function is dev/ide.h's.
 */
#ifndef GV_DEV_CHIPSET_H
#define GV_DEV_CHIPSET_H

#include "dev/pci.h"

/* The places that PAM registers 0x59 to 0x5f speak of. */
#define PAM_SEGMENTS 13u
struct pam_segment {
	uint32_t gpa, size;             /* bytes: 12 of 16 KiB from 0xc0000 on, then 64 KiB at 0xf0000 */
	bool read_ram, write_ram;       /* else reads and writes go to PCI: to the ROM there */
};

/* 00:00.0.  host->remap is called when a PAM register has changed, also by reset and load. */
int i440fx_attach(struct pci_bus *pci, struct pci_function **ret, struct err *err);
/* How segment INDEX (0 to PAM_SEGMENTS - 1, ascending by gpa) is now.  Under the bus lock. */
struct pam_segment i440fx_pam(const struct pci_function *bridge, unsigned index);

/*
 * 00:01.0, PIIX3: PIRQ routing to GSIs.  A PIRQ routed to an interrupt that the data sheet reserves (0, 1, 2, 8, 13)
 * goes nowhere.  The chip's ELCR (0x4d0, 0x4d1) belongs to the interrupt controllers, KVM's or dev/pic.h's, its port
 * 0xcf9 to dev/i8042.h.
 */
int piix3_attach(struct pci_bus *pci, struct err *err);

/* Who drives interrupt lines, for pci_drive_line(). */
enum chipset_source { CHIPSET_PIRQ, CHIPSET_PIRQS = 4, CHIPSET_SCI = CHIPSET_PIRQS };

/*
 * 00:01.3, PIIX4 power management: PM1 event, enable and control (power-off: SLP_TYP 0 with SLP_EN; soft-off is
 * host->power_off), PM timer of 3.579545 MHz by host->clock (its overflow sets TMR_STS, and SCI on GSI 9 if enabled),
 * GPE 0xafe0 to 0xafe3 (no events), SMBus (nothing is on it: each transaction ends with a device error), APM ports
 * 0xb2 and 0xb3.  There is no SMM: DEVACTB says that SMIs are on already, so that firmware leaves it alone, and what
 * its handler would do for an operating system, switch SCI_EN on and off when 0xf1 and 0xf0 are written to 0xb2,
 * happens by itself.
 */
int piix4_pm_attach(struct pci_bus *pci, struct err *err);

#endif
