/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pieces of one size that come and go all the time, such as a debugger's breakpoints at each stop: some of those given back are kept
 * for the next who asks.
 *
 * Threads: as whatever it is part of.
 */
#ifndef GV_UTIL_SPARE_H
#define GV_UTIL_SPARE_H

#include <stddef.h>

#define SPARE_MAX 64            /* kept at most */

struct spare_piece;

/* Zeroed: none are kept. */
struct spare {
	struct spare_piece *first;
	unsigned kept;
};

/* SIZE zeroed bytes, the same SIZE each time and not less than a pointer's; NULL: there is no memory. */
void *spare_take(struct spare *s, size_t size);
/* What spare_take() gave; NULL is fine. */
void spare_give(struct spare *s, void *piece);
/* Frees those that are kept. */
void spare_done(struct spare *s);

#endif
