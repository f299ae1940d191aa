/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/outq.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void lose(struct outq *q, size_t n)
{
	q->head = (q->head + n) % OUTQ_BYTES;
	q->len -= n;
	q->lost += n;
}

void outq_push(struct outq *q, const uint8_t *data, size_t len)
{
	size_t tail, part;

	if (len > OUTQ_BYTES) {
		outq_drop(q);
		q->lost += len - OUTQ_BYTES;
		data += len - OUTQ_BYTES;
		len = OUTQ_BYTES;
	}
	if (len > OUTQ_BYTES - q->len)
		lose(q, len - (OUTQ_BYTES - q->len));
	tail = (q->head + q->len) % OUTQ_BYTES;
	part = len < OUTQ_BYTES - tail ? len : OUTQ_BYTES - tail;
	memcpy(q->data + tail, data, part);
	memcpy(q->data, data + part, len - part);
	q->len += len;
}

const uint8_t *outq_peek(struct outq *q, size_t *ret_len)
{
	size_t to_end = OUTQ_BYTES - q->head;

	/* A notice of which nothing is out yet takes in what was lost since; else there will be another. */
	if (q->lost && q->notice_pos == 0) {
		q->counted += q->lost;
		q->lost = 0;
		q->notice_len = (size_t)snprintf(q->notice, sizeof(q->notice),
						 "\r\n[gdbvisor: %" PRIu64 " bytes of serial output lost]\r\n",
						 q->counted);
	}
	if (q->notice_len) {
		*ret_len = q->notice_len - q->notice_pos;
		return (const uint8_t *)q->notice + q->notice_pos;
	}
	*ret_len = q->len < to_end ? q->len : to_end;
	return q->data + q->head;
}

void outq_pop(struct outq *q, size_t n)
{
	if (q->notice_len) {
		q->notice_pos += n;
		if (q->notice_pos == q->notice_len)
			q->notice_pos = q->notice_len = q->counted = 0;
		return;
	}
	q->head = (q->head + n) % OUTQ_BYTES;
	q->len -= n;
}

void outq_drop(struct outq *q)
{
	lose(q, q->len);
}
