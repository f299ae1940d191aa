/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/text.h"

#include <errno.h>
#include <string.h>

static const struct {
	char letter;
	uint8_t value;
} escapes[] = {
	{ 'a', '\a' }, { 'b', '\b' }, { 'e', 0x1b }, { 'f', '\f' }, { 'n', '\n' },   { 'r', '\r' },
	{ 't', '\t' }, { 'v', '\v' }, { '\\', '\\' }, { '\'', '\'' }, { '"', '"' }, { '/', '/' },
};

#define NESCAPES (sizeof(escapes) / sizeof(escapes[0]))

/* The value of hexadecimal digit C, 16 when it is none. */
static unsigned digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, c | (c >= 'A' && c <= 'F' ? 0x20 : 0)) : NULL;

	return p ? (unsigned)(p - digits) : 16;
}

/* Up to MAX digits in BASE from S; returns how many there were. */
static size_t read_digits(const char *s, size_t len, unsigned base, size_t max, uint8_t *ret)
{
	unsigned value = 0;
	size_t n = 0;

	while (n < len && n < max && digit(s[n]) < base)
		value = value * base + digit(s[n++]);
	if (value > 0xff)
		return 0;
	if (n)
		*ret = (uint8_t)value;
	return n;
}

size_t text_char(const char *s, size_t len, uint8_t *ret)
{
	size_t n;

	if (s[0] != '\\') {
		*ret = (uint8_t)s[0];
		return 1;
	}
	if (len < 2)
		return 0;
	if (s[1] == 'x') {
		n = read_digits(s + 2, len - 2, 16, 2, ret);
		return n ? n + 2 : 0;
	}
	for (size_t i = 0; i < NESCAPES; i++)
		if (escapes[i].letter == s[1]) {
			*ret = escapes[i].value;
			return 2;
		}
	n = read_digits(s + 1, len - 1, 8, 3, ret);
	return n ? n + 1 : 0;
}

int text_unescape(const char *s, size_t len, char *ret, size_t *ret_len, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		uint8_t c;
		size_t used = text_char(s + i, len - i, &c);

		if (!used)
			return err_set(err, EINVAL, "'%.*s' is not an escape", len - i < 4 ? (int)(len - i) : 4,
				       s + i);
		ret[n++] = (char)c;
		i += used;
	}
	*ret_len = n;
	return 0;
}

static char escape_letter(uint8_t c)
{
	for (size_t i = 0; i < NESCAPES; i++)
		if (escapes[i].value == c && c < 0x20)
			return escapes[i].letter;
	return 0;
}

void text_escape(struct out *o, const void *s, size_t len, char quote)
{
	const uint8_t *p = s;

	for (size_t i = 0; i < len; i++) {
		char letter = escape_letter(p[i]);

		if (letter)
			out_printf(o, "\\%c", letter);
		else if (p[i] == (uint8_t)quote || p[i] == '\\')
			out_printf(o, "\\%c", p[i]);
		else if (p[i] < 0x20 || p[i] >= 0x7f)
			out_printf(o, "\\%03o", p[i]);
		else
			out_write(o, (const char *)p + i, 1);
	}
}

size_t text_quoted(const char *s, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (s[i] == s[0])
			return i + 1;
		if (s[i] == '\\')
			i++;
	}
	return 0;
}

int text_seconds(const char *s, size_t len, uint64_t *ret_ms)
{
	uint64_t ms = 0;
	size_t decimals = 0;
	bool point = false;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '.' && !point && i + 1 < len) {
			point = true;
			continue;
		}
		if (s[i] < '0' || s[i] > '9' || ms > 1000000000 || (point && ++decimals > 3))
			return -EINVAL;
		ms = ms * 10 + (uint64_t)(s[i] - '0');
	}
	for (; decimals < 3; decimals++)
		ms *= 10;
	if (!len || ms > 1000000000)
		return -EINVAL;
	*ret_ms = ms;
	return 0;
}
