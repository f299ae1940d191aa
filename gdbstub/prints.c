/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What breakpoints' commands print, on its way to the client. */
#include "gdbstub/internal.h"

#define PRINTS_CHUNK    4096
#define PRINTS_AHEAD    0x40000 /* bytes in the queue from which on a slow client's text waits in the ring */

/* A client looks for O packets only while it waits for the guest; text that comes at other times waits, too. */
static bool may_print(const struct session *s)
{
	return s->wait == WAIT_STOP && s->end == SESSION_ON && !s->gone;
}

void prints_send(struct session *s, bool all)
{
	char text[PRINTS_CHUNK];
	size_t n;

	while (may_print(s) && (all || s->queue.len < PRINTS_AHEAD)) {
		n = triggers_take(s->triggers, text, sizeof(text));
		if (!n)
			break;
		session_console(s, text, n);
	}
}

void session_prints(struct session *s)
{
	prints_send(s, false);
}
