/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an ELF file says of a program: its symbols and its DWARF, and how far the program was moved from where it was
 * linked.
 *
 * Threads: symbols_find(), _at() and _name() change nothing and may be called on any thread; the rest is the loop
 * thread's, and symbols_move() needs every vCPU parked.  A NULL `struct symbols` has nothing.
 */
#ifndef GV_SYM_SYMBOLS_H
#define GV_SYM_SYMBOLS_H

#include <stdbool.h>

#include "api/kernel.h"
#include "sym/dwarf.h"

struct symbols;

/*
 * Reads the ELF in DATA, which must outlive *RET.  One that has neither symbols nor DWARF is fine.  -ENOEXEC,
 * -ENOMEM.
 */
int symbols_new(const uint8_t *data, size_t size, struct symbols **ret, struct err *err);
void symbols_free(struct symbols *s);           /* NULL is fine */

/* Whether it has symbols or DWARF at all. */
bool symbols_any(const struct symbols *s);
/* Its class, 32 or 64; NULL: 0. */
unsigned symbols_bits(const struct symbols *s);
/* Its DWARF, which knows linked addresses; NULL: it has none. */
struct dwarf *symbols_dwarf(struct symbols *s);
/* The gva that its INDEX-th segment to load is linked for, in file order; false past the end. */
bool symbols_segment(const struct symbols *s, size_t index, uint64_t *ret_gva);

/* How far it was moved, modulo 2^64; 0 at first. */
uint64_t symbols_slide(const struct symbols *s);
void symbols_move(struct symbols *s, uint64_t slide);

/*
 * As those of load/symtab.h and sym/dwarf.h, at the addresses where the program is.  Symbols that are plain numbers,
 * and those of Linux's per-CPU data, which are offsets, are not moved.
 */
int symbols_find(const struct symbols *s, const char *name, size_t len, uint64_t *ret_addr);
const char *symbols_at(const struct symbols *s, uint64_t addr, uint64_t *ret_offset);
const char *symbols_name(const struct symbols *s, size_t index);
int symbols_line(struct symbols *s, uint64_t addr, struct source_line *ret);
int symbols_places(struct symbols *s, const char *file, size_t len, unsigned *line, uint64_t *ret, size_t max,
		   struct err *err);

#endif
