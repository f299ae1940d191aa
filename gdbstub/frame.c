/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/frame.h"

#include <errno.h>
#include <string.h>

#include "gdbstub/hex.h"
#include "gdbstub/vec.h"

#define RUN_MIN         3       /* repeats below this cost as much as they save */
#define RUN_MAX         97      /* the count byte must be printable: 97 + 29 is '~' */
#define RUN_BIAS        29

void frame_init(struct frame_in *f, uint8_t *buf, size_t cap)
{
	*f = (struct frame_in){ .buf = buf, .cap = cap };
}

static uint8_t sum_bytes(const uint8_t *p, size_t len)
{
	vec_sums sums = { 0 }, others = { 0 };  /* neither waits for the other */
	uint8_t sum;

	for (; len >= 2 * VEC; p += 2 * VEC, len -= 2 * VEC) {
		sums = vec_add(sums, vec_load(p));
		others = vec_add(others, vec_load(p + VEC));
	}
	sum = (uint8_t)vec_total(sums + others);
	while (len--)
		sum = (uint8_t)(sum + *p++);
	return sum;
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

/* Takes bytes that stand for themselves; returns how many.  The first one that does not may be among the next VEC. */
static size_t plain_body(struct frame_in *f, const uint8_t *data, size_t len)
{
	size_t n = 0, room = f->cap - f->len;
	unsigned special = 0;

	if (f->escaped)
		return 0;
	while (!special && n + VEC <= len && n + VEC <= room) {
		vec v = vec_load(data + n);

		special = vec_bits((vec)(v == '$') | (vec)(v == '#') | (vec)(v == '}'));
		vec_store(f->buf + f->len + n, v);
		n += special ? (size_t)__builtin_ctz(special) : VEC;
	}
	f->len += n;
	f->sum = (uint8_t)(f->sum + sum_bytes(data, n));
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
	size_t n = 0, max = len - 1 < RUN_MAX ? len - 1 : RUN_MAX;
	const vec all = vec_fill(*payload);
	unsigned other = 0;

	for (; !other && n + VEC <= max; n += other ? (size_t)__builtin_ctz(other) : VEC)
		other = vec_bits((vec)(vec_load(payload + 1 + n) != all));
	while (!other && n < max && payload[n + 1] == *payload)
		n++;
	/* these counts would be '#' and '$' */
	return n + RUN_BIAS == '#' || n + RUN_BIAS == '$' ? '#' - RUN_BIAS - 1 : n;
}

/* Copies VEC bytes; bit I: byte I of them is the next one's equal. */
static unsigned copy_same(uint8_t *to, const uint8_t *from)
{
	vec v = vec_load(from);

	vec_store(to, v);
	return vec_bits((vec)(v == vec_load(from + 1)));
}

/* Where RUN_MIN bits begin that stand together. */
static uint32_t runs_of(uint32_t same)
{
	return same & same >> 1 & same >> 2;
}

/* Copies what precedes the first byte that RUN_MIN of its kind follow; returns how many.  TO has room for LEN bytes. */
static size_t copy_plain(uint8_t *to, const uint8_t *from, size_t len)
{
	uint32_t run;
	size_t n = 0;

	/* whether a run begins with the last bytes of a piece is seen in the next one */
	for (; n + 2 * VEC + 1 <= len; n += 2 * VEC - RUN_MIN + 1) {
		run = runs_of(copy_same(to + n, from + n) | copy_same(to + n + VEC, from + n + VEC) << VEC);
		if (run)
			return n + (size_t)__builtin_ctz(run);
	}
	for (; n + VEC + 1 <= len; n += VEC - RUN_MIN + 1) {
		run = runs_of(copy_same(to + n, from + n));
		if (run)
			return n + (size_t)__builtin_ctz(run);
	}
	for (; n < len; n++) {
		if (n + RUN_MIN < len && from[n] == from[n + 1] && from[n] == from[n + 2] && from[n] == from[n + 3])
			break;
		to[n] = from[n];
	}
	return n;
}

/* A run begins neither with an escape nor with what is escaped: clients differ in which of the two they repeat. */
static bool may_repeat(const uint8_t *payload, size_t i)
{
	return payload[i] != '}' && !(i && payload[i - 1] == '}');
}

size_t frame_encode(const uint8_t *payload, size_t len, uint8_t *ret)
{
	uint8_t *p = ret, sum;
	size_t i = 0, n;

	*p++ = '$';
	for (;;) {
		n = copy_plain(p, payload + i, len - i);
		p += n;
		i += n;
		if (i == len)
			break;
		*p++ = payload[i];
		n = may_repeat(payload, i) ? repeats(payload + i, len - i) : 0;
		i += n + 1;
		if (n) {
			*p++ = '*';
			*p++ = (uint8_t)(n + RUN_BIAS);
		}
	}
	sum = sum_bytes(ret + 1, (size_t)(p - ret) - 1);
	*p++ = '#';
	hex_byte(p, sum);
	return (size_t)(p + 2 - ret);
}
