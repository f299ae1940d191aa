/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multiboot 2: headers right and lying, where kernels are put, and the boot information as a kernel reads it. */
#include "tests/load_env.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "tests/elf_make.h"

#define MAGIC   0xe85250d6u

static uint8_t *out;            /* where the next tag goes */
static uint8_t *head;           /* where the header begins */

static void words(const uint32_t *w, size_t n)
{
	if (n)
		memcpy(out, w, n * sizeof(*w));
	out += n * sizeof(*w);
}

static void begin(size_t at)
{
	out = head = file + at;
	words((const uint32_t[]){ MAGIC, 0, 0, 0 }, 4);
}

/* A tag with N words of data. */
static void tag(uint16_t type, uint16_t flags, const uint32_t *w, size_t n)
{
	words((const uint32_t[]){ (uint32_t)type | (uint32_t)flags << 16, (uint32_t)(8 + n * 4) }, 2);
	words(w, n);
	if (n % 2)
		words((const uint32_t[]){ 0 }, 1);
}

static void seal(void)
{
	uint32_t w[4];

	memcpy(w, head, sizeof(w));
	w[3] = 0 - w[0] - w[1] - w[2];
	memcpy(head, w, sizeof(w));
}

static void end(void)
{
	uint32_t size;

	tag(0, 0, NULL, 0);
	size = (uint32_t)(out - head);
	memcpy(head + 8, &size, sizeof(size));
	seal();
}

static void fill(size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		file[i] = (uint8_t)(i * 7 + 1);
}

#define W(...) (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4

/* The header is at 0x20 of the file and 0x100010 of memory; the image is what follows 0x10, 0x200 bytes and 0x200 zero. */
static size_t flat(void)
{
	fill(0x400);
	begin(0x20);
	tag(2, 0, W(0x100010, 0x100000, 0x100200, 0x100400));
	tag(3, 0, W(0x100100));
	return 0x400;
}

static void check_start(const struct boot_state *st, uint64_t entry)
{
	ck_assert_int_eq(st->mode, BOOT_PROTECTED);
	ck_assert_uint_eq(st->rip, entry);
	ck_assert_uint_eq(st->rax, 0x36d76289);
	ck_assert_uint_eq(st->rbx & 7, 0);
	ck_assert_uint_eq(st->cr0, 0x11);
	ck_assert_uint_eq(st->cs.access, 0xc09b);
	check_block(st, 0x5000);
}

/* The first tag of TYPE in the boot information, behind AFTER (0: from the start); 0: there is none. */
static uint64_t find(const struct boot_state *st, uint32_t type, uint64_t after)
{
	uint64_t info = st->rbx, at = info + 8, stop = info + ram32(info);
	bool seen = !after;

	while (at < stop) {
		uint32_t size = ram32(at + 4);

		ck_assert_uint_ge(size, 8);
		ck_assert_uint_eq(at & 7, 0);
		if (seen && ram32(at) == type)
			return at;
		seen |= at == after;
		if (!ram32(at)) {
			ck_assert_uint_eq(size, 8);
			ck_assert_uint_eq(at + size, stop);
			return 0;
		}
		at += (size + 7) & ~7u;
	}
	ck_abort_msg("the boot information has no end");
}

START_TEST(addresses)
{
	size_t n = flat();
	struct boot_state st;
	struct image im;

	end();
	memset(ram + 0x100000, 0xee, 0x500);
	ck_assert_msg(!load(file, n, IMAGE_AUTO, NULL, &st), "%s", load_err.msg);
	check_start(&st, 0x100100);
	ck_assert_mem_eq(ram + 0x100000, file + 0x10, 0x200);
	ck_assert_uint_eq(ram[0x100200], 0);
	ck_assert_uint_eq(ram[0x1003ff], 0);
	ck_assert_uint_eq(ram[0x100400], 0xee);
	ck_assert_uint_eq(st.slide, 0);
	ck_assert_int_eq(init(&im, file, n, IMAGE_MULTIBOOT), 0);
	ck_assert_int_eq(im.kind, IMAGE_MULTIBOOT);
	ck_assert_str_eq(im.kind_name, "multiboot2");
	ck_assert(im.wants_tables);
	image_done(&im);
	/* All of the file. */
	begin(0x20);
	tag(2, 0, W(0x100020, UINT32_MAX, 0, 0));
	tag(3, 0, W(0x100100));
	end();
	ck_assert_msg(!load(file, n, IMAGE_AUTO, NULL, &st), "%s", load_err.msg);
	ck_assert_mem_eq(ram + 0x100000, file, n);
}
END_TEST

