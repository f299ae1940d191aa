/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Types by name.  Nothing is indexed: a name stands once in .debug_str, so units that do not mention its offset
 * there are passed over without being read, and most questions end with the first unit that does.
 */
#include "sym/dwarf_priv.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN    1024
#define PATH_MAX_LEN    2048
#define OFFSETS_MAX     256             /* places in .debug_str that end in a name */
#define VISITS_MAX      (1u << 20)      /* members looked at for one question */
#define OP_PLUS_UCONST  0x23

/* Where a name may stand. */
struct mention {
	const char *name;
	size_t len;
	uint32_t offset[OFFSETS_MAX];   /* the low 32 bits, of 64-bit DWARF too */
	size_t n;
	bool anywhere;                  /* too many: every unit may have it */
	uint8_t filter[8192];           /* by an offset's low 16 bits: what is not in it is no such offset */
};

/* What is remembered: questions are "m:PATH", "s:TYPE". */
struct answer {
	struct htab_link link;
	int code;                       /* 0 or -errno, with its line */
	struct err err;
	union {
		struct dwarf_member member;
		uint64_t size;
	};
	char question[];
};

typedef int ask_fn(struct dwarf *d, const char *what, struct answer *ret, struct err *err);

/* ---- Answers ---- */

void dwarf_forget(struct dwarf *d)
{
	for (size_t i = 0; i < d->answers.buckets; i++)
		for (struct htab_link *l = d->answers.bucket[i], *next; l; l = next) {
			next = l->next;
			free(HTAB_ENTRY(l, struct answer, link));
		}
	htab_done(&d->answers);
}

static uint64_t hash(char kind, const char *s)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uint8_t)kind;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3u;
	return h;
}

static const struct answer *remembered(const struct dwarf *d, char kind, const char *what, uint64_t key)
{
	struct htab_link *l = htab_find(&d->answers, key);

	for (; l; l = htab_again(l)) {
		const struct answer *a = HTAB_ENTRY(l, struct answer, link);

		if (a->question[0] == kind && !strcmp(a->question + 1, what))
			return a;
	}
	return NULL;
}

/* *RET stays where it is until D goes. */
static int ask(struct dwarf *d, char kind, const char *what, ask_fn *fn, const struct answer **ret, struct err *err)
{
	size_t len = strlen(what);
	const struct answer *old;
	struct answer *a;
	uint64_t key;

	if (len > PATH_MAX_LEN)
		return err_set(err, ENOENT, "a name of %zu bytes is no type's", len);
	if (!dwarf_open(d))
		return err_set(err, ENOENT, "no debugging information can be read");
	key = hash(kind, what);
	old = remembered(d, kind, what, key);
	if (!old) {
		a = calloc(1, sizeof(*a) + len + 2);
		if (!a)
			return err_errno(err, ENOMEM, "debugging information");
		a->question[0] = kind;
		memcpy(a->question + 1, what, len + 1);
		a->code = fn(d, what, a, &a->err);
		if (htab_add(&d->answers, &a->link, key)) {
			free(a);
			return err_errno(err, ENOMEM, "debugging information");
		}
		old = a;
	}
	if (old->code && err)
		*err = old->err;
	if (!old->code)
		*ret = old;
	return old->code;
}

/* ---- Which units a name is in ---- */

static void mention_make(const struct dwarf *d, const char *name, size_t len, struct mention *ret)
{
	const uint8_t *start = d->strings ? d->strings->d_buf : NULL, *p = start, *end;
	char text[NAME_MAX_LEN + 1];

	*ret = (struct mention){ .name = name, .len = len };
	memcpy(text, name, len);
	text[len] = '\0';
	end = start ? start + d->strings->d_size : NULL;
	while (p && (p = memmem(p, (size_t)(end - p), text, len + 1))) {
		uint32_t offset = (uint32_t)(p - start);

		if (ret->n == OFFSETS_MAX) {
			ret->anywhere = true;
			return;
		}
		ret->offset[ret->n++] = offset;
		ret->filter[(offset & 0xffff) / 8] |= (uint8_t)(1u << offset % 8);
		p++;
	}
}

static bool is_offset(const struct mention *m, uint32_t v)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->offset[i] == v)
			return true;
	return false;
}

static bool mentioned(const struct mention *m, const struct unit *u)
{
	const uint8_t *p = u->die.addr, *end = u->end;
	char text[NAME_MAX_LEN + 1];

	if (m->anywhere || u->indexed_names)
		return true;
	for (; m->n && end - p >= 4; p++) {
		uint32_t v;

		if (!(m->filter[(p[0] | p[1] << 8) / 8] >> p[0] % 8 & 1))
			continue;
		memcpy(&v, p, sizeof(v));
		if (is_offset(m, v))
			return true;
	}
	/* Short ones, and all of some compilers, stand where they are used. */
	memcpy(text, m->name, m->len);
	text[m->len] = '\0';
	p = u->die.addr;
	return memmem(p, (size_t)(end - p), text, m->len + 1);
}

