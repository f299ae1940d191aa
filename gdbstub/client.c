/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/client.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fdwait.h"

#define READ_SIZE 65536
/*
 * A client that asks soon is waited for busily, since waking up, where the host is itself a guest, takes longer than it does.  The yield
 * is for a client on the same processor.
 */
#define LINGER_NS       40000
#define LINGER_TURNS    64              /* packets in a row, before others on the loop have their turn */
#define LINGER_MISSES   6               /* doublings of how often it is left out after it was for nothing */

struct client {
	uv_poll_t rpoll, wpoll;
	uv_timer_t later;               /* of length 0: takes a failure out of somebody else's call */
	int rfd, wfd, rflags, wflags;   /* flags: to be restored, the files may be shared */
	bool wsocket;
	bool writing;                   /* wpoll is on */
	bool failed;                    /* a write did */
	bool sent;                      /* something, since this was last asked */
	unsigned misses, leave_out;     /* waits for nothing, in a row; how many next ones are spared */
	unsigned handles;               /* open ones */
	struct session *session;
	struct client_owner owner;
	uint8_t buf[READ_SIZE];
};

/* Writes what can be written; afterwards either nothing waits, or wpoll is on, or it failed. */
static void write_some(struct client *c)
{
	size_t len;

	for (;;) {
		const uint8_t *data = session_output(c->session, &len);
		ssize_t n;

		if (!len || c->failed)
			break;
		n = c->wsocket ? send(c->wfd, data, len, MSG_NOSIGNAL) : write(c->wfd, data, len);
		if (n >= 0) {
			session_sent(c->session, (size_t)n);
			c->sent = true;
		}
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			c->failed = true;
	}
}

static void on_writable(uv_poll_t *h, int status, int events);

static void update_poll(struct client *c)
{
	size_t len;
	bool want;

	session_output(c->session, &len);
	want = len && !c->failed;
	if (want && !c->writing)
		uv_poll_start(&c->wpoll, UV_WRITABLE, on_writable);
	if (!want && c->writing)
		uv_poll_stop(&c->wpoll);
	c->writing = want;
}

/* What follows from the session's state once its output was tried. */
static bool is_over(const struct client *c, enum session_end *ret_end)
{
	enum session_end end = session_end(c->session);
	size_t len;

	session_output(c->session, &len);
	if (c->failed && end == SESSION_ON)
		end = SESSION_BROKEN;
	*ret_end = end;
	return end == SESSION_BROKEN || end == SESSION_KILLED || (end == SESSION_DETACHED && (!len || c->failed));
}

/* False: the session is over, and C may be gone. */
static bool proceed(struct client *c)
{
	enum session_end end;

	write_some(c);
	if (is_over(c, &end)) {
		c->owner.over(c->owner.arg, end);
		return false;
	}
	update_poll(c);
	return true;
}

