/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "monitor/text.h"

static const char units[] = "bhwg";

unsigned format_size(char unit)
{
	const char *p = unit ? strchr(units, unit) : NULL;

	return p ? 1u << (p - units) : 0;
}

char format_unit(unsigned size)
{
	for (unsigned i = 0; units[i]; i++)
		if (size == 1u << i)
			return units[i];
	return 0;
}

int format_parse(const char *s, size_t len, struct format *ret, struct err *err)
{
	struct format f = { 0 };
	size_t i = 0;

	for (; i < len && s[i] >= '0' && s[i] <= '9'; i++) {
		f.count = f.count * 10 + (uint32_t)(s[i] - '0');
		if (f.count > FORMAT_COUNT_MAX)
			return err_set(err, EINVAL, "at most %d units can be shown at once", FORMAT_COUNT_MAX);
	}
	if (i && !f.count)
		return err_set(err, EINVAL, "the count in '/%.*s' is zero", (int)len, s);
	for (; i < len; i++)
		if (s[i] && strchr("xduotcasi", s[i]) && !f.letter)
			f.letter = s[i];
		else if (format_size(s[i]) && !f.size)
			f.size = format_size(s[i]);
		else
			return err_set(err, EINVAL, "'/%.*s' is not a format: N, one of xduotcasi, one of bhwg",
				       len < 40 ? (int)len : 40, s);
	*ret = f;
	return 0;
}

static void format_binary(char *buf, unsigned size, uint64_t value, int pad)
{
	unsigned bits = size * 8;

	while (!pad && bits > 1 && !(value >> (bits - 1)))
		bits--;
	while (bits-- > 0)
		*buf++ = '0' + (char)(value >> bits & 1);
	*buf = '\0';
}

static void format_char(char *buf, uint8_t c)
{
	struct out_buf text;

	out_buf_init(&text);
	text_escape(&text.out, &c, 1, '\'');
	snprintf(buf, FORMAT_TEXT_MAX, "%d '%s'", (int8_t)c, text.text ? text.text : "");
	out_buf_done(&text);
}

void format_value(char buf[FORMAT_TEXT_MAX], char letter, unsigned size, uint64_t value, int pad)
{
	unsigned shift = 64 - size * 8;
	unsigned long long v = value << shift >> shift;
	int octal = (int)(size * 8 + 2) / 3;

	switch (letter) {
	case 'd':
		snprintf(buf, FORMAT_TEXT_MAX, "%lld", (long long)(v << shift) >> shift);
		break;
	case 'u':
		snprintf(buf, FORMAT_TEXT_MAX, "%llu", v);
		break;
	case 'o':
		snprintf(buf, FORMAT_TEXT_MAX, "%s%0*llo", v ? "0" : "", pad ? octal : 1, v);
		break;
	case 't':
		format_binary(buf, size, v, pad);
		break;
	case 'c':
		format_char(buf, (uint8_t)v);
		break;
	default:
		snprintf(buf, FORMAT_TEXT_MAX, "0x%0*llx", pad && letter == 'x' ? (int)size * 2 : 1, v);
	}
}
