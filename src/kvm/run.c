/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop thread's side of the stop protocol: resuming, stopping, holding, and telling the observers.  A vCPU's action stays
 * its own until its event has been reported, so that a hold or a dropped event can go on where it was.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "kvm/catch.h"
#include "kvm/debug.h"
#include "kvm/kernel_view.h"
#include "kvm/machine_priv.h"
#include "kvm/rma.h"

/* A vCPU that cannot be brought out of the guest for this long will not come. */
#define PARK_SPIN_US     50
#define PARK_DEADLINE_MS 5000

enum machine_state run_state(struct machine *m)
{
	return machine_priv(m)->state;
}

const struct stop_event *run_last_stop(struct machine *m)
{
	return &machine_priv(m)->last_stop;
}

int run_event_fd(struct machine *m)
{
	return machine_priv(m)->poll_fd;
}

int run_check_parked(const struct machine_kvm *k, struct err *err)
{
	if (k->state == MACHINE_RUNNING && !k->holds)
		return err_set(err, EBUSY, "the guest is running");
	return 0;
}

void run_observe(struct machine *m, struct observer *o)
{
	struct machine_kvm *k = machine_priv(m);

	o->next = k->observers;
	k->observers = o;
}

void run_unobserve(struct machine *m, struct observer *o)
{
	for (struct observer **p = &machine_priv(m)->observers; *p; p = &(*p)->next)
		if (*p == o) {
			*p = o->next;
			return;
		}
}

/* The guest's chipset has other memory in some places now.  All parked. */
static void remap(struct machine_kvm *k)
{
	struct stop_event ev = { .reason = STOP_ERROR };
	struct vcpu *v = k->vm.cpus[0];
	struct err err;
	int r;

	if (!atomic_exchange(&k->remap_asked, false))
		return;
	breaks_suspend(k);
	r = arch.remap(k, &err);
	breaks_resume(k);
	if (!r || v->has_event)
		return;
	snprintf(ev.text, sizeof(ev.text), "the chipset's memory map: %.130s", err.msg);
	ev.pc = arch.pc(v);
	v->event = ev;
	v->has_event = true;
}

/* The one that GO has, if it is to begin on this thread. */
static struct vcpu *begins_here(struct machine_kvm *k, const bool *go)
{
	for (unsigned i = 0; i < k->vm.ncpus; i++)
		if (go[i])
			return here_wanted(k->here, k->vm.cpus[i]) ? k->vm.cpus[i] : NULL;
	return NULL;
}

/* Who was to begin here goes to its own thread: somebody is about to pause the machine. */
static void send_off(struct machine_kvm *k)
{
	struct vcpu *v = k->begins;

	k->begins = NULL;
	if (v)
		vcpu_open_gate(v);
}

/* Opens the gates of all vCPUs that have something to do.  Every one of them parked. */
static void start(struct machine_kvm *k)
{
	struct run_ctl *c = &k->vm.ctl;
	unsigned n = 0, overs = 0;
	bool go[MACHINE_CPUS_MAX] = { false };

	run_prepare(k);
	kernel_view_stale(k->kernel);

	for (unsigned i = 0; i < k->vm.ncpus; i++) {
		struct vcpu *v = k->vm.cpus[i];

		go[i] = v->act.kind != ACT_STAY && !v->has_event;
		if (!go[i])
			continue;
		n++;
		if (v->stop_pc_valid && v->stop_pc == arch.pc(v) && debug_at_breakpoint(v))
			v->over |= OVER_BREAK;
		overs += v->over != 0;
	}
	atomic_store(&c->overs, overs);
	atomic_store(&c->pause_owed, false);
	atomic_store(&c->pause, false);
	atomic_store(&c->running, n);
	/* Spinning threads are a gain only where each has a processor, and the loop thread one too, and is not to run the next step. */
	atomic_store(&c->park_spins, n < c->host_cpus && !here_moves_freely(k->here));
	if (n == 1 && k->fresh)
		k->begins = begins_here(k, go);
	k->fresh = false;
	if (k->begins)
		return;
	/* Whoever was reported last goes last: else one that hits at once keeps the others from ever running. */
	for (unsigned place = 0; place < k->vm.ncpus; place++) {
		unsigned i = (k->turn + place) % k->vm.ncpus;

		if (go[i])
			vcpu_open_gate(k->vm.cpus[i]);
	}
}

