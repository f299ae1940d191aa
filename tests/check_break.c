/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which breakpoints there are: whose, where their addresses lead, and who gets a debug register. */
#include <errno.h>
#include <time.h>

#include "tests/break_rig.h"
#include "tests/unit.h"

static void setup_flat(void)
{
	start(NULL);
}

static struct break_spec hard(uint64_t gva)
{
	return (struct break_spec){ .kind = BREAK_HARD, .gva = gva, .space = BREAK_ANY_SPACE };
}

START_TEST(owners)
{
	struct break_spec spec = soft(GVA + 0x100);
	struct breakpoint *b;

	ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, &spec, &err), 0);
	ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, &spec, &err), 0);
	ck_assert_int_eq(break_add(t, BREAK_OWNER_MONITOR, &spec, &err), 0);
	b = break_find(t, &spec);
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq(b->owners, BREAK_OWNER_GDB | BREAK_OWNER_MONITOR);
	ck_assert_uint_eq(break_count(t), 1);
	ck_assert_uint_eq(ram[0x100], TRAP);
	ck_assert_int_eq(break_del(t, BREAK_OWNER_GDB, &spec, &err), 0);
	ck_assert_uint_eq(ram[0x100], TRAP);
	ck_assert_int_eq(break_del(t, BREAK_OWNER_GDB, &spec, &err), -ENOENT);
	ck_assert_int_eq(break_del(t, BREAK_OWNER_MONITOR, &spec, &err), 0);
	ck_assert_uint_eq(ram[0x100], original(0x100));
	ck_assert_ptr_null(break_at(t, 0));
	ck_assert_uint_eq(break_sites(t), 0);
	ck_assert_uint_eq(break_page_count(t), 0);
}
END_TEST

static void remap_readonly(bool on)
{
	struct gmem_region r = { .gpa = 0, .size = SIZE, .hva = ram, .slot = 0, .readonly = on };

	break_suspend(t);
	ck_assert_int_eq(gmem_remove(gmem, 0), 0);
	ck_assert_int_eq(gmem_add(gmem, &r, &err), 0);
	break_resume(t);
}

/* Firmware in ROM copies itself: no trap goes there as long as debug registers can do it. */
START_TEST(rom_is_left_alone)
{
	struct breakpoint *regs[BREAK_REGISTERS], *b;

	remap_readonly(true);
	b = set(soft(GVA + 0x100));
	ck_assert(b->in_rom);
	ck_assert_uint_eq(b->gpa, 0x100);
	ck_assert_uint_eq(ram[0x100], original(0x100));
	ck_assert_uint_eq(break_registers(t, BREAK_REGISTERS, regs), 1);
	ck_assert_ptr_eq(regs[0], b);
	/* Looked for again at every start, it stays so. */
	ck_assert_uint_eq(break_resolve(t, 100), 0);
	ck_assert(b->in_rom);
	for (unsigned i = 1; i < BREAK_REGISTERS; i++)
		set(hard(GVA + 0x200 + i));
	ck_assert_uint_eq(break_resolve(t, 100), 0);
	/* Where there are more, the last is set the other way. */
	set(soft(GVA + 0x300));
	ck_assert_uint_eq(ram[0x300], TRAP);
	ck_assert_uint_eq(ram[0x100], original(0x100));
	unset(soft(GVA + 0x300));
	ck_assert_uint_eq(ram[0x300], original(0x300));
	/* Registers that are taken for data are none for it. */
	for (unsigned i = 1; i < BREAK_REGISTERS; i++)
		unset(hard(GVA + 0x200 + i));
	break_have_registers(t, 0);
	ck_assert_uint_eq(break_resolve(t, 100), 1);
	ck_assert(!b->in_rom);
	ck_assert_uint_eq(ram[0x100], TRAP);
	break_have_registers(t, BREAK_REGISTERS);
	/* As RAM it is like any other. */
	remap_readonly(false);
	ck_assert(!b->in_rom);
	ck_assert_uint_eq(ram[0x100], TRAP);
	ck_assert_int_eq(unset(soft(GVA + 0x100)), 0);
	ck_assert_uint_eq(ram[0x100], original(0x100));
}
END_TEST

START_TEST(listed_in_order_without_what_is_ours)
{
	struct break_spec hidden = soft(GVA + 0x180);

	set(soft(GVA + 0x300));
	set(hard(GVA + 0x200));
	set(soft(GVA + 0x9000));
	set(soft(GVA + 0x100));
	ck_assert_int_eq(break_add(t, BREAK_OWNER_CATCH, &hidden, &err), 0);
	ck_assert_uint_eq(ram[0x180], TRAP);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(break_at(t, i)->spec.gva, GVA + (i < 3 ? 0x100 * (i + 1) : 0x9000));
	ck_assert_ptr_null(break_at(t, 4));
	/* Somebody's as well: then it is listed. */
	set(hidden);
	ck_assert_uint_eq(break_at(t, 1)->spec.gva, GVA + 0x180);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_ptr_null(break_at(t, 0));
	ck_assert_uint_eq(ram[0x180], TRAP);
	ck_assert_uint_eq(ram[0x100], original(0x100));
	ck_assert_int_eq(break_del(t, BREAK_OWNER_CATCH, &hidden, &err), 0);
	ck_assert_mem_eq(&ram[0x180], &(uint8_t){ original(0x180) }, 1);
}
END_TEST

