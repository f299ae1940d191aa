/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the guest may do with which pages, as runs of pages with equal rights.  Pure.  Threads: changed by one, read by
 * any while nobody changes it.
 */
#ifndef GV_KVM_RIGHTS_H
#define GV_KVM_RIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

enum page_rights { PAGE_ALL, PAGE_NO_WRITE, PAGE_NO_ACCESS };

struct rights_run {
	uint64_t first, pages;          /* page numbers: gpa / DIRTY_PAGE */
	enum page_rights rights;        /* never PAGE_ALL */
};

/* Zeroed: every page is PAGE_ALL. */
struct rights {
	struct rights_run *run;         /* ascending; neighbours that touch differ in their rights */
	size_t n, cap;
	size_t pages;                   /* of all runs */
};

void rights_free(struct rights *r);
/* Gives PAGE these rights.  -ENOMEM: nothing has changed. */
int rights_set(struct rights *r, uint64_t page, enum page_rights rights, struct err *err);
/* PAGE's rights, which all pages up to *RET_LAST share; that may be NULL.  O(log n). */
enum page_rights rights_at(const struct rights *r, uint64_t page, uint64_t *ret_last);
/* Makes TO, which was made by this or is zeroed, equal to FROM.  -ENOMEM. */
int rights_copy(struct rights *to, const struct rights *from, struct err *err);

#endif
