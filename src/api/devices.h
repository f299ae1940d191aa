/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Devices, the PCI bus, the screen and the keyboard as a user sees them.  The operations are in api/machine.h. */
#ifndef GV_API_DEVICES_H
#define GV_API_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_RANGES_MAX 12

struct device_range {
	bool memory;            /* else ports */
	uint64_t base, size;    /* port or gpa; bytes */
};

struct device_info {
	const char *name;       /* static text, unique */
	const char *what;       /* a few words, static text */
	unsigned nranges;
	struct device_range range[DEVICE_RANGES_MAX];
};

/* A register of a device. */
struct device_reg {
	const char *name;       /* valid during the call, as is text */
	unsigned bits;
	uint64_t value;
	const char *text;       /* what the value means; NULL: nothing to say */
};

#define PCI_BARS 6

struct pci_bar {
	bool present, memory, enabled;
	uint64_t base, size;    /* bytes */
};

struct pci_info {
	unsigned bus, slot, function;
	uint16_t vendor, device;
	uint32_t class_code;    /* base class << 16 | sub-class << 8 | interface */
	uint8_t revision;
	uint8_t irq_pin, irq_line;      /* pin 0: none */
	const char *name;       /* static text */
	struct pci_bar bar[PCI_BARS];
	uint8_t config[256];
};

#define SCREEN_COLUMNS_MAX 132
#define SCREEN_ROWS_MAX    60

/* A VGA text screen. */
struct screen {
	bool text;              /* else it is in a graphics mode, or off: nothing but what follows of it is set */
	unsigned columns, rows;
	bool cursor_shown;
	unsigned cursor_column, cursor_row;
	uint16_t cell[SCREEN_ROWS_MAX * SCREEN_COLUMNS_MAX];    /* row by row: attribute << 8 | character of code page 437 */
};

enum inject_kind {
	INJECT_NMI,
	INJECT_IRQ,             /* `number` is an interrupt line (GSI): raised and lowered again */
	INJECT_EXCEPTION,       /* `number` is a vector, 0 to 31 */
};

struct injection {
	enum inject_kind kind;
	unsigned cpu;           /* not for INJECT_IRQ */
	unsigned number;
	bool has_code;
	uint32_t code;
};

#endif
