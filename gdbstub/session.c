/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gdbstub/internal.h"
#include "gdbstub/lldb.h"
#include "gdbstub/nonstop.h"
#include "gdbstub/wirelog.h"

#define SPIN_US         50      /* how long a resume waits for its stop before the loop goes on */
#define CONSOLE_CHUNK   4096    /* bytes of text in one O packet */

/* The queue's first size: a whole reply fits, so that steps and reads never allocate. */
#define QUEUE_MIN       (SESSION_PACKET_SIZE + 2 * FRAME_OVERHEAD)

static void put_bytes(struct session *s, size_t len, const uint8_t *payload, uint8_t single)
{
	uint8_t *p = queue_reserve(&s->queue, len + FRAME_OVERHEAD);

	if (!p) {
		s->end = SESSION_BROKEN;
		return;
	}
	if (payload)
		queue_commit(&s->queue, frame_encode(payload, len, p));
	else {
		*p = single;
		queue_commit(&s->queue, 1);
	}
}

static void put_single(struct session *s, char c)
{
	put_bytes(s, 1, NULL, (uint8_t)c);
}

void session_send(struct session *s)
{
	if (s->reply.full)
		reply_error(&s->reply, -EOVERFLOW);
	if (s->log)
		wirelog_packet(s->log, s->client, WIRE_OUT, s->reply.buf, s->reply.len);
	put_bytes(s, s->reply.len, s->reply.buf, 0);
	s->reply_sent = true;
	if (!s->in_input && s->owner.output)
		s->owner.output(s->owner.arg);
}

void session_notify(struct session *s, const uint8_t *payload, size_t len)
{
	uint8_t *p = queue_reserve(&s->queue, len + FRAME_OVERHEAD);

	if (!p) {
		s->end = SESSION_BROKEN;
		return;
	}
	if (s->log)
		wirelog_packet(s->log, s->client, WIRE_NOTE, payload, len);
	len = frame_encode(payload, len, p);
	*p = '%';
	queue_commit(&s->queue, len);
	if (!s->in_input && s->owner.output)
		s->owner.output(s->owner.arg);
}

void session_console(struct session *s, const char *text, size_t len)
{
	bool in_input = s->in_input;

	/* in non-stop mode a client would not know what to do with it */
	if (s->gone || !len || s->nonstop)
		return;
	s->in_input = true;     /* the owner is told once, after the last packet */
	while (len && s->end != SESSION_BROKEN) {
		size_t n = len < CONSOLE_CHUNK ? len : CONSOLE_CHUNK;

		reply_reset(&s->reply);
		reply_text(&s->reply, "O");
		reply_hex(&s->reply, text, n);
		session_send(s);
		text += n;
		len -= n;
	}
	s->in_input = in_input;
	if (!in_input && s->owner.output)
		s->owner.output(s->owner.arg);
}

void session_stop_machine(struct session *s)
{
	if (machine_state(s->machine) != MACHINE_RUNNING || s->owner.driver)
		return;
	s->stop_asked = true;
	machine_stop(s->machine);
}

void session_interrupt(struct session *s)
{
	if (machine_state(s->machine) == MACHINE_STOPPED && !s->owner.driver)
		s->interrupted = true;
	else
		session_stop_machine(s);
}

/* -- input -- */

static void interrupt(struct session *s)
{
	if (s->commanding)
		command_cancel(s);
	else if (s->nonstop)
		nonstop_interrupt(s, false);
	else
		session_interrupt(s);
}

static void refuse(struct session *s, int error)
{
	reply_error(&s->reply, error);
	session_send(s);
}

static void handle(struct session *s, enum frame_event ev)
{
	if (s->no_ack_next && (ev == FRAME_ACK || ev == FRAME_PACKET)) {
		s->no_ack = true;
		s->no_ack_next = false;
	}
	switch (ev) {
	case FRAME_MORE:
	case FRAME_ACK:
		break;
	case FRAME_NACK:
		if (!s->no_ack && s->reply_sent)
			session_send(s);
		break;
	case FRAME_INTERRUPT:
		if (s->log)
			wirelog_packet(s->log, s->client, WIRE_IN, (const uint8_t *)"\x03", 1);
		interrupt(s);
		break;
	case FRAME_BAD_SUM:
		/* without acknowledgments a client would wait for ever, were this packet dropped in silence */
		if (s->no_ack)
			refuse(s, -EBADMSG);
		else
			put_single(s, '-');
		break;
	case FRAME_REFUSED:
		if (!s->no_ack)
			put_single(s, '+');
		refuse(s, -s->in.error);
		break;
	case FRAME_PACKET:
		if (!s->no_ack)
			put_single(s, '+');
		if (s->log)
			wirelog_packet(s->log, s->client, WIRE_IN, s->in.buf, s->in.len);
		dispatch_packet(s, s->in.buf, s->in.len);
		break;
	}
}

