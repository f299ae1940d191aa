/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel's printf would print. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "linux/kernel.h"
#include "linux/priv.h"

#define FORMAT_MAX 256
#define STRING_MAX 128
#define WIDTH_MAX  64

struct spec {
	char flags[8];          /* of printf */
	unsigned width, precision;
	bool has_width, has_precision;
	unsigned bytes;         /* of the argument */
	char conversion;
};

struct output {
	struct kernel *k;
	uint64_t (*arg)(void *args, unsigned index);
	void *args;
	unsigned index;
	char *to;
	size_t size, len;
};

static void put(struct output *o, const char *text)
{
	int n = snprintf(o->to + o->len, o->size - o->len, "%s", text);

	o->len += (size_t)n < o->size - o->len ? (size_t)n : o->size - o->len - 1;
}

static uint64_t next_arg(struct output *o)
{
	return o->arg(o->args, o->index++);
}

/* A number at *P, or of an argument for a `*`. */
static bool take_number(struct output *o, const char **p, unsigned *ret)
{
	unsigned n = 0;
	bool any = false;

	if (**p == '*') {
		(*p)++;
		*ret = (unsigned)next_arg(o) % WIDTH_MAX;
		return true;
	}
	for (; isdigit((unsigned char)**p); (*p)++, any = true)
		n = n * 10 < WIDTH_MAX ? n * 10 + (unsigned)(**p - '0') : WIDTH_MAX;
	*ret = n;
	return any;
}

static struct spec parse(struct output *o, const char **p)
{
	struct spec s = { .bytes = 4 };
	size_t n = 0;

	for (; **p && strchr("-+ #0", **p); (*p)++)
		if (n < sizeof(s.flags) - 1)
			s.flags[n++] = **p;
	s.has_width = take_number(o, p, &s.width);
	if (**p == '.') {
		(*p)++;
		take_number(o, p, &s.precision);
		s.has_precision = true;
	}
	for (; **p && strchr("hlLqzjt", **p); (*p)++)
		s.bytes = **p == 'h' ? s.bytes / 2 : 8;
	if (**p)
		s.conversion = *(*p)++;
	return s;
}

static void put_number(struct output *o, const struct spec *s, uint64_t value)
{
	char format[48], text[WIDTH_MAX + 32], width[12] = "", precision[12] = "";
	unsigned spare = s->bytes ? 64 - 8 * s->bytes : 56;

	if (s->has_width)
		snprintf(width, sizeof(width), "%u", s->width);
	if (s->has_precision)
		snprintf(precision, sizeof(precision), ".%u", s->precision < WIDTH_MAX ? s->precision : WIDTH_MAX);
	snprintf(format, sizeof(format), "%%%s%s%sll%c", s->flags, width, precision, s->conversion);
	if (strchr("di", s->conversion))
		value = (uint64_t)((int64_t)(value << spare) >> spare);
	else
		value = value << spare >> spare;
	/* Made here, of parts that were looked at. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), format, (unsigned long long)value);
#pragma GCC diagnostic pop
	put(o, text);
}

static void put_string(struct output *o, const struct spec *s, uint64_t gva)
{
	size_t size = s->has_precision && s->precision < STRING_MAX ? s->precision + 1u : STRING_MAX;
	char text[STRING_MAX], padded[STRING_MAX + WIDTH_MAX];
	int width = s->has_width ? (int)s->width : 0;

	if (!kernel_string(o->k, gva, text, size))
		snprintf(text, sizeof(text), "(not readable)");
	snprintf(padded, sizeof(padded), "%*s", strchr(s->flags, '-') ? -width : width, text);
	put(o, padded);
}

static void convert(struct output *o, const char **p)
{
	struct spec s = parse(o, p);
	char text[24] = { s.conversion };

	switch (s.conversion) {
	case 'd': case 'i': case 'u': case 'x': case 'X': case 'o':
		put_number(o, &s, next_arg(o));
		break;
	case 'c':
		text[0] = (char)next_arg(o);
		kernel_clean(text);
		put(o, text);
		break;
	case 's':
		put_string(o, &s, next_arg(o));
		break;
	case 'p':
		/* Letters say what it points to. */
		while (isalnum((unsigned char)**p))
			(*p)++;
		snprintf(text, sizeof(text), "0x%" PRIx64, next_arg(o));
		put(o, text);
		break;
	default:
		kernel_clean(text);
		put(o, text);
		break;
	}
}

void kernel_format(struct kernel *k, uint64_t fmt, uint64_t (*arg)(void *args, unsigned index), void *args, char *ret,
		   size_t size)
{
	struct output o = { .k = k, .arg = arg, .args = args, .to = ret, .size = size };
	char format[FORMAT_MAX], one[2] = "";

	*ret = '\0';
	if (!kernel_bytes(k, fmt, format, sizeof(format))) {
		put(&o, "(not readable)");
		return;
	}
	/* A line's end, and the level that a message may begin with. */
	format[strcspn(format, "\n")] = '\0';
	for (const char *p = format[0] == '\001' && format[1] ? format + 2 : format; *p;) {
		if (*p == '%') {
			p++;
			convert(&o, &p);
			continue;
		}
		one[0] = *p++;
		kernel_clean(one);
		put(&o, one);
	}
}
