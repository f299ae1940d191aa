/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/serial_line.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uv_loop_t loop;
uv_timer_t guard;
struct serial *serial;
struct serial_vm vm;

static char dir[] = "/tmp/check_serial.XXXXXX";

static void vm_observe(struct machine *m, struct observer *o)
{
	(void)m;
	vm.observer = o;
	vm.observers++;
}

static void vm_unobserve(struct machine *m, struct observer *o)
{
	(void)m;
	ck_assert_ptr_eq(o, vm.observer);
	vm.observer = NULL;
	vm.observers--;
}

static int vm_serial_send(struct machine *m, const uint8_t *data, size_t len, struct err *err)
{
	(void)m;
	if (vm.full) {
		vm.refused++;
		return err_set(err, ENOSPC, "full");
	}
	ck_assert_uint_le(vm.ninput + len, sizeof(vm.input) - 1);
	memcpy(vm.input + vm.ninput, data, len);
	vm.ninput += len;
	return 0;
}

static const struct machine_ops vm_ops = {
	.observe = vm_observe,
	.unobserve = vm_unobserve,
	.serial_send = vm_serial_send,
};

void send_bytes(const void *data, size_t len)
{
	vm.observer->serial_output(vm.observer, data, len);
}

void guest_sends(const char *s)
{
	send_bytes(s, strlen(s));
}

void line_on_guard(uv_timer_t *t)
{
	(void)t;
	ck_abort_msg("waited in vain");
}

static void on_peer(uv_poll_t *h, int status, int events)
{
	struct peer *p = h->data;
	ssize_t n;

	(void)status;
	(void)events;
	n = read(p->fd, p->data + p->len, PEER_BYTES - 1 - p->len);
	if (n > 0) {
		p->len += (size_t)n;
		p->data[p->len] = '\0';
	} else if (n == 0 || errno != EAGAIN) {
		p->eof = true;
		uv_poll_stop(h);
	}
}

struct peer *new_peer(int fd)
{
	struct peer *p = calloc(1, sizeof(*p));

	p->data = calloc(1, PEER_BYTES);
	p->fd = fd;
	ck_assert_int_eq(uv_poll_init(&loop, &p->poll, fd), 0);
	p->poll.data = p;
	return p;
}

void listen_to(struct peer *p)
{
	ck_assert_int_eq(uv_poll_start(&p->poll, UV_READABLE, on_peer), 0);
}

static void free_peer_memory(uv_handle_t *h)
{
	struct peer *p = h->data;

	free(p->data);
	free(p);
}

void free_peer(struct peer *p)
{
	uv_close((uv_handle_t *)&p->poll, free_peer_memory);
	close(p->fd);
}

void say(struct peer *p, const char *s)
{
	ck_assert_int_eq(write(p->fd, s, strlen(s)), (ssize_t)strlen(s));
}

void line_init(void)
{
	signal(SIGPIPE, SIG_IGN);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	uv_timer_init(&loop, &guard);
	vm.machine.ops = &vm_ops;
}

void end_serial(void)
{
	serial_free(serial);
	serial = NULL;
}

void line_done(void)
{
	end_serial();
	ck_assert_uint_eq(vm.observers, 0);
	uv_close((uv_handle_t *)&guard, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	ck_assert_msg(rmdir(dir) == 0, "%s: %s", dir, strerror(errno));
}

void open_serial(const char *addr)
{
	struct err err = { 0 };

	ck_assert_msg(serial_new(&loop, &vm.machine, addr, &serial, &err) == 0, "%s", err.msg);
}

const char *in_dir(const char *prefix, const char *name)
{
	static char text[4200];

	snprintf(text, sizeof(text), "%s%s/%s", prefix, dir, name);
	return text;
}

void expect_file(const char *name, const char *want)
{
	FILE *f = fopen(in_dir("", name), "r");
	char is[256] = "";
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(is, 1, sizeof(is) - 1, f);
	is[n] = '\0';
	fclose(f);
	ck_assert_str_eq(is, want);
}

void make_file(const char *name, const char *content)
{
	FILE *f = fopen(in_dir("", name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(content, f);
	fclose(f);
}
