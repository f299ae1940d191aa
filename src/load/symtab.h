/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The symbols of an ELF image (.symtab, by libelf). */
#ifndef GV_LOAD_SYMTAB_H
#define GV_LOAD_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

struct symtab;

/*
 * Reads the symbols of the ELF in DATA, which need not outlive the call: functions, objects and labels that have a
 * name.  A file without symbols gives an empty table.  -ENOMEM, -ENOEXEC.
 */
int symtab_new(const uint8_t *data, size_t size, struct symtab **ret, struct err *err);
void symtab_free(struct symtab *s);             /* NULL is fine */

/*
 * By exact name; a global wins over a local of the same name.  -ENOENT.  S may be NULL: an empty table.  *RET_MOVES: the symbol moves
 * with a program that is loaded elsewhere; plain numbers and Linux's per-CPU data, which are offsets, do not.
 */
int symtab_lookup(const struct symtab *s, const char *name, size_t len, uint64_t *ret_addr, bool *ret_moves);
/*
 * The function, object or label that covers ADDR (a symbol without size reaches to the next one in its section);
 * of several the one that starts last.  A label inside a function of known size does not hide the function.
 */
const char *symtab_at(const struct symtab *s, uint64_t addr, uint64_t *ret_offset);
/* The same, of the symbols that move, or do not. */
const char *symtab_cover(const struct symtab *s, uint64_t addr, bool moves, uint64_t *ret_offset);
/* The INDEX-th name, sorted, each once; NULL past the end.  Names live as long as S. */
const char *symtab_name(const struct symtab *s, size_t index);

#endif
