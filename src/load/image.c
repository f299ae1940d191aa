/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images of any kind: what they are, whether what was given beside them fits, how they get into memory. */
#include "load/load.h"

#include <errno.h>

#include "load/parts.h"

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

int image_init(struct image *im, struct blob *file, enum image_kind kind, struct err *err)
{
	struct image found = { .file = *file, .kind = kind };
	struct elf_file elf;
	int rc;

	if (kind == IMAGE_AUTO) {
		const char *foreign;

		found.kind = load_arch.probe(file);
		/* Anything is a flat image, but this nobody means. */
		foreign = found.kind == IMAGE_FLAT ? load_arch.foreign(file) : NULL;
		if (foreign)
			return err_set(err, ENOEXEC, "%s: %s, not for %s", file->path, foreign, load_arch.name);
	}
	if (!load_arch.kinds[found.kind].check)
		return err_set(err, ENOEXEC, "%s: no kind of image that %s has", file->path, load_arch.name);
	rc = load_arch.kinds[found.kind].check(&found, err);
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
	unsigned refused = given(opts) & ~load_arch.kinds[im->kind].takes;
	struct boot_state st;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (refused & options[i].bit)
			return err_set(err, EINVAL, "%s: this kind of image (%s) takes %s", im->file.path,
				       im->kind_name,
				       options[i].what);
	rc = load_arch.kinds[im->kind].load(im, opts, g, &st, err);
	if (rc)
		return err_prefix(err, rc, "%s", im->file.path);
	*ret = st;
	return 0;
}
