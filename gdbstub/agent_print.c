/* SPDX-License-Identifier: GPL-3.0-or-later */
/* printf of agent expressions: formats as gdb passes them on, checked when they come. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gdbstub/agent_op.h"

#define WIDTH_MAX   255
#define STRING_READ 64          /* bytes of a guest's string fetched at once */
#define GUEST_PAGE  4096u

/* A piece of a format: a character, or a conversion. */
struct piece {
	char conversion;        /* 0: it is the character */
	char c;
	unsigned bytes;         /* of an integer argument */
	char flags[8];
	unsigned width;
	int precision;          /* -1: none */
};

static const struct {
	char name[3];
	uint8_t bytes;
} lengths[] = {
	/* longer ones first */
	{ "hh", 1 }, { "ll", 8 }, { "h", 2 }, { "l", 8 }, { "z", 8 }, { "t", 8 }, { "j", 8 },
};

static const char escapes[][2] = {
	{ 'n', '\n' }, { 't', '\t' }, { '\\', '\\' }, { '"', '"' }, { '\'', '\'' }, { 'r', '\r' },
	{ 'a', '\a' }, { 'b', '\b' }, { 'e', 27 },    { 'f', '\f' }, { 'v', '\v' }, { '?', '?' },
};

static bool take_escape(const char **p, char *ret)
{
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
		if (**p == escapes[i][0]) {
			*ret = escapes[i][1];
			++*p;
			return true;
		}
	return false;
}

static bool take_number(const char **p, unsigned *ret)
{
	unsigned n = 0;

	for (; **p >= '0' && **p <= '9'; ++*p) {
		n = 10 * n + (unsigned)(**p - '0');
		if (n > WIDTH_MAX)
			return false;
	}
	*ret = n;
	return true;
}

/* What follows a '%'. */
static bool take_conversion(const char **p, struct piece *ret)
{
	size_t nflags = strspn(*p, "-+ 0#'");
	unsigned precision;
	bool has_length = false;

	if (nflags >= sizeof(ret->flags))
		return false;
	memcpy(ret->flags, *p, nflags);
	*p += nflags;
	if (!take_number(p, &ret->width))
		return false;
	if (**p == '.') {
		++*p;
		if (!take_number(p, &precision))
			return false;
		ret->precision = (int)precision;
	}
	ret->bytes = 4;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]) && !has_length; i++)
		if (!strncmp(*p, lengths[i].name, strlen(lengths[i].name))) {
			*p += strlen(lengths[i].name);
			ret->bytes = lengths[i].bytes;
			has_length = true;
		}
	if (!**p || !strchr(has_length ? "diuxXo" : "diuxXocps", **p))
		return false;
	ret->conversion = *(*p)++;
	return true;
}

/* Takes a piece of the text at *P, which is not at its end.  False: it is none. */
static bool take_piece(const char **p, struct piece *ret)
{
	*ret = (struct piece){ .c = *(*p)++, .precision = -1 };
	if (ret->c == '\\')
		return take_escape(p, &ret->c);
	if (ret->c != '%')
		return true;
	if (**p == '%') {
		++*p;
		return true;
	}
	return take_conversion(p, ret);
}

int agent_format_check(const char *format, size_t len, unsigned nargs, struct err *err)
{
	const char *p = format;
	struct piece piece;
	unsigned n = 0;

	if (!len || memchr(format, 0, len) != format + len - 1)
		return err_set(err, EINVAL, "agent expression: a format without its end");
	while (*p) {
		const char *from = p;

		if (!take_piece(&p, &piece))
			return err_set(err, EINVAL, "agent expression: \"%.40s\" cannot be printed", from);
		n += piece.conversion != 0;
	}
	if (n != nargs)
		return err_set(err, EINVAL, "agent expression: a format of %u arguments has %u", n, nargs);
	return 0;
}

/* -- printing -- */

struct text {
	char buf[AGENT_PRINT_MAX];
	size_t len;
};

static void add(struct text *t, const char *data, size_t len)
{
	size_t room = sizeof(t->buf) - t->len;

	if (len > room)
		len = room;
	memcpy(t->buf + t->len, data, len);
	t->len += len;
}

static void pad(struct text *t, size_t count)
{
	while (count--)
		add(t, " ", 1);
}

/* LEN characters in a field of the piece's width. */
static void add_field(struct text *t, const struct piece *p, const char *data, size_t len)
{
	size_t spare = p->width > len ? p->width - len : 0;
	bool left = strchr(p->flags, '-');

	pad(t, left ? 0 : spare);
	add(t, data, len);
	pad(t, left ? spare : 0);
}

static void add_integer(struct text *t, const struct piece *p, uint64_t value)
{
	unsigned spare = 64 - 8 * p->bytes;
	bool is_signed = p->conversion == 'd' || p->conversion == 'i';
	char spec[40], out[2 * WIDTH_MAX + 64];
	int n;

	if (p->precision < 0)
		snprintf(spec, sizeof(spec), "%%%s*ll%c", p->flags, p->conversion);
	else
		snprintf(spec, sizeof(spec), "%%%s*.%dll%c", p->flags, p->precision, p->conversion);
	if (is_signed)
		n = snprintf(out, sizeof(out), spec, (int)p->width, (long long)((int64_t)(value << spare) >> spare));
	else
		n = snprintf(out, sizeof(out), spec, (int)p->width, (unsigned long long)(value << spare >> spare));
	if (n > 0)
		add(t, out, (size_t)n < sizeof(out) ? (size_t)n : sizeof(out) - 1);
}

static void add_pointer(struct text *t, const struct piece *p, uint64_t value)
{
	char out[24];
	int n = snprintf(out, sizeof(out), "0x%" PRIx64, value);

	add_field(t, p, out, (size_t)n);
}

/* As far as its zero, the precision, or what there is room for. */
static int add_string(struct text *t, const struct piece *p, uint64_t gva, const struct agent_env *env, struct err *err)
{
	char data[AGENT_PRINT_MAX];
	size_t max = p->precision >= 0 && (size_t)p->precision < sizeof(data) ? (size_t)p->precision : sizeof(data), n = 0;

	if (!gva) {
		add_field(t, p, "(null)", 6);
		return 0;
	}
	while (n < max) {
		size_t in_page = GUEST_PAGE - ((gva + n) & (GUEST_PAGE - 1));
		size_t want = max - n < STRING_READ ? max - n : STRING_READ, end;
		int r;

		if (want > in_page)
			want = in_page;
		r = env->mem(env->arg, gva + n, data + n, want, err);
		if (r)
			return r;
		end = strnlen(data + n, want);
		n += end;
		if (end < want)
			break;
	}
	add_field(t, p, data, n);
	return 0;
}

int agent_format(const char *format, const uint64_t *args, const struct agent_env *env, struct err *err)
{
	struct text t;
	struct piece p;
	int r = 0;
	char c;

	t.len = 0;
	while (!r && *format && take_piece(&format, &p))
		switch (p.conversion) {
		case 0:
			add(&t, &p.c, 1);
			break;
		case 's':
			r = add_string(&t, &p, *args++, env, err);
			break;
		case 'p':
			add_pointer(&t, &p, *args++);
			break;
		case 'c':
			c = (char)*args++;
			add_field(&t, &p, &c, 1);
			break;
		default:
			add_integer(&t, &p, *args++);
			break;
		}
	if (!r && t.len)
		env->print(env->arg, t.buf, t.len);
	return r;
}
