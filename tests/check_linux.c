/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linux: bzImages and ELF kernels right and lying, each entry, what the kernel is told, and what cannot be. */
#include "load/linux.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bzimage_make.h"
#include "tests/elf_make.h"
#include "tests/load_env.h"

#define ENTRY           0x200040u       /* of the ELF kernels */

static uint8_t initrd_bytes[0x3000];

/* A 32- or 64-bit kernel at 2 MiB, linked high, with the notes that NOTES says. */
enum { NOTE_LINUX = 1, NOTE_PVH = 2 };

static size_t elf_kernel(unsigned bits, unsigned notes, uint64_t entry, uint8_t *buf, size_t cap)
{
	static uint8_t code[0x100];
	uint8_t note[64] = { 0 };
	uint64_t high = bits == 64 ? 0xffffffff81000000 : 0xc1000000;
	struct elf_seg seg[] = {
		{ .vaddr = high, .paddr = 0x200000, .memsz = 0x1000, .data = code, .size = sizeof(code) },
		{ .type = PT_NOTE, .data = note },
	};
	struct elf_make m = { .bits = bits, .entry = entry, .seg = seg, .nseg = notes ? 2 : 1 };
	size_t n = 0;

	memset(code, 0x90, sizeof(code));
	if (notes & NOTE_LINUX) {
		put32(note, 0, 6);
		put32(note, 4, 4);
		put32(note, 8, 0x100);
		memcpy(note + 12, "Linux", 6);
		n = 24;
	}
	if (notes & NOTE_PVH) {
		put32(note, n, 4);
		put32(note, n + 4, 4);
		put32(note, n + 8, 18);
		memcpy(note + n + 12, "Xen", 4);
		put32(note, n + 16, 0x200080);
		n += 20;
	}
	seg[1].size = n;
	return elf_make(&m, buf, cap);
}

static struct load_opts entered(uint64_t entry)
{
	return (struct load_opts){ .has_entry = true, .entry = entry };
}

static uint64_t desc(const struct boot_state *st, unsigned selector)
{
	return ram64(st->gdt_base + selector);
}

/* What the 32-bit and 64-bit protocols ask of the registers; the zero page is at RSI. */
static void check_registers(const struct boot_state *st, enum boot_mode mode, uint64_t rip)
{
	bool wide = mode == BOOT_LONG;

	ck_assert_int_eq(st->mode, mode);
	ck_assert_uint_eq(st->rip, rip);
	ck_assert_uint_eq(st->rflags, 2);
	ck_assert_uint_eq(st->cs.selector, 0x10);
	ck_assert_uint_eq(st->ds.selector, 0x18);
	ck_assert_uint_eq(st->es.selector, 0x18);
	ck_assert_uint_eq(st->ss.selector, 0x18);
	ck_assert_uint_eq(st->gdt_limit, 0x1f);
	ck_assert_uint_eq(desc(st, 0x10), wide ? 0x00af9b000000ffff : 0x00cf9b000000ffff);
	ck_assert_uint_eq(desc(st, 0x18), 0x00cf93000000ffff);
	ck_assert_uint_eq(desc(st, 0), 0);
	ck_assert_uint_eq(desc(st, 8), 0);
	ck_assert_uint_eq(st->rbx | st->rdi | st->rbp, 0);
	ck_assert_uint_eq(st->rsi & 0xfff, 0);
	ck_assert_uint_ge(st->rsi, 0x1000);
	ck_assert_uint_lt(st->rsi, 0x9f000);
}

