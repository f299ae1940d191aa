/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds a reply's payload in a buffer of fixed size; nothing is ever written past it. */
#ifndef GV_GDBSTUB_REPLY_H
#define GV_GDBSTUB_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reply {
	uint8_t *buf;           /* not owned */
	size_t cap, len;        /* bytes */
	bool full;              /* something did not fit: the reply must not be sent */
};

void reply_init(struct reply *r, uint8_t *buf, size_t cap);
void reply_reset(struct reply *r);

void reply_byte(struct reply *r, char c);
void reply_bytes(struct reply *r, const void *data, size_t len);
void reply_text(struct reply *r, const char *text);
void reply_fill(struct reply *r, char c, size_t count);
/* VALUE in hex: as two digits; without leading zeros; bytes of memory. */
void reply_hex8(struct reply *r, uint8_t value);
void reply_number(struct reply *r, uint64_t value);
void reply_hex(struct reply *r, const void *data, size_t len);
/* Binary data, escaped; takes at most 2 * LEN bytes. */
void reply_escaped(struct reply *r, const void *data, size_t len);
/*
 * The same for LEN bytes (at most cap - len) that stand where the reply ends: memory is read there and need not be copied.
 * Appends as many as fit with their escapes, and returns how many that were.
 */
size_t reply_escape(struct reply *r, size_t len);
/* These replace what is there.  ERROR is a -errno and becomes Enn; the one place where it does. */
void reply_ok(struct reply *r);
void reply_error(struct reply *r, int error);
/* "E.TEXT" (gdb manual, "Standard Replies"), and lldb's "Enn;TEXT" with the text in hex. */
void reply_error_text(struct reply *r, const char *text);
void reply_error_string(struct reply *r, int error, const char *text);

#endif
