/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest whose second slot is logged, takes of that log, and each test with bitmaps and with rings. */
#ifndef GV_TESTS_DIRTY_RIG_H
#define GV_TESTS_DIRTY_RIG_H

#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define PAGE 4096u

#define ID    7
#define GPA   0x2000000ull      /* beyond the machine's own memory */
#define SEED  0x500             /* gpas of what the guest is told, and tells */
#define PAGES 0x504
#define COUNT 0x508

/* Writes to pages of a pseudo-random sequence, and counts them afterwards. */
extern const unsigned char scribble[], scribble_end[];

extern struct dirty_map map;    /* the last look */

void ok(int r);
void add_slot(unsigned id, uint64_t gpa, uint64_t pages, bool log);
bool is_set(uint64_t page);
/* What WHO has of slot ID goes to `map`, checked for what every map must be. */
void look(unsigned id, enum dirty_consumer who, bool take);
void put(uint64_t gpa, const void *data, size_t len);
/* The last look found exactly the pages in the list, which ends with -1. */
void expect(const int *pages);
#define EXPECT(...) expect((const int[]){ __VA_ARGS__, -1 })

/* A machine with that guest and slot ID at GPA, of so many pages, whose writes are logged; its end. */
void fresh(uint64_t pages);
void end(void);

/* A case in S whose machines have their dirty log in RINGS, or in bitmaps. */
TCase *dirty_case(Suite *s, const char *name, bool rings, double timeout);
/* Runs what ADD puts into S for bitmaps and, where this KVM has them, for rings. */
int dirty_main(Suite *s, void (*add)(Suite *s, bool rings));

#endif
