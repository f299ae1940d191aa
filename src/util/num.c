/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/num.h"

#include <errno.h>

/* The power of two a size suffix stands for, 0 for any other character. */
static unsigned suffix_shift(char c)
{
	switch (c) {
	case 'K': case 'k': return 10;
	case 'M': case 'm': return 20;
	case 'G': case 'g': return 30;
	case 'T': case 't': return 40;
	}
	return 0;
}

/* The value of digit C in BASE, -1 when it is none. */
static int digit_value(char c, unsigned base)
{
	int v = -1;

	if (c >= '0' && c <= '9')
		v = c - '0';
	else if (c >= 'a' && c <= 'f')
		v = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		v = c - 'A' + 10;
	return v >= 0 && (unsigned)v < base ? v : -1;
}

int num_parse(const char *s, size_t len, uint64_t *ret)
{
	unsigned base = 10, shift;
	bool too_big = false;
	uint64_t value = 0;
	size_t i = 0;
	int d;

	if (len >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		i = 2;
	}
	shift = len ? suffix_shift(s[len - 1]) : 0;
	if (shift)
		len--;
	if (i >= len)
		return -EINVAL;
	/* Junk behind an overflow is still junk, so the digits are read to the end. */
	for (; i < len; i++) {
		d = digit_value(s[i], base);
		if (d < 0)
			return -EINVAL;
		too_big |= __builtin_mul_overflow(value, base, &value);
		too_big |= __builtin_add_overflow(value, (unsigned)d, &value);
	}
	if (too_big || value > UINT64_MAX >> shift)
		return -ERANGE;
	*ret = value << shift;
	return 0;
}

bool num_has_suffix(const char *s, size_t len)
{
	return len && suffix_shift(s[len - 1]);
}
