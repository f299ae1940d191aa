/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the fuzz targets share.  A target is a file with LLVMFuzzerTestOneInput() (libFuzzer, one process, one thread, one
 * input after the other); it takes its decisions from the input's bytes and asserts by libcheck's macros, as the unit
 * tests' rigs that it stands on do: a failed one aborts, so that libFuzzer keeps the input.
 */
#ifndef GV_FUZZ_FUZZ_H
#define GV_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit.h"

/* libFuzzer's side; the second is a target's own, if it has one: called once, before the first input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* What is left of an input. */
struct bytes {
	const uint8_t *p;
	size_t len;
};

/* The next SIZE bytes (1 to 8) as a little-endian number; what is missing is 0. */
uint64_t take(struct bytes *b, unsigned size);
/* The next LEN bytes, or as many as there are: *RET_LEN.  They are the input's own. */
const uint8_t *take_span(struct bytes *b, size_t len, size_t *ret_len);
/* What is before the next byte END, which is taken as well. */
const uint8_t *take_until(struct bytes *b, uint8_t end, size_t *ret_len);

/*
 * A copy of LEN bytes (GUARDED_MAX at most) behind which nothing can be read, not even by libraries that ASan does not know.  It is
 * good until the next one.
 */
#define GUARDED_MAX (64u << 10)
uint8_t *guarded(const uint8_t *p, size_t len);

/*
 * A function's answer: 0, and ERR untouched; or a -errno with the same code and one clear line in ERR, which was zero
 * before.
 */
struct err;
void check_answer(int rc, const struct err *err);

#endif
