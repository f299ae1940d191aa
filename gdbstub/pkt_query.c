/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Getting to know each other: qSupported qAttached qSymbol QStartNoAckMode vMustReplyEmpty. */
#include "gdbstub/internal.h"

#include <errno.h>

/* Items are told apart at ';' only: what else they hold is the client's business. */
int pkt_supported(struct session *s, struct cursor *args)
{
	struct reply *r = &s->reply;

	s->swbreak = s->hwbreak = false;
	if (!cursor_end(args) && !cursor_byte(args, ':'))
		return -EINVAL;
	do {
		struct cursor item = cursor_field(args, ';');

		s->swbreak |= cursor_is(&item, "swbreak+");
		s->hwbreak |= cursor_is(&item, "hwbreak+");
	} while (cursor_byte(args, ';'));
	reply_text(r, "PacketSize=");
	reply_number(r, SESSION_PACKET_SIZE);
	dispatch_features(r);
	if (s->swbreak)
		reply_text(r, ";swbreak+");
	if (s->hwbreak)
		reply_text(r, ";hwbreak+");
	return PACKET_REPLY;
}

/* Always "attached", so that gdb detaches rather than kills when it quits. */
int pkt_attached(struct session *s, struct cursor *args)
{
	(void)args;
	reply_text(&s->reply, "1");
	return PACKET_REPLY;
}

/* gdb offers to look up symbols: none are wanted. */
int pkt_symbol(struct session *s, struct cursor *args)
{
	return cursor_is(args, "::") ? packet_ok(s) : -EINVAL;
}

int pkt_no_ack(struct session *s, struct cursor *args)
{
	(void)args;
	s->no_ack_next = true;
	return packet_ok(s);
}

int pkt_unknown(struct session *s, struct cursor *args)
{
	(void)s;
	(void)args;
	return PACKET_REPLY;
}
