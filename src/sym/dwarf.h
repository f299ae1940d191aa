/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an ELF file's DWARF says: lines of source, types, variables (by elfutils' libdw).  Addresses here are those
 * the file is linked for; whoever knows how far it was moved takes that into account.  One thread at a time.
 */
#ifndef GV_SYM_DWARF_H
#define GV_SYM_DWARF_H

#include <stdint.h>
#include <stddef.h>

#include "api/err.h"
#include "api/kernel.h"

struct dwarf;

/*
 * Reads the ELF in DATA, which must outlive *RET.  Little is read before it is asked for: opening a vmlinux of 500
 * MB takes no noticeable time.  -ENOENT: it has no DWARF; -ENOEXEC, -ENOMEM.
 */
int dwarf_new(const uint8_t *data, size_t size, struct dwarf **ret, struct err *err);
void dwarf_free(struct dwarf *d);               /* NULL is fine */

/* The line of source of the code at ADDR.  -ENOENT, also when D is NULL. */
int dwarf_line(struct dwarf *d, uint64_t addr, struct source_line *ret);

/*
 * Where the code of line *LINE of FILE (LEN bytes) begins: in each function it is in, inlined copies too, once; MAX
 * at most.  FILE is a path's end: "main.c", "init/main.c".  A line without code stands for the next one that has
 * some, and *LINE then is that.  Returns how many, ascending.  -ENOENT: no such file, or no code there; -ENOMEM.
 */
int dwarf_places(struct dwarf *d, const char *file, size_t len, unsigned *line, uint64_t *ret, size_t max,
		 struct err *err);

/* A member of a struct or union, seen from the outermost one's beginning. */
struct dwarf_member {
	uint64_t offset;        /* bytes */
	uint64_t size;          /* bytes; 0: not known */
	unsigned bit, bits;     /* a bit field: first bit counted from OFFSET's byte 0, and how many; else bits is 0 */
};

/*
 * PATH is a struct's name and members of it: "task_struct.se.vruntime", "list_head.next"; members of unnamed structs
 * and unions inside count as the outer's own.  A typedef's name stands for its struct.  A declaration without body
 * is passed over for a definition elsewhere.  -ENOENT: no such type or member, ERR says which.  Answers are
 * remembered.
 */
int dwarf_member(struct dwarf *d, const char *path, struct dwarf_member *ret, struct err *err);
/* sizeof of a struct, union, typedef or base type.  -ENOENT. */
int dwarf_sizeof(struct dwarf *d, const char *type, uint64_t *ret, struct err *err);

#endif
