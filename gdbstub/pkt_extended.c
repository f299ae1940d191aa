/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Beginning and ending: ! R vRun vAttach D k vKill.  The machine is process 1, and its image the one program.  In extended mode a
 * client stays when it has detached from the guest or killed it, and may begin anew: a run is the machine's reset.  Else kill
 * ends the whole program, and the guest with it.
 */
#include "gdbstub/internal.h"

#include <errno.h>
#include <string.h>

#include "gdbstub/nonstop.h"

int pkt_extended(struct session *s, struct cursor *args)
{
	(void)args;
	s->extended = true;
	return packet_ok(s);
}

/* ";PID", or nothing where that is allowed. */
static int parse_pid(struct cursor *args, bool optional)
{
	uint64_t pid;

	if (optional && cursor_end(args))
		return 0;
	if (!cursor_byte(args, ';') || !cursor_number(args, &pid) || !cursor_end(args))
		return -EINVAL;
	return pid == 1 ? 0 : -ESRCH;
}

/* A stop of before means nothing to the client any more. */
static int reset(struct session *s)
{
	int r = machine_reset(s->machine, &s->error);

	if (r)
		return r;
	s->wait = WAIT_NONE;
	s->stop_asked = s->interrupted = false;
	s->cpu = 0;
	s->resumed = true;      /* so that other observers hear of it soon */
	if (s->nonstop)
		nonstop_quiet(s);
	return 0;
}

int pkt_restart(struct session *s, struct cursor *args)
{
	int r = s->extended ? reset(s) : err_set(&s->error, EINVAL, "R is for extended mode");

	(void)args;
	if (r)
		return r;
	s->detached = false;
	return PACKET_LATER;
}

/* Whether the program that a client names, which may be none, is the image: by its path, or what comes last of that. */
static bool is_image(const struct machine_info *info, const struct cursor *name)
{
	const char *const paths[] = { info->image, info->exec_file };

	if (cursor_end(name))
		return true;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *last = paths[i] ? strrchr(paths[i], '/') : NULL;

		if (paths[i] && (cursor_is(name, paths[i]) || (last && cursor_is(name, last + 1))))
			return true;
	}
	return false;
}

/* ";NAME[;ARGUMENT]...", in hex.  The guest's command line is given when gdbvisor starts; arguments are not used. */
int pkt_run(struct session *s, struct cursor *args)
{
	const struct stop_event entry = { .reason = STOP_ENTRY };
	struct cursor name;
	int r;

	if (!s->extended)
		return err_set(&s->error, EINVAL, "vRun is for extended mode (target extended-remote)");
	if (!cursor_byte(args, ';'))
		return -EINVAL;
	name = cursor_field(args, ';');
	if (!cursor_hex_rest(&name, &name))
		return -EINVAL;
	if (!is_image(machine_info(s->machine), &name))
		return err_set(&s->error, ENOENT, "the machine's image is %s: no other program can be run",
			       machine_info(s->machine)->image);
	r = reset(s);
	if (r)
		return r;
	s->detached = false;
	stop_reply(s, &entry, false);
	return PACKET_REPLY;
}

/* Of the threads that it then finds a client in non-stop mode stops those that it wants to. */
int pkt_attach(struct session *s, struct cursor *args)
{
	int r = parse_pid(args, false);

	if (r)
		return r == -ESRCH ? err_set(&s->error, ESRCH, "the machine is process 1") : r;
	s->detached = false;
	if (!s->nonstop)
		return pkt_status(s, args);
	nonstop_quiet(s);
	return packet_ok(s);
}

int pkt_detach(struct session *s, struct cursor *args)
{
	int r = parse_pid(args, true);

	if (r)
		return r;
	if (s->extended) {
		session_detach(s);
	} else {
		session_leave(s);
		s->end = SESSION_DETACHED;
	}
	return packet_ok(s);
}

static int kill_guest(struct session *s)
{
	int r;

	if (!s->extended) {
		s->end = SESSION_KILLED;
		return 0;
	}
	r = reset(s);
	if (r)
		return r;
	session_clear(s);
	s->detached = true;
	return 0;
}

/* Never answered. */
int pkt_kill(struct session *s, struct cursor *args)
{
	(void)args;
	if (s->owner.driver)
		s->end = SESSION_DETACHED;
	else
		kill_guest(s);
	return PACKET_LATER;
}

int pkt_vkill(struct session *s, struct cursor *args)
{
	int r = parse_pid(args, false);

	if (!r)
		r = kill_guest(s);
	return r ? r : packet_ok(s);
}
