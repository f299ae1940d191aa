/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linux seen from outside: where it runs, how it unpacks itself, and what its printf prints. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/unpack.h"
#include "tests/kernel_image.h"
#include "tests/unit.h"

/* -- where it runs -- */

static struct kernel_image *x;
static struct kernel *k;
static struct err err;

static void setup(void)
{
	x = image_new();
	k = image_kernel(x);
}

static void teardown(void)
{
	kernel_free(k);
}

/* The image moves by SLIDE, pointers and all. */
static void move(uint64_t slide)
{
	x->slide = slide;
	image_symbol(x, "initial_code", IMG_TEXT + 0x200);
	image_symbol(x, "x86_64_start_kernel", IMG_TEXT + 0x2000);
	image_pointer(x, IMG_TEXT + 0x200, IMG_TEXT + 0x2000);
}

START_TEST(located_where_linked)
{
	ck_assert(kernel_known(k));
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	ck_assert_uint_eq(kernel_place(k)->slide, 0);
	ck_assert_uint_eq(kernel_place(k)->linked, IMG_TEXT);
	ck_assert(kernel_place(k)->mapped);
	ck_assert_str_eq(kernel_place(k)->banner, "Linux version 6.1.0-test (nobody@nowhere) #1 SMP");
}
END_TEST

START_TEST(located_moved)
{
	static const uint64_t slides[] = { 0, 2 << 20, 0x1c600000, (1 << 30) - (2 << 20) };

	move(slides[_i]);
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	ck_assert_uint_eq(kernel_place(k)->slide, slides[_i]);
	/* What was found is tried first. */
	x->reads = 0;
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	ck_assert_uint_eq(kernel_place(k)->slide, slides[_i]);
	ck_assert_uint_lt(x->reads, 8);
}
END_TEST

START_TEST(located_by_hint)
{
	/* Further than kernels go by themselves, and not aligned as they are. */
	move(-(uint64_t)0x12345000);
	ck_assert_int_eq(kernel_locate(k, 0, &err), -EAGAIN);
	ck_assert_int_eq(kernel_locate(k, -(uint64_t)0x12345000, &err), 0);
	ck_assert_uint_eq(kernel_place(k)->slide, -(uint64_t)0x12345000);
}
END_TEST

/* A banner is there, but the pointers do not go with it. */
START_TEST(a_false_banner_is_not_taken)
{
	move(6 << 20);
	image_put(x, IMG_TEXT + (6 << 20) + 0x200, 0x1234, 8);
	ck_assert_int_eq(kernel_locate(k, 0, &err), -EAGAIN);
	ck_assert_ptr_null(kernel_place(k));
	ck_assert_ptr_nonnull(strstr(err.msg, "does not run yet"));
}
END_TEST

START_TEST(another_kernel_is_named)
{
	image_text(x, IMG_TEXT + IMG_BANNER, "Linux version 5.0.0\n");
	ck_assert_int_eq(kernel_locate(k, 0, &err), -ENOEXEC);
	ck_assert_str_eq(err.msg, "the guest runs another kernel than the symbols are of: Linux version 5.0.0");
}
END_TEST

START_TEST(no_kernels_symbols)
{
	image_forget_symbol(x, "linux_banner");
	ck_assert(!kernel_known(k));
	ck_assert_int_eq(kernel_locate(k, 0, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.msg, "--symbols=vmlinux"));
	ck_assert_uint_eq(x->reads, 0);
	image_symbol(x, "linux_banner", IMG_TEXT + IMG_BANNER);
	kernel_changed(k);
	ck_assert(kernel_known(k));
}
END_TEST

/* User code with page tables of its own, on a kernel that hides. */
START_TEST(located_by_entries)
{
	move(10 << 20);
	x->mapped = false;
	image_symbol(x, "entry_SYSCALL_64", IMG_TEXT + 0x3000);
	image_symbol(x, "asm_exc_page_fault", IMG_TEXT + 0x3100);
	x->entry[0].vector = KERNEL_SYSCALL;
	x->entry[0].at = IMG_TEXT + 0x3000 + (10 << 20);
	x->nentries = 1;
	ck_assert_int_eq(kernel_locate(k, 0, &err), -EAGAIN);
	x->entry[1].vector = 14;
	x->entry[1].at = IMG_TEXT + 0x3100 + (10 << 20);
	x->nentries = 2;
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	ck_assert_uint_eq(kernel_place(k)->slide, 10 << 20);
	ck_assert_str_eq(kernel_place(k)->banner, "Linux version 6.1.0-test (nobody@nowhere) #1 SMP");
	x->entry[1].at += 16;
	ck_assert_int_eq(kernel_locate(k, 0, &err), -EAGAIN);
}
END_TEST

