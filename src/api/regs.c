/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/regs.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "api/arch.h"

unsigned reg_num_count(unsigned l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < arch_desc.nregs; i++)
		n += arch_desc.regs[i].view[l].name != NULL;
	return n;
}

unsigned reg_g_count(unsigned l)
{
	return arch_desc.g_count[l];
}

int reg_by_num(unsigned l, unsigned num)
{
	const struct reg_info *regs = arch_desc.regs;

	/* Rows are nearly in numeric order in all layouts: look there first. */
	if (num < arch_desc.nregs && regs[num].view[l].num == (int)num)
		return (int)num;
	for (unsigned i = 0; i < arch_desc.nregs; i++)
		if (regs[i].view[l].name && regs[i].view[l].num == (int)num)
			return (int)i;
	return -1;
}

static bool same_name(const char *a, const char *name, size_t len)
{
	return a && strlen(a) == len && !strncasecmp(a, name, len);
}

int reg_by_name(const char *name, size_t len, unsigned *ret_bits)
{
	unsigned bits = 0;
	int id = -1;

	for (unsigned l = 0; l < arch_desc.nlayouts && id < 0; l++)
		for (unsigned i = 0; i < arch_desc.nregs && id < 0; i++)
			if (same_name(arch_desc.regs[i].view[l].name, name, len)) {
				id = (int)i;
				bits = arch_desc.regs[i].view[l].bits;
			}
	for (size_t i = 0; i < arch_desc.naliases && id < 0; i++)
		if (same_name(arch_desc.aliases[i].name, name, len)) {
			id = (int)arch_desc.aliases[i].reg;
			bits = arch_desc.aliases[i].bits;
		}
	if (id >= 0 && ret_bits)
		*ret_bits = bits;
	return id;
}
