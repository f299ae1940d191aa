/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Single instructions run by the processor that this program runs on, with registers of the caller's choice.
 *
 * It is for instructions of which one knows that they do nothing but compute: with general registers but rsp, the arithmetic flags, x87
 * and vector state, and memory at native_memory().  The caller vouches for that, and that the processor has the instruction: one that
 * faults ends the program.  While it runs, its thread has the given x87 and vector state, with whatever exceptions are unmasked
 * there: those of SSE would be signals, so the caller masks them; those of x87 wait for a next x87 instruction, which there is none of.
 *
 * Code is written by one mapping of its pages and run by another, so that none can be both.  What was run before is kept.
 */
#ifndef GV_INSN_NATIVE_H
#define GV_INSN_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

#define NATIVE_MEMORY     4096  /* bytes at native_memory() */
#define NATIVE_AREA       4096  /* bytes of a state */
#define NATIVE_CODE_MAX   15

/* State components (SDM vol. 1, 13.1) that are loaded, at most: not the protection keys, which are for this program's memory too. */
#define NATIVE_LEGACY     0x3ull        /* x87, SSE */
#define NATIVE_COMPONENTS 0xe7ull       /* and AVX, AVX-512 */

struct native;

struct native_regs {
	uint64_t gpr[16];       /* in and out, by their numbers; rsp does not count */
	uint64_t rflags;        /* in and out: the arithmetic flags; others are ignored, and come out as zero */
};

/* For one thread at a time.  -ENOMEM; -ENOTSUP: this host has no XSAVE, or lets nobody map code. */
int native_new(struct native **ret, struct err *err);
void native_free(struct native *n);             /* NULL is fine */

/* Bytes of an XSAVE area in the standard form that holds COMPONENTS; 0: this host has not got them all. */
size_t native_area(const struct native *n, uint64_t components);
/* NATIVE_MEMORY bytes, aligned to 64: what an instruction's memory operand is to be. */
uint8_t *native_memory(struct native *n);
/* Where CODE would be run: what x87 remembers of it. */
uint64_t native_code(struct native *n, const uint8_t *code, size_t len);
/*
 * Runs the instruction in the LEN bytes at CODE.  STATE, aligned to 64, is an XSAVE area in the standard form with an XSTATE_BV and
 * MXCSR that this processor takes: loaded before and stored after it, as far as COMPONENTS.  NULL: it needs none.
 */
void native_run(struct native *n, const uint8_t *code, size_t len, struct native_regs *r, uint8_t *state, uint64_t components);

#endif
