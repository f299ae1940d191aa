/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images: told apart by probing, put into guest memory, with the vCPU state they expect to start in. */
#ifndef GV_LOAD_LOAD_H
#define GV_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"
#include "mem/gmem.h"

enum image_kind { IMAGE_AUTO, IMAGE_FLAT, IMAGE_ELF, IMAGE_MULTIBOOT };
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
	enum boot_mode mode;
	const char *append;     /* command line, NULL: none */
	const struct blob *modules;
	size_t nmodules;
};

struct image {
	struct blob file;
	enum image_kind kind;   /* what probing found, never IMAGE_AUTO */
	bool is_elf;            /* file holds an ELF, whatever the kind; then symbols may be read from it */
	unsigned bits;          /* 64 or 32: its ELF class; 0: a flat image */
	const char *kind_name;  /* "flat", "elf32", "elf64", "multiboot" */
};

/* Reads a whole regular file, 1 GiB at most.  -ENOENT, -EACCES, -EISDIR, -EINVAL (empty, not a regular file), -EFBIG, ... */
int blob_read(const char *path, struct blob *ret, struct err *err);
/* Copies memory that is linked in. */
int blob_copy(const char *name, const void *data, size_t size, struct blob *ret, struct err *err);
void blob_done(struct blob *b);

/*
 * Tells what FILE is (or checks that it can be KIND) and takes it over on success.  -ENOEXEC with one line: truncated,
 * for another machine, a header that lies.
 */
int image_init(struct image *im, struct blob *file, enum image_kind kind, struct err *err);
void image_done(struct image *im);

/*
 * Puts the image, its tables and modules into guest memory and says how to start.  May be called again after RAM
 * was cleared, with the same outcome.  On failure guest memory may be partly written, nothing else changed.
 * -ENOEXEC: malformed; -ENOSPC: does not fit RAM; -EINVAL: an option that this kind does not take.
 */
int image_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
	       struct err *err);

#endif