static const struct {
	size_t at, size;
	bool found;
} places[] = {
	{ 0, 0x8000, true }, { 8, 0x8000, true }, { 4, 0x8000, false }, { 0x8000 - 24, 0x9000, true },
	{ 0x8000 - 16, 0x9000, true }, { 0x8000 - 8, 0x9000, false }, { 0x8000, 0x9000, false },
};

START_TEST(header_places)
{
	struct image im;

	memset(file, 0, sizeof(file));
	begin(places[_i].at);
	tag(2, 0, W(0x100000, 0x100000, 0, 0));
	tag(3, 0, W(0x100000));
	end();
	ck_assert_int_eq(init(&im, file, places[_i].size, IMAGE_AUTO), 0);
	ck_assert_int_eq(im.kind, places[_i].found ? IMAGE_MULTIBOOT : IMAGE_FLAT);
	image_done(&im);
	if (!places[_i].found)
		expect_error(init(&im, file, places[_i].size, IMAGE_MULTIBOOT), ENOEXEC,
			     "nor one of Multiboot 2 in the first 32 KiB");
	head[12] ^= 1;
	if (places[_i].found)
		expect_error(init(&im, file, places[_i].size, IMAGE_MULTIBOOT), ENOEXEC,
			     "the Multiboot 2 header has a wrong checksum");
}
END_TEST

/* A tag before the good ones, and what is then said; NULL: nothing, it starts. */
static const struct {
	uint16_t type, flags;
	uint32_t w[6];
	size_t n;
	const char *says;
} tags[] = {
	{ 1, 0, { 1, 3, 4, 6, 9, 21 }, 6, NULL },
	{ 1, 0, { 22 }, 1, "requires information of a type that is not known (22)" },
	{ 1, 1, { 22 }, 1, NULL },
	{ 1, 0, { 1, 12 }, 2, "requires information of EFI, and the machine has none (12)" },
	{ 4, 0, { 3 }, 1, NULL },
	{ 5, 0, { 80, 25, 0 }, 3, NULL },
	{ 5, 0, { 1024, 768, 32 }, 3, "requires a graphical screen, and the machine has a text screen (tag 5)" },
	{ 5, 1, { 1024, 768, 32 }, 3, NULL },
	{ 6, 0, { 0 }, 0, NULL },
	{ 7, 0, { 0 }, 0, "requires EFI, and the machine has none (tag 7)" },
	{ 8, 0, { 0x100000 }, 1, "requires EFI, and the machine has none (tag 8)" },
	{ 9, 0, { 0x100000 }, 1, "requires EFI, and the machine has none (tag 9)" },
	{ 9, 1, { 0x100000 }, 1, NULL },
	{ 11, 0, { 0 }, 0, "requires what is not known (tag 11)" },
	{ 0xffff, 1, { 0 }, 2, NULL },
	{ 2, 0, { 0x100010 }, 1, "tag 2 has 12 bytes; it should have 24" },
	{ 3, 0, { 0 }, 0, "tag 3 has 8 bytes; it should have 12" },
	{ 10, 0, { 0, 0 }, 2, "tag 10 has 16 bytes; it should have 24" },
	{ 10, 0, { 0, UINT32_MAX, 3, 0 }, 4, "relocation align 0x3 is no power of two" },
	{ 10, 0, { 2, 1, 1, 0 }, 4, "relocation min_addr 0x2 is above its max_addr 0x1" },
};

