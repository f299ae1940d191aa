/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load/symtab.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "load/parts.h"

/*
 * Longer names and more symbols are left out: kernels stay far below, and it bounds what sorting hostile ones
 * costs.
 */
#define NAME_MAX_LEN    1024
#define SYMBOLS_MAX     (1u << 22)

struct sym {
	const char *name;       /* in the table's own copy of the string section */
	uint64_t addr, end;     /* end: first address behind it */
	uint32_t section;
	unsigned rank;          /* among equals the higher one wins */
	bool sized, placed;     /* placed: is somewhere in memory, and no plain number */
	bool moves;             /* with the program, when that is loaded elsewhere */
};

/*
 * From START on, up to the next range, addresses belong to the symbol at BASE; NAME NULL: to none.  Of several that
 * start together the last counts.
 */
struct range {
	uint64_t start, base;
	const char *name;
	bool moves;
};

struct symtab {
	char *strings;
	struct sym *by_name;    /* one a name */
	size_t n;
	struct range *range;    /* ascending */
	size_t nranges;
};

void symtab_free(struct symtab *s)
{
	if (!s)
		return;
	free(s->strings);
	free(s->by_name);
	free(s->range);
	free(s);
}

/* ---- Reading ---- */

static const struct {
	unsigned char type;
	unsigned rank;
} types[] = { { STT_FUNC, 3 }, { STT_GNU_IFUNC, 3 }, { STT_OBJECT, 2 }, { STT_NOTYPE, 1 } };

static unsigned type_rank(const GElf_Sym *e)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == GELF_ST_TYPE(e->st_info))
			return types[i].rank;
	return 0;
}

static unsigned bind_rank(const GElf_Sym *e)
{
	switch (GELF_ST_BIND(e->st_info)) {
	case STB_GLOBAL: return 3;
	case STB_WEAK: return 2;
	default: return 1;
	}
}

/* A name to show: not empty, no mapping symbol ($d, $x), nothing a terminal would obey. */
static bool good_name(const char *name)
{
	size_t len;

	if (!*name || *name == '$')
		return false;
	for (len = 0; name[len]; len++)
		if (len == NAME_MAX_LEN || (unsigned char)name[len] <= ' ' || name[len] == 0x7f)
			return false;
	return true;
}

/* Fills *RET from E unless it is none of ours. */
static bool take_symbol(const GElf_Sym *e, const char *strings, size_t strings_size, struct sym *ret)
{
	unsigned type = type_rank(e), bind = bind_rank(e);
	bool placed = e->st_shndx < SHN_LORESERVE;

	if (!type || e->st_shndx == SHN_UNDEF || e->st_shndx == SHN_COMMON)
		return false;
	/* An assembler's local constants are absolute; its local labels are not. */
	if (type == 1 && bind == 1 && !placed)
		return false;
	if (e->st_name >= strings_size || !good_name(strings + e->st_name))
		return false;
	*ret = (struct sym){
		.name = strings + e->st_name, .addr = e->st_value, .section = e->st_shndx,
		.rank = bind << 2 | type, .sized = e->st_size, .placed = placed,
		.end = e->st_size > UINT64_MAX - e->st_value ? UINT64_MAX : e->st_value + e->st_size,
	};
	return true;
}

/* The raw bytes of a section that has some and is not compressed. */
static Elf_Data *section_data(Elf_Scn *scn, GElf_Word type, GElf_Shdr *sh)
{
	Elf_Data *d;

	if (!scn || !gelf_getshdr(scn, sh) || sh->sh_type != type || (sh->sh_flags & SHF_COMPRESSED))
		return NULL;
	d = elf_getdata(scn, NULL);
	return d && d->d_buf && d->d_size ? d : NULL;
}

/*
 * Reads the first symbol table into *RET_SYMS and its strings into s->strings; finds nothing where there is
 * none.
 */
