/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the host runs the machine's threads, and how soon. */
#ifndef GV_KVM_THREADS_H
#define GV_KVM_THREADS_H

#include <pthread.h>
#include <stddef.h>

#include "api/err.h"

/* Whether this process may run on each of the N host CPUs of LIST.  -EINVAL names the first where it may not. */
int threads_check(const unsigned *list, size_t n, struct err *err);

/* Has THREAD run on host CPU CPU alone (sched_setaffinity(2)).  -EINVAL: the host does not let it. */
int threads_pin(pthread_t thread, unsigned cpu, struct err *err);

/*
 * Has the calling thread, which sleeps most of the time, begin soon after it has been woken: where vCPUs and others compete for the
 * host's CPUs, whoever runs there is otherwise left to it for some milliseconds.  It asks for a short slice (sched(7), Linux 6.12
 * and later), which takes no privilege and gives it no more time in all; threads that it starts later do not inherit it.  Where
 * the host has no such thing, or other rules were chosen for the process, nothing happens.
 */
void threads_prompt(void);

#endif
