/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compressed streams: three bytes say how much must come out, the rest is the stream. */
#include "load/decompress.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	size_t want = (size_t)take(&in, 3) + 1;
	uint8_t *copy = malloc(in.len ? in.len : 1), *out = NULL;
	struct err err = { 0 };
	int rc;

	ck_assert_ptr_nonnull(copy);
	if (in.len)
		memcpy(copy, in.p, in.len);
	decompress_format(copy, in.len);
	rc = decompress(copy, in.len, want, &out, &err);
	check_answer(rc, &err);
	ck_assert((out != NULL) == (rc == 0));
	if (out) {
		/* All of it is there. */
		volatile uint8_t sum = 0;

		for (size_t i = 0; i < want; i += 64)
			sum = (uint8_t)(sum + out[i]);
		sum = (uint8_t)(sum + out[want - 1]);
	}
	free(out);
	free(copy);
	return 0;
}
