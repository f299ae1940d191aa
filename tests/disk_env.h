/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disk images of a test: files of its own in a directory of its own, and waiting for their workers without sleeping. */
#ifndef GV_TESTS_DISK_ENV_H
#define GV_TESTS_DISK_ENV_H

#include <semaphore.h>

#include "dev/disk.h"

struct disk_env {
	char dir[64];
	sem_t done;             /* posted by every request that ends */
};

void disk_env_init(struct disk_env *e);
/* Removes the directory and what disk_env_file() made there. */
void disk_env_done(struct disk_env *e);
/* The path of file NAME (one of "a" to "h"); static text that the next call with the same name overwrites. */
const char *disk_env_path(struct disk_env *e, char name);
/* Makes file NAME of SIZE bytes, each disk_env_byte() of its place, and returns its path. */
const char *disk_env_file(struct disk_env *e, char name, uint64_t size);
/* What stands at AT of such a file; different in neighbouring sectors. */
uint8_t disk_env_byte(uint64_t at);
void disk_env_read_file(struct disk_env *e, char name, uint64_t at, void *data, size_t len);

/* Opens an image, which must succeed. */
struct disk *disk_env_open(struct disk_env *e, const struct disk_spec *spec);
/* A request from beginning to end: its result. */
int disk_env_run(struct disk_env *e, struct disk *d, enum disk_op op, uint64_t offset, uint8_t *data, size_t len);
/* What disk_open() is to be given. */
void disk_env_post(void *arg);

#endif
