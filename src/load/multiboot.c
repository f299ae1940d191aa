/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multiboot 1 kernels (Multiboot Specification 0.6.96): the header, and loading by it or by ELF headers. */
#include "load/multiboot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_SIZE     8192
#define HEADER_MAGIC    0x1badb002u
#define LOADER_MAGIC    0x2badb002u

#define REQUIRED        0xffffu         /* flags a loader must know to go on */
#define PAGE_ALIGN      (1u << 0)       /* modules are page-aligned always */
#define MEMORY_INFO     (1u << 1)       /* is given always */
#define VIDEO_MODE      (1u << 2)       /* a wish; no video information is given */
#define ADDRESSES       (1u << 16)

struct header {
	uint32_t flags;
	struct mb_addresses addr;       /* only `at` without ADDRESSES in the flags */
};

#define BASE_WORDS      3       /* magic, flags, checksum */
#define ALL_WORDS       8       /* and the address fields */

static uint32_t word(const struct blob *file, size_t at)
{
	uint32_t v;

	memcpy(&v, file->data + at, sizeof(v));
	return v;
}

/* *RET_BAD is set to whether a header with a wrong checksum was seen. */
static bool find_header(const struct blob *file, size_t *ret_at, bool *ret_bad)
{
	size_t at, end = file->size < SEARCH_SIZE ? file->size : SEARCH_SIZE;

	*ret_bad = false;
	for (at = 0; at + BASE_WORDS * 4 <= end; at += 4) {
		if (word(file, at) != HEADER_MAGIC)
			continue;
		if (word(file, at) + word(file, at + 4) + word(file, at + 8) == 0) {
			*ret_at = at;
			return true;
		}
		*ret_bad = true;
	}
	return false;
}

bool multiboot_probe(const struct blob *file)
{
	size_t at;
	bool bad;

	return find_header(file, &at, &bad) || multiboot2_probe(file, NULL);
}

static int read_header(const struct blob *file, struct header *ret, struct err *err)
{
	struct header h = { 0 };
	bool bad, bad2;

	if (!find_header(file, &h.addr.at, &bad)) {
		multiboot2_probe(file, &bad2);
		return err_set(err, ENOEXEC, bad ? "the Multiboot header has a wrong checksum" :
			       bad2 ? "the Multiboot 2 header has a wrong checksum" :
			       "no Multiboot header in the first 8 KiB, nor one of Multiboot 2 in the first 32 KiB");
	}
	h.flags = word(file, h.addr.at + 4);
	if (h.flags & REQUIRED & ~(PAGE_ALIGN | MEMORY_INFO | VIDEO_MODE))
		return err_set(err, ENOEXEC,
			       "the Multiboot header requires features that are not known (flags 0x%x)",
			       h.flags & REQUIRED);
	if (h.flags & ADDRESSES) {
		if (file->size - h.addr.at < ALL_WORDS * 4)
			return err_set(err, ENOEXEC, "truncated: the file ends inside the Multiboot header");
		h.addr.header_addr = word(file, h.addr.at + 12);
		h.addr.load_addr = word(file, h.addr.at + 16);
		h.addr.load_end_addr = word(file, h.addr.at + 20);
		h.addr.bss_end_addr = word(file, h.addr.at + 24);
		h.addr.entry_addr = word(file, h.addr.at + 28);
	}
	*ret = h;
	return 0;
}

int mb_addresses_check(const struct mb_addresses *h, const struct blob *file, struct mb_placed *ret, struct err *err)
{
	struct mb_placed a = { .gpa = h->load_addr, .entry = h->entry_addr };
	uint64_t before = (uint64_t)h->header_addr - h->load_addr, load_end, mem_end;

	if (h->load_addr > h->header_addr)
		return err_set(err, ENOEXEC, "Multiboot load_addr 0x%x is above header_addr 0x%x", h->load_addr,
			       h->header_addr);
	if (before > h->at)
		return err_set(err, ENOEXEC,
			       "Multiboot load_addr 0x%x lies %" PRIu64 " bytes before the start of the file",
			       h->load_addr, before - h->at);
	a.offset = h->at - before;
	load_end = h->load_end_addr ? h->load_end_addr : a.gpa + (file->size - a.offset);
	if (load_end < a.gpa)
		return err_set(err, ENOEXEC, "Multiboot load_end_addr 0x%" PRIx64 " is below load_addr 0x%x",
			       load_end, h->load_addr);
	if (load_end - a.gpa > file->size - a.offset)
		return err_set(err, ENOEXEC,
			       "Multiboot load_end_addr 0x%" PRIx64 " lies beyond the end of the file",
			       load_end);
	mem_end = h->bss_end_addr ? h->bss_end_addr : load_end;
	if (mem_end < load_end)
		return err_set(err, ENOEXEC, "Multiboot bss_end_addr 0x%x is below load_end_addr 0x%" PRIx64,
			       h->bss_end_addr, load_end);
	if (mem_end > MB_ADDRESS_LIMIT)
		return err_set(err, ENOEXEC, "Multiboot load_addr 0x%x: the image would wrap past 4 GiB",
			       h->load_addr);
	if (a.entry < a.gpa || a.entry >= mem_end)
		return err_set(err, ENOEXEC,
			       "Multiboot entry_addr 0x%x lies outside the image (0x%" PRIx64 "-0x%" PRIx64
			       ")", h->entry_addr, a.gpa, mem_end);
	a.file_size = load_end - a.gpa;
	a.mem_size = mem_end - a.gpa;
	*ret = a;
	return 0;
}

