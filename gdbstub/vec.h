/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sixteen bytes at a time: the payloads that matter are 256 KiB of digits or of memory, and every byte of them is
 * looked at.  GCC's vectors: operators work byte by byte, a comparison's bytes are 0 or 0xff.  What those have no word
 * for is SSE2's, which every x86-64 processor has.
 */
#ifndef GV_GDBSTUB_VEC_H
#define GV_GDBSTUB_VEC_H

#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t vec __attribute__((vector_size(16)));

#define VEC sizeof(vec)

/* VEC bytes at any address. */
static inline vec vec_load(const uint8_t *p)
{
	vec v;

	memcpy(&v, p, VEC);
	return v;
}

/* VEC / 2 bytes, and zeros. */
static inline vec vec_load_half(const uint8_t *p)
{
	return (vec)_mm_loadl_epi64((const __m128i *)p);
}

static inline void vec_store(uint8_t *p, vec v)
{
	memcpy(p, &v, VEC);
}

static inline vec vec_fill(uint8_t c)
{
	return (vec)_mm_set1_epi8((char)c);
}

/* What a comparison found: bit I for byte I. */
static inline unsigned vec_bits(vec found)
{
	return (unsigned)_mm_movemask_epi8((__m128i)found);
}

/* Sums of bytes, each half's: adds V's to SUMS, and both halves up. */
typedef uint64_t vec_sums __attribute__((vector_size(16)));

static inline vec_sums vec_add(vec_sums sums, vec v)
{
	return sums + (vec_sums)_mm_sad_epu8((__m128i)v, _mm_setzero_si128());
}

static inline uint64_t vec_total(vec_sums sums)
{
	return sums[0] + sums[1];
}

/* The bytes of A and B in turn, A's first: of their lower halves, or their upper ones. */
static inline vec vec_zip_low(vec a, vec b)
{
	return (vec)_mm_unpacklo_epi8((__m128i)a, (__m128i)b);
}

static inline vec vec_zip_high(vec a, vec b)
{
	return (vec)_mm_unpackhi_epi8((__m128i)a, (__m128i)b);
}

/* Every other byte of A and then of B: from the first on, or the second. */
static inline vec vec_evens(vec a, vec b)
{
	const __m128i even = _mm_set1_epi16(0xff);

	return (vec)_mm_packus_epi16((__m128i)a & even, (__m128i)b & even);
}

static inline vec vec_odds(vec a, vec b)
{
	return (vec)_mm_packus_epi16(_mm_srli_epi16((__m128i)a, 8), _mm_srli_epi16((__m128i)b, 8));
}

#endif
