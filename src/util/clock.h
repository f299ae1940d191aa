/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GV_UTIL_CLOCK_H
#define GV_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC, nanoseconds.  No system call; any thread, signal handlers too. */
static inline uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#endif
