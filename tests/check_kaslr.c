/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --kaslr: where kernels go, what is changed in them by either kind of relocations, and relocations that lie. */
#include "load/linux.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bzimage_make.h"
#include "tests/elf_make.h"
#include "tests/load_env.h"

#define PADDR           0x100000u
#define VADDR           0xffffffff80100000ull
#define SLIDE           0x200000u
#define ENTRY           (PADDR + 0x40)
/* What the kernel has to be changed, at offsets of its first segment; its per-CPU segment follows at PERCPU. */
#define AT_64           0x80u
#define AT_32           0x90u
#define AT_SHRINK       0xa0u
#define AT_ABS          0xb0u
#define AT_KEPT         0xc0u
#define PERCPU          0x1000u
#define IN_PERCPU       0x20u

static uint8_t text[0x100], percpu[0x40];

static void fill(void)
{
	memset(text, 0x90, sizeof(text));
	memset(percpu, 0, sizeof(percpu));
	put64(text, AT_64, VADDR + 0x10);
	put32(text, AT_32, (uint32_t)VADDR + 0x20);
	put32(text, AT_SHRINK, 0x1000);
	put64(text, AT_ABS, VADDR + 0x30);
	put64(text, AT_KEPT, VADDR + 0x40);
	put64(percpu, IN_PERCPU, VADDR + 0x50);
}

static void check_moved(uint64_t virtual, uint64_t physical)
{
	uint64_t at = PADDR + physical;

	ck_assert_uint_eq(ram64(at + AT_64), VADDR + 0x10 + virtual);
	ck_assert_uint_eq(ram32(at + AT_32), (uint32_t)(VADDR + 0x20 + virtual));
	ck_assert_uint_eq(ram32(at + AT_32 + 4), 0x90909090);
	ck_assert_uint_eq(ram32(at + AT_SHRINK), (uint32_t)(0x1000 - virtual));
	ck_assert_uint_eq(ram64(at + AT_ABS), VADDR + 0x30 + virtual);
	ck_assert_uint_eq(ram64(at + AT_KEPT), VADDR + 0x40);
	ck_assert_uint_eq(ram64(at + PERCPU + IN_PERCPU), VADDR + 0x50 + virtual);
}

/* ---- Lists behind the ELF ---- */

#define LISTS_MAX       16

/* A kernel with the words of LISTS behind it. */
static size_t with_lists(const uint32_t *words, size_t n, uint8_t *buf, size_t cap)
{
	const struct elf_seg seg[] = {
		{ .vaddr = VADDR, .paddr = PADDR, .data = text, .size = sizeof(text) },
		{ .vaddr = 0, .paddr = PADDR + PERCPU, .data = percpu, .size = sizeof(percpu) },
	};
	const struct elf_make m = { .bits = 64, .entry = ENTRY, .seg = seg, .nseg = 2 };
	size_t size;

	fill();
	size = elf_make(&m, buf, cap);
	if (n)
		memcpy(buf + size, words, n * sizeof(*words));
	return size + n * sizeof(*words);
}

#define W(at) ((uint32_t)VADDR + (at))
static const uint32_t good_lists[] = {
	0, W(AT_64), W(AT_ABS), W(PERCPU + IN_PERCPU), 0, W(AT_SHRINK), 0, W(AT_32),
};
#define NGOOD (sizeof(good_lists) / sizeof(good_lists[0]))

static const struct load_opts move = { .kaslr = KASLR_SLIDE, .slide = SLIDE };

START_TEST(by_lists)
{
	size_t n = with_lists(good_lists, NGOOD, file, sizeof(file));
	struct boot_state st;

	ck_assert_msg(!load(file, n, IMAGE_LINUX, &move, &st), "%s", load_err.msg);
	check_moved(SLIDE, SLIDE);
	ck_assert_uint_eq(st.rip, ENTRY + SLIDE);
	ck_assert_uint_eq(st.slide, SLIDE);
	ck_assert_uint_eq(ram[st.rsi + 0x211], 0x03);
	/* Not asked for, it is where it is linked, and needs no lists. */
	ck_assert_int_eq(load(file, n - NGOOD * 4, IMAGE_LINUX, NULL, &st), 0);
	ck_assert_uint_eq(ram64(PADDR + AT_64), VADDR + 0x10);
	ck_assert_uint_eq(st.rip, ENTRY);
	ck_assert_uint_eq(st.slide, 0);
	ck_assert_uint_eq(ram[st.rsi + 0x211], 0x01);
}
END_TEST

