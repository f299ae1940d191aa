/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/gdbstub.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gdbstub/client.h"
#include "gdbstub/endpoint.h"
#include "gdbstub/session.h"
#include "gdbstub/trigger.h"
#include "util/accept.h"

#define FLUSH_MS 500
#define FLUSH_TURNS 64          /* reads from one client at the end */
#define CLIENTS_MAX 16          /* at a time */

struct listener {
	struct gdbstub *stub;
	struct listener *next;
	bool is_stdio;          /* then nothing below is used */
	struct endpoint endpoint;
	int spare;              /* accept_client() */
	uv_poll_t poll;
};

/* A client and its session.  It goes when both have gone. */
struct peer {
	struct gdbstub *stub;
	struct peer *next;
	unsigned number;
	struct client *client;          /* NULL: it has gone */
	bool client_held;               /* the loop has not given its memory back yet */
	struct session *session;        /* of a client that has gone: leaves still */
	bool is_stdio;
};

struct gdbstub {
	uv_loop_t *loop;
	struct machine *machine;
	struct commander *commander;
	struct gdbstub_events events;
	struct listener *listeners, **listeners_tail;
	unsigned choice;
	struct peer *peers;             /* in the order they came; the first that has a client drives */
	struct triggers *triggers;
	struct wirelog *log;            /* NULL: none */
	unsigned clients;               /* that came, ever: their numbers */
	uv_async_t printed;             /* a breakpoint's commands have printed */
	unsigned closing;               /* handles' owners the loop has not given back yet */
	bool freed;                     /* gdbstub_free() was called */
};

static void free_if_last(struct gdbstub *s)
{
	if (s->freed && !s->closing)
		free(s);
}

/* -- clients -- */

static struct peer *driver(const struct gdbstub *s)
{
	struct peer *p = s->peers;

	while (p && !p->client)
		p = p->next;
	return p;
}

static void unlink_peer(struct peer *p)
{
	struct peer **at = &p->stub->peers;

	while (*at && *at != p)
		at = &(*at)->next;
	if (*at)
		*at = p->next;
}

static void free_if_gone(struct peer *p)
{
	if (p->client || p->client_held || p->session)
		return;
	unlink_peer(p);
	free(p);
}

static void end_session(struct peer *p)
{
	session_free(p->session);
	p->session = NULL;
	free_if_gone(p);
}

static void session_output_arose(void *arg)
{
	struct peer *p = arg;

	if (p->client)
		client_output(p->client);
}

static void session_left(void *arg)
{
	struct peer *p = arg;

	/* it may answer while its client is still being sent the last bytes */
	if (!p->client)
		end_session(p);
}

static void client_freed(void *arg)
{
	struct peer *p = arg;
	struct gdbstub *s = p->stub;

	p->client_held = false;
	free_if_gone(p);
	s->closing--;
	free_if_last(s);
}

static void close_client(struct peer *p)
{
	client_free(p->client);
	p->client = NULL;
	p->client_held = true;
	p->stub->closing++;
}

/* Who drives is first in the list; everybody is told. */
static void tell_driver(struct gdbstub *s)
{
	const struct peer *d = driver(s);

	for (struct peer *p = s->peers; p; p = p->next)
		if (p->client && p != d)
			session_observe(p->session, d->number);
}

/* P gets to drive: `monitor takeover`. */
static void take_over(void *arg)
{
	struct peer *p = arg, *old = driver(p->stub);

	if (old == p)
		return;
	session_hand_over(old->session, p->session, p->number);
	unlink_peer(p);
	p->next = p->stub->peers;
	p->stub->peers = p;
	tell_driver(p->stub);
	/* one that cannot observe has come to its end */
	client_output(old->client);
}

