/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The PCI bus: configuration mechanism 1 (ports 0xcf8, 0xcfc), functions with their configuration space, base address
 * registers that move windows of the bus, interrupt pins.  PCI Local Bus Specification 3.0, chapter 6 and 3.2.2.3.2.
 *
 * A function is a device of dev/bus.h that embeds struct pci_function first.  Threads: as in bus.h; all here under the
 * bus lock but for the making.
 */
#ifndef GV_DEV_PCI_H
#define GV_DEV_PCI_H

#include "api/devices.h"
#include "dev/bus.h"

struct pci_bus;

#define PCI_CONFIG_BYTES 256
#define PCI_HEADER_BYTES 64

/* Registers of the header, and bits of them. */
enum {
	PCI_COMMAND = 0x04,             /* 2 bytes */
	PCI_STATUS = 0x06,              /* 2 */
	PCI_REVISION = 0x08,
	PCI_CLASS = 0x09,               /* 3 */
	PCI_CACHE_LINE = 0x0c,
	PCI_LATENCY = 0x0d,
	PCI_HEADER_TYPE = 0x0e,
	PCI_BAR = 0x10,                 /* 4 each */
	PCI_SUBSYSTEM_VENDOR = 0x2c,    /* 2 */
	PCI_SUBSYSTEM = 0x2e,           /* 2 */
	PCI_IRQ_LINE = 0x3c,
	PCI_IRQ_PIN = 0x3d,
};

#define PCI_COMMAND_IO          0x0001u
#define PCI_COMMAND_MEMORY      0x0002u
#define PCI_COMMAND_MASTER      0x0004u
#define PCI_COMMAND_NO_INTX     0x0400u
#define PCI_STATUS_INTX         0x0008u

/* What a function is made with. */
struct pci_spec {
	unsigned slot, function;        /* on bus 0 */
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint32_t class_code;            /* base << 16 | sub << 8 | interface */
	uint8_t revision;
	uint8_t irq_pin;                /* 1 to 4: INTA to INTD; 0: none */
	bool multifunction;             /* header type bit 7; set on function 0 */
	const char *name;               /* static text, for `info pci` */
};

struct pci_function {
	struct device dev;              /* first */
	struct pci_bus *pci;
	const char *name;
	unsigned slot, function;
	uint8_t config[PCI_CONFIG_BYTES];
	uint8_t writable[PCI_CONFIG_BYTES];     /* mask: what configuration writes change; the rest is constant */
	uint8_t header[PCI_HEADER_BYTES];       /* what pci_reset() puts back */
	struct {
		bool present, memory;
		uint32_t size;          /* bytes, a power of two; ports: 4 to 256, memory: at least 16 */
		unsigned window;        /* its number on the bus */
	} bar[PCI_BARS];
	/* SIZE bytes of configuration space from OFFSET on are about to be read by the guest: it may change them.  May be NULL. */
	void (*config_read)(struct pci_function *f, unsigned offset, unsigned size);
	/* Configuration space was written, SIZE bytes from OFFSET on, or loaded whole.  May be NULL. */
	void (*config_written)(struct pci_function *f, unsigned offset, unsigned size);
	bool intx;                      /* the level of its interrupt pin */
};

/* A register of a function's configuration space, as its own table has it: SIZE bytes (1 to 4) at OFFSET. */
struct pci_reg {
	uint8_t offset, size;
	uint32_t reset, writable;
	const char *name;               /* static text; NULL: pci_show() shows it */
};

/* Makes the configuration mechanism and attaches it to B; *RET lives as long as B. */
int pci_attach(struct bus *b, struct pci_bus **ret, struct err *err);
/* The bus that PCI was attached to, for functions that have fixed ports and windows of their own. */
struct bus *pci_bus_of(const struct pci_bus *pci);
/*
 * Puts F, whose dev.ops is set and which may have ports of its own by then, on the bus as SPEC says.  The function's
 * own registers beyond the header, and their `writable`, are its to set, before or after.  -EEXIST: the place is
 * taken; -ENOSPC.  On failure F is freed if it was not attached to B before.
 */
int pci_add(struct pci_bus *pci, struct pci_function *f, const struct pci_spec *spec, struct err *err);
/*
 * Gives F, which is on the bus, a base address register, as a window of the bus with the number 16 + INDEX.  SIZE in
 * bytes, a power of two.  A base of 0, which all have at reset, is nowhere even when the command register lets
 * accesses in.  -EINVAL: no such register or size, or F has it already; -ENOSPC.
 */
int pci_add_bar(struct pci_function *f, unsigned index, bool memory, uint32_t size, struct err *err);
/*
 * Header back to what pci_add() and pci_add_bar() made, windows nowhere, pin low.  For a function's own reset, at its
 * start.
 */
void pci_reset(struct pci_function *f);
/* Puts N registers to their values at reset, and makes writable in each what is. */
void pci_regs_reset(struct pci_function *f, const struct pci_reg *reg, size_t n);
/*
 * A function's whole configuration space and its pin, for its own save and load; windows and pin follow what was
 * loaded.  -EINVAL: truncated, or bits differ that a guest cannot have changed; F is then as before.
 */
int pci_save(const struct pci_function *f, struct dev_buf *b);
int pci_load(struct pci_function *f, struct dev_buf *b, struct err *err);
/* Shows what every function has: command, status, BARs, interrupt.  For a function's own show. */
void pci_show(const struct pci_function *f, const struct dev_show *s);
/*
 * Shows those of N registers that have a name; BYTE[0] is what their offsets count from: f->config, or another block.
 */
void pci_regs_show(const uint8_t *byte, const struct pci_reg *reg, size_t n, const struct dev_show *s);
/* Sets the level of F's interrupt pin.  It reaches the line that the ISA bridge routes it to. */
void pci_set_intx(struct pci_function *f, bool level);
/* Whether command register bit 2 (bus master) is on. */
bool pci_is_master(const struct pci_function *f);
/* Who turns a pin (0 to 3, slots' rotation already applied) into GSIs: the ISA bridge. */
void pci_set_router(struct pci_bus *pci, void (*route)(void *arg, unsigned pin, bool level), void *arg);
/*
 * Drives GSI (0 to 15) for SOURCE (0 to 7): interrupt lines of the chipset are shared, and high while anybody drives
 * them.
 */
void pci_drive_line(struct pci_bus *pci, unsigned gsi, unsigned source, bool level);
/* The INDEX-th function, ascending by slot and function; NULL past the end. */
const struct pci_function *pci_at(const struct pci_bus *pci, size_t index);
/* For `info pci`.  Takes the bus lock. */
bool pci_describe(struct pci_bus *pci, size_t index, struct pci_info *ret);

/* Configuration space, little-endian. */
static inline uint16_t pci_get16(const struct pci_function *f, unsigned offset)
{
	return (uint16_t)(f->config[offset] | f->config[offset + 1] << 8);
}

static inline uint32_t pci_get32(const struct pci_function *f, unsigned offset)
{
	return pci_get16(f, offset) | (uint32_t)pci_get16(f, offset + 2) << 16;
}

static inline void pci_put16(struct pci_function *f, unsigned offset, uint16_t value)
{
	f->config[offset] = (uint8_t)value;
	f->config[offset + 1] = (uint8_t)(value >> 8);
}

static inline void pci_put32(struct pci_function *f, unsigned offset, uint32_t value)
{
	pci_put16(f, offset, (uint16_t)value);
	pci_put16(f, offset + 2, (uint16_t)(value >> 16));
}

#endif
