/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakpoints: Z0 z0 Z1 z1.  Both ways are idempotent. */
#include "gdbstub/internal.h"

#include <errno.h>

/* ",ADDR,KIND".  The kind is the length of a trap instruction, which x86 has only one of: 1. */
static bool parse_place(struct cursor *args, uint64_t *ret_gva)
{
	uint64_t gva, kind;

	if (!cursor_byte(args, ',') || !cursor_number(args, &gva) || !cursor_byte(args, ',') ||
	    !cursor_number(args, &kind) || !cursor_end(args) || kind > 1)
		return false;
	*ret_gva = gva;
	return true;
}

static int insert(struct session *s, struct cursor *args, enum break_kind kind)
{
	uint64_t gva;
	int r;

	if (!parse_place(args, &gva))
		return -EINVAL;
	r = machine_break_insert(s->machine, BREAK_OWNER_GDB, kind, s->cpu, gva, NULL);
	return r < 0 ? r : packet_ok(s);
}

static int take_away(struct session *s, struct cursor *args, enum break_kind kind)
{
	uint64_t gva;
	int r;

	if (!parse_place(args, &gva))
		return -EINVAL;
	r = machine_break_remove(s->machine, BREAK_OWNER_GDB, kind, gva, NULL);
	return r < 0 && r != -ENOENT ? r : packet_ok(s);
}

int pkt_soft_insert(struct session *s, struct cursor *args)
{
	return insert(s, args, BREAK_SOFT);
}

int pkt_soft_remove(struct session *s, struct cursor *args)
{
	return take_away(s, args, BREAK_SOFT);
}

int pkt_hard_insert(struct session *s, struct cursor *args)
{
	return insert(s, args, BREAK_HARD);
}

int pkt_hard_remove(struct session *s, struct cursor *args)
{
	return take_away(s, args, BREAK_HARD);
}
