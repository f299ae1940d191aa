/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Firmware images and option ROMs: which files can be one, where one is found, how a processor begins with it. */
#include "load/bios.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit.h"

#define KIB 1024u
#define MIB (1024u * KIB)

static struct err err;

/* A ROM of SIZE bytes of FILL, with WHAT's LEN bytes so many bytes before its end. */
static struct blob make_rom(size_t size, uint8_t fill, const void *what, size_t len, size_t before_end)
{
	struct blob b = { .path = strdup("rom"), .data = malloc(size ? size : 1), .size = size };

	memset(b.data, fill, size);
	if (len)
		memcpy(b.data + size - before_end, what, len);
	return b;
}

static const struct {
	size_t size;
	const char *msg;                /* NULL: fine */
} sizes[] = {
	{ 0, "no firmware: its size, 0 bytes, is less than 64K" },
	{ 1, "no firmware: its size, 1 bytes, is less than 64K" },
	{ 3, "no firmware: its size, 3 bytes, is less than 64K" },
	{ 16, "no firmware: its size, 16 bytes, is less than 64K" },
	{ 32 * KIB, "no firmware: its size, 32768 bytes, is less than 64K" },
	{ 64 * KIB - 1, "no firmware: its size, 65535 bytes, is less than 64K" },
	{ 64 * KIB, NULL },
	{ 64 * KIB + 1, "no firmware: its size, 65537 bytes, is no multiple of 4K" },
	{ 68 * KIB, NULL }, { 70 * KIB, "no firmware: its size, 71680 bytes, is no multiple of 4K" },
	{ 96 * KIB, NULL }, { 3568 * KIB, NULL },
	{ 128 * KIB, NULL }, { 192 * KIB, NULL }, { 256 * KIB, NULL }, { MIB, NULL }, { 16 * MIB, NULL },
	{ 16 * MIB - 1, "no firmware: its size, 16777215 bytes, is no multiple of 4K" },
	{ 16 * MIB + 64 * KIB, "no firmware: its size, 16842752 bytes, is more than 16M" },
	{ 32 * MIB, "no firmware: its size, 33554432 bytes, is more than 16M" },
};

START_TEST(sizes_of_firmware)
{
	struct blob b = make_rom(sizes[_i].size, 0x90, NULL, 0, 0);
	int r = bios_check(&b, &err);

	ck_assert_int_eq(r, sizes[_i].msg ? -ENOEXEC : 0);
	if (sizes[_i].msg)
		ck_assert_str_eq(err.msg, sizes[_i].msg);
	blob_done(&b);
}
END_TEST

/* A volume's header: 16 zeros, what it is, how long, its signature. */
#define VARIABLES "\x8d\x2b\xf1\xff\x96\x76\x8b\x4c\xa9\x85\x27\x47\x07\x5b\x4f\x50"
#define CODE      "\x78\xe5\x8c\x8c\x3d\x8a\x1c\x4f\x99\x35\x89\x61\x85\xc3\x2d\xd3"

static const struct {
	const char *kind, *signature;
	uint64_t says;
	bool good, uefi;
	size_t variables;               /* as bios_variables() has it */
} volumes[] = {
	{ VARIABLES, "_FVH", 64 * KIB, true, true, 64 * KIB },
	{ VARIABLES, "_FVH", 124 * KIB, true, true, 124 * KIB },
	{ CODE, "_FVH", 128 * KIB, true, true, 0 },
	{ CODE, "_FVH", 5, true, true, 0 },
	{ VARIABLES, "_FVX", 64 * KIB, true, false, 0 },
	/* Headers that lie. */
	{ VARIABLES, "_FVH", 128 * KIB, false, true, 0 },
	{ VARIABLES, "_FVH", 64 * KIB + 1, false, true, 0 },
	{ VARIABLES, "_FVH", 1ull << 32, false, true, 0 },
	{ VARIABLES, "_FVH", UINT64_MAX & ~0xfffull, false, true, 0 },
};

START_TEST(variables_in_it)
{
	struct blob b = make_rom(128 * KIB, 0x90, NULL, 0, 0);
	char said[120];

	memset(b.data, 0, 16);
	memcpy(b.data + 16, volumes[_i].kind, 16);
	memcpy(b.data + 32, &volumes[_i].says, 8);
	memcpy(b.data + 40, volumes[_i].signature, 4);
	ck_assert_int_eq(bios_check(&b, &err), volumes[_i].good ? 0 : -ENOEXEC);
	ck_assert(bios_is_uefi(&b) == volumes[_i].uefi);
	snprintf(said, sizeof(said), "firmware whose variables say that they have %llu bytes, and it has 131072",
		 (unsigned long long)volumes[_i].says);
	if (volumes[_i].good)
		ck_assert_uint_eq(bios_variables(&b), volumes[_i].variables);
	else
		ck_assert_str_eq(err.msg, said);
	blob_done(&b);
}
END_TEST

