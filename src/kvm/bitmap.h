/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bitmaps of pages, as KVM's dirty logs are: 64-bit words, bit 0 the first page, bits past the last page clear. */
#ifndef GV_KVM_BITMAP_H
#define GV_KVM_BITMAP_H

#include <stddef.h>
#include <stdint.h>

static inline size_t bitmap_words(uint64_t pages)
{
	return (pages + 63) / 64;
}

static inline void bitmap_set(uint64_t *b, uint64_t page)
{
	b[page / 64] |= 1ull << page % 64;
}

/* How many bits are set. */
uint64_t bitmap_count(const uint64_t *b, size_t words);
/* The first set bit at or after PAGE; PAGES when there is none. */
uint64_t bitmap_next(const uint64_t *b, uint64_t pages, uint64_t page);
/* The words from the first to the last that is not 0: *RET_FIRST and how many; 0 when all are. */
size_t bitmap_extent(const uint64_t *b, size_t words, size_t *ret_first);
/*
 * Fills TO, a bitmap of TO_PAGES, with FROM's (of FROM_PAGES) from page FIRST on; what FROM does not have is clear.
 * They must not overlap.
 */
void bitmap_slice(uint64_t *to, uint64_t to_pages, const uint64_t *from, uint64_t from_pages, uint64_t first);
/* Sets in TO, from page FIRST on, what is set in FROM, a bitmap of PAGES.  TO has room for it. */
void bitmap_put(uint64_t *to, uint64_t first, const uint64_t *from, uint64_t pages);

#endif
