/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kinds of images that x86 has, a row each: what may be given beside them, how they are checked and loaded. */
#include "load/parts.h"

#include "load/bios.h"
#include "load/linux.h"

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

static const struct load_kind kinds[] = {
	[IMAGE_FLAT]      = { TAKES_LOAD | TAKES_ENTRY | TAKES_MODE, flat_check, flat_load },
	[IMAGE_ELF]       = { TAKES_ENTRY, elf_check, elf_load },
	[IMAGE_MULTIBOOT] = { TAKES_ENTRY | TAKES_APPEND | TAKES_MODULES, multiboot_check, multiboot_load },
	[IMAGE_LINUX]     = { TAKES_ENTRY | TAKES_PVH | TAKES_DECOMPRESS | TAKES_KASLR | TAKES_APPEND | TAKES_MODULES,
			      linux_check, linux_load },
	[IMAGE_BIOS]      = { 0, firmware_check, firmware_load },
};

static enum image_kind probe(const struct blob *file)
{
	if (multiboot_probe(file))
		return IMAGE_MULTIBOOT;
	if (bzimage_probe(file) || linux_elf_probe(file))
		return IMAGE_LINUX;
	return elf_magic(file->data, file->size) ? IMAGE_ELF : IMAGE_FLAT;
}

/* As long mode is for one class, and protected mode for the other. */
static enum boot_mode mode_of(unsigned bits)
{
	return bits == 64 ? BOOT_LONG : BOOT_PROTECTED;
}

const struct load_arch load_arch = {
	.name = "x86",
	.machine32 = EM_386,
	.machine64 = EM_X86_64,
	.runs = "32-bit x86 and 64-bit x86-64",
	.kinds = kinds,
	.probe = probe,
	.foreign = linux_foreign,
	.mode_of = mode_of,
	.boot_setup = boot_setup,
};
