/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Tab offers: commands, their second words, registers and symbols, from the command table. */
#ifndef GV_MONITOR_COMPLETE_H
#define GV_MONITOR_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/machine.h"

/* Where a word to complete begins: behind any of these. */
#define COMPLETE_BREAKS " \t()+-*/%&|^<>=!~?:,\""

/*
 * What could stand for the word at LINE[START], of which TEXT has been typed.  Returns a NULL-terminated array
 * without duplicates, at most 1000 names, for complete_free(); NULL: nothing fits.  *RET_FILE: a file's
 * name may.
 */
char **complete_line(struct machine *m, const char *line, size_t start, const char *text, bool *ret_file);
/* Whether the word that ends LINE (LEN bytes) is a file's name: only white space breaks those. */
bool complete_is_file(const char *line, size_t len);
void complete_free(char **names);       /* NULL is fine */

#endif
