/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The named bits of registers whose type in the table is one of these: for descriptions, and for people.  Pure; any thread. */
#ifndef GV_API_REGBITS_H
#define GV_API_REGBITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reg_field {
	const char *name;
	uint8_t start, end;             /* bits, both included */
};

/* A row of arch_desc.bits. */
struct reg_bits {
	const char *type;               /* as in the register table */
	uint8_t feature;                /* that the type belongs to */
	/* gdb itself goes by this one: it must be of flags, and no more. */
	bool plain;
	const struct reg_field *fields; /* in ascending order */
	size_t count;
};

/* The I-th type; NULL past the end. */
const struct reg_bits *reg_bits_at(size_t i);
/* The one called TYPE, or NULL. */
const struct reg_bits *reg_bits_of(const char *type);

#endif
