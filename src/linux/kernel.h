/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A 64-bit x86 Linux seen from outside: where it runs, its tasks, modules and log, by its symbols and its DWARF.  Knows
 * the structures of 4.x to 6.x, newer and older forms by which members they have.  Pure: memory, symbols and types come
 * from its owner's functions.  What the guest has in memory is believed nowhere: lists are bounded and may loop,
 * strings are bounded.  One thread at a time.
 *
 * Errors, one clear line each: -ENOENT: the symbols are no kernel's; -EAGAIN: it does not run yet, or not so far;
 * -ENOEXEC: it runs, and is another than the symbols are of; -ENOTSUP: its DWARF lacks what is needed, which is named;
 * -EBADMSG: what it has in memory makes no sense; -ENOMEM.
 */
#ifndef GV_LINUX_KERNEL_H
#define GV_LINUX_KERNEL_H

#include "api/err.h"
#include "api/kernel.h"
#include "sym/dwarf.h"

#define KERNEL_SYSCALL  256     /* for kernel_source.entry: beyond the vectors */

#define KERNEL_TASKS_MAX        (1u << 17)
#define KERNEL_MODULES_MAX      4096u
#define KERNEL_RECORDS_MAX      (1u << 20)
#define KERNEL_TEXT_MAX         4096u   /* bytes of a message; the rest is left out */

/* All with ARG first. */
struct kernel_source {
	void *arg;
	/*
	 * The kernel's memory as its own code sees it, and physical memory: how many bytes are there from the address
	 * on.
	 */
	size_t (*read)(void *arg, uint64_t gva, void *ret, size_t len);
	size_t (*read_phys)(void *arg, uint64_t gpa, void *ret, size_t len);
	uint64_t phys_end;      /* physical memory is looked through up to here */
	/* Where a symbol is linked; false: there is none. */
	bool (*symbol)(void *arg, const char *name, uint64_t *ret);
	/* What the file of the symbols has at a linked address: how many bytes. */
	size_t (*linked)(void *arg, uint64_t addr, void *ret, size_t len);
	/* As dwarf_member() and dwarf_sizeof(). */
	int (*member)(void *arg, const char *path, struct dwarf_member *ret, struct err *err);
	int (*size_of)(void *arg, const char *type, uint64_t *ret, struct err *err);
	/* Where a vCPU goes by itself: the handler of a vector, or KERNEL_SYSCALL; false: not known. */
	bool (*entry)(void *arg, unsigned vector, uint64_t *ret);
	/* Both bases of gs of a vCPU, the one in use first; false: no such vCPU. */
	bool (*gs)(void *arg, unsigned cpu, uint64_t ret[2]);
};

struct kernel;

/* -ENOMEM. */
int kernel_new(const struct kernel_source *s, struct kernel **ret, struct err *err);
void kernel_free(struct kernel *k);             /* NULL is fine */
/* Symbols or types are others now. */
void kernel_changed(struct kernel *k);
/* Whether the symbols are those of a kernel: reads nothing of the guest. */
bool kernel_known(struct kernel *k);

/*
 * Finds where it runs.  A kernel that moved itself was moved by a multiple of 2 MiB below 1 GiB; HINT, a slide, is
 * tried first, and one that was found before that.  Its banner must be there and be the file's, and pointers to known
 * symbols must agree; where the banner cannot be read, two of the places that a vCPU enters it by must.  If it is
 * nowhere at its own addresses it is looked for in physical memory, where it is loaded or has just unpacked itself.
 */
int kernel_locate(struct kernel *k, uint64_t hint, struct err *err);
/*
 * It has just unpacked itself, and its first instruction is at GPA: how far it is moved from where it is linked.
 * -ENOENT: the symbols are no kernel's, or another's.
 */
int kernel_unpacked(struct kernel *k, uint64_t gpa, uint64_t *ret_slide, struct err *err);
/* What kernel_locate() found; the functions below need that. */
const struct kernel_info *kernel_place(const struct kernel *k);
/* A symbol's address as it runs.  -ENOENT. */
int kernel_symbol(struct kernel *k, const char *name, uint64_t *ret, struct err *err);

/* What vCPU CPU runs.  Also -EINVAL: no such vCPU. */
int kernel_current(struct kernel *k, unsigned cpu, struct kernel_task *ret, struct err *err);
/*
 * Calls EACH for the tasks that vCPUs run while idle, then every thread of every process, until it answers false.  On
 * -EBADMSG those that could be read were reported, and ERR says after how many the list broke off.
 */
int kernel_tasks(struct kernel *k, bool (*each)(void *arg, const struct kernel_task *t), void *arg, struct err *err);
/* The same of loaded modules. */
int kernel_modules(struct kernel *k, bool (*each)(void *arg, const struct kernel_module *m), void *arg,
		   struct err *err);
/*
 * Calls EACH for each name in a module's symbol table: functions and data, with their addresses.  NAME is valid during
 * the call. -ENOENT: it has none.  At most MAX are looked at.
 */
int kernel_module_symbols(struct kernel *k, const struct kernel_module *m, size_t max,
			  bool (*each)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg,
			  struct err *err);
/*
 * The same of the log's records from number FROM on, oldest first, those that are not yet written left out; of the newest
 * KERNEL_RECORDS_MAX.
 */
int kernel_log(struct kernel *k, uint64_t from, bool (*each)(void *arg, const struct kernel_message *m), void *arg,
	       struct err *err);

/*
 * What the kernel's printf makes of the format at FMT: numbers, characters and strings; other pointers as numbers.  ARG
 * gives the INDEX-th argument after the format.  RET gets one line without control characters, as much as SIZE holds.
 */
void kernel_format(struct kernel *k, uint64_t fmt, uint64_t (*arg)(void *args, unsigned index), void *args, char *ret,
		   size_t size);
/* The string at GVA: one line without control characters, cut at SIZE; false: not readable. */
bool kernel_string(struct kernel *k, uint64_t gva, char *ret, size_t size);

#endif
