/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a slot's memory was: a copy to compare it with, kept page by page.  Pages that were zero take no memory.  Reads the
 * guest as a person sees it, without our traps.  Loop thread, every vCPU parked.
 */
#ifndef GV_KVM_BASELINE_H
#define GV_KVM_BASELINE_H

#include "api/slots.h"
#include "break/break.h"

#define BASELINE_RUN_MAX 4096u  /* bytes that one call reports at most */

/* Zeroed: there is none. */
struct baseline {
	uint8_t *copy;          /* a mapping; NULL: none */
	uint64_t pages;
};

/* Remembers the PAGES (DIRTY_PAGE) at HOST as they are now, without traps of BT's.  -ENOMEM. */
int baseline_take(struct baseline *b, struct break_table *bt, const uint8_t *host, uint64_t pages, struct err *err);
/* Brings the pages set in BITS, a bitmap of as many pages, up to date. */
void baseline_update(struct baseline *b, struct break_table *bt, const uint8_t *host, const uint64_t *bits);
/* Says what PAGES from FIRST on, which are zero so far, were: as DATA. */
void baseline_fill(struct baseline *b, uint64_t first, const uint8_t *data, uint64_t pages);
/* Reports what differs in the pages set in BITS, of those at HOST and GPA, in ascending order, until EACH answers false. */
void baseline_diff(const struct baseline *b, struct break_table *bt, const uint8_t *host, uint64_t gpa,
		   const uint64_t *bits, dirty_diff_fn *each, void *arg);
/* Sets *RET to the part of B, which must exist, from page FIRST on, PAGES long; what B does not have was zero.  -ENOMEM. */
int baseline_slice(const struct baseline *b, uint64_t first, uint64_t pages, struct baseline *ret, struct err *err);
/* Forgets it; without one nothing happens. */
void baseline_drop(struct baseline *b);

#endif
