/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What firmware does to the chipset before it starts an operating system, for a machine without any: the tables of
 * load/acpi.h and load/mptable.h say that it is so.
 */
#ifndef GV_DEV_PCBOOT_H
#define GV_DEV_PCBOOT_H

#include "dev/bus.h"

#define PCBOOT_PM_BASE  0x600u          /* PIIX4: PM1 event at +0, control at +4, timer at +8; 64 ports */
#define PCBOOT_SMB_BASE 0x700u          /* its SMBus; 16 ports */

/* The PIRQ (0 to 3: A to D) that a slot's pin (0: INTA) is on this board; the interrupt that a PIRQ is routed to. */
#define PCBOOT_PIRQ(slot, pin) (((slot) + 3 + (pin)) % 4)
#define PCBOOT_PIRQ_LINE(pirq) ((pirq) & 2 ? 11u : 10u)

/*
 * Programs B's chipset (dev/chipset.h, dev/ide.h) as a guest would, by configuration cycles: PIRQs routed, each
 * function's interrupt line register set, PM and SMBus ports placed and enabled.  BARs stay nowhere, for the guest
 * to place, and with them what command registers enable.  The configuration address (0xcf8) is left at 0, as after
 * a reset.  To be called after every bus_reset() of a machine that starts without firmware, before it runs.  Takes
 * the bus lock itself.  A bus without PCI is left as it is.
 *
 * Not done: the level bits of the ISA interrupts (ELCR, 0x4d0), which belong to KVM's interrupt controllers and
 * matter only to a guest that uses neither I/O APIC nor ACPI.
 */
void pcboot_program(struct bus *b);

#endif
