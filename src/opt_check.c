/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What options mean together. */
#include "opt.h"

#include <errno.h>
#include <string.h>

static bool gdb_has(const struct options *o, enum addr_kind kind)
{
	size_t i;

	for (i = 0; i < o->ngdb; i++)
		if (o->gdb[i].kind == kind)
			return true;
	return false;
}

static bool script_is_stdin(const struct options *o)
{
	size_t i;

	for (i = 0; i < o->nscripts; i++)
		if (o->scripts[i].is_file && strcmp(o->scripts[i].text, "-") == 0)
			return true;
	return false;
}

/* What only an image takes. */
static int check_firmware(const struct options *o, struct err *err)
{
	const struct {
		bool given;
		const char *what;
	} of_images[] = {
		{ o->kind != IMAGE_AUTO, "-k" },
		{ o->has_load, "--load" },
		{ o->has_entry, "--entry" },
		{ o->has_mode, "--mode" },
		{ o->append, "--append" },
		{ o->nmodules, "--initrd" },
		{ o->decompress, "--decompress" },
		{ o->kaslr != KASLR_AUTO, "--kaslr" },
	};
	size_t i;

	for (i = 0; i < sizeof(of_images) / sizeof(of_images[0]); i++)
		if (of_images[i].given)
			return err_set(err, EINVAL, "%s: is for an IMAGE, and firmware starts the machine",
				       of_images[i].what);
	return 0;
}

/* The machine is started by an image, the demo or firmware. */
static int check_start(const struct options *o, struct err *err)
{
	if (o->demo && o->image)
		return err_set(err, EINVAL, "--demo takes no IMAGE ('%s')", o->image);
	if (o->demo && o->bios)
		return err_set(err, EINVAL, "--demo takes no firmware (--bios=%s)", o->bios);
	if (o->demo && o->image_is_bios)
		return err_set(err, EINVAL, "--demo takes no firmware (-k bios)");
	if (o->image && o->bios)
		return err_set(err, EINVAL, o->image_is_bios ? "--bios=%s: the firmware is IMAGE ('%s'), by -k bios" :
			       "--bios=%s: firmware takes no IMAGE ('%s')", o->bios, o->image);
	if (!o->demo && !o->image && !o->bios && !o->ndisks)
		return err_set(err, EINVAL, "no IMAGE is named (try --demo)");
	if (!o->demo && (!o->image || o->image_is_bios))
		return check_firmware(o, err);
	if (o->nvram.path)
		return err_set(err, EINVAL, "--nvram=%s: only firmware has variables, not an IMAGE", o->nvram.path);
	if (o->vga_bios)
		return err_set(err, EINVAL, "--vga-bios=%s: only firmware runs it, not an IMAGE", o->vga_bios);
	return 0;
}

/* What each option alone could not see. */
int options_check(const struct options *o, struct err *err)
{
	int r;

	if (o->help || o->version)
		return 0;
	r = check_start(o, err);
	if (r < 0)
		return r;
	if (gdb_has(o, ADDR_NONE) && o->ngdb > 1)
		return err_set(err, EINVAL, "-g none: contradicts the other -g");
	if (gdb_has(o, ADDR_STDIO) && o->has_monitor && o->monitor.kind == ADDR_STDIO)
		return err_set(err, EINVAL, "-M stdio: standard input and output are -g stdio's");
	if (gdb_has(o, ADDR_STDIO) && script_is_stdin(o))
		return err_set(err, EINVAL, "-x -: standard input is -g stdio's");
	return 0;
}
