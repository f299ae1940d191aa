/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/reply.h"

#include <string.h>

#include "gdbstub/hex.h"
#include "gdbstub/vec.h"

void reply_init(struct reply *r, uint8_t *buf, size_t cap)
{
	*r = (struct reply){ .buf = buf, .cap = cap };
}

void reply_reset(struct reply *r)
{
	r->len = 0;
	r->full = false;
}

/* Room for LEN more bytes, or NULL. */
static uint8_t *room(struct reply *r, size_t len)
{
	uint8_t *p = r->buf + r->len;

	if (len > r->cap - r->len) {
		r->full = true;
		return NULL;
	}
	r->len += len;
	return p;
}

void reply_bytes(struct reply *r, const void *data, size_t len)
{
	uint8_t *p = room(r, len);

	if (p && len)
		memcpy(p, data, len);
}

void reply_text(struct reply *r, const char *text)
{
	reply_bytes(r, text, strlen(text));
}

void reply_fill(struct reply *r, char c, size_t count)
{
	uint8_t *p = room(r, count);

	if (p)
		memset(p, c, count);
}

void reply_byte(struct reply *r, char c)
{
	uint8_t *p = room(r, 1);

	if (p)
		*p = (uint8_t)c;
}

void reply_hex8(struct reply *r, uint8_t value)
{
	uint8_t *p = room(r, 2);

	if (p)
		hex_byte(p, value);
}

void reply_number(struct reply *r, uint64_t value)
{
	unsigned bytes = 8;
	uint8_t text[16];

	while (bytes > 1 && !(value >> (8 * (bytes - 1))))
		bytes--;
	for (unsigned i = 0; i < bytes; i++)
		hex_byte(text + 2 * i, (uint8_t)(value >> (8 * (bytes - 1 - i))));
	if (text[0] == '0')
		reply_bytes(r, text + 1, 2 * bytes - 1);
	else
		reply_bytes(r, text, 2 * bytes);
}

void reply_hex(struct reply *r, const void *data, size_t len)
{
	uint8_t *p = len <= r->cap ? room(r, 2 * len) : NULL;

	if (p)
		hex_encode(p, data, len);
	else
		r->full = true;
}

/* What must be escaped; '*' would start a run length. */
static bool is_special(uint8_t c)
{
	return c == '#' || c == '$' || c == '}' || c == '*';
}

static vec specials(vec v)
{
	return (vec)(v == '#') | (vec)(v == '$') | (vec)(v == '}') | (vec)(v == '*');
}

/* How many of LEN bytes fit into ROOM whatever they are; a multiple of two VECs. */
static size_t sure_to_fit(size_t len, size_t room)
{
	size_t n = room / 2 < len ? room / 2 : len;

	return n - n % (2 * VEC);
}

/* How many of the LEN bytes at DATA fit into ROOM with their escapes; *RET_SPECIALS of these are to be escaped. */
static size_t count_fitting(const uint8_t *data, size_t len, size_t room, size_t *ret_specials)
{
	size_t n = 0, found = 0, sure;

	while ((sure = sure_to_fit(len - n, room - n - found))) {
		vec_sums sums = { 0 };

		for (size_t end = n + sure; n < end; n += 2 * VEC)
			sums = vec_add(sums, (specials(vec_load(data + n)) & 1) +
					     (specials(vec_load(data + n + VEC)) & 1));
		found += vec_total(sums);
	}
	for (; n < len && n + found + 1 + is_special(data[n]) <= room; n++)
		found += is_special(data[n]);
	*ret_specials = found;
	return n;
}

/*
 * Moves the bytes between the last special one before FROM and FROM to where they end at TO, up to VEC of them; returns
 * how many.  What lies above FROM has been read.
 */
static size_t move_plain(uint8_t *d, size_t from, size_t to)
{
	unsigned found;
	size_t n = 0;
	vec v;

	if (from < VEC) {
		while (n < from && !is_special(d[from - 1 - n]))
			n++;
	} else {
		v = vec_load(d + from - VEC);
		found = vec_bits(specials(v));
		n = found ? (size_t)__builtin_clz(found << 16) : VEC;
		if (!found || to - from >= VEC) {
			vec_store(d + to - VEC, v);
			return n;
		}
	}
	memmove(d + to - n, d + from - n, n);
	return n;
}

size_t reply_escape(struct reply *r, size_t len)
{
	uint8_t *d = r->buf + r->len;
	size_t found, n = count_fitting(d, len, r->cap - r->len, &found), from = n, to = n + found;

	r->len += to;
	/* from the end, so that nothing is overwritten before it was read; what precedes the first one stays */
	while (to != from) {
		size_t plain = move_plain(d, from, to);

		from -= plain;
		to -= plain;
		if (plain == VEC)
			continue;
		d[--to] = d[--from] ^ 0x20;
		d[--to] = '}';
	}
	return n;
}

void reply_escaped(struct reply *r, const void *data, size_t len)
{
	if (len > r->cap - r->len) {
		r->full = true;
		return;
	}
	memmove(r->buf + r->len, data, len);
	if (reply_escape(r, len) < len)
		r->full = true;
}

void reply_ok(struct reply *r)
{
	reply_reset(r);
	reply_text(r, "OK");
}

void reply_error(struct reply *r, int error)
{
	int code = -error;

	reply_reset(r);
	reply_text(r, "E");
	reply_hex8(r, code > 0 && code < 256 ? (uint8_t)code : 0xff);
}

void reply_error_text(struct reply *r, const char *text)
{
	reply_reset(r);
	reply_text(r, "E.");
	/* clients take it as it stands: no escapes in it, nothing that frames or repeats */
	for (; *text; text++)
		reply_bytes(r, strchr("#$}*", *text) ? "_" : text, 1);
}

void reply_error_string(struct reply *r, int error, const char *text)
{
	reply_error(r, error);
	reply_text(r, ";");
	reply_hex(r, text, strlen(text));
}