START_TEST(bzimage_64)
{
	size_t n = bzimage_make(NULL, 0, file, sizeof(file));
	struct boot_state st;
	struct image im;

	ck_assert_msg(!load(file, n, IMAGE_AUTO, NULL, &st), "%s", load_err.msg);
	check_registers(&st, BOOT_LONG, BZ_PREF + 0x200);
	ck_assert_mem_eq(ram + BZ_PREF, file + BZ_SETUP, n - BZ_SETUP);
	/* The zero page: the header but for what loaders write, the loader's type, no initrd. */
	ck_assert_mem_eq(ram + st.rsi + 0x1f1, file + 0x1f1, 0x210 - 0x1f1);
	ck_assert_uint_eq(ram[st.rsi + 0x210], 0xff);
	ck_assert_mem_eq(ram + st.rsi + 0x22c, file + 0x22c, 0x26c - 0x22c);
	ck_assert_uint_eq(ram32(st.rsi + 0x268), 0xdecafbad);
	ck_assert_uint_eq(ram32(st.rsi + 0x26c), 0);
	ck_assert_uint_eq(ram32(st.rsi + 0x218), 0);
	ck_assert_uint_eq(ram32(st.rsi + 0x21c), 0);
	ck_assert_str_eq((char *)ram + ram32(st.rsi + 0x228), "");
	ck_assert_uint_eq(ram[st.rsi + 0x1ef], 0);
	ck_assert_uint_eq(ram64(st.rsi + 0x70), 0);
	/* 640 KiB, the hole, the rest. */
	ck_assert_uint_eq(ram[st.rsi + 0x1e8], 3);
	ck_assert_uint_eq(ram64(st.rsi + 0x2d0), 0);
	ck_assert_uint_eq(ram64(st.rsi + 0x2d8), 0xa0000);
	ck_assert_uint_eq(ram32(st.rsi + 0x2e0), 1);
	ck_assert_uint_eq(ram64(st.rsi + 0x2e4), 0xa0000);
	ck_assert_uint_eq(ram64(st.rsi + 0x2ec), 0x60000);
	ck_assert_uint_eq(ram32(st.rsi + 0x2f4), 2);
	ck_assert_uint_eq(ram64(st.rsi + 0x2f8), 0x100000);
	ck_assert_uint_eq(ram64(st.rsi + 0x300), RAM_SIZE - 0x100000);
	ck_assert_uint_eq(ram32(st.rsi + 0x308), 1);
	ck_assert_uint_eq(ram32(st.rsi + 0x1e0), (RAM_SIZE - 0x100000) / 1024);

	ck_assert_int_eq(init(&im, file, n, IMAGE_AUTO), 0);
	ck_assert_int_eq(im.kind, IMAGE_LINUX);
	ck_assert_str_eq(im.kind_name, "linux");
	ck_assert_uint_eq(im.bits, 64);
	ck_assert(!im.is_elf);
	image_done(&im);
	/* Forced to be flat it is. */
	ck_assert_int_eq(load(file, 0x300, IMAGE_FLAT, NULL, &st), 0);
}
END_TEST

START_TEST(bzimage_32)
{
	size_t n = bzimage_make(NULL, 0, file, sizeof(file));
	struct load_opts o = entered(32);
	struct boot_state st;
	struct image im;

	ck_assert_msg(!load(file, n, IMAGE_LINUX, &o, &st), "%s", load_err.msg);
	check_registers(&st, BOOT_PROTECTED, BZ_PREF);
	/* One without a 64-bit entry starts so by itself. */
	put16(file, 0x236, 0x7e);
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, NULL, &st), 0);
	check_registers(&st, BOOT_PROTECTED, BZ_PREF);
	ck_assert_int_eq(init(&im, file, n, IMAGE_AUTO), 0);
	ck_assert_uint_eq(im.bits, 32);
	image_done(&im);
	o = entered(64);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "--entry=64: this kernel has no such entry");
	/* So does one that is older than the flag, and then goes where its protocol has it. */
	put16(file, 0x236, 0x7f);
	put16(file, 0x206, 0x206);
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, NULL, &st), 0);
	check_registers(&st, BOOT_PROTECTED, 0x100000);
	ck_assert_mem_eq(ram + 0x100000, file + BZ_SETUP, n - BZ_SETUP);
	/* Or that cannot be moved. */
	put16(file, 0x206, 0x20f);
	file[0x234] = 0;
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, NULL, &st), 0);
	check_registers(&st, BOOT_LONG, 0x100200);
}
END_TEST