static void client_over(void *arg, enum session_end end)
{
	struct peer *p = arg, *next;
	struct gdbstub *s = p->stub;
	bool stdio = p->is_stdio, drove = driver(s) == p;
	char line[96];

	close_client(p);
	next = drove && end != SESSION_KILLED ? driver(s) : NULL;
	if (next) {
		session_hand_over(p->session, next->session, next->number);
		tell_driver(s);
	}
	if (end == SESSION_BROKEN && s->events.note) {
		snprintf(line, sizeof(line), "gdb client %u was dropped: it does not read, or its connection broke",
			 p->number);
		s->events.note(s->events.arg, line);
	}
	if (end == SESSION_KILLED || session_leave(p->session))
		end_session(p);
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

	if (driver(s))
		session_prints(driver(s)->session);
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

/* Stops that former clients left behind are the new one's now. */
static void end_leaving(struct gdbstub *s)
{
	struct peer *next;

	for (struct peer *p = s->peers; p; p = next) {
		next = p->next;
		if (!p->client && p->session)
			end_session(p);
	}
}

static void add_peer(struct gdbstub *s, struct peer *p)
{
	struct peer **at = &s->peers;

	while (*at)
		at = &(*at)->next;
	*at = p;
}

/* Takes RFD and WFD over, also on failure. */
static int attach(struct gdbstub *s, int rfd, int wfd, bool is_stdio, struct err *err)
{
	struct peer *p = calloc(1, sizeof(*p)), *first = driver(s);
	const struct session_owner session_owner = {
		.arg = p, .triggers = s->triggers, .output = session_output_arose, .left = session_left,
		.driver = first ? first->number : 0, .take_over = take_over,
	};
	const struct client_owner client_owner = { p, client_over, client_freed };
	int r;

	if (!p) {
		close(rfd);
		close(wfd);
		return err_set(err, ENOMEM, "no memory for a gdb client");
	}
	p->stub = s;
	p->is_stdio = is_stdio;
	r = client_new(s->loop, rfd, wfd, &client_owner, &p->client, err);
	if (r) {
		free(p);
		return r;
	}
	if (!first)
		end_leaving(s);
	r = session_new(s->machine, s->commander, &session_owner, &p->session, err);
	if (r) {
		close_client(p);
		return r;
	}
	p->number = ++s->clients;
	add_peer(s, p);
	session_log(p->session, s->log, p->number);
	session_describe_as(p->session, s->choice);
	client_start(p->client, p->session);
	if (s->events.attached)
		s->events.attached(s->events.arg, true);
	return 0;
}

static unsigned count_clients(const struct gdbstub *s)
{
	unsigned n = 0;

	for (const struct peer *p = s->peers; p; p = p->next)
		n += p->client != NULL;
	return n;
}

/* Clients may have said goodbye, or gone, without the loop having seen it: twice, a goodbye and an end. */
static void catch_up(struct gdbstub *s)
{
	struct peer *next;

	for (int i = 0; i < 2; i++)
		for (struct peer *p = s->peers; p; p = next) {
			next = p->next;
			if (p->client)
				client_catch_up(p->client);
		}
}

static void sent_away(struct gdbstub *s, const char *why)
{
	char line[sizeof(((struct err *)0)->msg) + 64];

	snprintf(line, sizeof(line), "a gdb client was sent away: %s", why);
	if (s->events.note)
		s->events.note(s->events.arg, line);
}

static void on_connection(uv_poll_t *h, int status, int events)
{
	struct listener *l = h->data;
	struct gdbstub *s = l->stub;
	const int on = 1, room = 2 * SESSION_PACKET_SIZE;       /* the largest reply, with what the kernel adds to it */
	struct err err = { 0 };
	int fd, wfd;

	(void)events;
	fd = status < 0 ? -EIO : accept_client(l->endpoint.fd, &l->spare);
	if (fd == -EMFILE || fd == -ENFILE)
		sent_away(s, strerror(-fd));
	if (fd < 0)
		return;
	catch_up(s);
	if (count_clients(s) == CLIENTS_MAX) {
		close(fd);
		return;
	}
	wfd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (wfd < 0) {
		sent_away(s, strerror(errno));
		close(fd);
		return;
	}
	/* TCP's buffer grows by itself */
	if (l->endpoint.is_unix)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	else
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (attach(s, fd, wfd, false, &err))
		sent_away(s, err.msg);
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

	for (const struct peer *p = s->peers; p; p = p->next)
		if (p->is_stdio)
			return err_set(err, EBUSY, "a gdb client is attached there already");
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
	l->spare = -1;
	accept_prepare(l->endpoint.fd, &l->spare);
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
	accept_done(&l->spare);
	endpoint_close(&l->endpoint);
	s->closing++;
	uv_close((uv_handle_t *)&l->poll, listener_freed);
}

void gdbstub_describe_as(struct gdbstub *s, unsigned choice)
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
	struct peer *next;

	for (struct peer *p = s->peers; p; p = next) {
		next = p->next;
		if (p->client)
			client_flush(p->client, FLUSH_MS);
		/* what the client says next is still to be answered, or it takes the guest's end for a failure */
		for (int i = 0; i < FLUSH_TURNS && p->client && session_awaits(p->session) &&
		     client_wait(p->client, FLUSH_MS); i++)
			client_catch_up(p->client);
		if (p->client)
			client_flush(p->client, FLUSH_MS);
	}
}

void gdbstub_free(struct gdbstub *s)
{
	struct peer *next;

	if (!s)
		return;
	for (struct peer *p = s->peers; p; p = next) {
		next = p->next;
		if (p->client)
			close_client(p);
		end_session(p);
	}
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
