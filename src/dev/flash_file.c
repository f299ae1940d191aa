/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/flash_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/flash.h"

struct flash_file {
	struct disk *disk;
	size_t blocks;
	bool *owed;                     /* each block's */
	size_t nowed;
	size_t first, count;            /* the blocks of the request that is under way; count 0: none is */
	uint8_t data[DISK_REQUEST_MAX]; /* its own copy: the guest goes on programming meanwhile */
};

#define RUN_MAX (DISK_REQUEST_MAX / FLASH_BLOCK)

int flash_file_new(struct disk *disk, size_t size, struct flash_file **ret)
{
	struct flash_file *f = calloc(1, sizeof(*f));

	if (f)
		f->owed = calloc(size / FLASH_BLOCK, sizeof(*f->owed));
	if (!f || !f->owed) {
		free(f);
		return -ENOMEM;
	}
	f->disk = disk;
	f->blocks = size / FLASH_BLOCK;
	*ret = f;
	return 0;
}

void flash_file_free(struct flash_file *f)
{
	if (!f)
		return;
	/* The worker reads from here. */
	disk_settle(f->disk);
	free(f->owed);
	free(f);
}

static void owe(struct flash_file *f, size_t first, size_t count, bool on)
{
	for (size_t i = first; i < first + count; i++) {
		f->nowed += on && !f->owed[i];
		f->nowed -= !on && f->owed[i];
		f->owed[i] = on;
	}
}

void flash_file_touch(struct flash_file *f, size_t offset, size_t len)
{
	size_t first = offset / FLASH_BLOCK;

	if (len)
		owe(f, first, (offset + len - 1) / FLASH_BLOCK - first + 1, true);
}

void flash_file_start(struct flash_file *f, const uint8_t *array)
{
	size_t first = 0, n = 0;

	if (f->count || !f->nowed)
		return;
	while (!f->owed[first])
		first++;
	while (n < RUN_MAX && first + n < f->blocks && f->owed[first + n])
		n++;
	memcpy(f->data, array + first * FLASH_BLOCK, n * FLASH_BLOCK);
	/* Fails only for what was never one of this disk's. */
	if (disk_begin(f->disk, DISK_WRITE, first * FLASH_BLOCK, f->data, n * FLASH_BLOCK))
		return;
	owe(f, first, n, false);
	f->first = first;
	f->count = n;
}

/* The request has ended with RESULT. */
static int take(struct flash_file *f, int result)
{
	if (result)
		owe(f, f->first, f->count, true);
	f->count = 0;
	return result;
}

int flash_file_poll(struct flash_file *f, const uint8_t *array)
{
	int result = 0;

	if (!f->count || !disk_finished(f->disk, &result))
		return 0;
	result = take(f, result);
	if (!result)
		flash_file_start(f, array);
	return result;
}

int flash_file_sync(struct flash_file *f, const uint8_t *array)
{
	int r = 0;

	do {
		if (f->count)
			r = take(f, disk_wait(f->disk));
		if (!r)
			flash_file_start(f, array);
	} while (f->count);
	return r;
}

size_t flash_file_owed(const struct flash_file *f)
{
	return f->nowed + f->count;
}

const char *flash_file_path(const struct flash_file *f)
{
	return disk_info(f->disk)->path;
}
