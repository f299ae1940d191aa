/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every mapped range of an address space.
 *
 * A guest can make tables that contain themselves 512 times over; walked plainly, 4 KiB of them would keep us
 * busy for years without one range to report, since equal neighbours merge.  So tables that proved uniform (all
 * empty, or mapped throughout with the same rights) are remembered by (gpa, level, inherited rights) and not
 * walked again.  A table that is not uniform has a boundary in it, which becomes a call of EACH, which may say
 * stop.
 */
#include "arch/x86/translate.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86/walk.h"

/* What a stretch of addresses is mapped as: 0 nothing, else LEAF_MAPPED | depth << 4 | rights and LEAF_G. */
typedef uint8_t leaf_t;
#define LEAF_G          (1u << 3)
#define LEAF_DEPTH(d)   ((unsigned)(d) << 4)
#define LEAF_MAPPED     (1u << 7)
#define LEAF_MIXED      0xffu   /* no depth is 7: never a leaf */

#define MEMO_MAX        (1u << 22)      /* 64 MiB; beyond it tables are just walked again */
#define TABLE_SIZE_MAX  4096

struct memo_entry {
	uint64_t key;           /* table_key(); 0: free */
	leaf_t leaf;
};

struct ranges {
	const struct gmem *g;
	struct walk w;
	bool (*each)(void *arg, const struct mem_range *r);
	void *arg;
	bool stopped;
	struct mem_range cur;   /* not reported yet, as it may still grow; size 0: none */
	leaf_t cur_leaf;
	struct memo_entry *memo;        /* open addressing, at most half full */
	size_t memo_n, memo_size;       /* the size is a power of two */
	uint8_t scratch[WALK_LEVELS_MAX][TABLE_SIZE_MAX];
};

/* gpa bits 51-5 (a PAE root is 32-byte aligned), the depth and the inherited rights; never 0. */
static uint64_t table_key(uint64_t gpa, unsigned depth, unsigned rights)
{
	return (gpa >> 5) << 7 | (uint64_t)depth << 4 | rights << 1 | 1;
}

static struct memo_entry *memo_at(struct memo_entry *memo, size_t size, uint64_t key)
{
	size_t i = (key * 0x9e3779b97f4a7c15ull) >> 32 & (size - 1);

	while (memo[i].key && memo[i].key != key)
		i = (i + 1) & (size - 1);
	return &memo[i];
}

static bool memo_grow(struct ranges *r)
{
	size_t i, size = r->memo_size ? r->memo_size * 2 : 1024;
	struct memo_entry *memo;

	if (size > MEMO_MAX)
		return false;
	memo = calloc(size, sizeof(*memo));
	if (!memo)
		return false;
	for (i = 0; i < r->memo_size; i++)
		if (r->memo[i].key)
			*memo_at(memo, size, r->memo[i].key) = r->memo[i];
	free(r->memo);
	r->memo = memo;
	r->memo_size = size;
	return true;
}

/* Without memory for it nothing is remembered, which costs only time. */
static void memo_put(struct ranges *r, uint64_t key, leaf_t leaf)
{
	if (r->memo_n >= r->memo_size / 2 && !memo_grow(r))
		return;
	*memo_at(r->memo, r->memo_size, key) = (struct memo_entry){ key, leaf };
	r->memo_n++;
}

static bool memo_get(const struct ranges *r, uint64_t key, leaf_t *ret)
{
	const struct memo_entry *e;

	if (!r->memo_size)
		return false;
	e = memo_at(r->memo, r->memo_size, key);
	if (!e->key)
		return false;
	*ret = e->leaf;
	return true;
}

static void flush(struct ranges *r)
{
	if (r->cur.size && !r->stopped && !r->each(r->arg, &r->cur))
		r->stopped = true;
	r->cur.size = 0;
}

static void emit(struct ranges *r, uint64_t gva, uint64_t size, leaf_t leaf)
{
	if (!leaf)
		return;
	if (r->cur.size && r->cur_leaf == leaf && r->cur.gva + r->cur.size == gva) {
		r->cur.size += size;
		return;
	}
	flush(r);
	r->cur_leaf = leaf;
	r->cur = (struct mem_range){
		.gva = gva, .size = size,
		.writable = leaf & WALK_W, .user = leaf & WALK_U, .executable = leaf & WALK_X,
		.global = leaf & LEAF_G,
		.page_size = 1ull << r->w.mode->level[leaf >> 4 & 7].shift,
	};
}

/* The whole table at GPA; entries outside memory read as 0. */
static const uint8_t *table_at(struct ranges *r, uint64_t gpa, unsigned depth, size_t size)
{
	size_t i, step = r->w.mode->entry_size, len = size;
	uint8_t *copy = r->scratch[depth];
	const uint8_t *p = gmem_span(r->g, gpa, &len);

	if (p && len == size)
		return p;
	for (i = 0; i < size; i += step)
		if (gmem_read(r->g, gpa + i, copy + i, step) != step)
			memset(copy + i, 0, step);
	return copy;
}

/* Reports what the table at GPA maps from GVA on; returns what all of it is, or LEAF_MIXED. */
static leaf_t walk_table(struct ranges *r, uint64_t gpa, unsigned depth, unsigned rights, uint64_t gva)
{
	const struct walk_step *l = &r->w.mode->level[depth];
	size_t i, count = 1u << l->bits, size = count * r->w.mode->entry_size;
	uint64_t key = table_key(gpa, depth, rights), each = 1ull << l->shift;
	leaf_t leaf, all = 0;
	const uint8_t *table;

	if (memo_get(r, key, &leaf)) {
		emit(r, gva, count << l->shift, leaf);
		return leaf;
	}
	table = table_at(r, gpa, depth, size);
	for (i = 0; i < count && !r->stopped; i++) {
		uint64_t at = gva + i * each, entry = walk_load(&r->w, table + i * r->w.mode->entry_size);
		enum walk_kind kind = walk_entry(&r->w, depth, entry);

		/* The upper half of a canonical address space continues at the other end. */
		if (depth == 0 && r->w.mode->gva_bits > 32 && i >= count / 2)
			at |= ~0ull << r->w.mode->gva_bits;
		leaf = 0;
		if (kind != WALK_ABSENT) {
			unsigned sub = walk_rights(&r->w, depth, entry, rights);

			if (kind == WALK_TABLE) {
				leaf = walk_table(r, walk_table_gpa(entry), depth + 1, sub, at);
			} else {
				leaf = LEAF_MAPPED | LEAF_DEPTH(depth) | sub |
				       (walk_global(&r->w, entry) ? LEAF_G : 0);
				emit(r, at, each, leaf);
			}
		}
		if (i == 0)
			all = leaf;
		else if (leaf != all)
			all = LEAF_MIXED;
	}
	if (r->stopped)
		return LEAF_MIXED;
	if (all != LEAF_MIXED)
		memo_put(r, key, all);
	return all;
}

void translate_ranges(const struct gmem *g, const struct paging *p,
		      bool (*each)(void *arg, const struct mem_range *r), void *arg)
{
	struct ranges r = { .g = g, .each = each, .arg = arg };

	walk_init(&r.w, p);
	if (!r.w.mode->nlevels)
		r.cur = (struct mem_range){
			.size = 1ull << r.w.mode->gva_bits, .writable = true, .user = true, .executable = true,
		};
	else
		walk_table(&r, r.w.root, 0, WALK_W | WALK_U | WALK_X, 0);
	flush(&r);
	free(r.memo);
}
