/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stub behind real sockets and pipes, on a loop of the test's own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gdbstub/gdbstub.h"
#include "tests/rsp_rig.h"
#include "tests/unit.h"

struct bed {
	uv_loop_t loop;
	uv_poll_t machine_poll;
	struct fake_machine *f;
	struct gdbstub *stub;
	char dir[64], path[96];
	unsigned came, went, killed, closed, notes;
};

static struct bed bed;

static void on_attached(void *arg, bool on)
{
	struct bed *b = arg;

	b->came += on;
	b->went += !on;
}

static void on_kill(void *arg)
{
	((struct bed *)arg)->killed++;
}

static void on_closed(void *arg)
{
	((struct bed *)arg)->closed++;
}

static void on_machine(uv_poll_t *h, int status, int events)
{
	(void)h;
	(void)status;
	(void)events;
	machine_poll(&bed.f->machine, 0);
}

static void on_note(void *arg, const char *line)
{
	struct bed *b = arg;

	ck_assert_ptr_null(strchr(line, '\n'));
	b->notes++;
}

static const struct gdbstub_events events = { &bed, on_attached, on_kill, on_closed, on_note };

static void setup(void)
{
	const struct fake_config c = { .cpus = 2, .image_bits = 64, .mode = MODE_LONG };
	const char *tmp = getenv("TMPDIR");
	struct err err;

	signal(SIGPIPE, SIG_IGN);
	memset(&bed, 0, sizeof(bed));
	snprintf(bed.dir, sizeof(bed.dir), "%s/gvstub-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(bed.dir));
	snprintf(bed.path, sizeof(bed.path), "%s/gdb", bed.dir);
	bed.f = fake_new(&c);
	for (size_t i = 0; i < bed.f->config.ram_size; i++)
		bed.f->ram[i] = (uint8_t)(i * 31 + (i >> 8)) | 1;       /* no exit instruction: 0xf4 is even */
	ck_assert_int_eq(uv_loop_init(&bed.loop), 0);
	ck_assert_int_eq(uv_poll_init(&bed.loop, &bed.machine_poll, machine_event_fd(&bed.f->machine)), 0);
	uv_poll_start(&bed.machine_poll, UV_READABLE, on_machine);
	ck_assert_int_eq(gdbstub_new(&bed.loop, &bed.f->machine, NULL, &events, &bed.stub, &err), 0);
}

static void teardown(void)
{
	struct stat st;

	gdbstub_free(bed.stub);
	ck_assert_int_ne(lstat(bed.path, &st), 0);
	uv_close((uv_handle_t *)&bed.machine_poll, NULL);
	uv_run(&bed.loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&bed.loop), 0);
	ck_assert_uint_eq(bed.f->holds, 0);
	ck_assert_ptr_null(bed.f->observers);
	fake_free(bed.f);
	ck_assert_int_eq(rmdir(bed.dir), 0);
}

/* -- a client -- */

static void listen_unix(void)
{
	const struct gdbstub_addr a = { .kind = GDB_UNIX, .path = bed.path };
	struct err err;

	ck_assert_msg(gdbstub_listen(bed.stub, &a, &err) == 0, "%s", err.msg);
}

