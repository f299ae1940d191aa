/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that goes to one address as it is, a boot sector above all. */
#include "load/parts.h"

#define BOOT_SECTOR     0x7c00
#define FIRST_DISK      0x80    /* what a BIOS leaves in DL */

int flat_check(struct image *im, struct err *err)
{
	(void)err;
	im->bits = 0;
	im->kind_name = "flat";
	return 0;
}

int flat_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
	      struct err *err)
{
	uint64_t load = opts->has_load ? opts->load : BOOT_SECTOR;
	uint64_t entry = opts->has_entry ? opts->entry : load;
	enum boot_mode mode = opts->has_mode ? opts->mode : BOOT_REAL;
	struct layout l;
	int rc;

	layout_init(&l, g);
	rc = layout_add(&l, load, im->file.size, "the image", err);
	if (!rc)
		rc = boot_setup(mode, entry, &l, g, ret, err);
	layout_done(&l);
	if (rc)
		return rc;
	gmem_write(g, load, im->file.data, im->file.size);
	if (mode == BOOT_REAL)
		ret->rdx = FIRST_DISK;
	return 0;
}
