/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/gdbstub.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gdbstub/client.h"
#include "gdbstub/endpoint.h"
#include "gdbstub/session.h"
#include "gdbstub/trigger.h"

#define FLUSH_MS 500

struct listener {
	struct gdbstub *stub;
	struct listener *next;
	bool is_stdio;          /* then nothing below is used */
	struct endpoint endpoint;
	uv_poll_t poll;
};

struct gdbstub {
	uv_loop_t *loop;
	struct machine *machine;
	struct commander *commander;
	struct gdbstub_events events;
	struct listener *listeners, **listeners_tail;
	enum reg_choice choice;
	struct client *client;
	struct session *session;        /* the client's, or of one that has gone and leaves still */
	struct triggers *triggers;
	struct wirelog *log;            /* NULL: none */
	unsigned clients;               /* that came, ever */
	uv_async_t printed;             /* a breakpoint's commands have printed */
	bool stdio_client;
	unsigned closing;               /* handles' owners the loop has not given back yet */
	bool freed;                     /* gdbstub_free() was called */
};

static void free_if_last(struct gdbstub *s)
{
	if (s->freed && !s->closing)
		free(s);
}

/* -- the client -- */

static void session_output_arose(void *arg)
{
	struct gdbstub *s = arg;

	if (s->client)
		client_output(s->client);
}

static void session_left(void *arg)
{
	struct gdbstub *s = arg;

	/* it may answer while its client is still being sent the last bytes */
	if (s->client)
		return;
	session_free(s->session);
	s->session = NULL;
}

static void client_freed(void *arg)
{
	struct gdbstub *s = arg;

	s->closing--;
	free_if_last(s);
}

static void close_client(struct gdbstub *s)
{
	client_free(s->client);
	s->client = NULL;
	s->closing++;
}

static void client_over(void *arg, enum session_end end)
{
	struct gdbstub *s = arg;
	bool stdio = s->stdio_client;

	close_client(s);
	if (end == SESSION_KILLED || session_leave(s->session)) {
		session_free(s->session);
		s->session = NULL;
	}
	if (s->events.attached)
		s->events.attached(s->events.arg, false);
	if (end == SESSION_KILLED && s->events.kill)
		s->events.kill(s->events.arg);
	if (stdio && s->events.closed)
		s->events.closed(s->events.arg);
}

static void wake_printed(void *arg)
{
	uv_async_send(&((struct gdbstub *)arg)->printed);
}

static void on_printed(uv_async_t *h)
{
	struct gdbstub *s = h->data;
	char text[4096];

	if (s->client)
		session_prints(s->session);
	else
		while (triggers_take(s->triggers, text, sizeof(text)))
			;       /* nobody is there to read it */
}

static void printed_freed(uv_handle_t *h)
{
	struct gdbstub *s = h->data;

	s->closing--;
	free_if_last(s);
}

/* Takes RFD and WFD over, also on failure.  There is no client. */
static int attach(struct gdbstub *s, int rfd, int wfd, bool is_stdio, struct err *err)
{
	const struct session_owner session_owner = { s, s->triggers, session_output_arose, session_left };
	const struct client_owner client_owner = { s, client_over, client_freed };
	int r;

	r = client_new(s->loop, rfd, wfd, &client_owner, &s->client, err);
	if (r)
		return r;
	/* a stop that a former client left behind is this one's now */
	session_free(s->session);
	s->session = NULL;
	r = session_new(s->machine, s->commander, &session_owner, &s->session, err);
	if (r) {
		close_client(s);
		return r;
	}
	session_log(s->session, s->log, ++s->clients);
	session_describe_as(s->session, s->choice);
	client_start(s->client, s->session);
	s->stdio_client = is_stdio;
	if (s->events.attached)
		s->events.attached(s->events.arg, true);
	return 0;
}

