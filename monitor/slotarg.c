/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/slotarg.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/text.h"

static int bad_word(struct task *t, const char *word, size_t len, const char *what, struct err *err)
{
	return task_malformed(t, err_set(err, EINVAL, "'%.*s' %s (help %s)", len < 60 ? (int)len : 60, word, what,
					 t->cmd->name));
}

/* A decimal number up to MAX at *P. */
static bool take_decimal(const char **p, unsigned max, unsigned *ret)
{
	unsigned long long n = 0;
	const char *s = *p;

	for (; isdigit((unsigned char)*s) && n <= max; s++)
		n = n * 10 + (unsigned)(*s - '0');
	if (s == *p || n > max)
		return false;
	*p = s;
	*ret = (unsigned)n;
	return true;
}

/* N or SPACE:N in plain numbers at *P. */
static bool take_plain_id(const char **p, unsigned *ret)
{
	const char *s = *p;
	unsigned space, n;

	if (take_decimal(&s, SLOT_SPACE_MAX, &space) && *s == ':') {
		s++;
		if (!take_decimal(&s, SLOT_INDEX_MAX, &n))
			return false;
		*ret = slot_id(space, n);
	} else {
		s = *p;
		if (!take_decimal(&s, INT32_MAX, ret))
			return false;
	}
	*p = s;
	return true;
}

/* Whether digits and a colon stand at P: no expression begins so. */
static bool has_space(const char *p)
{
	size_t n = strspn(p, "0123456789");

	return n && p[n] == ':';
}

int slotarg_id(struct task *t, const char **p, unsigned *ret, struct err *err)
{
	const char *plain = *p;
	uint64_t n;
	int r;

	if (!**p)
		return task_usage(t, err);
	/* What follows may be a file's name, and begin like the rest of an expression. */
	if (take_plain_id(&plain, ret) && (!*plain || text_space(*plain))) {
		*p = plain + strspn(plain, " \t");
		return 0;
	}
	if (has_space(*p))
		return bad_word(t, *p, strcspn(*p, " \t"), "is no slot's number", err);
	r = task_expr(t, p, &n, err);
	if (r)
		return r;
	if (n > INT32_MAX)
		return err_set(err, EINVAL, "0x%" PRIx64 " is no slot's number", n);
	*ret = (unsigned)n;
	return 0;
}

int slotarg_slot(struct task *t, const char **p, struct slot_info *ret, struct err *err)
{
	struct slot_info s;
	unsigned id;
	int r = slotarg_id(t, p, &id, err);

	if (r)
		return r;
	for (size_t i = 0; machine_slot_list(task_machine(t), i, &s); i++)
		if (s.id == id) {
			*ret = s;
			return 0;
		}
	return err_set(err, ENOENT, "there is no slot %s (slot list shows them)", slot_name(id).text);
}

int slotarg_file(struct task *t, const char **p, char **ret_path, uint64_t *ret_offset, struct err *err)
{
	const char *path = *p, *end, *at = NULL, *after;
	size_t len = strcspn(path, " \t"), quoted = 0;
	uint64_t offset = 0;
	int r;

	if (*path == '"') {
		quoted = text_quoted(path, strlen(path));
		if (!quoted)
			return task_malformed(t, err_set(err, EINVAL, "a string's closing quote is missing"));
		at = path[quoted] == '@' ? path + quoted : NULL;
		path++;
		len = quoted - 2;
		end = path + len + 1;
	} else {
		for (size_t i = 0; i + 1 < len; i++)
			if (path[i] == '@' && isdigit((unsigned char)path[i + 1]))
				at = path + i;
		len = at ? (size_t)(at - path) : len;
		end = path + len;
	}
	after = end;
	if (!len)
		return task_malformed(t, err_set(err, EINVAL, "file: needs a path"));
	if (at) {
		after = at + 1;
		r = task_expr(t, &after, &offset, err);
		if (r)
			return r;
	} else if (*after && !text_space(*after)) {
		return task_end(t, after, err);
	}
	*ret_path = strndup(path, len);
	if (!*ret_path)
		return err_set(err, ENOMEM, "out of memory");
	*ret_offset = offset;
	*p = after + strspn(after, " \t");
	return 0;
}

int slotarg_path(struct task *t, const char *p, const char **ret, struct err *err)
{
	p += strspn(p, " \t");
	if (!*p)
		return task_usage(t, err);
	*ret = p;
	return 0;
}

/* -- backing=KIND: each reads what may follow its name at *P -- */

static int take_nothing(struct task *t, const char **p, struct slot_spec *spec, struct err *err)
{
	(void)spec;
	if (**p && !text_space(**p))
		return task_end(t, *p, err);
	*p += strspn(*p, " \t");
	return 0;
}

static int take_file(struct task *t, const char **p, struct slot_spec *spec, struct err *err)
{
	char *path;
	int r;

	if (**p != ':')
		return task_malformed(t, err_set(err, EINVAL, "a file is given as file:PATH[@OFF]"));
	(*p)++;
	r = slotarg_file(t, p, &path, &spec->offset, err);
	if (!r)
		spec->path = path;
	return r;
}

static int take_hugetlb(struct task *t, const char **p, struct slot_spec *spec, struct err *err)
{
	int r = 0;

	spec->huge_size = 2 << 20;
	if (**p == ':') {
		(*p)++;
		r = task_expr(t, p, &spec->huge_size, err);
	} else {
		r = take_nothing(t, p, spec, err);
	}
	if (!r && spec->huge_size != 2 << 20 && spec->huge_size != 1 << 30)
		r = task_malformed(t, err_set(err, EINVAL, "huge pages have 2M or 1G"));
	return r;
}

