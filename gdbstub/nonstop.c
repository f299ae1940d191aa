/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/nonstop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/internal.h"

#define NEWS_TEXT 2048          /* bytes of a notification */

/* A stop that the client has not acknowledged. */
struct news {
	struct stop_event event;
	bool asked_for;         /* by vCont;t: signal 0, whatever the event */
};

struct nonstop {
	bool running[MACHINE_CPUS_MAX];         /* as far as the client has been told */
	struct news news[MACHINE_CPUS_MAX + 1]; /* oldest first: one a vCPU, and the guest's end */
	unsigned nnews;
	bool told;              /* the first of them has been sent */
	bool alone;             /* the first, which answered `?`, is all that vStopped gets to hear for now */
	bool greeted;           /* the client has asked `?`: before, it is told nothing */
	bool stopping;          /* a machine_stop() of ours is out, since nothing is left to run */
	bool held;              /* by nonstop_stopped(), until the machine says that it was resumed */
	uint8_t text[NEWS_TEXT];
};

static bool any_running(const struct session *s)
{
	for (unsigned i = 0; i < session_cpus(s); i++)
		if (s->nonstop->running[i])
			return true;
	return false;
}

bool nonstop_look(struct session *s)
{
	return s->nonstop && !machine_hold(s->machine, NULL);
}

/* -- telling -- */

/*
 * Makes the stop reply into R.  The thread that register packets mean is the client's to choose: stop_reply() would set it.  Its
 * vCPU is parked, but others may be running.
 */
static void build(struct session *s, const struct news *n, struct reply *r)
{
	struct reply mine = s->reply;
	unsigned cpu = s->cpu;
	bool held = !machine_hold(s->machine, NULL);

	s->reply = *r;
	stop_reply(s, &n->event, !n->asked_for);
	*r = s->reply;
	if (r != &s->reply)
		s->reply = mine;
	s->cpu = cpu;
	if (held)
		machine_release(s->machine);
	if (n->asked_for && r->len > 2)
		memcpy(r->buf + 1, "00", 2);
}

/* Sends the oldest stop unless one is on its way. */
static void notify(struct session *s)
{
	struct nonstop *n = s->nonstop;
	static const char prefix[] = "Stop:";
	const size_t len = sizeof(prefix) - 1;
	struct reply r;

	if (!n->nnews || n->told || !n->greeted || s->end != SESSION_ON)
		return;
	n->told = true;
	memcpy(n->text, prefix, len);
	reply_init(&r, n->text + len, sizeof(n->text) - len);
	build(s, &n->news[0], &r);
	session_notify(s, n->text, len + r.len);
}

/* The vCPU has stopped for the client. */
static void push(struct session *s, const struct stop_event *ev, bool asked_for)
{
	struct nonstop *n = s->nonstop;

	n->running[ev->cpu] = false;
	if (n->nnews < sizeof(n->news) / sizeof(n->news[0]))
		n->news[n->nnews++] = (struct news){ *ev, asked_for };
}

static void push_asked(struct session *s, unsigned cpu)
{
	const struct stop_event ev = { .reason = STOP_REQUEST, .cpu = cpu };

	push(s, &ev, true);
}

static void drop(struct nonstop *n, unsigned i)
{
	n->nnews--;
	memmove(n->news + i, n->news + i + 1, (n->nnews - i) * sizeof(n->news[0]));
}

/* A vCPU is resumed before its stop has been told: that is no news any more. */
static void forget(struct nonstop *n, unsigned cpu)
{
	for (unsigned i = n->told ? 1 : 0; i < n->nnews; i++)
		if (n->news[i].event.cpu == cpu) {
			drop(n, i);
			return;
		}
}

bool nonstop_told(const struct session *s)
{
	return s->nonstop->told;
}

int nonstop_next(struct session *s)
{
	struct nonstop *n = s->nonstop;

	if (n->told) {
		drop(n, 0);
		n->told = false;
	}
	if (n->alone || !n->nnews) {
		n->alone = false;
		reply_ok(&s->reply);
		session_send(s);
		notify(s);
		return PACKET_LATER;
	}
	n->told = true;
	build(s, &n->news[0], &s->reply);
	return PACKET_REPLY;
}

int nonstop_status(struct session *s)
{
	const struct stop_event *last = machine_last_stop(s->machine);
	bool stopped = machine_state(s->machine) != MACHINE_RUNNING;
	struct nonstop *n = s->nonstop;

	n->greeted = true;
	n->told = false;
	n->nnews = 0;
	if (stopped && (machine_state(s->machine) == MACHINE_ENDED || !n->running[last->cpu]))
		push(s, last, false);
	for (unsigned i = 0; i < session_cpus(s) && machine_state(s->machine) != MACHINE_ENDED; i++)
		if (!n->running[i] && !(stopped && i == last->cpu))
			push_asked(s, i);
	if (!n->nnews)
		return packet_ok(s);
	n->told = n->alone = true;
	build(s, &n->news[0], &s->reply);
	return PACKET_REPLY;
}

/* -- running -- */

/* Has the machine do what ACTS says while it may be running already. */
static int apply(struct session *s, const struct run_action *acts)
{
	struct machine *m = s->machine;
	int r;

	if (machine_state(m) != MACHINE_RUNNING) {
		if (!any_running(s))
			return 0;
		r = machine_redirect(m, acts, &s->error);
		s->resumed |= !r;
		return r;
	}
	r = machine_hold(m, &s->error);
	if (r)
		return r;
	r = machine_redirect(m, acts, &s->error);
	if (!r && !any_running(s) && !s->nonstop->stopping) {
		s->nonstop->stopping = true;
		session_stop_machine(s);
	}
	machine_release(m);
	s->resumed = true;
	return r;
}

