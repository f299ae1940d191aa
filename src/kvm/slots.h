/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The slot table: what memory the guest has, kept equal in three places: here, in gmem, and in the kernel
 * (KVM_SET_USER_MEMORY_REGION, api.rst 4.35).  Loop thread, every vCPU parked.  Contracts of the changes: api/machine.h.
 */
#ifndef GV_KVM_SLOTS_H
#define GV_KVM_SLOTS_H

#include "api/slots.h"
#include "kvm/kvm.h"
#include "kvm/rights.h"
#include "mem/gmem.h"

struct backing;                 /* backing.h */
struct dirty_log;               /* dirty.h */
struct rings;                   /* ring.h */

struct slot {
	unsigned id;
	uint64_t gpa, size;     /* bytes; size 0: the number is free */
	uint8_t *hva;
	bool readonly, log;     /* as the user wants them */
	bool watched;           /* `dirty who`: read-only in the kernel whatever `readonly` says */
	struct backing *backing;        /* counted: aliases and split parts share one */
	struct dirty_log *dirty;        /* while log is on, else NULL */
	bool alias;             /* made as an alias, of slot `alias_of`: which may have changed since */
	unsigned alias_of;
	const char *label;
};

struct slots;

int slots_new(const struct kvm *k, struct slots **ret, struct err *err);        /* K must outlive it */
void slots_free(struct slots *s);               /* unmaps the backings; NULL is fine */

/* The slot with this number, or NULL.  Valid until the next change. */
struct slot *slots_get(struct slots *s, unsigned id);
/* Address space 0, as translation, loaders and devices see it; and the space that slot ID is in. */
struct gmem *slots_gmem(struct slots *s);
struct gmem *slots_gmem_of(struct slots *s, unsigned id);
const struct kvm *slots_kvm(struct slots *s);
/* Has the dirty logs come from rings (not owned), before there is one.  slots_rings(): those, or NULL. */
void slots_use_rings(struct slots *s, struct rings *r);
struct rings *slots_rings(struct slots *s);
/* Whether this host's VMs must have a Real Mode Area (rma.h), as it said when the table was made. */
bool slots_needs_rma(const struct slots *s);
/* The INDEX-th slot, ascending by address space and gpa; false past the end. */
bool slots_at(struct slots *s, size_t index, struct slot_info *ret);

/* LABEL is static text: "ram" for what the machine was made with, "user" for what a person added. */
int slots_add(struct slots *s, const struct slot_spec *spec, const char *label, struct slot_note *ret_note,
	      struct err *err);
/* A slot of memory that is there already: SPEC->size bytes of B from SPEC->offset on, one more reference to B. */
int slots_add_backing(struct slots *s, const struct slot_spec *spec, struct backing *b, const char *label, struct err *err);
/* The lowest free number of address space SPACE in *RET; -ENOSPC. */
int slots_free_id(struct slots *s, unsigned space, unsigned *ret, struct err *err);
int slots_remove(struct slots *s, unsigned id, struct err *err);
int slots_move(struct slots *s, unsigned id, uint64_t gpa, struct slot_note *ret_note, struct err *err);
int slots_flags(struct slots *s, unsigned id, const bool *log, const bool *readonly, struct err *err);
int slots_split(struct slots *s, unsigned id, uint64_t offset, unsigned *ret_id, struct err *err);
int slots_resize(struct slots *s, unsigned id, uint64_t size, struct err *err);
int slots_discard(struct slots *s, unsigned id, uint64_t offset, uint64_t size, struct err *err);
int slots_remap(struct slots *s, unsigned id, uint64_t offset, uint64_t size, const char *path, uint64_t file_offset,
		struct err *err);
int slots_check(struct slots *s, void (*each)(void *arg, const struct slot_fault *f), void *arg, struct err *err);

/* Makes a slot read-only in the kernel while its `watched` is on, and what `readonly` says again when it is off. */
int slots_watch(struct slots *s, unsigned id, bool on, struct err *err);

/*
 * Rights to single pages, beneath the table, which looks and works as if there were none.  They belong to gpas of address
 * space 0, whatever slot holds or will hold them; what the guest may not do exits as MMIO, or as an internal error where
 * it would have been executed.
 *
 * What the guest may do from now on with the page (DIRTY_PAGE bytes) at GPA.  Takes effect with the next slots_carve(),
 * and then for slots that come later too.  -ENOMEM; -ENOTSUP: this KVM has no read-only memory.
 */
int slots_set_rights(struct slots *s, uint64_t gpa, enum page_rights rights, struct err *err);
/*
 * Brings the kernel up to date.  -ENOSPC: too few slots are free for the pieces; -EBUSY: between slots_open() and
 * slots_close(); -ENOMEM; what KVM says.  On failure the kernel and the rights are as before the first slots_set_rights()
 * since the last call.
 */
int slots_carve(struct slots *s, struct err *err);
/* As slots_set_rights() said last.  O(log n).  Any thread, while nobody changes them. */
enum page_rights slots_rights(const struct slots *s, uint64_t gpa);
/* How many pages are not PAGE_ALL.  Threads as above. */
size_t slots_restricted(const struct slots *s);
#define CARVE_OPEN_MAX 32u      /* pages that slots_open() takes one by one */

/*
 * For one step of one vCPU: the pages at N gpas as if they were PAGE_ALL, or with N 0 every restricted page; and back.  A
 * few ioctls a page.  That vCPU's thread, with no other vCPU in the guest or handling an exit, or the loop thread; slots
 * and rights must not change between the two (-EBUSY from what would).  No allocation.  -EBUSY: open already; -E2BIG:
 * more than CARVE_OPEN_MAX pages; -ENOSPC: no slot number is free; what KVM says; after all these nothing is open.  When
 * slots_close() fails, it may be called again for the rest; with nothing open it does nothing.
 */
int slots_open(struct slots *s, const uint64_t *gpas, unsigned n);
int slots_close(struct slots *s);
/* Calls EACH for every gpa of address space 0 that shows the host byte at HVA.  EACH must not change slots. */
void slots_gpas_of(struct slots *s, const uint8_t *hva, void (*each)(void *arg, uint64_t gpa), void *arg);

/*
 * Back to the slots the machine was made with, their anonymous memory reading as zero: for a reset.  What a person added is
 * removed, what was moved or removed of the first ones comes back.
 */
int slots_restore(struct slots *s, struct err *err);
/* From now on the present slots are those to restore. */
int slots_mark_initial(struct slots *s, struct err *err);

#endif
