/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel's memory made by a test, with symbols and offsets that the test gives it: what src/linux reads from.  One at
 * a time.
 */
#ifndef GV_TESTS_KERNEL_IMAGE_H
#define GV_TESTS_KERNEL_IMAGE_H

#include "linux/kernel.h"

#define IMG_TEXT   0xffffffff81000000ull        /* where it is linked; IMG_SIZE bytes */
#define IMG_SIZE   0x40000u
#define IMG_BANNER 0x100u                       /* offsets from there */
#define IMG_HEAP   0xffff888000100000ull        /* memory beside it, IMG_HEAP_SIZE bytes */
#define IMG_HEAP_SIZE 0x40000u
#define IMG_NAMES  128
#define IMG_RAM    (64u << 20)                  /* physical memory's end */
#define BANNER_TEXT "Linux version 6.1.0-test (nobody@nowhere) #1 SMP\n"

struct kernel_image {
	uint8_t file[IMG_SIZE];         /* as its file has it */
	uint8_t image[IMG_SIZE];        /* as it is in memory */
	uint8_t heap[IMG_HEAP_SIZE];
	uint64_t slide;                 /* of the image in memory */
	bool mapped;                    /* the image is at its addresses */
	bool wraps;                     /* where nothing else is, the heap is, again and again */
	bool loaded;                    /* it is in physical memory, at GPA */
	uint64_t gpa;
	struct {
		const char *name;
		uint64_t addr;
	} symbol[IMG_NAMES];
	size_t nsymbols;
	struct {
		const char *path;
		struct dwarf_member m;
	} member[IMG_NAMES];
	size_t nmembers;
	struct {
		const char *type;
		uint64_t size;
	} type[8];
	size_t ntypes;
	struct {
		unsigned vector;
		uint64_t at;
	} entry[4];
	size_t nentries;
	uint64_t gs[4][2];
	unsigned ncpus;
	unsigned reads;                 /* of memory */
};

/* A kernel with a banner and nothing more, mapped where it is linked. */
struct kernel_image *image_new(void);
struct kernel *image_kernel(struct kernel_image *x);

void image_symbol(struct kernel_image *x, const char *name, uint64_t addr);
void image_forget_symbol(struct kernel_image *x, const char *name);
void image_member(struct kernel_image *x, const char *path, uint64_t offset, uint64_t size);
void image_forget_member(struct kernel_image *x, const char *path);
void image_type(struct kernel_image *x, const char *type, uint64_t size);
/* Writes SIZE bytes of VALUE, at an address as it runs. */
void image_put(struct kernel_image *x, uint64_t gva, uint64_t value, unsigned size);
void image_text(struct kernel_image *x, uint64_t gva, const char *text);
/* A pointer that the image is built with, to TARGET, which is a linked address. */
void image_pointer(struct kernel_image *x, uint64_t linked, uint64_t target);

#endif
