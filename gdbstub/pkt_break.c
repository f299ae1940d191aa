/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakpoints and watchpoints: Z0 to Z4, z0 to z4.  Both ways are idempotent. */
#include "gdbstub/internal.h"

#include <errno.h>

/* ",ADDR,KIND", and what may follow.  For a watchpoint the kind is its length in bytes. */
static bool parse_place(struct cursor *args, uint64_t *ret_gva, uint64_t *ret_kind)
{
	uint64_t gva, kind;

	if (!cursor_byte(args, ',') || !cursor_number(args, &gva) || !cursor_byte(args, ',') ||
	    !cursor_number(args, &kind))
		return false;
	*ret_gva = gva;
	*ret_kind = kind;
	return true;
}

/* A breakpoint with what is attached to it now, in the place of what was. */
static int insert(struct session *s, struct cursor *args, const struct break_spec *spec)
{
	struct trigger *new, *old;
	int r = trigger_parse(args, s->tdesc.layout, &new, NULL);

	if (r)
		return r;
	r = triggers_set(s->triggers, spec->kind, spec->gva, new, &old, NULL);
	if (r) {
		trigger_free(new);
		return r;
	}
	r = machine_break_insert(s->machine, BREAK_OWNER_GDB, spec, NULL);
	if (!r) {
		trigger_free(old);
		return packet_ok(s);
	}
	/* Which works: there was room for it before. */
	triggers_set(s->triggers, spec->kind, spec->gva, old, NULL, NULL);
	return r;
}

/* Both kinds of breakpoint.  KIND is the length of a trap instruction. */
static int breakpoint(struct session *s, struct cursor *args, enum break_kind kind, bool set)
{
	struct break_spec spec = { .kind = kind, .space = BREAK_ANY_SPACE, .cpu = s->cpu };
	uint64_t length;
	int r;

	if (!parse_place(args, &spec.gva, &length) || length > arch_desc.trap_size)
		return -EINVAL;
	if (set)
		return insert(s, args, &spec);
	if (!cursor_end(args))
		return -EINVAL;
	r = machine_break_remove(s->machine, BREAK_OWNER_GDB, &spec, NULL);
	if (r && r != -ENOENT)
		return r;
	triggers_set(s->triggers, kind, spec.gva, NULL, NULL, NULL);
	return packet_ok(s);
}

/* gdb asks whether the value has changed and goes on by itself when not; the machine does it without the round trip. */
static int watchpoint(struct session *s, struct cursor *args, enum watch_kind kind, bool set)
{
	struct watch_spec spec = { .kind = kind, .cpu = s->cpu };
	int r;

	if (!parse_place(args, &spec.gva, &spec.size) || !cursor_end(args) || !spec.size || spec.size > WATCH_SIZE_MAX)
		return -EINVAL;
	if (set)
		r = machine_watch_insert(s->machine, BREAK_OWNER_GDB, &spec, NULL);
	else
		r = machine_watch_remove(s->machine, BREAK_OWNER_GDB, &spec, NULL);
	return r && (set || r != -ENOENT) ? r : packet_ok(s);
}

int pkt_soft_insert(struct session *s, struct cursor *args)
{
	return breakpoint(s, args, BREAK_SOFT, true);
}

int pkt_soft_remove(struct session *s, struct cursor *args)
{
	return breakpoint(s, args, BREAK_SOFT, false);
}

int pkt_hard_insert(struct session *s, struct cursor *args)
{
	return breakpoint(s, args, BREAK_HARD, true);
}

int pkt_hard_remove(struct session *s, struct cursor *args)
{
	return breakpoint(s, args, BREAK_HARD, false);
}

int pkt_write_insert(struct session *s, struct cursor *args)
{
	return watchpoint(s, args, WATCH_WRITE, true);
}

int pkt_write_remove(struct session *s, struct cursor *args)
{
	return watchpoint(s, args, WATCH_WRITE, false);
}

int pkt_read_insert(struct session *s, struct cursor *args)
{
	return watchpoint(s, args, WATCH_READ, true);
}

int pkt_read_remove(struct session *s, struct cursor *args)
{
	return watchpoint(s, args, WATCH_READ, false);
}

int pkt_access_insert(struct session *s, struct cursor *args)
{
	return watchpoint(s, args, WATCH_ACCESS, true);
}

int pkt_access_remove(struct session *s, struct cursor *args)
{
	return watchpoint(s, args, WATCH_ACCESS, false);
}
