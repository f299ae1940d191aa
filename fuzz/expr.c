/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's expressions.  The longest one, the whole text and the mere check must agree. */
#include "monitor/expr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

static int by_name(void *arg, const char *name, size_t len, uint64_t *ret, struct err *err)
{
	(void)arg;
	ck_assert_uint_gt(len, 0);
	if (name[0] == 'z')
		return err_set(err, ENOENT, "no %.*s", (int)(len < 80 ? len : 80), name);
	*ret = (uint8_t)name[0] * len;
	return 0;
}

static int by_address(void *arg, uint64_t gva, unsigned size, uint64_t *ret, struct err *err)
{
	(void)arg;
	ck_assert(size == 1 || size == 2 || size == 4 || size == 8);
	if (gva % 16 == 15)
		return err_set(err, EFAULT, "nothing at %#llx", (unsigned long long)gva);
	*ret = size == 8 ? ~gva : ~gva & ((1ull << 8 * size) - 1);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct expr_env env = { .reg = by_name, .sym = by_name, .mem = by_address };
	struct err err = { 0 }, whole_err = { 0 }, check_err = { 0 };
	size_t used = size + 1;
	uint64_t value = 1, whole = 2;
	char *text = malloc(size ? size : 1);
	int rc, whole_rc, check_rc;

	ck_assert_ptr_nonnull(text);
	if (size)
		memcpy(text, data, size);
	rc = expr_eval(text, size, 3, &env, &used, &value, &err);
	check_answer(rc, &err);
	whole_rc = expr_eval(text, size, 3, &env, NULL, &whole, &whole_err);
	check_answer(whole_rc, &whole_err);
	check_rc = expr_check(text, size, 3, &env, &check_err);
	check_answer(check_rc, &check_err);
	if (!rc)
		ck_assert_uint_le(used, size);
	if (!whole_rc) {
		ck_assert_int_eq(rc, 0);
		ck_assert_uint_eq(value, whole);
	}
	/* What is well formed is so for each of them. */
	if (!whole_rc)
		ck_assert_int_ne(check_rc, -EINVAL);
	free(text);
	return 0;
}
