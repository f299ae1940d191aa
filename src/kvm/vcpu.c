/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/vcpu.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"
#include "kvm/exitlog.h"
#include "kvm/ring.h"
#include "util/clock.h"

/* How long a vCPU that has just parked looks at its gate before it sleeps: longer than a client takes between two steps. */
#define PARK_SPIN_NS 40000

#define KERNEL_SIGSET 8u        /* bytes of the kernel's sigset_t, the first of the C library's */

static __thread struct vcpu *self;

struct vcpu *vcpu_self(void)
{
	return self;
}

static void futex_wait(atomic_uint *word, unsigned value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *word, int n)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

/* A signal ends KVM_RUN by its arrival; there is nothing to do. */
static void on_kick(int sig)
{
	(void)sig;
}

static int kick_signal(void)
{
	return SIGRTMIN;
}

/*
 * Where KVM has no immediate_exit (before Linux 4.11), the signal is blocked in the vCPU's thread and KVM_RUN unblocks it (api.rst 4.17):
 * one that came before waits there and ends KVM_RUN at once, when what was pending is completed.  Afterwards it is taken.
 */
static void signal_set(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, kick_signal());
}

/* V goes on, or the pause before has been seen: a kick that came is not the next run's. */
static void forget_kick(struct vcpu *v)
{
	const struct timespec now = { 0 };
	sigset_t set;

	if (v->vm->kvm.immediate_exit) {
		__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
		return;
	}
	signal_set(&set);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
}

/* The next KVM_RUN does what is pending and comes back.  V's thread, or the loop thread for one that has immediate_exit. */
static void kick_self(struct vcpu *v)
{
	if (v->vm->kvm.immediate_exit)
		__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	else
		pthread_kill(pthread_self(), kick_signal());
}

/* Has KVM_RUN unblock the signal. */
static int set_run_mask(struct vcpu *v, struct err *err)
{
	struct {
		struct kvm_signal_mask head;
		uint8_t set[KERNEL_SIGSET];
	} mask = { .head.len = KERNEL_SIGSET };
	sigset_t all;
	int r;

	if (v->vm->kvm.immediate_exit)
		return 0;
	sigfillset(&all);
	sigdelset(&all, kick_signal());
	memcpy(mask.set, &all, KERNEL_SIGSET);
	r = kvm_ioctl(v->fd, KVM_SET_SIGNAL_MASK, &mask);
	return r ? err_errno(err, -r, "vCPU %u: KVM_SET_SIGNAL_MASK", v->id) : 0;
}

/* After `pause` was set: whoever finds `inside` has either not looked at it yet, or is in KVM_RUN or about to be. */
void vcpu_kick(struct vcpu *v)
{
	if (v == self || !v->has_thread || !atomic_load(&v->inside))
		return;
	/* For the one about to be: the signal may come before KVM_RUN, which then returns at once. */
	if (v->vm->kvm.immediate_exit)
		__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(v->runner, kick_signal());
}

void vm_pause(struct vm *vm)
{
	atomic_store(&vm->ctl.pause, true);
	for (unsigned i = 0; i < vm->ncpus; i++)
		vcpu_kick(vm->cpus[i]);
	com1_paused(vm->com1);
	arch.wake(vm);
	/* Those that wait for a step over look at `pause` again. */
	if (atomic_load(&vm->ctl.overs))
		futex_wake(&vm->ctl.overs, INT32_MAX);
}

static void pause_if_owed(struct vm *vm)
{
	if (atomic_load(&vm->ctl.pause_owed) && atomic_exchange(&vm->ctl.pause_owed, false))
		vm_pause(vm);
}

void vm_pause_soon(struct vm *vm)
{
	atomic_store(&vm->ctl.pause_owed, true);
	if (!atomic_load(&vm->ctl.overs))
		pause_if_owed(vm);
}

void vm_notify(struct vm *vm)
{
	uint64_t one = 1;
	ssize_t n;

	if (atomic_exchange(&vm->ctl.notified, true))
		return;
	do
		n = write(vm->ctl.event_fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);        /* a full counter is readable, which is all that is wanted */
}

void vm_drain(struct vm *vm)
{
	uint64_t count;

	/*
	 * Nothing to read yet: somebody is about to write, and the loop will be back for it.  The flag goes last: who finds it
	 * still set has changed what the caller is about to look at.
	 */
	if (atomic_load(&vm->ctl.notified) && read(vm->ctl.event_fd, &count, sizeof(count)) == sizeof(count))
		atomic_store(&vm->ctl.notified, false);
}

