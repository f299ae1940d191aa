/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/regbits.h"

#include <string.h>

#include "api/arch.h"

const struct reg_bits *reg_bits_at(size_t i)
{
	return i < arch_desc.nbits ? &arch_desc.bits[i] : NULL;
}

const struct reg_bits *reg_bits_of(const char *type)
{
	for (size_t i = 0; i < arch_desc.nbits; i++)
		if (!strcmp(arch_desc.bits[i].type, type))
			return &arch_desc.bits[i];
	return NULL;
}
