/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/pages.h"

/* The first page from FROM on whose bit is SET; m->pages when there is none. */
static uint64_t next_page(const struct dirty_map *m, uint64_t from, bool set)
{
	uint64_t flip = set ? 0 : UINT64_MAX, word;

	while (from < m->pages) {
		word = (m->bits[from / 64] ^ flip) >> from % 64;
		if (word) {
			from += (uint64_t)__builtin_ctzll(word);
			return from < m->pages ? from : m->pages;
		}
		from = (from / 64 + 1) * 64;
	}
	return m->pages;
}

bool pages_run(const struct dirty_map *m, uint64_t from, struct page_run *ret)
{
	uint64_t first = next_page(m, from, true);

	if (first == m->pages)
		return false;
	*ret = (struct page_run){ .first = first, .pages = next_page(m, first, false) - first };
	return true;
}

struct cells cells_of(uint64_t gpa, uint64_t pages)
{
	struct cells c = { .gpa = gpa, .pages = pages, .each = 1 };

	while ((pages + c.each - 1) / c.each > CELLS_MAX)
		c.each *= 2;
	c.n = (size_t)((pages + c.each - 1) / c.each);
	return c;
}

uint64_t cells_gpa(const struct cells *c, size_t i)
{
	return c->gpa + i * c->each * DIRTY_PAGE;
}

uint64_t cells_pages(const struct cells *c, size_t i)
{
	uint64_t left = c->pages - i * c->each;

	return left < c->each ? left : c->each;
}

void cells_count(const struct cells *c, const struct dirty_map *m, uint64_t *ret)
{
	struct page_run run = { 0 };

	for (size_t i = 0; i < c->n; i++)
		ret[i] = 0;
	while (pages_run(m, run.first + run.pages, &run))
		for (uint64_t at = run.first, end = run.first + run.pages, next; at < end; at = next) {
			next = (at / c->each + 1) * c->each;
			if (next > end)
				next = end;
			ret[at / c->each] += next - at;
		}
}