START_TEST(bzimage_16)
{
	size_t n = bzimage_make(NULL, 0, file, sizeof(file));
	struct load_opts o = entered(16);
	struct boot_state st;
	uint32_t v15;
	uint64_t seg;

	o.append = "quiet";
	ck_assert_msg(!load(file, n, IMAGE_LINUX, &o, &st), "%s", load_err.msg);
	ck_assert_int_eq(st.mode, BOOT_REAL);
	seg = st.ds.base;
	ck_assert_uint_eq(st.ds.selector, seg >> 4);
	ck_assert_uint_eq(st.ss.base, seg);
	ck_assert_uint_eq(st.es.base, seg);
	ck_assert_uint_eq(st.cs.selector, (seg >> 4) + 0x20);
	ck_assert_uint_eq(st.cs.base, seg + 0x200);
	ck_assert_uint_eq(st.rip, 0);
	ck_assert_uint_eq(st.rsp, 0xe000);
	ck_assert_uint_le(seg + 0x10000, 0x9f000);
	ck_assert_mem_eq(ram + seg, file, 0x1f1);
	ck_assert_uint_eq(ram[seg + 0x210], 0xff);
	ck_assert_uint_eq(ram[seg + 0x211], 0x81);
	ck_assert_uint_eq(ram32(seg + 0x214), BZ_PREF);
	ck_assert_uint_eq(ram32(seg + 0x224) & 0xffff, 0xde00);
	ck_assert_str_eq((char *)ram + ram32(seg + 0x228), "quiet");
	ck_assert_mem_eq(ram + BZ_PREF, file + BZ_SETUP, n - BZ_SETUP);
	/* The vectors, and the map behind INT 15h; exceptions are another thing than calls. */
	v15 = ram32(0x15 * 4);
	ck_assert_uint_ne(ram32(8 * 4), ram32(0x10 * 4));
	ck_assert_uint_eq(ram32(0x10 * 4), ram32(0xff * 4));
	ck_assert_uint_eq(ram32(0x70 * 4), ram32(0));
	seg = (uint64_t)(v15 >> 16) << 4;
	ck_assert_uint_eq(ram[seg + 0x59], 3);
	ck_assert_uint_eq(ram64(seg + 0x80 + 20), 0xa0000);

	file[0x1f1] = 0x40;
	put32(file, 0x1f4, 0x100);
	expect_error(load(file, 65 * 512 + 0x1000, IMAGE_LINUX, &o, &st), ENOEXEC, "real mode takes 32768 at most");
}
END_TEST

START_TEST(command_line)
{
	size_t n = bzimage_make(NULL, 0, file, sizeof(file));
	struct boot_state st;
	char text[300];
	struct load_opts o = { .append = text };

	memset(text, 'x', sizeof(text));
	text[255] = 0;
	ck_assert_msg(!load(file, n, IMAGE_AUTO, &o, &st), "%s", load_err.msg);
	ck_assert_str_eq((char *)ram + ram32(st.rsi + 0x228), text);
	text[255] = 'x';
	text[256] = 0;
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOSPC, "the command line has 256 bytes, and this kernel takes 255");
}
END_TEST

START_TEST(initrds)
{
	size_t n = bzimage_make(NULL, 0, file, sizeof(file)), i;
	struct blob two[] = {
		{ .path = (char *)"a", .data = initrd_bytes, .size = 0x1003 },
		{ .path = (char *)"b", .data = initrd_bytes + 0x1003, .size = 0x800 },
	};
	struct load_opts o = { .modules = two, .nmodules = 2 };
	struct boot_state st;
	uint32_t at;

	for (i = 0; i < sizeof(initrd_bytes); i++)
		initrd_bytes[i] = (uint8_t)(i * 5 + 1);
	ck_assert_msg(!load(file, n, IMAGE_AUTO, &o, &st), "%s", load_err.msg);
	at = ram32(st.rsi + 0x218);
	ck_assert_uint_eq(ram32(st.rsi + 0x21c), 0x1804);
	ck_assert_uint_eq(at, RAM_SIZE - 0x2000);
	ck_assert_mem_eq(ram + at, initrd_bytes, 0x1003);
	ck_assert_uint_eq(ram[at + 0x1003], 0);
	ck_assert_mem_eq(ram + at + 0x1004, initrd_bytes + 0x1003, 0x800);
	/* As high as the kernel allows. */
	put32(file, 0x22c, 0x2fffff);
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, &o, &st), 0);
	ck_assert_uint_eq(ram32(st.rsi + 0x218), 0x2fe000);
	/* But not where the kernel unpacks itself. */
	put32(file, 0x22c, BZ_PREF + BZ_INIT - 1);
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, &o, &st), 0);
	ck_assert_uint_lt(ram32(st.rsi + 0x218), BZ_PREF);
	put32(file, 0x22c, 0x100fff);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOSPC, "for the initrd");

	put32(file, 0x22c, 0x7fffffff);
	two[0].size = RAM_SIZE;
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOSPC, "for the initrd (more memory: -m)");
	two[0].size = UINT32_MAX;
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOSPC, "Linux takes less than 4 GiB");
	two[0].size = 1;
	two[0].args = (char *)"args";
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "an initrd takes no arguments (a)");
}
END_TEST