START_TEST(tags_taken)
{
	struct boot_state st;
	int rc;

	fill(0x400);
	begin(0x20);
	tag(tags[_i].type, tags[_i].flags, tags[_i].w, tags[_i].n);
	tag(2, 0, W(0x100010, 0x100000, 0x100200, 0x100400));
	tag(3, 0, W(0x100100));
	end();
	rc = load(file, 0x400, IMAGE_AUTO, NULL, &st);
	if (tags[_i].says)
		expect_error(rc, ENOEXEC, tags[_i].says);
	else
		ck_assert_msg(!rc, "%s", load_err.msg);
}
END_TEST

START_TEST(header_lies)
{
	struct boot_state st;
	size_t n = flat();

	end();
	/* architecture, length */
	head[4] = 4;
	seal();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "for architecture 4, MIPS, not for i386");
	head[4] = 0;
	head[8] = 16;
	seal();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "says it has 16 bytes, and the least is 24");
	/* before the end tag */
	head[8] = 56;
	seal();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "tags have no end");
	head[8] = 64;
	head[10] = 1;
	seal();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "the file ends inside the Multiboot 2 header");
	head[10] = 0;
	/* the first tag's size */
	head[20] = 7;
	seal();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "tag 2 says it has 7 bytes, and the header ends after 48");
	head[20] = 49;
	seal();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "tag 2 says it has 49 bytes");
	memset(head + 20, 0xff, 4);
	seal();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "tag 2 says it has 4294967295 bytes");
	/* addresses that lie */
	begin(0x20);
	tag(2, 0, W(0x100010, 0x100011, 0, 0));
	tag(3, 0, W(0x100100));
	end();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "load_addr 0x100011 is above header_addr");
	begin(0x20);
	tag(2, 0, W(0x100010, 0x100000, 0, 0));
	tag(3, 0, W(0x200000));
	end();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "entry_addr 0x200000 lies outside the image");
	begin(0x20);
	tag(2, 0, W(0x100010, 0x100000, 0, 0));
	end();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "gives addresses and no entry address");
	begin(0x20);
	end();
	expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOEXEC, "gives no addresses, and this is no ELF file");
}
END_TEST

/* An ELF kernel, linked high, with TAG (type 0: none) in its header, and sections, one of them a symbol table. */
static size_t elf(uint16_t type, const uint32_t *w, size_t n)
{
	static uint8_t code[0x200];
	const uint64_t high = 0xffffffff80000000;
	const struct elf_seg seg = { .vaddr = high + 0x100000, .paddr = 0x100000, .memsz = 0x1000, .data = code,
				     .size = sizeof(code) };
	const struct elf_sym sym = { "main", high + 0x100000, 4, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 1 };
	const struct elf_make m = { .bits = 64, .entry = high + 0x100040, .seg = &seg, .nseg = 1, .sym = &sym, .nsym = 1,
				    .text = high + 0x100000, .text_size = 0x200 };

	memset(file, 0, 0x200);
	begin(0);
	if (type)
		tag(type, 0, w, n);
	end();
	memcpy(code, file, (size_t)(out - head));
	memset(code + (out - head), 0x90, sizeof(code) - (size_t)(out - head));
	/* Its segment begins there in the file. */
	ck_assert_uint_eq((sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr)) % 8, 0);
	return elf_make(&m, file, sizeof(file));
}

