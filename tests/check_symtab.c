/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load/symtab.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/elf_make.h"
#include "tests/unit.h"

#define TEXT    0x100000ull
#define DATA    0x200000ull

#define G(type) ELF64_ST_INFO(STB_GLOBAL, type)
#define W(type) ELF64_ST_INFO(STB_WEAK, type)
#define L(type) ELF64_ST_INFO(STB_LOCAL, type)

enum { IN_TEXT = 1, IN_DATA = 2 };

static uint8_t file[65536];
static struct symtab *s;

static size_t make(unsigned bits, const struct elf_sym *sym, size_t n)
{
	struct elf_make m = {
		.bits = bits, .sym = sym, .nsym = n,
		.text = TEXT, .text_size = 0x1000, .data = DATA, .data_size = 0x100,
	};

	return elf_make(&m, file, sizeof(file));
}

/* The table outlives the file. */
static void open_table(unsigned bits, const struct elf_sym *sym, size_t n)
{
	struct err err = { 0 };
	size_t size = make(bits, sym, n);

	ck_assert_msg(symtab_new(file, size, &s, &err) == 0, "%s", err.msg);
	memset(file, 0xee, sizeof(file));
}

static void teardown(void)
{
	symtab_free(s);
	s = NULL;
}

static void finds(const char *name, uint64_t want)
{
	uint64_t addr = 0;
	bool moves;

	ck_assert_msg(symtab_lookup(s, name, strlen(name), &addr, &moves) == 0, "%s", name);
	ck_assert_msg(addr == want, "%s: 0x%lx", name, addr);
}

static void lacks(const char *name)
{
	uint64_t addr = 77;
	bool moves;

	ck_assert_msg(symtab_lookup(s, name, strlen(name), &addr, &moves) == -ENOENT, "%s", name);
	ck_assert_uint_eq(addr, 77);
}

/* WANT NULL: nothing covers ADDR. */
static void at(uint64_t addr, const char *want, uint64_t offset)
{
	uint64_t off = 77;
	const char *name = symtab_at(s, addr, &off);

	if (!want) {
		ck_assert_msg(!name, "0x%lx: %s", addr, name);
		ck_assert_uint_eq(off, 77);
		return;
	}
	ck_assert_msg(name && !strcmp(name, want), "0x%lx: %s, not %s", addr, name ? name : "nothing", want);
	ck_assert_msg(off == offset, "0x%lx: %s+0x%lx", addr, name, off);
}

static const struct elf_sym usual[] = {
	{ "crt.c", 0, 0, L(STT_FILE), SHN_ABS },
	{ "", TEXT, 0, L(STT_SECTION), IN_TEXT },
	{ "COM1", 0x3f8, 0, L(STT_NOTYPE), SHN_ABS },
	{ "helper", TEXT + 0x80, 0x20, L(STT_FUNC), IN_TEXT },
	{ "local_label", TEXT + 0x210, 0, L(STT_NOTYPE), IN_TEXT },
	{ "$x", TEXT, 0, L(STT_NOTYPE), IN_TEXT },
	{ "", TEXT, 4, G(STT_FUNC), IN_TEXT },
	{ "bad\033[2J", TEXT, 4, G(STT_FUNC), IN_TEXT },
	{ "two words", TEXT, 4, G(STT_FUNC), IN_TEXT },
	{ "extern_thing", 0, 0, G(STT_NOTYPE), SHN_UNDEF },
	{ "common", 8, 8, G(STT_OBJECT), SHN_COMMON },
	{ "tls", 8, 8, G(STT_TLS), IN_DATA },
	{ "main", TEXT + 0x10, 0x40, G(STT_FUNC), IN_TEXT },
	{ "start", TEXT, 0, G(STT_NOTYPE), IN_TEXT },
	{ "again", TEXT + 0x20, 0, G(STT_NOTYPE), IN_TEXT },
	{ "asm_one", TEXT + 0x200, 0, G(STT_NOTYPE), IN_TEXT },
	{ "asm_two", TEXT + 0x220, 0, G(STT_FUNC), IN_TEXT },
	{ "counter", DATA, 8, G(STT_OBJECT), IN_DATA },
	{ "table", DATA + 0x10, 0, W(STT_OBJECT), IN_DATA },
	{ "image_end", 0x12345678, 0, G(STT_NOTYPE), SHN_ABS },
	{ "vsys", 0x5000, 0x10, G(STT_FUNC), SHN_ABS },
};
#define NUSUAL (sizeof(usual) / sizeof(usual[0]))

