/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include "util/rawtty.h"

#define FEW_FDS         12              /* a limit of descriptors below which nothing can be begun */
#define MMAP_BYTES      (1 << 20)       /* larger pieces of memory are mappings of their own */

static const int ends[] = { SIGTERM, SIGHUP, SIGINT };

int process_begin(struct err *err)
{
	int fd;

	/* What cannot be written is an error of that write, also at a limit of a file's size. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* The 16 MiB of a client that read nothing are given back; left to itself, malloc() would keep as much. */
	mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	/* libuv ends the process when it has none for its own pipes. */
	fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FEW_FDS);
	if (fd < 0 && errno != EBADF)
		return err_set(err, EMFILE, "too few file descriptors are allowed (ulimit -n)");
	if (fd >= 0)
		close(fd);
	return 0;
}

static void on_end(uv_signal_t *h, int signum)
{
	struct process *p = h->data;

	p->events.end(p->events.arg, signum);
}

static void on_resume(uv_signal_t *h, int signum)
{
	struct process *p = h->data;

	(void)signum;
	rawtty_resume();
	p->events.resume(p->events.arg);
}

static void on_suspend(uv_signal_t *h, int signum)
{
	struct process *p = h->data;

	p->events.suspend(p->events.arg);
	rawtty_suspend();
	/* The signal's own effect, which the kernel leaves out where nobody could wake us. */
	uv_signal_stop(h);
	raise(signum);
	uv_signal_start(h, on_suspend, signum);
	on_resume(&p->resume, SIGCONT);
}

static int init(struct process *p, uv_loop_t *loop, uv_signal_t *h, struct err *err)
{
	int r = uv_signal_init(loop, h);

	h->data = p;
	return r ? err_set(err, -r, "signals cannot be waited for: %s", uv_strerror(r)) : 0;
}

int process_heed(struct process *p, uv_loop_t *loop, const struct process_events *ev, struct err *err)
{
	struct sigaction now;
	int r;

	p->events = *ev;
	r = init(p, loop, &p->suspend, err);
	if (!r)
		r = init(p, loop, &p->resume, err);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]) && !r; i++)
		r = init(p, loop, &p->end[i], err);
	if (r)
		return r;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		/* by nohup(1) */
		if (ends[i] == SIGHUP && !sigaction(SIGHUP, NULL, &now) && now.sa_handler == SIG_IGN)
			continue;
		uv_signal_start(&p->end[i], on_end, ends[i]);
	}
	return 0;
}

void process_leave_interrupt(struct process *p)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i] == SIGINT)
			uv_signal_stop(&p->end[i]);
}

void process_share_terminal(struct process *p)
{
	uv_signal_start(&p->suspend, on_suspend, SIGTSTP);
	uv_signal_start(&p->resume, on_resume, SIGCONT);
}
