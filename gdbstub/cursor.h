/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a packet's arguments from left to right.  Each function either takes what it names and answers true, or
 * answers false and takes nothing.
 */
#ifndef GV_GDBSTUB_CURSOR_H
#define GV_GDBSTUB_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	uint8_t *p;             /* the session's packet buffer: may be decoded in place */
	size_t len;             /* bytes left */
};

#define THREAD_ALL (-1)
#define THREAD_ANY 0

static inline bool cursor_end(const struct cursor *c)
{
	return c->len == 0;
}

/* Exactly this byte. */
bool cursor_byte(struct cursor *c, char want);
/* A hex number of at least one digit that fits 64 bits. */
bool cursor_number(struct cursor *c, uint64_t *ret);
/* Two hex digits (a signal). */
bool cursor_hex8(struct cursor *c, uint8_t *ret);
/* A thread id: THREAD_ALL, THREAD_ANY or one of 1 to CPUS; also as "pP.T" or "pP", where process 1 is the only one. */
bool cursor_thread(struct cursor *c, unsigned cpus, int *ret);
/* All that is left, as pairs of hex digits, decoded in place; *RET is then the bytes. */
bool cursor_hex_rest(struct cursor *c, struct cursor *ret);
/* Everything up to SEP, which is not taken, or to the end; never fails. */
struct cursor cursor_field(struct cursor *c, char sep);
/* Whether all that is left is TEXT. */
bool cursor_is(const struct cursor *c, const char *text);

#endif
