/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multiboot 1: headers right and lying, what is put where, and the information structure as a kernel reads it. */
#include "tests/load_env.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "tests/elf_make.h"

#define MAGIC   0x1badb002u

/* The header's words: magic, flags, checksum, then header, load, load end, bss end, entry address. */
struct header {
	uint32_t w[8];
};

static struct header header(uint32_t flags, uint32_t header_addr, uint32_t load, uint32_t load_end,
			    uint32_t bss_end,
			    uint32_t entry)
{
	return (struct header){ { MAGIC, flags, -(MAGIC + flags), header_addr, load, load_end, bss_end, entry } };
}

/* Puts H at offset AT of a file of SIZE recognisable bytes. */
static void make_file(const struct header *h, size_t at, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		file[i] = (uint8_t)(i * 7 + 1);
	if (at + sizeof(*h) <= size)
		memcpy(file + at, h, sizeof(*h));
	else
		memcpy(file + at, h, size - at);
}

/* The header is at 0x100010, 0x10 bytes behind what is at load_addr, which is 0x20 bytes into the file. */
static struct header good(void)
{
	return header(0x10003, 0x100010, 0x100000, 0x100200, 0x100400, 0x100080);
}

static void check_start(const struct boot_state *st, uint64_t entry)
{
	ck_assert_int_eq(st->mode, BOOT_PROTECTED);
	ck_assert_uint_eq(st->rip, entry);
	ck_assert_uint_eq(st->rax, 0x2badb002);
	ck_assert_uint_eq(st->cr0, 0x11);
	ck_assert_uint_eq(st->cs.access, 0xc09b);
	ck_assert_uint_eq(st->rflags, 2);
	check_block(st, 0x5000);
}

START_TEST(kludge_loads)
{
	struct header h = good();
	struct boot_state st;
	struct image im;
	size_t i;

	make_file(&h, 0x30, 0x300);
	memset(ram + 0x100000, 0xaa, 0x1000);
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, NULL, &st), 0);
	check_start(&st, 0x100080);
	ck_assert_mem_eq(ram + 0x100000, file + 0x20, 0x200);
	for (i = 0x200; i < 0x400; i++)
		ck_assert(!ram[0x100000 + i]);
	ck_assert_uint_eq(ram[0x100400], 0xaa);
	ck_assert_uint_eq(ram[0xfffff], 0);

	ck_assert_int_eq(init(&im, file, 0x300, IMAGE_AUTO), 0);
	ck_assert_int_eq(im.kind, IMAGE_MULTIBOOT);
	ck_assert_str_eq(im.kind_name, "multiboot");
	ck_assert_uint_eq(im.bits, 0);
	ck_assert(!im.is_elf);
	image_done(&im);
	/* Forced to be flat it is. */
	ck_assert_int_eq(load(file, 0x300, IMAGE_FLAT, NULL, &st), 0);
	ck_assert_int_eq(st.mode, BOOT_REAL);

	/* Zero for the ends: the rest of the file, and no BSS. */
	h = header(0x10003, 0x100010, 0x100000, 0, 0, 0x1002df);
	make_file(&h, 0x30, 0x300);
	memset(ram + 0x100000, 0xaa, 0x1000);
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, NULL, &st), 0);
	ck_assert_mem_eq(ram + 0x100000, file + 0x20, 0x2e0);
	ck_assert_uint_eq(ram[0x1002e0], 0xaa);
}
END_TEST

/* Where the header may be: 4-aligned, whole in the first 8 KiB. */
static const struct {
	size_t at, size;
	bool found;
} places[] = {
	{ 0, 0x300, true }, { 4, 0x300, true }, { 2, 0x300, false }, { 8192 - 12, 9000, true },
	{ 8192 - 8, 9000, false }, { 8192, 9000, false }, { 0x300 - 32, 0x300, true },
};

