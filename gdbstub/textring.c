/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/textring.h"

#include <stdio.h>
#include <string.h>

bool textring_put(struct textring *r, const char *text, size_t len)
{
	size_t put = atomic_load_explicit(&r->put, memory_order_relaxed);
	size_t room = TEXTRING_BYTES - (put - atomic_load_explicit(&r->taken, memory_order_acquire));

	/* While some is missing, what comes later must not go before the word on it. */
	if (len > room || atomic_load(&r->lost)) {
		atomic_fetch_add(&r->lost, 1);
	} else {
		size_t at = put % TEXTRING_BYTES, first = TEXTRING_BYTES - at < len ? TEXTRING_BYTES - at : len;

		memcpy(r->buf + at, text, first);
		memcpy(r->buf, text + first, len - first);
		atomic_store_explicit(&r->put, put + len, memory_order_release);
	}
	return !atomic_exchange(&r->told, true);
}

size_t textring_take(struct textring *r, char *ret, size_t cap)
{
	size_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed), n, at, first;
	unsigned long lost;

	atomic_store(&r->told, false);
	n = atomic_load_explicit(&r->put, memory_order_acquire) - taken;
	if (!n) {
		lost = atomic_exchange(&r->lost, 0);
		return lost ? (size_t)snprintf(ret, cap, "[%lu printed texts were lost]\n", lost) : 0;
	}
	if (n > cap)
		n = cap;
	at = taken % TEXTRING_BYTES;
	first = TEXTRING_BYTES - at < n ? TEXTRING_BYTES - at : n;
	memcpy(ret, r->buf + at, first);
	memcpy(ret + first, r->buf, n - first);
	atomic_store_explicit(&r->taken, taken + n, memory_order_release);
	return n;
}
