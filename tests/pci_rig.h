/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bus with PCI and two functions that note what reaches them. */
#ifndef GV_TESTS_PCI_RIG_H
#define GV_TESTS_PCI_RIG_H

#include "dev/pci.h"
#include "tests/fake_pc.h"

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

/* A function with a BAR of 16 ports, one of 4 KiB of memory and one of 256 ports; notes what came. */
struct toy {
	struct pci_function f;
	unsigned reads, writes, range, offset, size;
	uint64_t value;
	unsigned written, written_offset, written_size;
};

enum { BAR_PORTS = 0, BAR_MEMORY = 1, BAR_WIDE = 5 };

extern struct fake_pc pc;
extern struct pci_bus *pci;
extern struct toy *a, *b;
extern unsigned freed;          /* toys */

/* What reached the router. */
extern unsigned routed, routed_pin;
extern bool routed_level;

/* "toy a" to "toy d". */
extern const struct dev_ops ops_a, ops_b, ops_c, ops_d;
extern const struct pci_spec spec_a;

/* PCI with A, which is ops_a at slot 3, and B, ops_b at slot 31, function 7. */
void pci_rig_init(void);
void pci_rig_done(void);

/* A toy on no bus yet; one with its BARs on the bus. */
struct toy *new_toy(const struct dev_ops *ops);
struct toy *add(const struct dev_ops *ops, const struct pci_spec *spec);

/* Configuration cycles: what is written to the address register for OFFSET of T, and accesses of SIZE bytes there. */
uint32_t address(const struct toy *t, unsigned offset);
uint32_t get(const struct toy *t, unsigned offset, unsigned size);
void put(const struct toy *t, unsigned offset, unsigned size, uint32_t value);
/* An access to memory: what is read, or what of VALUE was written. */
uint64_t mmio(uint64_t gpa, bool is_write, unsigned len, uint64_t value);

#endif
