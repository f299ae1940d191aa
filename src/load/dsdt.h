/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The differentiated system description table's contents: see load/acpi.h.  Private to src/load. */
#ifndef GV_LOAD_DSDT_H
#define GV_LOAD_DSDT_H

#include "load/aml.h"

/*
 * What comes after its header, for a machine with PROCESSORS processor objects (0: none), power management at port PM_BASE,
 * and PCI's memory from gpa PCI_BASE on.
 */
void dsdt_contents(struct aml *a, unsigned processors, uint16_t pm_base, uint32_t pci_base);

#endif
