/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands of gdb's `monitor` that are about the client itself, which the monitor knows nothing of. */
#include "gdbstub/internal.h"

#include <errno.h>
#include <string.h>

#define WORDS_MAX 4

struct word {
	const char *text;
	size_t len;
};

static bool is(const struct word *w, const char *text)
{
	return strlen(text) == w->len && !memcmp(text, w->text, w->len);
}

/* The words of LINE, the first WORDS_MAX of them: more than any command here has. */
static unsigned split(const struct cursor *line, struct word *ret)
{
	const char *p = (const char *)line->p, *end = p + line->len;
	unsigned n = 0;

	while (n < WORDS_MAX) {
		while (p < end && (*p == ' ' || *p == '\t'))
			p++;
		if (p == end)
			break;
		ret[n].text = p;
		while (p < end && *p != ' ' && *p != '\t')
			p++;
		ret[n].len = (size_t)(p - ret[n].text);
		n++;
	}
	return n;
}

static bool take_wish(const struct word *w, struct tdesc_wish *wish)
{
	for (unsigned i = 0; i < arch_desc.nchoices; i++)
		if (is(w, arch_desc.choices[i].name)) {
			wish->choice = i;
			return true;
		}
	if (!is(w, "bits") && !is(w, "plain"))
		return false;
	wish->plain = is(w, "plain");
	return true;
}

/* tdesc [auto|...] [bits|plain] */
static int do_tdesc(struct session *s, const struct word *args, unsigned n)
{
	struct tdesc_wish wish = s->wish;
	bool good = n <= 2;

	for (unsigned i = 0; good && i < n; i++)
		good = take_wish(&args[i], &wish);
	if (!good) {
		out_puts(&s->console, "error: usage: tdesc [");
		for (unsigned i = 0; i < arch_desc.nchoices; i++)
			out_printf(&s->console, "%s%s", i ? "|" : "", arch_desc.choices[i].name);
		out_puts(&s->console, "] [bits|plain]\n");
		return -EINVAL;
	}
	s->wish = wish;
	out_printf(&s->console, "registers as %s%s; %s%s when gdb asks again (unset tdesc filename)\n", s->tdesc.as->gdb,
		   s->tdesc.plain ? ", plain" : "", arch_desc.choices[wish.choice].name, wish.plain ? ", plain" : "");
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(struct session *s, const struct word *args, unsigned n);
} commands[] = {
	{ "tdesc", do_tdesc },
};

bool own_command(struct session *s, const struct cursor *line, int *ret)
{
	struct word words[WORDS_MAX];
	unsigned n = split(line, words);

	for (size_t i = 0; n && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (is(&words[0], commands[i].name)) {
			*ret = commands[i].fn(s, words + 1, n - 1);
			return true;
		}
	return false;
}
