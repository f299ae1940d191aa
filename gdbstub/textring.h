/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ring of text between one thread at a time that puts and one that takes.  Neither waits; what does not fit is lost, and
 * counted.
 */
#ifndef GV_GDBSTUB_TEXTRING_H
#define GV_GDBSTUB_TEXTRING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define TEXTRING_BYTES 0x10000      /* a power of two */

/* Zeroed: empty. */
struct textring {
	char buf[TEXTRING_BYTES];
	atomic_size_t put, taken;       /* bytes altogether */
	atomic_ulong lost;              /* texts that did not fit, and have not been told of */
	atomic_bool told;               /* the taker knows that there is something */
};

/* Puts LEN bytes, or none.  True: the taker is to be woken. */
bool textring_put(struct textring *r, const char *text, size_t len);
/* Takes CAP (at least 64) bytes at most; a line about what was lost comes after all that was put before it. */
size_t textring_take(struct textring *r, char *ret, size_t cap);

#endif