START_TEST(elf_64)
{
	size_t n = elf(0, NULL, 0), i;
	struct boot_state st;
	struct image im;
	uint64_t at;

	ck_assert_msg(!load(file, n, IMAGE_AUTO, NULL, &st), "%s", load_err.msg);
	/* In protected mode, for all that, and at its physical address. */
	check_start(&st, 0x100040);
	ck_assert_uint_eq(ram[0x1001ff], 0x90);
	ck_assert_uint_eq(ram[0x100fff], 0);
	ck_assert_int_eq(init(&im, file, n, IMAGE_AUTO), 0);
	ck_assert_uint_eq(im.bits, 64);
	ck_assert(im.is_elf);
	image_done(&im);
	/* The sections: as in the file, but for those that are nowhere by themselves. */
	at = find(&st, 9, 0);
	ck_assert_uint_eq(ram32(at + 8), 5);
	ck_assert_uint_eq(ram32(at + 12), sizeof(Elf64_Shdr));
	ck_assert_uint_eq(ram32(at + 16), 4);
	for (i = 1; i < 5; i++) {
		Elf64_Shdr sh, was;

		memcpy(&sh, ram + at + 20 + i * sizeof(sh), sizeof(sh));
		memcpy(&was, file + n - (5 - i) * sizeof(was), sizeof(was));
		if (i == 1) {
			ck_assert_uint_eq(sh.sh_addr, 0xffffffff80100000);
		} else if (i > 2) {
			ck_assert_uint_ge(sh.sh_addr, 0x101000);
			ck_assert_uint_lt(sh.sh_addr, RAM_SIZE - sh.sh_size);
			ck_assert_mem_eq(ram + sh.sh_addr, file + was.sh_offset, was.sh_size);
		}
		sh.sh_addr = was.sh_addr;
		ck_assert_mem_eq(&sh, &was, sizeof(sh));
	}
	ck_assert_uint_eq(find(&st, 21, 0), 0);
	ck_assert_uint_eq(find(&st, 15, 0), 0);
}
END_TEST

START_TEST(entries)
{
	struct load_opts o = { .has_entry = true, .entry = 0x100080 };
	size_t n = elf(3, W(0x100060));
	struct boot_state st;

	ck_assert_msg(!load(file, n, IMAGE_AUTO, NULL, &st), "%s", load_err.msg);
	ck_assert_uint_eq(st.rip, 0x100060);
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, &o, &st), 0);
	ck_assert_uint_eq(st.rip, 0x100080);
}
END_TEST

static const struct {
	uint32_t w[4];          /* min, max, align, preference */
	uint64_t base;          /* 0: no place */
} relocations[] = {
	{ { 0, UINT32_MAX, 0x1000, 0 }, 0x100000 },
	{ { 0, UINT32_MAX, 0x1000, 1 }, 0x100000 },
	{ { 0x180000, UINT32_MAX, 0x1000, 0 }, 0x180000 },
	{ { 0x180001, UINT32_MAX, 0x100000, 1 }, 0x200000 },
	{ { 0, UINT32_MAX, 0x1000, 2 }, RAM_SIZE - 0x1000 },
	{ { 0, 0x300fff, 0x1000, 2 }, 0x300000 },
	{ { 0, 0x300ffe, 0x1000, 2 }, 0x2ff000 },
	{ { 0, UINT32_MAX, 0x200000, 0 }, 0x200000 },
	{ { 0x400000, UINT32_MAX, 0x1000, 0 }, 0 },
	{ { 0, 0x1000, 0x1000, 0 }, 0 },
};

START_TEST(relocated)
{
	size_t n = elf(10, relocations[_i].w, 4);
	uint64_t base = relocations[_i].base, at;
	struct boot_state st;

	if (!base) {
		expect_error(load(file, n, IMAGE_AUTO, NULL, &st), ENOSPC, "for the relocatable kernel");
		return;
	}
	ck_assert_msg(!load(file, n, IMAGE_AUTO, NULL, &st), "%s", load_err.msg);
	check_start(&st, base + 0x40);
	ck_assert_uint_eq(ram[base + 0x1ff], 0x90);
	ck_assert_uint_eq(st.slide, base - 0x100000);
	at = find(&st, 21, 0);
	ck_assert_uint_eq(ram32(at + 4), 12);
	ck_assert_uint_eq(ram32(at + 8), base);
}
END_TEST

