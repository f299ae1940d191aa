/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The PCI bus: configuration mechanism 1 (ports 0xcf8, 0xcfc), functions with their configuration space, base address registers
 * that move windows of the bus, interrupt pins.  PCI Local Bus Specification 3.0, chapter 6 and 3.2.2.3.2.
 *
 * A function is a device of dev/bus.h that embeds struct pci_function first.  Threads: as in bus.h; all here under the bus lock but
 * for the making.
 */
#ifndef GV_DEV_PCI_H
#define GV_DEV_PCI_H

#include "api/devices.h"
#include "dev/bus.h"

struct pci_bus;

#define PCI_CONFIG_BYTES 256

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
	uint8_t writable[PCI_CONFIG_BYTES];     /* mask of the bits that configuration writes change */
	struct {
		bool present, memory;
		uint32_t size;          /* bytes, a power of two; ports: at least 4, memory: at least 16 */
		unsigned window;        /* its number on the bus */
	} bar[PCI_BARS];
	/* Configuration space was written from OFFSET on, SIZE bytes, the bits that may be; or loaded whole.  May be NULL. */
	void (*config_written)(struct pci_function *f, unsigned offset, unsigned size);
	bool intx;                      /* the level of its interrupt pin */
};

/* Makes the configuration mechanism and attaches it to B; *RET lives as long as B. */
int pci_attach(struct bus *b, struct pci_bus **ret, struct err *err);
/*
 * Puts F, whose dev.ops is set and which may have ports of its own by then, on the bus as SPEC says.  The function's own
 * registers beyond the header, and their `writable`, are its to set, before or after.  -EEXIST: the place is taken; -ENOSPC.  On
 * failure F is freed if it was not attached to B before.
 */
int pci_add(struct pci_bus *pci, struct pci_function *f, const struct pci_spec *spec, struct err *err);
/* Gives F a base address register, as a window of the bus with the number 16 + INDEX.  SIZE in bytes, a power of two. */
int pci_add_bar(struct pci_function *f, unsigned index, bool memory, uint32_t size, struct err *err);
/* Header back to what pci_add() made, windows nowhere, pin low.  For a function's own reset, before its other registers. */
void pci_reset(struct pci_function *f);
/* A function's header, for its own save and load, and its windows after that. */
int pci_save(const struct pci_function *f, struct dev_buf *b);
int pci_load(struct pci_function *f, struct dev_buf *b, struct err *err);
/* Shows what every function has: command, status, BARs, interrupt.  For a function's own show. */
void pci_show(const struct pci_function *f, const struct dev_show *s);
/* Sets the level of F's interrupt pin.  It reaches the line that the ISA bridge routes it to. */
void pci_set_intx(struct pci_function *f, bool level);
/* Whether command register bit 2 (bus master) is on. */
bool pci_is_master(const struct pci_function *f);
/* Who turns a pin (0 to 3, slots' rotation already applied) into GSIs: the ISA bridge. */
void pci_set_router(struct pci_bus *pci, void (*route)(void *arg, unsigned pin, bool level), void *arg);
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
