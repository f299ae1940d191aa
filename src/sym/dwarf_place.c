/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From lines of source to code.  The tables of units that are named like the file are read first; only when there is
 * none, as for headers, those of all units, a few at a time, as libdw keeps what it has read and a kernel's tables
 * take gigabytes.
 */
#include "sym/dwarf_priv.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_AT_ONCE   64
#define PLACES_MAX      4096            /* before those of one function are made one */

struct place {
	uint64_t addr;
	size_t unit;
	const void *scope;      /* the entry of the innermost function, inlined ones too */
};

struct search {
	struct dwarf *d;
	const char *file;
	size_t len;
	unsigned wanted, best;  /* best: the line found, 0: none yet */
	bool any_file;
	struct place *place;
	size_t n;
};

/* Whether PATH is the file, or ends in it behind a slash. */
static bool is_file(const struct search *s, const char *path)
{
	size_t len = path ? strlen(path) : 0;

	return len >= s->len && !memcmp(path + len - s->len, s->file, s->len) &&
	       (len == s->len || path[len - s->len - 1] == '/' || s->file[0] == '/');
}

/* Whether the file's last part stands anywhere in the debug sections: else no table need be read. */
static bool is_mentioned(const struct search *s)
{
	const char *slash = memrchr(s->file, '/', s->len), *base = slash ? slash + 1 : s->file;
	size_t len = (size_t)(s->file + s->len - base), strings;
	Elf *elf = s->d->elf.f.elf;
	Elf_Scn *scn = NULL;
	const char *name;
	Elf_Data *data;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &strings))
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, strings, sh.sh_name) : NULL;
		if (!name || strncmp(name, ".debug_", 7) || !(data = elf_rawdata(scn, NULL)) || !data->d_buf)
			continue;
		if (memmem(data->d_buf, data->d_size, base, len))
			return true;
	}
	return false;
}

static void add_place(struct search *s, unsigned line, uint64_t addr, size_t unit)
{
	if (!s->best || line < s->best) {
		s->best = line;
		s->n = 0;
	}
	if (line == s->best && s->n < PLACES_MAX)
		s->place[s->n++] = (struct place){ .addr = addr, .unit = unit };
}

/* Takes from the table of DIE, the outermost entry of UNIT, where the best line begins. */
static void search_unit(struct search *s, Dwarf_Die *die, size_t unit)
{
	const char *path, *last = NULL, *before = NULL;
	bool match = false, end, statement;
	int number, number_before = 0;
	Dwarf_Lines *lines;
	Dwarf_Addr addr;
	size_t n;

	if (!dwarf_hasattr(die, DW_AT_stmt_list) || dwarf_getsrclines(die, &lines, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		Dwarf_Line *l = dwarf_onesrcline(lines, i);

		if (!l || dwarf_lineendsequence(l, &end) || dwarf_linebeginstatement(l, &statement) ||
		    dwarf_lineno(l, &number) || dwarf_lineaddr(l, &addr))
			continue;
		path = end ? NULL : dwarf_linesrc(l, NULL, NULL);
		if (path && path != last) {
			match = is_file(s, path);
			s->any_file |= match;
			last = path;
		}
		if (path && match && statement && number >= 0 && (unsigned)number >= s->wanted && number &&
		    !(path == before && number == number_before))
			add_place(s, (unsigned)number, addr, unit);
		before = path;
		number_before = number;
	}
}

static void search_named(struct search *s)
{
	for (size_t i = 0; i < s->d->nunits; i++)
		if (is_file(s, dwarf_name(&s->d->unit[i], &s->d->unit[i].die)))
			search_unit(s, &s->d->unit[i].die, i);
}

static void search_all(struct search *s)
{
	Dwarf *dbg = NULL;
	Dwarf_Die die;

	for (size_t i = 0; i < s->d->nunits; i++) {
		if (i % UNITS_AT_ONCE == 0) {
			dwarf_end(dbg);
			dbg = dwarf_begin_elf(s->d->elf.f.elf, DWARF_C_READ, NULL);
		}
		if (dbg && dwarf_tag(&s->d->unit[i].die) == DW_TAG_compile_unit &&
		    dwarf_offdie(dbg, dwarf_dieoffset(&s->d->unit[i].die), &die))
			search_unit(s, &die, i);
	}
	dwarf_end(dbg);
}

/* ---- One a function ---- */

static bool is_scope(int tag)
{
	return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block;
}

/* The entry of the innermost function at ADDR. */
static const void *scope_of(const struct unit *u, uint64_t addr)
{
	Dwarf_Die die = u->die, inner;
	const void *found = NULL;

	/* Every step goes further into the file. */
	while (dwarf_first(&die, &inner)) {
		bool in;

		do
			in = is_scope(dwarf_tag(&inner)) && dwarf_haspc(&inner, addr) > 0;
		while (!in && dwarf_next(&inner, &inner));
		if (!in)
			break;
		die = inner;
		if (dwarf_tag(&die) != DW_TAG_lexical_block)
			found = die.addr;
	}
	return found;
}

static int by_scope(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->scope != y->scope)
		return x->scope < y->scope ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static int by_addr(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* A loop's line has code in several places of a function, and stopping at the first is what is meant. */
static void make_one_each(struct search *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		s->place[i].scope = scope_of(&s->d->unit[s->place[i].unit], s->place[i].addr);
	if (s->n)
		qsort(s->place, s->n, sizeof(*s->place), by_scope);
	for (size_t i = 0; i < s->n; i++)
		if (!i || !s->place[i].scope || s->place[i].scope != s->place[i - 1].scope)
			s->place[n++] = s->place[i];
	s->n = n;
	if (n)
		qsort(s->place, n, sizeof(*s->place), by_addr);
}

int dwarf_places(struct dwarf *d, const char *file, size_t len, unsigned *line, uint64_t *ret, size_t max,
		 struct err *err)
{
	struct search s = { .d = d, .file = file, .len = len, .wanted = *line };
	int shown = len < 120 ? (int)len : 120;
	size_t n = 0;

	if (!dwarf_open(d))
		return err_set(err, ENOENT, "no lines of source are known");
	if (!len || !is_mentioned(&s))
		return err_set(err, ENOENT, "there is no source file '%.*s'", shown, file);
	s.place = calloc(PLACES_MAX, sizeof(*s.place));
	if (!s.place)
		return err_errno(err, ENOMEM, "lines of source");
	search_named(&s);
	if (!s.any_file)
		search_all(&s);
	make_one_each(&s);
	for (size_t i = 0; i < s.n && n < max; i++)
		if (!n || ret[n - 1] != s.place[i].addr)
			ret[n++] = s.place[i].addr;
	free(s.place);
	if (!n && s.any_file)
		return err_set(err, ENOENT, "no code comes from line %u of '%.*s' or after it", *line, shown, file);
	if (!n)
		return err_set(err, ENOENT, "there is no source file '%.*s'", shown, file);
	*line = s.best;
	return (int)n;
}
