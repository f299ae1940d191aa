/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sixteen bytes at a time: the payloads that matter are 256 KiB of digits or of memory, and every byte of them is
 * looked at.  GCC's vectors: operators work byte by byte, a comparison's bytes are 0 or 0xff.  What those have no word
 * for is SSE2's where there is that, as on every x86-64 processor; elsewhere, and with VEC_PLAIN, it is plain C.
 */
#ifndef GV_GDBSTUB_VEC_H
#define GV_GDBSTUB_VEC_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(VEC_PLAIN)
#define VEC_SSE2
#include <emmintrin.h>
#endif

typedef uint8_t vec __attribute__((vector_size(16)));

#define VEC sizeof(vec)

/* VEC bytes at any address. */
static inline vec vec_load(const uint8_t *p)
{
	vec v = { 0 };

	memcpy(&v, p, VEC);
	return v;
}

static inline void vec_store(uint8_t *p, vec v)
{
	memcpy(p, &v, VEC);
}

/* Sums of bytes, each half's: see vec_add(). */
typedef uint64_t vec_sums __attribute__((vector_size(16)));

static inline uint64_t vec_total(vec_sums sums)
{
	return sums[0] + sums[1];
}

/* VEC / 2 bytes, and zeros. */
static inline vec vec_load_half(const uint8_t *p)
{
#ifdef VEC_SSE2
	return (vec)_mm_loadl_epi64((const __m128i *)p);
#else
	vec v = { 0 };

	memcpy(&v, p, VEC / 2);
	return v;
#endif
}

static inline vec vec_fill(uint8_t c)
{
#ifdef VEC_SSE2
	return (vec)_mm_set1_epi8((char)c);
#else
	return (vec){ 0 } + c;
#endif
}

/* What a comparison found: bit I for byte I. */
static inline unsigned vec_bits(vec found)
{
#ifdef VEC_SSE2
	return (unsigned)_mm_movemask_epi8((__m128i)found);
#else
	unsigned bits = 0;

	for (unsigned i = 0; i < VEC; i++)
		bits |= (found[i] >> 7 & 1u) << i;
	return bits;
#endif
}

/* Adds the bytes of V to SUMS, each half's to its own; vec_total() adds both up. */
static inline vec_sums vec_add(vec_sums sums, vec v)
{
#ifdef VEC_SSE2
	return sums + (vec_sums)_mm_sad_epu8((__m128i)v, _mm_setzero_si128());
#else
	for (unsigned i = 0; i < VEC; i++)
		sums[i / 8] += v[i];
	return sums;
#endif
}

/* The bytes of A and B in turn, A's first: of their lower halves, or their upper ones. */
static inline vec vec_zip_low(vec a, vec b)
{
#ifdef VEC_SSE2
	return (vec)_mm_unpacklo_epi8((__m128i)a, (__m128i)b);
#else
	vec v = { 0 };

	for (unsigned i = 0; i < VEC; i++)
		v[i] = i & 1 ? b[i / 2] : a[i / 2];
	return v;
#endif
}

static inline vec vec_zip_high(vec a, vec b)
{
#ifdef VEC_SSE2
	return (vec)_mm_unpackhi_epi8((__m128i)a, (__m128i)b);
#else
	vec v = { 0 };

	for (unsigned i = 0; i < VEC; i++)
		v[i] = i & 1 ? b[VEC / 2 + i / 2] : a[VEC / 2 + i / 2];
	return v;
#endif
}

/* Every other byte of A and then of B: from the first on, or the second. */
static inline vec vec_evens(vec a, vec b)
{
#ifdef VEC_SSE2
	const __m128i even = _mm_set1_epi16(0xff);

	return (vec)_mm_packus_epi16((__m128i)a & even, (__m128i)b & even);
#else
	vec v = { 0 };

	for (unsigned i = 0; i < VEC; i++)
		v[i] = i < VEC / 2 ? a[2 * i] : b[2 * i - VEC];
	return v;
#endif
}

static inline vec vec_odds(vec a, vec b)
{
#ifdef VEC_SSE2
	return (vec)_mm_packus_epi16(_mm_srli_epi16((__m128i)a, 8), _mm_srli_epi16((__m128i)b, 8));
#else
	vec v = { 0 };

	for (unsigned i = 0; i < VEC; i++)
		v[i] = i < VEC / 2 ? a[2 * i + 1] : b[2 * i + 1 - VEC];
	return v;
#endif
}

#endif
