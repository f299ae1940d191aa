/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/reply.h"

#include <string.h>

#include "gdbstub/hex.h"

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

void reply_hex8(struct reply *r, uint8_t value)
{
	reply_hex(r, &value, 1);
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

/* 1 for what must be escaped; '*' would start a run length. */
static const uint8_t special[256] = { ['#'] = 1, ['$'] = 1, ['}'] = 1, ['*'] = 1 };

size_t reply_escape(struct reply *r, size_t len)
{
	uint8_t *d = r->buf + r->len;
	size_t room = r->cap - r->len, specials = 0, n = 0, to;

	/* as many as fit */
	while (n < len && n + specials + 1 + special[d[n]] <= room)
		specials += special[d[n++]];
	to = n + specials;
	r->len += to;
	/* From the end, so that nothing is overwritten before it was read; what precedes the first one stays.  No branch for each. */
	for (size_t from = n; to != from;) {
		uint8_t c = d[--from];

		d[--to] = (uint8_t)(c ^ special[c] << 5);
		d[to - 1] = '}';        /* overwritten unless it is wanted: all that was not read yet lies below */
		to -= special[c];
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
