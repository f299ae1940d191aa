/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/internal.h"

#include <errno.h>
#include <string.h>

enum packet_args {
	ARGS_NONE,              /* the name is the packet */
	ARGS_TIGHT,             /* arguments follow the name directly */
	ARGS_LIST,              /* none, or they follow one of ':' ';' ',' (which the handler finds first) */
};

#define NEEDS_STOPPED (1 << 0)

struct packet {
	const char *name;
	enum packet_args args;
	unsigned flags;
	packet_fn *fn;
	const char *feature;    /* its items in the qSupported reply */
};

/* The longest name that fits wins, so the order is free. */
static const struct packet packets[] = {
	{ "?", ARGS_NONE, 0, pkt_status, NULL },
	{ "c", ARGS_TIGHT, 0, pkt_continue, NULL },
	{ "C", ARGS_TIGHT, 0, pkt_continue_signal, NULL },
	{ "s", ARGS_TIGHT, 0, pkt_step, NULL },
	{ "S", ARGS_TIGHT, 0, pkt_step_signal, NULL },
	{ "vCont?", ARGS_NONE, 0, pkt_vcont_query, "vContSupported+" },
	{ "vCont", ARGS_LIST, 0, pkt_vcont, NULL },
	{ "D", ARGS_NONE, 0, pkt_detach, NULL },
	{ "k", ARGS_NONE, 0, pkt_kill, NULL },
	{ "vKill", ARGS_LIST, 0, pkt_vkill, NULL },

	{ "g", ARGS_NONE, NEEDS_STOPPED, pkt_regs_read, NULL },
	{ "G", ARGS_TIGHT, NEEDS_STOPPED, pkt_regs_write, NULL },
	{ "p", ARGS_TIGHT, NEEDS_STOPPED, pkt_reg_read, NULL },
	{ "P", ARGS_TIGHT, NEEDS_STOPPED, pkt_reg_write, NULL },

	{ "m", ARGS_TIGHT, NEEDS_STOPPED, pkt_mem_read, NULL },
	{ "M", ARGS_TIGHT, NEEDS_STOPPED, pkt_mem_write_hex, NULL },
	{ "X", ARGS_TIGHT, NEEDS_STOPPED, pkt_mem_write_binary, NULL },

	{ "Z0", ARGS_LIST, NEEDS_STOPPED, pkt_soft_insert, NULL },
	{ "z0", ARGS_LIST, NEEDS_STOPPED, pkt_soft_remove, NULL },
	{ "Z1", ARGS_LIST, NEEDS_STOPPED, pkt_hard_insert, NULL },
	{ "z1", ARGS_LIST, NEEDS_STOPPED, pkt_hard_remove, NULL },
	{ "Z2", ARGS_LIST, NEEDS_STOPPED, pkt_write_insert, NULL },
	{ "z2", ARGS_LIST, NEEDS_STOPPED, pkt_write_remove, NULL },
	{ "Z3", ARGS_LIST, NEEDS_STOPPED, pkt_read_insert, NULL },
	{ "z3", ARGS_LIST, NEEDS_STOPPED, pkt_read_remove, NULL },
	{ "Z4", ARGS_LIST, NEEDS_STOPPED, pkt_access_insert, NULL },
	{ "z4", ARGS_LIST, NEEDS_STOPPED, pkt_access_remove, NULL },

	{ "Hg", ARGS_TIGHT, 0, pkt_set_general, NULL },
	{ "Hc", ARGS_TIGHT, 0, pkt_set_step, NULL },
	{ "T", ARGS_TIGHT, 0, pkt_alive, NULL },
	{ "qC", ARGS_NONE, 0, pkt_current, NULL },
	{ "qfThreadInfo", ARGS_NONE, 0, pkt_threads_first, NULL },
	{ "qsThreadInfo", ARGS_NONE, 0, pkt_threads_next, NULL },
	{ "qThreadExtraInfo", ARGS_LIST, 0, pkt_thread_info, NULL },

	{ "qSupported", ARGS_LIST, 0, pkt_supported, NULL },
	{ "qAttached", ARGS_LIST, 0, pkt_attached, NULL },
	{ "qSymbol", ARGS_LIST, 0, pkt_symbol, NULL },
	{ "QStartNoAckMode", ARGS_NONE, 0, pkt_no_ack, "QStartNoAckMode+" },
	{ "vMustReplyEmpty", ARGS_NONE, 0, pkt_unknown, NULL },

	{ "qXfer:features:read", ARGS_LIST, 0, pkt_xfer_target, "qXfer:features:read+" },
	{ "qXfer:threads:read", ARGS_LIST, 0, pkt_xfer_threads, "qXfer:threads:read+" },
	{ "qXfer:exec-file:read", ARGS_LIST, 0, pkt_xfer_exec, "qXfer:exec-file:read+" },
	{ "qXfer:memory-map:read", ARGS_LIST, 0, pkt_xfer_map, "qXfer:memory-map:read+" },
	{ "vFile:setfs", ARGS_LIST, 0, pkt_file_setfs, NULL },
	{ "vFile:open", ARGS_LIST, 0, pkt_file_open, NULL },
	{ "vFile:close", ARGS_LIST, 0, pkt_file_close, NULL },
	{ "vFile:pread", ARGS_LIST, 0, pkt_file_pread, NULL },
	{ "vFile:fstat", ARGS_LIST, 0, pkt_file_fstat, NULL },

	{ "qRcmd", ARGS_LIST, 0, pkt_command, NULL },
};

#define NPACKETS (sizeof(packets) / sizeof(packets[0]))

static bool fits(const struct packet *p, size_t name_len, const uint8_t *data, size_t len)
{
	if (len < name_len || memcmp(data, p->name, name_len))
		return false;
	if (len == name_len || p->args == ARGS_TIGHT)
		return true;
	if (p->args == ARGS_LIST)
		return data[name_len] == ':' || data[name_len] == ';' || data[name_len] == ',';
	/* "gfoo" is a g with something wrong; "qCRC" is no qC */
	return name_len == 1;
}

void dispatch_packet(struct session *s, uint8_t *packet, size_t len)
{
	const struct packet *best = NULL;
	size_t best_len = 0;
	struct cursor args;
	int r = PACKET_REPLY;

	reply_reset(&s->reply);
	s->reply_sent = false;
	for (size_t i = 0; i < NPACKETS; i++) {
		size_t n = strlen(packets[i].name);

		if (n > best_len && fits(&packets[i], n, packet, len)) {
			best = &packets[i];
			best_len = n;
		}
	}
	if (best) {
		args = (struct cursor){ .p = packet + best_len, .len = len - best_len };
		if (best->args == ARGS_NONE && args.len)
			r = -EINVAL;
		else if ((best->flags & NEEDS_STOPPED) && machine_state(s->machine) == MACHINE_RUNNING)
			r = -EBUSY;
		else
			r = best->fn(s, &args);
	}
	if (r == PACKET_LATER)
		return;
	if (r < 0)
		reply_error(&s->reply, r);
	session_send(s);
}

void dispatch_features(struct reply *r)
{
	for (size_t i = 0; i < NPACKETS; i++)
		if (packets[i].feature) {
			reply_text(r, ";");
			reply_text(r, packets[i].feature);
		}
}
