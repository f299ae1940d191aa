/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multiboot 2 kernels (Multiboot2 Specification 2.0): where they go, and the state they start in. */
#include "load/multiboot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_SIZE     32768u
#define SEARCH_STEP     8u
#define HEADER_WORDS    4u
#define HEADER_MAGIC    0xe85250d6u
#define LOADER_MAGIC    0x36d76289u

static bool find_header(const struct blob *file, size_t *ret_at, bool *ret_bad)
{
	size_t at, end = file->size < SEARCH_SIZE ? file->size : SEARCH_SIZE;
	uint32_t w[HEADER_WORDS];

	*ret_bad = false;
	for (at = 0; at + sizeof(w) <= end; at += SEARCH_STEP) {
		memcpy(w, file->data + at, sizeof(w));
		if (w[0] != HEADER_MAGIC)
			continue;
		if (w[0] + w[1] + w[2] + w[3] == 0) {
			*ret_at = at;
			return true;
		}
		*ret_bad = true;
	}
	return false;
}

bool multiboot2_probe(const struct blob *file, bool *ret_bad)
{
	size_t at;
	bool bad, found = find_header(file, &at, &bad);

	if (ret_bad)
		*ret_bad = bad;
	return found;
}

/* What there is to load. */
struct kernel {
	struct mb2_header h;
	bool is_elf;                    /* elf is open */
	struct elf_file elf;
	struct mb_placed placed;        /* with h.has_addresses */
	uint64_t start, size, entry;    /* as linked */
};

static void kernel_done(struct kernel *k)
{
	if (k->is_elf)
		elf_file_done(&k->elf);
}

static int open_elf(struct kernel *k, const struct blob *file, struct err *err)
{
	struct elf_span s;
	int rc;

	if (!elf_magic(file->data, file->size))
		return err_set(err, ENOEXEC, "the Multiboot 2 header gives no addresses, and this is no ELF file");
	rc = elf_kernel_open(file, &k->elf, err);
	if (rc)
		return rc;
	k->is_elf = true;
	elf_kernel_span(&k->elf, &s);
	k->start = s.start;
	k->size = s.end - s.start;
	k->entry = k->h.addr.entry_addr;
	return k->h.has_entry ? 0 : elf_kernel_entry(&k->elf, &k->entry, err);
}

/* On failure nothing is left to close. */
static int kernel_open(struct kernel *k, const struct blob *file, struct err *err)
{
	size_t at = 0;
	bool bad;
	int rc;

	*k = (struct kernel){ 0 };
	if (!find_header(file, &at, &bad))
		return err_set(err, ENOEXEC, "no Multiboot 2 header");
	rc = mb2_header_read(file, at, &k->h, err);
	if (!rc && k->h.has_addresses) {
		rc = mb_addresses_check(&k->h.addr, file, &k->placed, err);
		k->start = k->placed.gpa;
		k->size = k->placed.mem_size;
		k->entry = k->placed.entry;
		/* An ELF around it counts for symbols and sections only, and a broken one does not matter. */
		if (!rc && elf_magic(file->data, file->size))
			k->is_elf = !elf_file_open(file->data, file->size, &k->elf, NULL);
	} else if (!rc) {
		rc = open_elf(k, file, err);
	}
	if (rc)
		kernel_done(k);
	return rc;
}

int multiboot2_check(struct image *im, struct err *err)
{
	struct kernel k;
	int rc = kernel_open(&k, &im->file, err);

	if (rc)
		return rc;
	im->kind_name = "multiboot2";
	im->wants_tables = true;
	im->bits = k.is_elf ? k.elf.bits : 0;
	kernel_done(&k);
	return 0;
}

/* How far it is to be moved, modulo 2^64. */
static int choose_place(const struct kernel *k, struct gmem *g, uint64_t *ret_moved, struct err *err)
{
	const struct mb2_header *h = &k->h;
	uint64_t end = (uint64_t)h->max_addr + 1, gpa;
	struct layout free_ram;
	int rc;

	if (!h->relocatable) {
		*ret_moved = 0;
		return 0;
	}
	layout_init(&free_ram, g);
	/* It is as good where it is linked, if it has no wish. */
	if (h->preference == MB2_ANYWHERE && k->start >= h->min_addr && k->start + k->size <= end &&
	    !(k->start & (h->align - 1)) && !layout_add(&free_ram, k->start, k->size, "the kernel", NULL)) {
		gpa = k->start;
		rc = 0;
	} else {
		/* Low memory is for what the kernel is told. */
		rc = layout_place(&free_ram, h->min_addr > MIB ? h->min_addr : MIB, end > MIB ? end : MIB, k->size, h->align,
				  h->preference == MB2_HIGHEST ? LAYOUT_HIGHEST : LAYOUT_LOWEST, "the relocatable kernel", &gpa, err);
	}
	layout_done(&free_ram);
	if (!rc)
		*ret_moved = gpa - k->start;
	return rc;
}

static int load_kernel(const struct kernel *k, const struct blob *file, uint64_t moved, struct layout *l, struct gmem *g,
		       struct err *err)
{
	int rc;

	if (k->h.has_addresses)
		return mb_placed_load(&k->placed, file, moved, l, g, err);
	rc = elf_kernel_place(&k->elf, moved, MB_ADDRESS_LIMIT, l, err);
	if (!rc)
		elf_kernel_copy(&k->elf, file, moved, g);
	return rc;
}

int multiboot2_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
		    struct err *err)
{
	uint64_t info = 0, moved = 0, *modules = NULL;
	struct mb2_parts parts = { .im = im, .opts = opts };
	struct boot_state st;
	struct kernel k;
	struct layout l;
	int rc;

	rc = kernel_open(&k, &im->file, err);
	if (rc)
		return rc;
	layout_init(&l, g);
	rc = choose_place(&k, g, &moved, err);
	if (!rc)
		rc = load_kernel(&k, &im->file, moved, &l, g, err);
	if (!rc)
		rc = mb_modules_load(opts, &l, g, &modules, err);
	if (!rc)
		rc = boot_tables_put(opts, g, &parts.rsdp_gpa, err);
	if (!rc) {
		parts.module_gpa = modules;
		parts.has_base = k.h.relocatable;
		parts.base = (uint32_t)(k.start + moved);
		parts.elf = k.is_elf ? &k.elf : NULL;
		rc = mb2info_build(&parts, &l, g, &info, err);
	}
	if (!rc)
		rc = boot_setup(BOOT_PROTECTED, opts->has_entry ? opts->entry : k.entry + moved, &l, g, &st, err);
	if (!rc) {
		st.rax = LOADER_MAGIC;
		st.rbx = info;
		st.slide = moved;
		*ret = st;
	}
	free(modules);
	layout_done(&l);
	kernel_done(&k);
	return rc;
}
