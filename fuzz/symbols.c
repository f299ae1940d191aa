/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Symbols and DWARF of an ELF file: everything that is asked of one, in the order that the input's first bytes say. */
#include "sym/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

#define NAMES_MAX 64

static void ask_symbols(struct symbols *s)
{
	const char *name;

	for (size_t i = 0; i < NAMES_MAX && (name = symbols_name(s, i)); i++) {
		uint64_t addr = 0, offset = 0;

		ck_assert_int_eq(symbols_find(s, name, strlen(name), &addr), 0);
		symbols_at(s, addr, &offset);
	}
	for (size_t i = 0; i < 8; i++) {
		uint64_t gva;

		if (!symbols_segment(s, i, &gva))
			break;
		symbols_at(s, gva, &gva);
	}
}

static void ask_lines(struct symbols *s, uint64_t at)
{
	static const char *const files[] = { "a.c", "main.c", "nest.c", "" };
	struct source_line line;
	uint64_t where[8];

	symbols_line(s, at, &line);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		unsigned n = (unsigned)at & 63;
		struct err err = { 0 };
		int rc = symbols_places(s, files[i], strlen(files[i]), &n, where, 8, &err);

		if (rc < 0)
			check_answer(rc, &err);
		ck_assert_int_le(rc, 8);
	}
}

static void ask_types(struct dwarf *d)
{
	static const char *const members[] = { "pair.number", "list_head.next", "task_struct.pid", "outer.inner.bits", "." };
	static const char *const types[] = { "pair", "unsigned int", "outer", "" };
	struct dwarf_member m;
	uint64_t size;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		struct err err = { 0 };

		check_answer(dwarf_member(d, members[i], &m, &err), &err);
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct err err = { 0 };

		check_answer(dwarf_sizeof(d, types[i], &size, &err), &err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	uint64_t at = take(&in, 2);
	struct symbols *s = NULL;
	struct err err = { 0 };
	uint8_t *copy;
	int rc;

	if (!in.len)
		return 0;
	copy = malloc(in.len);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, in.p, in.len);
	rc = symbols_new(copy, in.len, &s, &err);
	check_answer(rc, &err);
	if (!rc) {
		ask_symbols(s);
		if (at & 1)
			symbols_move(s, 0x200000);
		ask_symbols(s);
		ask_lines(s, at);
		ask_lines(s, 0x100000 + at);
		if (symbols_dwarf(s))
			ask_types(symbols_dwarf(s));
		/* A file is only ever read. */
		ck_assert_mem_eq(copy, in.p, in.len);
		symbols_free(s);
	}
	free(copy);
	return 0;
}
