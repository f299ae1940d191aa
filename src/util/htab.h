/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hash table of things that embed a link, by a 64-bit key; several may have the same one.  Knows nothing of what it holds
 * and owns none of it.
 *
 * Threads: as whatever it is part of; finding changes nothing.
 */
#ifndef GV_UTIL_HTAB_H
#define GV_UTIL_HTAB_H

#include <stddef.h>
#include <stdint.h>

struct htab_link {
	struct htab_link *next;         /* in its bucket */
	uint64_t key;
};

/* Zeroed: empty. */
struct htab {
	struct htab_link **bucket;
	size_t buckets, count;          /* buckets: a power of two, or 0 */
};

/* Frees the table, not what is in it. */
void htab_done(struct htab *h);
/* -ENOMEM only while it has no table at all: one that cannot grow becomes slower. */
int htab_add(struct htab *h, struct htab_link *link, uint64_t key);
void htab_del(struct htab *h, struct htab_link *link);
/* The one with KEY that was added last, and those before it; NULL: no more. */
struct htab_link *htab_find(const struct htab *h, uint64_t key);
struct htab_link *htab_again(const struct htab_link *link);

/* The struct of TYPE whose MEMBER is at LINK, which may be NULL. */
#define HTAB_ENTRY(link, type, member)                                                                  \
	((link) ? (type *)(void *)((char *)(link) - offsetof(type, member)) : (type *)NULL)

#endif