/* One byte by several addresses: through page tables, through another slot, and in another space. */
START_TEST(aliases_share_a_site)
{
	struct break_spec there = { .kind = BREAK_SOFT, .gva = GVA + 0x3100, .space = OTHER };
	struct breakpoint *a, *b, *c, *d;

	add_memory(0x100000, PAGE, ram, 1);
	map[0][9] = 0;
	map[0][10] = 0x100000;
	map[1][3] = 0;
	a = set(soft(GVA + 0x100));
	b = set(soft(GVA + 0x9100));
	c = set(soft(GVA + 0xa100));
	d = set(there);
	ck_assert(a->site && a->site == b->site && a->site == c->site && a->site == d->site);
	ck_assert_uint_eq(break_sites(t), 1);
	ck_assert_ptr_eq(break_site_at(t, 0x100), a->site);
	ck_assert_ptr_eq(break_site_at(t, 0x100100), a->site);
	ck_assert_ptr_null(break_site_at(t, 0x101));
	ck_assert_uint_eq(unset(soft(GVA + 0x100)), 0);
	ck_assert_uint_eq(unset(soft(GVA + 0xa100)), 0);
	ck_assert_uint_eq(unset(there), 0);
	ck_assert_uint_eq(ram[0x100], TRAP);
	ck_assert_uint_eq(unset(soft(GVA + 0x9100)), 0);
	ck_assert_uint_eq(ram[0x100], original(0x100));
	ck_assert_ptr_null(break_site_at(t, 0x100));
}
END_TEST

/* The same address in two spaces is two breakpoints, on two bytes. */
START_TEST(spaces)
{
	struct break_spec here = soft(GVA + 0x100), there = here;
	unsigned n = 0;

	there.space = OTHER;
	map[1][0] = 0x2000;
	ck_assert_uint_eq(set(here)->gpa, 0x100);
	ck_assert_uint_eq(set(there)->gpa, 0x2100);
	ck_assert_ptr_ne(break_find(t, &here), break_find(t, &there));
	for (struct breakpoint *b = break_first(t, GVA + 0x100); b; b = break_next(b))
		n++;
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(ram[0x100], TRAP);
	ck_assert_uint_eq(ram[0x2100], TRAP);
	ck_assert_int_eq(unset(here), 0);
	ck_assert_uint_eq(ram[0x100], original(0x100));
	ck_assert_uint_eq(ram[0x2100], TRAP);
	ck_assert_ptr_null(break_find(t, &here));
	there.cpu = 5;          /* is no part of what it is */
	ck_assert_int_eq(unset(there), 0);
}
END_TEST

START_TEST(hard_ones_are_four)
{
	struct break_spec spec = hard(GVA + 0x500);

	for (unsigned i = 0; i < BREAK_REGISTERS; i++)
		ck_assert_ptr_null(set(hard(GVA + 0x400 - i))->site);
	ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, &spec, &err), -ENOSPC);
	ck_assert_ptr_null(break_find(t, &spec));
	spec = hard(GVA + 0x400);
	ck_assert_int_eq(break_add(t, BREAK_OWNER_MONITOR, &spec, &err), 0);
	ck_assert_uint_eq(ram[0x400], original(0x400));
	ck_assert_uint_eq(break_sites(t), 0);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_uint_eq(break_count(t), 1);
}
END_TEST

/* Who gets the debug registers: hard ones, then pending ones, then those set last; one an address. */
START_TEST(registers)
{
	struct breakpoint *got[BREAK_REGISTERS];
	uint64_t g = break_generation(t);

	ck_assert_uint_eq(break_registers(t, 4, got), 0);
	for (unsigned i = 0; i < 6; i++)
		set(soft(GVA + 0x10 * i));
	ck_assert_uint_ne(break_generation(t), g);
	ck_assert_uint_eq(break_registers(t, 4, got), 4);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(got[i]->spec.gva, GVA + 0x50 - 0x10 * i);
	set(soft(GVA + 0x9000));
	set(hard(GVA + 0x20));
	g = break_generation(t);
	ck_assert_uint_eq(break_registers(t, 4, got), 4);
	ck_assert_uint_eq(got[0]->spec.gva, GVA + 0x20);
	ck_assert_uint_eq(got[0]->spec.kind, BREAK_HARD);
	ck_assert_uint_eq(got[1]->spec.gva, GVA + 0x9000);
	ck_assert_uint_eq(got[2]->spec.gva, GVA + 0x50);
	ck_assert_uint_eq(got[3]->spec.gva, GVA + 0x40);
	set(hard(GVA + 0x40));
	ck_assert_uint_eq(break_registers(t, 4, got), 4);
	ck_assert_uint_eq(got[3]->spec.gva, GVA + 0x50);
	ck_assert_uint_eq(break_registers(t, 2, got), 2);
	ck_assert_int_eq(unset(soft(GVA + 0x50)), 0);
	ck_assert_uint_ne(break_generation(t), g);
	ck_assert_uint_eq(break_registers(t, 4, got), 4);
	ck_assert_uint_eq(got[3]->spec.gva, GVA + 0x30);
}
END_TEST