static const struct {
	uint8_t fill;
	const char *what;
	size_t before_end;
	bool good;
} vectors[] = {
	{ 0xff, "", 0, false }, { 0x00, "", 0, false },
	{ 0xff, "\xea", 16, true }, { 0x00, "\xea", 16, true }, { 0xff, "\x01", 1, true }, { 0x00, "\xfe", 1, true },
	/* It is the end that counts. */
	{ 0xff, "\xea", 17, false }, { 0x00, "\xea", 17, false }, { 0xff, "\xea", 64 * KIB, false },
	{ 0x00, "\xff\xff\xff\xff", 16, false },
};

START_TEST(something_is_at_the_reset_vector)
{
	struct blob b = make_rom(128 * KIB, vectors[_i].fill, vectors[_i].what, strlen(vectors[_i].what),
				 vectors[_i].before_end);

	ck_assert_int_eq(bios_check(&b, &err), vectors[_i].good ? 0 : -ENOEXEC);
	if (!vectors[_i].good)
		ck_assert_str_eq(err.msg, "no firmware: nothing is at its reset vector, 16 bytes before its end");
	blob_done(&b);
}
END_TEST

static const struct {
	size_t size;
	const char *head;               /* 3 bytes */
	uint8_t sum;
	const char *msg;                /* NULL: fine */
} roms[] = {
	{ 512, "\x55\xaa\x01", 0, NULL }, { 39936, "\x55\xaa\x4e", 0, NULL }, { 128 * KIB, "\x55\xaa\xff", 0, NULL },
	{ 1024, "\x55\xaa\x01", 0, NULL }, { 0, "\x55\xaa\x01", 0, "rom: no option ROM: it does not begin with 55 aa" },
	{ 3, "\x55\xaa\x01", 0, "rom: no option ROM: it does not begin with 55 aa" },
	{ 511, "\x55\xaa\x01", 0, "rom: no option ROM: it does not begin with 55 aa" },
	{ 512, "\xaa\x55\x01", 0, "rom: no option ROM: it does not begin with 55 aa" },
	{ 512, "\x55\xab\x01", 0, "rom: no option ROM: it does not begin with 55 aa" },
	{ 512, "\x55\xaa\x00", 0, "rom: an option ROM that says it has 0 bytes, and has 512" },
	{ 1023, "\x55\xaa\x02", 0, "rom: an option ROM that says it has 1024 bytes, and has 1023" },
	{ 512, "\x55\xaa\xff", 0, "rom: an option ROM that says it has 130560 bytes, and has 512" },
	{ 512, "\x55\xaa\x01", 1, "rom: an option ROM whose checksum is wrong" },
	{ 1024, "\x55\xaa\x02", 255, "rom: an option ROM whose checksum is wrong" },
	{ 128 * KIB + 1, "\x55\xaa\x01", 0, "rom: no option ROM: its size, 131073 bytes, is more than 128K" },
	{ 32 * MIB, "\x55\xaa\x01", 0, "rom: no option ROM: its size, 33554432 bytes, is more than 128K" },
};

START_TEST(option_roms)
{
	struct blob b = make_rom(roms[_i].size, 0, NULL, 0, 0);
	size_t said = (uint8_t)roms[_i].head[2] * 512u;

	memcpy(b.data, roms[_i].head, b.size < 3 ? 0 : 3);
	/* The checksum's byte is the last one that counts, and what is behind it does not. */
	if (said && said <= b.size) {
		b.data[said - 1] = (uint8_t)(roms[_i].sum - b.data[0] - b.data[1] - b.data[2]);
		if (said < b.size)
			b.data[said] = 0x77;
	}
	ck_assert_int_eq(option_rom_check(&b, &err), roms[_i].msg ? -ENOEXEC : 0);
	if (roms[_i].msg)
		ck_assert_str_eq(err.msg, roms[_i].msg);
	blob_done(&b);
}
END_TEST

/* As a person meets it: the kind of an image. */
START_TEST(images_of_firmware)
{
	struct blob good = make_rom(64 * KIB, 0xff, "\xea", 1, 16), bad = make_rom(3, 0x90, NULL, 0, 0);
	struct image im = { 0 };

	ck_assert_int_eq(image_init(&im, &bad, IMAGE_BIOS, &err), -ENOEXEC);
	ck_assert_str_eq(err.msg, "rom: no firmware: its size, 3 bytes, is less than 64K");
	ck_assert_int_eq(image_init(&im, &good, IMAGE_BIOS, &err), 0);
	ck_assert_int_eq(im.kind, IMAGE_BIOS);
	ck_assert_str_eq(im.kind_name, "bios");
	image_done(&im);
	blob_done(&bad);
}
END_TEST

