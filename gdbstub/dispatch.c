/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/internal.h"

#include <errno.h>
#include <string.h>

enum packet_args {
	ARGS_NONE,              /* the name is the packet */
	ARGS_TIGHT,             /* arguments follow the name directly */
	ARGS_LIST,              /* none, or they follow one of ':' ';' ',' (which the handler finds first) */
};

/* Flags of a row. */
#define DRIVES          (1 << 5)        /* runs the machine or changes it: for the client that drives */
#define NEEDS_STOPPED   (1 << 0)
#define NEEDS_EXEC      (1 << 1)        /* known only where the image can be offered as a file */
#define NEEDS_COMMANDS  (1 << 2)        /* known only where there is a monitor */
#define TEXT_ALWAYS     (1 << 3)        /* clients of any age show an error's text for this one */
#define THREAD_SUFFIX   (1 << 4)        /* ";thread:T;" may follow, once the client has asked for that */

struct packet {
	const char *name;
	size_t len;             /* of the name */
	enum packet_args args;
	unsigned flags;
	packet_fn *fn;
	const char *feature;    /* its items in the qSupported reply */
};

#define NAME(text) (text), sizeof(text) - 1

/* The longest name that fits wins, so the order is free. */
static const struct packet packets[] = {
	{ NAME("?"), ARGS_NONE, 0, pkt_status, NULL },
	{ NAME("c"), ARGS_TIGHT, DRIVES, pkt_continue, NULL },
	{ NAME("C"), ARGS_TIGHT, DRIVES, pkt_continue_signal, NULL },
	{ NAME("s"), ARGS_TIGHT, DRIVES, pkt_step, NULL },
	{ NAME("S"), ARGS_TIGHT, DRIVES, pkt_step_signal, NULL },
	{ NAME("vCont?"), ARGS_NONE, 0, pkt_vcont_query, "vContSupported+" },
	{ NAME("vCont"), ARGS_LIST, DRIVES, pkt_vcont, NULL },
	{ NAME("D"), ARGS_LIST, 0, pkt_detach, NULL },
	{ NAME("k"), ARGS_NONE, 0, pkt_kill, NULL },
	{ NAME("vKill"), ARGS_LIST, DRIVES, pkt_vkill, NULL },
	{ NAME("!"), ARGS_NONE, 0, pkt_extended, NULL },
	{ NAME("R"), ARGS_TIGHT, DRIVES, pkt_restart, NULL },
	{ NAME("vRun"), ARGS_LIST, TEXT_ALWAYS | DRIVES, pkt_run, NULL },
	{ NAME("vAttach"), ARGS_LIST, TEXT_ALWAYS | DRIVES, pkt_attach, NULL },
	{ NAME("QNonStop"), ARGS_LIST, 0, pkt_nonstop, "QNonStop+" },
	{ NAME("vStopped"), ARGS_NONE, 0, pkt_stop_heard, NULL },
	{ NAME("vCtrlC"), ARGS_NONE, DRIVES, pkt_ctrl_c, NULL },
	{ NAME("QThreadEvents"), ARGS_LIST, 0, pkt_thread_events, "QThreadEvents+" },

	{ NAME("g"), ARGS_NONE, NEEDS_STOPPED | THREAD_SUFFIX, pkt_regs_read, NULL },
	{ NAME("G"), ARGS_TIGHT, NEEDS_STOPPED | THREAD_SUFFIX | TEXT_ALWAYS | DRIVES, pkt_regs_write, NULL },
	{ NAME("p"), ARGS_TIGHT, NEEDS_STOPPED | THREAD_SUFFIX, pkt_reg_read, NULL },
	{ NAME("P"), ARGS_TIGHT, NEEDS_STOPPED | THREAD_SUFFIX | TEXT_ALWAYS | DRIVES, pkt_reg_write, NULL },

	{ NAME("m"), ARGS_TIGHT, NEEDS_STOPPED, pkt_mem_read, NULL },
	{ NAME("M"), ARGS_TIGHT, NEEDS_STOPPED | DRIVES, pkt_mem_write_hex, NULL },
	{ NAME("x"), ARGS_TIGHT, NEEDS_STOPPED, pkt_mem_read_binary, "binary-upload+" },
	{ NAME("X"), ARGS_TIGHT, NEEDS_STOPPED | DRIVES, pkt_mem_write_binary, NULL },
	{ NAME("qSearch:memory"), ARGS_LIST, NEEDS_STOPPED, pkt_search, NULL },
	{ NAME("qCRC"), ARGS_LIST, NEEDS_STOPPED, pkt_crc, NULL },

	{ NAME("Z0"), ARGS_LIST, NEEDS_STOPPED | DRIVES, pkt_soft_insert, "ConditionalBreakpoints+" },
	{ NAME("z0"), ARGS_LIST, NEEDS_STOPPED | DRIVES, pkt_soft_remove, NULL },
	{ NAME("Z1"), ARGS_LIST, NEEDS_STOPPED | DRIVES, pkt_hard_insert, "BreakpointCommands+" },
	{ NAME("z1"), ARGS_LIST, NEEDS_STOPPED | DRIVES, pkt_hard_remove, NULL },
	{ NAME("Z2"), ARGS_LIST, NEEDS_STOPPED | DRIVES, pkt_write_insert, NULL },
	{ NAME("z2"), ARGS_LIST, NEEDS_STOPPED | DRIVES, pkt_write_remove, NULL },
	{ NAME("Z3"), ARGS_LIST, NEEDS_STOPPED | DRIVES, pkt_read_insert, NULL },
	{ NAME("z3"), ARGS_LIST, NEEDS_STOPPED | DRIVES, pkt_read_remove, NULL },
	{ NAME("Z4"), ARGS_LIST, NEEDS_STOPPED | DRIVES, pkt_access_insert, NULL },
	{ NAME("z4"), ARGS_LIST, NEEDS_STOPPED | DRIVES, pkt_access_remove, NULL },

	{ NAME("Hg"), ARGS_TIGHT, 0, pkt_set_general, NULL },
	{ NAME("Hc"), ARGS_TIGHT, 0, pkt_set_step, NULL },
	{ NAME("T"), ARGS_TIGHT, 0, pkt_alive, NULL },
	{ NAME("qC"), ARGS_NONE, 0, pkt_current, NULL },
	{ NAME("qfThreadInfo"), ARGS_NONE, 0, pkt_threads_first, NULL },
	{ NAME("qsThreadInfo"), ARGS_NONE, 0, pkt_threads_next, NULL },
	{ NAME("qThreadExtraInfo"), ARGS_LIST, 0, pkt_thread_info, NULL },

	{ NAME("qSupported"), ARGS_LIST, 0, pkt_supported, NULL },
	{ NAME("qAttached"), ARGS_LIST, 0, pkt_attached, NULL },
	{ NAME("qOffsets"), ARGS_NONE, 0, pkt_offsets, NULL },
	{ NAME("qSymbol"), ARGS_LIST, 0, pkt_symbol, NULL },
	{ NAME("QPassSignals"), ARGS_LIST, 0, pkt_signals, NULL },
	{ NAME("QProgramSignals"), ARGS_LIST, 0, pkt_signals, NULL },
	{ NAME("QStartNoAckMode"), ARGS_NONE, 0, pkt_no_ack, "QStartNoAckMode+" },
	{ NAME("vMustReplyEmpty"), ARGS_NONE, 0, pkt_unknown, NULL },

	{ NAME("qXfer:features:read"), ARGS_LIST, 0, pkt_xfer_target, "qXfer:features:read+" },
	{ NAME("qXfer:threads:read"), ARGS_LIST, 0, pkt_xfer_threads, "qXfer:threads:read+" },
	{ NAME("qXfer:exec-file:read"), ARGS_LIST, NEEDS_EXEC, pkt_xfer_exec, "qXfer:exec-file:read+" },
	{ NAME("qXfer:memory-map:read"), ARGS_LIST, 0, pkt_xfer_map, "qXfer:memory-map:read+" },
	{ NAME("vFile:setfs"), ARGS_LIST, 0, pkt_file_setfs, NULL },
	{ NAME("vFile:open"), ARGS_LIST, 0, pkt_file_open, NULL },
	{ NAME("vFile:close"), ARGS_LIST, 0, pkt_file_close, NULL },
	{ NAME("vFile:pread"), ARGS_LIST, 0, pkt_file_pread, NULL },
	{ NAME("vFile:fstat"), ARGS_LIST, 0, pkt_file_fstat, NULL },

	{ NAME("qHostInfo"), ARGS_NONE, 0, pkt_host_info, NULL },
	{ NAME("qProcessInfo"), ARGS_NONE, 0, pkt_process_info, NULL },
	{ NAME("qGDBServerVersion"), ARGS_NONE, 0, pkt_server_version, NULL },
	{ NAME("QThreadSuffixSupported"), ARGS_NONE, 0, pkt_thread_suffix, NULL },
	{ NAME("QListThreadsInStopReply"), ARGS_NONE, 0, pkt_list_threads, NULL },
	{ NAME("QEnableErrorStrings"), ARGS_NONE, 0, pkt_error_strings, NULL },
	{ NAME("qSpeedTest"), ARGS_LIST, 0, pkt_speed_test, NULL },
	{ NAME("qThreadStopInfo"), ARGS_TIGHT, NEEDS_STOPPED, pkt_thread_stop, NULL },
	{ NAME("jThreadsInfo"), ARGS_NONE, NEEDS_STOPPED, pkt_threads_info, NULL },
	{ NAME("qMemoryRegionInfo"), ARGS_LIST, NEEDS_STOPPED, pkt_memory_region, NULL },
	{ NAME("QSaveRegisterState"), ARGS_LIST, NEEDS_STOPPED | THREAD_SUFFIX, pkt_save_registers, NULL },
	{ NAME("QRestoreRegisterState"), ARGS_LIST, NEEDS_STOPPED | THREAD_SUFFIX | DRIVES, pkt_restore_registers,
	  NULL },

	{ NAME("qqemu.Supported"), ARGS_NONE, 0, pkt_qemu_supported, NULL },
	{ NAME("qqemu.sstepbits"), ARGS_NONE, 0, pkt_qemu_bits, NULL },
	{ NAME("qqemu.sstep"), ARGS_NONE, 0, pkt_qemu_step, NULL },
	{ NAME("Qqemu.sstep="), ARGS_TIGHT, NEEDS_STOPPED | DRIVES, pkt_qemu_set_step, NULL },
	{ NAME("qqemu.PhyMemMode"), ARGS_NONE, 0, pkt_qemu_memory, NULL },
	{ NAME("Qqemu.PhyMemMode:"), ARGS_TIGHT, 0, pkt_qemu_set_memory, NULL },

	{ NAME("qRcmd"), ARGS_LIST, NEEDS_COMMANDS, pkt_command, NULL },
};

