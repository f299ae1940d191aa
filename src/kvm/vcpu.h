/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A vCPU: its thread, its gate, its registers.  And the stop protocol, between the vCPU threads and the loop thread.
 *
 * A vCPU's thread waits at its *gate* (parked) until the loop thread opens it, then runs the guest until `pause` is
 * set or it meets an event of its own, completes its pending I/O, and parks again.  Whoever meets an event sets `pause`
 * and kicks the others; the last vCPU to park tells the loop thread.  Only then is anything reported.
 *
 *   running    vCPUs whose gate has been opened and that have not parked yet
 *   pause      nobody may (re-)enter the guest; set by anyone, cleared by the loop thread while running == 0
 *   overs      vCPUs that must take a step alone: over a breakpoint, or with a watched page open.  While there are any, nobody
 *              else enters the guest; they go one at a time
 *
 * What is not atomic in struct vcpu belongs to its thread while it runs, and to the loop thread while it is parked; the
 * gate (opening) and `running` (parking) order the hand-over.
 */
#ifndef GV_KVM_VCPU_H
#define GV_KVM_VCPU_H

#include <pthread.h>
#include <stdatomic.h>

#include "break/break.h"
#include "dev/bus.h"
#include "kvm/com1.h"
#include "kvm/kvm.h"

enum gate { GATE_CLOSED, GATE_OPEN, GATE_QUIT };

/* Which thread ran a vCPU last. */
enum ran { RAN_NOWHERE, RAN_ON_THREAD, RAN_HERE };

enum over {
	OVER_BREAK = 1 << 0,            /* the trap at the pc is out of memory meanwhile */
	OVER_OPEN = 1 << 1,             /* pages that were taken from the guest are open meanwhile */
};

#define VCPU_OPEN_MAX    8
#define VCPU_WATCHED_MAX 4

struct arch_vcpu;
struct arch_vm;
struct catch_table;
struct dirty_who;
struct exitlog;
struct rings;
struct slots;
struct vcpu;
struct watch_table;

struct run_ctl {
	atomic_uint running;
	atomic_bool pause;
	atomic_uint overs;
	atomic_bool pause_owed;         /* vm_pause_soon() came while there were some */
	/* One step alone at a time; and whoever looks at or changes guest bytes by way of the breakpoints while others run. */
	pthread_mutex_t over_lock;
	atomic_bool loop_spins;         /* the loop thread watches `running` itself: no need to wake it */
	int event_fd;
	atomic_bool notified;           /* event_fd is readable, or about to be */
	unsigned host_cpus;             /* online when the machine was made */
	atomic_bool park_spins;         /* vCPUs wait at the gate for a moment before they sleep; set while all are parked */
};

/* What stands in a debug register for us. */
struct hw_point {
	uint64_t gva;
	unsigned size;                  /* bytes; 0: execution */
	bool reads;                     /* data: reads too */
	bool spare;                     /* a soft breakpoint has its trap byte besides: goes when the guest needs the register */
};

/* What all vCPUs share. */
struct vm {
	struct kvm kvm;
	struct arch_vm *arch;           /* what only this architecture has */
	struct machine *machine;        /* for filters */
	struct bus *bus;
	struct gmem *gmem;
	struct slots *slots;
	struct break_table *breaks;
	struct watch_table *watches;
	struct catch_table *catches;
	struct exitlog *exits;
	struct {
		stop_filter_fn *fn;     /* NULL: every stop is wanted */
		void *arg;
	} filter[BREAK_OWNERS];         /* by bit of enum break_owner; changed while all are parked */
	atomic_bool guard_overrun;      /* a page's guard is in the way: the loop thread is to look */
	/* The plan for the debug registers; made on the loop thread while all are parked (debug_plan()). */
	struct hw_point hw[BREAK_REGISTERS];
	unsigned nhw;
	unsigned lacking_registers;     /* of BREAK_REGISTERS, those that this host has not */
	uint64_t hw_breaks, hw_watches; /* generations it was made from */
	bool alias_hits, step_irqs, assist;     /* enum machine_setting */
	struct dirty_who *who;          /* dirty.h: who writes to slots that are watched */
	struct rings *rings;            /* ring.h: NULL where dirty logs are bitmaps */
	struct vcpu **cpus;
	unsigned ncpus;
	struct run_ctl ctl;
	struct com1 *com1;
	struct device *uart;
	struct device *console;         /* virtio.h: gets what comes for COM1 while a driver has it open; NULL: none */
	bool data_watch;                /* debug registers watch data on this host */
	struct break_trap trap;         /* what makes this host's KVM stop */
	atomic_bool input_wanted;       /* the guest made room in COM1's receiver, or the console's */
};

struct vcpu {
	struct vm *vm;
	struct arch_vcpu *arch;         /* what only this architecture has */
	unsigned id;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool has_thread;
	pthread_t runner;               /* who runs it: `thread`, or the loop thread */
	enum ran ran;
	bool here;                      /* the loop thread runs it now: nothing may wait for that */
	atomic_uint gate;               /* enum gate; a futex */
	atomic_bool asleep;             /* waits at the gate in the kernel */
	atomic_bool inside;             /* may be in KVM_RUN: needs a signal to come out */

