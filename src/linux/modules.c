/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loaded modules and their symbols. */
#include <errno.h>
#include <string.h>

#include "linux/kernel.h"
#include "linux/priv.h"

#define SYM_BYTES  24u          /* of an Elf64_Sym */
#define SYM_NAME   512u         /* as long as names of symbols are in kernels */
#define AT_ONCE    64u          /* symbols read at a time */
#define TYPE_MASK  0xfu
#define TYPE_LAST  2u           /* of those with an address in the module: none, object, function */

static const char *state_name(uint64_t state)
{
	static const char *const names[] = { "live", "coming", "going", "unformed" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static bool read_module(struct kernel *k, uint64_t gva, struct kernel_module *ret)
{
	struct kernel_module m = { 0 };
	uint64_t state;

	if (!kernel_get(k, gva, MODULE_STATE, &state) || !kernel_get(k, gva, MODULE_BASE, &m.gva) ||
	    !kernel_get(k, gva, MODULE_SIZE, &m.size) ||
	    !kernel_string(k, gva + kernel_offset(k, MODULE_NAME), m.name, sizeof(m.name)))
		return false;
	m.state = state_name(state);
	m.object = gva;
	*ret = m;
	return true;
}

int kernel_modules(struct kernel *k, bool (*each)(void *arg, const struct kernel_module *m), void *arg,
		   struct err *err)
{
	struct kernel_module m;
	struct kernel_walk w;
	uint64_t head, at;
	int r;

	if (kernel_symbol(k, "modules", &head, NULL))
		return err_set(err, ENOTSUP, "this kernel is built without modules");
	r = kernel_fields(k, MODULE_LIST, MODULE_SIZE, err);
	if (r)
		return r;
	kernel_walk_begin(&w, head, KERNEL_MODULES_MAX);
	while (kernel_walk_next(k, &w, &at)) {
		if (!read_module(k, at - kernel_offset(k, MODULE_LIST), &m))
			return kernel_broken("modules", w.n - 1, err);
		if (!each(arg, &m))
			return 0;
	}
	return w.broken ? kernel_broken("modules", w.n, err) : 0;
}

struct symbol {
	uint32_t name;
	uint8_t info, other;
	uint16_t section;
	uint64_t value, size;
};

_Static_assert(sizeof(struct symbol) == SYM_BYTES, "as ELF has it");

int kernel_module_symbols(struct kernel *k, const struct kernel_module *m, size_t max,
			  bool (*each)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg,
			  struct err *err)
{
	uint64_t table, symbols, count, strings;
	struct symbol sym[AT_ONCE];
	char name[SYM_NAME];
	int r = kernel_fields(k, MODULE_KALLSYMS, KALLSYMS_STRTAB, err);

	if (r)
		return r;
	if (!kernel_get(k, m->object, MODULE_KALLSYMS, &table) || !table ||
	    !kernel_get(k, table, KALLSYMS_SYMTAB, &symbols) || !kernel_get(k, table, KALLSYMS_COUNT, &count) ||
	    !kernel_get(k, table, KALLSYMS_STRTAB, &strings) || !count)
		return err_set(err, ENOENT, "module %s has no symbols in memory", m->name);
	if (count > max)
		count = max;
	for (uint64_t i = 0, n; i < count; i += n) {
		n = count - i < AT_ONCE ? count - i : AT_ONCE;
		if (!kernel_read(k, symbols + i * SYM_BYTES, sym, (size_t)n * SYM_BYTES))
			return err_set(err, EBADMSG, "the symbols of module %s cannot be read", m->name);
		for (uint64_t j = 0; j < n; j++) {
			const struct symbol *s = &sym[j];

			if (!s->section || (s->info & TYPE_MASK) > TYPE_LAST || s->value - m->gva >= m->size ||
			    !kernel_string(k, strings + s->name, name, sizeof(name)) || !name[0] || name[0] == '$')
				continue;
			if (!each(arg, name, s->value, s->size))
				return 0;
		}
	}
	return 0;
}