START_TEST(header_places)
{
	struct header h = header(0x10000, 0x100000, 0x100000, 0, 0, 0x100000);
	struct boot_state st;
	int rc;

	make_file(&h, places[_i].at, places[_i].size);
	rc = load(file, places[_i].size, IMAGE_MULTIBOOT, NULL, &st);
	if (places[_i].found)
		ck_assert_msg(rc == 0, "%s", load_err.msg);
	else
		expect_error(rc, ENOEXEC, "no Multiboot header in the first 8 KiB");
}
END_TEST

START_TEST(header_checksum)
{
	struct header h = good();
	struct boot_state st;
	struct image im;

	h.w[2]++;
	make_file(&h, 0x30, 0x300);
	expect_error(load(file, 0x300, IMAGE_MULTIBOOT, NULL, &st), ENOEXEC, "wrong checksum");
	/* For probing it is none. */
	ck_assert_int_eq(init(&im, file, 0x300, IMAGE_AUTO), 0);
	ck_assert_int_eq(im.kind, IMAGE_FLAT);
	image_done(&im);
	/* A good one may follow. */
	h = header(0x10000, 0x100050, 0x100000, 0, 0, 0x100000);
	memcpy(file + 0x50, &h, sizeof(h));
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, NULL, &st), 0);
}
END_TEST

static const struct {
	struct header h;
	int code;
	const char *says;
} lies[] = {
#define H(flags, ...) { { MAGIC, flags, -(MAGIC + (flags)), __VA_ARGS__ } }
	{ H(0x10003, 0xfffff, 0x100000, 0, 0, 0x100000), ENOEXEC,
	  "load_addr 0x100000 is above header_addr 0xfffff" },
	{ H(0x10003, 0x100010, 0xfffdf, 0, 0, 0x100000), ENOEXEC,
	  "load_addr 0xfffdf lies 1 bytes before the start" },
	{ H(0x10003, 0xfffffff0, 0, 0, 0, 0), ENOEXEC, "load_addr 0x0 lies 4294967232 bytes before" },
	{ H(0x10003, 0x100010, 0x100000, 0xfffff, 0, 0x100000), ENOEXEC,
	  "load_end_addr 0xfffff is below load_addr" },
	{ H(0x10003, 0x100010, 0x100000, 0x1002e1, 0, 0x100000), ENOEXEC,
	  "load_end_addr 0x1002e1 lies beyond the end" },
	{ H(0x10003, 0x100010, 0x100000, 0x100200, 0x1001ff, 0x100000), ENOEXEC,
	  "bss_end_addr 0x1001ff is below" },
	{ H(0x10003, 0x100010, 0x100000, 0, 0x100200, 0x100000), ENOEXEC, "bss_end_addr 0x100200 is below" },
	{ H(0x10003, 0x100010, 0x100000, 0x100200, 0x100400, 0xfffff), ENOEXEC,
	  "entry_addr 0xfffff lies outside" },
	{ H(0x10003, 0x100010, 0x100000, 0x100200, 0x100400, 0x100400), ENOEXEC,
	  "entry_addr 0x100400 lies outside" },
	{ H(0x10003, 0x100010, 0x100000, 0x100000, 0, 0x100000), ENOEXEC, "entry_addr" },
	{ H(0x10003, 0xffffff80, 0xffffff70, 0, 0, 0xffffff80), ENOEXEC,
	  "load_addr 0xffffff70: the image would wrap" },
	{ H(0x10003, 0x400000, 0x3ffff0, 0, 0, 0x3ffff0), ENOSPC,
	  "load_addr to bss_end_addr (0x3ffff0-0x4002cf)" },
	{ H(0x10003, 0x100010, 0x100000, 0x100200, 0xfffff000, 0x100000), ENOSPC, "give it more memory with -m" },
	{ H(0x10004 | 8, 0x100010, 0x100000, 0, 0, 0x100000), ENOEXEC, "features that are not known (flags 0xc)" },
	{ H(0x18000, 0x100010, 0x100000, 0, 0, 0x100000), ENOEXEC, "(flags 0x8000)" },
	{ H(3, 0), ENOEXEC, "gives no addresses, and this is no ELF file" },
};

