/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of tables for kernels share: RAM at TABLE_GPA, filled so that what is written shows. */
#ifndef GV_TESTS_TABLE_ENV_H
#define GV_TESTS_TABLE_ENV_H

#include "mem/gmem.h"
#include "tests/unit.h"

#define TABLE_GPA       0xe0000u
#define TABLE_BYTES     0x20000u
#define TABLE_FILL      0xa5

extern uint8_t table_ram[TABLE_BYTES];
extern struct gmem *table_mem;
extern struct err table_err;

/* Fixture. */
void table_setup(void);
void table_teardown(void);

const uint8_t *table_at(uint64_t gpa);
/* SIZE bytes, little-endian. */
uint64_t table_get(uint64_t gpa, unsigned size);
uint8_t table_sum(uint64_t gpa, uint64_t size);
/* Nothing was written outside of SIZE bytes at GPA. */
void table_untouched_but(uint64_t gpa, uint64_t size);
/* RC is -CODE, with one line that contains SAYS, and all RAM is as it was. */
void table_expect_error(int rc, int code, const char *says);

#endif
