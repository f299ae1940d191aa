/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is looked after while the guest runs, and before it does: whatever depends on what it has mapped and loaded. */
#include <sys/timerfd.h>
#include <unistd.h>

#include "arch/arch.h"
#include "kvm/catch.h"
#include "kvm/debug.h"
#include "kvm/guest_mem.h"
#include "kvm/machine_priv.h"
#include "break/watch.h"
#include "util/clock.h"

#define TICK_NS        1000000          /* while something waits for memory to be mapped, or is asked for by a catchpoint */
#define TICK_SLOW_NS   10000000         /* while only overwritten traps are looked for */
#define START_BUDGET   256              /* breakpoints and pages that a start looks at, at most */
#define GUARD_ROUNDS   16               /* changes of breakpoints that a page outlives without any: clients take all out at a stop */
#define START_TRAPS    32               /* traps that a start looks at */
#define TICK_TRAPS     4000             /* and a tick */

/* Breakpoints that no debug register stands for. */
static bool pending_without_register(struct vm *vm)
{
	size_t in_registers = 0;

	for (unsigned i = 0; i < vm->nhw; i++)
		for (const struct breakpoint *b = vm->hw[i].size ? NULL : break_first(vm->breaks, vm->hw[i].gva); b;
		     b = break_next(b))
			in_registers += b->spec.kind == BREAK_SOFT && !b->site;
	return break_pending(vm->breaks) > in_registers;
}

static bool wants_tick(struct machine_kvm *k)
{
	return pending_without_register(&k->vm) || watch_pending(k->vm.watches) || catch_wants_tick(k->vm.catches);
}

static long tick_period(struct machine_kvm *k)
{
	return wants_tick(k) ? TICK_NS : break_sites(k->vm.breaks) ? TICK_SLOW_NS : 0;
}

static void set_timer(struct machine_kvm *k, long ns)
{
	struct itimerspec t = { .it_interval.tv_nsec = ns, .it_value.tv_nsec = ns };

	if (ns == k->tick_ns)
		return;
	k->tick_ns = ns;
	k->tick_due = clock_ns() + (uint64_t)ns;
	timerfd_settime(k->timer_fd, 0, &t, NULL);
}

/* The guest is brought out where something has to be done; start() does it. */
void run_tick(struct machine_kvm *k)
{
	uint64_t times;

	if (!k->tick_ns || clock_ns() < k->tick_due || read(k->timer_fd, &times, sizeof(times)) != sizeof(times))
		return;
	k->tick_due += times * (uint64_t)k->tick_ns;
	/* A start puts it on again. */
	if (k->state != MACHINE_RUNNING || !tick_period(k)) {
		set_timer(k, 0);
		return;
	}
	if (k->holds || !atomic_load(&k->vm.ctl.running))
		return;
	if (wants_tick(k) || break_overwritten(k->vm.breaks, TICK_TRAPS))
		vm_pause_soon(&k->vm);
}

/* What data registers compare with: anybody may have written there since. */
static void refresh_watches(struct vm *vm)
{
	struct watchpoint *w;

	for (size_t i = 0; i < watch_count(vm->watches); i++) {
		w = watch_at(vm->watches, i);
		if (w->in_registers)
			guest_mem_read(vm->cpus[w->spec.cpu], w->spec.gva, w->last, w->spec.size, NULL);
	}
}

static void guard_page(void *arg, uint8_t *page)
{
	watch_guard(arg, page);
}

/*
 * Where breakpoints have more bytes than there are registers to stand in for them, writes to their pages are seen: the guest may be
 * loading its code.  Returns whether rights changed.  Registers that watch data would not see what is written that way, and somebody
 * has to carry it out.
 */
static bool guard(struct machine_kvm *k)
{
	struct vm *vm = &k->vm;
	uint64_t generation = break_generation(vm->breaks);
	size_t pages = break_page_count(vm->breaks);
	bool changed = generation != k->guarded;

	if (!changed && !atomic_exchange(&vm->guard_overrun, false))
		return false;
	k->guarded = generation;
	if (arch.watched_mmio && break_sites(vm->breaks) > BREAK_REGISTERS && pages <= WATCH_GUARDS_MAX &&
	    !watch_registers(vm->watches))
		break_pages(vm->breaks, guard_page, vm->watches);
	watch_guards_sweep(vm->watches, GUARD_ROUNDS);
	return true;
}

/* Everything that depends on what the guest has mapped and loaded.  All parked. */
void run_prepare(struct machine_kvm *k)
{
	struct vm *vm = &k->vm;
	bool carve = k->carve_owed;
	long period;

	if (break_pending(vm->breaks)) {
		break_have_registers(vm->breaks, debug_breakpoint_registers(vm));
		break_resolve(vm->breaks, START_BUDGET);
	}
	if (break_sites(vm->breaks))
		break_verify(vm->breaks, START_TRAPS);
	if (watch_pending(vm->watches))
		carve |= watch_resolve(vm->watches, START_BUDGET);
	carve |= guard(k);
	if (carve)
		k->carve_owed = slots_carve(vm->slots, NULL);
	catch_follow(vm->catches);
	debug_plan(vm);
	refresh_watches(vm);
	period = tick_period(k);
	/* A tick for nothing puts it off: clients take their breakpoints out at every stop. */
	if (period)
		set_timer(k, period);
}