START_TEST(header_lies)
{
	struct boot_state st, before;

	make_file(&lies[_i].h, 0x30, 0x300);
	memset(&st, 0xee, sizeof(st));
	before = st;
	expect_error(load(file, 0x300, IMAGE_AUTO, NULL, &st), lies[_i].code, lies[_i].says);
	ck_assert_mem_eq(&st, &before, sizeof(st));
}
END_TEST

START_TEST(header_cut_off)
{
	struct header h = header(0x10000, 0x100000, 0x100000, 0, 0, 0x100000);
	struct boot_state st;
	size_t n;

	make_file(&h, 0, sizeof(h));
	for (n = 12; n < sizeof(h); n++)
		expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "ends inside the Multiboot header");
	ck_assert_int_eq(load(file, sizeof(h), IMAGE_AUTO, NULL, &st), 0);
	/* The video request and optional bits that are not known are fine. */
	h = header(0xfffe0000 | 0x10007, 0x100000, 0x100000, 0, 0, 0x100000);
	make_file(&h, 0, 64);
	ck_assert_int_eq(load(file, 64, IMAGE_AUTO, NULL, &st), 0);
}
END_TEST

/* ---- ELF ---- */

static size_t make_elf(unsigned bits, uint64_t vaddr, uint64_t paddr, uint64_t entry)
{
	static struct header h;
	static struct elf_sym sym = { "start", 0, 0, STT_FUNC, 1 };
	struct elf_seg seg = { .vaddr = vaddr, .paddr = paddr, .data = &h, .size = sizeof(h), .memsz = 0x1000 };
	struct elf_make m = { .bits = bits, .entry = entry, .seg = &seg, .nseg = 1, .sym = &sym, .nsym = 1 };

	h = header(3, 0, 0, 0, 0, 0);
	return elf_make(&m, file, sizeof(file));
}

START_TEST(elf_loads)
{
	unsigned bits = _i ? 64 : 32;
	size_t size = make_elf(bits, 0xc0100000, 0x100000, 0xc0100020);
	struct load_opts o = { .has_entry = true, .entry = 0x100004 };
	struct boot_state st;
	struct image im;

	ck_assert_int_eq(load(file, size, IMAGE_AUTO, NULL, &st), 0);
	check_start(&st, 0x100020);
	ck_assert_uint_eq(ram32(0x100000), MAGIC);
	ck_assert_int_eq(load(file, size, IMAGE_AUTO, &o, &st), 0);
	check_start(&st, 0x100004);
	ck_assert_int_eq(init(&im, file, size, IMAGE_AUTO), 0);
	ck_assert_int_eq(im.kind, IMAGE_MULTIBOOT);
	ck_assert_uint_eq(im.bits, bits);
	ck_assert(im.is_elf);
	image_done(&im);
	/* Forced to be a plain ELF it starts in its class's mode. */
	ck_assert_int_eq(load(file, size, IMAGE_ELF, NULL, &st), 0);
	ck_assert_int_eq(st.mode, bits == 64 ? BOOT_LONG : BOOT_PROTECTED);
	ck_assert_uint_eq(st.rax, 0);
}
END_TEST