static bool has_name(const struct unit *u, Dwarf_Die *die, const char *name, size_t len)
{
	const char *have = dwarf_name(u, die);

	return have && !strncmp(have, name, len) && !have[len];
}

static bool is_type(int tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_class_type ||
	       tag == DW_TAG_typedef || tag == DW_TAG_base_type || tag == DW_TAG_enumeration_type;
}

/* A definition; a struct before a typedef, as "struct x" and "x" may be two things. */
static bool type_in(const struct unit *u, const char *name, size_t len, Dwarf_Die *ret)
{
	Dwarf_Die die, outer = u->die;
	bool found = false;

	if (!dwarf_first(&outer, &die))
		return false;
	do {
		int tag = dwarf_tag(&die);

		if (!is_type(tag) || !has_name(u, &die, name, len) || dwarf_hasattr(&die, DW_AT_declaration))
			continue;
		if (!found || tag != DW_TAG_typedef)
			*ret = die;
		found = true;
		if (tag != DW_TAG_typedef)
			break;
	} while (dwarf_next(&die, &die));
	return found;
}

static int find_type(struct dwarf *d, const char *name, size_t len, Dwarf_Die *ret, struct err *err)
{
	struct mention m;

	if (!len || len > NAME_MAX_LEN)
		return err_set(err, ENOENT, "there is no type '%.*s'", len < 80 ? (int)len : 80, name);
	mention_make(d, name, len, &m);
	for (size_t i = 0; i < d->nunits; i++)
		if (mentioned(&m, &d->unit[i]) && type_in(&d->unit[i], name, len, ret))
			return 0;
	return err_set(err, ENOENT, "there is no type '%.*s'", len < 80 ? (int)len : 80, name);
}

/* ---- What a type is ---- */

static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute a;

	return dwarf_attr(die, DW_AT_type, &a) && dwarf_formref_die(&a, ret);
}

