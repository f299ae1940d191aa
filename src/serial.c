/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "util/accept.h"
#include "util/addr.h"
#include "util/chan.h"
#include "util/fdwait.h"
#include "util/outq.h"
#include "util/rawtty.h"
#include "util/usock.h"

#define INPUT_BYTES     1024
#define RETRY_MS        10      /* how soon input that the machine had no room for is offered again */
#define FLUSH_MS        500
#define CTRL_A          0x01

struct serial {
	struct observer observer;       /* first: serial_output() gets at the rest by it */
	uv_loop_t *loop;
	struct machine *m;
	struct addr addr;
	char text[256];                 /* serial_describe() */

	struct outq out;
	struct chan *sink;              /* where output goes; NULL: nowhere (yet) */
	bool keep;                      /* without a sink output waits for one */
	bool blocked;                   /* the sink takes no more, the loop will tell when it does */

	struct chan *source;            /* where input comes from; may be sink; NULL: nowhere */
	uint8_t input[INPUT_BYTES];     /* what the machine had no room for */
	size_t ninput;
	uv_timer_t retry;

	struct chan *listener;
	int spare;                      /* accept_client() */
	bool half_closed;               /* the client sends no more, but may still read */
	bool has_sock;
	struct usock sock;              /* has_sock: its file, to be unlinked */

	int slave;                      /* of the pty, held open so that its master never hangs up; -1 */
	bool raw, escape;               /* the terminal is in raw mode; the last key was Ctrl-A */
	void (*quit)(void *arg);
	void *quit_arg;
};

/* Waits for input unless some waits to be taken, and for room if there was none. */
static void update_wants(struct serial *s)
{
	bool reading = !s->ninput && !s->half_closed;

	if (s->source && s->source != s->sink)
		chan_want(s->source, reading, false);
	if (s->sink)
		chan_want(s->sink, s->source == s->sink && reading, s->blocked);
}

static void drop_input(struct serial *s)
{
	s->ninput = 0;
	uv_timer_stop(&s->retry);
}

/* The client, or whatever took the output, has gone. */
static void drop_sink(struct serial *s)
{
	if (s->source == s->sink) {
		s->source = NULL;
		drop_input(s);
	}
	chan_free(s->sink);
	s->sink = NULL;
	s->half_closed = s->blocked = false;
}

static void drop_source(struct serial *s)
{
	if (s->raw)
		rawtty_restore();
	s->raw = s->escape = false;
	drop_input(s);
	chan_free(s->source);
	s->source = NULL;
}

/* Whether a sink that answers R, -errno, may take more again later: a full disk, or a file's that fails. */
static bool may_recover(const struct serial *s, ssize_t r)
{
	if (s->addr.kind == ADDR_FILE)
		return r != -EAGAIN && r != -EPIPE;
	return r == -ENOSPC || r == -EDQUOT;
}

/* Writes what the sink takes.  0: all is written; -EAGAIN: some waits; else the sink has gone. */
static int write_some(struct serial *s)
{
	const uint8_t *p;
	ssize_t n;
	size_t len;

	while (p = outq_peek(&s->out, &len), len) {
		n = chan_write(s->sink, p, len);
		if (n < 0 && may_recover(s, n)) {
			/* A line will say what is missing. */
			outq_drop(&s->out);
			return 0;
		}
		if (n < 0)
			return (int)n;
		outq_pop(&s->out, (size_t)n);
	}
	return 0;
}

static void pump_out(struct serial *s)
{
	int r = write_some(s);

	s->blocked = r == -EAGAIN;
	if (r < 0 && r != -EAGAIN)
		drop_sink(s);
	update_wants(s);
}

static void on_output(struct observer *o, const uint8_t *data, size_t len)
{
	struct serial *s = (struct serial *)o;

	if (!s->sink && !s->keep)
		return;
	outq_push(&s->out, data, len);
	if (s->sink && !s->blocked)
		pump_out(s);
}

/* Gives the machine what it had no room for before; what it refuses for another reason is lost. */
static void feed(struct serial *s)
{
	if (machine_serial_send(s->m, s->input, s->ninput, NULL) == -ENOSPC)
		return;
	drop_input(s);
	update_wants(s);
}

