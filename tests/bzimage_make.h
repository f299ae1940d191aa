/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds small bzImages for the Linux loader's tests: right ones, which a test then breaks. */
#ifndef GV_TESTS_BZIMAGE_MAKE_H
#define GV_TESTS_BZIMAGE_MAKE_H

#include <stddef.h>
#include <stdint.h>

#define BZ_SETUP        1024u           /* bytes before the protected-mode code */
#define BZ_PREF         0x200000u       /* pref_address */
#define BZ_INIT         0x20000u        /* init_size */

/*
 * Protocol 2.15, relocatable, with a 64-bit entry: PAYLOAD of SIZE bytes (NULL: none) at offset 0x300 of the protected-mode
 * code, which is otherwise recognisable bytes.  Writes to BUF of CAP bytes, asserting that it fits; returns the size.
 */
size_t bzimage_make(const void *payload, size_t size, uint8_t *buf, size_t cap);

/* Little-endian fields at an offset of the file. */
void put16(uint8_t *buf, size_t at, uint16_t v);
void put32(uint8_t *buf, size_t at, uint32_t v);
void put64(uint8_t *buf, size_t at, uint64_t v);

/* ---- what compresses: DATA of SIZE bytes to BUF of CAP; returns the size ---- */

size_t make_gzip(const void *data, size_t size, uint8_t *buf, size_t cap);
size_t make_zstd(const void *data, size_t size, uint8_t *buf, size_t cap);
size_t make_xz(const void *data, size_t size, uint8_t *buf, size_t cap);
size_t make_lz4(const void *data, size_t size, uint8_t *buf, size_t cap);

#endif
