/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An ELF file whose debug sections can be read as they stand: what is compressed in it has been unpacked. */
#ifndef GV_SYM_DEBUG_ELF_H
#define GV_SYM_DEBUG_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"
#include "load/parts.h"

struct debug_elf {
	struct elf_file f;
	uint8_t *copy;          /* what F reads when sections were unpacked, owned; NULL: it reads the caller's data */
};

/* Whether it has DWARF at all: a section of debugging information with something in it. */
bool debug_elf_has_dwarf(const struct elf_file *f);
/*
 * Opens the ELF in DATA, which must outlive *RET and is never written to.  Sections compressed by zlib or zstd
 * (gABI, "Section Compression") are unpacked; one that cannot be has no content.  -ENOEXEC, -ENOMEM.
 */
int debug_elf_open(const uint8_t *data, size_t size, struct debug_elf *ret, struct err *err);
void debug_elf_done(struct debug_elf *d);

#endif
