/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the paging unit says to an access: allowed, or a page fault with its error code (Intel SDM vol. 3, 4.6 and 4.7), and the
 * accessed and dirty bits it leaves (4.8).  Without protection keys and shadow stacks.
 */
#ifndef GV_X86_ACCESS_H
#define GV_X86_ACCESS_H

#include "arch/x86/translate.h"

enum access_kind { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

/* Whose access it is. */
struct access_by {
	unsigned cpl;
	uint64_t rflags;        /* AC suspends SMAP */
};

/*
 * Whether T, what translate() made of an address under P, also when that failed, allows an access of KIND.  -EFAULT: it faults
 * with the error code *RET_CODE.
 */
int access_check(const struct paging *p, const struct translation *t, enum access_kind kind, const struct access_by *by,
		 uint32_t *ret_code);

/* Sets the bits in the entries that T came by: accessed, and with WRITE dirty.  Any thread; others may do the same. */
void access_mark(struct gmem *g, const struct paging *p, const struct translation *t, bool write);

#endif
