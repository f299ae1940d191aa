/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gdb's /NFU: how many, in which format, of which unit. */
#ifndef GV_MONITOR_FORMAT_H
#define GV_MONITOR_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

#define FORMAT_COUNT_MAX 65536
#define FORMAT_TEXT_MAX 80      /* bytes of format_value()'s text, the NUL included */

struct format {
	uint32_t count;         /* 0: not given */
	char letter;            /* of "xduotcasi", 0: not given */
	unsigned size;          /* bytes of a unit: 1, 2, 4 or 8; 0: not given */
};

/* Reads what stands behind the slash.  -EINVAL: not a format.  Any thread. */
int format_parse(const char *s, size_t len, struct format *ret, struct err *err);

/* The letter b, h, w or g of SIZE bytes, and the other way round (0: no such letter). */
char format_unit(unsigned size);
unsigned format_size(char unit);

/*
 * Writes VALUE, SIZE bytes wide, by LETTER (one of x d u o t c a) into BUF.  PAD: with the zeros that columns of
 * memory have.  An address (a) is its number only; its symbol is the caller's to add.
 */
void format_value(char buf[FORMAT_TEXT_MAX], char letter, unsigned size, uint64_t value, int pad);

#endif
