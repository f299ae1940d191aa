/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Linux kernels, by the kernel's Documentation/arch/x86/boot.rst (the boot protocol) and zero-page.rst, and by Xen's
 * docs/misc/pvh and public/arch-x86/hvm/start_info.h.  Private to src/load.
 */
#ifndef GV_LOAD_LINUX_H
#define GV_LOAD_LINUX_H

#include "load/parts.h"

/* The setup header, which begins at this offset of a bzImage and of the zero page. */
#define SETUP_HEADER    0x1f1u
#define SETUP_HEADER_END 0x290u         /* the zero page has other things behind */
#define SETUP_MAGIC     0x53726448u     /* "HdrS" */
#define SETUP_BOOT_FLAG 0xaa55u

#define LOADED_HIGH     0x01u           /* loadflags */
#define KASLR_FLAG      0x02u
#define CAN_USE_HEAP    0x80u
#define XLF_KERNEL_64   0x01u           /* xloadflags: there is a 64-bit entry, 0x200 bytes after the 32-bit one */
#define LOADER_UNKNOWN  0xffu           /* type_of_loader: one that has no number */
#define ENTRY_64        0x200u

struct setup_header {
	uint8_t setup_sects;            /* 0: 4 */
	uint16_t root_flags;
	uint32_t syssize;               /* 16 bytes each */
	uint16_t ram_size, vid_mode, root_dev, boot_flag;
	uint8_t jump, length;           /* the header ends at 0x202 + length */
	uint32_t header;
	uint16_t version;
	uint32_t realmode_swtch;
	uint16_t start_sys_seg, kernel_version;
	uint8_t type_of_loader, loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver, ext_loader_type;
	uint32_t cmd_line_ptr, initrd_addr_max, kernel_alignment;
	uint8_t relocatable_kernel, min_alignment;
	uint16_t xloadflags;            /* 2.12 */
	uint32_t cmdline_size;          /* 2.06; without the zero at its end */
	uint32_t hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset, payload_length;        /* 2.08; from the protected-mode code on */
	uint64_t setup_data, pref_address;              /* the latter 2.10 */
	uint32_t init_size;             /* 2.10 */
} __attribute__((packed));
_Static_assert(sizeof(struct setup_header) == 0x264 - SETUP_HEADER, "the setup header as in protocol 2.10");

enum linux_entry { LINUX_ENTRY_16, LINUX_ENTRY_32, LINUX_ENTRY_64, LINUX_ENTRY_PVH };

/* ---- bzimage.c ---- */

struct bzimage {
	struct setup_header h;  /* fields that its protocol lacks are zero */
	size_t header_size;     /* bytes of it in the file, from SETUP_HEADER on */
	size_t setup_size;      /* of the real-mode code, which the file begins with */
	const uint8_t *code;    /* the protected-mode code, in the file */
	size_t code_size;
};

/* What kernel FILE is that is none for a PC, "a Linux kernel for AArch64 (Image)"; NULL. */
const char *linux_foreign(const struct blob *file);
/* Whether FILE says that it is a bzImage. */
bool bzimage_probe(const struct blob *file);
/* Reads and checks its header; *RET points into FILE.  -ENOEXEC. */
int bzimage_open(const struct blob *file, struct bzimage *ret, struct err *err);
/* Where its 64-bit or 32-bit code is loaded to. */
uint64_t bzimage_load_address(const struct bzimage *b);
/* Notes in L what it takes at ADDRESS, until it has unpacked itself, and copies it there.  -ENOSPC, -ENOMEM. */
int bzimage_place(const struct bzimage *b, uint64_t address, struct layout *l, struct gmem *g, struct err *err);
/*
 * Decompresses the kernel in it, an ELF file and what follows that, if it has LIMIT bytes at most.  -ENOEXEC, -ENOSPC,
 * -ENOMEM.
 */
int bzimage_unpack(const struct bzimage *b, uint64_t limit, struct blob *ret, struct err *err);

/* ---- linux_elf.c ---- */

/* What an ELF kernel's notes say. */
struct linux_notes {
	bool is_linux;          /* there is one of Linux's own */
	bool has_pvh;
	uint64_t pvh_entry;     /* gpa */
};

