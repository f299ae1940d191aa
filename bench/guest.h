/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where things are in the guest that is measured (guest.S); linear addresses.  Read by the assembler, by C, and by
 * stubs.py, which takes each "#define NAME 0x..." of it.
 */
#ifndef GV_BENCH_GUEST_H
#define GV_BENCH_GUEST_H

#define GUEST_NEXT        0x500         /* a word: where each loop goes when it has been through, GUEST_HOT at first */
#define GUEST_COUNTER     0x520         /* 32 bits: +1 each time through either loop */
#define GUEST_CPUS        0x540         /* 32 bits for each further vCPU, by its number: counts while it runs */
#define GUEST_TRAMPOLINE  0x6000        /* where the further vCPUs begin */
#define GUEST_START       0x7c00
#define GUEST_HOT         0x7c80        /* a loop of two instructions; the first one counts */
#define GUEST_RANGE       0x7ca0        /* a loop to step through as a range */
#define GUEST_RANGE_END   0x7ca7        /* exclusive; two instructions from there to where GUEST_NEXT says */
#define GUEST_RANGE_TURNS 0x3e8
#define GUEST_RANGE_STEPS 0xbb9         /* instructions from its beginning to its end: 1 + 3 a turn */

#endif
