/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/bitmap.h"

uint64_t bitmap_count(const uint64_t *b, size_t words)
{
	uint64_t n = 0;

	for (size_t i = 0; i < words; i++)
		if (b[i])
			n += (unsigned)__builtin_popcountll(b[i]);
	return n;
}

uint64_t bitmap_next(const uint64_t *b, uint64_t pages, uint64_t page)
{
	size_t i = page / 64;
	uint64_t w;

	if (page >= pages)
		return pages;
	w = b[i] & ~0ull << page % 64;
	while (!w) {
		if (++i >= bitmap_words(pages))
			return pages;
		w = b[i];
	}
	return i * 64 + (unsigned)__builtin_ctzll(w);
}

size_t bitmap_extent(const uint64_t *b, size_t words, size_t *ret_first)
{
	size_t first = 0;

	while (first < words && !b[first])
		first++;
	if (first == words)
		return 0;
	while (!b[words - 1])
		words--;
	*ret_first = first;
	return words - first;
}

void bitmap_slice(uint64_t *to, uint64_t to_pages, const uint64_t *from, uint64_t from_pages, uint64_t first)
{
	size_t have = bitmap_words(from_pages), words = bitmap_words(to_pages), at = first / 64;
	unsigned shift = first % 64;

	for (size_t i = 0; i < words; i++) {
		uint64_t low = at + i < have ? from[at + i] : 0;
		uint64_t high = shift && at + i + 1 < have ? from[at + i + 1] : 0;

		to[i] = shift ? low >> shift | high << (64 - shift) : low;
	}
	if (to_pages % 64)
		to[words - 1] &= (1ull << to_pages % 64) - 1;
}

void bitmap_put(uint64_t *to, uint64_t first, const uint64_t *from, uint64_t pages)
{
	unsigned shift = first % 64;

	for (size_t i = 0, at = first / 64; i < bitmap_words(pages); i++, at++) {
		if (!from[i])
			continue;
		to[at] |= from[i] << shift;
		if (shift && from[i] >> (64 - shift))
			to[at + 1] |= from[i] >> (64 - shift);
	}
}
