/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the loaders' targets share: guest RAM, options out of an input, and what must hold of a loader. */
#ifndef GV_FUZZ_LOADER_H
#define GV_FUZZ_LOADER_H

#include "fuzz/fuzz.h"
#include "load/load.h"

#define LOADER_RAM      (4u << 20)      /* bytes from gpa 0 on */

enum { LOADER_AUTO = 1, LOADER_APPEND = 2, LOADER_MODULES = 4, LOADER_TABLES = 8, LOADER_ENTRY = 16, LOADER_SLIDE = 32,
       LOADER_UNPACK = 64, LOADER_KASLR = 128 };

/*
 * Takes two bytes of IN as options, the rest as the file, and has it loaded as KIND (or as what it seems to be).  Either
 * there is one clear line that names the file, or the first instruction is in memory.  Loading it again gives the same.
 */
void loader_run(struct bytes *in, enum image_kind kind);

#endif
