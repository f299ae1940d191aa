/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/opt_rig.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 48

int parse(const char *line, struct options *ret, struct err *err)
{
	char *copy = strdup(line), *argv[WORDS_MAX + 2] = { (char *)"gdbvisor" }, *rest = copy;
	int argc = 1, r;

	while (*line && rest) {
		ck_assert_int_lt(argc, WORDS_MAX);
		argv[argc++] = strsep(&rest, "|");
	}
	r = options_parse(argc, argv, ret, err);
	/* Nothing in *RET may point into the words. */
	memset(copy, '#', strlen(copy));
	free(copy);
	return r;
}

struct options parse_good(const char *line)
{
	struct options o = { 0 };
	struct err err = { 0 };

	ck_assert_msg(parse(line, &o, &err) == 0, "%s: %s", line, err.msg);
	return o;
}