START_TEST(by_name)
{
	static const char *const sorted[] = {
		"again", "asm_one", "asm_two", "counter", "helper", "image_end", "local_label", "main", "start",
		"table", "vsys"
	};
	size_t i;

	open_table(_i ? 64 : 32, usual, NUSUAL);
	finds("main", TEXT + 0x10);
	finds("helper", TEXT + 0x80);
	finds("start", TEXT);
	finds("local_label", TEXT + 0x210);
	finds("counter", DATA);
	finds("image_end", 0x12345678);
	lacks("mai");
	lacks("main2");
	lacks("");
	lacks("zzz");
	lacks("COM1");
	lacks("crt.c");
	lacks("$x");
	lacks("bad\033[2J");
	lacks("two words");
	lacks("extern_thing");
	lacks("common");
	lacks("tls");
	for (i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++)
		ck_assert_str_eq(symtab_name(s, i), sorted[i]);
	ck_assert_ptr_null(symtab_name(s, i));
	ck_assert_ptr_null(symtab_name(s, SIZE_MAX));
}
END_TEST

START_TEST(name_by_length)
{
	uint64_t addr;
	bool moves;

	open_table(64, usual, NUSUAL);
	ck_assert_int_eq(symtab_lookup(s, "main+4", 4, &addr, &moves), 0);
	ck_assert_uint_eq(addr, TEXT + 0x10);
	ck_assert_int_eq(symtab_lookup(s, "main", 3, &addr, &moves), -ENOENT);
	ck_assert_int_eq(symtab_lookup(s, "main\0x", 6, &addr, &moves), -ENOENT);
	ck_assert_int_eq(symtab_lookup(s, "main", 0, &addr, &moves), -ENOENT);
}
END_TEST

START_TEST(by_address)
{
	open_table(_i ? 64 : 32, usual, NUSUAL);
	at(TEXT - 1, NULL, 0);
	at(TEXT, "start", 0);
	at(TEXT + 0xf, "start", 0xf);
	at(TEXT + 0x10, "main", 0);
	/* A label inside the function is found by name only. */
	at(TEXT + 0x20, "main", 0x10);
	at(TEXT + 0x4f, "main", 0x3f);
	at(TEXT + 0x50, NULL, 0);
	at(TEXT + 0x80, "helper", 0);
	at(TEXT + 0xa0, NULL, 0);
	at(TEXT + 0x20f, "asm_one", 0xf);
	at(TEXT + 0x21f, "local_label", 0xf);
	/* To the end of the section. */
	at(TEXT + 0x220, "asm_two", 0);
	at(TEXT + 0xfff, "asm_two", 0xddf);
	at(TEXT + 0x1000, NULL, 0);
	at(DATA + 7, "counter", 7);
	at(DATA + 8, NULL, 0);
	at(DATA + 0xff, "table", 0xef);
	at(DATA + 0x100, NULL, 0);
	at(0x3f8, NULL, 0);
	at(0x5000, NULL, 0);
	at(0x12345678, NULL, 0);
	at(UINT64_MAX, NULL, 0);
}
END_TEST

START_TEST(same_name_and_address)
{
	static const struct elf_sym sym[] = {
		{ "twice", TEXT + 0x10, 4, L(STT_FUNC), IN_TEXT },
		{ "twice", TEXT + 0x20, 4, G(STT_FUNC), IN_TEXT },
		{ "twice", TEXT + 0x30, 4, L(STT_FUNC), IN_TEXT },
		{ "weak", TEXT + 0x40, 8, W(STT_FUNC), IN_TEXT },
		{ "strong", TEXT + 0x40, 8, G(STT_FUNC), IN_TEXT },
		{ "local", TEXT + 0x40, 8, L(STT_FUNC), IN_TEXT },
		{ "weak", TEXT + 0x50, 8, L(STT_FUNC), IN_TEXT },
		{ "alias_b", TEXT + 0x60, 8, G(STT_FUNC), IN_TEXT },
		{ "alias_a", TEXT + 0x60, 8, G(STT_FUNC), IN_TEXT },
	};

	open_table(64, sym, sizeof(sym) / sizeof(sym[0]));
	finds("twice", TEXT + 0x20);
	finds("weak", TEXT + 0x40);
	finds("local", TEXT + 0x40);
	at(TEXT + 0x12, "twice", 2);
	at(TEXT + 0x22, "twice", 2);
	at(TEXT + 0x47, "strong", 7);
	at(TEXT + 0x61, "alias_a", 1);
	ck_assert_str_eq(symtab_name(s, 4), "twice");
	ck_assert_str_eq(symtab_name(s, 5), "weak");
	ck_assert_ptr_null(symtab_name(s, 6));
}
END_TEST

