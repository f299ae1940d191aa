/* SPDX-License-Identifier: GPL-3.0-or-later */
/* COM1 on files, sockets and pseudo-terminals. */
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "tests/serial_line.h"
#include "util/outq.h"

START_TEST(none_takes_everything)
{
	open_serial("none");
	ck_assert_str_eq(serial_describe(serial), "none");
	guest_sends("nobody reads this");
	ck_assert_int_eq(serial_stdin(serial, true, NULL, NULL, NULL), -EINVAL);
	ck_assert_int_eq(serial_use_stderr(serial, NULL), -EINVAL);
}
END_TEST

START_TEST(bad_addresses)
{
	struct serial *s = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(serial_new(&loop, &vm.machine, "tcp:1", &s, &err), -EINVAL);
	ck_assert_str_eq(err.msg, "not an address (unix:PATH, file:PATH, stdio, pty, none)");
	ck_assert_int_eq(serial_new(&loop, &vm.machine, in_dir("file:", ""), &s, &err), -EISDIR);
	ck_assert_int_eq(serial_new(&loop, &vm.machine, in_dir("file:", "no/such"), &s, &err), -ENOENT);
	ck_assert_int_eq(serial_new(&loop, &vm.machine, in_dir("unix:", "no/such"), &s, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.msg, "no/such: No such file"));
	/* A FIFO that nobody reads does not hang us. */
	ck_assert_int_eq(mkfifo(in_dir("", "fifo"), 0600), 0);
	ck_assert_int_eq(serial_new(&loop, &vm.machine, in_dir("file:", "fifo"), &s, &err), -ENXIO);
	unlink(in_dir("", "fifo"));
	ck_assert_ptr_null(s);
	ck_assert_uint_eq(vm.observers, 0);
}
END_TEST