START_TEST(by_two_lists)
{
	static const uint32_t lists[] = { 0, W(AT_64), W(AT_ABS), W(PERCPU + IN_PERCPU), 0, W(AT_32) };
	size_t n = with_lists(lists, sizeof(lists) / 4, file, sizeof(file));
	struct boot_state st;

	/* What Linux 6.15 has no more is left. */
	ck_assert_msg(!load(file, n, IMAGE_LINUX, &move, &st), "%s", load_err.msg);
	ck_assert_uint_eq(ram64(PADDR + SLIDE + AT_64), VADDR + 0x10 + SLIDE);
	ck_assert_uint_eq(ram32(PADDR + SLIDE + AT_SHRINK), 0x1000);
	ck_assert_uint_eq(ram32(PADDR + SLIDE + AT_32), (uint32_t)VADDR + 0x20 + SLIDE);
}
END_TEST

START_TEST(unpacked)
{
	static uint8_t elf[8192], packed[8192];
	size_t n = with_lists(good_lists, NGOOD, elf, sizeof(elf));
	struct load_opts o = move;
	struct boot_state st;

	n = make_gzip(elf, n, packed, sizeof(packed));
	n = bzimage_make(packed, n, file, sizeof(file));
	/* A bzImage chooses its own place. */
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "a bzImage chooses its place itself; with --decompress");
	o.decompress = true;
	ck_assert_msg(!load(file, n, IMAGE_AUTO, &o, &st), "%s", load_err.msg);
	check_moved(SLIDE, SLIDE);
	ck_assert_uint_eq(ram[st.rsi + 0x211] & 2, 2);
	/* It says itself how it is aligned. */
	put32(file, 0x230, 0x400000);
	put64(file, 0x258, 0x400000);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "--kaslr=0x200000: this kernel moves by multiples of 0x400000");
	put32(file, 0x230, 0x200000);
	put64(file, 0x258, BZ_PREF);
	/* A header that has the flag already says nothing. */
	file[0x211] |= 2;
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, NULL, &st), 0);
	ck_assert_uint_eq(ram[st.rsi + 0x211] & 2, 0);
	/* No more than it says that it becomes. */
	put32(file, 0x260, 0x100);
	o.kaslr = KASLR_OFF;
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOEXEC, "more than its init_size 0x100");
}
END_TEST

START_TEST(bombs)
{
	static uint8_t packed[64];
	struct load_opts o = { .decompress = true };
	struct boot_state st;
	size_t n;

	memcpy(packed, "\x1f\x8b\x08", 3);
	put32(packed, 60, RAM_SIZE + 1);
	n = bzimage_make(packed, sizeof(packed), file, sizeof(file));
	put32(file, 0x260, RAM_SIZE * 2);
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOSPC, "has 4194305 bytes, more than guest RAM (more memory: -m)");
}
END_TEST

