/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Images for 64-bit PowerPC: ELF files at their physical addresses, and flat ones.  Either starts in real mode, so nothing has
 * to be put beside it.
 */
#include <errno.h>
#include <inttypes.h>

#include "load/parts.h"

static int setup(enum boot_mode mode, uint64_t entry, struct layout *l, struct gmem *g, struct boot_state *ret,
		 struct err *err)
{
	(void)mode;
	(void)l;
	if (entry % 4)
		return err_set(err, EINVAL, "cannot start at 0x%" PRIx64 ": instructions are at multiples of 4", entry);
	if (!gmem_find(g, entry))
		return err_set(err, EINVAL, "cannot start at 0x%" PRIx64 ": there is no memory", entry);
	*ret = (struct boot_state){ .rip = entry };
	return 0;
}

static int load_flat(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
		     struct err *err)
{
	uint64_t load = opts->has_load ? opts->load : 0;
	uint64_t entry = opts->has_entry ? opts->entry : load;
	struct layout l;
	int rc;

	layout_init(&l, g);
	rc = layout_add(&l, load, im->file.size, "the image", err);
	if (!rc)
		rc = setup(BOOT_REAL, entry, &l, g, ret, err);
	layout_done(&l);
	if (!rc)
		gmem_write(g, load, im->file.data, im->file.size);
	return rc;
}

static int check_flat(struct image *im, struct err *err)
{
	(void)err;
	im->bits = 0;
	im->kind_name = "flat";
	return 0;
}

static const struct load_kind kinds[IMAGE_BIOS + 1] = {
	[IMAGE_FLAT] = { TAKES_LOAD | TAKES_ENTRY, check_flat, load_flat },
	[IMAGE_ELF] = { TAKES_ENTRY, elf_check, elf_load },
};

static enum image_kind probe(const struct blob *file)
{
	return elf_magic(file->data, file->size) ? IMAGE_ELF : IMAGE_FLAT;
}

static const char *foreign(const struct blob *file)
{
	(void)file;
	return NULL;
}

static enum boot_mode mode_of(unsigned bits)
{
	(void)bits;
	return BOOT_REAL;
}

const struct load_arch load_arch = {
	.name = "powerpc64le",
	.machine32 = EM_NONE,
	.machine64 = EM_PPC64,
	.runs = "64-bit little-endian PowerPC",
	.kinds = kinds,
	.probe = probe,
	.foreign = foreign,
	.mode_of = mode_of,
	.boot_setup = setup,
};
