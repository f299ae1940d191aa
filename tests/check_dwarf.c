/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Debugging information as compilers write it, in all its forms, and as nobody does. */
#include "sym/dwarf.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/load.h"
#include "sym/symbols.h"
#include "tests/sym/types.h"
#include "tests/unit.h"

/* Every form of the 64-bit program; m32.elf has other offsets. */
static const char *const forms[] = { "d2", "d4", "d5", "inline", "zlib", "zstd", "noaranges" };
#define NFORMS ((int)(sizeof(forms) / sizeof(forms[0])))

static struct blob file;
static struct dwarf *d;
static struct symbols *s;

static void read_elf(const char *name)
{
	const char *dir = getenv("builddir");
	struct err err = { 0 };
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/sym/%s.elf", dir ? dir : ".", name);
	ck_assert_msg(blob_read(path, &file, &err) == 0, "%s", err.msg);
}

static void open_elf(const char *name)
{
	struct err err = { 0 };

	read_elf(name);
	ck_assert_msg(dwarf_new(file.data, file.size, &d, &err) == 0, "%s", err.msg);
	ck_assert_msg(symbols_new(file.data, file.size, &s, &err) == 0, "%s", err.msg);
}

static void tear_down(void)
{
	dwarf_free(d);
	symbols_free(s);
	blob_done(&file);
	d = NULL;
	s = NULL;
}

static uint64_t address(const char *name)
{
	uint64_t addr = 0;

	ck_assert_msg(symbols_find(s, name, strlen(name), &addr) == 0, "%s", name);
	return addr;
}

/* ---- Types ---- */

struct member_case {
	const char *path;
	size_t offset, size;
	unsigned bits;
};

#define MEMBER(path, type, member) { path, offsetof(type, member), sizeof(((type *)0)->member), 0 }

static const struct member_case members[] = {
	MEMBER("sym_outer.first", struct sym_outer, first),
	MEMBER("sym_outer.in", struct sym_outer, in),
	MEMBER("sym_outer.in.a", struct sym_outer, in.a),
	MEMBER("sym_outer.in.named", struct sym_outer, in.named),
	MEMBER("sym_outer.in.named.c", struct sym_outer, in.named.c),
	MEMBER("sym_outer.in.d", struct sym_outer, in.d),
	MEMBER("sym_outer.in.e", struct sym_outer, in.e),
	MEMBER("sym_outer.next", struct sym_outer, next),
	MEMBER("sym_outer.before", struct sym_outer, before),
	MEMBER("sym_outer.deep", struct sym_outer, deep),
	MEMBER("sym_outer.far", struct sym_outer, far),
	MEMBER("sym_outer.table", struct sym_outer, table),
	MEMBER("sym_outer.text", struct sym_outer, text),
	MEMBER("sym_outer.fixed", struct sym_outer, fixed),
	MEMBER("sym_outer.fixed.named.b", struct sym_outer, fixed.named.b),
	MEMBER("sym_outer_t.text", struct sym_outer, text),
	MEMBER("sym_again_t.fixed.d", struct sym_outer, fixed.d),
	MEMBER("sym_inner.e", struct sym_inner, e),
	MEMBER("sym_unnamed_t.only", sym_unnamed_t, only),
	MEMBER("sym_both.part", union sym_both, part),
	MEMBER("sym_both.part.high", union sym_both, part.high),
	{ "sym_outer.open", offsetof(struct sym_outer, open), 0, 0 },
	{ "sym_elsewhere.found", 3 * sizeof(long), sizeof(int), 0 },
};

START_TEST(members_are_where_the_compiler_has_them)
{
	struct err err = { 0 };
	struct dwarf_member m;

	open_elf(forms[_i]);
	/* Twice: the second answer is a remembered one. */
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
			const struct member_case *c = &members[i];

			ck_assert_msg(dwarf_member(d, c->path, &m, &err) == 0, "%s: %s", c->path, err.msg);
			ck_assert_msg(m.offset == c->offset && m.size == c->size && !m.bits, "%s: %zu, %zu, %u bits",
				      c->path, (size_t)m.offset, (size_t)m.size, m.bits);
		}
}
END_TEST

