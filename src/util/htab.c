/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/htab.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BUCKETS 64

static struct htab_link **bucket_of(struct htab_link **bucket, size_t buckets, uint64_t key)
{
	/* Addresses differ in their low and middle bits: the product's upper half depends on all of them. */
	uint64_t h = key * 0x9e3779b97f4a7c15ull;

	return &bucket[(h >> 32 ^ h >> 52) & (buckets - 1)];
}

void htab_done(struct htab *h)
{
	free(h->bucket);
	*h = (struct htab){ 0 };
}

static int grow(struct htab *h)
{
	size_t buckets = h->buckets ? 4 * h->buckets : FIRST_BUCKETS;
	struct htab_link **bucket = calloc(buckets, sizeof(struct htab_link *)), *link, *next;

	if (!bucket)
		return -ENOMEM;
	for (size_t i = 0; i < h->buckets; i++) {
		struct htab_link *reversed = NULL;

		/* Those added last stay in front. */
		for (link = h->bucket[i]; link; link = next) {
			next = link->next;
			link->next = reversed;
			reversed = link;
		}
		for (link = reversed; link; link = next) {
			struct htab_link **p = bucket_of(bucket, buckets, link->key);

			next = link->next;
			link->next = *p;
			*p = link;
		}
	}
	free(h->bucket);
	h->bucket = bucket;
	h->buckets = buckets;
	return 0;
}

int htab_add(struct htab *h, struct htab_link *link, uint64_t key)
{
	struct htab_link **p;

	if (h->count >= h->buckets && grow(h) && !h->buckets)
		return -ENOMEM;
	p = bucket_of(h->bucket, h->buckets, key);
	link->key = key;
	link->next = *p;
	*p = link;
	h->count++;
	return 0;
}

void htab_del(struct htab *h, struct htab_link *link)
{
	struct htab_link **p = bucket_of(h->bucket, h->buckets, link->key);

	while (*p != link)
		p = &(*p)->next;
	*p = link->next;
	h->count--;
}

static struct htab_link *with_key(struct htab_link *link, uint64_t key)
{
	while (link && link->key != key)
		link = link->next;
	return link;
}

struct htab_link *htab_find(const struct htab *h, uint64_t key)
{
	return h->buckets ? with_key(*bucket_of(h->bucket, h->buckets, key), key) : NULL;
}

struct htab_link *htab_again(const struct htab_link *link)
{
	return with_key(link->next, link->key);
}
