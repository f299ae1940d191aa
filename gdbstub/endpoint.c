/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 8

static int open_unix(const char *path, struct endpoint *ret, struct err *err)
{
	struct endpoint e = { .is_unix = true };
	int r = usock_listen(path, BACKLOG, &e.sock, err);

	if (r)
		return r;
	e.fd = e.sock.fd;
	e.where = strdup(path);
	if (!e.where) {
		usock_unlink(&e.sock);
		close(e.fd);
		return err_set(err, ENOMEM, "out of memory");
	}
	*ret = e;
	return 0;
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
	close(e->fd);
	if (e->is_unix)
		usock_unlink(&e->sock);
	free(e->where);
}