void session_input(struct session *s, const uint8_t *data, size_t len)
{
	s->in_input = true;
	while (len && s->end == SESSION_ON) {
		enum frame_event ev;
		size_t n = frame_feed(&s->in, data, len, &ev);

		data += n;
		len -= n;
		handle(s, ev);
	}
	if (s->resumed) {
		s->resumed = false;
		machine_poll(s->machine, SPIN_US);
	}
	s->in_input = false;
}

const uint8_t *session_output(const struct session *s, size_t *ret_len)
{
	*ret_len = s->queue.len;
	return s->queue.buf + s->queue.head;
}

void session_sent(struct session *s, size_t len)
{
	bool in_input = s->in_input;

	queue_drop(&s->queue, len);
	/* Whoever sends looks at the output again by itself. */
	s->in_input = true;
	prints_send(s, false);
	s->in_input = in_input;
}

enum session_end session_end(const struct session *s)
{
	return s->end;
}

/* -- the machine -- */

static int resume_all(struct machine *m)
{
	struct run_action acts[MACHINE_CPUS_MAX];

	for (unsigned i = 0; i < MACHINE_CPUS_MAX; i++)
		acts[i] = (struct run_action){ .kind = ACT_CONT };
	return machine_resume(m, acts, NULL);
}

void session_resume_stragglers(struct session *s)
{
	struct run_action acts[MACHINE_CPUS_MAX];

	if (machine_state(s->machine) != MACHINE_RUNNING || machine_hold(s->machine, NULL))
		return;
	for (unsigned i = 0; i < MACHINE_CPUS_MAX; i++)
		acts[i] = (struct run_action){ .kind = ACT_CONT };
	machine_redirect(s->machine, acts, NULL);
	machine_release(s->machine);
}

bool session_clear(struct session *s)
{
	struct machine *m = s->machine;
	int r = machine_hold(m, NULL);

	if (r)
		return false;
	r = machine_break_clear(m, BREAK_OWNER_GDB, NULL);
	if (!r)
		triggers_leave(s->triggers);
	machine_release(m);
	return !r;
}

void session_detach(struct session *s)
{
	s->detached = true;
	s->interrupted = false;
	s->wait = WAIT_NONE;
	if (s->owner.driver)
		return;
	if (s->nonstop)
		nonstop_quiet(s);
	session_clear(s);
	if (machine_state(s->machine) == MACHINE_STOPPED)
		resume_all(s->machine);
	else
		session_resume_stragglers(s);
	if (s->nonstop)
		nonstop_quiet(s);
}

bool session_leave(struct session *s)
{
	bool cleared;

	if (s->gone)
		return !s->leaving;
	s->gone = true;
	command_cancel(s);
	s->wait = WAIT_NONE;
	if (s->owner.driver)
		return true;
	if (s->nonstop) {
		nonstop_free(s);
		session_resume_stragglers(s);
	}
	cleared = session_clear(s);
	if (machine_state(s->machine) == MACHINE_STOPPED) {
		resume_all(s->machine);
	} else if (machine_state(s->machine) == MACHINE_RUNNING) {
		/* once it has stopped they can be taken away */
		if (!cleared)
			session_stop_machine(s);
		s->leaving = s->stop_asked;
	}
	return !s->leaving;
}

/* The stop that session_leave() waited for.  One that concerns others as well stays theirs. */
static void finish_leaving(struct session *s, const struct stop_event *ev)
{
	bool ours = ev->reason == STOP_REQUEST ||
		    ((ev->reason == STOP_BREAKPOINT || ev->reason == STOP_WATCH) &&
		     !(ev->owners & ~(unsigned)BREAK_OWNER_GDB));

	s->leaving = false;
	session_clear(s);
	if (ours)
		resume_all(s->machine);
	if (s->owner.left)
		s->owner.left(s->owner.arg);
}

