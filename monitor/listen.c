/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/core.h"
#include "monitor/feed.h"
#include "util/fdwait.h"
#include "util/usock.h"

#define CLIENTS_MAX 16
#define BACKLOG_MAX 16777216    /* bytes a client may leave unread */

struct client {
	struct feed feed;
	struct out out;
	uv_pipe_t pipe;
	struct listener *listener;
	struct client *next;
	size_t unsent;          /* bytes given to libuv */
	bool ended, closed;
	char chunk[4096];
};

struct listener {
	uv_pipe_t pipe;
	struct monitor *mon;
	struct client *clients;
	unsigned nclients;
	struct usock sock;
};

struct sending {
	uv_write_t write;
	size_t len;
	char data[];
};

static void on_client_closed(uv_handle_t *h)
{
	free(h->data);
}

static void client_close(struct client *c)
{
	struct monitor *mon = c->feed.session.mon;
	struct client **p = &c->listener->clients;

	if (c->closed)
		return;
	c->closed = true;
	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	c->listener->nclients--;
	feed_close(&c->feed);
	uv_close((uv_handle_t *)&c->pipe, on_client_closed);
	if (mon->ev.attached)
		mon->ev.attached(mon->ev.arg, false);
}

static void on_sent(uv_write_t *w, int status)
{
	struct sending *s = (struct sending *)w;
	struct client *c = w->handle->data;

	c->unsent -= s->len;
	free(s);
	if (status < 0 || (c->ended && !c->unsent))
		client_close(c);
}

/* A client that does not read loses its session, not the guest its time. */
static void client_write(struct out *o, const char *text, size_t len)
{
	struct client *c = (struct client *)((char *)o - offsetof(struct client, out));
	struct sending *s;
	uv_buf_t buf;

	if (c->closed)
		return;
	s = c->unsent + len <= BACKLOG_MAX ? malloc(sizeof(*s) + len) : NULL;
	if (!s) {
		client_close(c);
		return;
	}
	memcpy(s->data, text, len);
	s->len = len;
	buf = uv_buf_init(s->data, (unsigned)len);
	if (uv_write(&s->write, (uv_stream_t *)&c->pipe, &buf, 1, on_sent)) {
		free(s);
		client_close(c);
		return;
	}
	c->unsent += len;
}

static void on_alloc(uv_handle_t *h, size_t want, uv_buf_t *buf)
{
	struct client *c = h->data;

	(void)want;
	*buf = uv_buf_init(c->chunk, sizeof(c->chunk));
}

/* Whether the client has gone for good; one that has only ended its input may still read. */
static bool hung_up(const struct client *c)
{
	uv_os_fd_t fd;

	if (uv_fileno((const uv_handle_t *)&c->pipe, &fd))
		return true;
	return fd_wait(fd, 0, 0) & POLLHUP;
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = s->data;

	if (n == 0)
		return;
	if (n < 0)
		uv_read_stop(s);
	if (n < 0 && n != UV_EOF)
		client_close(c);
	else if (!feed_data(&c->feed, buf->base, n < 0 ? 0 : (size_t)n))
		uv_read_stop(s);
	/* What it asked for is done; what waits would wait for nobody. */
	if (n < 0 && !c->closed && c->feed.task && hung_up(c))
		client_close(c);
}

static void close_hung_up(struct listener *l)
{
	struct client *next;

	for (struct client *c = l->clients; c; c = next) {
		next = c->next;
		if (hung_up(c))
			client_close(c);
	}
}

static void on_drained(struct feed *f, bool ended)
{
	struct client *c = (struct client *)f;

	if (!ended) {
		uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
		return;
	}
	c->ended = true;
	if (!c->unsent)
		client_close(c);
}

static void on_connect(uv_stream_t *server, int status)
{
	struct listener *l = server->data;
	struct client *c;

	if (status < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	uv_pipe_init(l->mon->loop, &c->pipe, 0);
	c->pipe.data = c;
	c->out.write = client_write;
	c->listener = l;
	if (l->nclients == CLIENTS_MAX)
		close_hung_up(l);
	if (uv_accept(server, (uv_stream_t *)&c->pipe) || l->nclients == CLIENTS_MAX) {
		uv_close((uv_handle_t *)&c->pipe, on_client_closed);
		return;
	}
	c->next = l->clients;
	l->clients = c;
	l->nclients++;
	feed_open(&c->feed, l->mon, &c->out, on_drained);
	uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
	if (l->mon->ev.attached)
		l->mon->ev.attached(l->mon->ev.arg, true);
}

/* -- the socket -- */

static void on_listener_closed(uv_handle_t *h)
{
	free(h->data);
}

int listener_new(struct monitor *mon, const char *path, struct err *err)
{
	struct listener *l;
	int r;

	if (mon->listener)
		return err_set(err, EBUSY, "%s: the monitor listens already", path);
	l = calloc(1, sizeof(*l));
	if (!l)
		return err_set(err, ENOMEM, "out of memory");
	r = usock_listen(path, 8, &l->sock, err);
	if (r) {
		free(l);
		return r;
	}
	l->mon = mon;
	uv_pipe_init(mon->loop, &l->pipe, 0);
	l->pipe.data = l;
	r = uv_pipe_open(&l->pipe, l->sock.fd);
	if (r)
		close(l->sock.fd);
	else
		r = uv_listen((uv_stream_t *)&l->pipe, 8, on_connect);
	if (r) {
		err_errno(err, -r, "%s", path);
		listener_free(l);
		return r;
	}
	mon->listener = l;
	return 0;
}

void listener_free(struct listener *l)
{
	if (!l)
		return;
	while (l->clients)
		client_close(l->clients);
	usock_unlink(&l->sock);
	uv_close((uv_handle_t *)&l->pipe, on_listener_closed);
}
