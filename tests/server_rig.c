/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/server_rig.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/rsp_rig.h"

struct bed bed;

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

void on_machine(uv_poll_t *h, int status, int events)
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

void setup(void)
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

void teardown(void)
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

void listen_unix(void)
{
	const struct gdbstub_addr a = { .kind = GDB_UNIX, .path = bed.path };
	struct err err;

	ck_assert_msg(gdbstub_listen(bed.stub, &a, &err) == 0, "%s", err.msg);
}

int connect_unix(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, bed.path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

void turn(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	uv_run(&bed.loop, UV_RUN_NOWAIT);
	poll(&p, 1, 1);
}

const char *receive(int fd)
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

void send_packet(int fd, const char *payload)
{
	uint8_t frame[128];
	size_t len = rig_frame(payload, strlen(payload), frame);

	ck_assert_int_eq(write(fd, frame, len), (ssize_t)len);
}

const char *ask(int fd, const char *payload)
{
	send_packet(fd, payload);
	return receive(fd);
}

void wait_for(const unsigned *counter, unsigned n)
{
	while (*counter < n)
		turn(-1);
}
