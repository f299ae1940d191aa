/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The host processor's CPUID (Intel SDM vol. 2A). */
#ifndef GV_X86_HOSTID_H
#define GV_X86_HOSTID_H

#include <stdint.h>

#define HOSTID_LEAVES 8

enum { HOSTID_EAX, HOSTID_EBX, HOSTID_ECX, HOSTID_EDX };

/*
 * Leaves as they have been read.  Where the host is itself a guest, each execution of CPUID exits and takes microseconds, and which
 * leaves there are takes another.  Zeroed at first.
 */
struct hostid {
	unsigned n;
	struct {
		uint32_t leaf, sub, r[4];
	} seen[HOSTID_LEAVES];
};

/*
 * The four registers of a leaf, by HOSTID_EAX and so on; all 0 for one that this processor has not.  Good until the next call, which
 * may take its place when there are more leaves than H has room for.
 */
const uint32_t *hostid_leaf(struct hostid *h, uint32_t leaf, uint32_t sub);

#endif
