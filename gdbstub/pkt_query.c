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

/*
 * How far the program was moved; nothing where it was not.  By where its first two segments are, as gdb then moves
 * the others with the second; by sections it would move .text, .data and .bss alone, and a kernel has more.
 */
int pkt_offsets(struct session *s, struct cursor *args)
{
	const struct machine_info *info = machine_info(s->machine);
	uint64_t slide = machine_sym_slide(s->machine, NULL);
	uint64_t mask = info->image_bits == 32 ? UINT32_MAX : UINT64_MAX;
	static const char *const by_segment[] = { "TextSeg=", ";DataSeg=" };
	static const char *const by_section[] = { "Text=", ";Data=", ";Bss=" };

	(void)args;
	if (!slide)
		return PACKET_REPLY;
	for (unsigned i = 0; i < info->exec_segments && i < 2; i++) {
		reply_text(&s->reply, by_segment[i]);
		reply_number(&s->reply, (info->exec_segment[i] + slide) & mask);
	}
	for (unsigned i = 0; i < 3 && !info->exec_segments; i++) {
		reply_text(&s->reply, by_section[i]);
		reply_number(&s->reply, slide & mask);
	}
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
