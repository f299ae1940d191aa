/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/names.h"

#include <errno.h>
#include <string.h>

static int env_reg(void *arg, const char *name, size_t len, uint64_t *ret, struct err *err)
{
	struct names *names = arg;
	uint8_t value[REG_BYTES_MAX] = { 0 };
	unsigned bits;
	int id = reg_by_name(name, len, &bits), r;

	if (id < 0)
		return err_set(err, ENOENT, "there is no register $%.*s", len < 40 ? (int)len : 40, name);
	if (bits > 64)
		return err_set(err, ENOTSUP, "$%.*s has %u bits, expressions have 64: see info registers",
			       (int)len, name, bits);
	r = machine_reg_read(names->m, names->cpu, (reg_id)id, value, err);
	if (r)
		return r;
	memcpy(ret, value, sizeof(*ret));
	if (bits < 64)
		*ret &= (1ULL << bits) - 1;
	return 0;
}

static int env_sym(void *arg, const char *name, size_t len, uint64_t *ret, struct err *err)
{
	struct names *names = arg;

	if (!machine_sym_find(names->m, name, len, ret)) {
		names->symbols = true;
		return 0;
	}
	return err_set(err, ENOENT, "there is no symbol '%.*s'", len < 80 ? (int)len : 80, name);
}

static int env_mem(void *arg, uint64_t gva, unsigned size, uint64_t *ret, struct err *err)
{
	struct names *names = arg;
	uint64_t value = 0;
	struct err e = { 0 };

	if (machine_mem_read(names->m, names->cpu, gva, &value, size, &e) < size)
		return err_set(err, e.code ? e.code : EFAULT, "%s", e.msg);
	*ret = value;
	return 0;
}

struct expr_env names_env(struct names *names)
{
	return (struct expr_env){ .arg = names, .reg = env_reg, .sym = env_sym, .mem = env_mem };
}
