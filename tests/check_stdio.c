/* SPDX-License-Identifier: GPL-3.0-or-later */
/* COM1 on standard input and output, whatever they are. */
#include "serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tests/serial_line.h"

/* Makes a pipe of which one end is descriptor FD now; returns the other. */
static int pipe_as(int fd, bool we_read)
{
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(dup2(p[we_read], fd), fd);
	close(p[we_read]);
	return p[!we_read];
}

START_TEST(standard_output)
{
	struct peer *p = new_peer(pipe_as(STDOUT_FILENO, true)), *q;

	open_serial("stdio");
	ck_assert_str_eq(serial_describe(serial), "standard output");
	listen_to(p);
	guest_sends("out");
	run_until(p->len == 3);
	/* What others share stays as it was. */
	ck_assert_int_eq(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
	q = new_peer(pipe_as(STDERR_FILENO, true));
	listen_to(q);
	ck_assert_int_eq(serial_use_stderr(serial, NULL), 0);
	ck_assert_str_eq(serial_describe(serial), "standard error");
	guest_sends("err");
	run_until(q->len == 3);
	ck_assert_uint_eq(p->len, 3);
	free_peer(p);
	free_peer(q);
	/* A closed pipe is no end of the session. */
	guest_sends("x");
	guest_sends("y");
}
END_TEST

START_TEST(standard_output_is_a_file)
{
	int fd = open(in_dir("", "log"), O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	close(fd);
	ck_assert_int_eq(write(STDOUT_FILENO, "banner\n", 7), 7);
	open_serial("stdio");
	guest_sends("guest\n");
	ck_assert_int_eq(write(STDOUT_FILENO, "more\n", 5), 5);
	expect_file("log", "banner\nguest\nmore\n");
	unlink(in_dir("", "log"));
}
END_TEST

START_TEST(standard_output_is_a_socket)
{
	int fd[2];
	struct peer *p;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	dup2(fd[1], STDOUT_FILENO);
	close(fd[1]);
	p = new_peer(fd[0]);
	listen_to(p);
	open_serial("stdio");
	guest_sends("out");
	run_until(p->len == 3);
	end_serial();
	ck_assert_int_eq(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
	free_peer(p);
	dup2(STDERR_FILENO, STDOUT_FILENO);
}
END_TEST

START_TEST(standard_input_is_a_pipe)
{
	int fd = pipe_as(STDIN_FILENO, false);

	open_serial("stdio");
	ck_assert_int_eq(write(fd, "\x01xtyped", 7), 7);
	/* Not before it is told; Ctrl-A is nothing special in a pipe. */
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(vm.ninput, 0);
	ck_assert_int_eq(serial_stdin(serial, true, NULL, NULL, NULL), 0);
	run_until(vm.ninput == 7);
	ck_assert_str_eq(vm.input, "\x01xtyped");
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(serial_stdin(serial, false, NULL, NULL, NULL), 0);
	ck_assert_int_eq(write(fd, "later", 5), 5);
	uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_uint_eq(vm.ninput, 7);
	ck_assert_int_eq(serial_stdin(serial, true, NULL, NULL, NULL), 0);
	run_until(vm.ninput == 12);
	/* At its end nothing keeps the loop turning. */
	close(fd);
	uv_run(&loop, UV_RUN_DEFAULT);
}
END_TEST

START_TEST(standard_input_is_a_file)
{
	int fd, i;
	FILE *f = fopen(in_dir("", "in"), "w+");

	for (i = 0; i < 1000; i++)
		fputs("12345", f);
	fflush(f);
	rewind(f);
	dup2(fileno(f), STDIN_FILENO);
	fclose(f);
	unlink(in_dir("", "in"));
	open_serial("stdio");
	vm.full = true;
	ck_assert_int_eq(serial_stdin(serial, true, NULL, NULL, NULL), 0);
	run_until(vm.refused >= 2);
	vm.full = false;
	run_until(vm.ninput == 5000);
	uv_run(&loop, UV_RUN_DEFAULT);
	fd = open("/dev/null", O_RDONLY);
	dup2(fd, STDIN_FILENO);
	close(fd);
	ck_assert_int_eq(serial_stdin(serial, true, NULL, NULL, NULL), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_uint_eq(vm.ninput, 5000);
}
END_TEST

static void note_quit(void *arg)
{
	++*(unsigned *)arg;
}

static void free_and_note(void *arg)
{
	end_serial();
	++*(unsigned *)arg;
}

/* Standard input becomes a terminal; returns its master. */
static struct peer *terminal_as_stdin(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), slave;
	char name[64];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(grantpt(fd), 0);
	ck_assert_int_eq(unlockpt(fd), 0);
	ck_assert_int_eq(ptsname_r(fd, name, sizeof(name)), 0);
	slave = open(name, O_RDWR | O_NOCTTY);
	ck_assert_int_eq(dup2(slave, STDIN_FILENO), STDIN_FILENO);
	close(slave);
	return new_peer(fd);
}

static bool is_raw(void)
{
	struct termios t;

	ck_assert_int_eq(tcgetattr(STDIN_FILENO, &t), 0);
	ck_assert_uint_ne(t.c_oflag & OPOST, 0);
	return !(t.c_lflag & (ICANON | ECHO | ISIG));
}

START_TEST(terminal_is_raw_while_used)
{
	struct peer *p = terminal_as_stdin();
	struct termios before, after;
	unsigned quits = 0;

	tcgetattr(STDIN_FILENO, &before);
	open_serial("stdio");
	ck_assert(!is_raw());
	ck_assert_int_eq(serial_stdin(serial, true, note_quit, &quits, NULL), 0);
	ck_assert(is_raw());
	say(p, "\x03\r");
	run_until(vm.ninput == 2);
	/* Ctrl-A twice is one; before another key it is just a key, also when they come apart. */
	say(p, "\x01\x01" "a\x01" "b");
	run_until(vm.ninput == 6);
	say(p, "\x01");
	run_until(vm.ninput == 6 && uv_run(&loop, UV_RUN_NOWAIT) >= 0);
	say(p, "c");
	run_until(vm.ninput == 8);
	ck_assert_mem_eq(vm.input, "\x03\r\x01" "a\x01" "b\x01" "c", 8);
	ck_assert_uint_eq(quits, 0);
	say(p, "\x01x");
	run_until(quits == 1);
	ck_assert_uint_eq(vm.ninput, 8);
	ck_assert_int_eq(serial_stdin(serial, false, NULL, NULL, NULL), 0);
	tcgetattr(STDIN_FILENO, &after);
	ck_assert_uint_eq(before.c_lflag, after.c_lflag);
	ck_assert_uint_eq(before.c_iflag, after.c_iflag);
	ck_assert_int_eq(serial_stdin(serial, true, note_quit, &quits, NULL), 0);
	ck_assert(is_raw());
	end_serial();
	ck_assert(!is_raw());
	free_peer(p);
}
END_TEST

START_TEST(quit_may_free)
{
	struct peer *p = terminal_as_stdin();
	unsigned quits = 0;

	open_serial("stdio");
	ck_assert_int_eq(serial_stdin(serial, true, free_and_note, &quits, NULL), 0);
	say(p, "\x01X");
	run_until(quits == 1);
	ck_assert(!is_raw());
	free_peer(p);
}
END_TEST

START_TEST(terminal_is_restored_at_exit)
{
	struct peer *p = terminal_as_stdin();
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (serial_new(&loop, &vm.machine, "stdio", &serial, NULL) < 0 ||
		    serial_stdin(serial, true, NULL, NULL, NULL) < 0 || !is_raw())
			_exit(9);
		exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 9);
	ck_assert(!is_raw());
	free_peer(p);
}
END_TEST

START_TEST(terminal_that_hangs_up)
{
	struct peer *p = terminal_as_stdin();

	open_serial("stdio");
	ck_assert_int_eq(serial_stdin(serial, true, NULL, NULL, NULL), 0);
	free_peer(p);
	uv_run(&loop, UV_RUN_DEFAULT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stdio");
	TCase *t = tcase_create("stdio");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, line_init, line_done);
	tcase_add_test(t, standard_output);
	tcase_add_test(t, standard_output_is_a_file);
	tcase_add_test(t, standard_output_is_a_socket);
	tcase_add_test(t, standard_input_is_a_pipe);
	tcase_add_test(t, standard_input_is_a_file);
	tcase_add_test(t, terminal_is_raw_while_used);
	tcase_add_test(t, quit_may_free);
	tcase_add_test(t, terminal_is_restored_at_exit);
	tcase_add_test(t, terminal_that_hangs_up);
	suite_add_tcase(s, t);
	return unit_main(s);
}
