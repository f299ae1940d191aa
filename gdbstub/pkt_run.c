/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running and stopping: ? c C s S vCont, and non-stop mode: QNonStop vStopped vCtrlC QThreadEvents. */
#include "gdbstub/internal.h"

#include <errno.h>
#include <string.h>

#include "gdbstub/nonstop.h"

int pkt_status(struct session *s, struct cursor *args)
{
	(void)args;
	if (s->detached && machine_state(s->machine) != MACHINE_ENDED) {
		reply_text(&s->reply, "W00");
		return PACKET_REPLY;
	}
	if (s->nonstop)
		return nonstop_status(s);
	if (machine_state(s->machine) == MACHINE_RUNNING) {
		if (s->wait == WAIT_NONE)
			s->wait = WAIT_STATUS;
		session_stop_machine(s);
		return PACKET_LATER;
	}
	stop_reply(s, machine_last_stop(s->machine), false);
	return PACKET_REPLY;
}

static int resume(struct session *s, const struct run_action *acts)
{
	struct err err = { 0 };
	bool interrupted = s->interrupted;
	int r;

	if (machine_state(s->machine) == MACHINE_ENDED) {
		stop_reply(s, machine_last_stop(s->machine), false);
		return PACKET_REPLY;
	}
	/* When the monitor has it running already, this client joins in and gets the next stop. */
	if (machine_state(s->machine) == MACHINE_STOPPED) {
		r = machine_resume(s->machine, acts, &err);
		if (r < 0) {
			session_console(s, err.msg, strlen(err.msg));
			session_console(s, "\n", 1);
			return r;
		}
		s->resumed = true;
	}
	s->wait = WAIT_STOP;
	s->interrupted = false;
	if (interrupted)
		session_stop_machine(s);
	return PACKET_LATER;
}

/* c, s and their kin: one action for the thread set by Hc; others stay parked unless all are to continue. */
static int resume_legacy(struct session *s, enum action_kind kind, struct cursor *args)
{
	struct run_action acts[MACHINE_CPUS_MAX] = { 0 };
	unsigned cpu = s->step_thread > 0 ? (unsigned)s->step_thread - 1 : s->cpu;
	uint64_t pc;
	int r;

	if (s->nonstop)
		return err_set(&s->error, EINVAL, "non-stop mode: vCont resumes");
	if (!cursor_end(args)) {
		if (!cursor_number(args, &pc) || !cursor_end(args))
			return -EINVAL;
		r = machine_reg_write(s->machine, cpu, arch_desc.pc, &pc, NULL);
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < session_cpus(s); i++)
		if (i == cpu || (kind == ACT_CONT && s->step_thread <= 0))
			acts[i].kind = kind;
	return resume(s, acts);
}

/* Takes "SIG" and, when an address follows, the ';' before it.  A guest gets no signals. */
static bool skip_signal(struct cursor *args)
{
	uint8_t signal;

	return cursor_hex8(args, &signal) && (cursor_end(args) || (cursor_byte(args, ';') && !cursor_end(args)));
}

int pkt_continue(struct session *s, struct cursor *args)
{
	return resume_legacy(s, ACT_CONT, args);
}

int pkt_continue_signal(struct session *s, struct cursor *args)
{
	return skip_signal(args) ? resume_legacy(s, ACT_CONT, args) : -EINVAL;
}

int pkt_step(struct session *s, struct cursor *args)
{
	return resume_legacy(s, ACT_STEP, args);
}

int pkt_step_signal(struct session *s, struct cursor *args)
{
	return skip_signal(args) ? resume_legacy(s, ACT_STEP, args) : -EINVAL;
}

int pkt_vcont_query(struct session *s, struct cursor *args)
{
	(void)args;
	reply_text(&s->reply, "vCont;c;C;s;S;t;r");
	return PACKET_REPLY;
}

static const struct {
	char letter;
	enum action_kind kind;
	bool has_signal, has_range;
} actions[] = {
	{ 'c', ACT_CONT, false, false }, { 'C', ACT_CONT, true, false }, { 's', ACT_STEP, false, false },
	{ 'S', ACT_STEP, true, false },  { 'r', ACT_RANGE, false, true }, { 't', ACT_STAY, false, false },
};