/* Reads bits of OBJECT as a user of dwarf_member() would. */
static uint64_t bits_of(const void *object, const struct dwarf_member *m)
{
	uint64_t v = 0;

	ck_assert_uint_le(m->size, sizeof(v));
	memcpy(&v, (const uint8_t *)object + m->offset, m->size);
	return v >> m->bit & ((1ull << m->bits) - 1);
}

START_TEST(bit_fields)
{
	struct sym_outer o;
	struct dwarf_member m;

	memset(&o, 0xff, sizeof(o));
	o.f = 5;
	o.g = 0x35;
	o.h = 0x1234567890ull;
	open_elf(forms[_i]);
	ck_assert_int_eq(dwarf_member(d, "sym_outer.f", &m, NULL), 0);
	ck_assert_uint_eq(m.bits, 3);
	ck_assert_uint_eq(bits_of(&o, &m), 5);
	ck_assert_int_eq(dwarf_member(d, "sym_outer.g", &m, NULL), 0);
	ck_assert_uint_eq(m.bits, 7);
	ck_assert_uint_eq(bits_of(&o, &m), 0x35);
	ck_assert_int_eq(dwarf_member(d, "sym_outer_t.h", &m, NULL), 0);
	ck_assert_uint_eq(m.bits, 40);
	ck_assert_uint_eq(bits_of(&o, &m), 0x1234567890ull);
}
END_TEST

START_TEST(sizes_of_types)
{
	static const struct { const char *name; uint64_t size; } sizes[] = {
		{ "sym_outer", sizeof(struct sym_outer) }, { "sym_again_t", sizeof(struct sym_outer) },
		{ "sym_unnamed_t", sizeof(sym_unnamed_t) }, { "sym_both", sizeof(union sym_both) }, { "int", 4 },
		{ "char", 1 }, { "sym_elsewhere", 4 * sizeof(long) }, { "sym_colour", 4 },
	};
	uint64_t size;

	open_elf(forms[_i]);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_msg(dwarf_sizeof(d, sizes[i].name, &size, NULL) == 0, "%s", sizes[i].name);
		ck_assert_uint_eq(size, sizes[i].size);
	}
}
END_TEST

START_TEST(what_is_not_there)
{
	static const struct { const char *path, *says; } cases[] = {
		{ "sym_nothing.a", "there is no type 'sym_nothing'" }, { "sym_oute.a", "there is no type 'sym_oute'" },
		{ "outer.first", "there is no type 'outer'" }, { "sym_outer", "'sym_outer' names no member" },
		{ "sym_outer.nothing", "'sym_outer' has no member 'nothing'" },
		{ "sym_outer.firs", "'sym_outer' has no member 'firs'" },
		{ "sym_outer.in.nothing", "'sym_outer.in' has no member 'nothing'" },
		{ "sym_outer.first.x", "'sym_outer.first' has no members that are known" },
		{ "sym_outer.next.in", "'sym_outer.next' has no members that are known" },
		{ "sym_outer.", "'sym_outer' has no member ''" }, { ".x", "there is no type ''" },
		{ "", "there is no type ''" },
	};
	struct dwarf_member m = { .offset = 99 };
	struct err err;
	uint64_t size = 99;
	char *longer;

	open_elf("d5");
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			ck_assert_int_eq(dwarf_member(d, cases[i].path, &m, &err), -ENOENT);
			ck_assert_str_eq(err.msg, cases[i].says);
			ck_assert_int_eq(err.code, ENOENT);
		}
	ck_assert_int_eq(dwarf_sizeof(d, "sym_nothing", &size, &err), -ENOENT);
	/* An enumerator is no type. */
	ck_assert_int_eq(dwarf_sizeof(d, "SYM_RED", &size, &err), -ENOENT);
	longer = calloc(1, 70000);
	memset(longer, 'x', 69999);
	ck_assert_int_eq(dwarf_sizeof(d, longer, &size, &err), -ENOENT);
	ck_assert_int_eq(dwarf_member(NULL, "sym_outer.in", &m, &err), -ENOENT);
	free(longer);
	ck_assert(m.offset == 99 && size == 99);
}
END_TEST

