/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the catchpoints share: catch.c (the table), catch_msr.c, catch_vector.c. */
#ifndef GV_KVM_CATCH_PRIV_H
#define GV_KVM_CATCH_PRIV_H

#include "kvm/catch.h"

struct catch_kernel;
struct vectors;

struct catch_table {
	unsigned kinds;         /* a bit for each enum catch_kind that there is one of */
	struct vm *vm;
	struct catch_info *info;        /* ascending by id */
	size_t n, cap;
	unsigned last_id;
	struct halt {
		unsigned told;  /* the highest id this halt was told to; 0: none, or not halted */
		uint64_t pc;
	} halt[MACHINE_CPUS_MAX];
	struct vectors *vectors;        /* catch_vector.c; NULL until a vector is caught */
	struct catch_kernel *kernel;    /* catch_kernel.c; NULL until something of a kernel's is */
};

/* The first catchpoint of KIND above id AFTER, or NULL. */
const struct catch_info *catch_next(const struct catch_table *t, enum catch_kind kind, unsigned after);
/* Makes *EV the event of catchpoint ID.  The text does not name the ID: people may know it by another number. */
void catch_say(struct stop_event *ev, unsigned id, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* MSRs to be denied, so that accesses come to us. */
struct catch_msrs {
	unsigned n;
	struct catch_msr_range {
		uint32_t base, count;
		unsigned dir;   /* mask of enum catch_dir */
	} range[CATCH_MSR_RANGES];
};

/* What the MSR catchpoints among the N of INFO come to.  -ENOSPC: more ranges than KVM takes; -ENOMEM. */
int catch_msrs_make(const struct catch_info *info, size_t n, struct catch_msrs *ret, struct err *err);
/* Whether KVM filters all of START to END.  -EINVAL, -ENOTSUP. */
int catch_msrs_check(uint64_t start, uint64_t end, struct err *err);
/* Tells KVM of the table's MSR catchpoints.  -ENOTSUP (the capability is named), -ENOSPC, -ENOMEM. */
int catch_msrs_set(const struct catch_table *t, struct err *err);

/* Forgets the halts that are over, as a reset ends one. */
void catch_halts_follow(struct catch_table *t);

/* Takes up the vectors that are caught now and follows.  -ENOMEM. */
int catch_vectors_changed(struct catch_table *t, struct err *err);
void catch_vectors_free(struct vectors *x);

/*
 * The same of KIND, CATCH_PANIC, CATCH_OOPS or CATCH_KERNEL, which may have been added just now.  -ENOENT: no symbols of a kernel, or
 * not the one that is needed; -EINVAL: the image is no packed kernel; -ENOEXEC: it is one of a kind that is not known.
 */
int catch_kernel_changed(struct catch_table *t, enum catch_kind kind, struct err *err);
bool catch_kernel_wants_tick(const struct catch_table *t);
/* That event was reported: of CATCH_KERNEL. */
void catch_kernel_told(struct catch_table *t);
void catch_kernel_free(struct catch_kernel *x);

#endif
