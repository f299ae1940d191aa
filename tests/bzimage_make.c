/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/bzimage_make.h"

#include <check.h>
#include <lz4.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define PAYLOAD_AT      0x300u
#define LZ4_HALF        1000u   /* so that there are several blocks */

void put16(uint8_t *buf, size_t at, uint16_t v)
{
	memcpy(buf + at, &v, sizeof(v));
}

void put32(uint8_t *buf, size_t at, uint32_t v)
{
	memcpy(buf + at, &v, sizeof(v));
}

void put64(uint8_t *buf, size_t at, uint64_t v)
{
	memcpy(buf + at, &v, sizeof(v));
}

size_t bzimage_make(const void *payload, size_t size, uint8_t *buf, size_t cap)
{
	size_t code = (PAYLOAD_AT + size + 15) & ~(size_t)15, total = BZ_SETUP + code, i;

	ck_assert_uint_le(total, cap);
	memset(buf, 0, BZ_SETUP);
	for (i = BZ_SETUP; i < total; i++)
		buf[i] = (uint8_t)(i * 7 + 3);
	buf[0x1f1] = BZ_SETUP / 512 - 1;
	put32(buf, 0x1f4, (uint32_t)(code / 16));
	put16(buf, 0x1fe, 0xaa55);
	buf[0x200] = 0xeb;
	buf[0x201] = 0x6a;
	memcpy(buf + 0x202, "HdrS", 4);
	put16(buf, 0x206, 0x20f);
	buf[0x211] = 0x01;
	put32(buf, 0x214, 0x100000);
	put32(buf, 0x22c, 0x7fffffff);
	put32(buf, 0x230, 0x200000);
	buf[0x234] = 1;
	put16(buf, 0x236, 0x7f);
	put32(buf, 0x238, 255);
	if (payload) {
		memcpy(buf + BZ_SETUP + PAYLOAD_AT, payload, size);
		put32(buf, 0x248, PAYLOAD_AT);
		put32(buf, 0x24c, (uint32_t)size);
	}
	put64(buf, 0x258, BZ_PREF);
	put32(buf, 0x260, BZ_INIT);
	/* A field of a later protocol, to be handed on. */
	put32(buf, 0x268, 0xdecafbad);
	return total;
}

size_t make_gzip(const void *data, size_t size, uint8_t *buf, size_t cap)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size, .next_out = buf, .avail_out = (uInt)cap };

	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

size_t make_zstd(const void *data, size_t size, uint8_t *buf, size_t cap)
{
	size_t n = ZSTD_compress(buf, cap, data, size, 3);

	ck_assert(!ZSTD_isError(n));
	return n;
}

size_t make_xz(const void *data, size_t size, uint8_t *buf, size_t cap)
{
	lzma_options_lzma opt;
	lzma_filter filters[] = { { LZMA_FILTER_X86, NULL }, { LZMA_FILTER_LZMA2, &opt }, { LZMA_VLI_UNKNOWN, NULL } };
	size_t n = 0;

	/* As the kernel's scripts have it. */
	ck_assert(!lzma_lzma_preset(&opt, 1));
	ck_assert_int_eq(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, data, size, buf, &n, cap), LZMA_OK);
	return n;
}

size_t make_lz4(const void *data, size_t size, uint8_t *buf, size_t cap)
{
	size_t at = 0, n = 4;

	put32(buf, 0, 0x184c2102);
	for (; at < size; at += LZ4_HALF) {
		int len = (int)(size - at < LZ4_HALF ? size - at : LZ4_HALF);
		int out = LZ4_compress_default((const char *)data + at, (char *)buf + n + 4, len, (int)(cap - n - 4));

		ck_assert_int_gt(out, 0);
		put32(buf, n, (uint32_t)out);
		n += 4 + (size_t)out;
	}
	return n;
}
