/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the loaders' test programs share: a little guest RAM, a place to build a file in, and common checks. */
#ifndef GV_TESTS_LOAD_ENV_H
#define GV_TESTS_LOAD_ENV_H

#include "load/load.h"
#include "tests/unit.h"

#define RAM_SIZE        0x400000ull
#ifndef GIB             /* load/parts.h has it too */
#define GIB             (1ull << 30)
#endif

extern uint8_t ram[RAM_SIZE], file[65536];
extern struct gmem *g;
extern struct err load_err;

/* Fixture: RAM_SIZE bytes of zeroed RAM at 0. */
void setup(void);
void teardown(void);

void add_region(uint64_t gpa, uint64_t size, uint8_t *hva, bool readonly);
uint32_t ram32(uint64_t gpa);
uint64_t ram64(uint64_t gpa);

/* image_init() on a copy of DATA, called "kernel". */
int init(struct image *im, const void *data, size_t size, enum image_kind kind);
/* The same, then image_load(): what a user sees.  OPTS may be NULL. */
int load(const void *data, size_t size, enum image_kind kind, const struct load_opts *opts,
	 struct boot_state *ret);
/* RC is -CODE, with a line that begins with the path and contains SAYS. */
void expect_error(int rc, int code, const char *says);
/* The stack and GDT (and page tables, by SIZE) of a protected or long mode start are as load.h says. */
void check_block(const struct boot_state *st, uint64_t size);
/* The first SIZE bytes of FILE, whatever they have become, give an error with a line, or a start in memory. */
void survive(size_t size);
/* So do many seeded random changes to them. */
void survive_damage(size_t size, unsigned seed);

#endif
