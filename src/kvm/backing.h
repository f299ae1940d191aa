/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Host memory that stands behind memory slots.  Counted: aliases, and the parts of a slot that was split, share one.
 * Knows nothing of KVM's slots.  Loop thread; what changes a mapping needs every vCPU parked.
 */
#ifndef GV_KVM_BACKING_H
#define GV_KVM_BACKING_H

#include "api/slots.h"

#define BACKING_HUGE_SIZE 0x200000ull   /* bytes of a large page: for one, gpa and hva must agree below */

struct backing {
	unsigned refs;
	enum slot_backing kind; /* never SLOT_ALIAS */
	uint8_t *base;
	uint64_t size;          /* bytes mapped at `base` */
	/*
	 * Bytes from `base` on that are kept in ordinary pages: the guest's first 2 MiB have holes on a PC, so that KVM has no use for a large
	 * page there, and a guest that has done nothing yet would hold 2 MiB for its few pages.
	 */
	uint64_t small;
	int fd;                 /* SLOT_MEMFD, SLOT_FILE, SLOT_RMA; else -1 */
	uint64_t offset;        /* SLOT_FILE: where `base` is in the file */
	char *path;             /* SLOT_FILE */
	uint64_t page_size;     /* bytes that sizes must be multiples of: the host's page, or SLOT_HUGETLB's */
	bool shared;            /* SLOT_FILE: writes reach the file */
	bool unwritable;        /* SLOT_FILE, shared, which nobody may write: for read-only slots alone */
	bool remapped;          /* a file was mapped over a part */
	bool kept;              /* slots_priv.h: until the table goes, in a list */
	struct backing *next_kept;
};

/*
 * Maps what SPEC asks for (not SLOT_ALIAS, nor SLOT_RMA: rma.h), with one reference.  Its address agrees with SPEC->gpa in the low 21 bits,
 * but for SLOT_HUGETLB.  -EINVAL: a file too short or of the wrong kind, an offset or size that is no multiple; -ENOMEM;
 * or what opening and mapping said.  A file that may not be written can be shared when SPEC->readonly: what we write to
 * it stays here.
 */
int backing_new(const struct slot_spec *spec, struct backing **ret, struct err *err);
/* SIZE bytes of FD, which is taken over when this succeeds, mapped shared wherever there is room.  -ENOMEM, or what mmap says. */
int backing_of_fd(enum slot_backing kind, int fd, uint64_t size, struct backing **ret, struct err *err);
struct backing *backing_get(struct backing *b); /* one more reference; returns B */
void backing_put(struct backing *b);            /* the last one unmaps; NULL is fine */

/* Both for backings with one reference, whose slot is not in the kernel or keeps within what is left. */
/* Gives up what is above SIZE.  Cannot fail; nothing happens when it is no smaller. */
void backing_trim(struct backing *b, uint64_t size);
/*
 * Grows it to SIZE, at another address, contents kept; what is new is zero, or what the file has there.  -ENOTSUP: its
 * kind or its state do not allow it; -EINVAL: the file is too short; -ENOMEM.
 */
int backing_grow(struct backing *b, uint64_t size, struct err *err);

/* Throws away SIZE bytes at OFFSET: zero after that, or again what the file has.  -EINVAL: no multiples of the page. */
int backing_discard(struct backing *b, uint64_t offset, uint64_t size, struct err *err);
/* Maps PATH from FILE_OFFSET on over SIZE bytes at OFFSET, privately.  As backing_new(); SLOT_HUGETLB: -ENOTSUP. */
int backing_remap(struct backing *b, uint64_t offset, uint64_t size, const char *path, uint64_t file_offset,
		  struct err *err);

/* Writes "anon", "file:PATH@0x1000 shared", ... to RET, with "..." for the beginning of a path that is too long. */
void backing_text(const struct backing *b, char *ret, size_t size);

#endif
