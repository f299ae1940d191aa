/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/text.h"

#define OPEN_LINE_MAX 4096      /* what is searched of a line that has not ended: bounds the work a byte costs */

struct pattern {
	bool is_regex;
	regex_t regex;
	char *text;             /* the substring */
	size_t len;
	uint64_t from;          /* position in the stream where the search goes on */
};

/* Where in a control sequence the output is (ECMA-48, 5.3 to 5.6). */
enum escape {
	ESCAPE_NONE,
	ESCAPE_BEGUN,           /* behind ESC */
	ESCAPE_PARAMETERS,      /* behind ESC [ */
	ESCAPE_INTERMEDIATE,    /* behind ESC and a byte that wants another */
	ESCAPE_STRING,          /* ESC ] and such, to BEL or ESC \ */
};

#define ESC 0x1b
#define BEL 0x07

/* Where BYTE leads from STATE; text stays at ESCAPE_NONE. */
static enum escape after(enum escape state, unsigned char byte)
{
	if (byte == ESC)
		return ESCAPE_BEGUN;
	switch (state) {
	case ESCAPE_BEGUN:
		if (byte == '[')
			return ESCAPE_PARAMETERS;
		if (byte && strchr("]PX^_", byte))
			return ESCAPE_STRING;
		return byte >= 0x20 && byte < 0x30 ? ESCAPE_INTERMEDIATE : ESCAPE_NONE;
	case ESCAPE_PARAMETERS:
		return byte >= 0x20 && byte < 0x40 ? ESCAPE_PARAMETERS : ESCAPE_NONE;
	case ESCAPE_INTERMEDIATE:
		return byte >= 0x20 && byte < 0x30 ? ESCAPE_INTERMEDIATE : ESCAPE_NONE;
	case ESCAPE_STRING:
		/* One that does not end on its line was none. */
		return byte == BEL || byte == '\n' ? ESCAPE_NONE : ESCAPE_STRING;
	default:
		return ESCAPE_NONE;
	}
}

/* Copies LEN bytes of output to DST, the text of them.  Returns how many these are. */
static size_t copy_text(struct window *w, char *dst, const char *data, size_t len)
{
	size_t n = 0;

	for (; len; len--, data++) {
		enum escape was = w->escape;

		w->escape = after(was, (unsigned char)*data);
		if (was == ESCAPE_NONE && w->escape == ESCAPE_NONE)
			dst[n++] = *data;
	}
	return n;
}

void window_done(struct window *w)
{
	free(w->buf);
	*w = (struct window){ 0 };
}

static void forget(struct window *w, size_t upto)
{
	if (!upto)
		return;
	w->mid_line = upto == w->start ? w->mid_line : w->buf[upto - 1] != '\n';
	w->len -= upto;
	memmove(w->buf, w->buf + upto, w->len + 1);
	w->base += upto;
	w->start = 0;
}

void window_add(struct window *w, const void *data, size_t len)
{
	size_t cap = w->cap ? w->cap : 4096;
	char *p;

	if (len > WINDOW_BYTES) {
		forget(w, w->len);
		w->base += len - WINDOW_BYTES;
		w->mid_line = true;
		data = (const char *)data + len - WINDOW_BYTES;
		len = WINDOW_BYTES;
	}
	/* Twice the size, so that bytes move once a window's length and not once a call. */
	if (w->len + len > 2 * WINDOW_BYTES) {
		size_t keep = WINDOW_BYTES - len, upto = w->len > keep ? w->len - keep : 0;

		forget(w, upto > w->start ? upto : w->start);
	}
	while (cap < w->len + len + 1)
		cap *= 2;
	if (cap != w->cap) {
		p = realloc(w->buf, cap);
		if (!p) {
			forget(w, w->len);
			w->base += len;
			return;
		}
		w->buf = p;
		w->cap = cap;
	}
	w->len += copy_text(w, w->buf + w->len, data, len);
	/* Bytes may be NUL, and regexec() is told where they end; checkers still want a string. */
	w->buf[w->len] = '\0';
}

/* Everything before UPTO has been matched. */
static bool take(struct window *w, size_t upto)
{
	if (upto > w->start)
		w->mid_line = w->buf[upto - 1] != '\n';
	w->start = upto;
	if (w->start == w->len)
		forget(w, w->len);
	return true;
}

