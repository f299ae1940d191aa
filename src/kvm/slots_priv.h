/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the slot table share: slots.c (the table), slot_change.c (its changes), slot_check.c, slot_rights.c, and
 * beneath them carve.c.
 */
#ifndef GV_KVM_SLOTS_PRIV_H
#define GV_KVM_SLOTS_PRIV_H

#include "kvm/backing.h"
#include "kvm/carve.h"
#include "kvm/dirty.h"
#include "kvm/slots.h"

/* A slot that a reset brings back. */
struct slot_initial {
	unsigned id;
	uint64_t gpa, size;
	enum slot_backing kind; /* SLOT_ANON or SLOT_RMA */
	const char *label;
};

#define SLOT_SPACES 2u          /* KVM has no more: its own memory, and that of system management mode */

/* The slots of an address space. */
struct slot_space {
	struct gmem *gmem;      /* orders them by gpa */
	struct slot *v;         /* by slot_index(); size 0: free */
	size_t n;
	size_t used;            /* how many have a size */
	unsigned lowest;        /* no number below is free */
};

struct slots {
	const struct kvm *kvm;
	struct rings *rings;    /* NULL: the kernel keeps bitmaps */
	struct slot_space space[SLOT_SPACES];
	unsigned multi;         /* KVM_CAP_MULTI_ADDRESS_SPACE: how many there are, 0 for one */
	bool has_readonly, has_sync_mmu, needs_rma;
	struct carve carve;
	struct slot_initial *initial;
	size_t ninitial;
	bool stuck;             /* the kernel has kept what is in this table no longer: memory of slots stays mapped from then on */
	struct backing *kept;   /* that memory, with a reference each */
};

/* The slot, or NULL with -ENOENT in ERR. */
struct slot *slot_need(struct slots *s, unsigned id, struct err *err);
/* The address space of slot ID, one that there is. */
struct slot_space *slot_space_of(struct slots *s, unsigned id);
/*
 * Whether slot ID may be at GPA with SIZE: its address space, alignment, width, hardware's own places, other slots.
 * -EINVAL, -EEXIST, -ENOTSUP.
 */
int slot_check_place(const struct slots *s, unsigned id, uint64_t gpa, uint64_t size, struct err *err);
/* Whether slot ID may have this backing writable or read-only: -ENOTSUP, -EACCES. */
int slot_check_readonly(const struct slots *s, unsigned id, const struct backing *b, bool readonly,
			struct err *err);
/* Room for slot number ID, whose space exists.  Slots' addresses change.  -ENOMEM. */
int slot_make_room(struct slots *s, unsigned id, struct err *err);

/* V, which is whole, in the kernel: created, moved, its flags changed.  -errno as KVM says it, like the next. */
int slot_kernel_put(const struct slots *s, const struct slot *v);
/* Number ID there, a slot's or a piece's. */
int slot_kernel_delete(const struct slots *s, unsigned id);
/* The same for what is to be there no longer, whether KVM likes it or not: where it does not, S is stuck.  Nothing there is fine. */
void slot_kernel_drop(struct slots *s, unsigned id);
int slot_kernel_error(unsigned id, int r, struct err *err);

/* V's line in gmem. */
struct gmem_region slot_region(const struct slot *v);
/* V is in the kernel no longer: takes it out of the table and gmem. */
void slot_forget(struct slots *s, struct slot *v);
/* The same for a slot that KVM would neither change nor take back: its error, with R, says so. */
int slot_lost(struct slots *s, struct slot *v, int r, struct err *err);
/* Says in RET that large pages are lost, if V could have had any. */
void slot_note_huge(const struct slot *v, struct slot_note *ret);

#endif
