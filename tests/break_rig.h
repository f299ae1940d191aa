/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakpoints over plain memory of bytes that are known, with page tables of an array. */
#ifndef GV_TESTS_BREAK_RIG_H
#define GV_TESTS_BREAK_RIG_H

#include "break/break.h"

#define TRAP  0xcc
#define PAGES 8u
#define PAGE  4096u
#define SIZE  (PAGES * PAGE)
#define NONE  UINT64_MAX
#define OTHER 0x1000u                   /* the cr3 of a second address space */
#define GVA   0x400000u                 /* gvas of the first: pages 0x400 to 0x40f */

extern uint8_t ram[SIZE];
extern uint64_t map[2][16];             /* a page's gpa, in either space; NONE */
extern unsigned asked;                  /* how often resolve() was */
extern struct gmem *gmem;
extern struct break_table *t;
extern struct err err;

/* What `ram` has at first. */
uint8_t original(uint64_t gpa);
/* Looks a breakpoint's address up in `map`. */
bool resolve(void *arg, const struct break_spec *spec, uint64_t *ret);
void add_memory(uint64_t gpa, uint64_t size, uint8_t *hva, int slot);

/* Makes T over `ram` at gpa 0; FN looks addresses up (NULL: they are gpas), setup()'s is resolve(). */
void start(break_resolve_fn *fn);
void setup(void);
void teardown(void);

/* One in whatever address space. */
struct break_spec soft(uint64_t gva);
/* gdb's; the first must succeed. */
struct breakpoint *set(struct break_spec spec);
int unset(struct break_spec spec);

#endif