/* In extended mode a client looks on after the guest's end, and is to find no process. */
static void end_process(struct session *s, const struct stop_event *ev)
{
	if (ev->reason == STOP_EXIT && s->extended)
		s->detached = true;
}

static void stopped(struct observer *o, const struct stop_event *ev)
{
	struct session *s = (struct session *)o;
	enum session_wait wait = s->wait;
	bool in_input = s->in_input;

	s->in_input = true;     /* all packets go in one write */
	prints_send(s, true);
	s->in_input = in_input;
	bool asked = s->stop_asked;

	s->stop_asked = s->interrupted = false;
	s->wait = WAIT_NONE;
	if (s->leaving) {
		finish_leaving(s, ev);
		return;
	}
	if (s->detached && !s->owner.driver) {
		/* a stop that was asked for before the client detached */
		if (asked && ev->reason == STOP_REQUEST)
			resume_all(s->machine);
		return;
	}
	if (s->nonstop && !s->gone) {
		nonstop_stopped(s, ev);
		end_process(s, ev);
		return;
	}
	if (s->gone || wait == WAIT_NONE || s->end != SESSION_ON)
		return;
	s->in_input = true;     /* both packets go in one write */
	if ((ev->reason == STOP_TRIPLE_FAULT || ev->reason == STOP_ERROR) && ev->text[0]) {
		char line[sizeof(ev->text) + 1];
		int n = snprintf(line, sizeof(line), "%s\n", ev->text);

		session_console(s, line, (size_t)n);
	}
	stop_reply(s, ev, wait == WAIT_STOP);
	s->in_input = in_input;
	session_send(s);
	end_process(s, ev);
}

static void resumed(struct observer *o)
{
	struct session *s = (struct session *)o;

	if (s->nonstop)
		nonstop_resumed(s);
}

/* -- life -- */

int session_new(struct machine *m, struct commander *cmd, const struct session_owner *owner, struct session **ret,
		struct err *err)
{
	struct session *s = calloc(1, sizeof(*s));
	uint8_t *buffers = malloc(2 * SESSION_PACKET_SIZE);

	if (!s || !buffers || (!owner->triggers && triggers_new(m, NULL, NULL, &s->triggers, NULL)) ||
	    queue_init(&s->queue, QUEUE_MIN, SESSION_QUEUE_MAX)) {
		if (s)
			triggers_free(s->triggers);
		free(buffers);
		free(s);
		return err_set(err, ENOMEM, "no memory for a gdb client");
	}
	s->machine = m;
	s->commander = cmd;
	s->owner = *owner;
	if (owner->triggers)
		s->triggers = owner->triggers;
	frame_init(&s->in, buffers, SESSION_PACKET_SIZE);
	reply_init(&s->reply, buffers + SESSION_PACKET_SIZE, SESSION_PACKET_SIZE);
	for (unsigned i = 0; i < XFER_COUNT; i++)
		out_buf_init(&s->doc[i]);
	command_init(s);
	s->step_thread = THREAD_ALL;
	s->observer.stopped = stopped;
	s->observer.resumed = resumed;
	session_stop_machine(s);
	s->cpu = s->stop_asked ? 0 : machine_last_stop(m)->cpu;
	s->tdesc = tdesc_choose(m, s->cpu, &s->wish);
	machine_observe(m, &s->observer);
	if (cmd && cmd->attached)
		cmd->attached(cmd, true);
	*ret = s;
	return 0;
}

void session_log(struct session *s, struct wirelog *log, unsigned client)
{
	s->log = log;
	s->client = client;
}

void session_describe_as(struct session *s, unsigned choice)
{
	s->wish.choice = choice;
	s->tdesc = tdesc_choose(s->machine, s->cpu, &s->wish);
}

void session_free(struct session *s)
{
	if (!s)
		return;
	s->gone = true;
	command_cancel(s);
	if (s->commander && s->commander->attached)
		s->commander->attached(s->commander, false);
	nonstop_free(s);
	out_buf_done(&s->collected);
	machine_unobserve(s->machine, &s->observer);
	lldb_saved_free(s);
	if (!s->owner.triggers)
		triggers_free(s->triggers);
	for (unsigned i = 0; i < XFER_COUNT; i++)
		out_buf_done(&s->doc[i]);
	queue_done(&s->queue);
	free(s->in.buf);
	free(s);
}