bool vm_wait_parked(struct vm *vm, unsigned spin_us, unsigned wait_ms)
{
	struct pollfd pfd = { .fd = vm->ctl.event_fd, .events = POLLIN };
	uint64_t start = clock_ns();
	bool parked;

	if (!atomic_load(&vm->ctl.running))
		return true;
	atomic_store(&vm->ctl.loop_spins, true);
	do {
		parked = !atomic_load(&vm->ctl.running);
		if (!parked)
			cpu_relax();
	} while (!parked && clock_ns() - start < spin_us * 1000ull);
	atomic_store(&vm->ctl.loop_spins, false);
	/* One that parked between the last look and here woke nobody: look again, now that others will. */
	while (!(parked = !atomic_load(&vm->ctl.running)) && clock_ns() - start < wait_ms * 1000000ull) {
		poll(&pfd, 1, (int)wait_ms);
		vm_drain(vm);
	}
	/* What was drained may have stood for other news. */
	if (wait_ms)
		vm_notify(vm);
	return parked;
}

void vcpu_event(struct vcpu *v, const struct stop_event *ev)
{
	if (!v->has_event) {
		v->event = *ev;
		v->event.cpu = v->id;
		v->event.pc = arch.pc(v);
		v->has_event = true;
	}
	vm_pause(v->vm);
}

void vcpu_failed(struct vcpu *v, const char *call, int r)
{
	struct stop_event ev = { .reason = STOP_ERROR };

	snprintf(ev.text, sizeof(ev.text), "%s: %s", call, strerror(-r));
	vcpu_event(v, &ev);
}

static void park(struct vcpu *v)
{
	struct run_ctl *c = &v->vm->ctl;
	unsigned open = GATE_OPEN;

	/* What it cannot be given now it gets at the next entry. */
	arch.settle(v);
	atomic_compare_exchange_strong(&v->gate, &open, GATE_CLOSED);   /* GATE_QUIT stays */
	if (atomic_fetch_sub(&c->running, 1) == 1 && !atomic_load(&c->loop_spins))
		vm_notify(v->vm);
}

/* Waits until the gate opens; false: the thread is to end. */
static bool wait_gate(struct vcpu *v, bool spin)
{
	uint64_t start = spin ? clock_ns() : 0;

	while (spin && atomic_load(&v->gate) == GATE_CLOSED && clock_ns() - start < PARK_SPIN_NS)
		cpu_relax();
	atomic_store(&v->asleep, true);
	while (atomic_load(&v->gate) == GATE_CLOSED)
		futex_wait(&v->gate, GATE_CLOSED);
	atomic_store(&v->asleep, false);
	return atomic_load(&v->gate) != GATE_QUIT;
}

void vcpu_open_gate(struct vcpu *v)
{
	atomic_store(&v->gate, GATE_OPEN);
	if (atomic_load(&v->asleep))
		futex_wake(&v->gate, 1);
}

/* Until nobody has to go alone any more, or a pause. */
static void wait_overs(struct run_ctl *c)
{
	unsigned overs;

	while ((overs = atomic_load(&c->overs)) && !atomic_load(&c->pause))
		futex_wait(&c->overs, overs);
}

bool vcpu_enter(struct vcpu *v)
{
	struct run_ctl *c = &v->vm->ctl;
	bool awake;
	int r;

	for (;;) {
		forget_kick(v);
		/* From here on a pause, an interrupt, or somebody's wish to be alone, is either seen below or comes with a kick. */
		atomic_store(&v->inside, true);
		awake = arch.awake(v);
		if (awake && !atomic_load(&c->pause) && (v->alone || !atomic_load(&c->overs)))
			break;
		atomic_store(&v->inside, false);
		if (atomic_load(&c->pause))
			return false;
		if (awake)
			wait_overs(c);
		else
			arch.wait(v);
	}
	arch.enter(v);
	r = kvm_ioctl_num(v->fd, KVM_RUN, 0);
	atomic_store(&v->inside, false);
	arch.left(v, r);
	exitlog_note(v->vm->exits, v, r);
	return vcpu_handle_exit(v, r);
}

void vcpu_complete_io(struct vcpu *v)
{
	/* An access in several parts exits once for each. */
	while (v->needs_completion) {
		int r;

		v->needs_completion = false;
		kick_self(v);
		r = kvm_ioctl_num(v->fd, KVM_RUN, 0);
		if (arch.io_completed)
			arch.io_completed(v);
		if (r != -EINTR)
			vcpu_handle_exit(v, r);
	}
}

void vcpu_lock(struct vcpu *v)
{
	if (v == self && !v->locked++)
		pthread_mutex_lock(&v->vm->ctl.over_lock);
}

void vcpu_unlock(struct vcpu *v)
{
	if (v == self && !--v->locked)
		pthread_mutex_unlock(&v->vm->ctl.over_lock);
}

void vcpu_want_alone(struct vcpu *v, unsigned reason)
{
	struct vm *vm = v->vm;

	if (!v->over)
		atomic_fetch_add(&vm->ctl.overs, 1);
	v->over |= reason;
}

/* Brings all others out of the guest, where `overs` keeps them.  False: a pause came. */
static bool others_out(struct vcpu *v)
{
	const struct vm *vm = v->vm;

	for (unsigned i = 0; i < vm->ncpus; i++) {
		struct vcpu *other = vm->cpus[i];
		bool kicked = false;

		while (other != v && atomic_load(&other->inside)) {
			if (atomic_load(&vm->ctl.pause))
				return false;
			if (!kicked)
				vcpu_kick(other);
			kicked = true;
			sched_yield();
		}
	}
	return !atomic_load(&vm->ctl.pause);
}