START_TEST(where)
{
	size_t n = with_lists(good_lists, NGOOD, file, sizeof(file));
	struct load_opts o = { .kaslr = KASLR_ON };
	struct boot_state st;
	static uint8_t more[SLIDE];
	bool near = false, far = false;

	/* RAM has room for one place more, and then for two. */
	for (o.seed = 0; o.seed < 4; o.seed++) {
		ck_assert_msg(!load(file, n, IMAGE_LINUX, &o, &st), "%s", load_err.msg);
		ck_assert_uint_eq(st.slide, SLIDE);
		check_moved(SLIDE, SLIDE);
		ck_assert_uint_eq(ram[st.rsi + 0x211], 0x03);
	}
	add_region(RAM_SIZE, SLIDE, more, false);
	for (o.seed = 0; o.seed < 4; o.seed++) {
		ck_assert_msg(!load(file, n, IMAGE_LINUX, &o, &st), "%s", load_err.msg);
		near |= st.slide == SLIDE;
		far |= st.slide == 2 * SLIDE;
		ck_assert(st.slide == SLIDE || st.slide == 2 * SLIDE);
	}
	ck_assert(near && far);
	gmem_remove(g, RAM_SIZE);
	/* Beyond RAM it moves where it runs, not where it is. */
	o = (struct load_opts){ .kaslr = KASLR_SLIDE, .slide = 0x3fe00000 - SLIDE };
	ck_assert_int_eq(load(file, n, IMAGE_LINUX, &o, &st), 0);
	check_moved(o.slide, 0);
	ck_assert_uint_eq(st.rip, ENTRY);
	ck_assert_uint_eq(st.slide, o.slide);
	o.slide = 0x40000000;
	expect_error(load(file, n, IMAGE_LINUX, &o, &st), EINVAL, "this kernel can be moved by 0x3fe00000 at most");
	o.slide = SLIDE + 0x1000;
	expect_error(load(file, n, IMAGE_LINUX, &o, &st), EINVAL, "--kaslr=0x201000: this kernel moves by multiples of 0x200000");
	o.slide = SLIDE;
	o.append = "quiet nokaslr";
	expect_error(load(file, n, IMAGE_LINUX, &o, &st), EINVAL, "its command line says nokaslr");
	o = (struct load_opts){ .kaslr = KASLR_ON };
	expect_error(load(file, 0x300, IMAGE_FLAT, &o, &st), EINVAL, "(flat) takes no --kaslr");
}
END_TEST

START_TEST(initrd_keeps_its_room)
{
	static uint8_t bytes[0x2fe000];
	struct blob mod = { .path = (char *)"a", .data = bytes, .size = 0x1f0000 };
	struct load_opts o = { .kaslr = KASLR_SLIDE, .slide = SLIDE, .modules = &mod, .nmodules = 1 };
	size_t n = with_lists(good_lists, NGOOD, file, sizeof(file));
	struct boot_state st;

	ck_assert_msg(!load(file, n, IMAGE_LINUX, &o, &st), "%s", load_err.msg);
	check_moved(SLIDE, 0);
	/* Also when there is hardly any for itself. */
	mod.size = sizeof(bytes);
	ck_assert_msg(!load(file, n, IMAGE_LINUX, &o, &st), "%s", load_err.msg);
	check_moved(SLIDE, 0);
}
END_TEST

START_TEST(pinned)
{
	uint32_t lists[] = { 0, 0xc0100010 };
	struct elf_seg seg = { .vaddr = 0xc0100000, .paddr = PADDR, .data = text, .size = sizeof(text) };
	struct elf_make m = { .bits = 32, .entry = ENTRY, .seg = &seg, .nseg = 1 };
	struct load_opts o = move;
	struct boot_state st;
	size_t n;

	fill();
	put32(text, 0x10, 0xc0100020);
	n = elf_make(&m, file, sizeof(file));
	memcpy(file + n, lists, sizeof(lists));
	n += sizeof(lists);
	ck_assert_msg(!load(file, n, IMAGE_LINUX, &o, &st), "%s", load_err.msg);
	ck_assert_uint_eq(ram32(PADDR + SLIDE + 0x10), 0xc0100020 + SLIDE);
	ck_assert_uint_eq(st.rip, ENTRY + SLIDE);
	o.slide = 0x400000;
	expect_error(load(file, n, IMAGE_LINUX, &o, &st), ENOSPC, "--kaslr=0x400000: RAM has room for 0x200000");
}
END_TEST

