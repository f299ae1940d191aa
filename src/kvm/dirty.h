/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Dirty logs (api.rst 4.8 KVM_GET_DIRTY_LOG, 4.117 KVM_CLEAR_DIRTY_LOG).  The kernel's log is destructive and does not see
 * our own writes: so one harvester ORs both into a bitmap per consumer.  Loop thread, every vCPU parked, unless it says else.
 */
#ifndef GV_KVM_DIRTY_H
#define GV_KVM_DIRTY_H

#include "break/break.h"
#include "kvm/slots.h"

/*
 * Begins a log for slot S, whose KVM_MEM_LOG_DIRTY_PAGES flag has just been set in the kernel: nothing is dirty.  Sets
 * S->dirty, and has gmem mark our own writes.  -ENOMEM.
 */
int dirty_log_new(struct slots *t, struct slot *s, struct err *err);
/* Ends it; S->dirty becomes NULL.  Without one nothing happens. */
void dirty_log_free(struct slots *t, struct slot *s);

/*
 * The guest wrote PAGE of what has the number ID in the kernel (a slot, or a piece of one), says a dirty ring: the next
 * harvest finds it.  Ignored where there is no such page or no log: the ring's entry may be older than the slot.  Any
 * vCPU's thread, since slots do not change while one runs; the loop thread.
 */
void dirty_log_mark(struct slots *t, unsigned id, uint64_t page);

/*
 * The kernel has lost some of what the guest wrote: takes every page of every log for written, and has the kernel watch all of
 * them again.  Threads as above.
 */
int dirty_log_lost(struct slots *t, struct err *err);

/*
 * Takes what the kernel has logged so far into the consumers' bitmaps.  The slot table calls this before every change that
 * loses the kernel's log: delete, move, re-creation with other flags or size.  No-op without a log.
 */
int dirty_log_harvest(struct slots *t, struct slot *s, struct err *err);
/*
 * Takes what the kernel has logged for the number ID, which has PAGES of slot S from page FIRST on, into S's log: the
 * next harvest finds it.  The kernel is not told to log those pages anew: it is for what is about to leave it.  Not with
 * rings.
 */
int dirty_log_take(struct slots *t, const struct slot *s, unsigned id, uint64_t first, uint64_t pages, struct err *err);
/* S was re-created (moved, resized, split to SIZE bytes): its log goes on with the pages that are left; new ones are clean. */
int dirty_log_resized(struct slots *t, struct slot *s, struct err *err);
/*
 * HIGH is the upper part that was cut off LOW at PAGE (of LOW before the cut): gives HIGH a log with LOW's bits from there on.
 * LOW keeps them until dirty_log_resized(), which comes after this; to undo, free HIGH's log.
 */
int dirty_log_split(struct slots *t, struct slot *low, struct slot *high, uint64_t page, struct err *err);

/* machine_dirty_read(), machine_dirty_diff(); by way of B, so that traps are no difference. */
int dirty_log_read(struct slots *t, struct slot *s, struct break_table *b, enum dirty_consumer who, bool take,
		   struct dirty_map *ret, struct err *err);
int dirty_log_diff(struct slots *t, struct slot *s, struct break_table *b, dirty_diff_fn *each, void *arg,
		   struct err *err);

/*
 * Who writes: a record a machine.  note() is called by vCPU threads at a write's exit, the others on the loop thread.  PC is
 * the linear pc that KVM has left at the exit: the end of the instruction (where a call goes to), or its beginning while a
 * REP goes on.
 */
#define DIRTY_WHO_MAX 4096      /* writers told apart in a slot; the rest are counted together, under pc 0 and gpa 0 */

struct dirty_who;
int dirty_who_new(struct dirty_who **ret, struct err *err);
void dirty_who_free(struct dirty_who *w);
/* From now on SLOT's writers are recorded; those it had are forgotten.  -ENOMEM. */
int dirty_who_begin(struct dirty_who *w, unsigned slot, struct err *err);
/* Without a dirty_who_begin() for SLOT nothing happens. */
void dirty_who_note(struct dirty_who *w, unsigned slot, unsigned cpu, uint64_t pc, uint64_t gpa);
void dirty_who_forget(struct dirty_who *w, unsigned slot);
/* The INDEX-th writer, most frequent first; false past the end.  Index 0 looks anew, the others go on with what it saw. */
bool dirty_who_at(struct dirty_who *w, unsigned slot, size_t index, struct dirty_writer *ret);

#endif