START_TEST(nested_and_overlapping)
{
	static const struct elf_sym sym[] = {
		{ "outer", TEXT, 0x100, G(STT_FUNC), IN_TEXT },
		{ "inner", TEXT + 0x10, 0x10, G(STT_FUNC), IN_TEXT },
		{ "innermost", TEXT + 0x18, 0x8, G(STT_FUNC), IN_TEXT },
		{ "first", TEXT + 0x200, 0x20, G(STT_FUNC), IN_TEXT },
		{ "second", TEXT + 0x210, 0x20, G(STT_FUNC), IN_TEXT },
		{ "whole", TEXT + 0x300, 0x20, G(STT_OBJECT), IN_TEXT },
		{ "head", TEXT + 0x300, 0x10, G(STT_FUNC), IN_TEXT },
		{ "endless", TEXT + 0x400, UINT64_MAX, G(STT_FUNC), IN_TEXT },
	};

	open_table(64, sym, sizeof(sym) / sizeof(sym[0]));
	at(TEXT + 0xf, "outer", 0xf);
	at(TEXT + 0x10, "inner", 0);
	at(TEXT + 0x18, "innermost", 0);
	at(TEXT + 0x20, "outer", 0x20);
	at(TEXT + 0x100, NULL, 0);
	at(TEXT + 0x20f, "first", 0xf);
	at(TEXT + 0x21f, "second", 0xf);
	at(TEXT + 0x22f, "second", 0x1f);
	at(TEXT + 0x230, NULL, 0);
	at(TEXT + 0x30f, "head", 0xf);
	at(TEXT + 0x310, "whole", 0x10);
	at(TEXT + 0x320, NULL, 0);
	at(UINT64_MAX - 1, "endless", UINT64_MAX - 1 - TEXT - 0x400);
}
END_TEST

START_TEST(no_symbols)
{
	static const struct elf_sym none[1];
	struct elf_make m = { .bits = 64 };
	struct err err = { 0 };
	uint64_t v;
	bool moves;
	size_t size;

	open_table(64, none, 0);
	lacks("main");
	at(TEXT, NULL, 0);
	ck_assert_ptr_null(symtab_name(s, 0));
	symtab_free(s);
	/* Stripped of its section headers. */
	size = elf_make(&m, file, sizeof(file));
	ck_assert_int_eq(symtab_new(file, size, &s, &err), 0);
	lacks("main");

	ck_assert_int_eq(symtab_lookup(NULL, "a", 1, &v, &moves), -ENOENT);
	ck_assert_ptr_null(symtab_at(NULL, 0, &v));
	ck_assert_ptr_null(symtab_name(NULL, 0));
	symtab_free(NULL);
}
END_TEST

START_TEST(no_elf)
{
	struct symtab *t = (struct symtab *)file;
	struct err err = { 0 };

	ck_assert_int_eq(symtab_new((const uint8_t *)"hello", 5, &t, &err), -ENOEXEC);
	ck_assert_int_eq(err.code, ENOEXEC);
	ck_assert_ptr_eq(t, file);
}
END_TEST

static Elf64_Shdr *section(unsigned i)
{
	Elf64_Ehdr *eh = (Elf64_Ehdr *)file;

	return (Elf64_Shdr *)(file + eh->e_shoff) + i;
}

