/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linux: which entry, what goes beside the kernel, and in which order it takes its place in RAM. */
#include "load/linux.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ELF_CMDLINE_MAX 2047u           /* x86's COMMAND_LINE_SIZE without its zero */
#define ELF_INITRD_MAX  0x7fffffffull   /* where one may end: what every kernel can reach */
#define ELF_ALIGN       0x1000000u
#define ELF_VERSION     0x20fu
#define INITRD_ALIGN    4u              /* each of several begins so */

/* What is known of the kernel that is to be started. */
struct kernel {
	bool packed;                    /* a bzImage, and it unpacks itself */
	bool is_elf;                    /* elf, in elf_blob, is the kernel */
	struct bzimage bz;              /* of a bzImage */
	struct elf_file elf;
	const struct blob *elf_blob;
	struct blob inner;              /* what was unpacked; its data is owned */
	struct linux_notes notes;
	enum linux_entry entry;
	unsigned cmdline_max;
	uint64_t align;                 /* of where it is loaded, if it can be moved */
	struct linux_move move;         /* an ELF kernel's */
	uint64_t initrd_max;            /* the highest address an initrd may reach */
	struct setup_header made;       /* for one that brings none */
};

static const char *const entry_names[] = {
	[LINUX_ENTRY_16] = "16", [LINUX_ENTRY_32] = "32", [LINUX_ENTRY_64] = "64", [LINUX_ENTRY_PVH] = "pvh",
};

int linux_check(struct image *im, struct err *err)
{
	struct bzimage b;
	struct elf_file f;
	int rc;

	im->kind_name = "linux";
	im->wants_tables = true;
	if (!elf_magic(im->file.data, im->file.size)) {
		rc = bzimage_open(&im->file, &b, err);
		if (!rc)
			im->bits = b.h.xloadflags & XLF_KERNEL_64 ? 64 : 32;
		return rc;
	}
	rc = elf_kernel_open(&im->file, &f, err);
	if (rc)
		return rc;
	im->bits = f.bits;
	elf_file_done(&f);
	return 0;
}

static void kernel_done(struct kernel *k)
{
	if (k->is_elf)
		elf_file_done(&k->elf);
	free(k->inner.data);
}

static int open_elf(struct kernel *k, const struct blob *file, struct err *err)
{
	int rc = elf_kernel_open(file, &k->elf, err);

	if (rc)
		return rc;
	k->is_elf = true;
	k->elf_blob = file;
	linux_notes_read(&k->elf, &k->notes);
	return 0;
}

static uint64_t ram_bytes(const struct gmem *g)
{
	const struct gmem_region *r;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; (r = gmem_at(g, i)); i++)
		if (!r->readonly)
			sum += r->size;
	return sum;
}

static int open_bzimage(struct kernel *k, const struct image *im, bool unpack, const struct gmem *g, struct err *err)
{
	int rc = bzimage_open(&im->file, &k->bz, err);

	if (rc)
		return rc;
	k->packed = !unpack;
	k->cmdline_max = k->bz.h.cmdline_size;
	k->initrd_max = k->bz.h.initrd_addr_max;
	k->align = k->bz.h.relocatable_kernel ? k->bz.h.kernel_alignment : 0;
	if (!unpack)
		return 0;
	rc = bzimage_unpack(&k->bz, ram_bytes(g), &k->inner, err);
	if (rc)
		return rc;
	rc = open_elf(k, &k->inner, err);
	return rc ? err_prefix(err, rc, "--decompress: what came out") : 0;
}

static int kernel_open(struct kernel *k, const struct image *im, const struct load_opts *opts, const struct gmem *g,
		       struct err *err)
{
	if (!elf_magic(im->file.data, im->file.size))
		return open_bzimage(k, im, opts->decompress, g, err);
	if (opts->decompress)
		return err_set(err, EINVAL, "--decompress: an ELF file is not compressed");
	k->cmdline_max = ELF_CMDLINE_MAX;
	k->initrd_max = ELF_INITRD_MAX;
	k->made = (struct setup_header){
		.boot_flag = SETUP_BOOT_FLAG, .header = SETUP_MAGIC, .version = ELF_VERSION, .loadflags = LOADED_HIGH,
		.length = 0x62, .kernel_alignment = ELF_ALIGN, .cmdline_size = ELF_CMDLINE_MAX,
		.initrd_addr_max = (uint32_t)ELF_INITRD_MAX,
	};
	return open_elf(k, &im->file, err);
}

static bool has_entry(const struct kernel *k, enum linux_entry e)
{
	switch (e) {
	case LINUX_ENTRY_16:
		return k->packed;
	case LINUX_ENTRY_32:
		return k->packed || k->elf.bits == 32;
	case LINUX_ENTRY_64:
		return k->packed ? k->bz.h.xloadflags & XLF_KERNEL_64 : k->elf.bits == 64;
	case LINUX_ENTRY_PVH:
		return !k->packed && k->notes.has_pvh;
	}
	return false;
}

