/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the loaders share.  Private to src/load. */
#ifndef GV_LOAD_PARTS_H
#define GV_LOAD_PARTS_H

#include <gelf.h>

#include "load/load.h"

#define KIB             1024ull
#define MIB             (1024 * KIB)
#define GIB             (1024 * MIB)
#define PAGE_SIZE_4K    4096ull

/* Low memory for what an image did not bring: above the IVT and BDA, below where an EBDA may be. */
#define LOW_START       0x1000ull
#define LOW_END         0x9f000ull

/* ---- layout.c: which places in guest RAM are taken ---- */

struct extent {
	uint64_t gpa, size;     /* gpa + size does not wrap */
};

struct layout {
	const struct gmem *g;
	struct extent *used;
	size_t n, cap;
};

void layout_init(struct layout *l, const struct gmem *g);
void layout_done(struct layout *l);
/*
 * Notes that WHAT ("segment 2") takes SIZE bytes at GPA.  -ENOSPC: not all of it is RAM; -EINVAL: it wraps;
 * -ENOMEM.
 */
int layout_add(struct layout *l, uint64_t gpa, uint64_t size, const char *what, struct err *err);
/* -ENOEXEC: something that was noted overlaps something else. */
int layout_check(struct layout *l, struct err *err);
/* Whether SIZE > 0 bytes at GPA lie in one thing that was noted; only while layout_check() was the last call. */
bool layout_holds(const struct layout *l, uint64_t gpa, uint64_t size);
/* The end of what is taken. */
uint64_t layout_end(const struct layout *l);
enum layout_side { LAYOUT_LOWEST, LAYOUT_HIGHEST };
/*
 * Takes SIZE bytes of free RAM for WHAT in [LO, HI), aligned to ALIGN (a power of two): the highest place or the
 * lowest.  -ENOSPC, -ENOMEM.
 */
int layout_place(struct layout *l, uint64_t lo, uint64_t hi, uint64_t size, uint64_t align,
		 enum layout_side side, const char *what, uint64_t *ret_gpa, struct err *err);

/* ---- what of it is the architecture's: pc_kinds.c, or src/arch/NAME/load.c ---- */

enum { TAKES_LOAD = 1 << 0, TAKES_ENTRY = 1 << 1, TAKES_MODE = 1 << 2, TAKES_APPEND = 1 << 3,
       TAKES_MODULES = 1 << 4, TAKES_PVH = 1 << 5, TAKES_DECOMPRESS = 1 << 6,
       TAKES_KASLR = 1 << 7 };

struct load_kind {
	unsigned takes;         /* mask of TAKES_: what may be given beside such an image */
	int (*check)(struct image *im, struct err *err);        /* NULL: the architecture has no such images */
	int (*load)(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
		    struct err *err);
};

struct load_arch {
	const char *name;
	/* Of ELF files that can run: e_machine by class; EM_NONE: none of that class. */
	unsigned machine32, machine64;
	const char *runs;       /* both, completes "... can run here" */
	const struct load_kind *kinds;  /* by enum image_kind */
	enum image_kind (*probe)(const struct blob *file);
	/* What FILE, which is of no kind, plainly is; NULL: nothing that is known. */
	const char *(*foreign)(const struct blob *file);
	/* The mode that an ELF file of this class starts in. */
	enum boot_mode (*mode_of)(unsigned bits);
	/* As boot_setup(). */
	int (*boot_setup)(enum boot_mode mode, uint64_t entry, struct layout *l, struct gmem *g, struct boot_state *ret,
			  struct err *err);
};

extern const struct load_arch load_arch;

/* ---- boot.c: the state to start in ---- */

/*
 * Fills *RET for a start at linear address ENTRY and puts what MODE needs beside the image into RAM: a small
 * stack, and for protected and long mode a GDT and page tables, all at the top of low memory.
 * -EINVAL: no memory at ENTRY, or the mode cannot start there; -ENOSPC: no room for these.
 */
int boot_setup(enum boot_mode mode, uint64_t entry, struct layout *l, struct gmem *g, struct boot_state *ret,
	       struct err *err);

/* ---- elf.c ---- */

struct elf_file {
	Elf *elf;
	GElf_Ehdr eh;
	unsigned bits;          /* 32 or 64 */
};

bool elf_magic(const uint8_t *data, size_t size);
/* Opens any little-endian ELF whose header tables lie inside the file; DATA must outlive *RET.  -ENOEXEC. */
int elf_file_open(const uint8_t *data, size_t size, struct elf_file *ret, struct err *err);
void elf_file_done(struct elf_file *f);
/* Opens one this machine can run: right in machine, type and segments as far as the file tells.  -ENOEXEC. */
int elf_kernel_open(const struct blob *file, struct elf_file *ret, struct err *err);
/* What its segments span. */
struct elf_span {
	uint64_t start, end;    /* physical */
	uint64_t high;          /* virtual less physical address, of the first of them, modulo 2^64 */
};
void elf_kernel_span(const struct elf_file *f, struct elf_span *ret);
/*
 * Notes the segments, MOVED (modulo 2^64) from their physical addresses, in L; all must end at or below LIMIT.  -ENOSPC;
 * -ENOEXEC: they overlap; -ENOMEM.
 */
int elf_kernel_place(const struct elf_file *f, uint64_t moved, uint64_t limit, struct layout *l, struct err *err);
/* The physical address of its entry point. */
int elf_kernel_entry(const struct elf_file *f, uint64_t *ret, struct err *err);
/* Copies segments that elf_kernel_place() found good, with the same MOVED, and zeroes the rest of each. */
void elf_kernel_copy(const struct elf_file *f, const struct blob *file, uint64_t moved, struct gmem *g);

/* ---- boot_tables.c ---- */

/*
 * Writes ACPI and MP tables for the machine that OPTS describes to LINUX_TABLES_GPA; *RET_RSDP is left as it is when they
 * are not wanted.  As acpi_build().
 */
int boot_tables_put(const struct load_opts *opts, struct gmem *g, uint64_t *ret_rsdp, struct err *err);

#define RSDP_OLD_SIZE   20u
/*
 * For kernels that know ACPI 1.0 only: writes an RSDT beside the tables that boot_tables_put() wrote, with what their XSDT
 * has, and *RET becomes an RSDP of revision 0 for it.  False: there is no XSDT to be made sense of.
 */
bool boot_tables_old(struct gmem *g, uint64_t rsdp, uint8_t ret[RSDP_OLD_SIZE]);

/* ---- multiboot.c, mbinfo.c; more in load/multiboot.h ---- */

/* Whether FILE has a header of Multiboot 1 or 2 with a right checksum. */
bool multiboot_probe(const struct blob *file);
/*
 * Builds the information structure (Multiboot 0.6.96, 3.3) in low memory; MODULES are at MODULE_GPA.  -ENOSPC,
 * -ENOMEM.
 */
int mbinfo_build(const struct image *im, const struct load_opts *opts, const uint64_t *module_gpa,
		 struct layout *l, struct gmem *g, uint64_t *ret_gpa, struct err *err);

/* ---- the rows of the table in image.c: CHECK fills bits and kind_name of an image whose file is set ---- */

int flat_check(struct image *im, struct err *err);
int flat_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
	      struct err *err);
int elf_check(struct image *im, struct err *err);
int elf_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
	     struct err *err);
int multiboot_check(struct image *im, struct err *err);
int multiboot_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
		   struct err *err);
int linux_check(struct image *im, struct err *err);
int linux_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
	       struct err *err);

#endif