/* It was counted in `overs` already, by vcpu_want_alone() or the loop thread. */
bool vcpu_step_alone(struct vcpu *v)
{
	struct run_ctl *c = &v->vm->ctl;
	bool done;

	vcpu_lock(v);
	v->alone = true;
	done = others_out(v) && arch.step_alone(v);
	v->alone = false;
	vcpu_unlock(v);
	/* What a pause cut short is still owed. */
	if (done || v->has_event)
		v->over = 0;
	/* Nobody waits who does not run. */
	if (atomic_fetch_sub(&c->overs, 1) == 1 && atomic_load(&c->running) > 1)
		futex_wake(&c->overs, INT32_MAX);
	pause_if_owed(v->vm);
	/* Those that waited come first: else this one may be at its next breakpoint before they have begun. */
	if (atomic_load(&c->running) > 1)
		sched_yield();
	return done;
}

static void run_guest(struct vcpu *v)
{
	bool stepped;

	arch.resumed(v);
	/* Arriving at the same pc again is news. */
	if (!v->over)
		v->stop_pc_valid = false;
	do {
		stepped = false;
		if (v->over) {
			stepped = vcpu_step_alone(v);
			if (v->over)
				break;
			v->stop_pc_valid = false;
			arch.settle_watches(v);
		}
		if (v->has_event)
			break;
		if (v->act.kind == ACT_CONT) {
			arch.prepare_run(v);
			while (vcpu_enter(v))
				;
		} else
			arch.run_steps(v, stepped);
		vcpu_complete_io(v);
		arch.settle_watches(v);
	} while (!v->has_event && !atomic_load(&v->vm->ctl.pause));
	vcpu_complete_io(v);
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;

	self = v;
	while (wait_gate(v, atomic_load(&v->vm->ctl.park_spins))) {
		v->ran = RAN_ON_THREAD;
		run_guest(v);
		park(v);
	}
	return NULL;
}

void vcpu_run_here(struct vcpu *v)
{
	struct run_ctl *c = &v->vm->ctl;

	self = v;
	v->runner = pthread_self();
	v->here = true;
	v->ran = RAN_HERE;
	atomic_store(&c->loop_spins, true);
	run_guest(v);
	park(v);
	atomic_store(&c->loop_spins, false);
	v->here = false;
	v->runner = v->thread;
	self = NULL;
}

void vcpu_waits_for_loop(struct vcpu *v)
{
	if (v->here)
		atomic_store(&v->vm->ctl.pause, true);
}

int vcpu_new(struct vm *vm, unsigned id, struct vcpu **ret, struct err *err)
{
	struct vcpu *v = calloc(1, sizeof(*v));
	void *run;
	int r;

	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	v->vm = vm;
	v->id = id;
	v->fd = kvm_ioctl_num(vm->kvm.vm_fd, KVM_CREATE_VCPU, id);
	if (v->fd < 0) {
		r = err_errno(err, -v->fd, "vCPU %u: KVM_CREATE_VCPU", id);
		goto fail;
	}
	run = mmap(NULL, vm->kvm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (run == MAP_FAILED) {
		r = err_errno(err, errno, "vCPU %u: mapping its run page", id);
		goto fail;
	}
	v->run = run;
	r = vm->rings ? rings_add(vm->rings, id, v->fd, err) : 0;
	if (r)
		goto fail;
	r = arch.cpu_new(v, err);
	if (r)
		goto fail;
	*ret = v;
	return 0;
fail:
	vcpu_free(v);
	return r;
}

int vcpu_start(struct vcpu *v, struct err *err)
{
	struct sigaction sa = { .sa_handler = on_kick };
	sigset_t all, old;
	int r;

	sigaction(kick_signal(), &sa, NULL);
	r = set_run_mask(v, err);
	if (r)
		return r;
	/* The thread takes the kick and what it brings upon itself (lostpage.h): all other signals are the loop thread's. */
	sigfillset(&all);
	if (v->vm->kvm.immediate_exit)
		sigdelset(&all, kick_signal());
	sigdelset(&all, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&v->thread, NULL, vcpu_main, v);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return err_errno(err, r, "vCPU %u: its thread", v->id);
	v->runner = v->thread;
	v->has_thread = true;
	return 0;
}

void vcpu_free(struct vcpu *v)
{
	if (!v)
		return;
	if (v->has_thread) {
		atomic_store(&v->gate, GATE_QUIT);
		futex_wake(&v->gate, 1);
		pthread_join(v->thread, NULL);
	}
	if (v->run)
		munmap(v->run, v->vm->kvm.run_size);
	if (v->fd >= 0)
		close(v->fd);
	arch.cpu_free(v);
	free(v);
}