START_TEST(elf_wrong)
{
	struct load_opts o = { .has_load = true }, mode = { .has_mode = true };
	struct boot_state st;
	size_t size;

	size = make_elf(64, 4 * GIB, 4 * GIB, 4 * GIB);
	expect_error(load(file, size, IMAGE_AUTO, NULL, &st), ENOSPC, "does not lie below 0x100000000");
	size = make_elf(32, 0x100000, 0x100000, 0x200000);
	expect_error(load(file, size, IMAGE_AUTO, NULL, &st), ENOEXEC, "lies in no segment");
	size = make_elf(32, 0x100000, 0x3ff001, 0x100000);
	expect_error(load(file, size, IMAGE_AUTO, NULL, &st), ENOSPC, "segment 0");
	size = make_elf(32, 0x100000, 0x100000, 0x100000);
	expect_error(load(file, size, IMAGE_AUTO, &o, &st), EINVAL, "(multiboot) takes no load address");
	expect_error(load(file, size, IMAGE_AUTO, &mode, &st), EINVAL, "(multiboot) takes no mode");
	file[offsetof(Elf32_Ehdr, e_machine)] = EM_ARM;
	expect_error(load(file, size, IMAGE_AUTO, NULL, &st), ENOEXEC, "ARM");
}
END_TEST

/* Address fields come first, also in an ELF file, however broken that is. */
START_TEST(elf_with_addresses)
{
	static struct header h;
	struct elf_seg seg = { .vaddr = 0x200000, .paddr = 0x200000, .data = &h, .size = sizeof(h) };
	struct elf_make m = { .bits = 32, .entry = 0x200000, .seg = &seg, .nseg = 1 };
	struct boot_state st;
	struct image im;
	size_t size;

	/* The header follows 52 + 32 bytes of ELF headers. */
	h = header(0x10000, 0x100000 + 84, 0x100000, 0, 0, 0x100001);
	size = elf_make(&m, file, sizeof(file));
	ck_assert_int_eq(load(file, size, IMAGE_AUTO, NULL, &st), 0);
	check_start(&st, 0x100001);
	ck_assert_mem_eq(ram + 0x100000, file, size);
	file[EI_DATA] = 0;
	ck_assert_int_eq(load(file, size, IMAGE_AUTO, NULL, &st), 0);
	ck_assert_int_eq(init(&im, file, size, IMAGE_AUTO), 0);
	ck_assert(!im.is_elf);
	ck_assert_uint_eq(im.bits, 0);
	image_done(&im);
}
END_TEST

/* ---- The information structure ---- */

static const char *string_at(uint64_t gpa)
{
	ck_assert_uint_lt(gpa, 0x9f000);
	ck_assert_ptr_nonnull(memchr(ram + gpa, 0, 0x9f000 - gpa));
	return (char *)ram + gpa;
}

static uint8_t blob1[5000], blob2[1];

static struct blob mods[] = {
	{ .path = (char *)"/boot/first", .args = (char *)"a=1 b", .data = blob1, .size = sizeof(blob1) },
	{ .path = (char *)"second", .data = blob2, .size = sizeof(blob2) },
};

START_TEST(info_structure)
{
	struct load_opts o = { .append = "root=x quiet", .modules = mods, .nmodules = 2 };
	struct header h = good();
	struct boot_state st;
	uint64_t info, m;

	memset(blob1, 0x11, sizeof(blob1));
	blob2[0] = 0x22;
	make_file(&h, 0x30, 0x300);
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, &o, &st), 0);
	check_start(&st, 0x100080);
	info = st.rbx;
	ck_assert_uint_eq(info & 3, 0);
	ck_assert_uint_ge(info, 0x1000);
	/* Clear of stack and GDT. */
	ck_assert(info >= st.gdt_base + 0x1000 || info + 1000 < st.gdt_base - 0x4000);
	ck_assert_uint_eq(ram32(info), 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
	ck_assert_uint_eq(ram32(info + 4), 640);
	ck_assert_uint_eq(ram32(info + 8), 3072);
	ck_assert_str_eq(string_at(ram32(info + 16)), "kernel root=x quiet");
	ck_assert_str_eq(string_at(ram32(info + 64)), "gdbvisor");
	ck_assert_uint_eq(ram32(info + 20), 2);
	m = ram32(info + 24);
	ck_assert_uint_eq(ram32(m), 0x101000);
	ck_assert_uint_eq(ram32(m + 4), 0x101000 + 5000);
	ck_assert_str_eq(string_at(ram32(m + 8)), "/boot/first a=1 b");
	ck_assert_uint_eq(ram32(m + 12), 0);
	ck_assert_uint_eq(ram32(m + 16), 0x103000);
	ck_assert_uint_eq(ram32(m + 20), 0x103001);
	ck_assert_str_eq(string_at(ram32(m + 24)), "second");
	ck_assert_mem_eq(ram + 0x101000, blob1, sizeof(blob1));
	ck_assert_uint_eq(ram[0x103000], 0x22);
}
END_TEST