/* Whether a vCPU's event is still news: its breakpoint may have been removed, or its pc moved, since. */
static bool event_valid(struct vcpu *v)
{
	const struct watchpoint *w;

	if (!v->has_event)
		return false;
	switch (v->event.reason) {
	case STOP_BREAKPOINT:
		v->has_event = debug_hit_valid(v, &v->event);
		break;
	case STOP_WATCH:
		w = watch_find(v->vm->watches, &v->event.watch.spec);
		v->has_event = w && (w->owners & v->event.owners);
		break;
	case STOP_CATCH:
		v->has_event = catch_exists(v->vm->catches, v->event.catch_id);
		break;
	default:
		break;
	}
	return v->has_event;
}

static bool any_event(struct machine_kvm *k)
{
	for (unsigned i = 0; i < k->vm.ncpus; i++)
		if (k->vm.cpus[i]->act.kind != ACT_STAY && event_valid(k->vm.cpus[i]))
			return true;
	return false;
}

/* Goes on with what every vCPU was doing, or has what came meanwhile reported. */
static void start_or_report(struct machine_kvm *k)
{
	if (any_event(k) || k->stop_wanted || atomic_load(&k->reset_asked)) {
		k->report_now = true;
		vm_notify(&k->vm);
	} else
		start(k);
}

/* Gives the vCPUs their actions. */
static void take_actions(struct machine_kvm *k, const struct run_action *acts)
{
	for (unsigned i = 0; i < k->vm.ncpus; i++) {
		struct vcpu *v = k->vm.cpus[i];

		if (acts[i].kind == ACT_KEEP)
			continue;
		v->act = acts[i];
		/* A step that ended while another vCPU's event was reported answers the resume before this one. */
		if (v->has_event && v->event.reason == STOP_STEP && acts[i].kind != ACT_STAY)
			v->has_event = false;
	}
}

static bool any_to_run(const struct machine_kvm *k, const struct run_action *acts)
{
	for (unsigned i = 0; i < k->vm.ncpus; i++)
		if ((acts[i].kind == ACT_KEEP ? k->vm.cpus[i]->act.kind : acts[i].kind) != ACT_STAY)
			return true;
	return false;
}

/* Whether this host can do what ACTS ask for. */
static int check_host(const struct machine_kvm *k, const struct run_action *acts, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < k->vm.ncpus && !r && arch.debug_check; i++)
		if (acts[i].kind == ACT_STEP || acts[i].kind == ACT_RANGE)
			r = arch.debug_check(&k->vm, ARCH_STEP, err);
	return r;
}

static int resume_stopped(struct machine_kvm *k, const struct run_action *acts, struct err *err)
{
	int r;

	if (k->state == MACHINE_ENDED)
		return err_set(err, ESHUTDOWN, "the guest has ended");
	if (!any_to_run(k, acts))
		return err_set(err, EINVAL, "no vCPU is to run");
	r = rma_check_run(k->slots, err);
	if (!r)
		r = check_host(k, acts, err);
	if (r)
		return r;
	if (k->must_reset) {
		r = machine_load(k, err);
		if (r)
			return r;
		k->must_reset = false;
		k->tell_reset = true;
	}
	take_actions(k, acts);
	k->state = MACHINE_RUNNING;
	k->stop_wanted = false;
	k->tell_resumed = true;
	k->tell_stopped = false;
	k->fresh = true;
	host_clock_run(k, true);
	if (!k->holds)
		start_or_report(k);
	return 0;
}

int run_resume(struct machine *m, const struct run_action *acts, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);

	if (k->state == MACHINE_RUNNING)
		return err_set(err, EBUSY, "the guest is running");
	return resume_stopped(k, acts, err);
}

int run_redirect(struct machine *m, const struct run_action *acts, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	int r;

	if (k->state != MACHINE_RUNNING)
		return resume_stopped(k, acts, err);
	if (!k->holds)
		return err_set(err, EBUSY, "the guest is running");
	r = check_host(k, acts, err);
	if (!r)
		take_actions(k, acts);
	return r;
}

void run_stop(struct machine *m)
{
	struct machine_kvm *k = machine_priv(m);

	if (k->state != MACHINE_RUNNING || k->stop_wanted)
		return;
	k->stop_wanted = true;
	send_off(k);
	if (atomic_load(&k->vm.ctl.running))
		vm_pause(&k->vm);
	else if (!k->holds)
		start_or_report(k);
}

int run_hold(struct machine *m, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);

	if (k->holds || k->state != MACHINE_RUNNING) {
		k->holds++;
		return 0;
	}
	send_off(k);
	vm_pause(&k->vm);
	if (!vm_wait_parked(&k->vm, PARK_SPIN_US, PARK_DEADLINE_MS)) {
		/* Whoever did park goes on when the last one has: the poll that follows finds nothing to report. */
		return err_set(err, ETIMEDOUT, "a vCPU does not come out of the guest");
	}
	k->holds = 1;
	return 0;
}

