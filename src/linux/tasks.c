/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks: of a vCPU, and all of them. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "linux/kernel.h"
#include "linux/priv.h"

#define CPUS_MAX  64            /* of machine.h */
#define PF_KTHREAD 0x00200000u
#define TASK_IDLE  0x402u       /* uninterruptible, and not part of the load */
#define TASK_STUCK 0x9000u      /* waits for a lock as real-time kernels have them, or is frozen */

/* By the lowest numbers of bits of state and exit_state, from 4.14 on. */
static const char states[] = "RSDTtXZP";

static char state_of(uint64_t state, uint64_t exit_state)
{
	uint64_t bits = (state | exit_state) & 0x7f;
	unsigned n = 0;

	if ((state & TASK_IDLE) == TASK_IDLE)
		return 'I';
	while (bits >> n)
		n++;
	return !n && (state & TASK_STUCK) ? 'D' : states[n];
}

/* -- of a vCPU -- */

/* Where the variables of the CPU are that V is: the gs base in use, or the one that user code has put away. */
static int percpu_base(struct kernel *k, unsigned cpu, uint64_t *ret, struct err *err)
{
	uint64_t offsets[CPUS_MAX], at, gs[2], n = CPUS_MAX;

	if (!k->s.gs(k->s.arg, cpu, gs))
		return err_set(err, EINVAL, "no vCPU %u", cpu);
	if (kernel_symbol(k, "__per_cpu_offset", &at, NULL)) {
		*ret = 0;       /* a kernel for one CPU has them once */
		return 0;
	}
	/* Fewer may be there. */
	while (n && !kernel_read(k, at, offsets, n * sizeof(offsets[0])))
		n /= 2;
	for (unsigned g = 0; g < 2; g++)
		for (uint64_t i = 0; i < n; i++)
			if (gs[g] && offsets[i] == gs[g]) {
				*ret = gs[g];
				return 0;
			}
	return err_set(err, EAGAIN, "the kernel has not taken up vCPU %u yet", cpu);
}

static int current_gva(struct kernel *k, unsigned cpu, uint64_t *ret, struct err *err)
{
	static const char *const symbols[] = { "current_task", "const_current_task", "pcpu_hot" };
	uint64_t base, at, task;
	int r = percpu_base(k, cpu, &base, err);

	if (r)
		return r;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		if (kernel_symbol(k, symbols[i], &at, NULL))
			continue;
		/*
		 * pcpu_hot begins with it.  From 6.15 on they have addresses in the kernel, to which the base is added,
		 * too.
		 */
		if (!kernel_pointer(k, base + at, &task))
			return err_set(err, EBADMSG, "the variables of vCPU %u cannot be read", cpu);
		if (!task)
			return err_set(err, EAGAIN, "the kernel has not taken up vCPU %u yet", cpu);
		*ret = task;
		return 0;
	}
	return err_set(err, ENOTSUP, "the symbols have none that tells a CPU's task");
}

static bool read_task(struct kernel *k, uint64_t gva, struct kernel_task *ret)
{
	uint64_t pid, tgid, parent, flags, state, ended = 0, cpu;
	struct kernel_task t = { .gva = gva, .cpu = -1 };

	if (!kernel_get(k, gva, TASK_PID, &pid) || !kernel_get(k, gva, TASK_TGID, &tgid) ||
	    !kernel_get(k, gva, TASK_FLAGS, &flags) || !kernel_get(k, gva, TASK_STATE, &state) ||
	    !kernel_read(k, gva + kernel_offset(k, TASK_COMM), t.comm, sizeof(t.comm)))
		return false;
	t.comm[sizeof(t.comm) - 1] = '\0';
	kernel_clean(t.comm);
	t.pid = (int)pid;
	t.tgid = (int)tgid;
	t.kernel = flags & PF_KTHREAD;
	kernel_get(k, gva, TASK_EXIT_STATE, &ended);
	t.state = state_of(state, ended);
	if (kernel_get(k, gva, TASK_PARENT, &parent) && kernel_get(k, parent, TASK_TGID, &tgid))
		t.parent = (int)tgid;
	if (kernel_get(k, gva, TASK_CPU, &cpu))
		t.cpu = (int)(uint32_t)cpu;
	*ret = t;
	return true;
}

static int need_fields(struct kernel *k, struct err *err)
{
	return kernel_fields(k, TASK_TASKS, TASK_STATE, err);
}

