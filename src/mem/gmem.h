/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guest-physical memory: which host memory stands behind a gpa, and bounds-checked access to it.  Knows nothing
 * of KVM; src/kvm/slots keeps it equal to the slot table.
 *
 * Threads: changed only while every vCPU is parked, on the loop thread; read by anyone while it is not changed.
 */
#ifndef GV_MEM_GMEM_H
#define GV_MEM_GMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"
#include "util/page.h"

struct gmem_region {
	uint64_t gpa, size;     /* bytes; size > 0, gpa + size does not wrap */
	uint8_t *hva;           /* not owned */
	int slot;               /* slot number, for reports */
	bool readonly;          /* to the guest; the VMM may write it */
	bool watched;           /* the guest's writes exit, to be recorded and then carried out */
	uint64_t *written;      /* a bit for each GMEM_PAGE that we write ourselves; NULL: nobody asks.  Not owned */
};

#define GMEM_PAGE page_bytes()  /* bytes a bit of `written` stands for */

struct gmem;

int gmem_new(struct gmem **ret, struct err *err);       /* -ENOMEM */
void gmem_free(struct gmem *g);                         /* NULL is fine; regions' memory is not touched */

/* -EINVAL: empty or wrapping; -EEXIST: overlaps another (named in ERR); -ENOMEM.  Copies *R. */
int gmem_add(struct gmem *g, const struct gmem_region *r, struct err *err);
/* Removes the region that starts at GPA.  -ENOENT. */
int gmem_remove(struct gmem *g, uint64_t gpa);
/* Has the region that starts at GPA mark our writes in BITMAP (one bit a page of it) from now on, or nowhere (NULL).  -ENOENT. */
int gmem_mark(struct gmem *g, uint64_t gpa, uint64_t *bitmap);
/* The region that holds GPA, or NULL.  O(log n), and O(1) where this thread found its last one.  Valid until the next change. */
const struct gmem_region *gmem_find(const struct gmem *g, uint64_t gpa);
/* Whether any region is watched. */
bool gmem_watching(const struct gmem *g);
/* The lowest region that shares a byte with SIZE > 0 bytes at GPA (no wrap), but for slot SKIP's (-1: none); NULL. */
const struct gmem_region *gmem_overlap(const struct gmem *g, uint64_t gpa, uint64_t size, int skip);
/* The INDEX-th region, ascending by gpa; NULL past the end. */
const struct gmem_region *gmem_at(const struct gmem *g, size_t index);

/*
 * Host pointer to GPA with *RET_LEN (in: bytes wanted; out: bytes together there, at most those); NULL: no RAM.  What is
 * written through it is not marked: gmem_touch() does that, unless the write is one that nobody is to see.
 */
uint8_t *gmem_span(const struct gmem *g, uint64_t gpa, size_t *ret_len);

/*
 * Copy out and in, across regions; return the bytes done before the first gpa without memory.  What is written is marked; vCPU
 * threads may do so at the same time.
 */
size_t gmem_read(const struct gmem *g, uint64_t gpa, void *ret, size_t len);
size_t gmem_write(struct gmem *g, uint64_t gpa, const void *data, size_t len);
/* Fills LEN bytes with zero, likewise. */
size_t gmem_zero(struct gmem *g, uint64_t gpa, size_t len);
/* Marks LEN bytes as written, those that have memory, without writing: for contents that changed in another way. */
void gmem_touch(struct gmem *g, uint64_t gpa, uint64_t len);

#endif