void run_release(struct machine *m)
{
	struct machine_kvm *k = machine_priv(m);

	if (!k->holds || --k->holds || k->state != MACHINE_RUNNING)
		return;
	start_or_report(k);
}

static void report(struct machine_kvm *k, const struct stop_event *ev)
{
	struct vcpu *v = k->vm.cpus[ev->cpu];

	k->last_stop = *ev;
	host_clock_run(k, false);
	k->state = ev->reason == STOP_EXIT ? MACHINE_ENDED : MACHINE_STOPPED;
	k->must_reset = ev->reason == STOP_TRIPLE_FAULT;
	k->stop_wanted = false;
	k->tell_stopped = true;
	/* The others may stand on a breakpoint by chance: theirs is still to be hit, and reported. */
	v->stop_pc = arch.pc(v);
	v->stop_pc_valid = true;
}

/* The guest asked for a reset: done, and then on as before; a vCPU that was being stepped has arrived somewhere. */
static void guest_reset(struct machine_kvm *k)
{
	struct stop_event ev = { .reason = STOP_ENTRY, .text = "the guest reset the machine" };
	bool step = false;
	struct err err;

	for (unsigned i = 0; i < k->vm.ncpus; i++)
		step |= k->vm.cpus[i]->act.kind != ACT_CONT;
	if (machine_load(k, &err)) {
		ev.reason = STOP_ERROR;
		snprintf(ev.text, sizeof(ev.text), "reset: %.140s", err.msg);
		step = true;
	} else
		k->tell_reset = true;
	if (step || k->stop_wanted) {
		ev.pc = arch.pc(k->vm.cpus[0]);
		report(k, &ev);
	} else
		start(k);
}

static void count_hit(struct machine_kvm *k, const struct stop_event *ev)
{
	struct break_spec spec = { .kind = ev->kind, .gva = ev->place, .space = ev->space };
	struct breakpoint *b;
	struct watchpoint *w;

	if (ev->reason == STOP_BREAKPOINT && (b = break_find(k->vm.breaks, &spec)))
		atomic_fetch_add_explicit(&b->hits, 1, memory_order_relaxed);
	else if (ev->reason == STOP_WATCH && (w = watch_find(k->vm.watches, &ev->watch.spec)))
		atomic_fetch_add_explicit(&w->hits, 1, memory_order_relaxed);
	else if (ev->reason == STOP_CATCH)
		catch_count(k->vm.catches, ev->catch_id);
}

/* Whether the filters want EV of V, a vCPU that is parked. */
static bool wanted_parked(struct vcpu *v, struct stop_event *ev)
{
	ev->owners = BREAK_OWNER_MONITOR;
	return stop_wanted(v, ev);
}

/* The guest asked for a reset: whether a catchpoint has it reported before it is done. */
static bool reset_caught(struct machine_kvm *k)
{
	struct vcpu *v = k->vm.cpus[k->last_stop.cpu];
	struct stop_event ev = { 0 };

	while (!k->reset_told && catch_reset(k->vm.catches, k->reset_by, &ev))
		if (wanted_parked(v, &ev)) {
			k->reset_told = true;
			count_hit(k, &ev);
			report(k, &ev);
			return true;
		}
	k->reset_told = false;
	return false;
}

/* A vCPU is halted for good, and a catchpoint has that reported. */
static bool halt_caught(struct machine_kvm *k)
{
	for (unsigned i = 0; i < k->vm.ncpus && catch_has(k->vm.catches, CATCH_HALT); i++) {
		struct stop_event ev = { 0 };

		while (catch_halt(k->vm.catches, k->vm.cpus[i], &ev))
			if (wanted_parked(k->vm.cpus[i], &ev)) {
				count_hit(k, &ev);
				report(k, &ev);
				return true;
			}
	}
	return false;
}

