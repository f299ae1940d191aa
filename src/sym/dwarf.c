/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Units and the lines of code.  Which addresses are whose is taken from the units themselves: a kernel's
 * .debug_aranges may be missing, or lack what was written in assembly.  libdw then reads the line table of a unit
 * when it is first asked of.
 */
#include "sym/dwarf_priv.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_MAX       (1u << 20)
#define SPANS_MAX       (4u << 20)
#define OVERLAPS_MAX    64              /* spans over an address that are looked at */

int dwarf_new(const uint8_t *data, size_t size, struct dwarf **ret, struct err *err)
{
	struct elf_file f;
	struct dwarf *d;
	bool has;
	int r = elf_file_open(data, size, &f, err);

	if (r)
		return r;
	has = debug_elf_has_dwarf(&f);
	elf_file_done(&f);
	if (!has)
		return err_set(err, ENOENT, "no debugging information (DWARF) in it");
	d = calloc(1, sizeof(*d));
	if (!d)
		return err_errno(err, ENOMEM, "debugging information");
	d->data = data;
	d->size = size;
	*ret = d;
	return 0;
}

void dwarf_free(struct dwarf *d)
{
	if (!d)
		return;
	dwarf_forget(d);
	free(d->span);
	free(d->unit);
	dwarf_end(d->dbg);
	if (d->elf.f.elf)
		debug_elf_done(&d->elf);
	free(d);
}

/* ---- Entries ---- */

bool dwarf_first(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Die child;

	if (dwarf_child(die, &child) || (uint8_t *)child.addr <= (uint8_t *)die->addr)
		return false;
	*ret = child;
	return true;
}

bool dwarf_next(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Die next;

	/* DW_AT_sibling is the file's word: only what lies behind is taken, or it might never end. */
	if (dwarf_siblingof(die, &next) || (uint8_t *)next.addr <= (uint8_t *)die->addr)
		return false;
	*ret = next;
	return true;
}

const char *dwarf_name(const struct unit *u, Dwarf_Die *die)
{
	Dwarf_Attribute a;

	if (!dwarf_attr(die, DW_AT_name, &a))
		return NULL;
	/* libdw takes an end for granted here. */
	if (a.form == DW_FORM_string && (a.valp >= u->end || !memchr(a.valp, 0, (size_t)(u->end - a.valp))))
		return NULL;
	return dwarf_formstring(&a);
}

const struct unit *dwarf_unit_of(const struct dwarf *d, const Dwarf_Die *die)
{
	size_t lo = 0, hi = d->nunits;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if ((const uint8_t *)d->unit[mid].die.addr <= (const uint8_t *)die->addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && (const uint8_t *)die->addr < d->unit[lo - 1].end ? &d->unit[lo - 1] : NULL;
}

/* ---- Units ---- */

/* Room for one more than N in V; frees it, and answers NULL, when there is none. */
static void *grow(void *v, size_t n, size_t *cap, size_t each)
{
	size_t more = *cap ? *cap * 2 : 256;
	void *p;

	if (n < *cap)
		return v;
	p = realloc(v, more * each);
	if (!p)
		free(v);
	else
		*cap = more;
	return p;
}

static int by_address(const void *a, const void *b)
{
	const struct unit *x = a, *y = b;

	return x->die.addr < y->die.addr ? -1 : x->die.addr > y->die.addr;
}

/* The end of the section that DIE is in. */
static const uint8_t *section_end(const struct dwarf *d, const Dwarf_Die *die)
{
	Elf_Scn *scn = NULL;
	Elf_Data *data;

	while ((scn = elf_nextscn(d->elf.f.elf, scn))) {
		data = elf_rawdata(scn, NULL);
		if (data && data->d_buf && (const uint8_t *)die->addr >= (const uint8_t *)data->d_buf &&
		    (const uint8_t *)die->addr < (const uint8_t *)data->d_buf + data->d_size)
			return (const uint8_t *)data->d_buf + data->d_size;
	}
	return die->addr;
}

/* A unit ends before the next one of its section; its entries a little earlier. */
static void set_ends(struct dwarf *d)
{
	for (size_t i = 0; i < d->nunits; i++) {
		const uint8_t *next = i + 1 < d->nunits ? d->unit[i + 1].die.addr : NULL;
		const uint8_t *end = section_end(d, &d->unit[i].die);

		d->unit[i].end = next && next < end ? next : end;
	}
}

static bool list_units(struct dwarf *d)
{
	Dwarf_CU *cu = NULL;
	size_t cap = 0;
	Dwarf_Die die;

	while (d->nunits < UNITS_MAX && !dwarf_get_units(d->dbg, cu, &cu, NULL, NULL, &die, NULL)) {
		if (!die.addr)
			continue;
		d->unit = grow(d->unit, d->nunits, &cap, sizeof(*d->unit));
		if (!d->unit) {
			d->nunits = 0;
			return false;
		}
		d->unit[d->nunits++] = (struct unit){
			.die = die, .indexed_names = dwarf_hasattr(&die, DW_AT_str_offsets_base) > 0,
		};
	}
	if (d->nunits)
		qsort(d->unit, d->nunits, sizeof(*d->unit), by_address);
	set_ends(d);
	return true;
}

static Elf_Data *find_strings(Elf *elf)
{
	Elf_Scn *scn = NULL;
	const char *name;
	size_t strings;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(elf, &strings))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, strings, sh.sh_name) : NULL;
		if (name && !strcmp(name, ".debug_str"))
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

