/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loop thread's side of the stop protocol: resuming, stopping, holding, and telling the observers.  A vCPU's action stays
 * its own until its event has been reported, so that a hold or a dropped event can go on where it was.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kvm/debug.h"
#include "kvm/machine_priv.h"
#include "kvm/regs.h"

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
	return machine_priv(m)->vm.ctl.event_fd;
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

/* Opens the gates of all vCPUs that have something to do.  Every one of them parked. */
static void start(struct machine_kvm *k)
{
	struct run_ctl *c = &k->vm.ctl;
	unsigned n = 0, overs = 0;
	bool go[MACHINE_CPUS_MAX] = { false };

	for (unsigned i = 0; i < k->vm.ncpus; i++) {
		struct vcpu *v = k->vm.cpus[i];

		go[i] = v->act.kind != ACT_STAY && !v->has_event;
		if (!go[i])
			continue;
		n++;
		v->step_over = v->stop_pc_valid && v->stop_pc == regs_pc(v) && debug_at_breakpoint(v);
		overs += v->step_over;
	}
	atomic_store(&c->overs, overs);
	atomic_store(&c->pause, false);
	atomic_store(&c->running, n);
	/* Spinning threads are a gain only where each has a processor, and the loop thread one too. */
	atomic_store(&c->park_spins, n < c->host_cpus);
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
	if (!v->has_event)
		return false;
	if (v->event.reason == STOP_BREAKPOINT &&
	    (regs_pc(v) != v->event.pc || !debug_at_breakpoint(v)))
		v->has_event = false;
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

int run_resume(struct machine *m, const struct run_action *acts, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	bool any = false;
	int r;

	if (k->state == MACHINE_ENDED)
		return err_set(err, ESHUTDOWN, "the guest has ended");
	if (k->state == MACHINE_RUNNING)
		return err_set(err, EBUSY, "the guest is running");
	for (unsigned i = 0; i < k->vm.ncpus; i++)
		any |= acts[i].kind != ACT_STAY;
	if (!any)
		return err_set(err, EINVAL, "no vCPU is to run");
	if (k->must_reset) {
		r = machine_load(k, err);
		if (r)
			return r;
		k->must_reset = false;
		k->tell_reset = true;
	}
	for (unsigned i = 0; i < k->vm.ncpus; i++) {
		struct vcpu *v = k->vm.cpus[i];

		v->act = acts[i];
		/* A step that ended while another vCPU's event was reported answers the resume before this one. */
		if (v->has_event && v->event.reason == STOP_STEP && acts[i].kind != ACT_STAY)
			v->has_event = false;
	}
	k->state = MACHINE_RUNNING;
	k->stop_wanted = false;
	k->tell_resumed = true;
	k->tell_stopped = false;
	vm_notify(&k->vm);
	if (!k->holds)
		start_or_report(k);
	return 0;
}

void run_stop(struct machine *m)
{
	struct machine_kvm *k = machine_priv(m);

	if (k->state != MACHINE_RUNNING || k->stop_wanted)
		return;
	k->stop_wanted = true;
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
	k->state = ev->reason == STOP_EXIT ? MACHINE_ENDED : MACHINE_STOPPED;
	k->must_reset = ev->reason == STOP_TRIPLE_FAULT;
	k->stop_wanted = false;
	k->tell_stopped = true;
	/* The others may stand on a breakpoint by chance: theirs is still to be hit, and reported. */
	v->stop_pc = regs_pc(v);
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
		ev.pc = regs_pc(k->vm.cpus[0]);
		report(k, &ev);
	} else
		start(k);
}

static void count_hit(struct machine_kvm *k, const struct vcpu *v)
{
	struct breakpoint *b = break_find(k->vm.breaks, v->event.kind, v->hit_gva);

	if (b)
		b->hits++;
}

/* Every vCPU is parked, nobody holds the machine: finds out what is to be reported. */
static void collect(struct machine_kvm *k)
{
	struct vcpu *found = NULL;

	k->report_now = false;
	for (unsigned i = 0; i < k->vm.ncpus; i++)
		if (k->vm.cpus[i]->has_event && k->vm.cpus[i]->event.reason == STOP_EXIT)
			found = k->vm.cpus[i];
	if (!found && atomic_exchange(&k->reset_asked, false)) {
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
		if (found->event.reason == STOP_BREAKPOINT)
			count_hit(k, found);
		k->turn = found->id + 1;
		report(k, &found->event);
	} else if (k->stop_wanted) {
		found = k->vm.cpus[k->last_stop.cpu];
		report(k, &(struct stop_event){ .reason = STOP_REQUEST, .cpu = found->id, .pc = regs_pc(found) });
	} else
		start(k);
}

static void deliver_output(struct machine_kvm *k)
{
	struct observer *next;
	uint8_t buf[4096];
	size_t n;

	while ((n = com1_take(k->vm.com1, buf, sizeof(buf))))
		for (struct observer *o = k->observers; o; o = next) {
			next = o->next;
			if (o->serial_output)
				o->serial_output(o, buf, n);
		}
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
	/* Before looking: what comes after the look makes it readable again. */
	if (!spin_us)
		vm_drain(&k->vm);
	if (k->state == MACHINE_RUNNING && !k->holds) {
		if (spin_us)
			vm_wait_parked(&k->vm, spin_us, 0);
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
	k->tell_reset = true;
	ev.pc = regs_pc(k->vm.cpus[0]);
	report(k, &ev);
	vm_notify(&k->vm);
	return 0;
}

void run_end(struct machine_kvm *k)
{
	if (k->state == MACHINE_RUNNING) {
		vm_pause(&k->vm);
		vm_wait_parked(&k->vm, PARK_SPIN_US, PARK_DEADLINE_MS);
	}
}