static int take_alias(struct task *t, const char **p, struct slot_spec *spec, struct err *err)
{
	const char *text;

	if (**p != ':')
		return task_malformed(t, err_set(err, EINVAL, "an alias is given as alias:ID[+OFF]"));
	text = ++*p;
	/* As ID+OFF is an expression of its own, the slot's number is a plain one. */
	if (!take_plain_id(p, &spec->alias_of) || (**p && **p != '+' && !text_space(**p)))
		return bad_word(t, text, strcspn(text, " \t"),
				"is no slot's number with an offset, as in alias:0+1M", err);
	if (**p == '+') {
		(*p)++;
		return task_expr(t, p, &spec->offset, err);
	}
	*p += strspn(*p, " \t");
	return 0;
}

static const struct {
	const char *name;
	enum slot_backing kind;
	int (*take)(struct task *t, const char **p, struct slot_spec *spec, struct err *err);
} backings[] = {
	{ "anon", SLOT_ANON, take_nothing },
	{ "memfd", SLOT_MEMFD, take_nothing },
	{ "file", SLOT_FILE, take_file },
	{ "hugetlb", SLOT_HUGETLB, take_hugetlb },
	{ "alias", SLOT_ALIAS, take_alias },
	{ "rma", SLOT_RMA, take_nothing },
};

static int take_backing(struct task *t, const char **p, struct slot_spec *spec, struct err *err)
{
	size_t len = strcspn(*p, ": \t");

	for (size_t i = 0; i < sizeof(backings) / sizeof(backings[0]); i++)
		if (word_is(*p, len, backings[i].name)) {
			spec->backing = backings[i].kind;
			*p += len;
			return backings[i].take(t, p, spec, err);
		}
	return bad_word(t, *p, len, "is no backing: anon, memfd, file, hugetlb, alias or rma", err);
}

/* -- words that are flags; those of one kind exclude each other -- */

enum flag_kind { FLAG_SHARE, FLAG_LOG, FLAG_RO, FLAG_KINDS };

static const struct {
	const char *name;
	enum flag_kind kind;
	bool value, add, change;        /* which commands know it */
} flags[] = {
	{ "shared", FLAG_SHARE, true, true, false }, { "private", FLAG_SHARE, false, true, false },
	{ "log", FLAG_LOG, true, true, true }, { "nolog", FLAG_LOG, false, false, true },
	{ "ro", FLAG_RO, true, true, true }, { "rw", FLAG_RO, false, false, true },
};

/* The word at *P into VALUE and GIVEN, indexed by kind. */
static int take_flag(struct task *t, const char **p, bool add, bool *value, bool *given, struct err *err)
{
	size_t len;
	const char *word = task_word(p, &len);

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!word_is(word, len, flags[i].name) || !(add ? flags[i].add : flags[i].change))
			continue;
		if (given[flags[i].kind])
			return bad_word(t, word, len, "says for a second time what it should be", err);
		given[flags[i].kind] = true;
		value[flags[i].kind] = flags[i].value;
		return 0;
	}
	return bad_word(t, word, len, "is no flag here", err);
}

/* as=SPACE: the slot's number gets it. */
static int take_space(struct task *t, const char **p, struct slot_spec *spec, struct err *err)
{
	uint64_t space;
	int r;

	*p += 3;
	r = task_expr(t, p, &space, err);
	if (r)
		return r;
	if (space > SLOT_SPACE_MAX)
		return err_set(err, EINVAL, "0x%" PRIx64 " is no address space", space);
	if (slot_space(spec->id) && slot_space(spec->id) != space)
		return task_malformed(t, err_set(err, EINVAL, "slot %s is not in address space %u",
						 slot_name(spec->id).text, (unsigned)space));
	spec->id = slot_id((unsigned)space, slot_index(spec->id));
	return 0;
}

int slotarg_spec(struct task *t, const char **p, struct slot_spec *spec, struct err *err)
{
	bool value[FLAG_KINDS] = { 0 }, given[FLAG_KINDS] = { 0 }, backed = false, placed = false;
	int r = 0;

	while (!r && **p) {
		if (!strncmp(*p, "as=", 3)) {
			r = placed ? task_malformed(t, err_set(err, EINVAL, "a slot has one address space"))
				   : take_space(t, p, spec, err);
			placed = true;
		} else if (strncmp(*p, "backing=", 8)) {
			r = take_flag(t, p, true, value, given, err);
		} else if (backed) {
			r = task_malformed(t, err_set(err, EINVAL, "a slot has one backing"));
		} else {
			backed = true;
			*p += 8;
			r = take_backing(t, p, spec, err);
		}
	}
	if (!r && given[FLAG_SHARE] && spec->backing != SLOT_FILE)
		r = task_malformed(t, err_set(err, EINVAL, "shared and private are for backing=file:PATH"));
	if (r)
		return r;
	spec->shared = value[FLAG_SHARE];
	spec->log = value[FLAG_LOG];
	spec->readonly = value[FLAG_RO];
	return 0;
}

int slotarg_flags(struct task *t, const char *p, bool *log, bool *ro, const bool **ret_log, const bool **ret_ro,
		  struct err *err)
{
	bool value[FLAG_KINDS] = { 0 }, given[FLAG_KINDS] = { 0 };
	int r = *p ? 0 : task_usage(t, err);

	while (!r && *p)
		r = take_flag(t, &p, false, value, given, err);
	if (r)
		return r;
	*log = value[FLAG_LOG];
	*ro = value[FLAG_RO];
	*ret_log = given[FLAG_LOG] ? log : NULL;
	*ret_ro = given[FLAG_RO] ? ro : NULL;
	return 0;
}