static void on_connection(uv_poll_t *h, int status, int events)
{
	struct listener *l = h->data;
	struct gdbstub *s = l->stub;
	int on = 1, fd, wfd;

	(void)events;
	fd = status < 0 ? -1 : accept4(l->endpoint.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	/* The present client may have said goodbye, or gone, without the loop having seen it: twice, a goodbye and an end. */
	for (int i = 0; i < 2 && s->client; i++)
		client_catch_up(s->client);
	wfd = s->client ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (wfd < 0) {
		close(fd);
		return;
	}
	if (!l->endpoint.is_unix)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	attach(s, fd, wfd, false, NULL);
}

/* -- listeners -- */

static void add_listener(struct gdbstub *s, struct listener *l)
{
	l->stub = s;
	*s->listeners_tail = l;
	s->listeners_tail = &l->next;
}

static int listen_stdio(struct gdbstub *s, struct listener *l, struct err *err)
{
	int rfd, wfd, r;

	if (s->client)
		return err_set(err, EBUSY, "a gdb client is attached already");
	rfd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (rfd < 0)
		return err_errno(err, errno, "standard input");
	wfd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (wfd < 0) {
		r = err_errno(err, errno, "standard output");
		close(rfd);
		return r;
	}
	l->is_stdio = true;
	return attach(s, rfd, wfd, true, err);
}

static int listen_socket(struct gdbstub *s, struct listener *l, const struct gdbstub_addr *a, struct err *err)
{
	int r = endpoint_open(a, &l->endpoint, err);

	if (r)
		return r;
	r = uv_poll_init(s->loop, &l->poll, l->endpoint.fd);
	if (r) {
		endpoint_close(&l->endpoint);
		return err_set(err, -r, "cannot wait for connections: %s", uv_strerror(r));
	}
	l->poll.data = l;
	uv_poll_start(&l->poll, UV_READABLE, on_connection);
	return 0;
}

int gdbstub_listen(struct gdbstub *s, const struct gdbstub_addr *a, struct err *err)
{
	struct listener *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_set(err, ENOMEM, "no memory to listen for gdb");
	r = a->kind == GDB_STDIO ? listen_stdio(s, l, err) : listen_socket(s, l, a, err);
	if (r)
		free(l);
	else
		add_listener(s, l);
	return r;
}

void gdbstub_log(struct gdbstub *s, struct wirelog *log)
{
	s->log = log;
}

size_t gdbstub_count(const struct gdbstub *s)
{
	size_t n = 0;

	for (const struct listener *l = s->listeners; l; l = l->next)
		n++;
	return n;
}

void gdbstub_describe(const struct gdbstub *s, size_t index, struct out *o)
{
	const struct listener *l = s->listeners;

	while (l && index--)
		l = l->next;
	if (!l)
		return;
	if (l->is_stdio)
		out_puts(o, "standard input and output");
	else
		out_printf(o, "target remote %s", l->endpoint.where);
}

static void listener_freed(uv_handle_t *h)
{
	struct listener *l = h->data;
	struct gdbstub *s = l->stub;

	free(l);
	s->closing--;
	free_if_last(s);
}

static void listener_free(struct gdbstub *s, struct listener *l)
{
	if (l->is_stdio) {
		free(l);
		return;
	}
	uv_poll_stop(&l->poll);
	endpoint_close(&l->endpoint);
	s->closing++;
	uv_close((uv_handle_t *)&l->poll, listener_freed);
}

void gdbstub_describe_as(struct gdbstub *s, enum reg_choice choice)
{
	s->choice = choice;
}

/* -- life -- */

int gdbstub_new(uv_loop_t *loop, struct machine *m, struct commander *cmd, const struct gdbstub_events *ev,
		struct gdbstub **ret, struct err *err)
{
	struct gdbstub *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(err, ENOMEM, "no memory for the gdb stub");
	s->loop = loop;
	s->machine = m;
	s->commander = cmd;
	s->events = *ev;
	s->listeners_tail = &s->listeners;
	r = triggers_new(m, wake_printed, s, &s->triggers, err);
	if (r)
		goto fail;
	r = uv_async_init(loop, &s->printed, on_printed);
	if (r) {
		r = err_set(err, -r, "cannot wake the loop: %s", uv_strerror(r));
		goto fail;
	}
	s->printed.data = s;
	uv_unref((uv_handle_t *)&s->printed);
	*ret = s;
	return 0;
fail:
	triggers_free(s->triggers);
	free(s);
	return r;
}

void gdbstub_flush(struct gdbstub *s)
{
	if (s->client)
		client_flush(s->client, FLUSH_MS);
}

void gdbstub_free(struct gdbstub *s)
{
	if (!s)
		return;
	if (s->client)
		close_client(s);
	session_free(s->session);
	s->session = NULL;
	while (s->listeners) {
		struct listener *l = s->listeners;

		s->listeners = l->next;
		listener_free(s, l);
	}
	/* No vCPU calls for us any more. */
	triggers_free(s->triggers);
	s->closing++;
	uv_close((uv_handle_t *)&s->printed, printed_freed);
	s->freed = true;
	free_if_last(s);
}
