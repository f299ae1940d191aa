/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a bzImage's own code jumps, in a file that nothing is readable behind: all of what is found is inside. */
#include "linux/unpack.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unpacker u = { 0 };
	struct err err = { 0 };
	const uint8_t *file = guarded(data, size);
	int rc;

	rc = unpacker_find(file, size, &u, &err);
	check_answer(rc, &err);
	if (!rc) {
		ck_assert(u.code >= file && u.size == size - (size_t)(u.code - file));
		/* A jump by a register is at least two bytes, the first two of which are in the file. */
		ck_assert_uint_lt(u.jump + 1u, u.size);
		ck_assert_uint_lt(u.start + 1u, u.size);
		ck_assert_uint_lt(u.copied, u.size);
		ck_assert_uint_ge(u.start, u.copied);
		ck_assert(u.jump_gpr < INSN_GPRS && u.start_gpr < INSN_GPRS);
	} else {
		ck_assert_ptr_null(u.code);
	}
	return 0;
}
