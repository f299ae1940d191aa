/* SPDX-License-Identifier: GPL-3.0-or-later */
/* qRcmd: gdb's `monitor CMD`, run by the monitor; its output streams while it runs. */
#include "gdbstub/internal.h"

#include <errno.h>

static void console_write(struct out *o, const char *text, size_t len)
{
	struct session *s = (struct session *)((char *)o - offsetof(struct session, console));

	session_console(s, text, len);
}

void command_init(struct session *s)
{
	s->console.write = console_write;
}

static void done(void *arg, int status)
{
	struct session *s = arg;

	s->commanding = false;
	s->command = NULL;
	if (s->gone)
		return;
	if (status < 0)
		reply_error(&s->reply, status);
	else
		reply_ok(&s->reply);
	session_send(s);
}

void command_cancel(struct session *s)
{
	if (s->commanding && s->command)
		s->commander->cancel(s->commander, s->command);
}

/* ",HEX" */
int pkt_command(struct session *s, struct cursor *args)
{
	struct cursor line;
	void *token;

	if (!s->commander)
		return PACKET_REPLY;
	if (!cursor_byte(args, ',') || !cursor_hex_rest(args, &line))
		return -EINVAL;
	if (s->commanding)
		return -EBUSY;
	s->commanding = true;
	token = s->commander->run(s->commander, (const char *)line.p, line.len, &s->console, done, s);
	if (s->commanding)
		s->command = token;
	return PACKET_LATER;
}
