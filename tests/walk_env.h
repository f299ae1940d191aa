/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the page walkers' test programs share: a little guest RAM, and a vCPU's state in each paging mode. */
#ifndef GV_TESTS_WALK_ENV_H
#define GV_TESTS_WALK_ENV_H

#include "arch/x86/translate.h"
#include "tests/unit.h"

#define RAM_SIZE        0x100000ull
#define RAM_SLOT        7

#define PG      (1ull << 31)
#define PSE     (1ull << 4)
#define PAE     (1ull << 5)
#define PGE     (1ull << 7)
#define LA57    (1ull << 12)
#define LMA     (1ull << 10)
#define NXE     (1ull << 11)
#define NX      (1ull << 63)

#define P       1ull
#define W       2ull
#define U       4ull
#define PS      0x80ull
#define G       0x100ull

extern uint8_t ram[RAM_SIZE];
extern struct gmem *g;

/* Their top tables are at 0x1000 (PAE: 0x1020). */
extern const struct paging mode_none, mode_32, mode_pae, mode_4, mode_5;

/* Fixture: RAM_SIZE bytes of zeroed RAM at 0. */
void setup(void);
void teardown(void);

void put32(uint64_t gpa, uint32_t v);
void put64(uint64_t gpa, uint64_t v);
/* "wuxg", as far as the rights are given. */
const char *rights_text(bool writable, bool user, bool executable, bool global);

#endif
