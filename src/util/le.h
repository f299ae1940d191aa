/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Little-endian integers of 1 to 8 bytes, at any alignment. */
#ifndef GV_UTIL_LE_H
#define GV_UTIL_LE_H

#include <stdint.h>

static inline uint64_t le_get(const uint8_t *p, unsigned n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | p[n];
	return value;
}

/* What of VALUE does not fit is left out. */
static inline void le_put(uint8_t *p, unsigned n, uint64_t value)
{
	for (; n; n--, value >>= 8)
		*p++ = (uint8_t)value;
}

#endif
