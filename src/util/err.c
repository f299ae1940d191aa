/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		va_start(ap, fmt);
		vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
		va_end(ap);
		e->code = code;
		make_printable(e->msg);
	}
	return -code;
}

int err_errno(struct err *e, int code, const char *fmt, ...)
{
	char text[sizeof(e->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(e, code, "%s: %s", text, strerror(code));
}

int err_prefix(struct err *e, int code, const char *fmt, ...)
{
	char prefix[sizeof(e->msg)], rest[sizeof(e->msg)];
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	memcpy(rest, e->msg, sizeof(rest));
	err_set(e, e->code, "%s: %s", prefix, rest);
	return code;
}
