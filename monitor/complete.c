/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "monitor/cmd.h"
#include "monitor/text.h"

#define NAMES_MAX 1000

struct names {
	const char *text;
	size_t len;
	char **v;
	size_t n;
};

void complete_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

static void add(struct names *c, const char *prefix, const char *name, size_t len)
{
	char full[300];
	char **v;

	snprintf(full, sizeof(full), "%s%.*s", prefix, (int)len, name);
	if (strncasecmp(full, c->text, c->len) || c->n == NAMES_MAX)
		return;
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->v[i], full))
			return;
	v = realloc(c->v, (c->n + 2) * sizeof(*v));
	if (!v)
		return;
	c->v = v;
	v[c->n] = strdup(full);
	c->n += v[c->n] != NULL;
	v[c->n] = NULL;
}

/* The first words of all commands; or, with GROUP, the second words of those that begin as it does. */
static void add_commands(struct names *c, const struct cmd *group)
{
	size_t first = group ? strcspn(group->name, " ") : 0;
	const struct cmd *row;

	for (size_t i = 0; (row = cmd_at(i)); i++)
		if (!group)
			add(c, "", row->name, strcspn(row->name, " "));
		else if (!strncmp(row->name, group->name, first + 1))
			add(c, "", row->name + first + 1, strlen(row->name + first + 1));
}

static void add_registers(struct names *c, struct machine *m, const char *prefix)
{
	for (unsigned l = 0; l < arch_desc.nlayouts; l++)
		for (reg_id i = 0; i < arch_desc.nregs; i++) {
			const char *name = arch_desc.regs[i].view[l].name;

			if (name && machine_reg_present(m, i))
				add(c, prefix, name, strlen(name));
		}
	add(c, prefix, "pc", 2);
	add(c, prefix, "sp", 2);
}

static void add_symbols(struct names *c, struct machine *m)
{
	const char *name;

	/* Without a letter typed, a kernel's symbols are no help. */
	for (size_t i = 0; c->len && c->n < NAMES_MAX && (name = machine_sym_next(m, i)); i++)
		if (!strncmp(name, c->text, c->len))
			add(c, "", name, strlen(name));
}

/* Readline's word begins behind a colon: when TYPED, what stands before it, is "1:", then "5" is left of "1:5". */
static void add_slots(struct names *c, struct machine *m, const char *typed)
{
	size_t len = strlen(typed);
	struct slot_info s;

	for (size_t i = 0; c->n < NAMES_MAX && machine_slot_list(m, i, &s); i++) {
		const struct slot_name name = slot_name(s.id);

		if (!strncmp(name.text, typed, len))
			add(c, "", name.text + len, strlen(name.text + len));
	}
}

/*
 * The words that ARGS, a usage, offers: whatever begins with a lower-case letter, up to what stands for something.
 * Readline's word begins behind an =, so what the alternatives of KEY=... have in common is left out when TYPED,
 * what stands before it, is that.
 */
static void add_words(struct names *c, const char *args, const char *typed)
{
	size_t n, typed_len = strlen(typed), key = 0;
	const char *key_at = "";

	for (; *args; args += n) {
		n = strcspn(args, "|[] =:ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		if (*args >= 'a' && *args <= 'z' && args[n] == '=') {
			n++;
			key_at = args;
			key = n;
			if (!typed_len)
				add(c, "", args, n);
		} else if (*args >= 'a' && *args <= 'z') {
			bool under = key && key == typed_len && !strncmp(key_at, typed, key);

			n += args[n] == ':';
			if (key ? under : !typed_len)
				add(c, "", args, n);
			/* What follows the colon is not a word to complete. */
			n += strcspn(args + n, "|] ");
		} else if (*args == ' ') {
			key = 0;
			n = 1;
		} else {
			n = n ? n : 1;
		}
	}
}

static void add_devices(struct names *c, struct machine *m)
{
	struct device_info d;

	for (size_t i = 0; c->n < NAMES_MAX && machine_device_list(m, i, &d); i++)
		add(c, "", d.name, strlen(d.name));
}

