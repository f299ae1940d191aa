/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/frame.h"

#include <errno.h>
#include <string.h>

#include "gdbstub/hex.h"

#define RUN_MIN         3       /* repeats below this cost as much as they save */
#define RUN_MAX         97      /* the count byte must be printable: 97 + 29 is '~' */
#define RUN_BIAS        29

void frame_init(struct frame_in *f, uint8_t *buf, size_t cap)
{
	*f = (struct frame_in){ .buf = buf, .cap = cap };
}

/*
 * Eight bytes at a time: the payloads that matter are 256 KiB of digits or of memory, and every byte is looked at for
 * what is special and added up.
 */
#define ONES    0x0101010101010101ull
#define WORD    sizeof(uint64_t)

static uint64_t load(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* Not 0 when a byte of W is 0. */
static uint64_t zero_byte(uint64_t w)
{
	return (w - ONES) & ~w & (ONES << 7);
}

/* Not 0 when a byte of W is C. */
static uint64_t has_byte(uint64_t w, uint8_t c)
{
	return zero_byte(w ^ ONES * c);
}

static uint8_t sum_bytes(const uint8_t *p, size_t len)
{
	const uint64_t even = 0x00ff00ff00ff00ffull;
	unsigned sum = 0;

	while (len >= WORD) {
		/* four sums of 16 bits, each of at most 2 * 128 bytes */
		size_t n = len / WORD < 128 ? len / WORD : 128;
		uint64_t lanes = 0;

		for (size_t i = 0; i < n; i++, p += WORD) {
			uint64_t w = load(p);

			lanes += (w & even) + (w >> 8 & even);
		}
		len -= n * WORD;
		for (unsigned i = 0; i < 4; i++)
			sum += (unsigned)(lanes >> (16 * i)) & 0xffff;
	}
	while (len--)
		sum += *p++;
	return (uint8_t)sum;
}

static void begin(struct frame_in *f)
{
	f->state = FRAME_BODY;
	f->len = 0;
	f->sum = 0;
	f->escaped = false;
	f->error = 0;
}

static void take(struct frame_in *f, uint8_t c)
{
	f->sum = (uint8_t)(f->sum + c);
	if (!f->escaped && c == '}') {
		f->escaped = true;
		return;
	}
	if (f->escaped)
		c ^= 0x20;
	f->escaped = false;
	if (f->len < f->cap)
		f->buf[f->len++] = c;
	else
		f->error = EMSGSIZE;
}

static enum frame_event idle(struct frame_in *f, uint8_t c)
{
	switch (c) {
	case '$':
		begin(f);
		return FRAME_MORE;
	case '+':
		return FRAME_ACK;
	case '-':
		return FRAME_NACK;
	case 0x03:
		return FRAME_INTERRUPT;
	default:
		return FRAME_MORE;      /* noise between packets */
	}
}

static void body(struct frame_in *f, uint8_t c)
{
	if (c == '$') {
		begin(f);               /* never inside a packet: the former one was cut off */
	} else if (c == '#') {
		f->state = FRAME_SUM_HIGH;
		if (f->escaped)
			f->error = EBADMSG;
	} else {
		take(f, c);
	}
}

/* Takes the bytes that stand for themselves; returns how many.  The first one that does not may be among the next eight. */
static size_t plain_body(struct frame_in *f, const uint8_t *data, size_t len)
{
	size_t n = 0, room = f->cap - f->len;

	if (f->escaped)
		return 0;
	while (n + WORD <= len && n + WORD <= room) {
		uint64_t w = load(data + n);

		if (has_byte(w, '$') | has_byte(w, '#') | has_byte(w, '}'))
			break;
		n += WORD;
	}
	if (n) {
		memcpy(f->buf + f->len, data, n);
		f->len += n;
		f->sum = (uint8_t)(f->sum + sum_bytes(data, n));
	}
	return n;
}

size_t frame_feed(struct frame_in *f, const uint8_t *data, size_t len, enum frame_event *ret)
{
	size_t i = 0;
	int digit;

	*ret = FRAME_MORE;
	while (i < len && *ret == FRAME_MORE) {
		uint8_t c;

		if (f->state == FRAME_BODY)
			i += plain_body(f, data + i, len - i);
		if (i == len)
			break;
		c = data[i++];

		switch (f->state) {
		case FRAME_IDLE:
			*ret = idle(f, c);
			break;
		case FRAME_BODY:
			body(f, c);
			break;
		case FRAME_SUM_HIGH:
		case FRAME_SUM_LOW:
			digit = hex_digit(c);
			if (digit < 0) {
				f->state = FRAME_IDLE;
				*ret = FRAME_BAD_SUM;
				i -= c == '$';  /* the next packet begins here */
			} else if (f->state == FRAME_SUM_HIGH) {
				f->want = (uint8_t)(digit << 4);
				f->state = FRAME_SUM_LOW;
			} else {
				f->state = FRAME_IDLE;
				*ret = (f->want | digit) != f->sum ? FRAME_BAD_SUM :
				       f->error			   ? FRAME_REFUSED : FRAME_PACKET;
			}
			break;
		}
	}
	return i;
}

/* How often payload[0] is repeated after itself, as far as one count can say. */
static size_t repeats(const uint8_t *payload, size_t len)
{
	size_t n = 0;

	while (n < RUN_MAX && n + 1 < len && payload[n + 1] == payload[0])
		n++;
	/* these counts would be '#' and '$' */
	return n + RUN_BIAS == '#' || n + RUN_BIAS == '$' ? '#' - RUN_BIAS - 1 : n;
}

/* How many bytes from PAYLOAD on stand for themselves: no escape, and none that is followed by RUN_MIN of its kind. */
static size_t plain_payload(const uint8_t *payload, size_t len)
{
	size_t n = 0;

	while (n + WORD + RUN_MIN <= len) {
		uint64_t w = load(payload + n), w1 = load(payload + n + 1), w2 = load(payload + n + 2),
			 w3 = load(payload + n + 3);

		if (zero_byte((w ^ w1) | (w1 ^ w2) | (w2 ^ w3)) | has_byte(w, '}'))
			break;
		n += WORD;
	}
	return n;
}

size_t frame_encode(const uint8_t *payload, size_t len, uint8_t *ret)
{
	uint8_t *p = ret;
	size_t i = 0, n;

	*p++ = '$';
	while (i < len) {
		size_t special;

		n = plain_payload(payload + i, len - i);
		memcpy(p, payload + i, n);
		p += n;
		i += n;
		/* what is special is among the next eight, and no other look at them pays */
		for (special = i + WORD; i < len && i < special;) {
			n = repeats(payload + i, len - i);
			*p++ = payload[i];
			if (payload[i] == '}' && i + 1 < len) {
				/* an escaped byte starts no run: clients differ in which of the two they would repeat */
				*p++ = payload[i + 1];
				i += 2;
			} else if (n >= RUN_MIN) {
				*p++ = '*';
				*p++ = (uint8_t)(n + RUN_BIAS);
				i += n + 1;
			} else {
				i++;
			}
		}
	}
	n = sum_bytes(ret + 1, (size_t)(p - ret) - 1);
	*p++ = '#';
	hex_byte(p, (uint8_t)n);
	return (size_t)(p + 2 - ret);
}