START_TEST(tables)
{
	size_t n = bzimage_make(NULL, 0, file, sizeof(file));
	struct load_opts o = { .table_cpus = 2 };
	struct boot_state st;

	ck_assert_msg(!load(file, n, IMAGE_AUTO, &o, &st), "%s", load_err.msg);
	ck_assert_uint_eq(ram64(st.rsi + 0x70), LINUX_TABLES_GPA);
	ck_assert_mem_eq(ram + LINUX_TABLES_GPA, "RSD PTR ", 8);
	ck_assert_mem_eq(ram + LINUX_TABLES_GPA + LINUX_TABLES_SIZE / 2, "_MP_", 4);
	memset(ram + 0xe0000, 0, 0x20000);
	o.no_apic = true;
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, &o, &st), 0);
	ck_assert_mem_eq(ram + LINUX_TABLES_GPA, "RSD PTR ", 8);
	ck_assert_uint_eq(ram32(LINUX_TABLES_GPA + LINUX_TABLES_SIZE / 2), 0);
}
END_TEST

/* A change to the file, SIZE bytes of VALUE at AT, and what is then said. */
static const struct {
	size_t at, size;
	uint64_t value;
	const char *says;
} lies[] = {
	{ 0x206, 2, 0x205, "boot protocol 2.05 is too old: 2.06 or later is needed" },
	{ 0x206, 2, 0x000, "boot protocol 0.00 is too old" },
	{ 0x201, 1, 0x61, "says that it ends at 0x263, where protocol 2.15 has 0x264" },
	{ 0x201, 1, 0x00, "says that it ends at 0x202" },
	{ 0x202, 4, 0, "neither a bzImage" },
	{ 0x1fe, 2, 0, "neither a bzImage" },
	{ 0x211, 1, 0, "a zImage" },
	{ 0x230, 4, 0x300000, "kernel_alignment 0x300000 is no power of two" },
	{ 0x230, 4, 0, "kernel_alignment 0x0 is no power of two" },
	{ 0x258, 8, UINT64_MAX, "does not lie between 1 MiB and 4 GiB" },
	{ 0x258, 8, 0xffff0000, "does not lie between 1 MiB and 4 GiB" },
	{ 0x258, 8, 0, "does not lie between 1 MiB and 4 GiB" },
	{ 0x258, 8, 0x201000, "pref_address 0x201000 is no multiple of its kernel_alignment 0x200000" },
	{ 0x248, 4, 0x301, "the setup header's payload (0x0 bytes at 0x301) does not lie in the kernel's 0x300 bytes" },
	{ 0x24c, 4, UINT32_MAX, "the setup header's payload (0xffffffff bytes at 0x0) does not lie in" },
	{ 0x1f1, 1, 0xff, "truncated: the setup code's 131072 bytes" },
	{ 0x1f4, 4, 0, "syssize says 0 bytes" },
	{ 0x1f4, 4, 0x20, "syssize says 512 bytes" },
	{ 0x1f4, 4, UINT32_MAX, "truncated: the setup header says 68719476720 bytes of kernel" },
	{ 0x1f4, 4, 0x300 / 16 + 1, "truncated: the setup header says 784 bytes of kernel, and the file has 768" },
};

START_TEST(header_lies)
{
	size_t n = bzimage_make(NULL, 0, file, sizeof(file));
	struct boot_state st;

	memcpy(file + lies[_i].at, &lies[_i].value, lies[_i].size);
	expect_error(load(file, n, IMAGE_LINUX, NULL, &st), ENOEXEC, lies[_i].says);
}
END_TEST