START_TEST(file_holds_the_output)
{
	struct stat st;

	make_file("out", "what was there before");
	open_serial(in_dir("file:", "out"));
	ck_assert_str_eq(serial_describe(serial), in_dir("file:", "out"));
	guest_sends("hello ");
	guest_sends("world\n");
	expect_file("out", "hello world\n");
	guest_sends("\x80\n");
	end_serial();
	expect_file("out", "hello world\n\x80\n");
	unlink(in_dir("", "out"));
	open_serial(in_dir("file:", "new"));
	ck_assert_int_eq(stat(in_dir("", "new"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0111, 0);
	ck_assert_uint_eq(st.st_mode & 0600, 0600);
	unlink(in_dir("", "new"));
}
END_TEST

START_TEST(full_disk_is_no_end)
{
	unsigned i;

	open_serial("file:/dev/full");
	for (i = 0; i < 100; i++)
		guest_sends("lost");
	uv_run(&loop, UV_RUN_NOWAIT);
}
END_TEST

/* A file that cannot keep up: a FIFO. */
START_TEST(slow_reader_loses_the_oldest)
{
	char block[1000], *notice, *end;
	unsigned i, notices = 0;
	struct peer *p;
	size_t total;
	int fd;

	ck_assert_int_eq(mkfifo(in_dir("", "fifo"), 0600), 0);
	fd = open(in_dir("", "fifo"), O_RDONLY | O_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	p = new_peer(fd);
	open_serial(in_dir("file:", "fifo"));
	memset(block, '.', sizeof(block));
	guest_sends("first");
	for (i = 0; i < 500; i++)
		send_bytes(block, sizeof(block));
	guest_sends("last");
	listen_to(p);
	run_until(p->len > 4 && strcmp(p->data + p->len - 4, "last") == 0);
	ck_assert_int_eq(strncmp(p->data, "first", 5), 0);
	/* What came and what the notices count is what was sent. */
	total = p->len;
	for (notice = p->data; (notice = strstr(notice, "\r\n[gdbvisor: ")); notice = end) {
		total += strtoul(notice + strlen("\r\n[gdbvisor: "), NULL, 10);
		end = strstr(notice, "]\r\n") + 3;
		total -= (size_t)(end - notice);
		notices++;
	}
	ck_assert_uint_eq(total, 5 + 500 * 1000 + 4);
	ck_assert_uint_eq(notices, 1);
	guest_sends("!");
	run_until(p->data[p->len - 1] == '!');
	free_peer(p);
	/* Its reader gone, the output goes nowhere. */
	guest_sends("into the void");
	guest_sends("again");
	unlink(in_dir("", "fifo"));
}
END_TEST

START_TEST(free_does_not_wait_for_ever)
{
	uint64_t begin;
	char block[1000] = { 0 };
	unsigned i;
	int fd;

	ck_assert_int_eq(mkfifo(in_dir("", "fifo"), 0600), 0);
	fd = open(in_dir("", "fifo"), O_RDONLY | O_NONBLOCK);
	open_serial(in_dir("file:", "fifo"));
	for (i = 0; i < 500; i++)
		send_bytes(block, sizeof(block));
	begin = uv_hrtime();
	end_serial();
	ck_assert_uint_lt((uv_hrtime() - begin) / 1000000, 3000);
	close(fd);
	unlink(in_dir("", "fifo"));
}
END_TEST

static void *read_all(void *arg)
{
	int *fd = arg;
	char block[5000];
	size_t total = 0;
	ssize_t n;

	while ((n = read(*fd, block, sizeof(block))) > 0)
		total += (size_t)n;
	return (void *)total;
}

START_TEST(free_writes_what_waits)
{
	char block[1000] = { 0 }, addr[64];
	pthread_t reader;
	void *total;
	int fd[2], i;

	ck_assert_int_eq(pipe(fd), 0);
	snprintf(addr, sizeof(addr), "file:/proc/self/fd/%d", fd[1]);
	open_serial(addr);
	/* More than a pipe holds, less than the queue and the pipe do. */
	for (i = 0; i < 100; i++)
		send_bytes(block, sizeof(block));
	close(fd[1]);
	ck_assert_int_eq(pthread_create(&reader, NULL, read_all, &fd[0]), 0);
	end_serial();
	pthread_join(reader, &total);
	ck_assert_uint_eq((size_t)total, 100000);
	close(fd[0]);
}
END_TEST

static struct peer *new_client(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(sa.sun_path, in_dir("", name));
	ck_assert_msg(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0, "connect: %s", strerror(errno));
	return new_peer(fd);
}

static struct peer *new_listening_client(const char *name)
{
	struct peer *p = new_client(name);

	listen_to(p);
	return p;
}

START_TEST(unix_socket)
{
	struct peer *a, *b;
	struct stat st;

	open_serial(in_dir("unix:", "s"));
	ck_assert_str_eq(serial_describe(serial), in_dir("unix:", "s"));
	ck_assert_int_eq(stat(in_dir("", "s"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	guest_sends("before");
	a = new_listening_client("s");
	run_until(a->len == 6);
	ck_assert_str_eq(a->data, "before");
	guest_sends(" and after");
	run_until(a->len == 16);
	ck_assert_str_eq(a->data, "before and after");
	say(a, "input");
	run_until(vm.ninput == 5);
	ck_assert_str_eq(vm.input, "input");
	/* A second client is turned away, and the first does not notice. */
	b = new_listening_client("s");
	run_until(b->eof);
	ck_assert_uint_eq(b->len, 0);
	free_peer(b);
	guest_sends("!");
	run_until(a->len == 17);
	/* The first one gone, output waits for the next. */
	free_peer(a);
	b = new_listening_client("s");
	guest_sends("next");
	run_until(b->len >= 4);
	ck_assert_str_eq(b->data, "next");
	end_serial();
	run_until(b->eof);
	free_peer(b);
	ck_assert_int_eq(stat(in_dir("", "s"), &st), -1);
}
END_TEST

START_TEST(unix_client_may_stop_sending)
{
	struct peer *a, *b;

	open_serial(in_dir("unix:", "s"));
	a = new_listening_client("s");
	say(a, "all I say");
	ck_assert_int_eq(shutdown(a->fd, SHUT_WR), 0);
	run_until(vm.ninput == 9);
	guest_sends("answer");
	run_until(a->len == 6);
	b = new_listening_client("s");
	run_until(b->eof);
	free_peer(b);
	/* Gone for good, it makes room for another although nothing was written since. */
	free_peer(a);
	b = new_listening_client("s");
	say(b, "!");
	run_until(vm.ninput == 10);
	free_peer(b);
}
END_TEST

START_TEST(unix_backlog_is_bounded)
{
	static const char notice[] = "\r\n[gdbvisor: 34472 bytes of serial output lost]\r\n";
	char block[1000];
	struct peer *a;
	unsigned i;

	open_serial(in_dir("unix:", "s"));
	for (i = 0; i < 100; i++) {
		memset(block, 'A' + (int)i % 26, sizeof(block));
		send_bytes(block, sizeof(block));
	}
	guest_sends("12345678");
	a = new_listening_client("s");
	run_until(a->len >= OUTQ_BYTES + strlen(notice));
	ck_assert_int_eq(strncmp(a->data, notice, strlen(notice)), 0);
	ck_assert_str_eq(a->data + a->len - 9, "V12345678");
	free_peer(a);
}
END_TEST

START_TEST(unix_path_is_not_taken_over)
{
	struct serial *s = NULL;
	struct err err = { 0 };

	make_file("s", "precious");
	ck_assert_int_eq(serial_new(&loop, &vm.machine, in_dir("unix:", "s"), &s, &err), -EEXIST);
	ck_assert_ptr_nonnull(strstr(err.msg, "/s: exists and is not a socket"));
	expect_file("s", "precious");
	unlink(in_dir("", "s"));
	/* Nor is another file that took its place meanwhile unlinked. */
	open_serial(in_dir("unix:", "s"));
	unlink(in_dir("", "s"));
	make_file("s", "other");
	end_serial();
	expect_file("s", "other");
	unlink(in_dir("", "s"));
}
END_TEST

START_TEST(input_waits_for_the_guest)
{
	char block[1500], want[6001];
	struct peer *a;
	size_t i;

	open_serial(in_dir("unix:", "s"));
	a = new_listening_client("s");
	for (i = 0; i < 6000; i++)
		want[i] = (char)('a' + i % 26);
	want[6000] = '\0';
	vm.full = true;
	for (i = 0; i < 4; i++) {
		memcpy(block, want + i * sizeof(block), sizeof(block));
		ck_assert_int_eq(write(a->fd, block, sizeof(block)), sizeof(block));
	}
	run_until(vm.refused >= 3);
	ck_assert_uint_eq(vm.ninput, 0);
	/* Output goes on meanwhile. */
	guest_sends("out");
	run_until(a->len == 3);
	vm.full = false;
	run_until(vm.ninput == 6000);
	ck_assert_str_eq(vm.input, want);
	/* A client that leaves while its input waits takes it along, and the next starts afresh. */
	vm.full = true;
	vm.refused = 0;
	say(a, "stale");
	run_until(vm.refused >= 2);
	free_peer(a);
	a = new_listening_client("s");
	guest_sends("x");
	run_until(a->len == 1);
	vm.full = false;
	say(a, "!");
	run_until(vm.ninput == 6001);
	ck_assert_int_eq(vm.input[6000], '!');
	free_peer(a);
}
END_TEST

START_TEST(pty_both_ways)
{
	struct termios t;
	struct peer *p;
	int fd;

	open_serial("pty");
	ck_assert_int_eq(strncmp(serial_describe(serial), "pty /dev/pts/", 13), 0);
	guest_sends("early ");
	fd = open(serial_describe(serial) + 4, O_RDWR | O_NOCTTY | O_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(tcgetattr(fd, &t), 0);
	ck_assert_uint_eq(t.c_lflag & (ICANON | ECHO | ISIG), 0);
	p = new_peer(fd);
	listen_to(p);
	guest_sends("bird\n");
	run_until(p->len == 11);
	ck_assert_str_eq(p->data, "early bird\n");
	say(p, "\x03typed\r");
	run_until(vm.ninput == 7);
	ck_assert_str_eq(vm.input, "\x03typed\r");
	/* Closed and opened again. */
	free_peer(p);
	uv_run(&loop, UV_RUN_NOWAIT);
	fd = open(serial_describe(serial) + 4, O_RDWR | O_NOCTTY | O_NONBLOCK);
	p = new_peer(fd);
	listen_to(p);
	guest_sends("again");
	run_until(p->len == 5);
	free_peer(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("serial");
	TCase *t = tcase_create("serial");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, line_init, line_done);
	tcase_add_test(t, none_takes_everything);
	tcase_add_test(t, bad_addresses);
	tcase_add_test(t, file_holds_the_output);
	tcase_add_test(t, full_disk_is_no_end);
	tcase_add_test(t, slow_reader_loses_the_oldest);
	tcase_add_test(t, free_does_not_wait_for_ever);
	tcase_add_test(t, free_writes_what_waits);
	tcase_add_test(t, unix_socket);
	tcase_add_test(t, unix_client_may_stop_sending);
	tcase_add_test(t, unix_backlog_is_bounded);
	tcase_add_test(t, unix_path_is_not_taken_over);
	tcase_add_test(t, input_waits_for_the_guest);
	tcase_add_test(t, pty_both_ways);
	suite_add_tcase(s, t);
	return unit_main(s);
}
