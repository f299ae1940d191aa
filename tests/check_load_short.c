/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Images that have no room: what there is of memory below 1 MiB grows by pages until they load.  And images of other machines. */
#include <errno.h>
#include <string.h>

#include "load/linux.h"
#include "tests/bzimage_make.h"
#include "tests/elf_make.h"
#include "tests/load_env.h"

#define PAGE            0x1000u
#define AT              0x100000u       /* of Multiboot kernels */
#define LOW_PAGES       160u            /* 640 KiB */

static char long_line[2000];
static uint8_t note[64], code[0x100];

static size_t make_bzimage(void)
{
	return bzimage_make(NULL, 0, file, sizeof(file));
}

/* A 64-bit kernel at 2 MiB with the note of a PVH entry. */
static size_t make_pvh(void)
{
	struct elf_seg seg[] = {
		{ .vaddr = 0xffffffff81000000, .paddr = 0x200000, .memsz = 0x1000, .data = code, .size = sizeof(code) },
		{ .type = 4, .data = note, .size = 20 },
	};
	struct elf_make m = { .bits = 64, .entry = 0x200040, .seg = seg, .nseg = 2 };

	memset(code, 0x90, sizeof(code));
	put32(note, 0, 4);
	put32(note, 4, 4);
	put32(note, 8, 18);
	memcpy(note + 12, "Xen", 4);
	put32(note, 16, 0x200080);
	return elf_make(&m, file, sizeof(file));
}

static size_t make_elf(void)
{
	struct elf_seg seg = { .vaddr = 0x200000, .paddr = 0x200000, .data = code, .size = sizeof(code) };
	struct elf_make m = { .bits = 64, .entry = 0x200040, .seg = &seg, .nseg = 1 };

	memset(code, 0x90, sizeof(code));
	return elf_make(&m, file, sizeof(file));
}

/* Multiboot 1 and 2 have their header 0x20 bytes into the file, and 0x200 bytes at 1 MiB. */
static size_t make_words(const uint32_t *w, size_t n)
{
	memset(file, 0x90, 0x300);
	for (size_t i = 0; i < n; i++)
		put32(file, 0x20 + 4 * i, w[i]);
	return 0x300;
}

static size_t make_multiboot(void)
{
	const uint32_t w[] = {
		0x1badb002, 0x10003, -(0x1badb002u + 0x10003u), AT + 0x20, AT, AT + 0x200, AT + 0x400, AT + 0x80,
	};

	return make_words(w, sizeof(w) / sizeof(w[0]));
}

static size_t make_multiboot2(void)
{
	const uint32_t w[] = {
		0xe85250d6, 0, 64, -(0xe85250d6u + 64u), 2, 24, AT + 0x20, AT, AT + 0x200, AT + 0x400, 3, 12, AT + 0x80, 0, 0, 8,
	};

	return make_words(w, sizeof(w) / sizeof(w[0]));
}

/* What cannot be placed while there is too little, in the words of the message. */
static const struct {
	const char *name;
	size_t (*make)(void);
	struct load_opts opts;
	const char *lacks[8];
} images[] = {
	{ "bzImage, 64", make_bzimage, { 0 }, { "the command line", "the zero page" } },
	{ "bzImage, 32", make_bzimage, { .has_entry = true, .entry = 32 }, { "the zero page" } },
	{ "bzImage, 16", make_bzimage, { .has_entry = true, .entry = 16 }, { "the setup code", "the stand-in for a BIOS" } },
	{ "PVH", make_pvh, { .has_entry = true, .entry_pvh = true, .append = long_line }, { "the PVH start information" } },
	{ "ELF", make_elf, { 0 }, { "the boot stack" } },
	{ "Multiboot", make_multiboot, { .append = long_line }, { "the Multiboot information" } },
	{ "Multiboot 2", make_multiboot2, { .append = long_line }, { "the Multiboot 2 information" } },
};

START_TEST(little_low_memory)
{
	size_t n = images[_i].make();
	const char *const *lacks = images[_i].lacks;
	bool said[8] = { false }, fits = false;
	unsigned failed = 0;

	memset(long_line, 'x', sizeof(long_line) - 1);
	for (unsigned pages = 1; pages <= LOW_PAGES; pages++) {
		struct boot_state st, before;
		int rc;

		gmem_free(g);
		ck_assert_int_eq(gmem_new(&g, NULL), 0);
		add_region(0, pages * PAGE, ram, false);
		add_region(MIB, RAM_SIZE - MIB, ram + MIB, false);
		memset(ram, 0, sizeof(ram));
		memset(&st, 0x5a, sizeof(st));
		before = st;
		rc = load(file, n, IMAGE_AUTO, &images[_i].opts, &st);
		if (!rc) {
			fits = true;
			continue;
		}
		expect_error(rc, ENOSPC, "");
		ck_assert_msg(!fits, "%s: fits into less than %u pages, and then not: %s", images[_i].name, pages, load_err.msg);
		ck_assert_mem_eq(&st, &before, sizeof(st));
		failed++;
		for (unsigned i = 0; lacks[i]; i++)
			said[i] |= strstr(load_err.msg, lacks[i]) != NULL;
	}
	ck_assert(fits);
	ck_assert_uint_gt(failed, 0);
	for (unsigned i = 0; lacks[i]; i++)
		ck_assert_msg(said[i], "%s: nothing was said of %s", images[_i].name, lacks[i]);
}
END_TEST

/* The kernel is where its tables would have to be: the interrupt vectors are all there is at 0. */
START_TEST(vectors_taken)
{
	struct load_opts o = { .has_entry = true, .entry = 16 };
	struct boot_state st;
	size_t n = make_bzimage();

	gmem_free(g);
	ck_assert_int_eq(gmem_new(&g, NULL), 0);
	add_region(PAGE, RAM_SIZE - PAGE, ram + PAGE, false);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOSPC, "the interrupt vectors");
}
END_TEST

