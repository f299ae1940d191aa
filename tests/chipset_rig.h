/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bus with PCI, the chipset and one card, for tests of the chipset. */
#ifndef GV_TESTS_CHIPSET_RIG_H
#define GV_TESTS_CHIPSET_RIG_H

#include "dev/chipset.h"
#include "tests/fake_pc.h"

/* Functions, as bits 15 to 8 of a configuration address. */
#define HOST_BRIDGE     0x0000u
#define ISA_BRIDGE      0x0800u
#define PM              0x0b00u
#define CARD            0x1800u         /* its INTA is PIRQC */

/* Where rig_enable_pm() puts power management and SMBus. */
#define RIG_PMBASE      0x600u
#define RIG_SMBBA       0x700u

#define SCI             9

struct chipset_rig {
	struct fake_pc pc;
	struct pci_bus *pci;
	struct pci_function *bridge, *card;
};

/* *R must stay where it is. */
void rig_init(struct chipset_rig *r);
void rig_done(struct chipset_rig *r);
/* Something at SLOT that has INTA and nothing else. */
struct pci_function *rig_add_card(struct chipset_rig *r, unsigned slot);

/* Configuration cycles, SIZE bytes. */
uint32_t rig_get(struct chipset_rig *r, unsigned function, unsigned offset, unsigned size);
void rig_put(struct chipset_rig *r, unsigned function, unsigned offset, unsigned size, uint32_t value);
/* Places power management as firmware does. */
void rig_enable_pm(struct chipset_rig *r);
/* Which GSIs are high, a bit each. */
unsigned rig_lines(const struct chipset_rig *r);
/* Loads the present state with the byte AT of NAME's changed to VALUE: it must be refused and change nothing. */
void rig_refuses(struct chipset_rig *r, const struct dev_buf *state, const char *name, unsigned at, uint8_t value);

/* The next of a sequence; *STATE is not 0. */
uint32_t rig_random(uint64_t *state);

#endif