static bool parse_action(struct cursor *c, struct run_action *ret)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		uint8_t signal;

		if (!cursor_byte(c, actions[i].letter))
			continue;
		*ret = (struct run_action){ .kind = actions[i].kind };
		if (actions[i].has_signal && !cursor_hex8(c, &signal))
			return false;
		if (actions[i].has_range)
			return cursor_number(c, &ret->start) && cursor_byte(c, ',') && cursor_number(c, &ret->end);
		return true;
	}
	return false;
}

/*
 * One instruction is stepped with the other vCPUs parked, though gdb by default has "all others" run meanwhile: a step then
 * ends where it should, not in somebody else's breakpoint.  A range is stepped with them running, since what it waits for may
 * be theirs to do, and so are vCPUs that the client names.
 */
static void park_beside_step(struct run_action *acts, const bool *named, unsigned n)
{
	bool steps = false;

	for (unsigned i = 0; i < n; i++)
		steps |= acts[i].kind == ACT_STEP;
	for (unsigned i = 0; i < n && steps; i++)
		if (acts[i].kind == ACT_CONT && !named[i])
			acts[i].kind = ACT_STAY;
}

static int resume_all_stop(struct session *s, const struct nonstop_wish *wish, const bool *named)
{
	struct run_action acts[MACHINE_CPUS_MAX] = { 0 };

	for (unsigned i = 0; i < session_cpus(s); i++) {
		if (wish[i].wanted && wish[i].act.kind == ACT_STAY)
			return err_set(&s->error, EINVAL, "vCont;t is for non-stop mode");
		if (wish[i].wanted)
			acts[i] = wish[i].act;
	}
	park_beside_step(acts, named, session_cpus(s));
	return resume(s, acts);
}

/* vCont;ACTION[:THREAD]...: for each thread the leftmost action that names it. */
int pkt_vcont(struct session *s, struct cursor *args)
{
	struct nonstop_wish wish[MACHINE_CPUS_MAX] = { 0 };
	bool named[MACHINE_CPUS_MAX] = { false };

	if (cursor_end(args))
		return -EINVAL;
	while (cursor_byte(args, ';')) {
		struct cursor one = cursor_field(args, ';');
		struct run_action act;
		int thread = THREAD_ALL;

		if (!parse_action(&one, &act))
			return -EINVAL;
		if (cursor_byte(&one, ':') && !cursor_thread(&one, session_cpus(s), &thread))
			return -EINVAL;
		if (!cursor_end(&one))
			return -EINVAL;
		if (thread == THREAD_ANY)
			thread = (int)s->cpu + 1;
		for (unsigned i = 0; i < session_cpus(s); i++)
			if (!wish[i].wanted && (thread == THREAD_ALL || thread == (int)i + 1)) {
				wish[i] = (struct nonstop_wish){ true, act };
				named[i] = thread != THREAD_ALL;
			}
	}
	if (!cursor_end(args))
		return -EINVAL;
	return s->nonstop ? nonstop_resume(s, wish) : resume_all_stop(s, wish, named);
}

/* ":1" or ":0", which is all there is of it. */
static bool parse_switch(struct cursor *args, bool *ret)
{
	*ret = cursor_is(args, ":1");
	return *ret || cursor_is(args, ":0");
}

int pkt_nonstop(struct session *s, struct cursor *args)
{
	bool on;
	int r = 0;

	if (!parse_switch(args, &on))
		return -EINVAL;
	if (on && s->owner.driver)
		r = observer_refuse(s, args);
	else if (on)
		r = nonstop_begin(s);
	else
		nonstop_end(s);
	s->interrupted = false;
	return r ? r : packet_ok(s);
}

int pkt_stop_heard(struct session *s, struct cursor *args)
{
	(void)args;
	return s->nonstop ? nonstop_next(s) : err_set(&s->error, EINVAL, "vStopped is for non-stop mode");
}

int pkt_ctrl_c(struct session *s, struct cursor *args)
{
	(void)args;
	if (s->nonstop)
		return nonstop_interrupt(s, true);
	session_interrupt(s);
	return packet_ok(s);
}

/* vCPUs neither come nor go: there is nothing to report. */
int pkt_thread_events(struct session *s, struct cursor *args)
{
	bool on;

	return parse_switch(args, &on) ? packet_ok(s) : -EINVAL;
}