START_TEST(info_without_options)
{
	struct header h = good();
	struct boot_state st;

	make_file(&h, 0x30, 0x300);
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, NULL, &st), 0);
	ck_assert_str_eq(string_at(ram32(st.rbx + 16)), "kernel");
	ck_assert_uint_eq(ram32(st.rbx + 20), 0);
}
END_TEST

static void check_map(uint64_t info, const uint64_t (*want)[3], size_t n)
{
	uint64_t at = ram32(info + 48), end = at + ram32(info + 44);
	size_t i;

	for (i = 0; at < end; i++, at += 4 + ram32(at)) {
		ck_assert_uint_lt(i, n);
		ck_assert_uint_eq(ram32(at), 20);
		ck_assert_uint_eq(ram64(at + 4), want[i][0]);
		ck_assert_uint_eq(ram64(at + 12), want[i][1]);
		ck_assert_uint_eq(ram32(at + 20), want[i][2]);
	}
	ck_assert_uint_eq(at, end);
	ck_assert_uint_eq(i, n);
}

START_TEST(info_memory_map)
{
	static const uint64_t simple[][3] = {
		{ 0, 0xa0000, 1 }, { 0xa0000, 0x60000, 2 }, { 0x100000, 0x300000, 1 }
	};
	static const uint64_t split[][3] = {
		{ 0, 0xa0000, 1 }, { 0xa0000, 0x60000, 2 }, { 0x100000, 0x200000, 1 }, { 0x300000, 0x1000, 2 },
		{ 0x302000, 0x1000, 1 }, { 4 * GIB, 0x10000, 1 },
	};
	static const uint64_t small[][3] = { { 0, 0x80000, 1 } };
	static uint8_t other[0x10000];
	struct header h = good();
	struct boot_state st;

	make_file(&h, 0x30, 0x300);
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, NULL, &st), 0);
	check_map(st.rbx, simple, 3);

	gmem_remove(g, 0);
	add_region(0, 0x180000, ram, false);
	add_region(0x180000, 0x180000, ram + 0x180000, false);
	add_region(0x300000, 0x1000, other, true);
	add_region(0x302000, 0x1000, other, false);
	add_region(4 * GIB, 0x10000, other, false);
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, NULL, &st), 0);
	check_map(st.rbx, split, 6);
	ck_assert_uint_eq(ram32(st.rbx + 8), 2048);

	/* Less than the first MiB. */
	gmem_free(g);
	ck_assert_int_eq(gmem_new(&g, NULL), 0);
	add_region(0, 0x80000, ram, false);
	h = header(0x10000, 0x20000, 0x20000, 0, 0, 0x20000);
	make_file(&h, 0, 0x300);
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, NULL, &st), 0);
	check_map(st.rbx, small, 1);
	ck_assert_uint_eq(ram32(st.rbx + 4), 512);
	ck_assert_uint_eq(ram32(st.rbx + 8), 0);
}
END_TEST

