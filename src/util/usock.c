/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/usock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Whether the socket file at ADDR may be taken away: 0, or why not.  A datagram socket does the asking: it learns whether a
 * stream socket is open there (EPROTOTYPE) without becoming its client, which would stop a guest.
 */
static int check_stale(const struct sockaddr_un *addr, struct err *err)
{
	struct stat st;
	int fd, r;

	if (lstat(addr->sun_path, &st))
		return errno == ENOENT ? 0 : err_errno(err, errno, "%s", addr->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, EEXIST, "%s: exists and is not a socket", addr->sun_path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, errno, "cannot make a socket");
	r = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? errno : 0;
	close(fd);
	if (r == ECONNREFUSED)
		return 0;
	return err_set(err, EADDRINUSE, "%s: another program listens there", addr->sun_path);
}

/* Binds FD, in the place of a socket nobody listens on if need be. */
static int bind_at(int fd, const struct sockaddr_un *addr, struct err *err)
{
	int r = bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? errno : 0;

	if (r == EADDRINUSE) {
		r = check_stale(addr, err);
		if (r)
			return r;
		if (unlink(addr->sun_path) && errno != ENOENT)
			return err_errno(err, errno, "%s", addr->sun_path);
		r = bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? errno : 0;
	}
	return r ? err_errno(err, r, "%s", addr->sun_path) : 0;
}

int usock_listen(const char *path, int backlog, struct usock *ret, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct usock u = { .fd = -1 };
	struct stat st;
	int r;

	if (!path || !*path)
		return err_set(err, EINVAL, "a unix socket needs a path");
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, ENAMETOOLONG, "%s: longer than the %zu bytes a socket's path may have", path,
			       sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	strcpy(u.path, path);
	u.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u.fd < 0)
		return err_errno(err, errno, "cannot make a socket");
	/* The file gets the descriptor's mode: no moment at which others could connect. */
	r = fchmod(u.fd, 0600) ? err_errno(err, errno, "%s", path) : bind_at(u.fd, &addr, err);
	if (r) {
		close(u.fd);
		return r;
	}
	if (listen(u.fd, backlog) || lstat(path, &st)) {
		r = err_errno(err, errno, "%s", path);
		unlink(path);
		close(u.fd);
		return r;
	}
	u.dev = st.st_dev;
	u.ino = st.st_ino;
	*ret = u;
	return 0;
}

void usock_unlink(const struct usock *u)
{
	struct stat st;

	if (!lstat(u->path, &st) && st.st_dev == u->dev && st.st_ino == u->ino)
		unlink(u->path);
}
