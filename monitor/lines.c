/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void lines_done(struct lines *l)
{
	free(l->buf);
	*l = (struct lines){ 0 };
}

size_t lines_waiting(const struct lines *l)
{
	return l->len - l->start;
}

int lines_add(struct lines *l, const void *data, size_t len)
{
	size_t cap = l->cap ? l->cap : 1024;
	char *p;

	if (l->start) {
		l->len -= l->start;
		memmove(l->buf, l->buf + l->start, l->len);
		l->start = 0;
	}
	while (cap < l->len + len)
		cap *= 2;
	if (cap != l->cap) {
		p = realloc(l->buf, cap);
		if (!p)
			return -ENOMEM;
		l->buf = p;
		l->cap = cap;
	}
	if (len)
		memcpy(l->buf + l->len, data, len);
	l->len += len;
	return 0;
}

/* Passes over the rest of a line that was too long. */
static void skip_rest(struct lines *l)
{
	char *end = memchr(l->buf + l->start, '\n', lines_waiting(l));

	if (end)
		l->start = (size_t)(end - l->buf) + 1;
	else
		l->start = l->len;
	l->skip = !end;
}

int lines_next(struct lines *l, size_t max, const char **ret, size_t *ret_len)
{
	const char *line, *end;
	size_t waiting, n;

	if (l->skip && l->buf)
		skip_rest(l);
	waiting = lines_waiting(l);
	if (!waiting)
		return 0;
	line = l->buf + l->start;
	end = memchr(line, '\n', waiting);
	n = end ? (size_t)(end - line) : waiting;
	if (n > max + 1) {
		skip_rest(l);
		return -E2BIG;
	}
	if (!end && !l->eof)
		return 0;
	l->start += n + (end != NULL);
	if (n && line[n - 1] == '\r')
		n--;
	if (n > max)
		return -E2BIG;
	*ret = line;
	*ret_len = n;
	return 1;
}