START_TEST(too_little_ram)
{
	size_t n = bzimage_make(NULL, 0, file, sizeof(file));
	struct boot_state st;

	put32(file, 0x260, RAM_SIZE);
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOSPC, "which ends at 0x400000: give it more memory with -m");
}
END_TEST

START_TEST(entries_refused)
{
	size_t n = bzimage_make(NULL, 0, file, sizeof(file));
	struct load_opts o = entered(0x100000), p = { .has_entry = true, .entry_pvh = true }, d = { .decompress = true };
	struct boot_state st;

	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "Linux is entered at 16, 32, 64 or pvh, not at 0x100000");
	expect_error(load(file, n, IMAGE_AUTO, &p, &st), EINVAL, "--entry=pvh: this kernel has no such entry");
	/* Other kinds know neither. */
	expect_error(load(file, 0x300, IMAGE_FLAT, &p, &st), EINVAL, "(flat) takes no entry as PVH guests have");
	expect_error(load(file, 0x300, IMAGE_FLAT, &d, &st), EINVAL, "(flat) takes no --decompress");
}
END_TEST

START_TEST(truncated)
{
	size_t n = bzimage_make(NULL, 0, file, sizeof(file)), i;
	struct boot_state st;

	/* Up to 15 bytes of the last paragraph need not be there. */
	for (i = 1; i < n - 15; i++)
		ck_assert_msg(load(file, i, IMAGE_LINUX, NULL, &st) == -ENOEXEC && load_err.msg[0], "%zu bytes", i);
	ck_assert_int_eq(load(file, n - 15, IMAGE_LINUX, NULL, &st), 0);
}
END_TEST

static void check_elf_64(const struct boot_state *st)
{
	check_registers(st, BOOT_LONG, ENTRY);
	ck_assert_uint_eq(ram[0x2000ff], 0x90);
	ck_assert_uint_eq(ram[0x200100], 0);
	ck_assert_uint_eq(ram[st->rsi + 0x210], 0xff);
	ck_assert_mem_eq(ram + st->rsi + 0x202, "HdrS", 4);
	ck_assert_uint_eq(ram32(st->rsi + 0x1fe) & 0xffff, 0xaa55);
}

START_TEST(vmlinux)
{
	size_t n = elf_kernel(64, NOTE_LINUX | NOTE_PVH, ENTRY, file, sizeof(file));
	struct load_opts o = { 0 };
	struct boot_state st;
	struct image im;

	ck_assert_msg(!load(file, n, IMAGE_AUTO, NULL, &st), "%s", load_err.msg);
	check_elf_64(&st);
	ck_assert_int_eq(init(&im, file, n, IMAGE_AUTO), 0);
	ck_assert_int_eq(im.kind, IMAGE_LINUX);
	ck_assert_uint_eq(im.bits, 64);
	ck_assert(im.is_elf);
	image_done(&im);
	o = entered(32);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "--entry=32: this kernel has no such entry");
	o = entered(16);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "--entry=16: this kernel has no such entry");
	o = (struct load_opts){ .decompress = true };
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "an ELF file is not compressed");

	/* Without notes it is an ELF file like any other, unless it is called Linux; a virtual entry point will do. */
	n = elf_kernel(64, 0, 0xffffffff81000040, file, sizeof(file));
	ck_assert_int_eq(init(&im, file, n, IMAGE_AUTO), 0);
	ck_assert_int_eq(im.kind, IMAGE_ELF);
	image_done(&im);
	ck_assert_msg(!load(file, n, IMAGE_LINUX, NULL, &st), "%s", load_err.msg);
	check_elf_64(&st);

	n = elf_kernel(32, NOTE_LINUX, ENTRY, file, sizeof(file));
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, NULL, &st), 0);
	check_registers(&st, BOOT_PROTECTED, ENTRY);
	o = entered(64);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "(it is a 32-bit ELF file)");
}
END_TEST

