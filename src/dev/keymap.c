/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/keymap.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define EXTENDED        0xe0            /* goes before make and break of a key that the first keyboards had not */
#define MODIFIERS_MAX   5

struct key {
	const char *name;               /* between < and >; NULL: none but its characters */
	char plain, shifted;            /* what it types; 0: nothing */
	uint8_t code;                   /* in set 2 */
	bool extended, modifier;
};

static const struct key keys[] = {
	{ "shift", 0, 0, 0x12, false, true },           /* the first: what capitals are typed with */
	{ "ctrl", 0, 0, 0x14, false, true },
	{ "alt", 0, 0, 0x11, false, true },
	{ "altgr", 0, 0, 0x11, true, true },
	{ "win", 0, 0, 0x1f, true, true },
	{ "menu", 0, 0, 0x2f, true, false },
	{ "enter", '\n', 0, 0x5a, false, false },
	{ "esc", 0x1b, 0, 0x76, false, false },
	{ "tab", '\t', 0, 0x0d, false, false },
	{ "backspace", '\b', 0, 0x66, false, false },
	{ "space", ' ', ' ', 0x29, false, false },
	{ "caps", 0, 0, 0x58, false, false },
	{ "num", 0, 0, 0x77, false, false },
	{ "scroll", 0, 0, 0x7e, false, false },
	{ "up", 0, 0, 0x75, true, false },
	{ "down", 0, 0, 0x72, true, false },
	{ "left", 0, 0, 0x6b, true, false },
	{ "right", 0, 0, 0x74, true, false },
	{ "home", 0, 0, 0x6c, true, false },
	{ "end", 0, 0, 0x69, true, false },
	{ "pgup", 0, 0, 0x7d, true, false },
	{ "pgdn", 0, 0, 0x7a, true, false },
	{ "ins", 0, 0, 0x70, true, false },
	{ "del", 0, 0, 0x71, true, false },
	{ "f1", 0, 0, 0x05, false, false },
	{ "f2", 0, 0, 0x06, false, false },
	{ "f3", 0, 0, 0x04, false, false },
	{ "f4", 0, 0, 0x0c, false, false },
	{ "f5", 0, 0, 0x03, false, false },
	{ "f6", 0, 0, 0x0b, false, false },
	{ "f7", 0, 0, 0x83, false, false },
	{ "f8", 0, 0, 0x0a, false, false },
	{ "f9", 0, 0, 0x01, false, false },
	{ "f10", 0, 0, 0x09, false, false },
	{ "f11", 0, 0, 0x78, false, false },
	{ "f12", 0, 0, 0x07, false, false },
	{ NULL, 'a', 'A', 0x1c, false, false },
	{ NULL, 'b', 'B', 0x32, false, false },
	{ NULL, 'c', 'C', 0x21, false, false },
	{ NULL, 'd', 'D', 0x23, false, false },
	{ NULL, 'e', 'E', 0x24, false, false },
	{ NULL, 'f', 'F', 0x2b, false, false },
	{ NULL, 'g', 'G', 0x34, false, false },
	{ NULL, 'h', 'H', 0x33, false, false },
	{ NULL, 'i', 'I', 0x43, false, false },
	{ NULL, 'j', 'J', 0x3b, false, false },
	{ NULL, 'k', 'K', 0x42, false, false },
	{ NULL, 'l', 'L', 0x4b, false, false },
	{ NULL, 'm', 'M', 0x3a, false, false },
	{ NULL, 'n', 'N', 0x31, false, false },
	{ NULL, 'o', 'O', 0x44, false, false },
	{ NULL, 'p', 'P', 0x4d, false, false },
	{ NULL, 'q', 'Q', 0x15, false, false },
	{ NULL, 'r', 'R', 0x2d, false, false },
	{ NULL, 's', 'S', 0x1b, false, false },
	{ NULL, 't', 'T', 0x2c, false, false },
	{ NULL, 'u', 'U', 0x3c, false, false },
	{ NULL, 'v', 'V', 0x2a, false, false },
	{ NULL, 'w', 'W', 0x1d, false, false },
	{ NULL, 'x', 'X', 0x22, false, false },
	{ NULL, 'y', 'Y', 0x35, false, false },
	{ NULL, 'z', 'Z', 0x1a, false, false },
	{ NULL, '1', '!', 0x16, false, false },
	{ NULL, '2', '@', 0x1e, false, false },
	{ NULL, '3', '#', 0x26, false, false },
	{ NULL, '4', '$', 0x25, false, false },
	{ NULL, '5', '%', 0x2e, false, false },
	{ NULL, '6', '^', 0x36, false, false },
	{ NULL, '7', '&', 0x3d, false, false },
	{ NULL, '8', '*', 0x3e, false, false },
	{ NULL, '9', '(', 0x46, false, false },
	{ NULL, '0', ')', 0x45, false, false },
	{ NULL, '`', '~', 0x0e, false, false },
	{ NULL, '-', '_', 0x4e, false, false },
	{ NULL, '=', '+', 0x55, false, false },
	{ NULL, '[', '{', 0x54, false, false },
	{ NULL, ']', '}', 0x5b, false, false },
	{ NULL, '\\', '|', 0x5d, false, false },
	{ NULL, ';', ':', 0x4c, false, false },
	{ NULL, '\'', '"', 0x52, false, false },
	{ NULL, ',', '<', 0x41, false, false },
	{ NULL, '.', '>', 0x49, false, false },
	{ NULL, '/', '?', 0x4a, false, false },
};

