/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sym/symbols.h"

#include <errno.h>
#include <stdlib.h>

#include "load/parts.h"
#include "load/symtab.h"

#define SEGMENTS        2       /* that are remembered */

struct symbols {
	struct symtab *table;
	struct dwarf *dwarf;    /* NULL: none */
	unsigned bits;
	uint64_t segment[SEGMENTS];
	size_t nsegments;
	uint64_t slide;
};

static void read_header(struct symbols *s, const struct elf_file *f)
{
	GElf_Phdr ph;

	s->bits = f->bits;
	for (int i = 0; i < f->eh.e_phnum && s->nsegments < SEGMENTS; i++)
		if (gelf_getphdr(f->elf, i, &ph) && ph.p_type == PT_LOAD && ph.p_memsz)
			s->segment[s->nsegments++] = ph.p_vaddr;
}

int symbols_new(const uint8_t *data, size_t size, struct symbols **ret, struct err *err)
{
	struct symbols *s;
	struct elf_file f;
	int r = elf_file_open(data, size, &f, err);

	if (r)
		return r;
	s = calloc(1, sizeof(*s));
	if (s)
		read_header(s, &f);
	elf_file_done(&f);
	if (!s)
		return err_errno(err, ENOMEM, "symbols");
	r = symtab_new(data, size, &s->table, err);
	if (!r) {
		r = dwarf_new(data, size, &s->dwarf, err);
		if (r == -ENOENT)
			r = 0;
	}
	if (r) {
		symbols_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	symtab_free(s->table);
	dwarf_free(s->dwarf);
	free(s);
}

bool symbols_any(const struct symbols *s)
{
	return s && (s->dwarf || symtab_name(s->table, 0));
}

unsigned symbols_bits(const struct symbols *s)
{
	return s ? s->bits : 0;
}

struct dwarf *symbols_dwarf(struct symbols *s)
{
	return s ? s->dwarf : NULL;
}

bool symbols_segment(const struct symbols *s, size_t index, uint64_t *ret_gva)
{
	if (!s || index >= s->nsegments)
		return false;
	*ret_gva = s->segment[index];
	return true;
}

uint64_t symbols_slide(const struct symbols *s)
{
	return s ? s->slide : 0;
}

void symbols_move(struct symbols *s, uint64_t slide)
{
	if (s)
		s->slide = slide;
}

int symbols_find(const struct symbols *s, const char *name, size_t len, uint64_t *ret_addr)
{
	bool moves;
	uint64_t addr;

	if (!s || symtab_lookup(s->table, name, len, &addr, &moves))
		return -ENOENT;
	*ret_addr = addr + (moves ? s->slide : 0);
	return 0;
}

const char *symbols_at(const struct symbols *s, uint64_t addr, uint64_t *ret_offset)
{
	const char *name;

	if (!s)
		return NULL;
	name = symtab_cover(s->table, addr - s->slide, true, ret_offset);
	return name ? name : symtab_cover(s->table, addr, false, ret_offset);
}

const char *symbols_name(const struct symbols *s, size_t index)
{
	return s ? symtab_name(s->table, index) : NULL;
}

int symbols_line(struct symbols *s, uint64_t addr, struct source_line *ret)
{
	return s ? dwarf_line(s->dwarf, addr - s->slide, ret) : -ENOENT;
}

int symbols_places(struct symbols *s, const char *file, size_t len, unsigned *line, uint64_t *ret, size_t max,
		   struct err *err)
{
	int n;

	if (!s)
		return err_set(err, ENOENT, "no lines of source are known");
	n = dwarf_places(s->dwarf, file, len, line, ret, max, err);
	for (int i = 0; i < n; i++)
		ret[i] += s->slide;
	return n;
}
