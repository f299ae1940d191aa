/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of dwarf.h share: dwarf.c (units, lines), dwarf_place.c (from lines to code), dwarf_type.c (types). */
#ifndef GV_SYM_DWARF_PRIV_H
#define GV_SYM_DWARF_PRIV_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "sym/debug_elf.h"
#include "sym/dwarf.h"
#include "util/htab.h"

/* Typedefs and qualifiers behind each other, structs within structs. */
#define DWARF_DEPTH     64

/* Addresses from START to END are of UNIT; REACH is the highest end among those up to here. */
struct span {
	uint64_t start, end, reach;
	size_t unit;
};

struct unit {
	Dwarf_Die die;          /* the outermost entry */
	const uint8_t *end;     /* of all its entries; no byte is read from here on */
	bool indexed_names;     /* names may be in it by number (DW_FORM_strx), not by offset */
};

struct dwarf {
	const uint8_t *data;
	size_t size;
	bool opened;
	struct debug_elf elf;
	Dwarf *dbg;             /* NULL: nothing in it can be read */
	struct unit *unit;      /* in file order */
	size_t nunits;
	bool mapped;            /* the spans are known */
	struct span *span;      /* ascending by start */
	size_t nspans;
	Elf_Data *strings;      /* .debug_str; NULL: none */
	struct htab answers;    /* dwarf_type.c's, by hash of the question */
};

/* What is read of the file at the first question.  False: nothing in it can be read. */
bool dwarf_open(struct dwarf *d);
/* Frees what dwarf_type.c remembers. */
void dwarf_forget(struct dwarf *d);

/* The entries inside DIE: the first one, and the next after DIE.  False: there is none, or they are not in order. */
bool dwarf_first(Dwarf_Die *die, Dwarf_Die *ret);
bool dwarf_next(Dwarf_Die *die, Dwarf_Die *ret);
/* The name of an entry of U, NULL: none.  It lives as long as the file. */
const char *dwarf_name(const struct unit *u, Dwarf_Die *die);
/* The unit of an entry. */
const struct unit *dwarf_unit_of(const struct dwarf *d, const Dwarf_Die *die);

#endif
