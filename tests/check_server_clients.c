/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stub's clients on real sockets: many at once, observers, those that do not read, and how they end. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/rsp_rig.h"
#include "tests/server_rig.h"

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

static void send_text(int fd, const char *bytes)
{
	ck_assert_int_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

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

int main(void)
{
	Suite *s = suite_create("server_clients");
	TCase *t = tcase_create("clients");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
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
	return unit_main(s);
}
