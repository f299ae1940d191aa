/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz/fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "api/err.h"

/* libcheck's own functions would end the test by a jump or an exit; a fuzzer wants its process to die where it is. */
void _ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: %s\n", file, line, expr);
	if (msg) {
		va_start(ap, msg);
		vfprintf(stderr, msg, ap);
		va_end(ap);
		fputc('\n', stderr);
	}
	abort();
}

void _mark_point(const char *file, int line)
{
	(void)file;
	(void)line;
}

uint64_t take(struct bytes *b, unsigned size)
{
	uint64_t value = 0;
	size_t len;
	const uint8_t *p = take_span(b, size, &len);

	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)p[i] << (8 * i);
	return value;
}

const uint8_t *take_span(struct bytes *b, size_t len, size_t *ret_len)
{
	const uint8_t *p = b->p;

	if (len > b->len)
		len = b->len;
	b->p += len;
	b->len -= len;
	*ret_len = len;
	return p;
}

const uint8_t *take_until(struct bytes *b, uint8_t end, size_t *ret_len)
{
	const uint8_t *p = b->p, *at = b->len ? memchr(p, end, b->len) : NULL;
	size_t len = at ? (size_t)(at - p) : b->len, skipped;

	take_span(b, at ? len + 1 : len, &skipped);
	*ret_len = len;
	return p;
}

uint8_t *guarded(const uint8_t *p, size_t len)
{
	static uint8_t *room;
	const size_t page = 4096;

	if (!room) {
		room = mmap(NULL, GUARDED_MAX + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ck_assert(room != MAP_FAILED);
		ck_assert_int_eq(mprotect(room + GUARDED_MAX, page, PROT_NONE), 0);
	}
	ck_assert_uint_le(len, GUARDED_MAX);
	if (len)
		memcpy(room + GUARDED_MAX - len, p, len);
	return room + GUARDED_MAX - len;
}

void check_answer(int rc, const struct err *err)
{
	ck_assert_int_le(rc, 0);
	if (!rc)
		return;
	ck_assert_msg(err->code == -rc, "%d, and the line has %d: %s", rc, err->code, err->msg);
	ck_assert_msg(err->msg[0] && !strchr(err->msg, '\n'), "%d with '%s'", rc, err->msg);
}