/* Section headers that lie: no symbols, or fewer, but never a crash.  3 is .symtab and 4 .strtab. */
START_TEST(lying_headers)
{
	size_t size, i;
	struct symtab *t;

	for (i = 0; i < 12; i++) {
		size = make(64, usual, NUSUAL);
		switch (i) {
		case 0: section(3)->sh_link = 0; break;
		case 1: section(3)->sh_link = 999; break;
		case 2: section(3)->sh_link = 3; break;
		case 3: section(3)->sh_offset = UINT64_MAX - 8; break;
		case 4: section(3)->sh_size = UINT64_MAX; break;
		case 5: section(3)->sh_type = SHT_NOBITS; break;
		case 6: section(4)->sh_offset = size; break;
		case 7: section(4)->sh_size = 1ull << 60; break;
		case 8: section(4)->sh_flags = SHF_COMPRESSED; break;
		case 9: section(3)->sh_flags = SHF_COMPRESSED; break;
		case 10: section(4)->sh_type = SHT_NOBITS; break;
		case 11: section(4)->sh_size = 0; break;
		}
		t = NULL;
		if (symtab_new(file, size, &t, NULL))
			continue;
		ck_assert_msg(!symtab_name(t, 0), "case %zu found %s", i, symtab_name(t, 0));
		symtab_free(t);
	}
	/* Strings that end early: the names beyond are lost, the last is ended by us. */
	size = make(64, usual, NUSUAL);
	section(4)->sh_size -= strlen("image_end") + 1 + strlen("vsys") + 1 + 2;
	ck_assert_int_eq(symtab_new(file, size, &s, NULL), 0);
	finds("main", TEXT + 0x10);
	finds("tabl", DATA + 0x10);
	lacks("image_end");
	/* An odd entry size is not trusted. */
	size = make(64, usual, NUSUAL);
	section(3)->sh_entsize = 1;
	if (!symtab_new(file, size, &t, NULL))
		symtab_free(t);
	section(3)->sh_entsize = 0;
	if (!symtab_new(file, size, &t, NULL))
		symtab_free(t);
}
END_TEST

/* Names too long to be any, and very many that differ only late. */
START_TEST(long_names)
{
	static char name[5000];
	struct elf_sym sym[] = { { name, TEXT, 4, G(STT_FUNC), IN_TEXT }, { "ok", TEXT + 4, 4, G(STT_FUNC),
									    IN_TEXT } };

	memset(name, 'n', sizeof(name) - 1);
	open_table(64, sym, 2);
	lacks(name);
	finds("ok", TEXT + 4);
	symtab_free(s);
	name[1024] = '\0';
	open_table(64, sym, 2);
	finds(name, TEXT);
}
END_TEST

static void use(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	struct symtab *t = NULL;
	uint64_t v;
	bool moves;
	size_t i;
	int rc;

	rc = symtab_new(data, size, &t, &err);
	ck_assert_int_eq(err.code, -rc);
	if (rc) {
		ck_assert_ptr_null(t);
		return;
	}
	for (i = 0; symtab_name(t, i); i++) {
		ck_assert_int_eq(symtab_lookup(t, symtab_name(t, i), strlen(symtab_name(t, i)), &v, &moves), 0);
		symtab_at(t, v, &v);
	}
	symtab_free(t);
}

/* In memory of exactly its size, so that a read beyond it is seen. */
static void use_copy(size_t size)
{
	uint8_t *copy = malloc(size);

	memcpy(copy, file, size);
	use(copy, size);
	free(copy);
}

START_TEST(every_truncation)
{
	size_t size = make(_i ? 64 : 32, usual, NUSUAL), n;

	for (n = 1; n <= size; n++)
		use_copy(n);
}
END_TEST

START_TEST(random_damage)
{
	static uint8_t clean[sizeof(file)];
	size_t size = make(_i ? 64 : 32, usual, NUSUAL), round, k;

	memcpy(clean, file, sizeof(file));
	srand(99 + (unsigned)_i);
	for (round = 0; round < 5000; round++) {
		memcpy(file, clean, size);
		for (k = (unsigned)rand() % 4 + 1; k; k--) {
			/* The section headers are last, the ELF header first. */
			size_t at_byte = rand() % 4 ? size - 1 - (unsigned)rand() % 320 :
					 rand() % 2 ? (unsigned)rand() % 64 : (unsigned)rand() % size;

			file[at_byte] = rand() % 2 ? (uint8_t)rand() : rand() % 2 ? 0xff : 0;
		}
		use_copy(size);
	}
}
END_TEST