START_TEST(the_first_place_counts)
{
	char dir[] = "/tmp/check_bios.XXXXXX", file[64], empty[64], below[80];
	const char *none[] = { "/nonexistent/a", "/nonexistent/b", NULL };
	const char *places[] = { "/nonexistent/a", below, file, empty, NULL }, *first_bad[] = { below, empty, file, NULL };
	struct blob b = { .size = 77 };
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/rom", dir);
	snprintf(empty, sizeof(empty), "%s/empty", dir);
	/* Below a file, there is no directory. */
	snprintf(below, sizeof(below), "%s/rom", file);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_eq(write(fd, "rom", 3), 3);
	close(fd);
	close(open(empty, O_CREAT | O_WRONLY, 0600));

	ck_assert_int_eq(bios_find_in(none, &b, &err), -ENOENT);
	ck_assert_str_eq(err.msg, "no firmware is installed: install seabios, or name a file with --bios "
			 "(not there: /nonexistent/a, /nonexistent/b)");
	ck_assert_int_eq(bios_find_in(first_bad, &b, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "/empty: empty"));
	ck_assert_uint_eq(b.size, 77);
	ck_assert_int_eq(bios_find_in(places, &b, &err), 0);
	ck_assert_str_eq(b.path, file);
	ck_assert_uint_eq(b.size, 3);
	ck_assert_mem_eq(b.data, "rom", 3);
	blob_done(&b);
	unlink(file);
	unlink(empty);
	rmdir(dir);
}
END_TEST

/* Many places make no longer a message than there is room for. */
START_TEST(long_places_do_no_harm)
{
	char path[101] = "/nonexistent/";
	const char *places[] = { path, path, path, path, path, path, path, NULL };
	struct blob b = { 0 };

	memset(path + 13, 'x', 87);
	ck_assert_int_eq(bios_find_in(places, &b, &err), -ENOENT);
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
}
END_TEST

START_TEST(the_installed_one)
{
	struct blob b = { 0 };
	int r = bios_find(&b, &err);

	if (r == 0) {
		ck_assert_msg(bios_check(&b, &err) == 0, "%s: %s", b.path, err.msg);
		blob_done(&b);
	} else {
		ck_assert_int_eq(r, -ENOENT);
		/* Whole: a message that was cut would not end so. */
		ck_assert_msg(strstr(err.msg, "/bios.bin") && err.msg[strlen(err.msg) - 1] == ')', "%s", err.msg);
	}
}
END_TEST

START_TEST(a_processor_after_reset)
{
	struct boot_state st;
	const struct boot_seg *data[] = { &st.ds, &st.es, &st.fs, &st.gs, &st.ss };
	size_t i;

	memset(&st, 0x55, sizeof(st));
	bios_boot_state(&st);
	ck_assert_int_eq(st.mode, BOOT_REAL);
	ck_assert_uint_eq(st.cs.selector, 0xf000);
	ck_assert_uint_eq(st.cs.base, 0xffff0000);
	ck_assert_uint_eq(st.cs.limit, 0xffff);
	ck_assert_uint_eq(st.cs.access, 0x9b);
	ck_assert_uint_eq(st.rip, 0xfff0);
	ck_assert_uint_eq(st.rflags, 2);
	ck_assert_uint_eq(st.rdx, 0x600);
	ck_assert_uint_eq(st.rax | st.rbx | st.rcx | st.rsi | st.rdi | st.rsp | st.rbp, 0);
	ck_assert_uint_eq(st.cr0, 0x60000010);
	ck_assert_uint_eq(st.cr3 | st.cr4 | st.efer, 0);
	for (i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		ck_assert_uint_eq(data[i]->selector, 0);
		ck_assert_uint_eq(data[i]->base, 0);
		ck_assert_uint_eq(data[i]->limit, 0xffff);
		ck_assert_uint_eq(data[i]->access, 0x93);
	}
	ck_assert_uint_eq(st.tr.access, 0x8b);
	ck_assert_uint_eq(st.ldt.access, 0x82);
	ck_assert_uint_eq(st.tr.limit & st.ldt.limit, 0xffff);
	ck_assert_uint_eq(st.gdt_base | st.idt_base, 0);
	ck_assert_uint_eq(st.gdt_limit, 0xffff);
	ck_assert_uint_eq(st.idt_limit, 0xffff);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("bios");
	TCase *t = tcase_create("bios");

	tcase_add_loop_test(t, sizes_of_firmware, 0, COUNT(sizes));
	tcase_add_loop_test(t, variables_in_it, 0, sizeof(volumes) / sizeof(volumes[0]));
	tcase_add_loop_test(t, something_is_at_the_reset_vector, 0, COUNT(vectors));
	tcase_add_loop_test(t, option_roms, 0, COUNT(roms));
	tcase_add_test(t, images_of_firmware);
	tcase_add_test(t, the_first_place_counts);
	tcase_add_test(t, long_places_do_no_harm);
	tcase_add_test(t, the_installed_one);
	tcase_add_test(t, a_processor_after_reset);
	suite_add_tcase(s, t);
	return unit_main(s);
}