static int connect_unix(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, bed.path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* Lets the loop do what it can; waits a little for FD to become readable. */
static void turn(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	uv_run(&bed.loop, UV_RUN_NOWAIT);
	poll(&p, 1, 1);
}

static void send_text(int fd, const char *bytes)
{
	ck_assert_int_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

/* Reads until a packet has ended, or to the end of the connection. */
static const char *receive(int fd)
{
	static char got[65536];
	size_t n = 0;

	for (;;) {
		ssize_t k;

		turn(fd);
		k = recv(fd, got + n, sizeof(got) - 1 - n, MSG_DONTWAIT);
		if (k < 0 && errno == ENOTSOCK) {
			struct pollfd p = { .fd = fd, .events = POLLIN };

			k = poll(&p, 1, 0) == 1 ? read(fd, got + n, sizeof(got) - 1 - n) : -1;
		}
		if (k > 0)
			n += (size_t)k;
		got[n] = '\0';
		if (k == 0 || (n > 3 && got[n - 3] == '#'))
			return got;
	}
}

static void send_packet(int fd, const char *payload)
{
	uint8_t frame[128];
	size_t len = rig_frame(payload, strlen(payload), frame);

	ck_assert_int_eq(write(fd, frame, len), (ssize_t)len);
}

static const char *ask(int fd, const char *payload)
{
	send_packet(fd, payload);
	return receive(fd);
}

#define QC_REPLY "+$QC1#c5"

/* Turns the loop until *COUNTER has reached N. */
static void wait_for(const unsigned *counter, unsigned n)
{
	while (*counter < n)
		turn(-1);
}

/* -- unix -- */

START_TEST(test_unix)
{
	struct out_buf text;
	struct stat st;
	int fd;

	listen_unix();
	ck_assert_int_eq(lstat(bed.path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(gdbstub_count(bed.stub), 1);
	out_buf_init(&text);
	gdbstub_describe(bed.stub, 0, &text.out);
	gdbstub_describe(bed.stub, 1, &text.out);
	ck_assert_int_eq(strncmp(text.text, "target remote ", 14), 0);
	ck_assert_str_eq(text.text + 14, bed.path);
	out_buf_done(&text);

	fd = connect_unix();
	ck_assert_str_eq(ask(fd, "qC"), QC_REPLY);
	ck_assert_uint_eq(bed.came, 1);
	ck_assert_uint_eq(bed.went, 0);
	close(fd);
	wait_for(&bed.went, 1);
	ck_assert_int_eq(bed.f->state, MACHINE_RUNNING);
	/* another one */
	fd = connect_unix();
	ck_assert_str_eq(ask(fd, "qC"), QC_REPLY);
	ck_assert_int_eq(strncmp(ask(fd, "?"), "+$T02thread:1;", 14), 0);
	ck_assert_str_eq(ask(fd, "D"), "+$OK#9a");
	wait_for(&bed.went, 2);
	ck_assert_str_eq(receive(fd), "");
	close(fd);
	ck_assert_uint_eq(bed.came, 2);
	ck_assert_uint_eq(bed.killed + bed.closed, 0);
	ck_assert_int_eq(bed.f->state, MACHINE_RUNNING);
}
END_TEST

static int listen_errno(const struct gdbstub_addr *a, struct err *err)
{
	size_t count = gdbstub_count(bed.stub);
	int r = gdbstub_listen(bed.stub, a, err);

	ck_assert_int_lt(r, 0);
	ck_assert_int_eq(err->code, -r);
	ck_assert_ptr_null(strchr(err->msg, '\n'));
	ck_assert_uint_eq(gdbstub_count(bed.stub), count);
	return -r;
}

START_TEST(test_unix_refused)
{
	struct gdbstub_addr a = { .kind = GDB_UNIX };
	char path[200];
	struct stat st;
	struct err err;
	int fd;

	ck_assert_int_eq(listen_errno(&a, &err), EINVAL);
	a.path = "";
	ck_assert_int_eq(listen_errno(&a, &err), EINVAL);
	/* as long as it may be, and one more */
	memset(path, 'x', sizeof(path));
	memcpy(path, bed.dir, strlen(bed.dir));
	path[strlen(bed.dir)] = '/';
	path[sizeof(((struct sockaddr_un *)0)->sun_path)] = '\0';
	a.path = path;
	ck_assert_int_eq(listen_errno(&a, &err), ENAMETOOLONG);
	snprintf(path, sizeof(path), "%s/none/gdb", bed.dir);
	ck_assert_int_eq(listen_errno(&a, &err), ENOENT);
	ck_assert_int_eq(strncmp(err.msg, path, strlen(path)), 0);
	/* a file of somebody's */
	a.path = bed.path;
	fd = open(bed.path, O_CREAT | O_WRONLY, 0644);
	ck_assert_int_eq(write(fd, "mine", 4), 4);
	close(fd);
	ck_assert_int_eq(listen_errno(&a, &err), EEXIST);
	ck_assert_int_eq(lstat(bed.path, &st), 0);
	ck_assert_int_eq(st.st_size, 4);
	unlink(bed.path);
	ck_assert_int_eq(symlink("nowhere", bed.path), 0);
	ck_assert_int_eq(listen_errno(&a, &err), EEXIST);
	unlink(bed.path);
}
END_TEST

/* In use: found out without the other stub noticing a client.  Nobody there any more: replaced. */
START_TEST(test_unix_in_use)
{
	const struct gdbstub_addr a = { .kind = GDB_UNIX, .path = bed.path };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct err err;
	int fd;

	strcpy(addr.sun_path, bed.path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(listen_errno(&a, &err), EADDRINUSE);
	ck_assert_int_eq(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0), 0);
	close(fd);
	listen_unix();
	ck_assert_int_eq(listen_errno(&a, &err), EADDRINUSE);
	turn(-1);
	ck_assert_uint_eq(bed.came, 0);
}
END_TEST

/* What stands there at the end may not be ours any more. */
START_TEST(test_unix_replaced)
{
	struct stat st;
	int fd;

	listen_unix();
	unlink(bed.path);
	fd = open(bed.path, O_CREAT | O_WRONLY, 0644);
	close(fd);
	gdbstub_free(bed.stub);
	bed.stub = NULL;
	ck_assert_int_eq(lstat(bed.path, &st), 0);
	unlink(bed.path);
}
END_TEST

/* -- tcp -- */

static uint16_t described_port(size_t index)
{
	struct out_buf text;
	unsigned port = 0;

	out_buf_init(&text);
	gdbstub_describe(bed.stub, index, &text.out);
	ck_assert_int_eq(sscanf(text.text, "target remote 127.0.0.1:%u", &port), 1);
	ck_assert(port > 0 && port < 65536);
	out_buf_done(&text);
	return (uint16_t)port;
}

START_TEST(test_tcp)
{
	struct gdbstub_addr a = { .kind = GDB_TCP };
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct err err;
	int fd;

	listen_unix();
	ck_assert_msg(gdbstub_listen(bed.stub, &a, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(gdbstub_count(bed.stub), 2);
	addr.sin_port = htons(described_port(1));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_str_eq(ask(fd, "qC"), QC_REPLY);
	a.port = described_port(1);
	ck_assert_int_eq(listen_errno(&a, &err), EADDRINUSE);
	close(fd);
	wait_for(&bed.went, 1);
	a.host = "host name with spaces";
	ck_assert_int_eq(listen_errno(&a, &err), EADDRNOTAVAIL);
	a.host = "192.0.2.1";           /* documentation only: no interface has it */
	ck_assert_int_eq(listen_errno(&a, &err), EADDRNOTAVAIL);
}
END_TEST

/* -- clients and their ends -- */

START_TEST(test_many_clients)
{
	int fds[17];

	listen_unix();
	for (unsigned i = 0; i < 16; i++) {
		fds[i] = connect_unix();
		ck_assert_str_eq(ask(fds[i], "qC"), QC_REPLY);
	}
	fds[16] = connect_unix();
	ck_assert_str_eq(receive(fds[16]), "");
	ck_assert_str_eq(ask(fds[0], "qC"), QC_REPLY);
	ck_assert_uint_eq(bed.came, 16);
	for (unsigned i = 0; i < 17; i++)
		close(fds[i]);
	wait_for(&bed.went, 16);
	ck_assert_uint_eq(bed.notes, 0);
}
END_TEST

/* The second observes until the first has gone, or it asks to drive. */
START_TEST(test_observer)
{
	int first, second, third;

	listen_unix();
	first = connect_unix();
	ck_assert_str_eq(ask(first, "qC"), QC_REPLY);
	second = connect_unix();
	ck_assert_str_eq(ask(second, "m1000,1"), "+$11#62");
	ck_assert_ptr_nonnull(strstr(ask(second, "vCont;c"), "E.gdb client 1 drives"));
	ck_assert_ptr_nonnull(strstr(ask(second, "M1000,1:22"), "E.gdb client 1 drives"));
	ck_assert_str_eq(ask(second, "z0,1000,1"), "+$OK#9a");
	third = connect_unix();
	ck_assert_str_eq(ask(third, "qC"), QC_REPLY);
	/* stopped it stays, for the one that comes after it */
	ck_assert_str_eq(ask(first, "Z0,1000,1"), "+$OK#9a");
	close(first);
	wait_for(&bed.went, 1);
	ck_assert_int_eq(bed.f->state, MACHINE_STOPPED);
	ck_assert_uint_eq(bed.f->nbrk, 0);
	ck_assert_ptr_nonnull(strstr(ask(third, "vCont;c"), "E.gdb client 2 drives"));
	ck_assert_str_eq(ask(second, "M1000,1:22"), "+$OK#9a");
	/* an observer that leaves changes nothing, nor does one that kills; the last one lets the guest run */
	send_packet(third, "k");
	wait_for(&bed.went, 2);
	ck_assert_uint_eq(bed.killed, 0);
	ck_assert_int_eq(bed.f->state, MACHINE_STOPPED);
	close(third);
	close(second);
	wait_for(&bed.went, 3);
	ck_assert_int_eq(bed.f->state, MACHINE_RUNNING);
}
END_TEST

/* Who lets replies pile up is dropped, with a line; nobody else is kept waiting. */
START_TEST(test_deaf)
{
	int first, second;

	listen_unix();
	first = connect_unix();
	ck_assert_str_eq(ask(first, "qC"), QC_REPLY);
	second = connect_unix();
	fcntl(second, F_SETFL, O_NONBLOCK);
	while (!bed.notes) {
		uint8_t frame[64];
		size_t len = rig_frame("m1000,20000", 11, frame);

		if (write(second, frame, len) < 0)
			ck_assert(errno == EAGAIN || errno == EPIPE);
		turn(-1);
		ck_assert_str_eq(ask(first, "qC"), QC_REPLY);
	}
	ck_assert_uint_eq(bed.went, 1);
	ck_assert_uint_eq(bed.notes, 1);
	close(second);
	close(first);
	wait_for(&bed.went, 2);
}
END_TEST

START_TEST(test_vanish_in_packet)
{
	int fd;

	listen_unix();
	fd = connect_unix();
	ck_assert_str_eq(ask(fd, "Z0,1010,1"), "+$OK#9a");
	send_text(fd, "$m1000,4");
	ck_assert_uint_eq(bed.f->nbrk, 1);
	close(fd);
	wait_for(&bed.went, 1);
	ck_assert_uint_eq(bed.f->nbrk, 0);
	ck_assert_int_eq(bed.f->state, MACHINE_RUNNING);
	fd = connect_unix();
	ck_assert_str_eq(ask(fd, "qC"), QC_REPLY);
	close(fd);
	wait_for(&bed.went, 2);
}
END_TEST

/* ^C and gone: the stop that comes afterwards is undone; or it is the next client's. */
START_TEST(test_vanish_stopping)
{
	char ack;
	int fd;

	listen_unix();
	for (unsigned round = 0; round < 2; round++) {
		fd = connect_unix();
		send_packet(fd, "vCont;c");
		wait_for(&bed.f->calls.resume, 2 * round + 1);
		/* a socket closed with something unread would take the ^C with it */
		ck_assert_int_eq(read(fd, &ack, 1), 1);
		uv_poll_stop(&bed.machine_poll);
		send_text(fd, "\x03");
		close(fd);
		wait_for(&bed.went, round + 1);
		ck_assert(bed.f->stop_wanted);
		if (round == 0) {
			uv_poll_start(&bed.machine_poll, UV_READABLE, on_machine);
			while (bed.f->stop_wanted)
				turn(-1);
			ck_assert_int_eq(bed.f->state, MACHINE_RUNNING);
			ck_assert_uint_eq(bed.f->calls.resume, 2);
			machine_stop(&bed.f->machine);
			machine_poll(&bed.f->machine, 0);
		}
	}
	fd = connect_unix();
	send_packet(fd, "?");
	wait_for(&bed.came, 3);
	uv_poll_start(&bed.machine_poll, UV_READABLE, on_machine);
	ck_assert_int_eq(strncmp(receive(fd), "+$T02", 5), 0);
	ck_assert_int_eq(bed.f->state, MACHINE_STOPPED);
	close(fd);
	wait_for(&bed.went, 3);
	ck_assert_int_eq(bed.f->state, MACHINE_RUNNING);
}
END_TEST

/* A stop that main's machine_poll() finds is written without the client asking. */
START_TEST(test_stop_later)
{
	int fd;

	listen_unix();
	fd = connect_unix();
	send_packet(fd, "vCont;c");
	while (bed.f->calls.resume == 0)
		turn(-1);
	machine_stop(&bed.f->machine);
	ck_assert_int_eq(strncmp(receive(fd), "+$T02", 5), 0);
	close(fd);
	wait_for(&bed.went, 1);
}
END_TEST

/* It sends and sends and never reads: dropped in bounded memory, and the guest goes on. */
START_TEST(test_never_reads)
{
	uint8_t frame[32];
	size_t len = rig_frame("m1000,20000", 11, frame);
	int fd;

	listen_unix();
	fd = connect_unix();
	for (unsigned i = 0; bed.went == 0; i++) {
		ck_assert_uint_lt(i, 100000);
		send(fd, frame, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		uv_run(&bed.loop, UV_RUN_NOWAIT);
	}
	ck_assert_int_eq(bed.f->state, MACHINE_RUNNING);
	close(fd);
	fd = connect_unix();
	ck_assert_str_eq(ask(fd, "qC"), QC_REPLY);
	close(fd);
	wait_for(&bed.went, 2);
}
END_TEST

static void *drain(void *arg)
{
	static char buf[65536];
	size_t ends = 0;
	ssize_t n;

	while ((n = read(*(int *)arg, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			ends += buf[i] == '#';
	return (void *)ends;
}

/* Flushing returns in bounded time from a client that does not read, and serves one that does. */
START_TEST(test_flush)
{
	uint64_t begin;
	pthread_t reader;
	void *ends;
	int fd;

	listen_unix();
	gdbstub_flush(bed.stub);
	fd = connect_unix();
	for (unsigned i = 0; i < 20; i++)
		send_packet(fd, "m1000,20000");
	while (bed.f->calls.mem_read < 20)
		turn(-1);
	begin = uv_hrtime();
	gdbstub_flush(bed.stub);
	ck_assert_uint_lt(uv_hrtime() - begin, 5000000000u);
	ck_assert_int_eq(pthread_create(&reader, NULL, drain, &fd), 0);
	for (unsigned i = 0; i < 20; i++)
		gdbstub_flush(bed.stub);
	gdbstub_free(bed.stub);
	bed.stub = NULL;
	ck_assert_int_eq(pthread_join(reader, &ends), 0);
	ck_assert_uint_eq((size_t)ends, 20);
	ck_assert_int_eq(bed.f->state, MACHINE_STOPPED);
	close(fd);
}
END_TEST

START_TEST(test_kill)
{
	int fd;

	listen_unix();
	fd = connect_unix();
	ck_assert_str_eq(ask(fd, "vKill;1"), "+$OK#9a");
	wait_for(&bed.killed, 1);
	ck_assert_uint_eq(bed.went, 1);
	ck_assert_uint_eq(bed.closed, 0);
	ck_assert_int_eq(bed.f->state, MACHINE_STOPPED);
	close(fd);
}
END_TEST

/* -- stdio -- */

static const struct gdbstub_addr stdio_addr = { .kind = GDB_STDIO };

static void check_stdio(int to, int from)
{
	struct out_buf text;
	struct err err;

	ck_assert_msg(gdbstub_listen(bed.stub, &stdio_addr, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(bed.came, 1);
	ck_assert_int_eq(listen_errno(&stdio_addr, &err), EBUSY);
	out_buf_init(&text);
	gdbstub_describe(bed.stub, 0, &text.out);
	ck_assert_str_eq(text.text, "standard input and output");
	out_buf_done(&text);
	send_packet(to, "qC");
	ck_assert_str_eq(receive(from), QC_REPLY);
	close(to);
	wait_for(&bed.closed, 1);
	ck_assert_uint_eq(bed.went, 1);
	ck_assert_uint_eq(bed.killed, 0);
	ck_assert_int_eq(bed.f->state, MACHINE_RUNNING);
}

START_TEST(test_stdio_socket)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	dup2(pair[0], STDIN_FILENO);
	dup2(pair[0], STDOUT_FILENO);
	close(pair[0]);
	check_stdio(pair[1], pair[1]);
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(test_stdio_pipes)
{
	int in[2], out[2];

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	close(in[0]);
	close(out[1]);
	check_stdio(in[1], out[0]);
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

/* Its reader is gone: no crash, no endless retry. */
START_TEST(test_stdio_broken_pipe)
{
	int in[2], out[2];
	struct err err;

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	close(out[1]);
	close(out[0]);
	ck_assert_int_eq(gdbstub_listen(bed.stub, &stdio_addr, &err), 0);
	send_packet(in[1], "qC");
	wait_for(&bed.closed, 1);
	ck_assert_uint_eq(bed.went, 1);
}
END_TEST

START_TEST(test_stdio_no_stream)
{
	struct err err;
	int fd = open("/dev/null", O_RDWR);

	dup2(fd, STDIN_FILENO);
	close(fd);
	ck_assert_int_eq(listen_errno(&stdio_addr, &err), EINVAL);
	ck_assert_uint_eq(bed.came + bed.went + bed.closed, 0);
	ck_assert_int_eq(bed.f->state, MACHINE_STOPPED);
	ck_assert_uint_eq(bed.f->calls.resume, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server");
	TCase *t = tcase_create("sockets");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, test_unix);
	tcase_add_test(t, test_unix_refused);
	tcase_add_test(t, test_unix_in_use);
	tcase_add_test(t, test_unix_replaced);
	tcase_add_test(t, test_tcp);
	tcase_add_test(t, test_many_clients);
	tcase_add_test(t, test_observer);
	tcase_add_test(t, test_deaf);
	tcase_add_test(t, test_vanish_in_packet);
	tcase_add_test(t, test_vanish_stopping);
	tcase_add_test(t, test_stop_later);
	tcase_add_test(t, test_never_reads);
	tcase_add_test(t, test_flush);
	tcase_add_test(t, test_kill);
	suite_add_tcase(s, t);
	t = tcase_create("stdio");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, test_stdio_socket);
	tcase_add_test(t, test_stdio_pipes);
	tcase_add_test(t, test_stdio_broken_pipe);
	tcase_add_test(t, test_stdio_no_stream);
	suite_add_tcase(s, t);
	return unit_main(s);
}