START_TEST(pvh)
{
	size_t n = elf_kernel(64, NOTE_LINUX | NOTE_PVH, ENTRY, file, sizeof(file));
	struct blob mod = { .path = (char *)"a", .data = initrd_bytes, .size = 0x1003 };
	struct load_opts o = { .has_entry = true, .entry_pvh = true, .append = "console=x", .table_cpus = 1, .modules = &mod,
			       .nmodules = 1 };
	struct boot_state st;
	uint64_t info, mods, map;

	ck_assert_msg(!load(file, n, IMAGE_AUTO, &o, &st), "%s", load_err.msg);
	ck_assert_int_eq(st.mode, BOOT_PROTECTED);
	ck_assert_uint_eq(st.rip, 0x200080);
	ck_assert_uint_eq(st.cr0, 0x11);
	info = st.rbx;
	ck_assert_uint_eq(ram32(info), 0x336ec578);
	ck_assert_uint_eq(ram32(info + 4), 1);
	ck_assert_uint_eq(ram32(info + 12), 1);
	mods = ram64(info + 16);
	ck_assert_str_eq((char *)ram + ram64(info + 24), "console=x");
	ck_assert_uint_eq(ram64(info + 32), LINUX_TABLES_GPA);
	map = ram64(info + 40);
	ck_assert_uint_eq(ram32(info + 48), 3);
	ck_assert_uint_eq(ram64(mods), RAM_SIZE - 0x2000);
	ck_assert_uint_eq(ram64(mods + 8), 0x1003);
	ck_assert_uint_eq(ram64(map + 24), 0xa0000);
	ck_assert_uint_eq(ram64(map + 32), 0x60000);
	ck_assert_uint_eq(ram32(map + 40), 2);
	/* Of one that may be no Linux at all it is the only entry that is sure. */
	n = elf_kernel(64, NOTE_PVH, ENTRY, file, sizeof(file));
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, NULL, &st), 0);
	ck_assert_uint_eq(st.rip, 0x200080);
	ck_assert_uint_eq(ram64(st.rbx + 16), 0);
}
END_TEST

/* Puts an ELF kernel, compressed, into a bzImage; returns its size. */
static size_t packed_kernel(size_t (*make)(const void *data, size_t size, uint8_t *buf, size_t cap), bool append)
{
	static uint8_t elf[8192], packed[8192];
	size_t n = elf_kernel(64, NOTE_LINUX | NOTE_PVH, ENTRY, elf, sizeof(elf) - 64), len;

	/* Relocations follow it in a real one. */
	memset(elf + n, 0x5a, 64);
	n += 64;
	len = make(elf, n, packed, sizeof(packed) - 4);
	if (append) {
		put32(packed, len, (uint32_t)n);
		len += 4;
	}
	return bzimage_make(packed, len, file, sizeof(file));
}

static const struct {
	size_t (*make)(const void *data, size_t size, uint8_t *buf, size_t cap);
	bool append;
} packers[] = {
	{ make_gzip, false }, { make_zstd, true }, { make_xz, true }, { make_lz4, true },
};

START_TEST(unpacked)
{
	struct load_opts o = { .decompress = true }, by_pvh = { .decompress = true, .has_entry = true, .entry_pvh = true };
	size_t n = packed_kernel(packers[_i].make, packers[_i].append);
	struct boot_state st;

	ck_assert_msg(!load(file, n, IMAGE_AUTO, &o, &st), "%s", load_err.msg);
	check_elf_64(&st);
	ck_assert_mem_eq(ram + st.rsi + 0x22c, file + 0x22c, 0x26c - 0x22c);
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, &by_pvh, &st), 0);
	ck_assert_uint_eq(st.rip, 0x200080);
	o.has_entry = true;
	o.entry = 16;
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "--entry=16: this kernel has no such entry");
}
END_TEST

