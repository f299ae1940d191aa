/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A vCPU's stack, as what looks like calls in it.  Loop thread, every vCPU parked. */
#ifndef GV_MONITOR_STACK_H
#define GV_MONITOR_STACK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/machine.h"
#include "api/out.h"

#define STACK_FRAMES_MAX        128

struct stack_frame {
	uint64_t pc;            /* where the vCPU is, or where a call returns to */
	uint64_t at;            /* gva where that stands; 0 for the innermost */
	bool guessed;           /* a word that looks like it, among others: no frame pointer led there */
};

/* Where a stack begins as its code addresses it: offsets, which wrap in MASK, from BASE. */
struct stack_top {
	uint64_t base, mask, sp;        /* gva; bits; offset */
	unsigned width;                 /* bytes of a word */
};

/*
 * Follows the frame pointers of vCPU CPU, innermost frame first, as long as they lead upwards to places behind calls.  Where they
 * lead nowhere, every word of the stack's next 4 KiB that stands for a place behind a call counts, guessed.  Fills up to MAX of
 * RET and returns how many, at least 1; 0: the vCPU cannot be looked at.
 */
size_t stack_walk(struct machine *m, unsigned cpu, struct stack_frame *ret, size_t max);

/* An array of the COUNT words from the stack pointer on, or fewer: {"at": gva, "address": value, "symbol": ...}; NULL as above. */
json_t *stack_words(struct machine *m, unsigned cpu, unsigned count);
void stack_render_words(const json_t *words, struct out *o);

/* The gva of OFFSET in the stack that *S is of. */
static inline uint64_t stack_address(const struct stack_top *s, uint64_t offset)
{
	return s->base + (offset & s->mask);
}

/* The word at OFFSET; false: it cannot be read. */
bool stack_word(struct machine *m, unsigned cpu, const struct stack_top *s, uint64_t offset, uint64_t *ret);

#endif