START_TEST(off)
{
	static const struct { const char *given, *made; } lines[] = {
		{ NULL, "nokaslr" }, { "quiet", "quiet nokaslr" }, { "nokaslr quiet", "nokaslr quiet" },
		{ "a nokaslr", "a nokaslr" }, { "a=nokaslr", "a=nokaslr nokaslr" }, { "nokaslrs ", "nokaslrs  nokaslr" },
	};
	size_t n = bzimage_make(NULL, 0, file, sizeof(file)), i;
	struct load_opts o = { .kaslr = KASLR_OFF };
	struct boot_state st;
	char text_255[256];

	file[0x211] |= 2;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		o.append = lines[i].given;
		ck_assert_msg(!load(file, n, IMAGE_AUTO, &o, &st), "%s", load_err.msg);
		ck_assert_str_eq((char *)ram + ram32(st.rsi + 0x228), lines[i].made);
		ck_assert_uint_eq(ram[st.rsi + 0x211], 0x01);
	}
	memset(text_255, 'x', 248);
	text_255[248] = 0;
	o.append = text_255;
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), ENOSPC, "the command line has 256 bytes, and this kernel takes 255");
	o.kaslr = KASLR_ON;
	o.append = "nokaslr";
	expect_error(load(file, n, IMAGE_AUTO, &o, &st), EINVAL, "--kaslr=on, and the kernel's command line says nokaslr");
	o.append = "quiet";
	ck_assert_int_eq(load(file, n, IMAGE_AUTO, &o, &st), 0);
	ck_assert_str_eq((char *)ram + ram32(st.rsi + 0x228), "quiet");
}
END_TEST

static const struct {
	uint32_t words[LISTS_MAX];
	size_t n;
	const char *says;
} bad_lists[] = {
	{ { 0 }, 0, "brings no relocations" },
	{ { W(AT_64), 0, 0, W(AT_32) }, 4, "is no list of relocations" },
	{ { 0, W(AT_32) }, 2, "is no list of relocations" },
	{ { 0, 0, 0, 0, W(AT_32) }, 5, "is no list of relocations" },
	{ { 0, 0, 0, W(0x100) }, 4, "a relocation at 0xffffffff80100100 lies outside the kernel" },
	{ { 0, 0, 0, W(0xfd) }, 4, "a relocation at 0xffffffff801000fd lies outside the kernel" },
	{ { 0, W(0xf9), 0, 0 }, 4, "a relocation at 0xffffffff801000f9 lies outside the kernel" },
	{ { 0, 0, W(PERCPU - 4), 0 }, 4, "lies outside the kernel" },
	{ { 0, 0, 0, 4 }, 4, "a relocation at 0x4 lies outside the kernel" },
	{ { 0, 0, 0, W(-4u) }, 4, "lies outside the kernel" },
};

START_TEST(lists_lie)
{
	size_t n = with_lists(bad_lists[_i].words, bad_lists[_i].n, file, sizeof(file));
	struct boot_state st;

	expect_error(load(file, n, IMAGE_LINUX, &move, &st), ENOEXEC, bad_lists[_i].says);
}
END_TEST

START_TEST(endless_list)
{
	static uint32_t words[(PERCPU + 0x40) / 4 + 4];
	struct boot_state st;
	size_t i;

	for (i = 3; i < sizeof(words) / 4; i++)
		words[i] = W(AT_32);
	i = with_lists(words, sizeof(words) / 4, file, sizeof(file));
	expect_error(load(file, i, IMAGE_LINUX, &move, &st), ENOEXEC, "more relocations than there is room for");
}
END_TEST

/* ---- The ELF's own ---- */

enum { S_TEXT = 1, S_PERCPU, S_SYMTAB, S_STRTAB, S_RELA_TEXT, S_RELA_PERCPU, S_RELA_DEBUG, S_DEBUG, SECTIONS };

static const char names[] = "\0.data..percpu\0__per_cpu_load\0init_per_cpu_x\0.text";
enum { N_PERCPU = 1, N_LOAD = 15, N_INIT = 30, N_TEXT = 45 };

enum { Y_TEXT = 1, Y_VAR, Y_LOAD, Y_INIT, Y_ABS_IN, Y_ABS_CRC, Y_WEAK, SYMBOLS };