static bool match_text(struct window *w, struct pattern *p, size_t at)
{
	const char *hit = memmem(w->buf + at, w->len - at, p->text, p->len);

	if (hit)
		return take(w, (size_t)(hit - w->buf) + p->len);
	if (w->len - at >= p->len)
		p->from = w->base + w->len - (p->len - 1);
	return false;
}

static bool match_line(struct window *w, const struct pattern *p, size_t from, size_t to, int flags)
{
	regmatch_t match = { .rm_so = (regoff_t)from, .rm_eo = (regoff_t)to };

	if (from == w->start && w->mid_line)
		flags |= REG_NOTBOL;
	if (regexec(&p->regex, w->buf, 1, &match, flags | REG_STARTEND))
		return false;
	return take(w, (size_t)match.rm_eo);
}

static bool match_regex(struct window *w, struct pattern *p, size_t at)
{
	const char *end;

	while ((end = memchr(w->buf + at, '\n', w->len - at))) {
		size_t eol = (size_t)(end - w->buf), shown = eol;

		if (shown > at && w->buf[shown - 1] == '\r')
			shown--;
		if (match_line(w, p, at, shown, 0))
			return true;
		at = eol + 1;
	}
	p->from = w->base + at;
	if (w->len - at > OPEN_LINE_MAX)
		return match_line(w, p, w->len - OPEN_LINE_MAX, w->len, REG_NOTBOL | REG_NOTEOL);
	return w->len > at && match_line(w, p, at, w->len, REG_NOTEOL);
}

bool window_match(struct window *w, struct pattern *p)
{
	size_t at = w->start;

	if (p->from > w->base + at)
		at = (size_t)(p->from - w->base);
	if (at >= w->len)
		return false;
	return p->is_regex ? match_regex(w, p, at) : match_text(w, p, at);
}

bool pattern_in(struct pattern *p, char *text, size_t len)
{
	struct window w = { .buf = text, .len = len, .cap = len + 1 };

	p->from = 0;
	return window_match(&w, p);
}

static int set_regex(struct pattern *p, const char *text, size_t len, struct err *err)
{
	char *source = calloc(1, len + 1), why[160];
	size_t n = 0;
	int r;

	if (!source)
		return err_set(err, ENOMEM, "out of memory");
	/* Only the slash needed its backslash to stand between slashes. */
	for (size_t i = 0; i < len; i++)
		if (!(text[i] == '\\' && i + 1 < len && text[i + 1] == '/'))
			source[n++] = text[i];
	r = regcomp(&p->regex, source, REG_EXTENDED | REG_NEWLINE);
	free(source);
	if (r) {
		regerror(r, &p->regex, why, sizeof(why));
		return err_set(err, EINVAL, "/%.*s/: %s", len < 60 ? (int)len : 60, text, why);
	}
	p->is_regex = true;
	return 0;
}

static int set_text(struct pattern *p, const char *text, size_t len, bool quoted, struct err *err)
{
	if (!len)
		return err_set(err, EINVAL, "an empty pattern is found everywhere");
	p->text = malloc(len);
	if (!p->text)
		return err_set(err, ENOMEM, "out of memory");
	if (quoted) {
		int r = text_unescape(text, len, p->text, &p->len, err);

		if (r)
			return r;
	} else {
		memcpy(p->text, text, len);
		p->len = len;
	}
	if (memchr(p->text, ESC, p->len))
		return err_set(err, EINVAL, "what begins with ESC is for terminals, and is not in the text that patterns see");
	return 0;
}

int pattern_new(const char *text, size_t len, size_t *ret_used, struct pattern **ret, struct err *err)
{
	bool quoted = len && (text[0] == '"' || text[0] == '/');
	struct pattern *p;
	size_t used = 0;
	int r;

	if (quoted)
		used = text_quoted(text, len);
	else
		while (used < len && !text_space(text[used]))
			used++;
	if (!used)
		return err_set(err, EINVAL,
			       len ? "the pattern's closing quote is missing" : "a pattern is missing");
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(err, ENOMEM, "out of memory");
	if (text[0] == '/' && quoted)
		r = set_regex(p, text + 1, used - 2, err);
	else
		r = set_text(p, text + quoted, used - 2 * quoted, quoted, err);
	if (r) {
		pattern_free(p);
		return r;
	}
	*ret_used = used;
	*ret = p;
	return 0;
}

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	if (p->is_regex)
		regfree(&p->regex);
	free(p->text);
	free(p);
}