START_TEST(the_32_bit_program)
{
	struct source_line line;
	struct dwarf_member m;
	uint64_t size;

	open_elf("m32");
	ck_assert_uint_eq(symbols_bits(s), 32);
	ck_assert_int_eq(dwarf_member(d, "sym_outer.next", &m, NULL), 0);
	ck_assert_uint_eq(m.size, 4);
	ck_assert_int_eq(dwarf_sizeof(d, "sym_elsewhere", &size, NULL), 0);
	ck_assert_uint_eq(size, 16);
	ck_assert_int_eq(dwarf_line(d, address("sym_plain"), &line), 0);
	ck_assert_uint_eq(line.line, 101);
}
END_TEST

/* ---- Lines ---- */

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

START_TEST(lines_of_code)
{
	struct source_line line = { 0 };
	uint64_t start, plain;
	const char *path;

	open_elf(forms[_i]);
	plain = address("sym_plain");
	ck_assert_int_eq(dwarf_line(d, plain, &line), 0);
	ck_assert_msg(ends_in(line.file, "tests/sym/one.c"), "%s", line.file);
	ck_assert_uint_eq(line.line, 101);
	path = line.file;
	/* Every byte of it is of one of its lines. */
	for (uint64_t offset = 0; symbols_at(s, plain + offset, &start) && start == offset; offset++) {
		if (strcmp(symbols_at(s, plain + offset, &start), "sym_plain"))
			break;
		ck_assert_int_eq(dwarf_line(d, plain + offset, &line), 0);
		ck_assert_uint_ge(line.line, 100);
		ck_assert_uint_le(line.line, 104);
		ck_assert_ptr_eq(line.file, path);
	}
	ck_assert_int_eq(dwarf_line(d, address("sym_other"), &line), 0);
	ck_assert_msg(ends_in(line.file, "tests/sym/two.c"), "%s", line.file);
	ck_assert_uint_eq(line.line, 51);
	line.line = 99;
	ck_assert_int_eq(dwarf_line(d, plain - 0x10000, &line), -ENOENT);
	ck_assert_int_eq(dwarf_line(d, 0, &line), -ENOENT);
	ck_assert_int_eq(dwarf_line(d, UINT64_MAX, &line), -ENOENT);
	ck_assert_int_eq(dwarf_line(d, address("sym_counter"), &line), -ENOENT);
	ck_assert_int_eq(dwarf_line(NULL, plain, &line), -ENOENT);
	ck_assert_uint_eq(line.line, 99);
}
END_TEST

static int places(const char *name, unsigned *line, uint64_t *ret, size_t max, struct err *err)
{
	return dwarf_places(d, name, strlen(name), line, ret, max, err);
}

START_TEST(code_of_lines)
{
	struct err err = { 0 };
	uint64_t at[8], other;
	unsigned line = 100;

	open_elf(forms[_i]);
	ck_assert_int_eq(places("one.c", &line, at, 8, &err), 1);
	ck_assert_uint_eq(at[0], address("sym_plain"));
	ck_assert_uint_eq(line, 101);
	line = 101;
	ck_assert_int_eq(places("tests/sym/one.c", &line, at, 8, &err), 1);
	ck_assert_uint_eq(at[0], address("sym_plain"));
	/* Between two functions: the next one's. */
	line = 110;
	ck_assert_int_eq(places("sym/one.c", &line, at, 8, &err), 1);
	ck_assert_uint_eq(at[0], address("sym_loop"));
	ck_assert_uint_eq(line, 201);
	/* Three functions have this inlined, of both files. */
	line = 14;
	ck_assert_msg(places("inlined.h", &line, at, 8, &err) == 3, "%s", err.msg);
	ck_assert_uint_eq(line, 14);
	ck_assert(at[0] < at[1] && at[1] < at[2]);
	for (int i = 0; i < 3; i++) {
		struct source_line l;

		ck_assert_int_eq(dwarf_line(d, at[i], &l), 0);
		ck_assert_msg(ends_in(l.file, "inlined.h"), "%s", l.file);
		ck_assert_uint_eq(l.line, 14);
		ck_assert_ptr_nonnull(symbols_at(s, at[i], &other));
	}
	line = 14;
	ck_assert_int_eq(places("inlined.h", &line, at + 4, 2, &err), 2);
	ck_assert(at[4] == at[0] && at[5] == at[1]);
	/* A loop's head has code in several places of one function. */
	line = 203;
	ck_assert_int_eq(places("one.c", &line, at, 8, &err), 1);
	ck_assert_uint_eq(line, 203);
}
END_TEST