/* Words of other machines' kernels, and where they stand. */
static const struct {
	size_t at;
	uint32_t magic;
	const char *what;
} foreign[] = {
	{ 0x38, 0x644d5241, "AArch64 (Image), not for x86" }, { 0x38, 0x05435352, "RISC-V (Image), not for x86" },
	{ 0x24, 0x016f2818, "ARM (zImage), not for x86" }, { 0, 0x56190527, "U-Boot (uImage), not for x86" },
};

START_TEST(other_machines)
{
	struct image im;

	memset(file, 0, 0x1000);
	put32(file, foreign[_i].at, foreign[_i].magic);
	expect_error(init(&im, file, 0x1000, IMAGE_AUTO), ENOEXEC, foreign[_i].what);
	expect_error(init(&im, file, 0x1000, IMAGE_LINUX), ENOEXEC, foreign[_i].what);
	/* whoever insists has a flat image; so does a file that ends in the word */
	ck_assert_int_eq(init(&im, file, 0x1000, IMAGE_FLAT), 0);
	image_done(&im);
	ck_assert_int_eq(init(&im, file, foreign[_i].at + 3, IMAGE_AUTO), 0);
	image_done(&im);
}
END_TEST

START_TEST(no_bzimage)
{
	static const uint8_t text[100] = { 1, 2, 3 };
	static uint8_t packed[4096];
	struct boot_state st;
	struct blob none;
	struct image im;
	size_t n;

	n = make_gzip(text, sizeof(text), packed, sizeof(packed));
	expect_error(init(&im, packed, n, IMAGE_LINUX), ENOEXEC, "compressed with gzip, and no bzImage: unpack it first");
	n = make_zstd(text, sizeof(text), packed, sizeof(packed));
	expect_error(init(&im, packed, n, IMAGE_LINUX), ENOEXEC, "compressed with zstd, and no bzImage: unpack it first");
	expect_error(init(&im, text, sizeof(text), IMAGE_LINUX), ENOEXEC, "neither a bzImage");
	/* nothing is unpacked from what is none */
	ck_assert_int_eq(init(&im, text, sizeof(text), IMAGE_FLAT), 0);
	expect_error(image_unpack(&im, &none, &load_err), ENOEXEC, "no bzImage");
	image_done(&im);
	/* one byte of a payload cannot even have its size behind it */
	n = bzimage_make(text, 1, file, sizeof(file));
	expect_error(load(file, n, IMAGE_AUTO, &(struct load_opts){ .decompress = true }, &st), ENOEXEC,
		     "payload has 1 bytes, which is no kernel");
}
END_TEST

START_TEST(no_room_for_initrd)
{
	static uint8_t bytes[PAGE];
	struct blob initrd = { .path = "initrd", .data = bytes, .size = sizeof(bytes) };
	struct load_opts o = { .modules = &initrd, .nmodules = 1 };
	struct boot_state st;
	size_t n = make_bzimage();

	put32(file, 0x22c, 0xfffff);            /* initrd_addr_max: all of it is below 1 MiB */
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "initrd_addr_max 0xfffff leaves no room for an initrd");
	put32(file, 0x22c, 0x100000);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOSPC, "the initrd");
	put32(file, 0x22c, 0x37ffffff);
	ck_assert_msg(!load(file, n, IMAGE_AUTO, &o, &st), "%s", load_err.msg);
}
END_TEST

/* A module that does not fit in what is left. */
START_TEST(no_room_for_module)
{
	static uint8_t bytes[RAM_SIZE - MIB];
	struct blob module = { .path = "module", .data = bytes, .size = sizeof(bytes) };
	struct load_opts o = { .modules = &module, .nmodules = 1 };
	struct boot_state st;

	expect_error(load(file, make_multiboot(), IMAGE_AUTO, &o, &st), ENOSPC, "module");
	expect_error(load(file, make_multiboot2(), IMAGE_AUTO, &o, &st), ENOSPC, "module");
	module.size -= 2 * PAGE;
	ck_assert_msg(!load(file, make_multiboot(), IMAGE_AUTO, &o, &st), "%s", load_err.msg);
}
END_TEST

/* A Linux that is linked low has no map to be moved in. */
START_TEST(not_to_be_moved)
{
	struct load_opts o = { .kaslr = KASLR_ON };
	struct boot_state st;
	struct elf_seg seg[] = {
		{ .vaddr = 0x200000, .paddr = 0x200000, .memsz = 0x1000, .data = code, .size = sizeof(code) },
		{ .type = 4, .data = note, .size = 20 },
	};
	struct elf_make m = { .bits = 64, .entry = 0x200040, .seg = seg, .nseg = 2 };

	make_pvh();
	expect_error(load(file, elf_make(&m, file, sizeof(file)), IMAGE_LINUX, &o, &st), EINVAL,
		     "--kaslr: this kernel is not linked as 64-bit Linux is");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("load_short");
	TCase *t = tcase_create("load_short");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, little_low_memory, 0, (int)(sizeof(images) / sizeof(images[0])));
	tcase_add_test(t, vectors_taken);
	tcase_add_loop_test(t, other_machines, 0, (int)(sizeof(foreign) / sizeof(foreign[0])));
	tcase_add_test(t, no_bzimage);
	tcase_add_test(t, no_room_for_initrd);
	tcase_add_test(t, no_room_for_module);
	tcase_add_test(t, not_to_be_moved);
	suite_add_tcase(s, t);
	return unit_main(s);
}
