/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of what loaded modules have in memory: their own symbol tables, read anew when the list of modules has changed.
 * Names are never given back, as those who were told one may have it still; a name is kept once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "kvm/kernel_priv.h"
#include "kvm/machine_priv.h"

#define NAME_BYTES  (16u << 20)         /* of all names that ever were */
#define SYMBOLS_MAX (1u << 18)          /* in all modules */
#define EACH_MAX    (1u << 16)          /* looked at in one */
#define HASH_START  0xcbf29ce484222325ull       /* FNV-1a */
#define HASH_FACTOR 0x100000001b3ull

struct module_name {
	struct htab_link by_hash;
	char text[];
};

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)data)[i]) * HASH_FACTOR;
	return h;
}

/* TEXT, kept; NULL: too much is. */
static const char *keep(struct module_table *t, const char *text)
{
	size_t len = strlen(text) + 1;
	uint64_t key = hash(HASH_START, text, len);
	struct htab_link *l;
	struct module_name *n;

	for (l = htab_find(&t->names, key); l; l = htab_again(l)) {
		n = HTAB_ENTRY(l, struct module_name, by_hash);
		if (!strcmp(n->text, text))
			return n->text;
	}
	if (len > NAME_BYTES - t->bytes)
		return NULL;
	n = malloc(sizeof(*n) + len);
	if (!n)
		return NULL;
	memcpy(n->text, text, len);
	if (htab_add(&t->names, &n->by_hash, key)) {
		free(n);
		return NULL;
	}
	t->bytes += len;
	return n->text;
}

void kernel_modules_done(struct module_table *t)
{
	for (size_t i = 0; i < t->names.buckets; i++)
		for (struct htab_link *l = t->names.bucket[i], *next; l; l = next) {
			next = l->next;
			free(HTAB_ENTRY(l, struct module_name, by_hash));
		}
	htab_done(&t->names);
	free(t->symbol);
}

/* -- reading -- */

struct list {
	struct kernel_module *module;
	size_t n, cap;
};

static bool add_module(void *arg, const struct kernel_module *m)
{
	struct list *l = arg;
	struct kernel_module *more;

	if (l->n == l->cap) {
		more = realloc(l->module, (l->cap ? 2 * l->cap : 16) * sizeof(*more));
		if (!more)
			return false;
		l->module = more;
		l->cap = l->cap ? 2 * l->cap : 16;
	}
	l->module[l->n++] = *m;
	return true;
}

static bool add_symbol(void *arg, const char *name, uint64_t addr, uint64_t size)
{
	struct module_table *t = arg;
	struct module_symbol *more;

	if (t->n == t->cap) {
		more = t->cap < SYMBOLS_MAX ? realloc(t->symbol, (t->cap ? 2 * t->cap : 256) * sizeof(*more)) : NULL;
		if (!more)
			return false;
		t->symbol = more;
		t->cap = t->cap ? 2 * t->cap : 256;
	}
	t->symbol[t->n] = (struct module_symbol){ addr, addr + size, keep(t, name) };
	t->n += t->symbol[t->n].name != NULL;
	return true;
}

static int by_addr(const void *a, const void *b)
{
	const struct module_symbol *x = a, *y = b;

	return x->addr != y->addr ? (x->addr < y->addr ? -1 : 1) : strcmp(x->name, y->name);
}

/* Symbols without a size reach to the next one, or the module's end. */
static void set_ends(struct module_table *t, size_t from, const struct kernel_module *m)
{
	if (t->n > from)
		qsort(t->symbol + from, t->n - from, sizeof(*t->symbol), by_addr);
	for (size_t i = t->n; i-- > from;)
		if (t->symbol[i].end <= t->symbol[i].addr)
			t->symbol[i].end = i + 1 < t->n ? t->symbol[i + 1].addr : m->gva + m->size;
}

static uint64_t hash_list(const struct list *l)
{
	uint64_t h = HASH_START;

	for (size_t i = 0; i < l->n; i++) {
		const struct kernel_module *m = &l->module[i];

		h = hash(h, m->name, strlen(m->name) + 1);
		h = hash(h, &m->object, sizeof(m->object));
		h = hash(h, &m->gva, sizeof(m->gva));
		h = hash(h, &m->size, sizeof(m->size));
		h = hash(h, m->state, strlen(m->state) + 1);
	}
	return h;
}

/* What can be read of a list that is broken off counts. */
static void refresh(struct kernel_view *w)
{
	struct module_table *t = &w->modules;
	struct list l = { 0 };
	struct kernel *k;
	uint64_t h;

	if (!t->stale || vcpu_self() || !kernel_view_known(w) || run_check_parked(w->k, NULL))
		return;
	t->stale = false;
	if (kernel_view_find(w, &k, NULL) || kernel_modules(k, add_module, &l, NULL) == -ENOTSUP)
		l.n = 0;
	h = hash_list(&l);
	if (h != t->seen) {
		t->n = 0;
		for (size_t i = 0; i < l.n; i++) {
			size_t from = t->n;

			kernel_module_symbols(k, &l.module[i], EACH_MAX, add_symbol, t, NULL);
			set_ends(t, from, &l.module[i]);
		}
		if (t->n)
			qsort(t->symbol, t->n, sizeof(*t->symbol), by_addr);
		t->seen = h;
	}
	free(l.module);
}

const char *kernel_view_module_at(struct kernel_view *w, uint64_t addr, uint64_t *ret_offset)
{
	struct module_table *t = &w->modules;
	size_t lo = 0, hi;

	if (addr < arch.kernel_half)
		return NULL;
	refresh(w);
	hi = t->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (t->symbol[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr >= t->symbol[lo - 1].end)
		return NULL;
	*ret_offset = addr - t->symbol[lo - 1].addr;
	return t->symbol[lo - 1].name;
}

int kernel_view_module_find(struct kernel_view *w, const char *name, size_t len, uint64_t *ret_addr)
{
	const struct module_table *t = &w->modules;

	refresh(w);
	for (size_t i = 0; i < t->n; i++)
		if (!strncmp(t->symbol[i].name, name, len) && !t->symbol[i].name[len]) {
			*ret_addr = t->symbol[i].addr;
			return 0;
		}
	return -ENOENT;
}
