/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/cursor.h"

#include <string.h>

#include "gdbstub/hex.h"

static void skip(struct cursor *c, size_t n)
{
	c->p += n;
	c->len -= n;
}

bool cursor_byte(struct cursor *c, char want)
{
	if (!c->len || c->p[0] != (uint8_t)want)
		return false;
	skip(c, 1);
	return true;
}

bool cursor_number(struct cursor *c, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	while (n < c->len && hex_digit(c->p[n]) >= 0) {
		if (value >> 60)
			return false;
		value = value << 4 | (uint64_t)hex_digit(c->p[n++]);
	}
	if (!n)
		return false;
	skip(c, n);
	*ret = value;
	return true;
}

bool cursor_hex8(struct cursor *c, uint8_t *ret)
{
	uint8_t value;

	if (c->len < 2 || !hex_decode(&value, c->p, 1))
		return false;
	skip(c, 2);
	*ret = value;
	return true;
}

/* "-1", or a number from 0 to MAX. */
static bool take_id(struct cursor *c, unsigned max, int *ret)
{
	uint64_t n;

	if (cursor_byte(c, '-')) {
		*ret = THREAD_ALL;
		return cursor_byte(c, '1');
	}
	if (!cursor_number(c, &n) || n > max)
		return false;
	*ret = (int)n;
	return true;
}

bool cursor_thread(struct cursor *c, unsigned cpus, int *ret)
{
	struct cursor at = *c;
	int process, thread = THREAD_ALL;

	if (cursor_byte(&at, 'p')) {
		if (!take_id(&at, 1, &process))
			return false;
		if (cursor_byte(&at, '.') && !take_id(&at, cpus, &thread))
			return false;
		/* all processes and one of their threads is nothing */
		if (process == THREAD_ALL && thread != THREAD_ALL)
			return false;
	} else if (!take_id(&at, cpus, &thread))
		return false;
	*ret = thread;
	*c = at;
	return true;
}

bool cursor_hex_rest(struct cursor *c, struct cursor *ret)
{
	struct cursor bytes = { .p = c->p, .len = c->len / 2 };

	if (c->len % 2 || !hex_decode(c->p, c->p, bytes.len))
		return false;
	skip(c, c->len);
	*ret = bytes;
	return true;
}

struct cursor cursor_field(struct cursor *c, char sep)
{
	uint8_t *end = c->len ? memchr(c->p, sep, c->len) : NULL;
	struct cursor field = { .p = c->p, .len = end ? (size_t)(end - c->p) : c->len };

	skip(c, field.len);
	return field;
}

bool cursor_is(const struct cursor *c, const char *text)
{
	return c->len == strlen(text) && !memcmp(c->p, text, c->len);
}