START_TEST(located_in_physical_memory)
{
	uint64_t value;

	move(0x1c600000);
	x->mapped = false;
	x->loaded = true;
	x->gpa = 0x2600000;
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	ck_assert(!kernel_place(k)->mapped);
	ck_assert_uint_eq(kernel_place(k)->gpa, 0x2600000);
	ck_assert_uint_eq(kernel_place(k)->slide, 0x1c600000);
	/* What it has there is read by its own addresses. */
	ck_assert_int_eq(kernel_symbol(k, "initial_code", &value, &err), 0);
	ck_assert_uint_eq(value, IMG_TEXT + 0x200 + 0x1c600000);
	/* When it runs it is found there. */
	x->mapped = true;
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	ck_assert(kernel_place(k)->mapped);
}
END_TEST

START_TEST(unpacked)
{
	uint64_t slide;

	move(0x1c600000);
	x->mapped = false;
	x->loaded = true;
	x->gpa = 0x2600000;
	image_symbol(x, "startup_64", IMG_TEXT + 0x40);
	ck_assert_int_eq(kernel_unpacked(k, 0x2600040, &slide, &err), 0);
	ck_assert_uint_eq(slide, 0x1c600000);
	slide = 5;
	ck_assert_int_eq(kernel_unpacked(k, 0x2600000, &slide, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.msg, "another"));
	memset(x->image + 0x200, 0, 8);
	ck_assert_int_eq(kernel_unpacked(k, 0x2600040, &slide, &err), -ENOENT);
	ck_assert_uint_eq(slide, 5);
}
END_TEST

/* -- printf -- */

#define FORMAT (IMG_HEAP + 0x100)
#define STRING (IMG_HEAP + 0x800)

static uint64_t number(void *args, unsigned index)
{
	return ((const uint64_t *)args)[index];
}

START_TEST(format_prints)
{
	static const struct {
		const char *format;
		uint64_t arg[4];
		const char *want;
	} cases[] = {
		{ "Attempted to kill init! exitcode=0x%08x\n", { 0xb }, "Attempted to kill init! exitcode=0x0000000b" },
		{ "\0013plain", { 0 }, "plain" },
		{ "%d %i %u", { (uint32_t)-5, 7, (uint32_t)-1 }, "-5 7 4294967295" },
		{ "%ld %lx %llu %zu", { (uint64_t)-5, 0x123456789abcdef, 1, 2 }, "-5 123456789abcdef 1 2" },
		{ "%hhx %hd", { 0x1ff, 0xffff }, "ff -1" },
		{ "[%5d|%-5d|%05x|%#x]", { 1, 2, 3, 4 }, "[    1|2    |00003|0x4]" },
		{ "[%*d][%.3s]", { 4, 1, STRING }, "[   1][a t]" },
		{ "%s, %c, %%", { STRING, 'x' }, "a text?, x, %" },
		{ "[%8.2s][%-8.2s]", { STRING, STRING }, "[      a ][a       ]" },
		{ "%s", { 0x10 }, "(not readable)" },
		{ "%pS|%p|", { 0xabc, 0xdef }, "0xabc|0xdef|" },
		{ "%n%k%", { 0 }, "nk" },
		{ "a\tb\033c", { 0 }, "a?b?c" },
		{ "%\033[2J%l\a", { 0 }, "?[2J?" },
		{ "%999999999999d", { 1 }, NULL },
		{ "%-+ #0-+ #0-+ #0d", { 1 }, NULL },
		{ "two\nlines", { 0 }, "two" },
	};
	char text[200], small[8];
	uint64_t args[8] = { 0 };

	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	image_text(x, STRING, "a text\a");
	image_text(x, FORMAT, cases[_i].format);
	memcpy(args, cases[_i].arg, sizeof(cases[_i].arg));
	kernel_format(k, FORMAT, number, args, text, sizeof(text));
	if (cases[_i].want)
		ck_assert_str_eq(text, cases[_i].want);
	kernel_format(k, FORMAT, number, args, small, sizeof(small));
	ck_assert_int_eq(strncmp(small, text, 7), 0);
	kernel_format(k, 0x10, number, args, text, sizeof(text));
	ck_assert_str_eq(text, "(not readable)");
}
END_TEST

