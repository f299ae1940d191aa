/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where an ELF kernel goes that does not choose for itself.  Linux's decompressor would move a 64-bit kernel within the
 * first GiB of its mapping by what it has as CONFIG_PHYSICAL_ALIGN, 2 MiB or a power of two above (arch/x86/boot/
 * compressed/kaslr.c, Documentation/arch/x86/x86_64/mm.rst); a 32-bit one moves together with its place in RAM.
 */
#include "load/linux.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define KERNEL_MAP      0xffffffff80000000ull   /* __START_KERNEL_map: 64-bit kernels map physical 0 here */
#define KERNEL_MAP_SIZE GIB                     /* KERNEL_IMAGE_SIZE of one that can be moved; modules follow */
#define ALIGN_MIN       (2 * MIB)

bool linux_has_word(const char *cmdline, const char *word)
{
	size_t len = strlen(word), n;

	for (; cmdline && *cmdline; cmdline += n) {
		cmdline += strspn(cmdline, " ");
		n = strcspn(cmdline, " ");
		if (n == len && !memcmp(cmdline, word, len))
			return true;
	}
	return false;
}

/* How far up it could go in the RAM that it lies in, with RESERVE bytes left free at its end. */
static uint64_t room_in_ram(const struct elf_span *s, uint64_t reserve, const struct gmem *g)
{
	const struct gmem_region *r;
	uint64_t end = s->start;

	while (end < 4 * GIB && (r = gmem_find(g, end)) && !r->readonly)
		end = r->gpa + r->size;
	if (end > 4 * GIB)
		end = 4 * GIB;
	return end < s->end || end - s->end < reserve ? 0 : end - s->end - reserve;
}

static int room_in_map(const struct elf_file *f, const struct elf_span *s, uint64_t *ret, struct err *err)
{
	if (f->bits == 32) {
		*ret = UINT32_MAX;
		return 0;
	}
	if (s->high != KERNEL_MAP || s->end > KERNEL_MAP_SIZE)
		return err_set(err, EINVAL, "--kaslr: this kernel is not linked as 64-bit Linux is, from 0x%llx on", KERNEL_MAP);
	*ret = KERNEL_MAP_SIZE - s->end;
	return 0;
}

int linux_move_choose(const struct elf_file *f, const struct load_opts *opts, bool pinned, uint64_t align,
		      uint64_t reserve, const struct gmem *g, struct linux_move *ret, struct err *err)
{
	uint64_t ram, map = 0, most, slide = opts->slide;
	struct elf_span s;
	int rc;

	if (opts->kaslr == KASLR_AUTO || opts->kaslr == KASLR_OFF) {
		*ret = (struct linux_move){ 0 };
		return 0;
	}
	if (linux_has_word(opts->append, "nokaslr"))
		return err_set(err, EINVAL, "--kaslr moves the kernel, and its command line says nokaslr");
	elf_kernel_span(f, &s);
	rc = room_in_map(f, &s, &map, err);
	if (rc)
		return rc;
	if (align < ALIGN_MIN)
		align = ALIGN_MIN;
	ram = room_in_ram(&s, reserve, g);
	most = ram < map ? ram : map;
	/* Where it is linked is no place for it to be moved to, while there are others. */
	if (opts->kaslr == KASLR_ON)
		slide = most < align ? 0 : (opts->seed % (most / align) + 1) * align;
	if (slide & (align - 1))
		return err_set(err, EINVAL, "--kaslr=0x%" PRIx64 ": this kernel moves by multiples of 0x%" PRIx64, slide, align);
	if (slide > map)
		return err_set(err, EINVAL, "--kaslr=0x%" PRIx64 ": this kernel can be moved by 0x%" PRIx64 " at most", slide,
			       map & ~(align - 1));
	if (pinned && slide > ram)
		return err_set(err, ENOSPC, "--kaslr=0x%" PRIx64 ": RAM has room for 0x%" PRIx64 " (more memory: -m), and what is "
			       "started this way moves with its place in RAM", slide, ram & ~(align - 1));
	*ret = (struct linux_move){ slide, slide <= ram ? slide : 0 };
	return 0;
}
