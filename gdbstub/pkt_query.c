/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Getting to know each other: qSupported qAttached qSymbol QPassSignals QStartNoAckMode vMustReplyEmpty. */
#include "gdbstub/internal.h"

#include <errno.h>

/* What a client may announce; what it did is confirmed in the reply. */
static const struct {
	const char *item;
	size_t flag;            /* offset of the bool in struct session */
} announced[] = {
	{ "swbreak+", offsetof(struct session, swbreak) },
	{ "hwbreak+", offsetof(struct session, hwbreak) },
	{ "multiprocess+", offsetof(struct session, multiprocess) },
	{ "error-message+", offsetof(struct session, error_text) },
};

#define NANNOUNCED (sizeof(announced) / sizeof(announced[0]))

static bool *flag_of(struct session *s, size_t i)
{
	return (bool *)((char *)s + announced[i].flag);
}

/* Items are told apart at ';' only: what else they hold is the client's business. */
int pkt_supported(struct session *s, struct cursor *args)
{
	struct reply *r = &s->reply;

	if (!cursor_end(args) && !cursor_byte(args, ':'))
		return -EINVAL;
	for (size_t i = 0; i < NANNOUNCED; i++)
		*flag_of(s, i) = false;
	do {
		struct cursor item = cursor_field(args, ';');

		for (size_t i = 0; i < NANNOUNCED; i++)
			*flag_of(s, i) |= cursor_is(&item, announced[i].item);
	} while (cursor_byte(args, ';'));
	reply_text(r, "PacketSize=");
	reply_number(r, SESSION_PACKET_SIZE);
	dispatch_features(s);
	for (size_t i = 0; i < NANNOUNCED; i++)
		if (*flag_of(s, i)) {
			reply_text(r, ";");
			reply_text(r, announced[i].item);
		}
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

/* ":SIG;SIG...": which signals not to report.  A guest has none. */
int pkt_signals(struct session *s, struct cursor *args)
{
	uint64_t signal;

	if (!cursor_byte(args, ':'))
		return -EINVAL;
	while (!cursor_end(args))
		if (!cursor_number(args, &signal) || signal > UINT8_MAX || !(cursor_end(args) || cursor_byte(args, ';')))
			return -EINVAL;
	return packet_ok(s);
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
