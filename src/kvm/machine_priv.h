/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files that implement the machine share: machine_kvm.c (making it), machine_ops.c (looking at it), slot_ops.c and
 * dirty_ops.c (its memory), run.c (running it).
 */
#ifndef GV_KVM_MACHINE_PRIV_H
#define GV_KVM_MACHINE_PRIV_H

#include "break/watch.h"
#include "kvm/machine_kvm.h"
#include "kvm/probe.h"
#include "kvm/slots.h"
#include "kvm/state.h"
#include "kvm/vcpu.h"
#include "load/symtab.h"

struct machine_kvm {
	struct machine base;    /* first */
	struct vm vm;
	struct probe probe;
	struct slots *slots;
	struct dev_host dev_host;
	struct power_on *power_on;
	struct image image;
	struct load_opts load;
	struct symtab *symbols;
	char *exec_file;        /* info's */
	struct machine_info info;
	struct observer *observers;

	/* run.c; the loop thread's */
	enum machine_state state;
	struct stop_event last_stop;
	unsigned holds;
	bool must_reset;        /* a triple fault was reported: the next resume resets */
	bool stop_wanted;       /* by machine_stop() */
	bool report_now;        /* an event waits while nothing runs */
	bool reset_told;        /* the reset that is asked for was reported, by a catchpoint */
	const char *reset_by;   /* the device that asks; static text */
	bool carve_owed;        /* rights of pages could not be put into force: tried again before anything runs */
	uint64_t guarded;       /* generation of the breakpoints whose pages are guarded */
	int poll_fd;            /* epoll: the vCPUs' news, and the timer */
	int timer_fd;
	long tick_ns;           /* its period, 0: off */
	bool tell_resumed, tell_reset, tell_stopped;    /* for observers, at the next poll */
	unsigned turn;          /* the vCPU whose event is looked at first */
	/* Set by vCPU threads. */
	atomic_bool reset_asked;
};

static inline struct machine_kvm *machine_priv(struct machine *m)
{
	return (struct machine_kvm *)m;
}

/* Loads the image and puts devices, vCPUs and breakpoints into their starting state.  Every vCPU parked. */
int machine_load(struct machine_kvm *k, struct err *err);

/* The run.c members of the ops table; contracts in api/machine.h. */
enum machine_state run_state(struct machine *m);
const struct stop_event *run_last_stop(struct machine *m);
int run_resume(struct machine *m, const struct run_action *acts, struct err *err);
int run_redirect(struct machine *m, const struct run_action *acts, struct err *err);
void run_stop(struct machine *m);
int run_reset(struct machine *m, struct err *err);
int run_hold(struct machine *m, struct err *err);
void run_release(struct machine *m);
int run_event_fd(struct machine *m);
void run_poll(struct machine *m, unsigned spin_us);
void run_observe(struct machine *m, struct observer *o);
void run_unobserve(struct machine *m, struct observer *o);
/* -EBUSY unless every vCPU is parked. */
int run_check_parked(const struct machine_kvm *k, struct err *err);
/* Ends whatever runs, for machine_kvm_free(). */
void run_end(struct machine_kvm *k);

/* break_ops.c: breakpoints, watchpoints, catchpoints and what belongs to them; contracts in api/machine.h. */
int op_break_insert(struct machine *m, enum break_owner owner, const struct break_spec *spec, struct err *err);
int op_break_remove(struct machine *m, enum break_owner owner, const struct break_spec *spec, struct err *err);
int op_break_clear(struct machine *m, enum break_owner owner, struct err *err);
bool op_break_list(struct machine *m, size_t index, struct break_info *ret);
int op_watch_insert(struct machine *m, enum break_owner owner, const struct watch_spec *spec, struct err *err);
int op_watch_remove(struct machine *m, enum break_owner owner, const struct watch_spec *spec, struct err *err);
bool op_watch_list(struct machine *m, size_t index, struct watch_info *ret);
void op_break_filter(struct machine *m, enum break_owner owner, stop_filter_fn *filter, void *arg);
int op_catch_add(struct machine *m, const struct catch_spec *spec, unsigned *ret_id, struct err *err);
int op_catch_remove(struct machine *m, unsigned id, struct err *err);
bool op_catch_list(struct machine *m, size_t index, struct catch_info *ret);
bool op_setting(struct machine *m, enum machine_setting which, const bool *value);
/* Makes the tables of K, whose vm is there but for the vCPUs.  -ENOMEM. */
int breaks_init(struct machine_kvm *k, struct err *err);
void breaks_done(struct machine_kvm *k);
/* Around a change of what memory the guest has, or what is in it: nothing of ours is in its way meanwhile. */
void breaks_suspend(struct machine_kvm *k);
void breaks_resume(struct machine_kvm *k);

/* The slot_ops.c members. */
bool op_slot_list(struct machine *m, size_t index, struct slot_info *ret);
int op_slot_add(struct machine *m, const struct slot_spec *spec, struct slot_note *ret_note, struct err *err);
int op_slot_remove(struct machine *m, unsigned id, struct slot_note *ret_note, struct err *err);
int op_slot_move(struct machine *m, unsigned id, uint64_t gpa, struct slot_note *ret_note, struct err *err);
int op_slot_flags(struct machine *m, unsigned id, const bool *log, const bool *readonly, struct err *err);
int op_slot_split(struct machine *m, unsigned id, uint64_t offset, unsigned *ret_id, struct err *err);
int op_slot_resize(struct machine *m, unsigned id, uint64_t size, struct err *err);
int op_slot_discard(struct machine *m, unsigned id, uint64_t offset, uint64_t size, struct err *err);
int op_slot_remap(struct machine *m, unsigned id, uint64_t offset, uint64_t size, const char *path,
		  uint64_t file_offset, struct err *err);
int op_slot_save(struct machine *m, unsigned id, const char *path, struct err *err);
int op_slot_check(struct machine *m, void (*each)(void *arg, const struct slot_fault *f), void *arg,
		  struct err *err);

/* The dirty_ops.c members. */
int op_dirty_read(struct machine *m, unsigned id, enum dirty_consumer who, bool take, struct dirty_map *ret,
		  struct err *err);
int op_dirty_diff(struct machine *m, unsigned id, dirty_diff_fn *each, void *arg, struct err *err);
int op_dirty_who(struct machine *m, unsigned id, bool on, struct err *err);
bool op_dirty_writer(struct machine *m, unsigned id, size_t index, struct dirty_writer *ret);

extern const struct machine_ops machine_kvm_ops;

#endif