int mb_placed_load(const struct mb_placed *a, const struct blob *file, uint64_t moved, struct layout *l, struct gmem *g,
		   struct err *err)
{
	uint64_t gpa = a->gpa + moved;
	int rc = layout_add(l, gpa, a->mem_size, "load_addr to bss_end_addr", err);

	if (rc)
		return rc;
	gmem_write(g, gpa, file->data + a->offset, a->file_size);
	gmem_zero(g, gpa + a->file_size, a->mem_size - a->file_size);
	return 0;
}

int multiboot_check(struct image *im, struct err *err)
{
	struct mb_placed a;
	struct elf_file f;
	struct header h;
	int rc;

	if (multiboot2_probe(&im->file, NULL))
		return multiboot2_check(im, err);
	im->kind_name = "multiboot";
	rc = read_header(&im->file, &h, err);
	if (rc)
		return rc;
	if (h.flags & ADDRESSES) {
		rc = mb_addresses_check(&h.addr, &im->file, &a, err);
		if (rc)
			return rc;
		/* An ELF around it counts for symbols only, and a broken one does not matter. */
		if (!elf_magic(im->file.data, im->file.size) ||
		    elf_file_open(im->file.data, im->file.size, &f, NULL))
			return 0;
	} else {
		if (!elf_magic(im->file.data, im->file.size))
			return err_set(err, ENOEXEC,
				       "the Multiboot header gives no addresses, and this is no ELF file");
		rc = elf_kernel_open(&im->file, &f, err);
		if (rc)
			return rc;
	}
	im->bits = f.bits;
	elf_file_done(&f);
	return 0;
}

/* Takes the image's own memory in L, copies it there and says where it starts. */
static int load_kernel(const struct image *im, const struct header *h, struct layout *l, struct gmem *g,
		       uint64_t *ret_entry, struct err *err)
{
	struct mb_placed a;
	struct elf_file f;
	int rc;

	if (h->flags & ADDRESSES) {
		rc = mb_addresses_check(&h->addr, &im->file, &a, err);
		if (!rc)
			rc = mb_placed_load(&a, &im->file, 0, l, g, err);
		if (!rc)
			*ret_entry = a.entry;
		return rc;
	}
	rc = elf_kernel_open(&im->file, &f, err);
	if (rc)
		return rc;
	rc = elf_kernel_place(&f, 0, MB_ADDRESS_LIMIT, l, err);
	if (!rc)
		rc = elf_kernel_entry(&f, ret_entry, err);
	if (!rc)
		elf_kernel_copy(&f, &im->file, 0, g);
	elf_file_done(&f);
	return rc;
}

int mb_modules_load(const struct load_opts *opts, struct layout *l, struct gmem *g, uint64_t **ret, struct err *err)
{
	uint64_t from = layout_end(l), *gpa;
	size_t i;
	int rc;

	if (from < MIB)
		from = MIB;
	gpa = calloc(opts->nmodules + 1, sizeof(*gpa));
	if (!gpa)
		return err_errno(err, ENOMEM, "modules");
	for (i = 0; i < opts->nmodules; i++) {
		const struct blob *b = &opts->modules[i];

		rc = layout_place(l, from, MB_ADDRESS_LIMIT, b->size, PAGE_SIZE_4K, LAYOUT_LOWEST, b->path, &gpa[i], err);
		if (rc) {
			free(gpa);
			return rc;
		}
		gmem_write(g, gpa[i], b->data, b->size);
		from = gpa[i] + b->size;
	}
	*ret = gpa;
	return 0;
}

int multiboot_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
		   struct err *err)
{
	uint64_t entry, info, *modules = NULL;
	struct header h;
	struct layout l;
	int rc;

	if (multiboot2_probe(&im->file, NULL))
		return multiboot2_load(im, opts, g, ret, err);
	rc = read_header(&im->file, &h, err);
	if (rc)
		return rc;
	layout_init(&l, g);
	rc = load_kernel(im, &h, &l, g, &entry, err);
	if (!rc)
		rc = mb_modules_load(opts, &l, g, &modules, err);
	if (!rc)
		rc = mbinfo_build(im, opts, modules, &l, g, &info, err);
	if (!rc)
		rc = boot_setup(BOOT_PROTECTED, opts->has_entry ? opts->entry : entry, &l, g, ret, err);
	if (!rc) {
		ret->rax = LOADER_MAGIC;
		ret->rbx = info;
	}
	free(modules);
	layout_done(&l);
	return rc;
}