static bool is_wrapper(int tag)
{
	return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
	       tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

/* DIE without typedefs and qualifiers. */
static bool peel(Dwarf_Die *die)
{
	for (unsigned i = 0; i < DWARF_DEPTH; i++) {
		Dwarf_Die inner;

		if (!is_wrapper(dwarf_tag(die)))
			return true;
		if (!type_of(die, &inner))
			return false;
		*die = inner;
	}
	return false;
}

static bool number(Dwarf_Die *die, unsigned name, uint64_t *ret)
{
	Dwarf_Attribute a;
	Dwarf_Word v;

	if (!dwarf_attr(die, name, &a) || dwarf_formudata(&a, &v))
		return false;
	*ret = v;
	return true;
}

/* The elements of an array; false: not known, as of `int v[]`. */
static bool count_elements(Dwarf_Die *array, uint64_t *ret)
{
	uint64_t total = 1, n;
	Dwarf_Die die;

	if (!dwarf_first(array, &die))
		return false;
	do {
		if (dwarf_tag(&die) != DW_TAG_subrange_type)
			continue;
		if (!number(&die, DW_AT_count, &n)) {
			if (!number(&die, DW_AT_upper_bound, &n) || n == UINT64_MAX)
				return false;
			n++;
		}
		if (__builtin_mul_overflow(total, n, &total))
			return false;
	} while (dwarf_next(&die, &die));
	*ret = total;
	return true;
}

/* sizeof; false: not known. */
static bool size_of(Dwarf_Die type, uint64_t *ret)
{
	uint64_t times = 1, n;

	for (unsigned i = 0; i < DWARF_DEPTH && peel(&type); i++) {
		Dwarf_Die inner;

		if (number(&type, DW_AT_byte_size, &n)) {
			if (__builtin_mul_overflow(times, n, &n))
				return false;
			*ret = n;
			return true;
		}
		if (dwarf_tag(&type) != DW_TAG_array_type || !count_elements(&type, &n) ||
		    __builtin_mul_overflow(times, n, &times) || !type_of(&type, &inner))
			return false;
		type = inner;
	}
	return false;
}

/* ---- Members ---- */

static uint64_t member_offset(Dwarf_Die *member)
{
	Dwarf_Attribute a;
	Dwarf_Block b;
	Dwarf_Word v;
	uint64_t sum = 0;

	if (!dwarf_attr(member, DW_AT_data_member_location, &a))
		return 0;
	if (!dwarf_formudata(&a, &v))
		return v;
	/* DWARF 2 has an expression there, which adds a number. */
	if (dwarf_formblock(&a, &b) || !b.length || b.data[0] != OP_PLUS_UCONST)
		return 0;
	for (Dwarf_Word i = 1, shift = 0; i < b.length && shift < 64; i++, shift += 7) {
		sum |= (uint64_t)(b.data[i] & 0x7f) << shift;
		if (!(b.data[i] & 0x80))
			break;
	}
	return sum;
}

/* MEMBER, found at BASE, as the caller is told of it. */
static void describe(Dwarf_Die *member, uint64_t base, struct dwarf_member *ret)
{
	struct dwarf_member m = { .offset = base + member_offset(member) };
	uint64_t bits, first = 0, unit;
	Dwarf_Die type;
	bool typed = type_of(member, &type);

	if (!typed || !size_of(type, &m.size))
		m.size = 0;
	if (number(member, DW_AT_bit_size, &bits) && bits && bits <= 64) {
		if (!number(member, DW_AT_data_bit_offset, &first) && number(member, DW_AT_bit_offset, &first)) {
			/* DWARF 3 counts from the highest bit of a unit, which the type may be wider than. */
			if (!number(member, DW_AT_byte_size, &unit))
				unit = m.size;
			first = unit * 8 - first - bits;
		}
		m.offset += first / 8;
		m.bit = (unsigned)(first % 8);
		m.bits = (unsigned)bits;
		m.size = (m.bit + bits + 7) / 8;
	}
	*ret = m;
}

struct search {
	struct dwarf *d;
	const char *name;
	size_t len;
	unsigned visits;
};

/* Looks in STRUCT, which is at BASE, and in what is unnamed in it; *RET_DIE is the member, *RET_BASE what it is in. */
static bool find_member(struct search *s, Dwarf_Die *in, uint64_t base, unsigned depth, Dwarf_Die *ret_die,
			uint64_t *ret_base)
{
	const struct unit *u = dwarf_unit_of(s->d, in);
	Dwarf_Die die, type;

	if (!u || depth == DWARF_DEPTH || !dwarf_first(in, &die))
		return false;
	do {
		const char *name;

		if (++s->visits > VISITS_MAX)
			return false;
		if (dwarf_tag(&die) != DW_TAG_member)
			continue;
		name = dwarf_name(u, &die);
		if (name && *name) {
			if (strncmp(name, s->name, s->len) || name[s->len])
				continue;
			*ret_die = die;
			*ret_base = base;
			return true;
		}
		if (type_of(&die, &type) && peel(&type) &&
		    find_member(s, &type, base + member_offset(&die), depth + 1, ret_die, ret_base))
			return true;
	} while (dwarf_next(&die, &die));
	return false;
}

/* TYPE as what has members: a mere declaration gives way to a definition elsewhere. */
static bool as_struct(struct dwarf *d, Dwarf_Die *type)
{
	const struct unit *u;
	const char *name;
	int tag;

	if (!peel(type))
		return false;
	tag = dwarf_tag(type);
	if (tag != DW_TAG_structure_type && tag != DW_TAG_union_type && tag != DW_TAG_class_type)
		return false;
	if (!dwarf_hasattr(type, DW_AT_declaration))
		return true;
	u = dwarf_unit_of(d, type);
	name = u ? dwarf_name(u, type) : NULL;
	return name && strlen(name) <= NAME_MAX_LEN && !find_type(d, name, strlen(name), type, NULL) && peel(type);
}

static int ask_member(struct dwarf *d, const char *path, struct answer *ret, struct err *err)
{
	size_t len = strcspn(path, "."), done;
	struct search s = { .d = d };
	uint64_t base = 0, inside;
	Dwarf_Die type, member;
	int r = find_type(d, path, len, &type, err);

	if (!r && !path[len])
		r = err_set(err, ENOENT, "'%.80s' names no member", path);
	while (!r && path[len]) {
		done = len;
		s.name = path + len + 1;
		s.len = strcspn(s.name, ".");
		s.visits = 0;
		if (!as_struct(d, &type))
			return err_set(err, ENOENT, "'%.*s' has no members that are known", (int)done, path);
		if (!find_member(&s, &type, base, 0, &member, &inside))
			return err_set(err, ENOENT, "'%.*s' has no member '%.*s'", done < 80 ? (int)done : 80, path,
				       s.len < 80 ? (int)s.len : 80, s.name);
		len += 1 + s.len;
		describe(&member, inside, &ret->member);
		base = ret->member.offset;
		if (path[len] && !type_of(&member, &type))
			r = err_set(err, ENOENT, "'%.*s' has no members that are known", len < 80 ? (int)len : 80,
				    path);
	}
	return r;
}

int dwarf_member(struct dwarf *d, const char *path, struct dwarf_member *ret, struct err *err)
{
	const struct answer *a;
	int r = ask(d, 'm', path, ask_member, &a, err);

	if (!r)
		*ret = a->member;
	return r;
}

static int ask_sizeof(struct dwarf *d, const char *type, struct answer *ret, struct err *err)
{
	Dwarf_Die die;
	int r = find_type(d, type, strlen(type), &die, err);

	if (!r && peel(&die) && dwarf_hasattr(&die, DW_AT_declaration))
		as_struct(d, &die);
	if (!r && !size_of(die, &ret->size))
		r = err_set(err, ENOENT, "the size of '%.80s' is not known", type);
	return r;
}

int dwarf_sizeof(struct dwarf *d, const char *type, uint64_t *ret, struct err *err)
{
	const struct answer *a;
	int r = ask(d, 's', type, ask_sizeof, &a, err);

	if (!r)
		*ret = a->size;
	return r;
}
