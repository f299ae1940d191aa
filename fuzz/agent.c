/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Agent expressions: what agent_verify() passes is evaluated, on memory and variables made up of addresses.  Code has a
 * length of its own on the heap, so that a byte read behind it is seen.
 */
#include "gdbstub/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

static uint64_t vars[4];

static int give_reg(void *arg, unsigned num, uint64_t *ret, struct err *err)
{
	(void)arg;
	if (num >= 100)
		return err_set(err, EINVAL, "no register %u", num);
	*ret = num * 0x0101010101010101u;
	return 0;
}

static int give_mem(void *arg, uint64_t gva, void *ret, size_t len, struct err *err)
{
	uint8_t *p = ret;

	(void)arg;
	if (gva >= 0x10000 || len > 0x10000 - gva)
		return err_set(err, EFAULT, "no memory at %#llx", (unsigned long long)gva);
	for (size_t i = 0; i < len; i++)
		p[i] = (gva + i) % 16 ? (uint8_t)('a' + (gva + i) % 7) : 0;
	return 0;
}

static int give_var(void *arg, unsigned num, uint64_t *ret, struct err *err)
{
	(void)arg;
	if (num >= sizeof(vars) / sizeof(vars[0]))
		return err_set(err, EINVAL, "no variable %u", num);
	*ret = vars[num];
	return 0;
}

static int take_var(void *arg, unsigned num, uint64_t value, struct err *err)
{
	(void)arg;
	if (num >= sizeof(vars) / sizeof(vars[0]))
		return err_set(err, EINVAL, "no variable %u", num);
	vars[num] = value;
	return 0;
}

static void take_text(void *arg, const char *text, size_t len)
{
	(void)arg;
	ck_assert_uint_le(len, AGENT_PRINT_MAX);
	ck_assert_ptr_nonnull(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct agent_env env = {
		.reg = give_reg, .mem = give_mem, .var_get = give_var, .var_set = take_var, .print = take_text,
	};
	struct err err = { 0 };
	bool value = size && data[0] & 1;
	size_t len = size ? size - 1 : 0;
	uint8_t *code = malloc(len ? len : 1);
	uint64_t result = 0;
	int rc;

	ck_assert_ptr_nonnull(code);
	if (len)
		memcpy(code, data + 1, len);
	memset(vars, 0, sizeof(vars));
	rc = agent_verify(code, len, value, &err);
	check_answer(rc, &err);
	if (!rc) {
		rc = agent_eval(code, len, &env, &result, &err);
		check_answer(rc, &err);
	}
	free(code);
	return 0;
}
