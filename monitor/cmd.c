/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/cmd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "monitor/arch.h"
#include "monitor/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Of the processor; the architecture's own follow. */
static const struct cmd_group *const before[] = {
	&cmd_run_group, &cmd_inspect_group, &cmd_stack_group, &cmd_symbols_group, &cmd_info_group, &cmd_kernel_group,
	&cmd_change_group, &cmd_break_group, &cmd_engine_group,
};

static const struct cmd_group *const behind[] = {
	&cmd_devices_group, &cmd_slot_group, &cmd_dirty_group, &cmd_session_group,
};

const struct cmd_group *cmd_group_at(size_t index)
{
	if (index < COUNT(before))
		return before[index];
	index -= COUNT(before);
	if (index < monitor_arch.ngroups)
		return monitor_arch.groups[index];
	index -= monitor_arch.ngroups;
	return index < COUNT(behind) ? behind[index] : NULL;
}

const struct cmd *cmd_at(size_t index)
{
	const struct cmd_group *group;

	for (size_t g = 0; (group = cmd_group_at(g)); g++) {
		if (index < group->count)
			return &group->rows[index];
		index -= group->count;
	}
	return NULL;
}

static const struct cmd_words *words_of(const struct cmd *c)
{
	static const struct cmd_words none;

	for (size_t i = 0; i < monitor_arch.nwords; i++)
		if (!strcmp(monitor_arch.words[i].name, c->name))
			return &monitor_arch.words[i];
	return &none;
}

const char *cmd_args(const struct cmd *c)
{
	const char *own = words_of(c)->args;

	return own ? own : c->args;
}

const char *cmd_brief(const struct cmd *c)
{
	const char *own = words_of(c)->brief;

	return own ? own : c->brief;
}

const char *cmd_help(const struct cmd *c)
{
	const char *own = words_of(c)->help;

	return own ? own : c->help;
}

size_t cmd_word(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && !text_space(line[n]) && line[n] != '/')
		n++;
	return n;
}

static size_t first_word(const struct cmd *c)
{
	return strcspn(c->name, " ");
}

/* The word that is looked at: the first of a name, or the second of those that begin with GROUP's first. */
static const char *name_word(const struct cmd *c, const struct cmd *group, size_t *ret_len)
{
	size_t first = first_word(c);
	const char *word = c->name;

	if (group) {
		if (first != first_word(group) || strncmp(c->name, group->name, first) || !c->name[first])
			return NULL;
		word += first + 1;
		*ret_len = strlen(word);
	} else {
		*ret_len = first;
	}
	return word;
}

static bool same(const char *a, size_t alen, const char *b, size_t blen)
{
	return alen == blen && !memcmp(a, b, blen);
}

/* One word against the table.  NULL with *SEVERAL set when it begins more than one name: LIST names them. */
static const struct cmd *find_word(const char *word, size_t len, const struct cmd *group, bool *several,
				   char *list, size_t list_size)
{
	const struct cmd *found = NULL, *c;
	size_t n, found_len = 0, used = 0;
	const char *name, *found_name = NULL;

	*several = false;
	for (size_t i = 0; (c = cmd_at(i)); i++)
		if (((name = name_word(c, group, &n)) && same(name, n, word, len)) ||
		    (!group && c->alias && same(c->alias, strlen(c->alias), word, len)))
			return c;
	for (size_t i = 0; (c = cmd_at(i)); i++) {
		name = name_word(c, group, &n);
		if (!name || n < len || memcmp(name, word, len) || (found && same(name, n, found_name, found_len)))
			continue;
		if (found)
			*several = true;
		if (used < list_size)
			used += (size_t)snprintf(list + used, list_size - used, "%s%.*s", found ? ", " : "",
						 (int)n, name);
		found = c;
		found_name = name;
		found_len = n;
	}
	return *several ? NULL : found;
}

const char *cmd_family_word(const char *word, size_t *len)
{
	if (!same(word, *len, "i", 1))
		return word;
	*len = 4;
	return "info";
}

int cmd_find(const char *line, size_t len, size_t *ret_used, const struct cmd **ret, struct err *err)
{
	size_t n = cmd_word(line, len), at = n, start = 0, word_len = n;
	const char *word;
	const struct cmd *c, *group = NULL;
	char list[180] = "";
	bool several;

	if (!n)
		return err_set(err, ENOENT, "a line begins with a command's name (help lists them)");
	word = cmd_family_word(line, &word_len);
	c = find_word(word, word_len, NULL, &several, list, sizeof(list));
	if (c && strchr(c->name, ' ') && !(c->alias && same(c->alias, strlen(c->alias), line, n))) {
		group = c;
		for (start = n; start < len && text_space(line[start]);)
			start++;
		n = cmd_word(line + start, len - start);
		at = start + n;
		c = find_word(line + start, n, group, &several, list, sizeof(list));
		if (!n)
			return err_set(err, ENOENT, "%.*s: one of %s", (int)first_word(group), group->name, list);
	}
	if (several)
		return err_set(err, ENOTUNIQ, "'%.*s' could be %s", n < 40 ? (int)n : 40, line + start, list);
	if (!c && group)
		return err_set(err, ENOENT, "%.*s knows no '%.*s'", (int)first_word(group), group->name,
			       n < 40 ? (int)n : 40, line + start);
	if (!c)
		return err_set(err, ENOENT, "there is no command '%.*s' (help lists them)", n < 40 ? (int)n : 40,
			       line);
	*ret_used = at;
	*ret = c;
	return 0;
}