/* Without a mapping, and mapped to where no memory is: each waits, and is found when there is some. */
START_TEST(pending)
{
	struct breakpoint *a = set(soft(GVA + 0x9123)), *b, *c = set(soft(0x10)), *d = set(soft(UINT64_MAX));

	map[0][10] = SIZE;
	b = set(soft(GVA + 0xa123));
	ck_assert(!a->site && !b->site && !c->site && !d->site);
	ck_assert_uint_eq(break_pending(t), 4);
	ck_assert_uint_eq(break_resolve(t, SIZE_MAX), 0);
	map[0][9] = 0x1000;
	ck_assert_uint_eq(break_resolve(t, SIZE_MAX), 1);
	ck_assert_ptr_nonnull(a->site);
	ck_assert_uint_eq(a->gpa, 0x1123);
	ck_assert_uint_eq(ram[0x1123], TRAP);
	/* Mapped to other memory by the time there is some at all. */
	map[0][10] = 0x2000;
	ck_assert_uint_eq(break_resolve(t, SIZE_MAX), 1);
	ck_assert_uint_eq(b->gpa, 0x2123);
	ck_assert_uint_eq(break_pending(t), 2);
	ck_assert_int_eq(unset(soft(GVA + 0x9123)), 0);
	ck_assert_int_eq(unset(soft(0x10)), 0);
	ck_assert_uint_eq(ram[0x1123], original(0x1123));
	ck_assert_uint_eq(break_pending(t), 1);
}
END_TEST

/* However few are tried at a time, each has its turn. */
START_TEST(pending_take_turns)
{
	for (unsigned i = 0; i < 10; i++)
		set(soft(GVA + 0x9000 + i));
	map[0][9] = 0;
	asked = 0;
	for (unsigned i = 0; i < 5; i++)
		ck_assert_uint_eq(break_resolve(t, 2), 2);
	ck_assert_uint_eq(asked, 10);
	ck_assert_uint_eq(break_pending(t), 0);
	/* Those that are not found do not stand in the way of one that is. */
	for (unsigned i = 0; i < 10; i++)
		set(soft(GVA + 0xb000 + i));
	set(soft(GVA + 0xa000));
	map[0][10] = 0x1000;
	for (unsigned i = 0; break_pending(t) == 11; i++) {
		break_resolve(t, 2);
		ck_assert_uint_lt(i, 6);
	}
	ck_assert_uint_eq(ram[0x1000], TRAP);
}
END_TEST

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A million, over as much memory as there is, the others pending: no step of it grows with how many there are. */
START_TEST(a_million)
{
	const unsigned n = 1000000;
	double from = seconds();

	for (unsigned i = 0; i < n; i++)
		set(soft(i));
	ck_assert_uint_eq(break_count(t), n);
	ck_assert_uint_eq(break_sites(t), SIZE);
	ck_assert_uint_eq(break_pending(t), n - SIZE);
	for (unsigned i = 0; i < n; i++)
		ck_assert_uint_eq(break_at(t, i)->spec.gva, i);
	for (unsigned i = 0; i < n; i += 2)
		ck_assert_int_eq(unset(soft(i)), 0);
	ck_assert_uint_eq(break_count(t), n / 2);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_uint_eq(break_count(t), 0);
	for (unsigned i = 0; i < SIZE; i++)
		ck_assert_uint_eq(ram[i], original(i));
	/* Here it takes one; anything quadratic takes days. */
	ck_assert_msg(seconds() - from < 60, "a million breakpoints took %.0f seconds", seconds() - from);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("break");
	TCase *c = tcase_create("break"), *many = tcase_create("many");

	if (page_bytes() != PAGE)
		return unit_skip_all("this host's pages have not 4096 bytes, which the test counts by");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, owners);
	tcase_add_test(c, listed_in_order_without_what_is_ours);
	tcase_add_test(c, aliases_share_a_site);
	tcase_add_test(c, spaces);
	tcase_add_test(c, hard_ones_are_four);
	tcase_add_test(c, registers);
	tcase_add_test(c, pending);
	tcase_add_test(c, pending_take_turns);
	tcase_add_test(c, rom_is_left_alone);
	suite_add_tcase(s, c);
	tcase_add_checked_fixture(many, setup_flat, teardown);
	tcase_set_timeout(many, 120);
	tcase_set_tags(many, "long");          /* neither under valgrind nor under qemu-user */
	tcase_add_test(many, a_million);
	suite_add_tcase(s, many);
	return unit_main(s);
}