#define NPACKETS (sizeof(packets) / sizeof(packets[0]))
_Static_assert(NPACKETS <= UINT8_MAX, "a row's number fits the chains");

/* Rows in chains by their first byte: made when the first packet comes, on the loop thread.  0: no more, else a row's number plus 1. */
static struct {
	bool made;
	uint8_t first[UINT8_MAX + 1], next[NPACKETS];
} chains;

static void make_chains(void)
{
	for (size_t i = 0; i < NPACKETS; i++) {
		uint8_t *first = &chains.first[(uint8_t)packets[i].name[0]];

		chains.next[i] = *first;
		*first = (uint8_t)(i + 1);
	}
	chains.made = true;
}

static bool fits(const struct packet *p, const uint8_t *data, size_t len)
{
	if (len < p->len || memcmp(data, p->name, p->len))
		return false;
	if (len == p->len || p->args == ARGS_TIGHT)
		return true;
	if (p->args == ARGS_LIST)
		return data[p->len] == ':' || data[p->len] == ';' || data[p->len] == ',';
	/* "gfoo" is a g with something wrong; "qCRC" is no qC */
	return p->len == 1;
}

/* Whether this machine has what the packet is about. */
static bool offered(struct session *s, const struct packet *p)
{
	return !((p->flags & NEEDS_EXEC) && !machine_info(s->machine)->exec_file) &&
	       !((p->flags & NEEDS_COMMANDS) && !s->commander);
}

