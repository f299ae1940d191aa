/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load/decompress.h"

#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define GZIP_WINDOW     (16 + MAX_WBITS)        /* zlib: the gzip header, and none other */
#define XZ_MEMORY       (512ull << 20)          /* for a dictionary; Linux takes 32 MiB */
#define ZSTD_WINDOW_LOG 28                      /* Linux takes 27 */
#define LZ4_BLOCK       (8u << 20)              /* what a block of the legacy frame gives at most */
#define LZ4_MAGIC       0x184c2102u
#define LZ4_MAGIC_BYTES 4u

/* How far a stream's decoder came. */
enum outcome { DONE, DAMAGED, TRUNCATED, TOO_LONG, NO_MEMORY };

struct job {
	const uint8_t *in;
	size_t in_size;
	uint8_t *out;
	size_t out_size;        /* of the buffer */
	size_t done;            /* bytes in it */
};

static enum outcome gunzip(struct job *j)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)j->in, .avail_in = (uInt)j->in_size, .next_out = j->out,
		       .avail_out = (uInt)j->out_size };
	int r;

	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return NO_MEMORY;
	r = inflate(&z, Z_FINISH);
	j->done = z.total_out;
	inflateEnd(&z);
	switch (r) {
	case Z_STREAM_END:
		return DONE;
	case Z_MEM_ERROR:
		return NO_MEMORY;
	case Z_BUF_ERROR:
	case Z_OK:
		return z.avail_in ? TOO_LONG : TRUNCATED;
	default:
		return DAMAGED;
	}
}

static enum outcome unxz(struct job *j)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret r;

	if (lzma_stream_decoder(&s, XZ_MEMORY, 0) != LZMA_OK)
		return NO_MEMORY;
	s.next_in = j->in;
	s.avail_in = j->in_size;
	s.next_out = j->out;
	s.avail_out = j->out_size;
	do
		r = lzma_code(&s, LZMA_FINISH);
	while (r == LZMA_OK);
	j->done = s.total_out;
	lzma_end(&s);
	switch (r) {
	case LZMA_STREAM_END:
		return DONE;
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return NO_MEMORY;
	case LZMA_BUF_ERROR:
		return s.avail_in ? TOO_LONG : TRUNCATED;
	default:
		return DAMAGED;
	}
}

static enum outcome unzstd(struct job *j)
{
	ZSTD_inBuffer in = { j->in, j->in_size, 0 };
	ZSTD_outBuffer out = { j->out, j->out_size, 0 };
	ZSTD_DStream *d = ZSTD_createDStream();
	size_t left = 1, before;

	if (!d || ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG))) {
		ZSTD_freeDStream(d);
		return NO_MEMORY;
	}
	/* Until the frame is at its end, or nothing moves any more. */
	do {
		before = in.pos + out.pos;
		left = ZSTD_decompressStream(d, &out, &in);
	} while (left && !ZSTD_isError(left) && in.pos + out.pos != before);
	ZSTD_freeDStream(d);
	j->done = out.pos;
	if (!left)
		return DONE;
	if (ZSTD_isError(left))
		return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? NO_MEMORY :
		       out.pos == out.size ? TOO_LONG : DAMAGED;
	return in.pos < in.size ? TOO_LONG : TRUNCATED;
}

static enum outcome unlz4(struct job *j)
{
	size_t at = LZ4_MAGIC_BYTES;

	while (at < j->in_size) {
		size_t room = j->out_size - j->done;
		uint32_t len;
		int n;

		if (j->in_size - at < sizeof(len))
			return TRUNCATED;
		memcpy(&len, j->in + at, sizeof(len));
		at += sizeof(len);
		/* Frames that were put one behind the other. */
		if (len == LZ4_MAGIC)
			continue;
		if (len > (uint32_t)LZ4_compressBound(LZ4_BLOCK))
			return DAMAGED;
		if (len > j->in_size - at)
			return TRUNCATED;
		n = LZ4_decompress_safe((const char *)j->in + at, (char *)j->out + j->done, (int)len,
					(int)(room < LZ4_BLOCK ? room : LZ4_BLOCK));
		if (n < 0)
			return DAMAGED;
		j->done += (size_t)n;
		at += len;
	}
	return DONE;
}

static const struct format {
	const char *name;
	uint8_t magic[6];
	size_t len;
	enum outcome (*run)(struct job *j);     /* NULL: not known beyond its name */
} formats[] = {
	{ "gzip", { 0x1f, 0x8b, 0x08 }, 3, gunzip },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, unzstd },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0x00 }, 6, unxz },
	{ "lz4", { 0x02, 0x21, 0x4c, 0x18 }, LZ4_MAGIC_BYTES, unlz4 },
	{ "bzip2", { 'B', 'Z', 'h' }, 3, NULL },
	{ "lzma", { 0x5d, 0x00, 0x00 }, 3, NULL },
	{ "lzo", { 0x89, 'L', 'Z', 'O', 0x00 }, 5, NULL },
};

static const struct format *find(const uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (size >= formats[i].len && !memcmp(data, formats[i].magic, formats[i].len))
			return &formats[i];
	return NULL;
}

const char *decompress_format(const uint8_t *data, size_t size)
{
	const struct format *f = find(data, size);

	return f ? f->name : NULL;
}

/* What went wrong, but for the lack of memory. */
static const char *const outcomes[] = {
	[DAMAGED] = "is damaged",
	[TRUNCATED] = "is truncated",
	[TOO_LONG] = "gives more bytes than its size says",
};

int decompress(const uint8_t *data, size_t size, size_t want, uint8_t **ret, struct err *err)
{
	const struct format *f = find(data, size);
	struct job j = { .in = data, .in_size = size, .out_size = want };
	enum outcome o;

	if (!f || !f->run)
		return err_set(err, ENOEXEC, "compressed with %s; gzip, zstd, xz and lz4 can be decompressed here",
			       f ? f->name : "nothing known");
	if (!want || want > DECOMPRESS_MAX || size > DECOMPRESS_MAX)
		return err_set(err, ENOEXEC, "the %s data would be %zu bytes, which is no kernel's size", f->name, want);
	j.out = malloc(want);
	if (!j.out)
		return err_errno(err, ENOMEM, "%zu bytes to decompress to", want);
	o = f->run(&j);
	if (o == DONE && j.done == want) {
		*ret = j.out;
		return 0;
	}
	free(j.out);
	if (o == NO_MEMORY)
		return err_errno(err, ENOMEM, "decompressing %s", f->name);
	if (o == DONE)
		return err_set(err, ENOEXEC, "the %s data gives %zu bytes, where its size says %zu", f->name, j.done, want);
	return err_set(err, ENOEXEC, "the %s data %s", f->name, outcomes[o]);
}