int kernel_current(struct kernel *k, unsigned cpu, struct kernel_task *ret, struct err *err)
{
	uint64_t gva;
	int r = need_fields(k, err);

	if (!r)
		r = current_gva(k, cpu, &gva, err);
	if (r)
		return r;
	if (!read_task(k, gva, ret))
		return err_set(err, EBADMSG, "what should be vCPU %u's task, at 0x%" PRIx64 ", is none", cpu, gva);
	ret->running = true;
	ret->cpu = (int)cpu;
	return 0;
}

/* -- all -- */

struct tour {
	struct kernel *k;
	bool (*each)(void *arg, const struct kernel_task *t);
	void *arg;
	struct {
		uint64_t gva;
		bool told;
	} current[CPUS_MAX];
	unsigned ncpus, n;
	bool ended;             /* EACH has had enough */
};

/* False: it cannot be read. */
static bool tell(struct tour *x, uint64_t gva)
{
	struct kernel_task t;

	if (!read_task(x->k, gva, &t))
		return false;
	for (unsigned i = 0; i < x->ncpus; i++)
		if (x->current[i].gva == gva) {
			x->current[i].told = t.running = true;
			t.cpu = (int)i;
		}
	x->n++;
	x->ended = !x->each(x->arg, &t);
	return true;
}

static void get_current(struct tour *x)
{
	uint64_t gs[2];
	unsigned i;

	for (i = 0; i < CPUS_MAX && x->k->s.gs(x->k->s.arg, i, gs); i++)
		if (current_gva(x->k, i, &x->current[i].gva, NULL))
			x->current[i].gva = 0;
	x->ncpus = i;
}

/* What idle CPUs run is in no list, but for the first one's. */
static void tell_idle(struct tour *x, uint64_t first)
{
	uint64_t pid;

	for (unsigned i = 0; i < x->ncpus && !x->ended; i++)
		if (x->current[i].gva && !x->current[i].told && x->current[i].gva != first &&
		    kernel_get(x->k, x->current[i].gva, TASK_PID, &pid) && !pid)
			tell(x, x->current[i].gva);
}

/* The threads of the process whose first one is at LEADER. */
static bool tell_process(struct tour *x, uint64_t leader)
{
	struct kernel *k = x->k;
	struct kernel_walk w;
	uint64_t signal, at, gva;
	bool leader_told = false;

	if (!kernel_has(k, TASK_THREAD_NODE) || !kernel_has(k, SIGNAL_THREADS) ||
	    !kernel_get(k, leader, TASK_SIGNAL, &signal) || !signal)
		return tell(x, leader);
	kernel_walk_begin(&w, signal + kernel_offset(k, SIGNAL_THREADS), KERNEL_TASKS_MAX);
	while (!x->ended && kernel_walk_next(k, &w, &at)) {
		gva = at - kernel_offset(k, TASK_THREAD_NODE);
		leader_told |= gva == leader;
		if (x->n >= KERNEL_TASKS_MAX || !tell(x, gva))
			return false;
	}
	/* One that is being made is in the list of processes before it is in its own. */
	if (!leader_told && !x->ended)
		return tell(x, leader) && !w.broken;
	return !w.broken;
}

int kernel_tasks(struct kernel *k, bool (*each)(void *arg, const struct kernel_task *t), void *arg, struct err *err)
{
	struct tour x = { .k = k, .each = each, .arg = arg };
	struct kernel_walk w;
	uint64_t init, at;
	int r = need_fields(k, err);

	if (!r && kernel_symbol(k, "init_task", &init, NULL))
		r = err_set(err, ENOTSUP, "the symbols have no init_task");
	if (r)
		return r;
	get_current(&x);
	/* Its parent is itself, and so it is there from the start. */
	if (!tell(&x, init))
		return kernel_broken("tasks", 0, err);
	tell_idle(&x, init);
	kernel_walk_begin(&w, init + kernel_offset(k, TASK_TASKS), KERNEL_TASKS_MAX);
	while (!x.ended && kernel_walk_next(k, &w, &at))
		if (!tell_process(&x, at - kernel_offset(k, TASK_TASKS)))
			return kernel_broken("tasks", x.n, err);
	return w.broken && !x.ended ? kernel_broken("tasks", x.n, err) : 0;
}