/* NULL: the packet is not known. */
static const struct packet *find(struct session *s, const uint8_t *data, size_t len)
{
	const struct packet *best = NULL;

	if (!chains.made)
		make_chains();
	for (size_t i = len ? chains.first[data[0]] : 0; i; i = chains.next[i - 1])
		if ((!best || packets[i - 1].len > best->len) && fits(&packets[i - 1], data, len))
			best = &packets[i - 1];
	return best && offered(s, best) ? best : NULL;
}

/*
 * Takes ";thread:T;" off the end of a register packet (lldb's "QThreadSuffixSupported").  Where it is there but names no
 * vCPU the packet is left as it was, and refused for that.
 */
static bool take_suffix(struct session *s, struct cursor *args, unsigned *ret_cpu)
{
	static const char word[] = ";thread:";
	const size_t len = sizeof(word) - 1;
	uint8_t *at = args->len ? memchr(args->p, ';', args->len) : NULL;
	struct cursor id;
	int thread;

	if (!at || (size_t)(args->p + args->len - at) < len || memcmp(at, word, len))
		return false;
	id = (struct cursor){ .p = at + len, .len = (size_t)(args->p + args->len - at) - len };
	if (!cursor_thread(&id, session_cpus(s), &thread) || thread == THREAD_ALL || !cursor_byte(&id, ';') ||
	    !cursor_end(&id))
		return false;
	args->len = (size_t)(at - args->p);
	if (thread != THREAD_ANY)
		*ret_cpu = (unsigned)thread - 1;
	return true;
}