/* Every vCPU is parked, nobody holds the machine: finds out what is to be reported. */
static void collect(struct machine_kvm *k)
{
	struct vcpu *found = NULL;

	k->report_now = false;
	remap(k);
	for (unsigned i = 0; i < k->vm.ncpus; i++)
		if (k->vm.cpus[i]->has_event && k->vm.cpus[i]->event.reason == STOP_EXIT)
			found = k->vm.cpus[i];
	if (!found && atomic_load(&k->reset_asked)) {
		if (reset_caught(k))
			return;
		atomic_store(&k->reset_asked, false);
		guest_reset(k);
		return;
	}
	for (unsigned n = 0; n < k->vm.ncpus && !found; n++) {
		struct vcpu *v = k->vm.cpus[(k->turn + n) % k->vm.ncpus];

		if (v->act.kind != ACT_STAY && event_valid(v))
			found = v;
	}
	if (found) {
		found->has_event = false;
		count_hit(k, &found->event);
		/* Others were made before their instruction was quite done. */
		found->event.pc = arch.pc(found);
		k->turn = found->id + 1;
		report(k, &found->event);
	} else if (k->stop_wanted) {
		found = k->vm.cpus[k->last_stop.cpu];
		report(k, &(struct stop_event){ .reason = STOP_REQUEST, .cpu = found->id, .pc = arch.pc(found) });
	} else if (!halt_caught(k))
		start(k);
}

static void deliver_output(struct machine_kvm *k)
{
	struct observer *next;
	char trouble[TROUBLE_BYTES];
	uint8_t buf[4096];
	size_t n;

	while (host_next_trouble(k, trouble))
		for (struct observer *o = k->observers; o; o = next) {
			next = o->next;
			if (o->device_trouble)
				o->device_trouble(o, trouble);
		}
	if (atomic_exchange(&k->log_news, false))
		while ((n = logring_get(&k->firmware_log, &k->log_told, (char *)buf, sizeof(buf))))
			for (struct observer *o = k->observers; o; o = next) {
				next = o->next;
				if (o->firmware_output)
					o->firmware_output(o, buf, n);
			}
	while ((n = com1_take(k->vm.com1, buf, sizeof(buf))))
		for (struct observer *o = k->observers; o; o = next) {
			next = o->next;
			if (o->serial_output)
				o->serial_output(o, buf, n);
		}
	if (com1_room_came(k->vm.com1))
		k->dev_host.wake(k);
}

/* Whether the loop thread may wait busily for the vCPUs: where there are several on all of the host's CPUs, they would wait for its. */
static bool may_spin(const struct run_ctl *c)
{
	unsigned running = atomic_load(&c->running);

	return running == 1 || (running && running < c->host_cpus);
}

void run_poll(struct machine *m, unsigned spin_us)
{
	struct machine_kvm *k = machine_priv(m);
	struct stop_event ev;
	struct observer *next;

	if (k->tell_resumed) {
		k->tell_resumed = false;
		for (struct observer *o = k->observers; o; o = next) {
			next = o->next;
			if (o->resumed)
				o->resumed(o);
		}
	}
	if (k->begins) {
		struct vcpu *v = k->begins;

		k->begins = NULL;
		here_run(k->here, v);
	}
	/* Before looking: what comes after the look makes it readable again. */
	if (!spin_us) {
		vm_drain(&k->vm);
		run_tick(k);
	}
	if (!k->holds)
		host_inputs(k);
	if (k->state == MACHINE_RUNNING && !k->holds) {
		if (spin_us && may_spin(&k->vm.ctl))
			here_count(k->here, vm_wait_parked(&k->vm, spin_us, 0));
		if (!atomic_load(&k->vm.ctl.running))
			collect(k);
	}
	deliver_output(k);
	if (k->tell_reset) {
		k->tell_reset = false;
		for (struct observer *o = k->observers; o; o = next) {
			next = o->next;
			if (o->was_reset)
				o->was_reset(o);
		}
	}
	if (k->tell_stopped) {
		k->tell_stopped = false;
		ev = k->last_stop;      /* an observer may resume */
		for (struct observer *o = k->observers; o; o = next) {
			next = o->next;
			if (o->stopped)
				o->stopped(o, &ev);
		}
	}
}

int run_reset(struct machine *m, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	struct stop_event ev = { .reason = STOP_ENTRY };
	int r = run_hold(m, err);

	if (r)
		return r;
	r = k->state == MACHINE_ENDED ? err_set(err, ESHUTDOWN, "the guest has ended") : machine_load(k, err);
	k->holds--;
	if (r) {
		if (k->state == MACHINE_RUNNING && !k->holds)
			start_or_report(k);
		return r;
	}
	atomic_store(&k->reset_asked, false);
	k->reset_told = false;
	k->tell_reset = true;
	ev.pc = arch.pc(k->vm.cpus[0]);
	report(k, &ev);
	vm_notify(&k->vm);
	return 0;
}

void run_end(struct machine_kvm *k)
{
	if (k->state == MACHINE_RUNNING) {
		send_off(k);
		vm_pause(&k->vm);
		vm_wait_parked(&k->vm, PARK_SPIN_US, PARK_DEADLINE_MS);
	}
}
