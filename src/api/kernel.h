/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of the kernel that runs in the guest, as a user sees it.  The operations are in api/machine.h. */
#ifndef GV_API_KERNEL_H
#define GV_API_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place in source text. */
struct source_line {
	const char *file;       /* as the compiler was told, or absolute; lives until other symbols are loaded */
	unsigned line;
};

struct kernel_info {
	uint64_t linked;        /* gva that the symbols have for its text */
	uint64_t slide;         /* how far it runs from there, modulo 2^64 */
	char banner[256];       /* its first line, without the line end */
	bool mapped;            /* it runs at its own addresses; else it only lies in memory, at GPA */
	uint64_t gpa;           /* of its text, unless mapped */
};

#define KERNEL_COMM_MAX 16      /* bytes, with the zero */

struct kernel_task {
	uint64_t gva;           /* of its struct task_struct */
	int pid, tgid, parent;  /* parent: the tgid of its real parent */
	char state;             /* as ps shows it: R S D T t X Z P I, '?' */
	bool kernel;            /* a kernel thread: no memory map of its own */
	int cpu;                /* where it runs, or ran last; -1: not known */
	bool running;           /* it is what that CPU runs now */
	char comm[KERNEL_COMM_MAX];
};

struct kernel_module {
	uint64_t object;        /* gva of its struct module */
	uint64_t gva, size;     /* of its core (of its text, from 6.4 on), bytes */
	char name[64];
	const char *state;      /* "live", "coming", "going", "unformed"; static text */
};

/* A record of the kernel's log. */
struct kernel_message {
	uint64_t number, time_ns;
	unsigned level;         /* 0 emergency .. 7 debug */
	const char *text;       /* valid during the call; may hold any byte, line ends included */
	size_t len;
};

#endif
