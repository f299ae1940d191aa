/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/break_rig.h"

#include "tests/unit.h"

_Alignas(PAGE) uint8_t ram[SIZE];
uint64_t map[2][16];
unsigned asked;
struct gmem *gmem;
struct break_table *t;
struct err err;

uint8_t original(uint64_t gpa)
{
	return (uint8_t)(gpa * 7);      /* never TRAP in the bytes used here */
}

bool resolve(void *arg, const struct break_spec *spec, uint64_t *ret)
{
	uint64_t page = (spec->gva - GVA) / PAGE, *p = map[spec->space == OTHER];

	ck_assert_ptr_eq(arg, map);
	asked++;
	if (spec->gva < GVA || page >= 16 || p[page] == NONE)
		return false;
	*ret = p[page] + spec->gva % PAGE;
	return true;
}

void add_memory(uint64_t gpa, uint64_t size, uint8_t *hva, int slot)
{
	struct gmem_region r = { .gpa = gpa, .size = size, .hva = hva, .slot = slot };

	ck_assert_msg(gmem_add(gmem, &r, &err) == 0, "%s", err.msg);
}

void start(break_resolve_fn *fn)
{
	for (unsigned i = 0; i < SIZE; i++)
		ram[i] = original(i);
	for (unsigned i = 0; i < 16; i++)
		map[0][i] = map[1][i] = i < PAGES ? i * PAGE : NONE;
	asked = 0;
	ck_assert_int_eq(gmem_new(&gmem, &err), 0);
	add_memory(0, SIZE, ram, 0);
	ck_assert_int_eq(break_new(gmem, &(struct break_trap){ 1, { TRAP } }, fn, map, &t, &err), 0);
}

void setup(void)
{
	start(resolve);
}

void teardown(void)
{
	break_free(t);
	gmem_free(gmem);
}

struct break_spec soft(uint64_t gva)
{
	return (struct break_spec){ .kind = BREAK_SOFT, .gva = gva, .space = BREAK_ANY_SPACE };
}

struct breakpoint *set(struct break_spec spec)
{
	ck_assert_msg(break_add(t, BREAK_OWNER_GDB, &spec, &err) == 0, "%s", err.msg);
	return break_find(t, &spec);
}

int unset(struct break_spec spec)
{
	return break_del(t, BREAK_OWNER_GDB, &spec, &err);
}
