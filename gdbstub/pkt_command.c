/* SPDX-License-Identifier: GPL-3.0-or-later */
/* qRcmd: gdb's `monitor CMD`, run by the monitor; its output streams while it runs, or in non-stop mode comes as its reply. */
#include "gdbstub/internal.h"

#include <errno.h>

#define REPLY_TEXT (SESSION_PACKET_SIZE / 2)    /* bytes that a reply holds in hex */

static void console_write(struct out *o, const char *text, size_t len)
{
	struct session *s = (struct session *)((char *)o - offsetof(struct session, console));

	if (!s->nonstop)
		session_console(s, text, len);
	else if (s->collected.len < REPLY_TEXT)
		out_write(&s->collected.out, text, len < REPLY_TEXT ? len : REPLY_TEXT);
}

void command_init(struct session *s)
{
	s->console.write = console_write;
	out_buf_init(&s->collected);
}

/* As much as a reply holds, an error's one line too. */
static void reply_collected(struct session *s)
{
	size_t len = s->collected.len;

	reply_reset(&s->reply);
	reply_hex(&s->reply, s->collected.text, len < REPLY_TEXT ? len : REPLY_TEXT);
	out_buf_done(&s->collected);
	out_buf_init(&s->collected);
}

static void done(void *arg, int status)
{
	struct session *s = arg;

	s->commanding = false;
	s->command = NULL;
	if (!s->gone && s->collected.len)
		reply_collected(s);
	else if (s->gone)
		return;
	else if (status < 0)
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

/* A line for the person at the client, as the command's output. */
static int say(struct session *s, const char *text, const char *more)
{
	struct out *o = &s->console;

	s->commanding = true;
	out_printf(o, "%s%s\n", text, more);
	done(s, 0);
	return PACKET_LATER;
}

/* `monitor takeover`: a client finds the machine stopped when it begins to drive. */
static int take_over(struct session *s)
{
	if (!s->owner.driver)
		return say(s, "this client drives already", "");
	if (!s->owner.take_over)
		return observer_refuse(s, NULL);
	s->owner.take_over(s->owner.arg);
	if (machine_state(s->machine) == MACHINE_RUNNING && !machine_hold(s->machine, NULL)) {
		session_stop_machine(s);
		machine_release(s->machine);
		s->resumed = true;
	}
	return say(s, "this client drives now", "; what it knows of registers and memory may be old (maintenance flush register-cache)");
}

/* ",HEX" */
int pkt_command(struct session *s, struct cursor *args)
{
	struct cursor line;
	void *token;
	int r;

	if (!s->commander)
		return PACKET_REPLY;
	if (!cursor_byte(args, ',') || !cursor_hex_rest(args, &line))
		return -EINVAL;
	if (s->commanding)
		return -EBUSY;
	if (cursor_is(&line, "takeover"))
		return take_over(s);
	if (s->owner.driver && !observer_may((const char *)line.p, line.len)) {
		observer_refuse(s, args);
		return say(s, s->error.msg, "");
	}
	s->commanding = true;
	if (own_command(s, &line, &r)) {
		done(s, r);
		return PACKET_LATER;
	}
	token = s->commander->run(s->commander, (const char *)line.p, line.len, &s->console, done, s);
	if (s->commanding)
		s->command = token;
	return PACKET_LATER;
}