bool dwarf_open(struct dwarf *d)
{
	if (!d)
		return false;
	if (d->opened)
		return d->dbg;
	d->opened = true;
	if (debug_elf_open(d->data, d->size, &d->elf, NULL))
		return false;
	d->dbg = dwarf_begin_elf(d->elf.f.elf, DWARF_C_READ, NULL);
	if (!d->dbg || !list_units(d))
		return false;
	d->strings = find_strings(d->elf.f.elf);
	return true;
}

/* ---- From addresses to units ---- */

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->unit < y->unit ? -1 : x->unit > y->unit;
}

static void make_spans(struct dwarf *d)
{
	size_t cap = 0;

	d->mapped = true;
	for (size_t i = 0; i < d->nunits && d->nspans < SPANS_MAX; i++) {
		Dwarf_Addr base, start, end;
		ptrdiff_t at = 0;

		while (d->nspans < SPANS_MAX && (at = dwarf_ranges(&d->unit[i].die, at, &base, &start, &end)) > 0) {
			if (start >= end)
				continue;
			d->span = grow(d->span, d->nspans, &cap, sizeof(*d->span));
			if (!d->span) {
				d->nspans = 0;
				return;
			}
			d->span[d->nspans++] = (struct span){ .start = start, .end = end, .unit = i };
		}
	}
	if (d->nspans)
		qsort(d->span, d->nspans, sizeof(*d->span), by_start);
	for (size_t i = 0; i < d->nspans; i++) {
		uint64_t before = i ? d->span[i - 1].reach : 0;

		d->span[i].reach = d->span[i].end > before ? d->span[i].end : before;
	}
}

/* -ENOENT: the unit's table has no line for it. */
static int unit_line(Dwarf_Die *unit, uint64_t addr, struct source_line *ret)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, addr);
	const char *file;
	int number;

	if (!line || dwarf_lineno(line, &number) || number <= 0)
		return -ENOENT;
	file = dwarf_linesrc(line, NULL, NULL);
	if (!file || !*file)
		return -ENOENT;
	*ret = (struct source_line){ .file = file, .line = (unsigned)number };
	return 0;
}

int dwarf_line(struct dwarf *d, uint64_t addr, struct source_line *ret)
{
	size_t lo = 0, hi;

	if (!dwarf_open(d))
		return -ENOENT;
	if (!d->mapped)
		make_spans(d);
	hi = d->nspans;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->span[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* What the linker left out may lie, at 0 and the like, over what is there: the unit that has a line counts. */
	for (unsigned tried = 0; lo-- > 0 && tried < OVERLAPS_MAX && d->span[lo].reach > addr; tried++)
		if (d->span[lo].end > addr && !unit_line(&d->unit[d->span[lo].unit].die, addr, ret))
			return 0;
	return -ENOENT;
}
