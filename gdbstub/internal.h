/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the packet handlers (pkt_*.c) and the session share. */
#ifndef GV_GDBSTUB_INTERNAL_H
#define GV_GDBSTUB_INTERNAL_H

#include "gdbstub/cursor.h"
#include "gdbstub/frame.h"
#include "gdbstub/queue.h"
#include "gdbstub/reply.h"
#include "gdbstub/session.h"
#include "gdbstub/tdesc.h"
#include "gdbstub/trigger.h"

/* What the client waits for, besides the reply to its last packet. */
enum session_wait {
	WAIT_NONE,
	WAIT_STATUS,            /* it asked `?` while the machine ran */
	WAIT_STOP,              /* it resumed the machine */
};

enum xfer_doc { XFER_TARGET, XFER_THREADS, XFER_EXEC, XFER_MAP, XFER_COUNT };

struct nonstop;

struct session {
	struct observer observer;       /* first */
	struct machine *machine;
	struct commander *commander;
	struct session_owner owner;

	struct wirelog *log;            /* NULL: none */
	unsigned client;                /* its number in the log */

	struct frame_in in;
	struct reply reply;             /* being built; afterwards what a NACK sends again */
	bool reply_sent;
	struct queue queue;
	enum session_end end;
	bool in_input;                  /* session_input() is active: the owner looks at the output anyway */
	bool no_ack, no_ack_next;       /* next: the reply to QStartNoAckMode has not been acknowledged yet */

	bool swbreak, hwbreak;          /* announced by the client */
	bool multiprocess;              /* likewise: threads are named pP.T */
	bool extended;                  /* `!` was sent: the session outlives the guest's run */
	bool detached;                  /* in extended mode: from the guest, though connected */
	struct nonstop *nonstop;        /* NULL: all-stop */
	bool error_text;                /* likewise: E.TEXT is read for every packet */
	bool error_strings;             /* lldb's QEnableErrorStrings was sent */
	bool physical;                  /* QEMU's PhyMemMode: memory packets mean gpas */
	bool thread_suffix;             /* lldb's QThreadSuffixSupported */
	bool list_threads;              /* lldb's QListThreadsInStopReply */
	struct saved *saved;            /* lldb's QSaveRegisterState, newest first */
	unsigned last_saved;            /* the number of the last one */
	struct err error;               /* why this packet is refused, for a client that shows it; zeroed before each */
	struct tdesc_wish wish;         /* for the next description */
	struct tdesc tdesc;             /* frozen until the client reads target.xml again */
	struct out_buf doc[XFER_COUNT]; /* as they were when read at offset 0 */

	struct triggers *triggers;      /* its own, unless the owner has some */

	uint32_t files;                 /* vFile handles that are open, a bit each */

	unsigned cpu;                   /* Hg: registers, memory */
	int step_thread;                /* Hc: a thread, THREAD_ANY or THREAD_ALL */
	enum session_wait wait;
	bool resumed;                   /* by this burst of input */
	bool stop_asked;                /* a machine_stop() of ours has not been answered yet */
	bool interrupted;               /* Ctrl-C came while the machine stood still: its next run is over at once */
	bool leaving;                   /* session_leave() waits for that answer */
	bool gone;                      /* session_leave() was called */

	struct out_buf collected;       /* a command's output in non-stop mode, for its reply */
	struct out console;             /* where a command's output goes: O packets */
	bool commanding;                /* a qRcmd has not been answered */
	void *command;                  /* its token */
};

/* Sends what s->reply holds. */
void session_send(struct session *s);
/* Sends LEN bytes as a notification, which nobody acknowledges. */
void session_notify(struct session *s, const uint8_t *payload, size_t len);
/* Sends TEXT to the client's console in O packets.  s->reply must not be in the making. */
void session_console(struct session *s, const char *text, size_t len);
/* Sends what breakpoints' commands have printed, if the client can take it now; ALL: however much waits for it. */
void prints_send(struct session *s, bool all);
/*
 * Reads memory as the m packet does: of the current vCPU, or physical.  Returns how many bytes could be; when not all, s->error
 * and session_mem_error() say why.
 */
size_t session_mem_read(struct session *s, uint64_t addr, void *ret, size_t len);
int session_mem_error(const struct session *s);
/* Whether a client that does not drive may give this command: the monitor's that only look. */
bool observer_may(const char *line, size_t len);
/* Lets vCPUs go on that the client had stopped while others ran. */
void session_resume_stragglers(struct session *s);
/* Lets the guest go on without gdb's breakpoints; the client stays. */
void session_detach(struct session *s);
/* Takes away gdb's breakpoints.  False when the machine would not be held. */
bool session_clear(struct session *s);
/* machine_stop(), remembered. */
void session_stop_machine(struct session *s);
/*
 * Ctrl-C in all-stop mode: the machine is stopped; one that stands still, as soon as the client resumes it (gdb manual, "Interrupts"):
 * gdb sends it also while it still makes ready to resume.
 */
