/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Command lines for unit tests: written in one string, words apart by '|'. */
#ifndef GV_TESTS_OPT_RIG_H
#define GV_TESTS_OPT_RIG_H

#include "opt.h"
#include "tests/unit.h"

/* Parses LINE as options_parse() does the command line of a program; overwrites its words afterwards. */
int parse(const char *line, struct options *ret, struct err *err);
/* The same; it must go well. */
struct options parse_good(const char *line);

#endif