START_TEST(no_code_of_lines)
{
	static const struct { const char *file; unsigned line; const char *says; } cases[] = {
		{ "nothing.c", 1, "there is no source file 'nothing.c'" }, { "", 1, "there is no source file ''" },
		{ "ne.c", 100, "there is no source file 'ne.c'" },
		{ "m/one.c", 100, "there is no source file 'm/one.c'" },
		{ "one.c", 1000, "no code comes from line 1000 of 'one.c' or after it" },
		{ "one.c", 2147483647, "no code comes from line 2147483647 of 'one.c' or after it" },
	};
	uint64_t at[2] = { 99 };
	struct err err;

	open_elf("d5");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned line = cases[i].line;

		ck_assert_int_eq(places(cases[i].file, &line, at, 2, &err), -ENOENT);
		ck_assert_str_eq(err.msg, cases[i].says);
		ck_assert_uint_eq(line, cases[i].line);
	}
	ck_assert_uint_eq(at[0], 99);
}
END_TEST

/* ---- Files without, and moved ones ---- */

START_TEST(no_debugging_information)
{
	struct dwarf *none = NULL;
	struct err err;
	struct source_line line;

	read_elf("none");
	ck_assert_int_eq(dwarf_new(file.data, file.size, &none, &err), -ENOENT);
	ck_assert_ptr_null(none);
	ck_assert_int_eq(dwarf_new((const uint8_t *)"hello", 5, &none, &err), -ENOEXEC);
	ck_assert_ptr_null(none);
	ck_assert_int_eq(symbols_new(file.data, file.size, &s, &err), 0);
	ck_assert(symbols_any(s));
	ck_assert_ptr_null(symbols_dwarf(s));
	ck_assert_int_eq(symbols_line(s, address("sym_plain"), &line), -ENOENT);
}
END_TEST

START_TEST(compressed_ones_are)
{
	static const struct { const char *name; uint32_t type; } kinds[] = { { "zlib", 1 }, { "zstd", 2 } };
	Elf_Scn *scn = NULL;
	bool any = false;
	GElf_Shdr sh;
	Elf *elf;

	read_elf(kinds[_i].name);
	elf_version(EV_CURRENT);
	elf = elf_memory((char *)file.data, file.size);
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) && (sh.sh_flags & SHF_COMPRESSED)) {
			uint32_t type;

			memcpy(&type, file.data + sh.sh_offset, sizeof(type));
			ck_assert_uint_eq(type, kinds[_i].type);
			any = true;
		}
	elf_end(elf);
	if (!any && _i == 1)
		fprintf(stderr, "# this objcopy has no zstd\n");
	else
		ck_assert(any);
}
END_TEST

/* What is asked is not written to: gdb is given the same bytes. */
START_TEST(the_file_stays_as_it_is)
{
	struct dwarf_member m;
	uint8_t *before;

	open_elf("zlib");
	before = malloc(file.size);
	memcpy(before, file.data, file.size);
	ck_assert_int_eq(dwarf_member(d, "sym_outer.in", &m, NULL), 0);
	ck_assert_int_eq(memcmp(before, file.data, file.size), 0);
	free(before);
}
END_TEST