void linux_notes_read(const struct elf_file *f, struct linux_notes *ret);
/* Whether FILE is an ELF file that says, by its notes, that it is Linux or is to be started as PVH guests are. */
bool linux_elf_probe(const struct blob *file);

/* ---- linux_kaslr.c: where an ELF kernel goes ---- */

/* How far from its linked addresses, bytes; the two may differ (startup_64 finds out and notes it in phys_base). */
struct linux_move {
	uint64_t virtual, physical;
};

/*
 * Chooses by OPTS: nowhere, by the seed, or where the user says.  PINNED: physical addresses must move as virtual ones
 * do, which 32-bit kernels and the PVH entry need; ALIGN is a power of two, RESERVE bytes of RAM are to stay free.
 * -EINVAL: no place for it that the user can want; -ENOSPC: RAM.
 */
int linux_move_choose(const struct elf_file *f, const struct load_opts *opts, bool pinned, uint64_t align,
		      uint64_t reserve, const struct gmem *g, struct linux_move *ret, struct err *err);
/* Whether WORD stands in a command line (NULL: none). */
bool linux_has_word(const char *cmdline, const char *word);

/* ---- linux_reloc.c ---- */

/*
 * Changes what F, read from FILE and copied to G by elf_kernel_copy(), says of its own addresses: by the lists behind the
 * ELF in FILE, or its own relocations.  L holds its segments and nothing else.  -ENOEXEC: it has neither, or they lie.
 */
int linux_relocate(const struct elf_file *f, const struct blob *file, const struct linux_move *move,
		   const struct layout *l, struct gmem *g, struct err *err);

/* ---- linux_map.c: the memory as the kernel is told of it ---- */

#define LINUX_MAP_MAX   128     /* entries; the zero page has room for as many */

enum linux_map_type { LINUX_MAP_RAM = 1, LINUX_MAP_RESERVED = 2 };

struct linux_map {
	struct linux_map_entry {
		uint64_t gpa, size;
		enum linux_map_type type;
	} e[LINUX_MAP_MAX];
	unsigned n;
};

/*
 * RAM but for the hole from 0xa0000 to 1 MiB, which is reserved whole, as what is read-only is.  -ENOSPC: memory in too
 * many pieces.
 */
int linux_map_make(const struct gmem *g, struct linux_map *ret, struct err *err);

/* ---- linux_start.c: what the kernel finds at each entry ---- */

/* What is in memory, and to be told. */
struct linux_parts {
	struct setup_header h;          /* but for what loaders fill in */
	const uint8_t *header;          /* a bzImage's own, whose first fields are h; NULL */
	size_t header_size;             /* of it, or of h */
	uint64_t cmdline_gpa;
	uint64_t initrd_gpa, initrd_size;       /* size 0: none */
	uint64_t rsdp_gpa;              /* 0: none */
	struct linux_map map;
};

/* At ENTRY by the 32-bit or 64-bit protocol, with a zero page.  As boot_setup(). */
int linux_start_zero_page(enum boot_mode mode, uint64_t entry, const struct linux_parts *p, struct layout *l,
			  struct gmem *g, struct boot_state *ret, struct err *err);
/* By the PVH protocol. */
int linux_start_pvh(uint64_t entry, const struct linux_parts *p, struct layout *l, struct gmem *g,
		    struct boot_state *ret, struct err *err);

/* Fills in what the boot protocol has loaders write into every header. */
void linux_fill_header(struct setup_header *h, const struct linux_parts *p);

/* ---- linux_real.c ---- */

/*
 * At the real-mode code of B, whose protected-mode code is at CODE_GPA, with interrupt vectors at which a stand-in for
 * a BIOS answers what the setup code cannot do without: INT 15h, E820, from P's map.  All else is told to be missing.
 * -ENOEXEC: too large; -ENOSPC, -ENOMEM.
 */
int linux_start_real(const struct bzimage *b, const struct blob *file, uint64_t code_gpa, const struct linux_parts *p,
		     struct layout *l, struct gmem *g, struct boot_state *ret, struct err *err);

#endif