static const Elf64_Sym symbols[SYMBOLS] = {
	[Y_TEXT] = { .st_shndx = S_TEXT, .st_value = VADDR },
	[Y_VAR] = { .st_shndx = S_PERCPU, .st_value = 8 },
	[Y_LOAD] = { .st_shndx = S_PERCPU, .st_name = N_LOAD, .st_value = VADDR + PERCPU },
	[Y_INIT] = { .st_shndx = S_PERCPU, .st_name = N_INIT, .st_value = VADDR + PERCPU + 8 },
	[Y_ABS_IN] = { .st_shndx = SHN_ABS, .st_value = VADDR + 0x1000 },
	[Y_ABS_CRC] = { .st_shndx = SHN_ABS, .st_value = 0x80100010 },
	[Y_WEAK] = { .st_shndx = SHN_UNDEF },
};

#define R(at, type, sym) { .r_offset = VADDR + (at), .r_info = ELF64_R_INFO(sym, type) }

static const Elf64_Rela good_rela[] = {
	R(AT_64, R_X86_64_64, Y_TEXT), R(AT_32, R_X86_64_32S, Y_TEXT), R(AT_SHRINK, R_X86_64_PC32, Y_VAR),
	R(AT_ABS, R_X86_64_64, Y_ABS_IN),
	/* All of these stay. */
	R(AT_KEPT, R_X86_64_NONE, Y_TEXT), R(AT_KEPT, R_X86_64_PC32, Y_TEXT), R(AT_KEPT, R_X86_64_PLT32, Y_LOAD),
	R(AT_KEPT, R_X86_64_PC32, Y_INIT), R(AT_KEPT, R_X86_64_64, Y_VAR), R(AT_KEPT, R_X86_64_32, Y_ABS_CRC),
	R(AT_KEPT, R_X86_64_64, Y_WEAK), R(AT_KEPT, R_X86_64_PC64, Y_TEXT),
};

static size_t put(const void *data, size_t size, size_t *at)
{
	size_t here = (*at + 7) & ~(size_t)7;

	ck_assert_uint_le(here + size, sizeof(file));
	memcpy(file + here, data, size);
	*at = here + size;
	return here;
}

/* A kernel with N relocations RELA of its text, and one of its per-CPU section. */
static size_t with_rela(const Elf64_Rela *rela, size_t n)
{
	const Elf64_Rela of_percpu = { .r_offset = IN_PERCPU, .r_info = ELF64_R_INFO(Y_TEXT, R_X86_64_64) };
	const Elf64_Rela of_debug = { .r_offset = 0, .r_info = ELF64_R_INFO(Y_TEXT, R_X86_64_64) };
	Elf64_Shdr sh[SECTIONS] = {
		[S_TEXT] = { .sh_name = N_TEXT, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_addr = VADDR,
			     .sh_size = 0x100 },
		[S_PERCPU] = { .sh_name = N_PERCPU, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC, .sh_size = 0x40 },
		[S_SYMTAB] = { .sh_type = SHT_SYMTAB, .sh_size = sizeof(symbols), .sh_link = S_STRTAB, .sh_entsize = 24 },
		[S_STRTAB] = { .sh_type = SHT_STRTAB, .sh_size = sizeof(names) },
		[S_RELA_TEXT] = { .sh_type = SHT_RELA, .sh_size = n * sizeof(*rela), .sh_link = S_SYMTAB, .sh_info = S_TEXT },
		[S_RELA_PERCPU] = { .sh_type = SHT_RELA, .sh_size = sizeof(of_percpu), .sh_link = S_SYMTAB,
				    .sh_info = S_PERCPU },
		[S_RELA_DEBUG] = { .sh_type = SHT_RELA, .sh_size = sizeof(of_debug), .sh_link = S_SYMTAB,
				   .sh_info = S_DEBUG },
		[S_DEBUG] = { .sh_type = SHT_PROGBITS, .sh_size = 8 },
	};
	size_t at = with_lists(NULL, 0, file, sizeof(file));
	Elf64_Ehdr eh;

	sh[S_SYMTAB].sh_offset = put(symbols, sizeof(symbols), &at);
	sh[S_STRTAB].sh_offset = put(names, sizeof(names), &at);
	sh[S_RELA_TEXT].sh_offset = put(rela, n * sizeof(*rela), &at);
	sh[S_RELA_PERCPU].sh_offset = put(&of_percpu, sizeof(of_percpu), &at);
	sh[S_RELA_DEBUG].sh_offset = put(&of_debug, sizeof(of_debug), &at);
	memcpy(&eh, file, sizeof(eh));
	eh.e_shoff = put(sh, sizeof(sh), &at);
	eh.e_shnum = SECTIONS;
	eh.e_shentsize = sizeof(sh[0]);
	eh.e_shstrndx = S_STRTAB;
	memcpy(file, &eh, sizeof(eh));
	return at;
}

