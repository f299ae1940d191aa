/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/walk_env.h"

#include <stdio.h>
#include <string.h>

uint8_t ram[RAM_SIZE];
struct gmem *g;

void setup(void)
{
	struct gmem_region r = { .gpa = 0, .size = RAM_SIZE, .hva = ram, .slot = RAM_SLOT };

	memset(ram, 0, sizeof(ram));
	ck_assert_int_eq(gmem_new(&g, NULL), 0);
	ck_assert_int_eq(gmem_add(g, &r, NULL), 0);
}

void teardown(void)
{
	gmem_free(g);
}

void put32(uint64_t gpa, uint32_t v)
{
	memcpy(ram + gpa, &v, sizeof(v));
}

void put64(uint64_t gpa, uint64_t v)
{
	memcpy(ram + gpa, &v, sizeof(v));
}

const struct paging mode_none = { .phys_bits = 40 };
const struct paging mode_32 = { .cr0 = PG, .cr3 = 0x1000, .cr4 = PSE | PGE, .phys_bits = 40 };
const struct paging mode_pae = { .cr0 = PG, .cr3 = 0x1020, .cr4 = PAE | PGE, .efer = NXE, .phys_bits = 40 };
const struct paging mode_4 = {
	.cr0 = PG, .cr3 = 0x1000, .cr4 = PAE | PGE, .efer = LMA | NXE, .phys_bits = 40
};
const struct paging mode_5 = {
	.cr0 = PG, .cr3 = 0x1000, .cr4 = PAE | PGE | LA57, .efer = LMA | NXE, .phys_bits = 40
};

const char *rights_text(bool writable, bool user, bool executable, bool global)
{
	static char text[5];

	snprintf(text, sizeof(text), "%s%s%s%s", writable ? "w" : "", user ? "u" : "", executable ? "x" : "",
		 global ? "g" : "");
	return text;
}
