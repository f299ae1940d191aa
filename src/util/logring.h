/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last LOGRING_BYTES of a text, for any number of readers that each know how far they are.  Any thread. */
#ifndef GV_UTIL_LOGRING_H
#define GV_UTIL_LOGRING_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define LOGRING_BYTES 0x10000u          /* a power of two */

struct logring {
	pthread_mutex_t lock;
	uint64_t end;                   /* bytes put altogether */
	char buf[LOGRING_BYTES];
};

void logring_init(struct logring *l);
void logring_done(struct logring *l);
/* Puts LEN bytes; the oldest make room. */
void logring_put(struct logring *l, const void *data, size_t len);
/* Copies up to SIZE bytes from byte *POS of the text on, or from the oldest there is, and moves *POS behind them.  Returns how many. */
size_t logring_get(struct logring *l, uint64_t *pos, char *ret, size_t size);

#endif
