/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Beneath the slot table: what the kernel has for a slot.  That is the slot itself under its own number, or, where pages
 * of it are not PAGE_ALL, pieces of it under numbers of their own, from the top of KVM's downwards.  Only this,
 * slot_rights.c, slot_check.c and dirty.c know of pieces.  Address space 0; a slot of another is always whole.  Loop
 * thread, every vCPU parked, unless it says else.
 */
#ifndef GV_KVM_CARVE_H
#define GV_KVM_CARVE_H

#include "kvm/slots.h"

struct piece {
	uint64_t gpa, size;             /* bytes */
	unsigned id;                    /* its number in the kernel; one without access has it without being there */
	enum page_rights rights;        /* PAGE_ALL: as the slot allows */
	uint32_t flags;                 /* KVM_MEM_, as the kernel has them */
	bool open;                      /* all of it: in the kernel as if it were PAGE_ALL */
	/* While it is being changed: */
	bool stays;                     /* is in the kernel before and after */
	bool passed;                    /* goes, and leaves its number to another */
	bool fresh;                     /* its number was free before */
	uint32_t was_flags;             /* of one that stays */
};

struct pieces {
	struct piece *v;                /* ascending by gpa, without gaps; NULL: the slot is whole */
	size_t n;
};

/* Whose piece has a number; zeroed: nobody's. */
struct piece_owner {
	bool used;
	unsigned slot;
	uint64_t gpa;
};

#define CARVE_SPARE 16u                 /* numbers that stay free, for slots_open() */

/* Part of a piece that is open. */
struct fragment {
	unsigned slot;
	struct piece piece;
};

struct carve {
	unsigned n;                     /* slot numbers that the tables have: they outlive the machine's KVM */
	struct rights wanted, in_force;
	bool pending;                   /* they may differ */
	struct pieces *of;              /* by slot number; NULL while nothing was carved yet */
	struct piece_owner *owner;      /* by number in the kernel; likewise */
	unsigned below;                 /* every number from here on is in use */
	unsigned used;                  /* numbers that pieces have */
	bool restores;                  /* what is made was there before: it may have the numbers that stay free else */

	bool opened;
	struct {
		unsigned slot;
		size_t at;              /* the piece */
	} replaced[CARVE_OPEN_MAX];     /* by fragments */
	unsigned nreplaced;
	struct fragment fragment[3 * CARVE_OPEN_MAX];
	unsigned nfragments;
};

void carve_free(struct carve *c);

/*
 * Makes what the kernel has for OLD (NULL: nothing) what it is to have for NOW (NULL: nothing), with the rights in force.
 * The numbers of OLD and NOW are the same.  Only the pieces that differ are touched; what the kernel logged of those is
 * taken into the slot's dirty log, which goes on.  On failure it is as it was, or, as *RET_LOST says then, nothing is
 * there any longer.  -ENOSPC: no numbers for the pieces; -EBUSY: pages are open; -ENOMEM; what KVM says.
 */
int carve_change(struct slots *s, const struct slot *old, const struct slot *now, bool *ret_lost, struct err *err);
/* Makes WAS of NOW again, of what carve_change() made NOW of.  The same, without words. */
int carve_restore(struct slots *s, const struct slot *now, const struct slot *was, bool *ret_lost);
/* The same for V, when the rights change to RIGHTS. */
int carve_again(struct slots *s, const struct slot *v, const struct rights *rights, bool *ret_lost, struct err *err);
/* Takes whatever slot ID still has out of the kernel, whether KVM likes it or not. */
void carve_drop(struct slots *s, unsigned id);
/* Has the number ID free in the kernel for a slot: a piece that has it gets another.  -ENOSPC; what KVM says. */
int carve_vacate(struct slots *s, unsigned id, struct err *err);
/* No slot has the number ID any longer. */
void carve_vacated(struct slots *s, unsigned id);
/* Takes a number that neither a slot nor a piece has for the page at GPA of SLOT; gives it back.  -ENOSPC. */
int carve_number(struct slots *s, unsigned slot, uint64_t gpa, unsigned *ret);
void carve_unnumber(struct slots *s, unsigned id);

/* The pieces of slot ID, or NULL: it is whole.  Any thread, since slots do not change while a vCPU runs. */
const struct pieces *carve_pieces(const struct slots *s, unsigned id);
/* If a piece has the number ID in the kernel: whose and where.  Threads as above. */
bool carve_owner(const struct slots *s, unsigned id, unsigned *ret_slot, uint64_t *ret_gpa);
/* What the kernel has of V as piece P. */
struct kvm_userspace_memory_region carve_region(const struct slot *v, const struct piece *p);
/* V as one piece, under its own number. */
struct piece carve_whole(const struct slot *v);
/* How many bytes of V from GPA on the kernel has to have alike when R is in force, and as what. */
uint64_t carve_alike(const struct slot *v, const struct rights *r, uint64_t gpa, enum page_rights *ret);
/* The KVM_MEM_ flags of a piece of V with these rights. */
uint32_t carve_flags(const struct slot *v, enum page_rights rights);
int carve_put(const struct slots *s, const struct slot *v, const struct piece *p);
/* Takes what the kernel has logged of V's piece P, which goes, into V's log. */
int carve_take_log(struct slots *s, const struct slot *v, const struct piece *p, struct err *err);

#endif
