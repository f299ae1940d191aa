/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file behind a flash memory: which blocks it has yet to be given, and giving them to it, one request at a time. */
#ifndef GV_DEV_FLASH_FILE_H
#define GV_DEV_FLASH_FILE_H

#include "dev/disk.h"

struct flash_file;

/* DISK (not owned) has SIZE bytes.  -ENOMEM. */
int flash_file_new(struct disk *disk, size_t size, struct flash_file **ret);
void flash_file_free(struct flash_file *f);     /* NULL is fine */
/* LEN bytes at OFFSET have changed. */
void flash_file_touch(struct flash_file *f, size_t offset, size_t len);
/* Begins to write what is owed of ARRAY, unless a request is under way: then flash_file_poll() goes on. */
void flash_file_start(struct flash_file *f, const uint8_t *array);
/* Takes a request that has ended, and begins the next.  What a failed one said, once: its blocks are owed again then. */
int flash_file_poll(struct flash_file *f, const uint8_t *array);
/* Waits until nothing is owed; on failure some is. */
int flash_file_sync(struct flash_file *f, const uint8_t *array);
size_t flash_file_owed(const struct flash_file *f);     /* blocks */
const char *flash_file_path(const struct flash_file *f);

#endif