void session_interrupt(struct session *s);
static inline unsigned session_cpus(const struct session *s)
{
	return machine_info(s->machine)->cpus;
}

/*
 * A handler gets the packet's arguments: what follows its name in the table.  It answers PACKET_REPLY with the
 * reply in s->reply (empty: not supported), PACKET_LATER when none is due now, or a -errno, which becomes Enn, or the
 * text in s->error for clients that can show it.
 */
enum { PACKET_REPLY = 0, PACKET_LATER = 1 };
typedef int packet_fn(struct session *s, struct cursor *args);

/* Handles one packet: the right handler, its reply or an error. */
void dispatch_packet(struct session *s, uint8_t *packet, size_t len);
/* The I-th packet's name, NULL past the end: a test goes through them all. */
const char *dispatch_name(size_t i);
/* Appends the qSupported items of all packets that have one, and that this machine offers. */
void dispatch_features(struct session *s);

static inline int packet_ok(struct session *s)
{
	reply_ok(&s->reply);
	return PACKET_REPLY;
}

/* Builds the stop reply for *EV and makes its vCPU the current one.  AWAITED: the client resumed the machine. */
void stop_reply(struct session *s, const struct stop_event *ev, bool awaited);

/* The same for one vCPU, which stays where it was; EV is NULL when it was only parked.  The current vCPU stays. */
void stop_reply_thread(struct session *s, unsigned cpu, const struct stop_event *ev);
/* gdb's number of the signal that a stop is told as. */
uint8_t stop_signal(const struct stop_event *ev);

/* Appends how the client knows the vCPU: "1" or "p1.1". */
void put_thread(const struct session *s, struct reply *r, unsigned cpu);

/*
 * Does LINE, a command of gdb's `monitor`, if it is one of the stub's own, with its output to s->console.  False: it is none;
 * else *RET is 0 or -errno, whose one line has been written.
 */
bool own_command(struct session *s, const struct cursor *line, int *ret);

/* A qRcmd that has not finished is abandoned; no-op without one. */
void command_cancel(struct session *s);
void command_init(struct session *s);

packet_fn pkt_status, pkt_continue, pkt_continue_signal, pkt_step, pkt_step_signal, pkt_vcont, pkt_vcont_query;
packet_fn pkt_detach, pkt_kill, pkt_vkill;
packet_fn pkt_extended, pkt_restart, pkt_run, pkt_attach;
packet_fn pkt_nonstop, pkt_stop_heard, pkt_ctrl_c, pkt_thread_events;
packet_fn pkt_regs_read, pkt_regs_write, pkt_reg_read, pkt_reg_write;
packet_fn pkt_mem_read, pkt_mem_read_binary, pkt_mem_write_hex, pkt_mem_write_binary;
packet_fn pkt_search, pkt_crc;
packet_fn pkt_host_info, pkt_process_info, pkt_server_version, pkt_thread_suffix, pkt_list_threads, pkt_error_strings;
packet_fn pkt_speed_test, pkt_thread_stop, pkt_threads_info, pkt_memory_region, pkt_save_registers, pkt_restore_registers;
packet_fn pkt_qemu_supported, pkt_qemu_bits, pkt_qemu_step, pkt_qemu_set_step, pkt_qemu_memory, pkt_qemu_set_memory;
packet_fn pkt_soft_insert, pkt_soft_remove, pkt_hard_insert, pkt_hard_remove;
packet_fn pkt_write_insert, pkt_write_remove, pkt_read_insert, pkt_read_remove, pkt_access_insert, pkt_access_remove;
packet_fn pkt_set_general, pkt_set_step, pkt_alive, pkt_current, pkt_threads_first, pkt_threads_next;
packet_fn pkt_thread_info;
packet_fn pkt_supported, pkt_attached, pkt_offsets, pkt_symbol, pkt_signals, pkt_no_ack, pkt_unknown;
packet_fn pkt_xfer_target, pkt_xfer_threads, pkt_xfer_exec, pkt_xfer_map;
packet_fn pkt_file_setfs, pkt_file_open, pkt_file_close, pkt_file_pread, pkt_file_fstat;
packet_fn pkt_command;
/* In the place of a packet's handler, for a client that does not drive. */
packet_fn observer_refuse;

#endif
