/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threads, which are vCPUs (thread N is vCPU N - 1): H T qC qfThreadInfo qsThreadInfo qThreadExtraInfo. */
#include "gdbstub/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gdbstub/nonstop.h"

static bool parse_thread(struct session *s, struct cursor *args, int *ret)
{
	return cursor_thread(args, session_cpus(s), ret) && cursor_end(args);
}

void put_thread(const struct session *s, struct reply *r, unsigned cpu)
{
	if (s->multiprocess)
		reply_text(r, "p1.");
	reply_number(r, cpu + 1);
}

/* "any" keeps the thread as it is: gdb's Hg0 after a stop means the thread that stopped. */
int pkt_set_general(struct session *s, struct cursor *args)
{
	int thread;

	if (!parse_thread(s, args, &thread))
		return -EINVAL;
	if (thread > 0)
		s->cpu = (unsigned)thread - 1;
	return packet_ok(s);
}

int pkt_set_step(struct session *s, struct cursor *args)
{
	int thread;

	if (!parse_thread(s, args, &thread))
		return -EINVAL;
	s->step_thread = thread;
	return packet_ok(s);
}

int pkt_alive(struct session *s, struct cursor *args)
{
	int thread;

	if (!parse_thread(s, args, &thread) || thread <= 0)
		return -EINVAL;
	return packet_ok(s);
}

int pkt_current(struct session *s, struct cursor *args)
{
	(void)args;
	reply_text(&s->reply, "QC");
	put_thread(s, &s->reply, s->cpu);
	return PACKET_REPLY;
}

int pkt_threads_first(struct session *s, struct cursor *args)
{
	(void)args;
	if (s->detached)
		return pkt_threads_next(s, args);
	for (unsigned i = 0; i < session_cpus(s); i++) {
		reply_text(&s->reply, i ? "," : "m");
		put_thread(s, &s->reply, i);
	}
	return PACKET_REPLY;
}

int pkt_threads_next(struct session *s, struct cursor *args)
{
	(void)args;
	reply_text(&s->reply, "l");
	return PACKET_REPLY;
}

int pkt_thread_info(struct session *s, struct cursor *args)
{
	char text[96], task[TDESC_TASK_MAX];
	int thread;
	bool held;

	if (!cursor_byte(args, ',') || !parse_thread(s, args, &thread) || thread <= 0)
		return -EINVAL;
	held = nonstop_look(s);
	tdesc_task(s->machine, (unsigned)thread - 1, task);
	snprintf(text, sizeof(text), "CPU#%d [%s%s]", thread - 1, tdesc_activity(s->machine, (unsigned)thread - 1), task);
	if (held)
		machine_release(s->machine);
	reply_hex(&s->reply, text, strlen(text));
	return PACKET_REPLY;
}
