/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Multiboot kernels, by the Multiboot Specification 0.6.96 and the Multiboot2 Specification 2.0.  Private to src/load.
 */
#ifndef GV_LOAD_MULTIBOOT_H
#define GV_LOAD_MULTIBOOT_H

#include "load/parts.h"

#define MB_ADDRESS_LIMIT (4 * GIB)      /* everything is given in 32-bit addresses */

/* ---- multiboot.c: version 1, and what both have in common ---- */

/* A header's address fields, which mean the same in both. */
struct mb_addresses {
	size_t at;              /* where the header was found in the file */
	uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

/* What they come to. */
struct mb_placed {
	uint64_t gpa, entry;
	size_t offset, file_size;
	uint64_t mem_size;
};

/* Works them out and names the one that lies.  -ENOEXEC. */
int mb_addresses_check(const struct mb_addresses *h, const struct blob *file, struct mb_placed *ret,
		       struct err *err);
/* Takes memory for it in L, MOVED (modulo 2^64), and copies it there.  -ENOSPC, -ENOMEM. */
int mb_placed_load(const struct mb_placed *a, const struct blob *file, uint64_t moved, struct layout *l, struct gmem *g,
		   struct err *err);
/*
 * Puts each module on pages of its own, after the kernel and above the first MiB; *RET, for opts->nmodules addresses, is
 * the caller's to free.  -ENOSPC, -ENOMEM.
 */
int mb_modules_load(const struct load_opts *opts, struct layout *l, struct gmem *g, uint64_t **ret, struct err *err);

/* ---- multiboot2.c ---- */

enum mb2_relocation { MB2_ANYWHERE, MB2_LOWEST, MB2_HIGHEST };

/* What a header asks for, as far as it matters here. */
struct mb2_header {
	size_t at, size;                /* in the file */
	bool has_addresses;
	struct mb_addresses addr;       /* entry_addr also without has_addresses */
	bool has_entry;
	bool relocatable;
	uint32_t min_addr, max_addr, align;     /* of the image's lowest byte; max_addr: of its last */
	enum mb2_relocation preference;
};

/* Whether FILE has a header, right in its checksum; with *RET_BAD (may be NULL) whether one was seen that is not. */
bool multiboot2_probe(const struct blob *file, bool *ret_bad);
/* As in image.c's table. */
int multiboot2_check(struct image *im, struct err *err);
int multiboot2_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
		    struct err *err);

/* ---- mb2header.c ---- */

/* Reads its tags.  -ENOEXEC: malformed, or it requires what cannot be given. */
int mb2_header_read(const struct blob *file, size_t at, struct mb2_header *ret, struct err *err);

/* ---- mb2info.c ---- */

struct mb2_parts {
	const struct image *im;
	const struct load_opts *opts;
	const uint64_t *module_gpa;
	uint64_t rsdp_gpa;              /* 0: no ACPI tables */
	bool has_base;
	uint32_t base;                  /* where the relocatable image was put */
	const struct elf_file *elf;     /* NULL: no sections to tell of */
};

/*
 * Builds the boot information (Multiboot2, 3.6) in low memory.  Of the ELF's sections those that are not loaded are put
 * into RAM if there is room, else they have the address 0.  -ENOSPC, -ENOMEM.
 */
int mb2info_build(const struct mb2_parts *p, struct layout *l, struct gmem *g, uint64_t *ret_gpa, struct err *err);

#endif
