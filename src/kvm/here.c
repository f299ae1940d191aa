/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/here.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "arch/arch.h"
#include "util/clock.h"

/* Not in every C library. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define TICK_NS      1000000    /* a vCPU leaves at the second tick: after one to two milliseconds */
#define IDLE_TICKS   2          /* without a vCPU, until the timer is stopped */
#define FREE_NS      200000     /* a move that costs no more is none to think about */
#define SLOW_MOVES   3
#define SHORT_RUNS   1000       /* in a row, before one that costs more is made */

struct here {
	timer_t timer;
	bool has_timer;
	/* The signal's handler runs on the same thread. */
	volatile bool armed;
	struct vcpu *volatile v;        /* who runs */
	volatile unsigned ticks;        /* since it began, or since nobody runs */
	enum { MOVES_UNKNOWN, MOVES_FREE, MOVES_COST } moves;
	unsigned slow;                  /* moves that took long, one after another */
	unsigned shorts;
};

static int tick_signal(void)
{
	return SIGRTMIN + 1;
}

static void set_timer(struct here *h, bool on)
{
	const struct timespec tick = { .tv_nsec = on ? TICK_NS : 0 };
	const struct itimerspec t = { .it_interval = tick, .it_value = tick };

	h->armed = on;
	timer_settime(h->timer, 0, &t, NULL);
}

/* Its coming ends KVM_RUN.  If it comes before that, `pause` or immediate_exit is seen. */
static void on_tick(int sig, siginfo_t *info, void *context)
{
	struct here *h = info->si_value.sival_ptr;
	struct vcpu *v = h->v;
	int saved = errno;

	(void)sig;
	(void)context;
	if (info->si_code != SI_TIMER)
		return;
	if (h->ticks++ && v) {
		atomic_store(&v->vm->ctl.pause, true);
		__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	} else if (!v && h->ticks >= IDLE_TICKS)
		set_timer(h, false);
	errno = saved;
}

int here_new(struct here **ret, struct err *err)
{
	struct sigaction sa = { .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct here *h = calloc(1, sizeof(*h));
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = tick_signal() };
	sigset_t set;

	if (!h)
		return err_set(err, ENOMEM, "out of memory");
	sigaction(tick_signal(), &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, tick_signal());
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ev.sigev_value.sival_ptr = h;
	ev.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	h->has_timer = !timer_create(CLOCK_MONOTONIC, &ev, &h->timer);
	*ret = h;
	return 0;
}

void here_free(struct here *h)
{
	const struct timespec now = { 0 };
	sigset_t set, old;

	if (!h)
		return;
	/* One that is on its way would find H gone. */
	sigemptyset(&set);
	sigaddset(&set, tick_signal());
	pthread_sigmask(SIG_BLOCK, &set, &old);
	if (h->has_timer)
		timer_delete(h->timer);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	free(h);
}

/*
 * What it costs that another thread than the last one calls KVM_RUN: Linux before 6.13 waits for all readers of the vCPU's thread
 * id.  The guest is not entered.
 */
static void measure(struct here *h, struct vcpu *v)
{
	uint64_t start = clock_ns();

	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	kvm_ioctl_num(v->fd, KVM_RUN, 0);
	v->ran = RAN_HERE;
	/* Once may have been somebody else's time slice. */
	if (clock_ns() - start <= FREE_NS)
		h->moves = MOVES_FREE;
	else if (++h->slow == SLOW_MOVES)
		h->moves = MOVES_COST;
}

bool here_wanted(struct here *h, struct vcpu *v)
{
	if (!h->has_timer || !v->vm->kvm.immediate_exit || (arch.own_thread && arch.own_thread(v)))
		return false;
	if (v->ran == RAN_ON_THREAD && h->moves == MOVES_UNKNOWN)
		measure(h, v);
	return v->ran != RAN_ON_THREAD || h->moves != MOVES_COST || h->shorts >= SHORT_RUNS;
}

void here_run(struct here *h, struct vcpu *v)
{
	h->ticks = 0;
	h->v = v;
	if (!h->armed)
		set_timer(h, true);
	vcpu_run_here(v);
	h->v = NULL;
	h->ticks = 0;
	here_count(h, v->has_event);
}

void here_count(struct here *h, bool short_run)
{
	if (!short_run)
		h->shorts = 0;
	else if (h->shorts < SHORT_RUNS)
		h->shorts++;
}

bool here_moves_freely(const struct here *h)
{
	return h->moves == MOVES_FREE;
}