/* Random symbols: every address against a search through them all. */
START_TEST(random_symbols)
{
	static struct elf_sym sym[300];
	static char names[300][8];
	unsigned i, n = sizeof(sym) / sizeof(sym[0]);
	uint64_t addr;

	srand(5 + (unsigned)_i);
	for (i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "f%u", i);
		sym[i] = (struct elf_sym){
			names[i], TEXT + (unsigned)rand() % 0xe00, (unsigned)rand() % 60 + 1, G(STT_FUNC), IN_TEXT
		};
	}
	open_table(64, sym, n);
	for (addr = TEXT - 4; addr < TEXT + 0x1000; addr++) {
		const struct elf_sym *best = NULL;
		uint64_t off;
		const char *name = symtab_at(s, addr, &off);

		for (i = 0; i < n; i++)
			if (addr - sym[i].value < sym[i].size && (!best || sym[i].value > best->value))
				best = &sym[i];
		ck_assert_msg(!name == !best, "0x%lx", addr);
		if (best)
			ck_assert_uint_eq(off, addr - best->value);
	}
}
END_TEST

/* What goes with a program that is loaded elsewhere: what is where its section is. */
START_TEST(what_moves)
{
	static const struct elf_sym syms[] = {
		{ "main", TEXT + 0x10, 0x20, G(STT_FUNC), IN_TEXT },
		{ "etext", TEXT + 0x1000, 0, G(STT_NOTYPE), IN_TEXT },
		{ "beyond", TEXT + 0x9000, 0, G(STT_NOTYPE), IN_TEXT },
		{ "after", TEXT + 0x40, 0, G(STT_NOTYPE), IN_TEXT },
		{ "number", TEXT + 0x20, 0x10, G(STT_FUNC), SHN_ABS },
	};
	static const struct { const char *name; bool moves; } cases[] = {
		{ "main", true }, { "etext", true }, { "beyond", true }, { "number", false },
	};
	uint64_t addr, off;
	bool moves;

	open_table(64, syms, sizeof(syms) / sizeof(syms[0]));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name = cases[i].name;

		ck_assert_int_eq(symtab_lookup(s, name, strlen(name), &addr, &moves), 0);
		ck_assert_msg(moves == cases[i].moves, "%s", name);
	}
	ck_assert_int_eq(symtab_lookup(s, "nothing", 7, &addr, &moves), -ENOENT);
	ck_assert_str_eq(symtab_cover(s, TEXT + 0x11, true, &off), "main");
	ck_assert_uint_eq(off, 1);
	ck_assert_ptr_null(symtab_cover(s, TEXT + 0x11, false, &off));
	ck_assert_ptr_null(symtab_cover(NULL, TEXT, true, &off));
	/* A name outside of its section covers nothing, nor does one before it reach up to there. */
	ck_assert_str_eq(symtab_cover(s, TEXT + 0xfff, true, &off), "after");
	ck_assert_ptr_null(symtab_cover(s, TEXT + 0x1000, true, &off));
	ck_assert_ptr_null(symtab_cover(s, TEXT + 0x9000, true, &off));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("symtab");
	TCase *t = tcase_create("symtab"), *damage = tcase_create("damage");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, by_name, 0, 2);
	tcase_add_test(t, name_by_length);
	tcase_add_loop_test(t, by_address, 0, 2);
	tcase_add_test(t, same_name_and_address);
	tcase_add_test(t, nested_and_overlapping);
	tcase_add_test(t, what_moves);
	tcase_add_test(t, no_symbols);
	tcase_add_test(t, no_elf);
	tcase_add_test(t, lying_headers);
	tcase_add_test(t, long_names);
	tcase_add_loop_test(t, every_truncation, 0, 2);
	tcase_add_loop_test(t, random_symbols, 0, 4);
	suite_add_tcase(suite, t);
	tcase_add_checked_fixture(damage, NULL, teardown);
	tcase_set_timeout(damage, 120);
	tcase_set_tags(damage, "long");
	tcase_add_loop_test(damage, random_damage, 0, 2);
	suite_add_tcase(suite, damage);
	return unit_main(suite);
}