/* Runs the handler, on the vCPU that the packet names if it does.  In non-stop mode what it is about may run meanwhile. */
static int run(struct session *s, const struct packet *p, struct cursor *args)
{
	unsigned cpu = s->cpu, other = s->cpu;
	bool suffix = (p->flags & THREAD_SUFFIX) && s->thread_suffix && take_suffix(s, args, &other);
	bool held = false;
	int r;

	if (p->args == ARGS_NONE && args->len)
		return -EINVAL;
	if ((p->flags & DRIVES) && s->owner.driver)
		return p->name[0] == 'z' ? packet_ok(s) : observer_refuse(s, args);
	if ((p->flags & NEEDS_STOPPED) && machine_state(s->machine) == MACHINE_RUNNING) {
		if (s->owner.driver)
			return err_set(&s->error, EBUSY, "the guest is running, and gdb client %u drives it",
				       s->owner.driver);
		if (!s->nonstop)
			return -EBUSY;
		r = machine_hold(s->machine, &s->error);
		if (r)
			return r;
		held = true;
	}
	if (suffix)
		s->cpu = other;
	r = p->fn(s, args);
	if (suffix)
		s->cpu = cpu;
	if (held)
		machine_release(s->machine);
	return r;
}

/* The error reply, with the text there is if the client can read one (gdb manual, "Standard Replies"). */
static void refuse(struct session *s, const struct packet *p, int error)
{
	if (!s->error.msg[0])
		reply_error(&s->reply, error);
	else if (s->error_text || (p->flags & TEXT_ALWAYS) || ((p->flags & DRIVES) && s->owner.driver))
		reply_error_text(&s->reply, s->error.msg);
	else if (s->error_strings)
		reply_error_string(&s->reply, error, s->error.msg);
	else
		reply_error(&s->reply, error);
}

void dispatch_packet(struct session *s, uint8_t *packet, size_t len)
{
	const struct packet *best = find(s, packet, len);
	struct cursor args;
	int r = PACKET_REPLY;

	reply_reset(&s->reply);
	s->reply_sent = false;
	s->error = (struct err){ 0 };
	if (best) {
		args = (struct cursor){ .p = packet + best->len, .len = len - best->len };
		r = run(s, best, &args);
	}
	if (r == PACKET_LATER)
		return;
	if (r < 0)
		refuse(s, best, r);
	session_send(s);
}

const char *dispatch_name(size_t i)
{
	return i < NPACKETS ? packets[i].name : NULL;
}

void dispatch_features(struct session *s)
{
	for (size_t i = 0; i < NPACKETS; i++)
		if (packets[i].feature && offered(s, &packets[i])) {
			reply_text(&s->reply, ";");
			reply_text(&s->reply, packets[i].feature);
		}
}
