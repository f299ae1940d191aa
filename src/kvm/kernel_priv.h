/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What kernel_view.c and kernel_modules.c share. */
#ifndef GV_KVM_KERNEL_PRIV_H
#define GV_KVM_KERNEL_PRIV_H

#include "kvm/kernel_view.h"
#include "util/htab.h"

struct module_name;

/* The names in loaded modules. */
struct module_table {
	bool stale;             /* the list is to be looked at */
	uint64_t seen;          /* of the list it was made of: a hash */
	struct module_symbol {
		uint64_t addr, end;
		const char *name;
	} *symbol;              /* ascending */
	size_t n, cap;
	struct htab names;      /* all that ever were, by hash */
	size_t bytes;           /* of names */
};

struct kernel_view {
	struct machine_kvm *k;
	struct kernel *kernel;
	unsigned cpu;           /* the vCPU whose tables had what was read last */
	bool asked, known;      /* whether the symbols are a kernel's */
	bool stale;             /* else the next two hold */
	int result;
	struct err err;
	bool found;
	unsigned wait, waited;  /* calls of kernel_view_seek() */
	struct module_table modules;
};

void kernel_modules_done(struct module_table *t);

#endif
