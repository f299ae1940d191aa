/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 8

/*
 * Whether the socket file at ADDR may be taken away.  A datagram socket does the asking: it learns whether a
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

static int open_unix(const char *path, struct endpoint *ret, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct endpoint e = { .fd = -1, .is_unix = true };
	struct stat st;
	int r;

	if (!path || !*path)
		return err_set(err, EINVAL, "a unix socket needs a path");
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, ENAMETOOLONG, "%s: longer than the %zu bytes a socket's path may have", path,
			       sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	e.where = strdup(path);
	e.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (!e.where || e.fd < 0) {
		r = err_errno(err, errno, "cannot make a socket");
		goto fail;
	}
	/* the file will have the descriptor's mode from its first moment on */
	if (fchmod(e.fd, 0600)) {
		r = err_errno(err, errno, "%s", path);
		goto fail;
	}
	r = bind(e.fd, (struct sockaddr *)&addr, sizeof(addr)) ? errno : 0;
	if (r == EADDRINUSE) {
		r = check_stale(&addr, err);
		if (r)
			goto fail;
		if (unlink(path) && errno != ENOENT) {
			r = err_errno(err, errno, "%s", path);
			goto fail;
		}
		r = bind(e.fd, (struct sockaddr *)&addr, sizeof(addr)) ? errno : 0;
	}
	if (r) {
		r = err_errno(err, r, "%s", path);
		goto fail;
	}
	if (listen(e.fd, BACKLOG) || lstat(path, &st)) {
		r = err_errno(err, errno, "%s", path);
		unlink(path);
		goto fail;
	}
	e.dev = st.st_dev;
	e.ino = st.st_ino;
	*ret = e;
	return 0;
fail:
	if (e.fd >= 0)
		close(e.fd);
	free(e.where);
	return r;
}

/* Host and port as numbers; an IPv6 address in brackets. */
static char *socket_name(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char host[NI_MAXHOST], port[NI_MAXSERV], *text;

	if (getsockname(fd, (struct sockaddr *)&addr, &len) ||
	    getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return NULL;
	if (asprintf(&text, addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port) < 0)
		return NULL;
	return text;
}

/* A listening socket at one address; -1 with errno set. */
static int listen_at(const struct addrinfo *ai)
{
	int on = 1, fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol), e;

	if (fd < 0)
		return -1;
	if (!setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) && !bind(fd, ai->ai_addr, ai->ai_addrlen) &&
	    !listen(fd, BACKLOG))
		return fd;
	e = errno;
	close(fd);
	errno = e;
	return -1;
}

static int open_tcp(const char *host, uint16_t port, struct endpoint *ret, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *list;
	struct endpoint e = { .fd = -1 };
	char service[8];
	int r;

	if (!host)
		host = "127.0.0.1";
	snprintf(service, sizeof(service), "%u", port);
	r = getaddrinfo(host, service, &hints, &list);
	if (r)
		return err_set(err, EADDRNOTAVAIL, "%s: %s", host, gai_strerror(r));
	for (const struct addrinfo *ai = list; ai && e.fd < 0; ai = ai->ai_next)
		e.fd = listen_at(ai);
	r = errno;
	freeaddrinfo(list);
	if (e.fd < 0)
		return err_errno(err, r, "%s:%s", host, service);
	e.where = socket_name(e.fd);
	if (!e.where) {
		close(e.fd);
		return err_set(err, ENOMEM, "%s:%s: no memory for its name", host, service);
	}
	*ret = e;
	return 0;
}

int endpoint_open(const struct gdbstub_addr *a, struct endpoint *ret, struct err *err)
{
	return a->kind == GDB_UNIX ? open_unix(a->path, ret, err) : open_tcp(a->host, a->port, ret, err);
}

void endpoint_close(struct endpoint *e)
{
	struct stat st;

	close(e->fd);
	if (e->is_unix && !lstat(e->where, &st) && st.st_dev == e->dev && st.st_ino == e->ino)
		unlink(e->where);
	free(e->where);
}
