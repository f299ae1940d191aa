/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slots without a machine, and a vCPU of the test's own: so that each access shows whether it exits. */
#ifndef GV_TESTS_CARVE_RIG_H
#define GV_TESTS_CARVE_RIG_H

#include "kvm/slots_priv.h"
#include "tests/kvm_harness.h"

#define PAGE     0x1000ull
#define BASE     0x200000ull    /* gpa of the area played with */
#define AREA     96u            /* its pages */
#define READS    0x1000u        /* gpas of the code, in slot 0 */
#define WRITES   0x1010u
#define ID       5u

extern struct kvm k;
extern struct slots *s;
extern unsigned exits;          /* of the last access: those as MMIO */
extern struct dirty_map map;    /* the last take */
/* The FAIL_AT-th change of a slot from now on (0 the next) is refused, if that is not negative; how many were asked for. */
extern int fail_at;
extern bool fail_memory;        /* all that bring memory are refused from then on */
extern bool failed;
extern unsigned changes;

/* A flat 32-bit vCPU, slot 0, and as many slots as MAX_SLOTS says (0: as the host has). */
void begin(bool with_rings, unsigned max_slots);
void end(void);
/* Puts the code into slot 0 again. */
void load(void);

void ok(int r);
/* slot check finds nothing, and the numbers of slot ID's pieces are known as theirs. */
void check_slots(void);
void add(unsigned id, uint64_t gpa, uint64_t pages, bool log);
/* Sets the rights of a page of the area; of all from the first on as expect_all() has them; brings them into force. */
void set(uint64_t page, enum page_rights rights);
void set_all(const char *want);
void carve(void);

/* Runs the code at RIP on GPA until its end; returns eax.  What exits is answered with all ones, or is lost. */
uint32_t guest_access(uint64_t rip, uint64_t gpa, uint32_t value);
/* Writes to a page of the area, which takes it. */
void write_page(unsigned page);
/* The page at GPA takes and refuses what WANT says. */
void expect(uint64_t gpa, enum page_rights want);
/* The pages from BASE on are as in WANT: "." all, "r" no write, "x" no access, " " no memory. */
void expect_all(const char *want);
/* Takes the log of slot ID. */
void take(unsigned id);

#endif