static int read_symbols(struct symtab *s, Elf *elf, struct sym **ret_syms, size_t *ret_n, struct err *err)
{
	Elf_Data *symbols = NULL, *strings;
	size_t i, count, n = 0;
	Elf_Scn *scn = NULL;
	struct sym *syms;
	GElf_Shdr sh;
	GElf_Sym e;

	while (!symbols && (scn = elf_nextscn(elf, scn)))
		symbols = section_data(scn, SHT_SYMTAB, &sh);
	strings = symbols ? section_data(elf_getscn(elf, sh.sh_link), SHT_STRTAB, &sh) : NULL;
	if (!strings)
		return 0;
	count = symbols->d_size / gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
	if (count > SYMBOLS_MAX)
		count = SYMBOLS_MAX;
	s->strings = malloc(strings->d_size + 1);
	syms = calloc(count + 1, sizeof(*syms));
	if (!s->strings || !syms) {
		free(syms);
		return err_errno(err, ENOMEM, "symbols");
	}
	memcpy(s->strings, strings->d_buf, strings->d_size);
	s->strings[strings->d_size] = '\0';
	for (i = 0; i < count; i++)
		if (gelf_getsym(symbols, (int)i, &e) && take_symbol(&e, s->strings, strings->d_size, &syms[n]))
			n++;
	*ret_syms = syms;
	*ret_n = n;
	return 0;
}

/*
 * Plain numbers stay what they are when a program is moved; so does what is in Linux's per-CPU section, offsets from
 * where each CPU has its own (before 6.15, since when it has addresses like others).  Linker scripts put names for ends and
 * sizes into sections that they lie outside of: those cover nothing, and are taken for addresses unless they are low and the
 * section is high.
 */
static void place(struct sym *y, const GElf_Shdr *sh, const char *section)
{
	bool percpu = !strcmp(section, ".data..percpu") && !(sh->sh_addr >> 63);

	y->placed = y->addr >= sh->sh_addr && y->addr - sh->sh_addr <= sh->sh_size;
	y->moves = y->placed ? !percpu : y->addr >> 63 || !(percpu || sh->sh_addr >> 63);
}

static void place_all(Elf *elf, struct sym *syms, size_t n)
{
	uint32_t known = SHN_UNDEF;
	const char *name = NULL;
	GElf_Shdr sh = { 0 };
	Elf_Scn *scn;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		names = SHN_UNDEF;
	for (size_t i = 0; i < n; i++) {
		if (!syms[i].placed)
			continue;
		if (syms[i].section != known) {
			known = syms[i].section;
			scn = elf_getscn(elf, known);
			name = scn && gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;
		}
		if (name)
			place(&syms[i], &sh, name);
		else
			syms[i].moves = true;
	}
}

/* ---- By address ---- */

/* Ascending, and of those at one address the best last. */
static int by_addr(const void *a, const void *b)
{
	const struct sym *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->sized != y->sized)
		return x->sized ? 1 : -1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(y->name, x->name);
}

static uint64_t section_end(Elf *elf, uint32_t section)
{
	GElf_Shdr sh;
	Elf_Scn *scn = elf_getscn(elf, section);

	if (!scn || !gelf_getshdr(scn, &sh))
		return 0;
	return sh.sh_size > UINT64_MAX - sh.sh_addr ? UINT64_MAX : sh.sh_addr + sh.sh_size;
}

/* Gives symbols without size their end: the next symbol in their section, or the section's end. */
static int set_ends(Elf *elf, struct sym *syms, size_t n, struct err *err)
{
	size_t i, k, nsections = 0;
	uint64_t *next;

	for (i = 0; i < n; i++)
		if (syms[i].section >= nsections)
			nsections = syms[i].section + 1u;
	next = malloc((nsections + 1) * sizeof(*next));
	if (!next)
		return err_errno(err, ENOMEM, "symbols");
	for (i = 0; i < nsections; i++)
		next[i] = section_end(elf, (uint32_t)i);
	for (i = n; i; i = k) {
		/* Those at one address (k to i) bound those before them, not one another. */
		for (k = i; k && syms[k - 1].addr == syms[i - 1].addr; k--)
			if (!syms[k - 1].sized)
				syms[k - 1].end = next[syms[k - 1].section];
		for (size_t j = k; j < i; j++)
			if (syms[j].placed)
				next[syms[j].section] = syms[j].addr;
	}
	free(next);
	return 0;
}

static void range_from(struct symtab *s, uint64_t start, const struct sym *sym)
{
	s->range[s->nranges++] = (struct range){ start, sym ? sym->addr : 0, sym ? sym->name : NULL, sym && sym->moves };
}

/*
 * Flattens the symbols, which may nest and overlap, into ranges: where several cover an address, the one that
 * starts last wins.  A label inside a function with a size does not hide it.
 */