START_TEST(moved)
{
	const uint64_t slide = _i ? 0x40000000 : (uint64_t)-0x80000;
	uint64_t linked, offset, at[4];
	struct source_line line;
	unsigned number = 101;

	open_elf("d5");
	linked = address("sym_plain");
	symbols_move(s, slide);
	ck_assert_uint_eq(symbols_slide(s), slide);
	ck_assert_uint_eq(address("sym_plain"), linked + slide);
	ck_assert_str_eq(symbols_at(s, linked + slide + 1, &offset), "sym_plain");
	ck_assert_uint_eq(offset, 1);
	ck_assert_ptr_null(symbols_at(s, linked, &offset));
	ck_assert_int_eq(symbols_line(s, linked + slide, &line), 0);
	ck_assert_uint_eq(line.line, 101);
	ck_assert_int_eq(symbols_line(s, linked, &line), -ENOENT);
	ck_assert_int_eq(symbols_places(s, "one.c", 5, &number, at, 4, NULL), 1);
	ck_assert_uint_eq(at[0], linked + slide);
	/* Its DWARF does not know of it. */
	ck_assert_int_eq(dwarf_line(symbols_dwarf(s), linked, &line), 0);
	symbols_move(s, 0);
	ck_assert_uint_eq(address("sym_plain"), linked);
	ck_assert(symbols_segment(s, 0, &offset));
	ck_assert(!symbols_segment(s, 2, &offset));
	ck_assert_int_eq(symbols_line(NULL, linked, &line), -ENOENT);
	ck_assert_int_eq(symbols_places(NULL, "one.c", 5, &number, at, 4, NULL), -ENOENT);
	ck_assert_ptr_null(symbols_at(NULL, linked, &offset));
	symbols_move(NULL, 1);
}
END_TEST

/* ---- Hostile files ---- */

/* Asks everything of DATA; only that it ends well matters. */
static void ask_all(const uint8_t *data, size_t size)
{
	struct source_line line;
	struct dwarf_member m;
	unsigned number = 14;
	struct symbols *x;
	uint64_t at[8], v;

	if (symbols_new(data, size, &x, NULL))
		return;
	for (uint64_t a = 0x100000; a < 0x100100; a += 5)
		if (!symbols_line(x, a, &line))
			ck_assert(strlen(line.file) && line.line);
	symbols_places(x, "inlined.h", 9, &number, at, 8, NULL);
	symbols_places(x, "one.c", 5, &number, at, 8, NULL);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		dwarf_member(symbols_dwarf(x), members[i].path, &m, NULL);
	dwarf_sizeof(symbols_dwarf(x), "sym_outer", &v, NULL);
	symbols_free(x);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static unsigned rounds(void)
{
	const char *n = getenv("GV_FUZZ_ROUNDS");

	return n ? (unsigned)strtoul(n, NULL, 10) : 60;
}

START_TEST(truncated)
{
	uint32_t seed = 7;

	read_elf(forms[_i]);
	for (unsigned i = 0; i < rounds(); i++) {
		size_t size = next_random(&seed) % file.size;
		uint8_t *part = malloc(size + 1), *all = malloc(file.size);

		memcpy(part, file.data, size);
		ask_all(part, size);
		free(part);
		/* Or the end is there, and nothing in it. */
		memcpy(all, file.data, file.size);
		size = next_random(&seed) % file.size;
		memset(all + size, i & 1 ? 0xff : 0, (file.size - size) / (1 + i % 5));
		ask_all(all, file.size);
		free(all);
	}
}
END_TEST

START_TEST(bits_flipped)
{
	uint32_t seed = 99;

	read_elf(forms[_i]);
	for (unsigned i = 0; i < rounds(); i++) {
		uint8_t *all = malloc(file.size);

		memcpy(all, file.data, file.size);
		for (uint32_t n = 1 + next_random(&seed) % 30; n; n--)
			all[next_random(&seed) % file.size] ^= (uint8_t)(1u << next_random(&seed) % 8);
		ask_all(all, file.size);
		free(all);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dwarf");
	TCase *t = tcase_create("dwarf");

	tcase_add_checked_fixture(t, NULL, tear_down);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, members_are_where_the_compiler_has_them, 0, NFORMS);
	tcase_add_loop_test(t, bit_fields, 0, NFORMS);
	tcase_add_loop_test(t, sizes_of_types, 0, NFORMS);
	tcase_add_test(t, what_is_not_there);
	tcase_add_test(t, the_32_bit_program);
	tcase_add_loop_test(t, lines_of_code, 0, NFORMS);
	tcase_add_loop_test(t, code_of_lines, 0, NFORMS);
	tcase_add_test(t, no_code_of_lines);
	tcase_add_test(t, no_debugging_information);
	tcase_add_loop_test(t, compressed_ones_are, 0, 2);
	tcase_add_test(t, the_file_stays_as_it_is);
	tcase_add_loop_test(t, moved, 0, 2);
	tcase_add_loop_test(t, truncated, 0, NFORMS);
	tcase_add_loop_test(t, bits_flipped, 0, NFORMS);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