/* Takes what there is to read; false: nothing, or the session is over, and C may be gone. */
static bool read_some(struct client *c)
{
	ssize_t n = read(c->rfd, c->buf, sizeof(c->buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		c->owner.over(c->owner.arg, session_end(c->session));
		return false;
	}
	session_input(c->session, c->buf, (size_t)n);
	return proceed(c);
}

/* Whether something is to be read before a sleep would be over. */
static bool linger(struct client *c)
{
	uint64_t end = clock_ns() + LINGER_NS;

	if (c->leave_out) {
		c->leave_out--;
		return false;
	}
	do {
		sched_yield();
		if (fd_wait(c->rfd, POLLIN, 0)) {
			c->misses = 0;
			return true;
		}
	} while (clock_ns() < end);
	if (c->misses < LINGER_MISSES)
		c->misses++;
	c->leave_out = 1u << c->misses;
	return false;
}

static void on_readable(uv_poll_t *h, int status, int events)
{
	struct client *c = h->data;

	(void)events;
	if (status < 0) {
		c->owner.over(c->owner.arg, session_end(c->session));
		return;
	}
	for (unsigned i = 0; i < LINGER_TURNS; i++) {
		c->sent = false;
		/* Only who has been answered asks again. */
		if (!read_some(c) || !c->sent || !linger(c))
			break;
	}
}

bool client_wait(struct client *c, unsigned ms)
{
	return fd_wait(c->rfd, POLLIN, ms);
}

void client_catch_up(struct client *c)
{
	if (client_wait(c, 0))
		on_readable(&c->rpoll, 0, UV_READABLE);
}

static void on_writable(uv_poll_t *h, int status, int events)
{
	struct client *c = h->data;

	(void)events;
	if (status < 0)
		c->failed = true;
	proceed(c);
}

static void on_later(uv_timer_t *h)
{
	proceed(h->data);
}

void client_output(struct client *c)
{
	enum session_end end;

	write_some(c);
	if (is_over(c, &end))
		uv_timer_start(&c->later, on_later, 0, 0);
	else
		update_poll(c);
}

void client_flush(struct client *c, unsigned ms)
{
	uint64_t end = uv_hrtime() / 1000000 + ms, now;
	size_t len;

	for (write_some(c); session_output(c->session, &len) && len && !c->failed; write_some(c)) {
		now = uv_hrtime() / 1000000;
		if (now >= end || !fd_wait(c->wfd, POLLOUT, (unsigned)(end - now)))
			break;
	}
}

/* -- life -- */

static void on_close(uv_handle_t *h)
{
	struct client *c = h->data;
	struct client_owner owner = c->owner;

	if (--c->handles)
		return;
	free(c);
	if (owner.freed)
		owner.freed(owner.arg);
}

static int init_poll(uv_loop_t *loop, struct client *c, uv_poll_t *h, int fd, struct err *err)
{
	int r = uv_poll_init(loop, h, fd);

	/* EPERM: a file, /dev/null and their like, which are never waited for */
	if (r)
		return err_set(err, r == UV_EPERM ? EINVAL : -r, "a gdb client needs a pipe or a socket: %s",
			       uv_strerror(r));
	h->data = c;
	c->handles++;
	return 0;
}

static bool is_socket(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISSOCK(st.st_mode);
}

int client_new(uv_loop_t *loop, int rfd, int wfd, const struct client_owner *owner, struct client **ret,
	       struct err *err)
{
	struct client *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		r = err_set(err, ENOMEM, "no memory for a gdb client");
		goto fail;
	}
	*c = (struct client){ .rfd = rfd, .wfd = wfd, .wsocket = is_socket(wfd) };
	c->rflags = fcntl(rfd, F_GETFL);
	c->wflags = fcntl(wfd, F_GETFL);
	r = init_poll(loop, c, &c->rpoll, rfd, err);
	if (r)
		goto fail;
	r = init_poll(loop, c, &c->wpoll, wfd, err);
	if (r) {
		fcntl(rfd, F_SETFL, c->rflags);
		uv_close((uv_handle_t *)&c->rpoll, on_close);
		c = NULL;
		goto fail;
	}
	uv_timer_init(loop, &c->later);
	c->later.data = c;
	c->handles++;
	c->owner = *owner;
	*ret = c;
	return 0;
fail:
	close(rfd);
	close(wfd);
	free(c);
	return r;
}

void client_start(struct client *c, struct session *s)
{
	c->session = s;
	uv_poll_start(&c->rpoll, UV_READABLE, on_readable);
}

void client_free(struct client *c)
{
	uv_poll_stop(&c->rpoll);
	uv_poll_stop(&c->wpoll);
	fcntl(c->rfd, F_SETFL, c->rflags);
	fcntl(c->wfd, F_SETFL, c->wflags);
	close(c->rfd);
	close(c->wfd);
	uv_close((uv_handle_t *)&c->rpoll, on_close);
	uv_close((uv_handle_t *)&c->wpoll, on_close);
	uv_close((uv_handle_t *)&c->later, on_close);
}