static int build_ranges(struct symtab *s, const struct sym *syms, size_t n, struct err *err)
{
	const struct sym **open = calloc(n + 1, sizeof(*open));
	size_t i, depth = 0;

	/* Each symbol opens a range once, and makes the one below it continue once. */
	s->range = calloc(2 * n + 1, sizeof(*s->range));
	if (!open || !s->range) {
		free(open);
		return err_errno(err, ENOMEM, "symbols");
	}
	for (i = 0; i <= n; i++) {
		/* Close what ended before this symbol; past the last one, everything. */
		while (depth && (i == n || open[depth - 1]->end <= syms[i].addr)) {
			uint64_t end = open[--depth]->end;

			while (depth && open[depth - 1]->end <= end)
				depth--;
			range_from(s, end, depth ? open[depth - 1] : NULL);
		}
		if (i == n)
			break;
		if (!syms[i].placed || syms[i].end <= syms[i].addr)
			continue;
		if (depth && !syms[i].sized && open[depth - 1]->sized)
			continue;
		open[depth++] = &syms[i];
		range_from(s, syms[i].addr, &syms[i]);
	}
	free(open);
	return 0;
}

/* ---- By name ---- */

static int by_name(const void *a, const void *b)
{
	const struct sym *x = a, *y = b;
	int c = x->name == y->name ? 0 : strcmp(x->name, y->name);

	if (c)
		return c;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* Takes SYMS over: sorted, with only the best of each name. */
static void build_names(struct symtab *s, struct sym *syms, size_t n)
{
	size_t i;

	if (n)
		qsort(syms, n, sizeof(*syms), by_name);
	for (i = 0; i < n; i++)
		if (!s->n || strcmp(syms[s->n - 1].name, syms[i].name))
			syms[s->n++] = syms[i];
	s->by_name = syms;
}

int symtab_new(const uint8_t *data, size_t size, struct symtab **ret, struct err *err)
{
	struct symtab *s = NULL;
	struct sym *syms = NULL;
	struct elf_file f;
	size_t n = 0;
	int rc;

	rc = elf_file_open(data, size, &f, err);
	if (rc)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		rc = err_errno(err, ENOMEM, "symbols");
	if (!rc)
		rc = read_symbols(s, f.elf, &syms, &n, err);
	if (!rc)
		place_all(f.elf, syms, n);
	if (!rc && n) {
		qsort(syms, n, sizeof(*syms), by_addr);
		rc = set_ends(f.elf, syms, n, err);
	}
	if (!rc)
		rc = build_ranges(s, syms, n, err);
	elf_file_done(&f);
	if (rc) {
		free(syms);
		symtab_free(s);
		return rc;
	}
	build_names(s, syms, n);
	*ret = s;
	return 0;
}

/* HAVE against the LEN bytes at NAME, in strcmp()'s order. */
static int compare_name(const char *have, const char *name, size_t len)
{
	size_t have_len = strlen(have);
	int c = memcmp(have, name, have_len < len ? have_len : len);

	return c ? c : have_len < len ? -1 : have_len > len;
}

int symtab_lookup(const struct symtab *s, const char *name, size_t len, uint64_t *ret_addr, bool *ret_moves)
{
	size_t lo = 0, hi = s ? s->n : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare_name(s->by_name[mid].name, name, len);

		if (!c) {
			*ret_addr = s->by_name[mid].addr;
			*ret_moves = s->by_name[mid].moves;
			return 0;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -ENOENT;
}

/* The range ADDR is in; NULL: none, or one that no symbol has. */
static const struct range *range_of(const struct symtab *s, uint64_t addr)
{
	size_t lo = 0, hi = s ? s->nranges : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->range[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && s->range[lo - 1].name ? &s->range[lo - 1] : NULL;
}

const char *symtab_at(const struct symtab *s, uint64_t addr, uint64_t *ret_offset)
{
	const struct range *r = range_of(s, addr);

	if (!r)
		return NULL;
	*ret_offset = addr - r->base;
	return r->name;
}

const char *symtab_cover(const struct symtab *s, uint64_t addr, bool moves, uint64_t *ret_offset)
{
	const struct range *r = range_of(s, addr);

	return r && r->moves == moves ? symtab_at(s, addr, ret_offset) : NULL;
}

const char *symtab_name(const struct symtab *s, size_t index)
{
	return s && index < s->n ? s->by_name[index].name : NULL;
}
