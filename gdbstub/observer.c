/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clients that do not drive: what they may ask, and how one comes to drive. */
#include <errno.h>
#include <string.h>

#include "gdbstub/internal.h"
#include "gdbstub/nonstop.h"

int observer_refuse(struct session *s, struct cursor *args)
{
	(void)args;
	return err_set(&s->error, EPERM,
		       "gdb client %u drives the machine: 'monitor takeover' makes this one the driver", s->owner.driver);
}

/* The first words of monitor commands that change nothing, and let nothing run. */
static const char *const looking[] = {
	"info", "x", "xp", "print", "translate", "find", "disas", "symbol", "backtrace", "screen", "help", "echo",
	"slot list", "slot check", "dirty peek",
};

bool observer_may(const char *line, size_t len)
{
	for (size_t i = 0; i < sizeof(looking) / sizeof(looking[0]); i++) {
		size_t n = strlen(looking[i]);

		/* "x/4xb ..." too */
		if (len >= n && !memcmp(line, looking[i], n) && (len == n || line[n] == ' ' || line[n] == '/'))
			return true;
	}
	return false;
}

void session_hand_over(struct session *from, struct session *to, unsigned number)
{
	if (from->nonstop) {
		nonstop_free(from);
		session_resume_stragglers(from);
		from->end = SESSION_DETACHED;
	}
	command_cancel(from);
	session_clear(from);
	from->owner.driver = number;
	from->stop_asked = from->interrupted = false;
	to->owner.driver = 0;
	to->cpu = machine_last_stop(to->machine)->cpu;
}

bool session_awaits(const struct session *s)
{
	if (s->end != SESSION_ON)
		return false;
	return (s->nonstop && nonstop_told(s)) || (s->extended && machine_state(s->machine) == MACHINE_ENDED);
}

void session_observe(struct session *s, unsigned number)
{
	s->owner.driver = number;
}
