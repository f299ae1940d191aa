/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of src/linux share. */
#ifndef GV_LINUX_PRIV_H
#define GV_LINUX_PRIV_H

#include "linux/kernel.h"

/* Members of the kernel's structures; kernel.c has their names. */
enum field {
	/* Of a task: needed, then others. */
	TASK_TASKS, TASK_COMM, TASK_PID, TASK_TGID, TASK_PARENT, TASK_FLAGS, TASK_SIGNAL, TASK_STATE, TASK_EXIT_STATE,
	TASK_THREAD_NODE, SIGNAL_THREADS,
	TASK_CPU,
	/* Of a module. */
	MODULE_LIST, MODULE_NAME, MODULE_STATE, MODULE_BASE, MODULE_SIZE,
	MODULE_KALLSYMS, KALLSYMS_SYMTAB, KALLSYMS_COUNT, KALLSYMS_STRTAB,
	/* Of the log since 5.10. */
	LOG_COUNT_BITS, LOG_DESCS, LOG_INFOS, LOG_HEAD, LOG_TAIL, LOG_SIZE_BITS, LOG_DATA,
	DESC_STATE, DESC_BEGIN, DESC_NEXT, INFO_SEQ, INFO_TIME, INFO_LENGTH, INFO_LEVEL,
	/* And before. */
	RECORD_TIME, RECORD_LENGTH, RECORD_TEXT_LENGTH, RECORD_LEVEL,
	FIELDS
};

struct kernel {
	struct kernel_source s;
	enum { SYMBOLS_UNKNOWN, SYMBOLS_NONE, SYMBOLS_KERNEL } symbols;
	uint64_t banner, text, end;     /* linked */
	char file[sizeof(((struct kernel_info *)0)->banner)];   /* the banner in the symbols' file; "": not known */
	bool located;
	struct kernel_info info;
	struct kernel_field {
		bool asked;
		int result;             /* of asking */
		struct dwarf_member m;
	} field[FIELDS];
};

/* Memory at addresses as it runs. */
bool kernel_read(struct kernel *k, uint64_t gva, void *ret, size_t len);
bool kernel_pointer(struct kernel *k, uint64_t gva, uint64_t *ret);
/* Bytes up to a zero, SIZE - 1 at most; false: not readable so far. */
bool kernel_bytes(struct kernel *k, uint64_t gva, char *ret, size_t size);
/* A ? for each control character. */
void kernel_clean(char *text);

/* Asks for FIRST to LAST; -ENOTSUP names the one that its DWARF lacks. */
int kernel_fields(struct kernel *k, enum field first, enum field last, struct err *err);
bool kernel_has(struct kernel *k, enum field f);
/* Offset of a member that is there. */
uint64_t kernel_offset(const struct kernel *k, enum field f);
/* A number: the member F of the structure at GVA.  False: not readable, or no number. */
bool kernel_get(struct kernel *k, uint64_t gva, enum field f, uint64_t *ret);
int kernel_size_of(struct kernel *k, const char *type, uint64_t max, uint64_t *ret, struct err *err);

/*
 * A walk along a list of the kernel's: gives the next entry, again and again.  Loops that do not come by the head are
 * noticed (Brent's way), after at most three times as many entries as there are.
 */
struct kernel_walk {
	uint64_t head, at, mark;
	unsigned n, power, max;
	bool broken;
};

void kernel_walk_begin(struct kernel_walk *w, uint64_t head, unsigned max);
/* *RET is the list_head's address; false at the end, which W->broken may be. */
bool kernel_walk_next(struct kernel *k, struct kernel_walk *w, uint64_t *ret);
/* -EBADMSG: the list of WHAT breaks off after N. */
int kernel_broken(const char *what, unsigned n, struct err *err);

#endif