static void on_retry(uv_timer_t *t)
{
	feed(t->data);
}

/* Takes the escape key's sequences out of N bytes of keys at P; the number left, -1: the user quits. */
static ssize_t take_escapes(struct serial *s, const uint8_t *p, size_t n, uint8_t *ret)
{
	uint8_t *q = ret;

	for (; n; n--, p++) {
		if (!s->escape && *p == CTRL_A) {
			s->escape = true;
			continue;
		}
		if (s->escape && (*p == 'x' || *p == 'X')) {
			s->escape = false;
			return -1;
		}
		/* Any other key after Ctrl-A: the guest's, both of them. */
		if (s->escape && *p != CTRL_A)
			*q++ = CTRL_A;
		s->escape = false;
		*q++ = *p;
	}
	return q - ret;
}

/* Whether the client has hung up altogether. */
static bool client_gone(struct serial *s)
{
	return fd_wait(chan_fd(s->sink), POLLOUT, 0) & (POLLHUP | POLLERR);
}

/* Nothing more comes from the source; a client may still read. */
static void end_of_input(struct serial *s)
{
	if (s->source != s->sink)
		drop_source(s);
	else if (client_gone(s))
		drop_sink(s);
	else
		s->half_closed = true;
}

static void read_input(struct serial *s)
{
	uint8_t buf[INPUT_BYTES - 1];           /* a Ctrl-A kept back from the last read may come on top */
	ssize_t n = chan_read(s->source, buf, sizeof(buf));

	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		end_of_input(s);
		update_wants(s);
		return;
	}
	if (s->raw) {
		n = take_escapes(s, buf, (size_t)n, s->input);
		if (n < 0) {
			s->quit(s->quit_arg);
			return;
		}
	} else {
		memcpy(s->input, buf, (size_t)n);
	}
	s->ninput = (size_t)n;
	if (!n)
		return;
	uv_timer_start(&s->retry, on_retry, RETRY_MS, RETRY_MS);
	feed(s);
	update_wants(s);
}

static void on_ready(void *arg, struct chan *c, bool readable, bool writable)
{
	struct serial *s = arg;

	if (readable && c == s->source)
		read_input(s);
	if (writable && c == s->sink)
		pump_out(s);
}

static void on_client(void *arg, struct chan *listener, bool readable, bool writable)
{
	struct serial *s = arg;
	struct chan *c;
	int fd = accept_client(chan_fd(listener), &s->spare);

	(void)readable;
	(void)writable;
	if (fd < 0)
		return;
	if (s->sink && client_gone(s))
		drop_sink(s);
	if (s->sink) {
		close(fd);
		return;
	}
	if (chan_new(s->loop, fd, on_ready, s, &c, NULL) < 0)
		return;
	s->sink = s->source = c;
	pump_out(s);
}

static int open_unix(struct serial *s, struct err *err)
{
	int r = usock_listen(s->addr.path, 1, &s->sock, err);

	if (r)
		return r;
	s->has_sock = true;
	r = chan_new(s->loop, s->sock.fd, on_client, s, &s->listener, err);
	if (r < 0)
		return r;
	chan_want(s->listener, true, false);
	accept_prepare(chan_fd(s->listener), &s->spare);
	s->keep = true;
	snprintf(s->text, sizeof(s->text), "unix:%s", s->addr.path);
	return 0;
}

static int open_file(struct serial *s, struct err *err)
{
	/* O_NONBLOCK: a FIFO that nobody reads is an error here, not a hang. */
	int fd = open(s->addr.path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(err, errno, "%s", s->addr.path);
	snprintf(s->text, sizeof(s->text), "file:%s", s->addr.path);
	return chan_new(s->loop, fd, on_ready, s, &s->sink, err);
}

static int open_pty(struct serial *s, struct err *err)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), r;
	struct termios t;
	char name[64];

	if (fd < 0)
		return err_errno(err, errno, "a pseudo-terminal");
	if (grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, name, sizeof(name)) != 0)
		goto fail;
	s->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s->slave < 0 || tcgetattr(s->slave, &t) < 0)
		goto fail;
	cfmakeraw(&t);
	if (tcsetattr(s->slave, TCSANOW, &t) < 0)
		goto fail;
	snprintf(s->text, sizeof(s->text), "pty %s", name);
	r = chan_new(s->loop, fd, on_ready, s, &s->sink, err);
	s->source = s->sink;
	return r;
