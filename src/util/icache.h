/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GV_UTIL_ICACHE_H
#define GV_UTIL_ICACHE_H

#include <stddef.h>

/*
 * Code of the guest's was written at HOST, LEN bytes that lie in one line of cache: processors that fetch instructions past their
 * data cache are told (Power ISA, book II, 1.8; Arm ARM, B2.4.4).
 */
static inline void icache_sync(const void *host, size_t len)
{
#if defined(__powerpc64__)
	(void)len;
	__asm__ volatile("dcbst 0,%0; sync; icbi 0,%0; sync; isync" : : "r"(host) : "memory");
#elif defined(__aarch64__)
	__builtin___clear_cache((char *)(size_t)host, (char *)(size_t)host + len);
#else
	(void)host;
	(void)len;
#endif
}

#endif
