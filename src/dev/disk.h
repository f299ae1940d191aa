/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Disk images: files read and written by a thread of their own, so that nobody else ever waits for one.  Knows
 * nothing of guests.  Threads: a disk belongs to one thread at a time, apart from its worker.
 */
#ifndef GV_DEV_DISK_H
#define GV_DEV_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

struct disk;

struct disk_spec {
	const char *path;
	bool readonly;          /* the guest's writes fail */
	bool snapshot;          /* they are kept in memory, and gone at the end (and at machine reset: no) */
	bool cdrom;             /* 2048-byte sectors, read-only */
};

struct disk_info {
	const char *path;
	uint64_t size;          /* bytes, as the guest sees it: whole sectors */
	unsigned sector;        /* bytes: 512 or 2048 */
	bool readonly, snapshot, cdrom;
};

/*
 * Opens an image: a regular file or a block device.  A size that is no multiple of the sector is rounded down for a
 * CD and refused for a disk (-EINVAL, with both sizes); empty ones are refused.  A file that another disk of this
 * process has open is refused unless both only read or keep snapshots (-EBUSY), and one that another process has
 * locked likewise (flock, so that two machines do not write one image).  open()'s errors; -EACCES names `,ro` as the
 * way out.  DONE(ARG) is called, on the worker's thread, when a request has been finished.
 */
int disk_open(const struct disk_spec *spec, void (*done)(void *arg), void *arg, struct disk **ret, struct err *err);
void disk_close(struct disk *d);        /* waits for what is under way; NULL is fine */
const struct disk_info *disk_info(const struct disk *d);

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH };

#define DISK_REQUEST_MAX (256u * 512u)  /* bytes of a request */

/*
 * Begins a request; one at a time.  DATA (LEN bytes, whole sectors, LEN <= DISK_REQUEST_MAX) is written to or read
 * from at byte OFFSET by the worker until disk_finished() says so.  -EBUSY: one is under way; -EINVAL: beyond the
 * end, no whole sectors; -EROFS.
 */
int disk_begin(struct disk *d, enum disk_op op, uint64_t offset, uint8_t *data, size_t len);
/* Whether a request is under way. */
bool disk_busy(const struct disk *d);
/*
 * Whether the request has been finished, and (once) how: 0, or -EIO and such: *RET_RESULT.  A file that was shrunk
 * meanwhile is -EIO, never a signal.
 */
bool disk_finished(struct disk *d, int *ret_result);
/* As disk_settle(), and says how the last request ended if nobody has asked yet; else 0. */
int disk_wait(struct disk *d);
/*
 * Waits until no request is under way, and forgets how it ended: for a reset or a save.  At most as long as the
 * host's file system takes.
 */
void disk_settle(struct disk *d);

#endif