	struct run_action act;          /* ACT_STAY: parked by wish */
	bool stepped;                   /* the last exit ended a single step */
	unsigned over;                  /* mask of enum over: why its next step is taken alone */
	bool alone;                     /* takes that step now */
	unsigned locked;                /* how often it holds over_lock */
	uint64_t open[VCPU_OPEN_MAX];   /* OVER_OPEN: gpas of the pages to open; none: all that are restricted */
	unsigned nopen;
	unsigned nwatched;              /* accesses that hit watchpoints, to be told when the instruction is done */
	struct watch_hit watched[VCPU_WATCHED_MAX];
	unsigned watched_owners[VCPU_WATCHED_MAX];
	bool needs_completion;          /* its last exit was I/O that the next KVM_RUN finishes */
	bool has_event;
	struct stop_event event;
	uint64_t stop_pc;               /* linear pc at the last stop reported for this vCPU */
	bool stop_pc_valid;             /* and neither has it run since, nor did anybody write the pc */

};

/* Makes vCPU ID with its descriptor and run page, without a thread.  Loop thread. */
int vcpu_new(struct vm *vm, unsigned id, struct vcpu **ret, struct err *err);
/* Starts its thread, which parks at once. */
int vcpu_start(struct vcpu *v, struct err *err);
/* Ends the thread (every vCPU parked) and frees; NULL and half-made ones are fine. */
void vcpu_free(struct vcpu *v);

/* The vCPU whose thread this is; NULL on other threads. */
struct vcpu *vcpu_self(void);

/* Opens the gate.  Loop thread; V parked; ctl.running already counts it. */
void vcpu_open_gate(struct vcpu *v);

/* Runs V on the calling thread as its own would, until it has parked.  Loop thread; the rest as vcpu_open_gate(). */
void vcpu_run_here(struct vcpu *v);
/* V is about to wait for the loop thread: where that runs it, it parks instead.  V's thread. */
void vcpu_waits_for_loop(struct vcpu *v);

/* Brings V out of the guest, or keeps it from entering, once; nothing on its own thread.  Any thread. */
void vcpu_kick(struct vcpu *v);
/* Sets `pause` and brings every vCPU out of the guest.  Any thread; no wait. */
void vm_pause(struct vm *vm);
/*
 * The same, but a step that a vCPU takes alone comes to its end before: where changes of slots are slow, whoever comes again and
 * again would have it begun anew for ever.  What has not been paused for by the next start is forgotten.
 */
void vm_pause_soon(struct vm *vm);
/* Busy-waits up to SPIN_US, then sleeps up to WAIT_MS, until running == 0.  Loop thread.  Returns whether it is. */
bool vm_wait_parked(struct vm *vm, unsigned spin_us, unsigned wait_ms);
/* Gives the guest's COM1, or its console, what is queued for it.  Any thread, no lock held. */
void vm_feed_com1(struct vm *vm);
/* The same, if the guest has made room since. */
void vm_feed_wanted(struct vm *vm);
/* Wakes the loop thread.  Any thread. */
void vm_notify(struct vm *vm);
/* Takes the wake-ups so far; what they stand for must be looked at after this.  Loop thread. */
void vm_drain(struct vm *vm);

/* Records an event of V's, unless it has one already, and pauses the machine.  V's thread. */
void vcpu_event(struct vcpu *v, const struct stop_event *ev);
/* KVM refused what V cannot go on without: CALL failed with R, -errno.  V stops, for STOP_ERROR, and does not enter the guest. */
void vcpu_failed(struct vcpu *v, const char *call, int r);

/*
 * Enters the guest once and handles the exit, unless a pause was asked for.  Returns whether the vCPU may go on.  V's thread.
 */
bool vcpu_enter(struct vcpu *v);
/*
 * Takes the step that V->over asks for, with all others out of the guest.  Returns whether it was taken: else a pause or an event
 * came first.  V's thread.
 */
bool vcpu_step_alone(struct vcpu *v);
/* Takes over_lock for V, if its own thread calls and has not got it; and lets it go. */
void vcpu_lock(struct vcpu *v);
void vcpu_unlock(struct vcpu *v);
/* V is to take a step alone, for REASON of enum over: nobody enters the guest any more before it has.  V's thread. */
void vcpu_want_alone(struct vcpu *v, unsigned reason);
/*
 * Finishes an instruction whose I/O has been served, by KVM_RUN with immediate_exit (api.rst 5, KVM_EXIT_IO): until then the
 * registers are those of its middle.  V's thread.
 */
void vcpu_complete_io(struct vcpu *v);

/*
 * Handles the exit in V's run page: serves I/O, recognises debug exits, turns what cannot go on into an event.  V's thread.
 * RET is what KVM_RUN returned (-errno).  Returns whether the vCPU may re-enter the guest.
 */
bool vcpu_handle_exit(struct vcpu *v, int ret);

#endif
