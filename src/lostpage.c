/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lostpage.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#define PAGE 4096u

/* Global as the signal is. */
static uv_async_t told;
static void (*lost_fn)(void *arg, size_t pages);
static void *lost_arg;
static size_t lost_pages;

/*
 * On the thread that touched it, maybe in the middle of a copy, which then goes on.  Nothing here that POSIX forbids a
 * handler but mmap(), which in Linux is nothing but the system call.
 */
static void on_bus_error(int sig, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1);
	void *p = MAP_FAILED;

	(void)context;
	if (info->si_code == BUS_ADRERR)
		p = mmap((void *)page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (p == MAP_FAILED) {
		/* bad memory of the host, or a large page: the access is tried again, and ends the program */
		signal(sig, SIG_DFL);
		return;
	}
	__atomic_fetch_add(&lost_pages, 1, __ATOMIC_RELAXED);
	uv_async_send(&told);
}

static void on_told(uv_async_t *h)
{
	size_t n = __atomic_exchange_n(&lost_pages, 0, __ATOMIC_RELAXED);

	(void)h;
	if (n)
		lost_fn(lost_arg, n);
}

int lostpage_watch(uv_loop_t *loop, void (*lost)(void *arg, size_t pages), void *arg, struct err *err)
{
	struct sigaction sa = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_RESTART };
	int r = uv_async_init(loop, &told, on_told);

	if (r)
		return err_set(err, -r, "cannot wake the loop: %s", uv_strerror(r));
	uv_unref((uv_handle_t *)&told);
	lost_fn = lost;
	lost_arg = arg;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
	return 0;
}

void lostpage_unwatch(void)
{
	if (!lost_fn)
		return;
	signal(SIGBUS, SIG_DFL);
	lost_fn = NULL;
	uv_close((uv_handle_t *)&told, NULL);
}
