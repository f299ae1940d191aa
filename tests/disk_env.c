/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/disk_env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

#define FIRST   'a'
#define FILES   8

void disk_env_init(struct disk_env *e)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(e->dir, sizeof(e->dir), "%s/gv-disk-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(e->dir));
	ck_assert_int_eq(sem_init(&e->done, 0, 0), 0);
}

void disk_env_done(struct disk_env *e)
{
	char name;

	for (name = FIRST; name < FIRST + FILES; name++)
		unlink(disk_env_path(e, name));
	ck_assert_int_eq(rmdir(e->dir), 0);
	sem_destroy(&e->done);
}

const char *disk_env_path(struct disk_env *e, char name)
{
	static char path[FILES][80];
	char *p = path[name - FIRST];

	snprintf(p, sizeof(path[0]), "%s/%c", e->dir, name);
	return p;
}

uint8_t disk_env_byte(uint64_t at)
{
	return (uint8_t)(at ^ (at >> 9) * 37 ^ at >> 17);
}

const char *disk_env_file(struct disk_env *e, char name, uint64_t size)
{
	const char *path = disk_env_path(e, name);
	FILE *f = fopen(path, "we");
	uint64_t at;

	ck_assert_ptr_nonnull(f);
	for (at = 0; at < size; at++)
		putc(disk_env_byte(at), f);
	ck_assert_int_eq(fclose(f), 0);
	return path;
}

void disk_env_read_file(struct disk_env *e, char name, uint64_t at, void *data, size_t len)
{
	int fd = open(disk_env_path(e, name), O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, data, len, (off_t)at), (ssize_t)len);
	close(fd);
}

void disk_env_post(void *arg)
{
	sem_post(&((struct disk_env *)arg)->done);
}

struct disk *disk_env_open(struct disk_env *e, const struct disk_spec *spec)
{
	struct disk *d = NULL;
	struct err err = { 0 };

	ck_assert_msg(disk_open(spec, disk_env_post, e, &d, &err) == 0, "%s", err.msg);
	return d;
}

int disk_env_run(struct disk_env *e, struct disk *d, enum disk_op op, uint64_t offset, uint8_t *data, size_t len)
{
	int r = disk_begin(d, op, offset, data, len);

	if (r < 0)
		return r;
	while (sem_wait(&e->done) < 0)
		ck_assert_int_eq(errno, EINTR);
	ck_assert(!disk_busy(d));
	ck_assert(disk_finished(d, &r));
	return r;
}
