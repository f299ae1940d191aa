/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the breakpoint table share: break.c (who wants what), site.c (the bytes). */
#ifndef GV_BREAK_BREAK_PRIV_H
#define GV_BREAK_BREAK_PRIV_H

#include "break/break.h"
#include "util/spare.h"

/* A page of host memory with sites in it. */
struct break_page {
	struct htab_link by_page;       /* key: host address / GMEM_PAGE */
	struct break_site *first;
};

struct break_list {
	struct breakpoint *head, *tail;
	size_t count;
};

struct break_table {
	struct gmem *gmem;
	struct break_trap trap; /* what a site holds in memory */
	break_resolve_fn *resolve;
	void *arg;
	struct htab by_gva, by_byte, by_page;
	struct break_list hard, pending, placed;
	struct spare breakpoints, sites, pages; /* gdb takes its breakpoints away at each stop, and sets them again */
	unsigned registers;     /* that there are for breakpoints */
	size_t round;           /* the bucket of by_byte that break_verify() looked at last */
	uint64_t generation;
	bool suspended;         /* no trap is in memory */
	/* For break_at(): those that are somebody's, sorted when it is asked for. */
	struct breakpoint **sorted;
	size_t nsorted;
	bool sorted_valid;
};

/* Puts B, which is in no list of the table's, where its gpa has memory; false: there is none, or no memory for us. */
bool site_attach(struct break_table *t, struct breakpoint *b);
/* Takes B off its site; the last one restores the byte. */
void site_detach(struct break_table *t, struct breakpoint *b);
/* Frees every site and page, without touching the bytes. */
void site_free_all(struct break_table *t);

void list_add(struct break_list *l, struct breakpoint *b);
void list_del(struct break_list *l, struct breakpoint *b);

#endif