START_TEST(by_elf)
{
	size_t n = with_rela(good_rela, sizeof(good_rela) / sizeof(good_rela[0]));
	struct load_opts o = { .kaslr = KASLR_SLIDE, .slide = 0x10000000 };
	struct boot_state st;

	ck_assert_msg(!load(file, n, IMAGE_LINUX, &move, &st), "%s", load_err.msg);
	check_moved(SLIDE, SLIDE);
	ck_assert_int_eq(load(file, n, IMAGE_LINUX, &o, &st), 0);
	check_moved(o.slide, 0);
	/* Lists behind it as well are not taken, too: that would be twice. */
	put32(file, n, 0);
	put32(file, n + 4, 0);
	put32(file, n + 8, W(AT_32));
	ck_assert_int_eq(load(file, n + 12, IMAGE_LINUX, &move, &st), 0);
	check_moved(SLIDE, SLIDE);
}
END_TEST

static const struct {
	Elf64_Rela rela;
	const char *says;
} bad_rela[] = {
	{ R(0x100, R_X86_64_64, Y_TEXT), "a relocation at 0xffffffff80100100 lies outside the kernel" },
	{ R(0xfd, R_X86_64_32, Y_TEXT), "a relocation at 0xffffffff801000fd lies outside" },
	{ { .r_offset = 0, .r_info = ELF64_R_INFO(Y_TEXT, R_X86_64_64) }, "a relocation at 0x0 lies outside" },
	{ R(0x10, R_X86_64_64, SYMBOLS), "the relocation at 0xffffffff80100010 names no symbol" },
	{ R(0x10, R_X86_64_64, 0xffffffff), "the relocation at 0xffffffff80100010 names no symbol" },
	{ R(0x10, R_X86_64_COPY, Y_TEXT), "the relocation at 0xffffffff80100010 is of type 5" },
	{ R(0x10, R_X86_64_PC64, Y_VAR), "the relocation at 0xffffffff80100010 is of type 24" },
};

START_TEST(elf_lies)
{
	size_t n = with_rela(&bad_rela[_i].rela, 1);
	struct boot_state st;

	expect_error(load(file, n, IMAGE_LINUX, &move, &st), ENOEXEC, bad_rela[_i].says);
}
END_TEST

START_TEST(survives)
{
	static uint8_t clean[sizeof(file)];
	size_t n = with_rela(good_rela, sizeof(good_rela) / sizeof(good_rela[0])), i;
	struct boot_state st;

	memcpy(clean, file, n);
	srand(11);
	for (i = 0; i < 3000; i++) {
		memcpy(file, clean, n);
		file[0x200 + (unsigned)rand() % (n - 0x200)] = rand() % 3 ? (uint8_t)rand() : 0xff;
		if (load(file, n, IMAGE_LINUX, &move, &st))
			ck_assert(load_err.msg[0]);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kaslr");
	TCase *t = tcase_create("kaslr");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, by_lists);
	tcase_add_test(t, by_two_lists);
	tcase_add_test(t, unpacked);
	tcase_add_test(t, bombs);
	tcase_add_test(t, where);
	tcase_add_test(t, initrd_keeps_its_room);
	tcase_add_test(t, pinned);
	tcase_add_test(t, off);
	tcase_add_loop_test(t, lists_lie, 0, sizeof(bad_lists) / sizeof(bad_lists[0]));
	tcase_add_test(t, endless_list);
	tcase_add_test(t, by_elf);
	tcase_add_loop_test(t, elf_lies, 0, sizeof(bad_rela) / sizeof(bad_rela[0]));
	tcase_add_test(t, survives);
	suite_add_tcase(s, t);
	return unit_main(s);
}