START_TEST(payload_lies)
{
	struct load_opts o = { .decompress = true };
	struct boot_state st;
	size_t n;

	n = packed_kernel(make_lz4, true);
	put32(file, 0x24c, 0);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "does not say where the compressed kernel is");
	n = packed_kernel(make_lz4, true);
	put16(file, 0x206, 0x207);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "does not say where the compressed kernel is");
	n = packed_kernel(make_lz4, true);
	put32(file, 0x248, UINT32_MAX);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "does not lie in the kernel's");
	n = packed_kernel(make_lz4, true);
	put32(file, 0x24c, UINT32_MAX);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "does not lie in the kernel's");
	n = packed_kernel(make_lz4, true);
	put32(file, 0x248, 0);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "--decompress: compressed with nothing known");
	n = packed_kernel(make_zstd, false);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "--decompress: the");
	n = bzimage_make("\x1f\x8b\x08 and nonsense", 16, file, sizeof(file));
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "--decompress: the kernel would have 1702063717 bytes");
	n = bzimage_make("\x1f\x8b\x08 and nonsense\x20\0\0\0", 20, file, sizeof(file));
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "--decompress: the gzip data");
	/* Something is in it that is no kernel. */
	n = make_gzip("no kernel at all", 16, initrd_bytes, sizeof(initrd_bytes));
	n = bzimage_make(initrd_bytes, n, file, sizeof(file));
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "--decompress: what came out: not an ELF file");
}
END_TEST

START_TEST(survives)
{
	struct load_opts o = { .decompress = true };
	size_t n = packed_kernel(make_zstd, true), i;
	struct boot_state st;

	survive_damage(n, 7);
	survive_damage(elf_kernel(64, NOTE_LINUX | NOTE_PVH, ENTRY, file, sizeof(file)), 8);
	srand(9);
	for (i = 0; i < 500; i++) {
		n = packed_kernel(packers[i % 4].make, packers[i % 4].append);
		file[(i % 2 ? 0x1f1 : BZ_SETUP + 0x300) + (unsigned)rand() % 0x80] = (uint8_t)rand();
		if (load(file, n, IMAGE_LINUX, &o, &st))
			ck_assert(load_err.msg[0]);
	}
}
END_TEST

START_TEST(other_machine)
{
	struct elf_seg seg = { .paddr = 0x200000, .data = "x", .size = 1 };
	struct elf_make m = { .bits = 64, .machine = EM_AARCH64, .entry = 0x200000, .seg = &seg, .nseg = 1 };
	struct boot_state st;
	size_t n = elf_make(&m, file, sizeof(file));

	expect_error(load(file, n, IMAGE_LINUX, NULL, &st), ENOEXEC, "a 64-bit ELF for AArch64");
}
END_TEST

START_TEST(map_in_pieces)
{
	static uint8_t more[4096];
	struct linux_map m;
	uint64_t i;

	ck_assert_int_eq(linux_map_make(g, &m, NULL), 0);
	add_region(RAM_SIZE, 4096, more, false);
	add_region(RAM_SIZE + 8192, 4096, more, true);
	ck_assert_int_eq(linux_map_make(g, &m, NULL), 0);
	ck_assert_uint_eq(m.n, 4);
	ck_assert_uint_eq(m.e[2].size, RAM_SIZE - 0x100000 + 4096);
	ck_assert_int_eq(m.e[3].type, LINUX_MAP_RESERVED);
	for (i = 4; i < LINUX_MAP_MAX; i++)
		add_region(RAM_SIZE + i * 8192, 4096, more, false);
	ck_assert_int_eq(linux_map_make(g, &m, NULL), 0);
	ck_assert_uint_eq(m.n, LINUX_MAP_MAX);
	add_region(GIB, 4096, more, false);
	ck_assert_int_eq(linux_map_make(g, &m, &load_err), -ENOSPC);
	ck_assert_uint_eq(m.n, LINUX_MAP_MAX);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("linux");
	TCase *t = tcase_create("linux");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, bzimage_64);
	tcase_add_test(t, bzimage_32);
	tcase_add_test(t, bzimage_16);
	tcase_add_test(t, command_line);
	tcase_add_test(t, initrds);
	tcase_add_test(t, tables);
	tcase_add_loop_test(t, header_lies, 0, sizeof(lies) / sizeof(lies[0]));
	tcase_add_test(t, too_little_ram);
	tcase_add_test(t, entries_refused);
	tcase_add_test(t, truncated);
	tcase_add_test(t, vmlinux);
	tcase_add_test(t, pvh);
	tcase_add_loop_test(t, unpacked, 0, sizeof(packers) / sizeof(packers[0]));
	tcase_add_test(t, payload_lies);
	tcase_add_test(t, survives);
	tcase_add_test(t, other_machine);
	tcase_add_test(t, map_in_pieces);
	suite_add_tcase(s, t);
	return unit_main(s);
}
