/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/hex.h"

#include <string.h>

#include "gdbstub/vec.h"

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

/* The digits of VEC numbers below 16. */
static vec digits_of(vec n)
{
	return n + '0' + ((vec)(n > 9) & ('a' - '0' - 10));
}

/* In the upper half of RET, data is read before it is written over: digits end where the rest begins, or below. */
void hex_encode(uint8_t *ret, const uint8_t *data, size_t len)
{
	size_t i = 0;

	for (; i + VEC <= len; i += VEC) {
		vec bytes = vec_load(data + i), high = digits_of(bytes >> 4), low = digits_of(bytes & 0xf);

		vec_store(ret + 2 * i, vec_zip_low(high, low));
		vec_store(ret + 2 * i + VEC, vec_zip_high(high, low));
	}
	/* most registers are as long as this */
	if (i + VEC / 2 <= len) {
		vec bytes = vec_load_half(data + i);

		vec_store(ret + 2 * i, vec_zip_low(digits_of(bytes >> 4), digits_of(bytes & 0xf)));
		i += VEC / 2;
	}
	for (; i < len; i++)
		hex_byte(ret + 2 * i, data[i]);
}

/* The values of VEC digits; *BAD gathers what is none. */
static vec values_of(vec digits, vec *bad)
{
	vec decimal = digits - '0', letter = (digits | 0x20) - 'a', is_decimal = (vec)(decimal < 10);

	*bad |= ~is_decimal & (vec)(letter > 5);
	return (decimal & is_decimal) | ((letter + 10) & ~is_decimal);
}

bool hex_decode(uint8_t *ret, const uint8_t *src, size_t len)
{
	size_t i = 0;

	for (; i + VEC <= len; i += VEC) {
		vec bad = { 0 };
		vec a = values_of(vec_load(src + 2 * i), &bad), b = values_of(vec_load(src + 2 * i + VEC), &bad);

		if (vec_bits(bad))
			return false;
		vec_store(ret + i, vec_evens(a, b) << 4 | vec_odds(a, b));
	}
	for (; i < len; i++) {
		int high = hex_digit(src[2 * i]), low = hex_digit(src[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