/* Strings at the end of what is there. */
START_TEST(strings_are_bounded)
{
	char text[64];

	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	image_text(x, IMG_HEAP + IMG_HEAP_SIZE - 5, "last");
	ck_assert(kernel_string(k, IMG_HEAP + IMG_HEAP_SIZE - 5, text, sizeof(text)));
	ck_assert_str_eq(text, "last");
	image_put(x, IMG_HEAP + IMG_HEAP_SIZE - 1, 'x', 1);
	ck_assert(!kernel_string(k, IMG_HEAP + IMG_HEAP_SIZE - 5, text, sizeof(text)));
	ck_assert(kernel_string(k, IMG_HEAP + IMG_HEAP_SIZE - 5, text, 4));
	ck_assert_str_eq(text, "las");
}
END_TEST

/* -- unpacking -- */

/* Setup code, then 64-bit code: copies itself, jumps to the copy by rcx, which calls and jumps by rax. */
static const uint8_t entry[] = {
	0xfc,                                           /* cld */
	0x48, 0x8d, 0x35, 0xf8, 0xfd, 0xff, 0xff,       /* lea rsi, [rip - 0x208] */
	0x48, 0x8d, 0x8b, 0x40, 0x03, 0x00, 0x00,       /* lea rcx, [rbx + 0x340] */
	0x50, 0x48, 0xcb,                               /* push rax; retfq: goes on behind it */
	0xff, 0xe1,                                     /* jmp rcx */
}, copied[] = {
	0x31, 0xc0,                                     /* xor eax, eax */
	0xe8, 0x00, 0x01, 0x00, 0x00,                   /* call */
	0x4c, 0x89, 0xfe,                               /* mov rsi, r15 */
	0xff, 0xe0,                                     /* jmp rax */
};

static uint8_t packed[2 * 512 + 0x400];

static int unpack(size_t size, struct unpacker *ret)
{
	return unpacker_find(packed, size, ret, &err);
}

START_TEST(unpacker_found)
{
	struct unpacker u;

	memset(packed, 0, sizeof(packed));
	packed[0x1f1] = 1;
	memcpy(packed + 0x400 + 0x200, entry, sizeof(entry));
	memcpy(packed + 0x400 + 0x340, copied, sizeof(copied));
	ck_assert_int_eq(unpack(sizeof(packed), &u), 0);
	ck_assert_uint_eq(u.jump, 0x200 + sizeof(entry) - 2);
	ck_assert_uint_eq(u.copied, 0x340);
	ck_assert_uint_eq(u.start, 0x340 + sizeof(copied) - 2);
	ck_assert_int_eq(u.jump_gpr, INSN_RCX);
	ck_assert_int_eq(u.start_gpr, INSN_RAX);
	ck_assert_ptr_eq(u.code, packed + 0x400);
	/* Cut anywhere. */
	for (size_t size = 0; size < 0x400 + 0x340 + sizeof(copied); size++) {
		uint8_t *cut = malloc(size + 1);

		memcpy(cut, packed, size);
		ck_assert_int_eq(unpacker_find(cut, size, &u, &err), -ENOEXEC);
		free(cut);
	}
	/* Without a call, the jump is to something else; by another register, too. */
	packed[0x400 + 0x342] = 0xa9;
	ck_assert_int_eq(unpack(sizeof(packed), &u), -ENOEXEC);
	packed[0x400 + 0x342] = 0xe8;
	packed[0x400 + 0x340 + sizeof(copied) - 1] = 0xe1;
	ck_assert_int_eq(unpack(sizeof(packed), &u), -ENOEXEC);
	ck_assert_str_eq(err.msg, "the code that unpacks this kernel is not as Linux has it");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kernel place");
	TCase *t = tcase_create("where it runs");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, located_where_linked);
	tcase_add_loop_test(t, located_moved, 0, 4);
	tcase_add_test(t, located_by_hint);
	tcase_add_test(t, a_false_banner_is_not_taken);
	tcase_add_test(t, another_kernel_is_named);
	tcase_add_test(t, no_kernels_symbols);
	tcase_add_test(t, located_by_entries);
	tcase_add_test(t, located_in_physical_memory);
	tcase_add_test(t, unpacked);
	tcase_add_test(t, unpacker_found);
	suite_add_tcase(s, t);

	t = tcase_create("printf");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, format_prints, 0, 17);
	tcase_add_test(t, strings_are_bounded);
	suite_add_tcase(s, t);
	return unit_main(s);
}
