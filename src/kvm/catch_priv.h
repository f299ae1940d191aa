/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of the catchpoints, for catch.c and the architecture's files. */
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
	/* The architecture's, each NULL until something of its kind is caught. */
	struct vectors *vectors;
	struct catch_kernel *kernel;
};

/* The first catchpoint of KIND above id AFTER, or NULL. */
const struct catch_info *catch_next(const struct catch_table *t, enum catch_kind kind, unsigned after);
/* Makes *EV the event of catchpoint ID.  The text does not name the ID: people may know it by another number. */
void catch_say(struct stop_event *ev, unsigned id, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