static void keep(const struct session *s, struct run_action *acts)
{
	for (unsigned i = 0; i < session_cpus(s); i++)
		acts[i] = (struct run_action){ .kind = s->nonstop->running[i] ? ACT_KEEP : ACT_STAY };
}

int nonstop_resume(struct session *s, const struct nonstop_wish *wish)
{
	struct nonstop *n = s->nonstop;
	struct run_action acts[MACHINE_CPUS_MAX] = { 0 };
	bool before[MACHINE_CPUS_MAX], changes = false;
	int r;

	if (machine_state(s->machine) == MACHINE_ENDED)
		return err_set(&s->error, ESHUTDOWN, "the guest has ended");
	memcpy(before, n->running, sizeof(before));
	keep(s, acts);
	for (unsigned i = 0; i < session_cpus(s); i++) {
		bool runs = wish[i].act.kind != ACT_STAY;

		if (!wish[i].wanted || n->running[i] == runs)
			continue;
		acts[i] = wish[i].act;
		n->running[i] = runs;
		changes = true;
	}
	if (!changes)
		return packet_ok(s);
	r = apply(s, acts);
	if (r) {
		memcpy(n->running, before, sizeof(before));
		return r;
	}
	for (unsigned i = 0; i < session_cpus(s); i++) {
		if (!before[i] && n->running[i])
			forget(n, i);
		else if (before[i] && !n->running[i])
			push_asked(s, i);
	}
	/* after the reply: a client takes what comes before it for older */
	reply_ok(&s->reply);
	session_send(s);
	notify(s);
	return PACKET_LATER;
}

int nonstop_interrupt(struct session *s, bool reply)
{
	struct nonstop *n = s->nonstop;
	struct run_action acts[MACHINE_CPUS_MAX] = { 0 };
	struct stop_event ev = { .reason = STOP_REQUEST };
	int r;

	while (ev.cpu < session_cpus(s) && !n->running[ev.cpu])
		ev.cpu++;
	if (ev.cpu == session_cpus(s))
		return reply ? packet_ok(s) : PACKET_LATER;
	n->running[ev.cpu] = false;
	keep(s, acts);
	r = apply(s, acts);
	if (r) {
		n->running[ev.cpu] = true;
		return r;
	}
	push(s, &ev, false);
	if (reply) {
		reply_ok(&s->reply);
		session_send(s);
	}
	notify(s);
	return PACKET_LATER;
}

/* -- the observer -- */

/* Whether EV is one vCPU's alone.  What the monitor asked for stops the machine as a whole, as a person there expects. */
static bool is_single(const struct stop_event *ev)
{
	switch (ev->reason) {
	case STOP_STEP:
		return true;
	case STOP_BREAKPOINT:
	case STOP_WATCH:
		return ev->owners == BREAK_OWNER_GDB;
	default:
		return false;
	}
}

/* The others go on; other observers still get to hear of the stop first, and find every vCPU parked. */
static void go_on(struct session *s)
{
	struct run_action acts[MACHINE_CPUS_MAX] = { 0 };

	if (!any_running(s) || machine_hold(s->machine, NULL))
		return;
	keep(s, acts);
	if (machine_redirect(s->machine, acts, NULL))
		machine_release(s->machine);
	else
		s->nonstop->held = true;
}

void nonstop_stopped(struct session *s, const struct stop_event *ev)
{
	struct nonstop *n = s->nonstop;
	bool ours = n->stopping && ev->reason == STOP_REQUEST;

	n->stopping = false;
	if (ev->reason == STOP_EXIT) {
		memset(n->running, 0, sizeof(n->running));
		push(s, ev, false);
	} else if (ours || is_single(ev)) {
		if (!ours && n->running[ev->cpu])
			push(s, ev, false);
		go_on(s);
	} else {
		for (unsigned i = 0; i < session_cpus(s); i++) {
			if (n->running[i] && i == ev->cpu)
				push(s, ev, false);
			else if (n->running[i])
				push_asked(s, i);
		}
	}
	notify(s);
}

static void let_go(struct session *s)
{
	if (!s->nonstop->held)
		return;
	s->nonstop->held = false;
	machine_release(s->machine);
}

void nonstop_resumed(struct session *s)
{
	let_go(s);
}

/* -- life -- */

void nonstop_quiet(struct session *s)
{
	struct nonstop *n = s->nonstop;

	let_go(s);
	for (unsigned i = 0; i < session_cpus(s); i++)
		n->running[i] = machine_state(s->machine) == MACHINE_RUNNING;
	n->nnews = 0;
	n->told = n->alone = n->stopping = false;
}

int nonstop_begin(struct session *s)
{
	struct nonstop *n;

	if (s->nonstop)
		return 0;
	n = calloc(1, sizeof(*n));
	if (!n)
		return err_set(&s->error, ENOMEM, "no memory for non-stop mode");
	s->nonstop = n;
	nonstop_quiet(s);
	return 0;
}

void nonstop_free(struct session *s)
{
	if (!s->nonstop)
		return;
	let_go(s);
	free(s->nonstop);
	s->nonstop = NULL;
}

void nonstop_end(struct session *s)
{
	if (!s->nonstop)
		return;
	nonstop_free(s);
	session_stop_machine(s);
}
