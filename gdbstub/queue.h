/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A byte queue with an upper bound: what waits to be sent. */
#ifndef GV_GDBSTUB_QUEUE_H
#define GV_GDBSTUB_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct queue {
	uint8_t *buf;           /* owned */
	size_t cap, max;        /* bytes */
	size_t head, len;       /* buf[head .. head + len) waits */
};

/* Starts with room for CAP bytes, which is kept, and grows to MAX at most.  -ENOMEM. */
int queue_init(struct queue *q, size_t cap, size_t max);
void queue_done(struct queue *q);
/* A place for LEN more bytes; queue_commit() says how many were used.  NULL: over the bound, or no memory. */
uint8_t *queue_reserve(struct queue *q, size_t len);
void queue_commit(struct queue *q, size_t len);
void queue_drop(struct queue *q, size_t len);

#endif
