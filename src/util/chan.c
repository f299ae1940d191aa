/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fdwait.h"

struct chan {
	union {
		uv_handle_t handle;
		uv_poll_t poll;
		uv_idle_t idle;         /* for what epoll refuses because it is always ready: files, /dev/null */
	} uv;
	bool always_ready;
	bool is_socket;
	int fd;
	int shared_fd, shared_flags;    /* what to give back when the chan goes; shared_fd -1: nothing */
	chan_ready_fn *ready;
	void *arg;
};

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct chan *c = p->data;

	/* A failed poll shows in the read or write that follows. */
	if (status < 0)
		events = UV_READABLE | UV_WRITABLE;
	c->ready(c->arg, c, events & UV_READABLE, events & UV_WRITABLE);
}

static void on_idle(uv_idle_t *i)
{
	struct chan *c = i->data;

	c->ready(c->arg, c, true, false);
}

int chan_new(uv_loop_t *loop, int fd, chan_ready_fn *ready, void *arg, struct chan **ret, struct err *err)
{
	struct chan *c = calloc(1, sizeof(*c));
	struct stat st;
	int r;

	if (!c) {
		close(fd);
		return err_set(err, ENOMEM, "no memory");
	}
	c->fd = fd;
	c->shared_fd = -1;
	c->ready = ready;
	c->arg = arg;
	c->is_socket = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
	r = uv_poll_init(loop, &c->uv.poll, fd);
	if (r == UV_EPERM) {
		c->always_ready = true;
		r = uv_idle_init(loop, &c->uv.idle);
	}
	if (r < 0) {
		close(fd);
		free(c);
		return err_set(err, -r, "the event loop does not take it: %s", uv_strerror(r));
	}
	c->uv.handle.data = c;
	*ret = c;
	return 0;
}

/* A descriptor of our own for what is behind FD; *RET_OWN: on an open file of its own, whose flags are ours. */
static int open_again(int fd, bool for_write, bool *ret_own, struct err *err)
{
	char path[32];
	struct stat st;
	int copy;

	*ret_own = true;
	if (fstat(fd, &st) < 0)
		return err_errno(err, errno, "descriptor %d", fd);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		copy = open(path, (for_write ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (copy >= 0)
			return copy;
	}
	/* A file stays shared, for its offset, and needs no flag. */
	*ret_own = S_ISREG(st.st_mode);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return copy < 0 ? err_errno(err, errno, "descriptor %d", fd) : copy;
}

int chan_new_shared(uv_loop_t *loop, int fd, bool for_write, chan_ready_fn *ready, void *arg, struct chan **ret,
		    struct err *err)
{
	int flags = fcntl(fd, F_GETFL), copy, r;
	bool own;

	copy = open_again(fd, for_write, &own, err);
	if (copy < 0)
		return copy;
	r = chan_new(loop, copy, ready, arg, ret, err);
	if (r == 0 && !own) {
		(*ret)->shared_fd = fd;
		(*ret)->shared_flags = flags;
	}
	return r;
}

void chan_want(struct chan *c, bool readable, bool writable)
{
	int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);

	if (c->always_ready && readable)
		uv_idle_start(&c->uv.idle, on_idle);
	else if (c->always_ready)
		uv_idle_stop(&c->uv.idle);
	else if (events)
		uv_poll_start(&c->uv.poll, events, on_poll);
	else
		uv_poll_stop(&c->uv.poll);
}

ssize_t chan_read(struct chan *c, void *ret, size_t len)
{
	ssize_t n;

	do
		n = read(c->fd, ret, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t chan_write(struct chan *c, const void *data, size_t len)
{
	ssize_t n;

	do
		n = c->is_socket ? send(c->fd, data, len, MSG_NOSIGNAL) : write(c->fd, data, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

bool chan_wait_writable(struct chan *c, int ms)
{
	return fd_wait(c->fd, POLLOUT, (unsigned)ms);
}

int chan_fd(const struct chan *c)
{
	return c->fd;
}

static void free_chan(uv_handle_t *h)
{
	free(h->data);
}

void chan_free(struct chan *c)
{
	if (!c)
		return;
	uv_close(&c->uv.handle, free_chan);
	close(c->fd);
	if (c->shared_fd >= 0)
		fcntl(c->shared_fd, F_SETFL, c->shared_flags);
}
