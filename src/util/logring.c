/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/logring.h"

void logring_init(struct logring *l)
{
	pthread_mutex_init(&l->lock, NULL);
	l->end = 0;
}

void logring_done(struct logring *l)
{
	pthread_mutex_destroy(&l->lock);
}

void logring_put(struct logring *l, const void *data, size_t len)
{
	const char *from = data;

	pthread_mutex_lock(&l->lock);
	for (; len; len--)
		l->buf[l->end++ % LOGRING_BYTES] = *from++;
	pthread_mutex_unlock(&l->lock);
}

size_t logring_get(struct logring *l, uint64_t *pos, char *ret, size_t size)
{
	size_t n = 0;

	pthread_mutex_lock(&l->lock);
	if (*pos > l->end)
		*pos = l->end;
	if (l->end - *pos > LOGRING_BYTES)
		*pos = l->end - LOGRING_BYTES;
	while (n < size && *pos < l->end)
		ret[n++] = l->buf[(*pos)++ % LOGRING_BYTES];
	pthread_mutex_unlock(&l->lock);
	return n;
}
