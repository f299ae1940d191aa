/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/hex.h"

#include <string.h>

/* Row H of the table of pairs: the digits of H0 to HF. */
#define ROW(h) \
	h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" h "8" h "9" h "a" h "b" h "c" h "d" h "e" h "f"

/* The two digits of every byte, one after the other. */
static const char pairs[] =
	ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6") ROW("7")
	ROW("8") ROW("9") ROW("a") ROW("b") ROW("c") ROW("d") ROW("e") ROW("f");

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
	memcpy(ret, pairs + 2 * value, 2);
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
