/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Output that waits for a reader: a bounded queue that, when it is full, loses its oldest bytes and later says so
 * in a line of its own where they would have stood.
 */
#ifndef GV_UTIL_OUTQ_H
#define GV_UTIL_OUTQ_H

#include <stddef.h>
#include <stdint.h>

#define OUTQ_BYTES 65536

/* All zero is an empty queue.  One thread at a time. */
struct outq {
	uint8_t data[OUTQ_BYTES];
	size_t head, len;               /* the oldest byte, and how many there are */
	uint64_t lost;                  /* bytes lost before head that the notice does not count */
	uint64_t counted;               /* those it counts */
	char notice[80];                /* comes before head */
	size_t notice_pos, notice_len;  /* how far it has been taken; both 0: none */
};

/* Appends LEN bytes, at the cost of the oldest. */
void outq_push(struct outq *q, const uint8_t *data, size_t len);
/* The bytes to write next, *RET_LEN of them in one piece; 0: the queue is empty.  Valid until the next push. */
const uint8_t *outq_peek(struct outq *q, size_t *ret_len);
/* Takes N of the bytes away that outq_peek() has just given. */
void outq_pop(struct outq *q, size_t n);
/* Loses everything that waits. */
void outq_drop(struct outq *q);

#endif
