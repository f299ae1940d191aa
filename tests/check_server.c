/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the stub listens: sockets, standard input and output; and what it refuses there. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/server_rig.h"

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
