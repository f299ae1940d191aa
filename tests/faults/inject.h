/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Faults: linked into a program, it stands before what asks the C library for memory, descriptors, mappings and threads and the
 * kernel for KVM's calls, counts, and has one of them fail, once.  What is held is counted, too, so that a loss is seen.
 */
#ifndef GV_TESTS_FAULTS_INJECT_H
#define GV_TESTS_FAULTS_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_kind {
	FAULT_ALLOC,            /* malloc() and its kin: ENOMEM */
	FAULT_IOCTL,            /* KVM's ioctls but the next kind: ENOMEM */
	FAULT_CAP,              /* KVM_CHECK_EXTENSION: EINVAL, as if the host were older */
	FAULT_MAP,              /* mmap(), mremap(): ENOMEM */
	FAULT_OPEN,             /* whatever makes a descriptor by a call of its own, or a timer: EMFILE */
	FAULT_THREAD,           /* pthread_create(): EAGAIN */
	FAULT_KINDS
};

extern const char *const fault_names[FAULT_KINDS];

/*
 * Who asks for what, and in which phase, names a chance: those of the same name are alike.  A name holds for this process
 * and its children.  Has the Nth chance of that KIND and NAME from now on, from 1, fail; 0: none.  Any thread's counts.
 */
void fault_arm(enum fault_kind kind, uint64_t name, unsigned n);
/* Has nothing fail, and notes the names of all chances from now on. */
void fault_record(void);
/* How many of KIND were noted, and the name of number N of them, from 0. */
size_t fault_recorded(enum fault_kind kind);
uint64_t fault_recorded_name(enum fault_kind kind, size_t n);
/* Calls LIVE, as it was armed or is recorded; who calls this makes no difference to names. */
void fault_live(void (*live)(void));
/* What goes on from now on: any value but that of another phase. */
void fault_phase(uintptr_t phase);
bool fault_happened(void);
/* Calls by way of the shared library whose file's name begins with PREFIX do not fail: what it makes of that is its own affair. */
void fault_spare_library(const char *prefix);
/* Whether what should have failed did not, since it was such a library's. */
bool fault_was_spared(void);
enum fault_kind fault_armed(void);
/* Between these nothing fails and nothing is counted as a chance; they nest. */
void fault_hold(void);
void fault_release(void);
/* Prints who called for what failed, a line "# ..." each. */
void fault_print_site(void);

/* What this process holds. */
struct holdings {
	long blocks;            /* of memory, not freed; 0 under ASan, whose LSan knows */
	long mapped;            /* bytes by mmap(), page by page */
	long fds, threads;
};

struct holdings holdings_now(void);

/* Whether allocations are seen: not under TSan. */
bool fault_sees_memory(void);

#endif
