/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GV_UTIL_PAGE_H
#define GV_UTIL_PAGE_H

#include <unistd.h>

#define PAGE_BYTES_MAX 65536u

/* Bytes of a page of the host's, by which KVM counts guest memory: up to PAGE_BYTES_MAX.  Any thread. */
static inline unsigned page_bytes(void)
{
#if defined(__x86_64__)
	return 4096;
#else
	static unsigned bytes;

	if (!bytes)
		bytes = (unsigned)sysconf(_SC_PAGESIZE);
	return bytes;
#endif
}

#endif
