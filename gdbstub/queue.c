/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int queue_init(struct queue *q, size_t cap, size_t max)
{
	*q = (struct queue){ .buf = malloc(cap), .cap = cap, .max = max };
	return q->buf ? 0 : -ENOMEM;
}

void queue_done(struct queue *q)
{
	free(q->buf);
	*q = (struct queue){ 0 };
}

uint8_t *queue_reserve(struct queue *q, size_t len)
{
	size_t cap = q->cap;
	uint8_t *p;

	if (len > q->max || q->len > q->max - len)
		return NULL;
	if (q->head + q->len + len > q->cap && q->head) {
		memmove(q->buf, q->buf + q->head, q->len);
		q->head = 0;
	}
	if (q->len + len > q->cap) {
		while (cap < q->len + len)
			cap *= 2;
		p = realloc(q->buf, cap);
		if (!p)
			return NULL;
		q->buf = p;
		q->cap = cap;
	}
	return q->buf + q->head + q->len;
}

void queue_commit(struct queue *q, size_t len)
{
	q->len += len;
}

void queue_drop(struct queue *q, size_t len)
{
	q->len -= len;
	q->head = q->len ? q->head + len : 0;
}
