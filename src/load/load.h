/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images: told apart by probing, put into guest memory, with the vCPU state they expect to start in. */
#ifndef GV_LOAD_LOAD_H
#define GV_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"
#include "mem/gmem.h"

enum image_kind { IMAGE_AUTO, IMAGE_FLAT, IMAGE_ELF, IMAGE_MULTIBOOT, IMAGE_LINUX, IMAGE_BIOS };
enum boot_mode { BOOT_REAL, BOOT_PROTECTED, BOOT_LONG };

struct boot_seg {
	uint16_t selector;
	uint64_t base;
	uint32_t limit;         /* bytes, granularity applied */
	uint16_t access;        /* descriptor bits 40-47 in 0-7, bits 52-55 (AVL, L, D/B, G) in 12-15 */
};

/* The first vCPU's registers at its first instruction. */
struct boot_state {
	enum boot_mode mode;
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, rip, rflags;
	uint64_t cr0, cr3, cr4, efer;
	struct boot_seg cs, ds, es, fs, gs, ss, tr, ldt;
	uint64_t gdt_base, idt_base;
	uint16_t gdt_limit, idt_limit;
	/* How far the loader has moved the image from where its symbols have it, bytes; 0 also if it moves itself. */
	uint64_t slide;
};

/* Whether Linux is to run at another address than it is linked for (--kaslr). */
enum kaslr {
	KASLR_AUTO,             /* as the kernel has it: one that unpacks itself may move, another is where it is linked */
	KASLR_OFF,              /* at the linked address, and the kernel is told */
	KASLR_ON,               /* moved by chance */
	KASLR_SLIDE,            /* moved by `slide` */
};

/* A file in memory. */
struct blob {
	char *path;             /* as the user named it; owned */
	char *args;             /* a module's arguments, or NULL; owned */
	uint8_t *data;          /* owned */
	size_t size;            /* bytes */
};

struct load_opts {
	enum image_kind kind;
	bool has_load, has_entry, has_mode;
	uint64_t load, entry;   /* gpa; entry is linear */
	bool entry_pvh;         /* as PVH guests are entered; has_entry is set, entry 0 */
	bool decompress;        /* Linux: unpack the kernel here, and start what was in it */
	enum kaslr kaslr;       /* Linux */
	uint64_t slide;         /* KASLR_SLIDE: bytes */
	uint64_t seed;          /* KASLR_ON: any number; the same one gives the same place */
	enum boot_mode mode;
	const char *append;     /* command line, NULL: none */
	const struct blob *modules;
	size_t nmodules;
	/* Linux, Multiboot 2: tables of a PC with so many vCPUs, ACPI's and MP's, at LINUX_TABLES_GPA; 0: none. */
	unsigned table_cpus;
	bool no_apic;           /* the PC has neither local nor I/O APICs, and the tables say so */
};

/* Where RAM must be for them: ACPI's in the first half, the MP table in the second, where kernels look for them too. */
#define LINUX_TABLES_GPA        0xe0000u
#define LINUX_TABLES_SIZE       0x20000u

struct image {
	struct blob file;
	enum image_kind kind;   /* what probing found, never IMAGE_AUTO */
	bool is_elf;            /* file holds an ELF, whatever the kind; then symbols may be read from it */
	unsigned bits;          /* 64 or 32: its ELF class; 0: a flat image */
	const char *kind_name;  /* "flat", "elf32", "elf64", "multiboot", "multiboot2", "linux", "bios" */
	bool wants_tables;      /* it is told of a PC without firmware, by tables, if load_opts.table_cpus is set */
};

/*
 * Reads a whole regular file, 1 GiB at most.  open()'s and read()'s errors; -EISDIR, -EINVAL (empty, not a regular
 * file), -EFBIG, -ENOMEM; the message begins with the path.
 */
int blob_read(const char *path, struct blob *ret, struct err *err);
/* Copies memory that is linked in. */
int blob_copy(const char *name, const void *data, size_t size, struct blob *ret, struct err *err);
void blob_done(struct blob *b);

/*
 * Tells what FILE is (or checks that it can be KIND) and takes it over on success, leaving FILE empty.  Auto: a
 * valid Multiboot header (1 or 2) makes it multiboot, "HdrS" at 0x202 or an ELF's notes (Linux's own, or of a PVH entry) linux, else
 * an ELF is elf, and anything else flat.  -ENOEXEC with one line
 * that begins with the path: truncated, for another machine, a header that lies.
 */
int image_init(struct image *im, struct blob *file, enum image_kind kind, struct err *err);
void image_done(struct image *im);

/*
 * Puts the image, its tables and modules into guest memory and says how to start:
 *
 *   flat       to --load (0x7c00) and started at --entry (the same) in --mode (real).  Real mode: CS 0 (or the
 *              64 KiB segment the entry lies in), DL 0x80, SS:SP 0:0x7c00 if that is free.
 *   elf        ELF32 in flat protected mode, ELF64 in long mode, at the physical address of the entry point.
 *   bios       nothing is put anywhere: the ROM is the machine's; at the reset vector.
 *   multiboot  flat protected mode, EAX 0x2badb002, EBX the information structure; by version 2 of it, if the image has
 *              such a header, EAX 0x36d76289.
 *
 *   linux      a bzImage at its 64-bit entry, or the 32-bit one if that is all it has; an ELF, or with `decompress` the one
 *              in a bzImage, in the mode of its class, or by PVH if its notes speak of nothing else.  --entry says
 *              otherwise: 16, 32, 64 or pvh.  Modules are initrds, put together as one, as high as the kernel allows.
 *              GDT: code 0x10, data 0x18.  In real mode a stand-in for a BIOS answers INT 15h, E820.
 *
 * Protected and long mode start with interrupts off, a GDT (code 0x08, data 0x10), a 16 KiB stack whose top word
 * is a zero return address, no IDT; long mode with the first 4 GiB mapped onto themselves by 2M pages.  All this
 * is put at the top of the free memory below 0x9f000.
 *
 * The message begins with the image's path.  May be called again after RAM was cleared, with the same outcome.  On
 * failure guest memory may be partly written, nothing else changed.
 * -ENOEXEC: malformed; -ENOSPC: does not fit RAM; -EINVAL: an option that this kind does not take.
 */
int image_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
	       struct err *err);

/*
 * The ELF kernel in a bzImage, and what is behind it, as `decompress` starts it; the caller frees *RET, which has no path.
 * -ENOEXEC: IM is no bzImage, or damaged; -ENOMEM.
 */
int image_unpack(const struct image *im, struct blob *ret, struct err *err);

#endif
