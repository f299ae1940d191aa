/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest that does anything with an IDE controller, the same for the same seed. */
#ifndef GV_TESTS_IDE_FUZZ_H
#define GV_TESTS_IDE_FUZZ_H

#include "tests/ide_rig.h"

void ide_fuzz_seed(uint32_t seed);
/* A number below N, or 0. */
uint32_t rnd(uint32_t n);
/* STEPS accesses, commands, tables, resets, saves and ends of requests. */
void ide_fuzz(struct ide_rig *r, unsigned steps);

#endif