/* Whether the word at START is the first behind the name that ends at USED. */
static bool is_first(const char *line, size_t used, size_t start)
{
	while (used < start && text_space(line[used]))
		used++;
	return used == start;
}

/* The arguments of a slot or dirty command: LINE is what comes before the word, from USED on. */
static void add_slot_arguments(struct names *c, struct machine *m, const struct cmd *cmd, const char *line,
			       size_t used, size_t start, bool *ret_file)
{
	size_t end = start, last, word = start;
	char typed[32] = "", before[40] = "";

	while (word > used && !text_space(line[word - 1]))
		word--;
	if (start - word < sizeof(typed))
		memcpy(typed, line + word, start - word);
	for (end = word; end > used && text_space(line[end - 1]); end--)
		;
	for (last = end; last > used && !text_space(line[last - 1]); last--)
		;
	if (end > last && end - last + sizeof(" FILE") < sizeof(before))
		snprintf(before, sizeof(before), "%.*s FILE", (int)(end - last), line + last);
	/* Behind "svg", or behind the number in "ID FILE". */
	*ret_file = end > last && (strstr(cmd_args(cmd), before) || !strcmp(cmd->args, "ID FILE"));
	if (*ret_file)
		return;
	if (end <= used && (!*typed || strchr(typed, ':')))
		add_slots(c, m, typed);
	if (end > used || cmd->args[0] == '[')
		add_words(c, cmd_args(cmd), typed);
}

static void add_arguments(struct names *c, struct machine *m, const struct cmd *cmd, const char *line, size_t used,
			  size_t start, bool *ret_file)
{
	switch (cmd->complete) {
	case COMPLETE_NONE:
		break;
	case COMPLETE_REGS:
		if (c->text[0] != '$')
			add_registers(c, m, "");
		break;
	case COMPLETE_EXPR:
		if (c->text[0] == '$')
			add_registers(c, m, "$");
		else
			add_symbols(c, m);
		break;
	case COMPLETE_FILE:
		*ret_file = true;
		break;
	case COMPLETE_COMMAND:
		add_commands(c, NULL);
		break;
	case COMPLETE_DEVICE:
		if (is_first(line, used, start))
			add_devices(c, m);
		break;
	case COMPLETE_WORDS:
		if (is_first(line, used, start))
			add_words(c, cmd_args(cmd), "");
		break;
	case COMPLETE_SLOT:
		add_slot_arguments(c, m, cmd, line, used, start, ret_file);
		break;
	}
}

/* The command of a group that LINE begins with, when only its second word is missing. */
static const struct cmd *group_of(const char *line, size_t len)
{
	size_t word = cmd_word(line, len), n = 0, used;
	const struct cmd *row, *found = NULL;

	while (word + n < len && text_space(line[word + n]))
		n++;
	if (!n || word + n < len)
		return NULL;
	line = cmd_family_word(line, &word);
	for (size_t i = 0; (row = cmd_at(i)); i++) {
		used = strcspn(row->name, " ");
		if (strncmp(row->name, line, word))
			continue;
		if (found && (strcspn(found->name, " ") != used || strncmp(found->name, row->name, used)))
			return NULL;
		found = row;
	}
	return found && strchr(found->name, ' ') ? found : NULL;
}

bool complete_is_file(const char *line, size_t len)
{
	const struct cmd *cmd = NULL;
	size_t used, space = 0;

	while (space < len && text_space(line[space]))
		space++;
	return !cmd_find(line + space, len - space, &used, &cmd, NULL) && cmd->complete == COMPLETE_FILE &&
	       space + used < len;
}

char **complete_line(struct machine *m, const char *line, size_t start, const char *text, bool *ret_file)
{
	struct names c = { .text = text, .len = strlen(text) };
	const struct cmd *cmd = NULL, *group;
	size_t used;

	*ret_file = false;
	while (start && text_space(*line)) {
		line++;
		start--;
	}
	group = group_of(line, start);
	if (!start)
		add_commands(&c, NULL);
	else if (group)
		add_commands(&c, group);
	else if (!cmd_find(line, start, &used, &cmd, NULL))
		add_arguments(&c, m, cmd, line, used, start, ret_file);
	return c.v;
}