START_TEST(flat_relocated)
{
	struct boot_state st;
	size_t n = flat();

	tag(10, 0, W(0x200000, UINT32_MAX, 0x1000, 1));
	end();
	ck_assert_msg(!load(file, n, IMAGE_AUTO, NULL, &st), "%s", load_err.msg);
	check_start(&st, 0x200100);
	ck_assert_mem_eq(ram + 0x200000, file + 0x10, 0x200);
	ck_assert_uint_eq(ram32(find(&st, 21, 0) + 8), 0x200000);
}
END_TEST

/* Of SIZE bytes, as ACPI has it. */
static uint8_t sum(uint64_t gpa, size_t size)
{
	uint8_t v = 0;

	for (; size; size--)
		v = (uint8_t)(v + ram[gpa++]);
	return v;
}

START_TEST(information)
{
	struct blob mods[] = {
		{ .path = (char *)"one", .args = (char *)"its args", .data = file, .size = 0x1234 },
		{ .path = (char *)"two", .data = file + 16, .size = 8 },
	};
	struct load_opts o = { .append = "root=x y", .modules = mods, .nmodules = 2, .table_cpus = 1 };
	struct boot_state st;
	size_t n = flat();
	uint64_t at, xsdt;

	end();
	ck_assert_msg(!load(file, n, IMAGE_AUTO, &o, &st), "%s", load_err.msg);
	check_start(&st, 0x100100);
	ck_assert_uint_eq(ram32(st.rbx + 4), 0);
	at = find(&st, 1, 0);
	ck_assert_uint_eq(ram32(at + 4), 8 + 9);
	ck_assert_str_eq((char *)ram + at + 8, "root=x y");
	ck_assert_str_eq((char *)ram + find(&st, 2, 0) + 8, "gdbvisor");
	at = find(&st, 3, 0);
	ck_assert_uint_eq(ram32(at + 8), 0x101000);
	ck_assert_uint_eq(ram32(at + 12), 0x102234);
	ck_assert_str_eq((char *)ram + at + 16, "its args");
	ck_assert_mem_eq(ram + 0x101000, file, 0x1234);
	at = find(&st, 3, at);
	ck_assert_uint_eq(ram32(at + 8), 0x103000);
	ck_assert_uint_eq(ram32(at + 4), 17);
	ck_assert_uint_eq(ram[at + 16], 0);
	ck_assert_uint_eq(find(&st, 3, at), 0);
	at = find(&st, 4, 0);
	ck_assert_uint_eq(ram32(at + 8), 640);
	ck_assert_uint_eq(ram32(at + 12), 3072);
	at = find(&st, 6, 0);
	ck_assert_uint_eq(ram32(at + 4), 16 + 3 * 24);
	ck_assert_uint_eq(ram32(at + 8), 24);
	ck_assert_uint_eq(ram32(at + 12), 0);
	ck_assert_uint_eq(ram64(at + 16 + 24), 0xa0000);
	ck_assert_uint_eq(ram64(at + 16 + 32), 0x60000);
	ck_assert_uint_eq(ram32(at + 16 + 40), 2);
	ck_assert_uint_eq(ram64(at + 16 + 48), 0x100000);
	ck_assert_uint_eq(ram32(at + 16 + 64), 1);
	at = find(&st, 8, 0);
	ck_assert_uint_eq(ram64(at + 8), 0xb8000);
	ck_assert_uint_eq(ram32(at + 16), 160);
	ck_assert_uint_eq(ram32(at + 28), 16 | 2 << 8);
	at = find(&st, 15, 0);
	ck_assert_uint_eq(ram32(at + 4), 8 + 36);
	ck_assert_mem_eq(ram + at + 8, ram + LINUX_TABLES_GPA, 36);
	ck_assert_mem_eq(ram + at + 8, "RSD PTR ", 8);
	/* The older one leads to the same tables. */
	at = find(&st, 14, 0);
	ck_assert_uint_eq(ram32(at + 4), 8 + 20);
	ck_assert_mem_eq(ram + at + 8, "RSD PTR ", 8);
	ck_assert_uint_eq(ram[at + 8 + 15], 0);
	ck_assert_uint_eq(sum(at + 8, 20), 0);
	at = ram32(at + 8 + 16);
	ck_assert_mem_eq(ram + at, "RSDT", 4);
	ck_assert_uint_eq(sum(at, ram32(at + 4)), 0);
	xsdt = ram64(LINUX_TABLES_GPA + 24);
	ck_assert_uint_eq((ram32(at + 4) - 36) * 2, ram32(xsdt + 4) - 36);
	ck_assert_uint_eq(ram32(at + 36), ram64(xsdt + 36));
	ck_assert_mem_eq(ram + ram32(at + 36), "FACP", 4);
	ck_assert_uint_eq(find(&st, 9, 0), 0);
	/* Without options there is a command line, and it is empty. */
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, NULL, &st), 0);
	ck_assert_uint_eq(ram32(find(&st, 1, 0) + 4), 9);
	ck_assert_uint_eq(find(&st, 3, 0), 0);
	mods[0].size = RAM_SIZE;
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOSPC, "for one");
}
END_TEST

