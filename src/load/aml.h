/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An encoder of ACPI machine language (ACPI 6.4, chapter 20) and of resource templates (chapter 6.4), as much of
 * them as load/dsdt.c says.  AML is prefix code: an operator is written first, then its operands, then where the
 * result goes.
 *
 * What does not fit makes the encoder full: everything after that is dropped, and aml_done() says so.  Names are
 * the program's own text, and right.  Private to src/load; an encoder belongs to one thread.
 */
#ifndef GV_LOAD_AML_H
#define GV_LOAD_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AML_DEPTH 8u                    /* blocks in blocks */

struct aml {
	uint8_t *data;                  /* not owned */
	size_t size, n;                 /* bytes there are, and used */
	bool full;
	unsigned depth;
	struct {
		size_t at;              /* where its contents begin */
		bool sized;             /* a buffer: its size is written before its contents */
	} block[AML_DEPTH];
};

void aml_init(struct aml *a, void *data, size_t size);
/* Bytes used; 0: it became full, or a block was not closed. */
size_t aml_done(const struct aml *a);

enum aml_op {                           /* operators with operands that follow, and things that are operands */
	AML_NAME = 0x08,                /* name, value */
	AML_LOCAL0 = 0x60,
	AML_ARG0 = 0x68,
	AML_STORE = 0x70,               /* value, target */
	AML_AND = 0x7b,                 /* a, b, target */
	AML_OR = 0x7d,                  /* a, b, target */
	AML_CREATE_DWORD_FIELD = 0x8a,  /* buffer, byte offset, name */
	AML_NOT = 0x92,                 /* value: whether it is zero */
	AML_RETURN = 0xa4,              /* value */
};

void aml_op(struct aml *a, enum aml_op op);
void aml_no_target(struct aml *a);      /* the result goes nowhere but to the operator before */
void aml_name(struct aml *a, const char *path);         /* "\\_SB.PCI0", "ISA": parts of 1 to 4 characters */
void aml_int(struct aml *a, uint32_t value);            /* in as few bytes as can be */
void aml_string(struct aml *a, const char *text);
void aml_eisa_id(struct aml *a, const char *id);        /* "PNP0A03" */

/* A name with its value. */
void aml_name_int(struct aml *a, const char *path, uint32_t value);
void aml_name_eisa_id(struct aml *a, const char *path, const char *id);

/* Blocks: each is ended by aml_close(). */
void aml_open_scope(struct aml *a, const char *path);
void aml_open_device(struct aml *a, const char *name);
void aml_open_method(struct aml *a, const char *name, unsigned args, bool serialized);
void aml_open_if(struct aml *a);                        /* its condition comes first */
void aml_open_package(struct aml *a, unsigned elements);
void aml_open_template(struct aml *a);                  /* resources; aml_close_template() ends it */
void aml_open_field(struct aml *a, const char *region); /* byte access, no lock, the rest preserved */
void aml_close(struct aml *a);
void aml_close_template(struct aml *a);

#define AML_PCI_CONFIG 2u
void aml_region(struct aml *a, const char *name, unsigned space, unsigned offset, unsigned bytes);
void aml_field(struct aml *a, const char *name, unsigned bits);        /* of the field block that is open */

/* Resources, in a template. */
void aml_io(struct aml *a, uint16_t base, uint8_t bytes);              /* ports at a fixed place */
void aml_irq(struct aml *a, unsigned line);                            /* an ISA interrupt: edge, high, not shared */
/* N interrupts of a PCI link: level, high, shared.  The first one's 4 bytes are AML_LINK_IRQ bytes further on. */
void aml_link_irqs(struct aml *a, const uint32_t *line, size_t n);
#define AML_LINK_IRQ 5u
/* What a bridge passes on, FIRST and LAST included. */
void aml_window_buses(struct aml *a, uint16_t first, uint16_t last);
void aml_window_ports(struct aml *a, uint16_t first, uint16_t last);
void aml_window_memory(struct aml *a, uint32_t first, uint32_t last);

#endif