#define NKEYS (sizeof(keys) / sizeof(keys[0]))
#define SHIFT (&keys[0])

/* Names of characters that TEXT itself uses. */
static const struct { const char *name; char c; } named[] = { { "lt", '<' }, { "gt", '>' } };

#define NNAMED (sizeof(named) / sizeof(named[0]))

/* A key with those held down meanwhile. */
struct chord {
	const struct key *key;
	const struct key *held[MODIFIERS_MAX];
	size_t nheld;
};

struct sink {
	uint8_t *at;
	size_t len, size;               /* len goes on counting past size */
};

static void put(struct sink *s, uint8_t byte)
{
	if (s->len < s->size)
		s->at[s->len] = byte;
	s->len++;
}

static void put_key(struct sink *s, const struct key *k, bool down)
{
	if (k->extended)
		put(s, EXTENDED);
	if (!down)
		put(s, KEYMAP_BREAK);
	put(s, k->code);
}

static void put_chord(struct sink *s, const struct chord *c)
{
	size_t i;

	for (i = 0; i < c->nheld; i++)
		put_key(s, c->held[i], true);
	put_key(s, c->key, true);
	put_key(s, c->key, false);
	for (i = c->nheld; i-- > 0;)
		put_key(s, c->held[i], false);
}

static bool is_held(const struct chord *c, const struct key *k)
{
	size_t i;

	for (i = 0; i < c->nheld; i++)
		if (c->held[i] == k)
			return true;
	return false;
}

/* Completes the chord by the key that types CH; false: there is none. */
static bool add_char(struct chord *c, char ch)
{
	size_t i;

	for (i = 0; ch && i < NKEYS; i++) {
		if (keys[i].plain != ch && keys[i].shifted != ch)
			continue;
		if (keys[i].plain != ch && !is_held(c, SHIFT))
			c->held[c->nheld++] = SHIFT;
		c->key = &keys[i];
		return true;
	}
	return false;
}

static bool is_name(const char *name, const char *text, size_t len)
{
	return name && strlen(name) == len && strncasecmp(name, text, len) == 0;
}

static const struct key *find_name(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < NKEYS; i++)
		if (is_name(keys[i].name, text, len))
			return &keys[i];
	return NULL;
}

/* Completes the chord by the key called TEXT: a name, or its character. */
static bool add_named(struct chord *c, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < NNAMED; i++)
		if (is_name(named[i].name, text, len))
			return add_char(c, named[i].c);
	c->key = find_name(text, len);
	return c->key || (len == 1 && add_char(c, *text));
}

/* What stands between < and >. */
static bool parse_name(const char *text, size_t len, struct chord *ret)
{
	const struct key *k;
	const char *dash;

	*ret = (struct chord){ 0 };
	while (len > 1) {
		dash = memchr(text, '-', len);
		if (!dash)
			break;
		k = find_name(text, (size_t)(dash - text));
		if (!k || !k->modifier || is_held(ret, k))
			return false;
		ret->held[ret->nheld++] = k;
		len -= (size_t)(dash + 1 - text);
		text = dash + 1;
	}
	return add_named(ret, text, len) && !is_held(ret, ret->key);
}

/* One key of TEXT from *POS on; moves *POS behind it. */
static int parse_key(const char *text, size_t len, size_t *pos, struct chord *ret, struct err *err)
{
	const char *at = text + *pos, *end;

	if (*at != '<') {
		*ret = (struct chord){ 0 };
		if (!add_char(ret, *at))
			return err_set(err, EINVAL, "byte %zu: the keyboard has no key for character 0x%02x", *pos + 1,
				       (unsigned char)*at);
		++*pos;
		return 0;
	}
	end = memchr(at, '>', len - *pos);
	if (!end)
		return err_set(err, EINVAL, "byte %zu: '<' begins the name of a key, and no '>' ends it ('<lt>' types it)",
			       *pos + 1);
	if (!parse_name(at + 1, (size_t)(end - at - 1), ret))
		return err_set(err, EINVAL, "byte %zu: the keyboard has no key '%.*s'", *pos + 1,
			       (int)(end + 1 - at < 40 ? end + 1 - at : 40), at);
	*pos += (size_t)(end + 1 - at);
	return 0;
}

int keymap_encode(const char *text, size_t len, uint8_t *ret, size_t size, size_t *ret_len, struct err *err)
{
	struct sink s = { .at = ret, .size = size };
	struct chord c;
	size_t pos = 0;
	int r;

	while (pos < len) {
		r = parse_key(text, len, &pos, &c, err);
		if (r < 0)
			return r;
		put_chord(&s, &c);
	}
	if (s.len > size)
		return err_set(err, ENOSPC, "that makes %zu bytes of scan codes, and the keyboard holds %zu", s.len, size);
	*ret_len = s.len;
	return 0;
}

uint8_t keymap_set1(uint8_t set2)
{
	static const uint8_t set1[0x85] = {
		0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
		0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
		0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
		0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
		0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
		0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
		0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
		0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
		0x80, 0x81, 0x82, 0x41, 0x54,
	};

	return set2 < sizeof(set1) ? set1[set2] : set2;
}
