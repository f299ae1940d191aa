/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kinds of images, a row each: what may be given beside them, how they are checked and loaded. */
#include "load/load.h"

#include <errno.h>

#include "load/bios.h"
#include "load/linux.h"
#include "load/parts.h"

enum { TAKES_LOAD = 1 << 0, TAKES_ENTRY = 1 << 1, TAKES_MODE = 1 << 2, TAKES_APPEND = 1 << 3,
       TAKES_MODULES = 1 << 4, TAKES_PVH = 1 << 5, TAKES_DECOMPRESS = 1 << 6,
       TAKES_KASLR = 1 << 7 };

static int firmware_check(struct image *im, struct err *err)
{
	int rc = bios_check(&im->file, err);

	im->kind_name = "bios";
	return rc;
}

/* It is in ROM already. */
static int firmware_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
			 struct err *err)
{
	(void)im;
	(void)opts;
	(void)g;
	(void)err;
	bios_boot_state(ret);
	return 0;
}

static const struct {
	unsigned takes;
	int (*check)(struct image *im, struct err *err);
	int (*load)(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
		    struct err *err);
} kinds[] = {
	[IMAGE_FLAT]      = { TAKES_LOAD | TAKES_ENTRY | TAKES_MODE, flat_check, flat_load },
	[IMAGE_ELF]       = { TAKES_ENTRY, elf_check, elf_load },
	[IMAGE_MULTIBOOT] = { TAKES_ENTRY | TAKES_APPEND | TAKES_MODULES, multiboot_check, multiboot_load },
	[IMAGE_LINUX]     = { TAKES_ENTRY | TAKES_PVH | TAKES_DECOMPRESS | TAKES_KASLR | TAKES_APPEND | TAKES_MODULES,
			      linux_check, linux_load },
	[IMAGE_BIOS]      = { 0, firmware_check, firmware_load },
};

static const struct {
	unsigned bit;
	const char *what;
} options[] = {
	{ TAKES_LOAD, "no load address (--load)" },
	{ TAKES_PVH, "no entry as PVH guests have (--entry=pvh)" },
	{ TAKES_ENTRY, "no entry address (--entry)" },
	{ TAKES_MODE, "no mode (--mode)" },
	{ TAKES_APPEND, "no command line (--append)" },
	{ TAKES_MODULES, "no modules (--initrd)" },
	{ TAKES_DECOMPRESS, "no --decompress" },
	{ TAKES_KASLR, "no --kaslr" },
};

static enum image_kind probe(const struct blob *file)
{
	if (multiboot_probe(file))
		return IMAGE_MULTIBOOT;
	if (bzimage_probe(file) || linux_elf_probe(file))
		return IMAGE_LINUX;
	return elf_magic(file->data, file->size) ? IMAGE_ELF : IMAGE_FLAT;
}

int image_init(struct image *im, struct blob *file, enum image_kind kind, struct err *err)
{
	struct image found = { .file = *file, .kind = kind };
	struct elf_file elf;
	int rc;

	if (kind == IMAGE_AUTO) {
		found.kind = probe(file);
		/* Anything is a flat image, but this nobody means. */
		if (found.kind == IMAGE_FLAT && linux_foreign(file))
			return err_set(err, ENOEXEC, "%s: %s, not for x86", file->path, linux_foreign(file));
	}
	rc = kinds[found.kind].check(&found, err);
	if (rc)
		return err_prefix(err, rc, "%s", file->path);
	/* A forced kind may hide an ELF whose symbols are of use all the same. */
	if (elf_magic(file->data, file->size) && !elf_file_open(file->data, file->size, &elf, NULL)) {
		elf_file_done(&elf);
		found.is_elf = true;
	}
	*im = found;
	*file = (struct blob){ 0 };
	return 0;
}

void image_done(struct image *im)
{
	blob_done(&im->file);
	*im = (struct image){ 0 };
}

static unsigned given(const struct load_opts *o)
{
	return (o->has_load ? TAKES_LOAD : 0) | (o->has_entry ? TAKES_ENTRY : 0) | (o->has_mode ? TAKES_MODE : 0) |
	       (o->append ? TAKES_APPEND : 0) | (o->nmodules ? TAKES_MODULES : 0) |
	       (o->entry_pvh ? TAKES_PVH : 0) | (o->decompress ? TAKES_DECOMPRESS : 0) |
	       (o->kaslr != KASLR_AUTO ? TAKES_KASLR : 0);
}

int image_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
	       struct err *err)
{
	unsigned refused = given(opts) & ~kinds[im->kind].takes;
	struct boot_state st;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (refused & options[i].bit)
			return err_set(err, EINVAL, "%s: this kind of image (%s) takes %s", im->file.path,
				       im->kind_name,
				       options[i].what);
	rc = kinds[im->kind].load(im, opts, g, &st, err);
	if (rc)
		return err_prefix(err, rc, "%s", im->file.path);
	*ret = st;
	return 0;
}
