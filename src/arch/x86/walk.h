/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the two walkers share (translate.c: one address; ranges.c: all of them): the paging modes as a table, and
 * what a single entry means in them.  Private to src/mem.
 */
#ifndef GV_X86_WALK_H
#define GV_X86_WALK_H

#include "arch/x86/translate.h"

#define WALK_LEVELS_MAX 5

enum { WALK_NONE, WALK_32, WALK_PAE, WALK_4LEVEL, WALK_5LEVEL };

enum { WALK_W = 1 << 0, WALK_U = 1 << 1, WALK_X = 1 << 2 };

struct walk_step {
	uint8_t level;          /* 5 PML5 .. 1 page table */
	uint8_t shift, bits;    /* which bits of the gva index this table */
	bool large;             /* an entry with PS set maps a page */
	bool no_rights;
	uint64_t reserved;      /* bits that must be 0 in any present entry */
	uint64_t reserved_large;/* additionally in one that maps a large page */
};

struct walk_mode {
	const char *name;
	unsigned gva_bits;      /* 32: addresses are truncated; more: they must be canonical */
	unsigned entry_size;    /* bytes */
	uint64_t cr3_mask;
	uint64_t high_reserved; /* of every level */
	unsigned nlevels;
	struct walk_step level[WALK_LEVELS_MAX];
};

/* A mode with this vCPU's processor and control registers applied; arrays are indexed by depth, 0 the top. */
struct walk {
	const struct walk_mode *mode;
	uint64_t root;          /* gpa of the top table */
	bool nx, global;        /* EFER.NXE, CR4.PGE */
	uint64_t pse36;         /* bits of a 4M entry that hold address bits from 32 up */
	bool large[WALK_LEVELS_MAX];
	uint64_t reserved[WALK_LEVELS_MAX], reserved_large[WALK_LEVELS_MAX];
};

enum walk_kind { WALK_ABSENT, WALK_TABLE, WALK_PAGE };

void walk_init(struct walk *w, const struct paging *p);
/* An entry as it stands in memory; P need not be aligned. */
uint64_t walk_load(const struct walk *w, const uint8_t *p);
enum walk_kind walk_entry(const struct walk *w, unsigned depth, uint64_t entry);
/* INHERITED (the rights of the levels above) as ENTRY leaves them. */
unsigned walk_rights(const struct walk *w, unsigned depth, uint64_t entry, unsigned inherited);
/* Whether ENTRY, which maps a page, makes it global. */
bool walk_global(const struct walk *w, uint64_t entry);
/* The next table, of a WALK_TABLE entry. */
uint64_t walk_table_gpa(uint64_t entry);

#endif
