/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void out_write(struct out *o, const char *text, size_t len)
{
	if (len)
		o->write(o, text, len);
}

void out_puts(struct out *o, const char *text)
{
	out_write(o, text, strlen(text));
}

void out_printf(struct out *o, const char *fmt, ...)
{
	char small[512], *text = small;
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(small)) {
		text = malloc((size_t)n + 1);
		if (text)
			vsnprintf(text, (size_t)n + 1, fmt, again);
		else {
			text = small;
			n = sizeof(small) - 1;
		}
	}
	va_end(again);
	if (n > 0)
		out_write(o, text, (size_t)n);
	if (text != small)
		free(text);
}

static void buf_write(struct out *o, const char *text, size_t len)
{
	struct out_buf *b = (struct out_buf *)o;
	size_t want = b->len + len + 1, cap = b->cap ? b->cap : 256;
	char *p;

	if (want > b->cap) {
		while (cap < want)
			cap *= 2;
		p = realloc(b->text, cap);
		if (!p) {
			b->failed = true;
			return;
		}
		b->text = p;
		b->cap = cap;
	}
	memcpy(b->text + b->len, text, len);
	b->len += len;
	b->text[b->len] = '\0';
}

void out_buf_init(struct out_buf *b)
{
	*b = (struct out_buf){ .out.write = buf_write };
}

void out_buf_done(struct out_buf *b)
{
	free(b->text);
	out_buf_init(b);
}
