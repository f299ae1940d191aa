/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/hex.h"

static const char digits[] = "0123456789abcdef";

/* Digit values plus one, so that everything unnamed is no digit. */
static const int8_t values[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
	['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int hex_digit(uint8_t c)
{
	return values[c] - 1;
}

void hex_byte(uint8_t *ret, uint8_t value)
{
	ret[0] = (uint8_t)digits[value >> 4];
	ret[1] = (uint8_t)digits[value & 15];
}

void hex_encode(uint8_t *ret, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hex_byte(ret + 2 * i, data[i]);
}

bool hex_decode(uint8_t *ret, const uint8_t *src, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(src[2 * i]), low = hex_digit(src[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
