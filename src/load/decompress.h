/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compressed kernels: what mkimage's like has wrapped, unwrapped on the host. */
#ifndef GV_LOAD_DECOMPRESS_H
#define GV_LOAD_DECOMPRESS_H

#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

#define DECOMPRESS_MAX  (1u << 30)      /* bytes that may come out */

/* What DATA is compressed with, by its first bytes ("gzip"), also if decompress() cannot do it; NULL: nothing known. */
const char *decompress_format(const uint8_t *data, size_t size);

/*
 * Decompresses the one stream that DATA begins with: gzip (RFC 1952), zstd (RFC 8878), xz, or lz4 in the legacy frame
 * that Linux uses.  WANT bytes, 1 to DECOMPRESS_MAX, must come out.  What follows the stream is ignored, but lz4's has
 * no end of its own, so SIZE must be it.  *RET is the caller's to free.  Pure.
 * -ENOEXEC: damaged, truncated, in a format that is not known, or other than WANT bytes; -ENOMEM.
 */
int decompress(const uint8_t *data, size_t size, size_t want, uint8_t **ret, struct err *err);

#endif
