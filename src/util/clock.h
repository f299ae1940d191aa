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

/* In a loop that looks at memory until another thread changes it: the processor need not hurry. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#elif defined(__powerpc64__)
	__asm__ volatile("or 27,27,27");
#endif
}

#endif