/* The mode that the kernel itself runs in, unless it may be no Linux at all. */
static enum linux_entry default_entry(const struct kernel *k)
{
	if (!k->packed && k->notes.has_pvh && !k->notes.is_linux)
		return LINUX_ENTRY_PVH;
	return has_entry(k, LINUX_ENTRY_64) ? LINUX_ENTRY_64 : LINUX_ENTRY_32;
}

static int choose_entry(struct kernel *k, const struct load_opts *opts, struct err *err)
{
	k->entry = default_entry(k);
	if (!opts->has_entry)
		return 0;
	if (opts->entry_pvh)
		k->entry = LINUX_ENTRY_PVH;
	else if (opts->entry == 16)
		k->entry = LINUX_ENTRY_16;
	else if (opts->entry == 32)
		k->entry = LINUX_ENTRY_32;
	else if (opts->entry == 64)
		k->entry = LINUX_ENTRY_64;
	else
		return err_set(err, EINVAL, "--entry: Linux is entered at 16, 32, 64 or pvh, not at 0x%" PRIx64, opts->entry);
	if (has_entry(k, k->entry))
		return 0;
	return err_set(err, EINVAL, "--entry=%s: this kernel has no such entry (%s)", entry_names[k->entry],
		       k->packed ? "it is a bzImage" : k->elf.bits == 64 ? "it is a 64-bit ELF file" :
		       "it is a 32-bit ELF file");
}

/* Linux's e_entry is a physical address (phys_startup_64), but in kernels whose linker made it a virtual one. */
static int elf_entry(const struct kernel *k, uint64_t *ret, struct err *err)
{
	GElf_Phdr ph;
	int i;

	if (k->entry == LINUX_ENTRY_PVH) {
		*ret = k->notes.pvh_entry;
		return 0;
	}
	for (i = 0; i < k->elf.eh.e_phnum; i++)
		if (gelf_getphdr(k->elf.elf, i, &ph) && ph.p_type == PT_LOAD && k->elf.eh.e_entry >= ph.p_paddr &&
		    k->elf.eh.e_entry - ph.p_paddr < ph.p_memsz) {
			*ret = k->elf.eh.e_entry;
			return 0;
		}
	return elf_kernel_entry(&k->elf, ret, err);
}

/* What several initrds have together. */
static uint64_t initrds_size(const struct load_opts *opts)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < opts->nmodules; i++)
		size = ((size + INITRD_ALIGN - 1) & ~(uint64_t)(INITRD_ALIGN - 1)) + opts->modules[i].size;
	return size;
}

static int place_elf(struct kernel *k, const struct load_opts *opts, struct layout *l, struct gmem *g,
		     uint64_t *ret_entry, struct err *err)
{
	bool pinned = k->elf.bits == 32 || k->entry == LINUX_ENTRY_PVH;
	uint64_t entry;
	int rc;

	rc = elf_entry(k, &entry, err);
	if (!rc)
		rc = linux_move_choose(&k->elf, opts, pinned, k->align, initrds_size(opts) + PAGE_SIZE_4K, g, &k->move, err);
	if (!rc)
		rc = elf_kernel_place(&k->elf, k->move.physical, 4 * GIB, l, err);
	if (rc)
		return rc;
	elf_kernel_copy(&k->elf, k->elf_blob, k->move.physical, g);
	if (k->move.virtual)
		rc = linux_relocate(&k->elf, k->elf_blob, &k->move, l, g, err);
	if (!rc)
		*ret_entry = entry + k->move.physical;
	return rc;
}

/* Puts the kernel where it goes and says where it starts; real mode: where the code is that it goes on with. */
static int place_kernel(struct kernel *k, const struct load_opts *opts, struct layout *l, struct gmem *g,
			uint64_t *ret_entry, struct err *err)
{
	uint64_t entry = k->packed ? bzimage_load_address(&k->bz) : 0;
	int rc;

	if (k->packed) {
		if (opts->kaslr == KASLR_SLIDE)
			return err_set(err, EINVAL, "--kaslr=0x%" PRIx64 ": a bzImage chooses its place itself; with --decompress it "
				       "can be moved", opts->slide);
		if (opts->kaslr == KASLR_ON && linux_has_word(opts->append, "nokaslr"))
			return err_set(err, EINVAL, "--kaslr=on, and the kernel's command line says nokaslr");
		rc = bzimage_place(&k->bz, entry, l, g, err);
		if (k->entry == LINUX_ENTRY_64)
			entry += ENTRY_64;
	} else {
		rc = place_elf(k, opts, l, g, &entry, err);
	}
	if (!rc)
		*ret_entry = entry;
	return rc;
}

