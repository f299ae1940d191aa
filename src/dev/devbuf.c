/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_room(struct dev_buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256;
	uint8_t *p;

	if (b->len + n <= b->cap)
		return 0;
	while (cap < b->len + n)
		cap *= 2;
	p = realloc(b->data, cap);
	if (!p)
		return -ENOMEM;
	b->data = p;
	b->cap = cap;
	return 0;
}

int dev_put(struct dev_buf *b, uint64_t value, unsigned n)
{
	int r = make_room(b, n);

	if (r < 0)
		return r;
	for (; n; n--, value >>= 8)
		b->data[b->len++] = (uint8_t)value;
	return 0;
}

int dev_get(struct dev_buf *b, unsigned n, uint64_t *ret)
{
	uint64_t value = 0;
	unsigned i;

	if (b->len - b->pos < n)
		return -EINVAL;
	for (i = n; i-- > 0;)
		value = value << 8 | b->data[b->pos + i];
	b->pos += n;
	*ret = value;
	return 0;
}

int dev_fields_save(const void *state, const struct dev_field *f, size_t n, struct dev_buf *b)
{
	const uint8_t *at;
	uint64_t value;
	unsigned i;
	int r;

	for (; n; n--, f++) {
		at = (const uint8_t *)state + f->offset;
		r = make_room(b, (size_t)f->count * f->size);
		if (r < 0)
			return r;
		/* Bytes, of which there are many, at once. */
		if (f->size == 1) {
			memcpy(b->data + b->len, at, f->count);
			b->len += f->count;
			continue;
		}
		for (i = 0; i < f->count; i++, at += f->size) {
			value = 0;
			memcpy(&value, at, f->size);    /* both sides are little-endian */
			dev_put(b, value, f->size);             /* there is room */
		}
	}
	return 0;
}

int dev_fields_load(void *state, const struct dev_field *f, size_t n, struct dev_buf *b, const char *name,
		    struct err *err)
{
	uint64_t value;
	uint8_t *at;
	unsigned i;

	for (; n; n--, f++) {
		at = (uint8_t *)state + f->offset;
		if (f->size == 1 && f->max == UINT8_MAX && b->len - b->pos >= f->count) {
			memcpy(at, b->data + b->pos, f->count);
			b->pos += f->count;
			continue;
		}
		for (i = 0; i < f->count; i++, at += f->size) {
			if (dev_get(b, f->size, &value) < 0)
				return err_set(err, EINVAL, "%s: its saved state is truncated", name);
			if (value > f->max)
				return err_set(err, EINVAL, "%s: its saved state is out of range", name);
			memcpy(at, &value, f->size);
		}
	}
	return 0;
}

bool dev_zeros(const uint8_t *p, size_t n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	return !n;
}
