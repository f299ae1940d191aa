/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NOR flash memory, in which UEFI firmware keeps its variables: a chip of eight bits with Intel's command set (common
 * flash interface, JEDEC JESD68.01; Intel StrataFlash 28F640J3, data sheet 290667), as QEMU's pflash_cfi01 is one and
 * OVMF expects it.  Blocks have 4 KiB.  A wider access is as many bytes of the chip: a command is in its lowest one, a
 * program writes them all.
 *
 * While it shows its array, the guest is to read a memory slot with what flash_view() gives, and only its writes come
 * here.  In every other mode its reads have to come here too: host->remap says that a change is due.
 *
 * What the guest programs outlives resets, and with a file the program: the file follows when the chip shows its array
 * again, which drivers see to behind each variable.
 *
 * Unlike the chip it is never busy, so there is nothing to suspend; and after "clear status" bit 7 is 0 as well until
 * the next program or erase, by which OVMF tells flash from ROM.
 */
#ifndef GV_DEV_FLASH_H
#define GV_DEV_FLASH_H

#include "dev/bus.h"
#include "dev/disk.h"

#define FLASH_BLOCK     4096u           /* bytes: what is erased at once */
#define FLASH_MAX       (16u << 20)     /* bytes */

struct flash_spec {
	uint64_t gpa;                   /* of its first byte */
	const uint8_t *data;            /* its contents; copied */
	size_t size;                    /* bytes: whole blocks, FLASH_MAX at most */
	/* The file that follows, and has `data` now; of the same size, not owned, must outlive the device.  NULL: none. */
	struct disk *disk;
};

/* -EINVAL: such a size, or a disk of another one; -ENOMEM, -ENOSPC. */
int flash_attach(struct bus *b, const struct flash_spec *spec, struct device **ret, struct err *err);
/* Whether reads are to show the array.  Under the bus lock, or with every vCPU parked. */
bool flash_shows_array(const struct device *d);
/* Copies to VIEW, a copy of the array, what has changed since the last call, or with WHOLE all of it.  Likewise. */
void flash_view(struct device *d, uint8_t *view, bool whole);
/*
 * Waits until the file has everything, at most as long as the host's file system takes.  On failure, which is that one's,
 * blocks are still owed.  Takes the bus lock.
 */
int flash_sync(struct device *d, struct err *err);

#endif
