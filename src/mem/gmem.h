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

struct gmem_region {
	uint64_t gpa, size;     /* bytes; size > 0, gpa + size does not wrap */
	uint8_t *hva;           /* not owned */
	int slot;               /* slot number, for reports */
	bool readonly;          /* to the guest; the VMM may write it */
};

struct gmem;

int gmem_new(struct gmem **ret, struct err *err);       /* -ENOMEM */
void gmem_free(struct gmem *g);                         /* NULL is fine; regions' memory is not touched */

/* -EINVAL: empty or wrapping; -EEXIST: overlaps another (named in ERR); -ENOMEM.  Copies *R. */
int gmem_add(struct gmem *g, const struct gmem_region *r, struct err *err);
/* Removes the region that starts at GPA.  -ENOENT. */
int gmem_remove(struct gmem *g, uint64_t gpa);
/* The region that holds GPA, or NULL.  O(log n).  Valid until the next change. */
const struct gmem_region *gmem_find(const struct gmem *g, uint64_t gpa);
/* The INDEX-th region, ascending by gpa; NULL past the end. */
const struct gmem_region *gmem_at(const struct gmem *g, size_t index);

/* Host pointer to GPA with *RET_LEN (in: bytes wanted; out: bytes together there, at most those); NULL: no RAM. */
uint8_t *gmem_span(const struct gmem *g, uint64_t gpa, size_t *ret_len);

/* Copy out and in, across regions; return the bytes done before the first gpa without memory. */
size_t gmem_read(const struct gmem *g, uint64_t gpa, void *ret, size_t len);
size_t gmem_write(struct gmem *g, uint64_t gpa, const void *data, size_t len);
/* Fills LEN bytes with zero, likewise. */
size_t gmem_zero(struct gmem *g, uint64_t gpa, size_t len);

#endif