/* With headers of both versions it is one of version 2. */
START_TEST(both)
{
	static const uint32_t one[] = { 0x1badb002, 0, 0 - 0x1badb002u };
	struct boot_state st;
	size_t n = flat();

	end();
	memcpy(file + 0x100, one, sizeof(one));
	ck_assert_msg(!load(file, n, IMAGE_AUTO, NULL, &st), "%s", load_err.msg);
	ck_assert_uint_eq(st.rax, 0x36d76289);
}
END_TEST

START_TEST(sections_lie)
{
	size_t n = elf(0, NULL, 0);
	struct boot_state st;
	Elf64_Shdr sh;
	uint64_t at;

	/* Each lies in the file, and together they have more than it. */
	memcpy(&sh, file + n - 2 * sizeof(sh), sizeof(sh));
	sh.sh_offset = 0;
	sh.sh_size = n - 8;
	memcpy(file + n - 2 * sizeof(sh), &sh, sizeof(sh));
	ck_assert_msg(!load(file, n, IMAGE_AUTO, NULL, &st), "%s", load_err.msg);
	at = find(&st, 9, 0);
	memcpy(&sh, ram + at + 20 + 3 * sizeof(sh), sizeof(sh));
	ck_assert_uint_eq(sh.sh_addr, 0);
}
END_TEST

START_TEST(every_truncation)
{
	struct boot_state st;
	size_t size = flat(), n;

	end();
	for (n = 1; n < size; n++) {
		survive(n);
		/* The file has bytes behind load_end_addr. */
		ck_assert(load(file, n, IMAGE_MULTIBOOT, NULL, &st) || n >= 0x210);
	}
	size = elf(10, W(0, UINT32_MAX, 0x1000, 1));
	for (n = 1; n < size; n++)
		survive(n);
}
END_TEST

START_TEST(random_damage)
{
	size_t n = flat();

	tag(10, 0, W(0x200000, UINT32_MAX, 0x1000, 1));
	end();
	survive_damage(n, 5);
	survive_damage(elf(10, W(0, UINT32_MAX, 0x1000, 1)), 6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("multiboot2");
	TCase *t = tcase_create("multiboot2");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, addresses);
	tcase_add_loop_test(t, header_places, 0, sizeof(places) / sizeof(places[0]));
	tcase_add_loop_test(t, tags_taken, 0, sizeof(tags) / sizeof(tags[0]));
	tcase_add_test(t, header_lies);
	tcase_add_test(t, elf_64);
	tcase_add_test(t, entries);
	tcase_add_loop_test(t, relocated, 0, sizeof(relocations) / sizeof(relocations[0]));
	tcase_add_test(t, flat_relocated);
	tcase_add_test(t, information);
	tcase_add_test(t, both);
	tcase_add_test(t, sections_lie);
	tcase_add_test(t, every_truncation);
	tcase_add_test(t, random_damage);
	suite_add_tcase(s, t);
	return unit_main(s);
}
