/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds small ELF files for the loaders' tests, right or wrong as the test says. */
#ifndef GV_TESTS_ELF_MAKE_H
#define GV_TESTS_ELF_MAKE_H

#include <stddef.h>
#include <stdint.h>

struct elf_seg {
	uint32_t type;          /* 0: PT_LOAD */
	uint64_t vaddr, paddr, memsz;   /* memsz 0: as size */
	const void *data;
	size_t size;
};

struct elf_sym {
	const char *name;
	uint64_t value, size;
	unsigned char info;
	uint16_t shndx;         /* 1: .text, 2: .data */
};

struct elf_make {
	unsigned bits;          /* 32 or 64 */
	unsigned machine, type; /* 0: EM_386 or EM_X86_64 by bits; ET_EXEC */
	uint64_t entry;
	const struct elf_seg *seg;
	size_t nseg;
	const struct elf_sym *sym;      /* NULL: no section headers at all */
	size_t nsym;
	uint64_t text, text_size, data, data_size;      /* addresses and sizes in .text's and .data's headers */
	unsigned wild;          /* 1: e_shnum 0 with a section table; 2: e_phnum PN_XNUM */
};

/* Writes the file to BUF of CAP bytes (asserting that it fits) and returns its size. */
size_t elf_make(const struct elf_make *m, uint8_t *buf, size_t cap);

#endif