fail:
	r = err_errno(err, errno, "a pseudo-terminal");
	close(fd);
	return r;
}

static int open_stdout(struct serial *s, struct err *err)
{
	strcpy(s->text, "standard output");
	return chan_new_shared(s->loop, STDOUT_FILENO, true, on_ready, s, &s->sink, err);
}

static int open_addr(struct serial *s, struct err *err)
{
	switch (s->addr.kind) {
	case ADDR_UNIX:
		return open_unix(s, err);
	case ADDR_FILE:
		return open_file(s, err);
	case ADDR_PTY:
		return open_pty(s, err);
	case ADDR_STDIO:
		return open_stdout(s, err);
	default:
		strcpy(s->text, "none");
		return 0;
	}
}

int serial_new(uv_loop_t *loop, struct machine *m, const char *addr, struct serial **ret, struct err *err)
{
	struct serial *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(err, ENOMEM, "no memory");
	s->loop = loop;
	s->m = m;
	s->slave = s->spare = -1;
	s->observer.serial_output = on_output;
	uv_timer_init(loop, &s->retry);
	s->retry.data = s;
	machine_observe(m, &s->observer);
	r = addr_parse(addr, ADDR_FOR_SERIAL, &s->addr, err);
	if (r == 0)
		r = open_addr(s, err);
	if (r < 0) {
		serial_free(s);
		return r;
	}
	update_wants(s);
	*ret = s;
	return 0;
}

static void free_serial(uv_handle_t *h)
{
	free(h->data);
}

/* Writes what waits as long as its reader takes some. */
static void flush(struct serial *s)
{
	uint64_t end = uv_hrtime() / 1000000 + FLUSH_MS, now;

	while (s->sink && write_some(s) == -EAGAIN) {
		now = uv_hrtime() / 1000000;
		if (now >= end || !chan_wait_writable(s->sink, (int)(end - now)))
			return;
	}
}

void serial_free(struct serial *s)
{
	if (!s)
		return;
	machine_unobserve(s->m, &s->observer);
	flush(s);
	if (s->source && s->source != s->sink)
		drop_source(s);
	drop_sink(s);
	chan_free(s->listener);
	accept_done(&s->spare);
	if (s->has_sock)
		usock_unlink(&s->sock);
	if (s->slave >= 0)
		close(s->slave);
	addr_done(&s->addr);
	uv_close((uv_handle_t *)&s->retry, free_serial);
}

static int expect_stdio(const struct serial *s, struct err *err)
{
	return s->addr.kind == ADDR_STDIO ? 0 : err_set(err, EINVAL, "COM1 is not on stdio but on %s", s->text);
}

int serial_use_stderr(struct serial *s, struct err *err)
{
	struct chan *c;
	int r = expect_stdio(s, err);

	if (r == 0)
		r = chan_new_shared(s->loop, STDERR_FILENO, true, on_ready, s, &c, err);
	if (r < 0)
		return r;
	drop_sink(s);
	s->sink = c;
	strcpy(s->text, "standard error");
	update_wants(s);
	return 0;
}

int serial_stdin(struct serial *s, bool on, void (*quit)(void *arg), void *arg, struct err *err)
{
	struct chan *c;
	int r = expect_stdio(s, err);

	if (r < 0)
		return r;
	if (s->source)
		drop_source(s);
	if (!on)
		return 0;
	r = chan_new_shared(s->loop, STDIN_FILENO, false, on_ready, s, &c, err);
	if (r < 0)
		return r;
	if (isatty(STDIN_FILENO)) {
		r = rawtty_enter(STDIN_FILENO, err);
		if (r < 0) {
			chan_free(c);
			return r;
		}
		s->raw = true;
	}
	s->source = c;
	s->quit = quit;
	s->quit_arg = arg;
	update_wants(s);
	return 0;
}

const char *serial_describe(const struct serial *s)
{
	return s->text;
}