/* A kernel in low memory: modules still go above the first MiB. */
START_TEST(modules_above_one_mib)
{
	struct load_opts o = { .modules = mods, .nmodules = 2 };
	struct header h = header(0x10000, 0x20000, 0x20000, 0, 0, 0x20000);
	struct boot_state st;

	make_file(&h, 0, 0x300);
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, &o, &st), 0);
	ck_assert_uint_eq(ram32(ram32(st.rbx + 24)), 0x100000);

	/* Several places would do: the lowest that is large enough. */
	gmem_remove(g, 0);
	add_region(0, 0x101000, ram, false);
	add_region(0x180000, 0x2000, ram + 0x180000, false);
	add_region(0x200000, 0x2000, ram + 0x200000, false);
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, &o, &st), 0);
	ck_assert_uint_eq(ram32(ram32(st.rbx + 24)), 0x180000);
	ck_assert_uint_eq(ram32(ram32(st.rbx + 24) + 16), 0x200000);
}
END_TEST

START_TEST(no_room)
{
	static uint8_t big[0x2fe000];
	static char line[0x9f000];
	struct blob mod = { .path = (char *)"initrd", .data = big, .size = sizeof(big) };
	struct load_opts o = { .modules = &mod, .nmodules = 1 };
	struct header h = good();
	struct boot_state st;

	make_file(&h, 0x30, 0x300);
	ck_assert_int_eq(load(file, 0x300, IMAGE_AUTO, &o, &st), 0);
	ck_assert_uint_eq(ram32(ram32(st.rbx + 24)), 0x101000);
	mod.size = 0x2ff001;
	expect_error(load(file, 0x300, IMAGE_AUTO, &o, &st), ENOSPC, "0x2ff001 bytes of free RAM");
	expect_error(load(file, 0x300, IMAGE_AUTO, &o, &st), ENOSPC, "for initrd");
	memset(line, 'x', sizeof(line) - 1);
	o = (struct load_opts){ .append = line };
	expect_error(load(file, 0x300, IMAGE_AUTO, &o, &st), ENOSPC, "for the Multiboot information");
	/* The kernel itself fills low memory. */
	h = header(0x10000, 0x1000, 0x1000, 0, 0x9f000, 0x1000);
	make_file(&h, 0, 0x300);
	expect_error(load(file, 0x300, IMAGE_AUTO, NULL, &st), ENOSPC, "no 0x");
}
END_TEST

/* ---- Damage ---- */

static size_t fuzz_image(int which)
{
	struct header h = good();

	if (which < 2)
		return make_elf(which ? 64 : 32, 0x100000, 0x100000, 0x100000);
	make_file(&h, 0x30, 0x230);
	return 0x230;
}

START_TEST(every_truncation)
{
	size_t size = fuzz_image(_i), n;
	struct boot_state st;

	ck_assert_int_eq(load(file, size, IMAGE_AUTO, NULL, &st), 0);
	for (n = 1; n < size; n++) {
		survive(n);
		/* The kludge's file has bytes behind load_end_addr. */
		ck_assert(load(file, n, IMAGE_MULTIBOOT, NULL, &st) || (_i == 2 && n >= 0x220));
	}
}
END_TEST

START_TEST(random_damage)
{
	survive_damage(fuzz_image(_i), 77 + (unsigned)_i);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("multiboot");
	TCase *t = tcase_create("multiboot");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, kludge_loads);
	tcase_add_loop_test(t, header_places, 0, sizeof(places) / sizeof(places[0]));
	tcase_add_test(t, header_checksum);
	tcase_add_loop_test(t, header_lies, 0, sizeof(lies) / sizeof(lies[0]));
	tcase_add_test(t, header_cut_off);
	tcase_add_loop_test(t, elf_loads, 0, 2);
	tcase_add_test(t, elf_wrong);
	tcase_add_test(t, elf_with_addresses);
	tcase_add_test(t, info_structure);
	tcase_add_test(t, info_without_options);
	tcase_add_test(t, info_memory_map);
	tcase_add_test(t, modules_above_one_mib);
	tcase_add_test(t, no_room);
	tcase_add_loop_test(t, every_truncation, 0, 3);
	tcase_add_loop_test(t, random_damage, 0, 3);
	suite_add_tcase(s, t);
	return unit_main(s);
}
