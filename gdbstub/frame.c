/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/frame.h"

#include <errno.h>

#include "gdbstub/hex.h"

#define RUN_MIN         3       /* repeats below this cost as much as they save */
#define RUN_MAX         97      /* the count byte must be printable: 97 + 29 is '~' */
#define RUN_BIAS        29

void frame_init(struct frame_in *f, uint8_t *buf, size_t cap)
{
	*f = (struct frame_in){ .buf = buf, .cap = cap };
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

size_t frame_feed(struct frame_in *f, const uint8_t *data, size_t len, enum frame_event *ret)
{
	size_t i = 0;
	int digit;

	*ret = FRAME_MORE;
	while (i < len && *ret == FRAME_MORE) {
		uint8_t c = data[i++];

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

size_t frame_encode(const uint8_t *payload, size_t len, uint8_t *ret)
{
	uint8_t *p = ret, sum = 0;
	size_t i = 0;

	*p++ = '$';
	while (i < len) {
		size_t n = repeats(payload + i, len - i);

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
	for (const uint8_t *q = ret + 1; q < p; q++)
		sum = (uint8_t)(sum + *q);
	*p++ = '#';
	hex_byte(p, sum);
	return (size_t)(p + 2 - ret);
}