static int place_cmdline(const struct kernel *k, const struct load_opts *opts, struct layout *l, struct gmem *g,
			 uint64_t *ret_gpa, struct err *err)
{
	static const char word[] = "nokaslr";
	const char *given = opts->append ? opts->append : "";
	bool add = opts->kaslr == KASLR_OFF && !linux_has_word(given, word);
	size_t len = strlen(given) + (add ? strlen(word) + (*given != 0) : 0);
	uint64_t at;
	int rc;

	if (len > k->cmdline_max)
		return err_set(err, ENOSPC, "the command line has %zu bytes, and this kernel takes %u", len, k->cmdline_max);
	rc = layout_place(l, LOW_START, LOW_END, len + 1, 16, LAYOUT_HIGHEST, "the command line", &at, err);
	if (rc)
		return rc;
	*ret_gpa = at;
	at += gmem_write(g, at, given, strlen(given));
	if (add && *given)
		at += gmem_write(g, at, " ", 1);
	if (add)
		at += gmem_write(g, at, word, strlen(word));
	gmem_zero(g, at, 1);
	return 0;
}

/* Several are one: the kernel unpacks archives that follow each other. */
static int place_initrds(const struct kernel *k, const struct load_opts *opts, struct layout *l, struct gmem *g,
			 struct linux_parts *p, struct err *err)
{
	uint64_t size = initrds_size(opts), at, top = k->initrd_max < UINT32_MAX ? k->initrd_max + 1 : 4 * GIB;
	size_t i;
	int rc;

	for (i = 0; i < opts->nmodules; i++)
		if (opts->modules[i].args)
			return err_set(err, EINVAL, "an initrd takes no arguments (%s)", opts->modules[i].path);
	if (!size)
		return 0;
	if (top <= MIB)
		return err_set(err, ENOEXEC, "the setup header's initrd_addr_max 0x%" PRIx64 " leaves no room for an initrd",
			       k->initrd_max);
	if (size > UINT32_MAX)
		return err_set(err, ENOSPC, "initrds of 0x%" PRIx64 " bytes; Linux takes less than 4 GiB", size);
	rc = layout_place(l, MIB, top, size, PAGE_SIZE_4K, LAYOUT_HIGHEST, "the initrd (more memory: -m)", &at, err);
	if (rc)
		return rc;
	p->initrd_gpa = at;
	p->initrd_size = size;
	gmem_zero(g, at, size);
	for (i = 0; i < opts->nmodules; i++) {
		at = (at + INITRD_ALIGN - 1) & ~(uint64_t)(INITRD_ALIGN - 1);
		gmem_write(g, at, opts->modules[i].data, opts->modules[i].size);
		at += opts->modules[i].size;
	}
	return 0;
}

static int start(const struct kernel *k, const struct image *im, uint64_t entry, const struct linux_parts *p,
		 struct layout *l, struct gmem *g, struct boot_state *ret, struct err *err)
{
	switch (k->entry) {
	case LINUX_ENTRY_16:
		return linux_start_real(&k->bz, &im->file, entry, p, l, g, ret, err);
	case LINUX_ENTRY_PVH:
		return linux_start_pvh(entry, p, l, g, ret, err);
	default:
		return linux_start_zero_page(k->entry == LINUX_ENTRY_64 ? BOOT_LONG : BOOT_PROTECTED, entry, p, l, g, ret, err);
	}
}

int linux_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
	       struct err *err)
{
	struct linux_parts p = { 0 };
	struct kernel k = { 0 };
	struct boot_state st = { 0 };
	struct layout l;
	uint64_t entry = 0;
	int rc;

	layout_init(&l, g);
	rc = kernel_open(&k, im, opts, g, err);
	if (!rc)
		rc = choose_entry(&k, opts, err);
	if (!rc)
		rc = place_kernel(&k, opts, &l, g, &entry, err);
	if (!rc)
		rc = place_cmdline(&k, opts, &l, g, &p.cmdline_gpa, err);
	if (!rc)
		rc = place_initrds(&k, opts, &l, g, &p, err);
	if (!rc)
		rc = boot_tables_put(opts, g, &p.rsdp_gpa, err);
	if (!rc)
		rc = linux_map_make(g, &p.map, err);
	if (!rc) {
		bool own = !elf_magic(im->file.data, im->file.size);

		p.h = own ? k.bz.h : k.made;
		p.header = own ? im->file.data + SETUP_HEADER : NULL;
		p.header_size = own ? k.bz.header_size : sizeof(k.made);
		p.h.loadflags &= (uint8_t)~KASLR_FLAG;
		if (!k.packed && (opts->kaslr == KASLR_ON || opts->kaslr == KASLR_SLIDE))
			p.h.loadflags |= KASLR_FLAG;
		rc = start(&k, im, entry, &p, &l, g, &st, err);
	}
	if (!rc) {
		st.slide = k.move.virtual;
		*ret = st;
	}
	kernel_done(&k);
	layout_done(&l);
	return rc;
}
