/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOB_MAX        (1ull << 30)

/* Reads up to CAP bytes; returns how many came before the end of the file, or -errno. */
static ssize_t read_all(int fd, uint8_t *data, size_t cap)
{
	size_t done = 0;
	ssize_t n;

	while (done < cap) {
		n = read(fd, data + done, cap - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int check_file(const char *path, const struct stat *st, struct err *err)
{
	if (S_ISDIR(st->st_mode))
		return err_errno(err, EISDIR, "%s", path);
	if (!S_ISREG(st->st_mode))
		return err_set(err, EINVAL, "%s: not a regular file", path);
	if (st->st_size > (off_t)BLOB_MAX)
		return err_set(err, EFBIG, "%s: larger than 1 GiB", path);
	if (!st->st_size)
		return err_set(err, EINVAL, "%s: empty", path);
	return 0;
}

int blob_read(const char *path, struct blob *ret, struct err *err)
{
	struct blob b = { 0 };
	struct stat st;
	ssize_t n;
	int fd, rc;

	/* Without O_NONBLOCK a FIFO would hold us up before we could tell that it is one. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	if (fstat(fd, &st)) {
		rc = err_errno(err, errno, "%s", path);
		goto fail;
	}
	rc = check_file(path, &st, err);
	if (rc)
		goto fail;
	b.path = strdup(path);
	b.data = malloc((size_t)st.st_size);
	if (!b.path || !b.data) {
		rc = err_errno(err, ENOMEM, "%s", path);
		goto fail;
	}
	n = read_all(fd, b.data, (size_t)st.st_size);
	if (n < 0) {
		rc = err_errno(err, (int)-n, "%s", path);
		goto fail;
	}
	if (n != st.st_size) {
		rc = err_set(err, EIO, "%s: became shorter while it was read", path);
		goto fail;
	}
	close(fd);
	b.size = (size_t)n;
	*ret = b;
	return 0;

fail:
	close(fd);
	blob_done(&b);
	return rc;
}

int blob_copy(const char *name, const void *data, size_t size, struct blob *ret, struct err *err)
{
	struct blob b = { .size = size };

	if (!size)
		return err_set(err, EINVAL, "%s: empty", name);
	b.path = strdup(name);
	b.data = malloc(size);
	if (!b.path || !b.data) {
		blob_done(&b);
		return err_errno(err, ENOMEM, "%s", name);
	}
	memcpy(b.data, data, size);
	*ret = b;
	return 0;
}

void blob_done(struct blob *b)
{
	free(b->path);
	free(b->args);
	free(b->data);
	*b = (struct blob){ 0 };
}
