/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int newfile_append(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int newfile_write(const char *path, const void *data, size_t len, struct err *err)
{
	int fd, code;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, EEXIST, "%s exists: it is not written over", path);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	code = newfile_append(fd, data, len);
	if (close(fd) && !code)
		code = errno;
	if (!code)
		return 0;
	unlink(path);
	return err_errno(err, code, "%s", path);
}
