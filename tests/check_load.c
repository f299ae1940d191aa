/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loaders, fed with images built here: what they put where, the state to start in, and every way to be
 * wrong.
 */
#include "tests/load_env.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/x86/translate.h"
#include "tests/elf_make.h"

/* ---- Blobs ---- */

START_TEST(blob_files)
{
	char dir[] = "/tmp/check_load.XXXXXX", path[64], fifo[64];
	struct blob b = { .size = 77 };
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	snprintf(fifo, sizeof(fifo), "%s/p", dir);
	ck_assert_int_eq(blob_read(path, &b, &load_err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(load_err.msg, path));
	ck_assert_int_eq(blob_read(dir, &b, &load_err), -EISDIR);
	ck_assert_int_eq(blob_read("/dev/null", &b, &load_err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(load_err.msg, "regular"));
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(blob_read(fifo, &b, &load_err), -EINVAL);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(blob_read(path, &b, &load_err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(load_err.msg, "empty"));
	ck_assert_int_eq(ftruncate(fd, (1 << 30) + 1), 0);
	ck_assert_int_eq(blob_read(path, &b, &load_err), -EFBIG);
	ck_assert_uint_eq(b.size, 77);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(write(fd, "hello", 5), 5);
	ck_assert_int_eq(blob_read(path, &b, &load_err), 0);
	ck_assert_uint_eq(b.size, 5);
	ck_assert_mem_eq(b.data, "hello", 5);
	ck_assert_str_eq(b.path, path);
	ck_assert_ptr_null(b.args);
	blob_done(&b);
	ck_assert_ptr_null(b.data);
	blob_done(&b);
	ck_assert_int_eq(blob_copy("x", "", 0, &b, &load_err), -EINVAL);
	close(fd);
	unlink(path);
	unlink(fifo);
	rmdir(dir);
}
END_TEST

/* ---- Flat ---- */

static const uint8_t code[512] = { 0xeb, 0xfe, [510] = 0x55, [511] = 0xaa };

START_TEST(flat_boot_sector)
{
	struct boot_state st;

	ck_assert_int_eq(load(code, sizeof(code), IMAGE_AUTO, NULL, &st), 0);
	ck_assert_mem_eq(ram + 0x7c00, code, sizeof(code));
	ck_assert_int_eq(st.mode, BOOT_REAL);
	ck_assert_uint_eq(st.cs.selector, 0);
	ck_assert_uint_eq(st.cs.base, 0);
	ck_assert_uint_eq(st.cs.limit, 0xffff);
	ck_assert_uint_eq(st.cs.access, 0x9b);
	ck_assert_uint_eq(st.ds.access, 0x93);
	ck_assert_uint_eq(st.rip, 0x7c00);
	ck_assert_uint_eq(st.ss.selector, 0);
	ck_assert_uint_eq(st.rsp, 0x7c00);
	ck_assert_uint_eq(st.rdx, 0x80);
	ck_assert_uint_eq(st.rflags, 2);
	ck_assert_uint_eq(st.cr0, 0x10);
	ck_assert_uint_eq(st.cr4 | st.efer | st.cr3, 0);
	ck_assert_uint_eq(st.idt_base, 0);
	ck_assert_uint_eq(st.idt_limit, 0x3ff);
	ck_assert_uint_eq(st.tr.access, 0x8b);
}
END_TEST

START_TEST(flat_real_elsewhere)
{
	struct boot_state st;
	static uint8_t big[0x9f000];
	struct load_opts o = { .has_load = true, .load = 0x23456 };

	/* Beyond 64 KiB: the segment it lies in. */
	ck_assert_int_eq(load(code, sizeof(code), IMAGE_FLAT, &o, &st), 0);
	ck_assert_mem_eq(ram + 0x23456, code, sizeof(code));
	ck_assert_uint_eq(st.cs.selector, 0x2000);
	ck_assert_uint_eq(st.cs.base, 0x20000);
	ck_assert_uint_eq(st.rip, 0x3456);
	ck_assert_uint_eq(st.rsp, 0x7c00);

	/* An entry of its own; anything in memory will do. */
	o.has_entry = true;
	o.entry = 0xfffff;
	ck_assert_int_eq(load(code, sizeof(code), IMAGE_FLAT, &o, &st), 0);
	ck_assert_uint_eq(st.cs.selector, 0xf000);
	ck_assert_uint_eq(st.rip, 0xffff);

	/* The usual stack is not free: another one that is. */
	o = (struct load_opts){ .has_load = true, .load = 0x7000 };
	ck_assert_int_eq(load(code, sizeof(code), IMAGE_FLAT, &o, &st), 0);
	ck_assert_uint_eq(st.ss.base, st.ss.selector * 16ull);
	ck_assert_uint_eq(st.ss.base, 0x9e000);
	ck_assert_uint_eq(st.rsp, 0x1000);
	o.load = 0x3000;
	ck_assert_int_eq(load(big, sizeof(big) - 0x3000, IMAGE_FLAT, &o, &st), 0);
	ck_assert_uint_eq(st.ss.base, 0);
	ck_assert_uint_eq(st.rsp, 0x3000);
	/* None at all: as after a reset. */
	o.load = 0;
	ck_assert_int_eq(load(big, sizeof(big), IMAGE_FLAT, &o, &st), 0);
	ck_assert_uint_eq(st.ss.base, 0);
	ck_assert_uint_eq(st.rsp, 0);
}
END_TEST

START_TEST(flat_protected)
{
	struct load_opts o = { .has_mode = true, .mode = BOOT_PROTECTED };
	struct boot_state st;

	ck_assert_int_eq(load(code, sizeof(code), IMAGE_AUTO, &o, &st), 0);
	check_block(&st, 0x5000);
	ck_assert_uint_eq(st.rip, 0x7c00);
	ck_assert_uint_eq(st.cr0, 0x11);
	ck_assert_uint_eq(st.cr3 | st.cr4 | st.efer, 0);
	ck_assert_uint_eq(st.cs.access, 0xc09b);
	ck_assert_uint_eq(ram64(st.gdt_base + 8), 0x00cf9b000000ffff);
	ck_assert_uint_eq(st.rdx, 0);
}
END_TEST

/* Every 2M page of the first 4 GiB, asked of our own walker. */
static void check_identity(const struct boot_state *st)
{
	struct paging p = { .cr0 = st->cr0, .cr3 = st->cr3, .cr4 = st->cr4, .efer = st->efer, .phys_bits = 36 };
	struct translation t;
	uint64_t gva;

	for (gva = 0; gva < 4 * GIB; gva += 0x200000) {
		ck_assert(!translate(g, &p, gva + 0x1234, &t, NULL));
		ck_assert(t.gpa == gva + 0x1234 && t.page_size == 0x200000 && t.writable && t.executable);
	}
	ck_assert_int_eq(translate(g, &p, 4 * GIB, &t, NULL), -EFAULT);
}

START_TEST(flat_long)
{
	struct load_opts o = { .has_mode = true, .mode = BOOT_LONG, .has_load = true, .load = 0x200000 };
	struct boot_state st;

	ck_assert_int_eq(load(code, sizeof(code), IMAGE_AUTO, &o, &st), 0);
	check_block(&st, 0xb000);
	check_identity(&st);
	ck_assert_uint_eq(st.rip, 0x200000);
	ck_assert_uint_eq(st.cr0, 0x80000033);
	ck_assert_uint_eq(st.cr4, 0x620);
	ck_assert_uint_eq(st.efer, 0x500);
	ck_assert_uint_eq(st.cs.access, 0xa09b);
	ck_assert_uint_eq(ram64(st.gdt_base + 8), 0x00af9b000000ffff);
}
END_TEST

/* The block avoids the image wherever it is, and says so when it cannot. */
START_TEST(flat_block_avoids_image)
{
	static uint8_t big[0x9e000];
	struct load_opts o = { .has_mode = true, .mode = BOOT_LONG, .has_load = true };
	struct boot_state st;
	uint64_t start;

	for (o.load = 0; o.load < 0xa0000; o.load += 0x1357) {
		size_t size = 0x6000;

		memset(big, 0xcc, size);
		ck_assert_int_eq(load(big, size, IMAGE_FLAT, &o, &st), 0);
		start = st.gdt_base - 0x4000;
		ck_assert(start >= o.load + size || start + 0xb000 <= o.load);
		ck_assert_mem_eq(ram + o.load, big, size);
		check_block(&st, 0xb000);
	}
	o.load = 0xc000;
	ck_assert_int_eq(load(big, 0x93000, IMAGE_FLAT, &o, &st), 0);
	ck_assert_uint_eq(st.gdt_base, 0x5000);
	o.load = 0xbfff;
	expect_error(load(big, 0x93001, IMAGE_FLAT, &o, &st), ENOSPC,
		     "0xb000 bytes of free RAM in 0x1000-0x9efff");
	expect_error(load(big, 0x93001, IMAGE_FLAT, &o, &st), ENOSPC, "boot stack");
}
END_TEST

static const struct {
	struct load_opts o;
	size_t size;
	int code;
	const char *says;
} flat_errors[] = {
	{ { .has_load = true, .load = RAM_SIZE - 511 }, 512, ENOSPC, "0x3ffe01-0x400000" },
	{ { .has_load = true, .load = RAM_SIZE - 511 }, 512, ENOSPC, "-m" },
	{ { .has_load = true, .load = 1ull << 50 }, 512, ENOSPC, "ends at 0x400000" },
	{ { .has_load = true, .load = UINT64_MAX - 100 }, 512, EINVAL, "wraps" },
	{ { .has_load = true, .load = 0x100000 }, 512, EINVAL, "real mode starts below 1 MiB" },
	{ { .has_entry = true, .entry = 0x100000 }, 512, EINVAL, "0x100000" },
	{ { .has_entry = true, .entry = RAM_SIZE, .has_mode = true, .mode = BOOT_LONG }, 512, EINVAL,
	  "no memory" },
	{ { .has_entry = true, .entry = 4 * GIB, .has_mode = true, .mode = BOOT_PROTECTED }, 512, EINVAL,
	  "4 GiB" },
	{ { .has_entry = true, .entry = 4 * GIB, .has_mode = true, .mode = BOOT_LONG }, 512, EINVAL, "identity" },
	{ { .append = "quiet" }, 512, EINVAL, "(flat) takes no command line" },
	{ { .nmodules = 1 }, 512, EINVAL, "(flat) takes no modules" },
};

START_TEST(flat_wrong)
{
	struct boot_state st, before;

	memset(&st, 0xee, sizeof(st));
	before = st;
	expect_error(load(code, flat_errors[_i].size, IMAGE_FLAT, &flat_errors[_i].o, &st), flat_errors[_i].code,
		     flat_errors[_i].says);
	ck_assert_mem_eq(&st, &before, sizeof(st));
}
END_TEST

/* Two regions of RAM with a hole, ROM, and regions that only together are large enough. */
START_TEST(flat_regions)
{
	static uint8_t high[0x10000], rom[0x1000];
	struct load_opts o = { .has_load = true, .has_mode = true, .mode = BOOT_LONG };
	static uint8_t data[0x3000];
	struct boot_state st;

	gmem_remove(g, 0);
	add_region(0, 0x200000, ram, false);
	add_region(0x200000, 0x1000, ram + 0x200000, false);
	add_region(0x202000, 0x1000, rom, true);
	add_region(4 * GIB, sizeof(high), high, false);
	memset(data, 0x5a, sizeof(data));

	o.load = 0x1ff000;
	ck_assert_int_eq(load(data, 0x2000, IMAGE_FLAT, &o, &st), 0);
	ck_assert_mem_eq(ram + 0x1ff000, data, 0x2000);
	expect_error(load(data, 0x2001, IMAGE_FLAT, &o, &st), ENOSPC,
		     "lies outside guest RAM, which ends at 0x10001");
	ck_assert_ptr_null(strstr(load_err.msg, "-m"));
	o.load = 0x202000;
	expect_error(load(data, 1, IMAGE_FLAT, &o, &st), ENOSPC, "ROM at 0x202000");
	o = (struct load_opts){ .has_mode = true, .mode = BOOT_LONG, .has_load = true, .load = 4 * GIB,
				.has_entry = true };
	/* ROM can be started in, and high RAM be loaded to. */
	o.entry = 0x202000;
	ck_assert_int_eq(load(data, sizeof(data), IMAGE_FLAT, &o, &st), 0);
	ck_assert_mem_eq(high, data, sizeof(data));
}
END_TEST

/* ---- ELF ---- */

static const uint8_t text[64] = "this stands for code";
static const uint8_t dat[16] = "initialised";

static const struct elf_seg low_segs[] = {
	{ .vaddr = 0x100000, .paddr = 0x100000, .data = text, .size = sizeof(text) },
	{ .vaddr = 0x102000, .paddr = 0x102000, .data = dat, .size = sizeof(dat), .memsz = 0x3000 },
	{ .type = PT_NOTE, .vaddr = 0, .paddr = UINT64_MAX, .memsz = 100 },
};

static const struct elf_seg high_segs[] = {
	{ .vaddr = 0xffffffff80100000, .paddr = 0x100000, .data = text, .size = sizeof(text) },
	{ .vaddr = 0xffffffff80102000, .paddr = 0x202000, .data = dat, .size = sizeof(dat), .memsz = 0x3000 },
};

START_TEST(elf_loads)
{
	unsigned bits = _i ? 64 : 32;
	struct elf_make m = { .bits = bits, .entry = 0x100010, .seg = low_segs, .nseg = 3 };
	size_t size = elf_make(&m, file, sizeof(file)), i;
	struct boot_state st;
	struct image im;

	memset(ram + 0x102000, 0xaa, 0x4000);
	ck_assert_int_eq(load(file, size, IMAGE_AUTO, NULL, &st), 0);
	ck_assert_int_eq(st.mode, bits == 64 ? BOOT_LONG : BOOT_PROTECTED);
	ck_assert_uint_eq(st.rip, 0x100010);
	ck_assert_mem_eq(ram + 0x100000, text, sizeof(text));
	ck_assert_mem_eq(ram + 0x102000, dat, sizeof(dat));
	for (i = sizeof(dat); i < 0x3000; i++)
		ck_assert(!ram[0x102000 + i]);
	ck_assert_uint_eq(ram[0x105000], 0xaa);
	check_block(&st, bits == 64 ? 0xb000 : 0x5000);
	if (bits == 64)
		check_identity(&st);

	ck_assert_int_eq(init(&im, file, size, IMAGE_ELF), 0);
	ck_assert_int_eq(im.kind, IMAGE_ELF);
	ck_assert(im.is_elf);
	ck_assert_uint_eq(im.bits, bits);
	ck_assert_str_eq(im.kind_name, bits == 64 ? "elf64" : "elf32");
	image_done(&im);
	image_done(&im);
}
END_TEST

START_TEST(elf_linked_high)
{
	struct elf_make m = { .bits = 64, .entry = 0xffffffff80102008, .seg = high_segs, .nseg = 2 };
	struct load_opts o = { .has_entry = true, .entry = 0x100020 };
	struct boot_state st;
	size_t size = elf_make(&m, file, sizeof(file));

	ck_assert_int_eq(load(file, size, IMAGE_AUTO, NULL, &st), 0);
	ck_assert_uint_eq(st.rip, 0x202008);
	ck_assert_mem_eq(ram + 0x202000, dat, sizeof(dat));
	/* --entry is physical, and makes up for an entry point that is nowhere. */
	ck_assert_int_eq(load(file, size, IMAGE_AUTO, &o, &st), 0);
	ck_assert_uint_eq(st.rip, 0x100020);
	m.entry = 0x100000;
	size = elf_make(&m, file, sizeof(file));
	ck_assert_int_eq(load(file, size, IMAGE_AUTO, &o, &st), 0);
	expect_error(load(file, size, IMAGE_AUTO, NULL, &st), ENOEXEC, "entry point 0x100000 lies in no segment");
	o.entry = 1ull << 40;
	expect_error(load(file, size, IMAGE_AUTO, &o, &st), EINVAL, "4 GiB");
	/* The last byte of the last segment is missing. */
	expect_error(load(file, size - 1, IMAGE_AUTO, &o, &st), ENOEXEC,
		     "truncated: segment 1 (offset 0xf0, 0x10");
	/* A shared object's own addresses are as good. */
	m.entry = 0xffffffff80100000;
	m.type = ET_DYN;
	size = elf_make(&m, file, sizeof(file));
	ck_assert_int_eq(load(file, size, IMAGE_AUTO, NULL, &st), 0);
	ck_assert_uint_eq(st.rip, 0x100000);
}
END_TEST

static const struct elf_seg crossed_segs[] = {
	{ .vaddr = 0x1000, .paddr = 0x2000, .memsz = 0x1000 },
	{ .vaddr = 0x2000, .paddr = 0x4000, .memsz = 0x1000 },
	{ .vaddr = 0x3000, .paddr = 0x1001, .memsz = 0x1000 },
};

#define SEG(...) (const struct elf_seg[]){ __VA_ARGS__ }, .nseg = 1

static const struct {
	struct elf_make m;
	struct load_opts o;
	int code;
	const char *says;
} elf_errors[] = {
	{ { .bits = 64, .machine = EM_AARCH64, .seg = low_segs, .nseg = 1 }, { }, ENOEXEC,
	  "64-bit ELF for AArch64" },
	{ { .bits = 32, .machine = EM_ARM, .seg = low_segs, .nseg = 1 }, { }, ENOEXEC, "ARM" },
	{ { .bits = 32, .machine = EM_X86_64, .seg = low_segs, .nseg = 1 }, { }, ENOEXEC,
	  "32-bit ELF for x86-64" },
	{ { .bits = 64, .machine = EM_386, .seg = low_segs, .nseg = 1 }, { }, ENOEXEC, "64-bit ELF for x86;" },
	{ { .bits = 64, .machine = 4711, .seg = low_segs, .nseg = 1 }, { }, ENOEXEC, "machine 4711" },
	{ { .bits = 64, .type = ET_REL, .seg = low_segs, .nseg = 1 }, { }, ENOEXEC, "relocatable" },
	{ { .bits = 64, .type = ET_CORE, .seg = low_segs, .nseg = 1 }, { }, ENOEXEC, "core dump" },
	{ { .bits = 64, .type = 0xfe00, .seg = low_segs, .nseg = 1 }, { }, ENOEXEC, "type 65024" },
	{ { .bits = 64 }, { }, ENOEXEC, "without a segment" },
	{ { .bits = 32, .seg = &low_segs[2], .nseg = 1 }, { }, ENOEXEC, "without a segment" },
	{ { .bits = 64, .entry = 0x100040, .seg = low_segs, .nseg = 1 }, { }, ENOEXEC,
	  "0x100040 lies in no segment" },
	{ { .bits = 64, .entry = 0xfffff, .seg = low_segs, .nseg = 1 }, { }, ENOEXEC, "in no segment" },
	{ { .bits = 64, .seg = SEG({ .paddr = 0x3ff000, .memsz = 0x2000 }) }, { }, ENOSPC,
	  "segment 0 (0x3ff000-0x400fff) lies outside guest RAM, which ends at 0x400000: give it more memory "
	  "with -m" },
	{ { .bits = 64, .seg = SEG({ .paddr = 0xffffffff80000000, .memsz = 0x1000 }) }, { }, ENOSPC,
	  "(0xffffffff80000000-0xffffffff80000fff) lies outside guest RAM, which ends at 0x400000" },
	{ { .bits = 64, .seg = SEG({ .paddr = UINT64_MAX - 10, .memsz = 10 }) }, { }, ENOSPC, "outside" },
	{ { .bits = 64, .seg = SEG({ .paddr = UINT64_MAX - 10, .memsz = 11 }) }, { }, ENOEXEC, "wraps" },
	{ { .bits = 64, .seg = SEG({ .paddr = 0x1000, .memsz = UINT64_MAX }) }, { }, ENOEXEC, "segment 0 (0xfff" },
	{ { .bits = 32, .seg = SEG({ .paddr = 0xfffff000, .memsz = 0x1000 }) }, { }, ENOSPC, "outside" },
	{ { .bits = 32, .seg = SEG({ .paddr = 0xfffff000, .memsz = 0x1001 }) }, { }, ENOEXEC, "wraps" },
	{ { .bits = 64, .seg = SEG({ .paddr = 0x1000, .data = text, .size = 64, .memsz = 63 }) }, { }, ENOEXEC,
	  "segment 0 has more bytes in the file (0x40) than in memory (0x3f)" },
	{ { .bits = 64, .seg = crossed_segs, .nseg = 3 }, { }, ENOEXEC, "two segments overlap at 0x2000" },
	{ { .bits = 64, .seg = low_segs, .nseg = 1, .wild = 2 }, { }, ENOEXEC, "extended numbering" },
	{ { .bits = 64, .seg = low_segs, .nseg = 1, .sym = (struct elf_sym[]){ { "a", 0, 0, 0, 0 } }, .wild = 1 },
	  { }, ENOEXEC, "extended numbering" },
	{ { .bits = 64, .seg = low_segs, .nseg = 1 }, { .has_load = true }, EINVAL,
	  "(elf64) takes no load address" },
	{ { .bits = 32, .seg = low_segs, .nseg = 1 }, { .has_mode = true }, EINVAL, "(elf32) takes no mode" },
	{ { .bits = 32, .seg = low_segs, .nseg = 1 }, { .append = "" }, EINVAL, "takes no command line" },
	{ { .bits = 32, .seg = low_segs, .nseg = 1 }, { .nmodules = 2 }, EINVAL, "takes no modules" },
};

START_TEST(elf_wrong)
{
	struct elf_make m = elf_errors[_i].m;
	struct boot_state st, before;
	size_t size;

	if (!m.entry && m.nseg)
		m.entry = m.seg[0].vaddr;
	size = elf_make(&m, file, sizeof(file));
	memset(&st, 0xee, sizeof(st));
	before = st;
	expect_error(load(file, size, IMAGE_AUTO, &elf_errors[_i].o, &st), elf_errors[_i].code,
		     elf_errors[_i].says);
	ck_assert_mem_eq(&st, &before, sizeof(st));
}
END_TEST

/* Bytes of the identification and the header tables, one wrong at a time. */
static const struct {
	size_t at;
	uint8_t value;
	const char *says;
} elf_bytes[] = {
	{ EI_CLASS, 0, "class 0" },
	{ EI_CLASS, 3, "class 3" },
	{ EI_DATA, ELFDATA2MSB, "big-endian" },
	{ EI_DATA, 0, "byte order 0" },
	{ EI_VERSION, 9, "version 9" },
	{ offsetof(Elf64_Ehdr, e_phoff) + 1, 0xff, "truncated: 2 ELF program headers" },
	{ offsetof(Elf64_Ehdr, e_phoff) + 7, 0xff, "truncated" },
	{ offsetof(Elf64_Ehdr, e_phnum) + 1, 0x7f, "truncated" },
	{ offsetof(Elf64_Ehdr, e_phentsize), 55, "program headers of 55 bytes" },
	{ offsetof(Elf64_Ehdr, e_shoff) + 2, 0xff, "truncated: 5 ELF section headers" },
	{ offsetof(Elf64_Ehdr, e_shentsize), 1, "section headers of 1 bytes" },
	{ sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_offset) + 1, 0xff, "truncated: segment 0 (offset 0xff" },
	{ sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_offset) + 7, 0xff, "truncated: segment 0" },
};

START_TEST(elf_wrong_byte)
{
	struct elf_sym sym = { "s", 0, 0, 0, 1 };
	struct elf_make m = { .bits = 64, .entry = 0x100000, .seg = low_segs, .nseg = 2, .sym = &sym, .nsym = 1 };
	size_t size = elf_make(&m, file, sizeof(file));
	struct boot_state st;

	ck_assert_int_eq(load(file, size, IMAGE_AUTO, NULL, &st), 0);
	file[elf_bytes[_i].at] = elf_bytes[_i].value;
	expect_error(load(file, size, IMAGE_AUTO, NULL, &st), ENOEXEC, elf_bytes[_i].says);
}
END_TEST

START_TEST(elf_kinds_forced)
{
	struct elf_make m = { .bits = 64, .entry = 0x100000, .seg = low_segs, .nseg = 2 };
	size_t size = elf_make(&m, file, sizeof(file));
	struct boot_state st;
	struct image im;

	ck_assert_int_eq(init(&im, file, size, IMAGE_FLAT), 0);
	ck_assert_str_eq(im.kind_name, "flat");
	ck_assert_uint_eq(im.bits, 0);
	ck_assert(im.is_elf);
	image_done(&im);
	ck_assert_int_eq(load(file, size, IMAGE_FLAT, NULL, &st), 0);
	ck_assert_mem_eq(ram + 0x7c00, file, size);
	expect_error(load(code, sizeof(code), IMAGE_ELF, NULL, &st), ENOEXEC, "not an ELF file");
	expect_error(load(code, sizeof(code), IMAGE_MULTIBOOT, NULL, &st), ENOEXEC, "no Multiboot header");
	expect_error(load(file, size, IMAGE_MULTIBOOT, NULL, &st), ENOEXEC, "no Multiboot header");
	/* Four letters make no ELF that symbols could come from. */
	ck_assert_int_eq(init(&im, "\177ELF", 4, IMAGE_FLAT), 0);
	ck_assert(!im.is_elf);
	image_done(&im);
	expect_error(load("\177ELF", 4, IMAGE_AUTO, NULL, &st), ENOEXEC, "truncated: 4 bytes");
}
END_TEST

START_TEST(load_is_repeatable)
{
	static uint8_t first[RAM_SIZE];
	struct elf_make m = { .bits = 64, .entry = 0x100000, .seg = low_segs, .nseg = 2 };
	size_t size = elf_make(&m, file, sizeof(file));
	struct load_opts o = { 0 };
	struct boot_state a, b;
	struct image im;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	ck_assert_int_eq(init(&im, file, size, IMAGE_AUTO), 0);
	ck_assert_int_eq(image_load(&im, &o, g, &a, &load_err), 0);
	memcpy(first, ram, sizeof(ram));
	memset(ram, 0, sizeof(ram));
	ck_assert_int_eq(image_load(&im, &o, g, &b, &load_err), 0);
	ck_assert_mem_eq(first, ram, sizeof(ram));
	ck_assert_uint_eq(a.rip, b.rip);
	ck_assert_uint_eq(a.cr3, b.cr3);
	ck_assert_uint_eq(a.rsp, b.rsp);
	ck_assert_uint_eq(a.gdt_base, b.gdt_base);
	image_done(&im);
}
END_TEST

/* ---- Damage ---- */

static const struct elf_sym fuzz_syms[] = { { "main", 0x100000, 8, STT_FUNC, 1 }, { "x", 0x102000, 0, STT_NOTYPE,
										    2 } };

static size_t fuzz_image(int which)
{
	struct elf_make m = {
		.bits = which ? 64 : 32, .entry = 0x100000, .seg = low_segs, .nseg = 2, .sym = fuzz_syms, .nsym = 2
	};

	return elf_make(&m, file, sizeof(file));
}

/* Nothing that lost bytes it says it has may start. */
START_TEST(every_truncation)
{
	size_t size = fuzz_image(_i), n;
	struct boot_state st;

	ck_assert_int_eq(load(file, size, IMAGE_AUTO, NULL, &st), 0);
	for (n = 1; n < size; n++) {
		survive(n);
		ck_assert_int_ne(load(file, n, IMAGE_ELF, NULL, &st), 0);
	}
}
END_TEST

START_TEST(random_damage)
{
	survive_damage(fuzz_image(_i), 1234 + (unsigned)_i);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("load");
	TCase *t = tcase_create("load");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, blob_files);
	tcase_add_test(t, flat_boot_sector);
	tcase_add_test(t, flat_real_elsewhere);
	tcase_add_test(t, flat_protected);
	tcase_add_test(t, flat_long);
	tcase_add_test(t, flat_block_avoids_image);
	tcase_add_loop_test(t, flat_wrong, 0, sizeof(flat_errors) / sizeof(flat_errors[0]));
	tcase_add_test(t, flat_regions);
	tcase_add_loop_test(t, elf_loads, 0, 2);
	tcase_add_test(t, elf_linked_high);
	tcase_add_loop_test(t, elf_wrong, 0, sizeof(elf_errors) / sizeof(elf_errors[0]));
	tcase_add_loop_test(t, elf_wrong_byte, 0, sizeof(elf_bytes) / sizeof(elf_bytes[0]));
	tcase_add_test(t, elf_kinds_forced);
	tcase_add_test(t, load_is_repeatable);
	tcase_add_loop_test(t, every_truncation, 0, 2);
	tcase_add_loop_test(t, random_damage, 0, 2);
	suite_add_tcase(s, t);
	return unit_main(s);
}
