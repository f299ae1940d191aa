/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakpoint bookkeeping over plain memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "break/break.h"
#include "tests/unit.h"

#define TRAP 0xcc
#define SIZE 4096

static uint8_t ram[SIZE];
static struct gmem *gmem;
static struct break_table *t;
static struct err err;

static void setup(void)
{
	struct gmem_region r = { .gpa = 0, .size = SIZE, .hva = ram };

	for (unsigned i = 0; i < SIZE; i++)
		ram[i] = (uint8_t)(i * 7);
	ck_assert_int_eq(gmem_new(&gmem, &err), 0);
	ck_assert_int_eq(gmem_add(gmem, &r, &err), 0);
	ck_assert_int_eq(break_new(gmem, TRAP, &t, &err), 0);
}

static void teardown(void)
{
	break_free(t);
	gmem_free(gmem);
}

START_TEST(owners)
{
	struct breakpoint *b;

	ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x1100, 0x100, &err), 0);
	ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x1100, 0x100, &err), 0);
	ck_assert_int_eq(break_add(t, BREAK_OWNER_MONITOR, BREAK_SOFT, 0x1100, 0x100, &err), 0);
	b = break_find(t, BREAK_SOFT, 0x1100);
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq(b->owners, BREAK_OWNER_GDB | BREAK_OWNER_MONITOR);
	ck_assert_uint_eq(break_soft_count(t), 1);
	ck_assert_uint_eq(ram[0x100], TRAP);
	ck_assert_int_eq(break_del(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x1100, &err), 0);
	ck_assert_uint_eq(ram[0x100], TRAP);
	ck_assert_int_eq(break_del(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x1100, &err), -ENOENT);
	ck_assert_int_eq(break_del(t, BREAK_OWNER_MONITOR, BREAK_SOFT, 0x1100, &err), 0);
	ck_assert_uint_eq(ram[0x100], (uint8_t)(0x100 * 7));
	ck_assert_ptr_null(break_at(t, 0));
}
END_TEST

START_TEST(aliases_share_a_site)
{
	break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x1100, 0x100, &err);
	break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x5100, 0x100, &err);
	ck_assert_ptr_eq(break_find(t, BREAK_SOFT, 0x1100)->site, break_find(t, BREAK_SOFT, 0x5100)->site);
	break_del(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x1100, &err);
	ck_assert_uint_eq(ram[0x100], TRAP);
	ck_assert_ptr_nonnull(break_site_find(t, 0x100));
	break_del(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x5100, &err);
	ck_assert_uint_eq(ram[0x100], (uint8_t)(0x100 * 7));
	ck_assert_ptr_null(break_site_find(t, 0x100));
}
END_TEST

START_TEST(hard_ones_are_four)
{
	uint64_t hard[BREAK_HARD_MAX];

	for (uint64_t i = 0; i < BREAK_HARD_MAX; i++)
		ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, BREAK_HARD, 0x400 - i, 0, &err), 0);
	ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, BREAK_HARD, 0x500, 0, &err), -ENOSPC);
	ck_assert_int_eq(break_add(t, BREAK_OWNER_MONITOR, BREAK_HARD, 0x400, 0, &err), 0);
	/* A soft one in between is not among them. */
	ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x3ff, 0x3ff, &err), 0);
	ck_assert_uint_eq(break_hard(t, hard), BREAK_HARD_MAX);
	for (uint64_t i = 0; i < BREAK_HARD_MAX; i++)
		ck_assert_uint_eq(hard[i], 0x3fd + i);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_uint_eq(break_hard(t, hard), 1);
	ck_assert_uint_eq(break_soft_count(t), 0);
}
END_TEST

START_TEST(no_memory)
{
	ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x9000, SIZE, &err), -ENXIO);
	ck_assert_ptr_null(break_at(t, 0));
	ck_assert_ptr_null(break_site_find(t, SIZE));
}
END_TEST

START_TEST(guest_overwrites)
{
	break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x100, 0x100, &err);
	ram[0x100] = 0x90;
	break_del(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x100, &err);
	ck_assert_uint_eq(ram[0x100], 0x90);
}
END_TEST

START_TEST(reads_hide_and_writes_go_beneath)
{
	uint8_t buf[16], want[16];

	memcpy(want, ram + 0xf8, 16);
	break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x100, 0x100, &err);
	break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0xf8, 0xf8, &err);
	break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x107, 0x107, &err);
	ck_assert_uint_eq(break_read(t, 0xf8, buf, 16), 16);
	ck_assert_mem_eq(buf, want, 16);
	for (unsigned i = 0; i < 16; i++)
		want[i] = (uint8_t)(0xa0 + i);
	ck_assert_uint_eq(break_write(t, 0xf8, want, 16), 16);
	ck_assert_uint_eq(ram[0xf8], TRAP);
	ck_assert_uint_eq(ram[0x100], TRAP);
	ck_assert_uint_eq(ram[0x107], TRAP);
	ck_assert_uint_eq(ram[0x101], 0xa9);
	break_read(t, 0xf8, buf, 16);
	ck_assert_mem_eq(buf, want, 16);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_mem_eq(ram + 0xf8, want, 16);
}
END_TEST

START_TEST(access_past_the_end)
{
	uint8_t buf[16] = { 0 };

	break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, SIZE - 1, SIZE - 1, &err);
	ck_assert_uint_eq(break_read(t, SIZE - 4, buf, 16), 4);
	ck_assert_uint_eq(buf[3], (uint8_t)((SIZE - 1) * 7));
	ck_assert_uint_eq(break_write(t, SIZE - 4, buf, 16), 4);
	ck_assert_uint_eq(break_read(t, SIZE, buf, 1), 0);
	ck_assert_uint_eq(break_write(t, ~0ull, buf, 1), 0);
}
END_TEST

START_TEST(reload_rearms)
{
	break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x100, 0x100, &err);
	memset(ram, 0x55, SIZE);
	break_rearm(t);
	ck_assert_uint_eq(ram[0x100], TRAP);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_uint_eq(ram[0x100], 0x55);
}
END_TEST

START_TEST(step_over)
{
	struct break_site *s;

	break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x100, 0x100, &err);
	s = break_site_find(t, 0x100);
	break_site_set(t, s, false);
	ck_assert_uint_eq(ram[0x100], (uint8_t)(0x100 * 7));
	ram[0x100] = 0x11;      /* the instruction stepped over wrote there */
	break_site_set(t, s, true);
	ck_assert_uint_eq(ram[0x100], TRAP);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_uint_eq(ram[0x100], 0x11);
}
END_TEST

/* Traps go with their memory, leave nothing behind in it, and come back with whatever memory comes. */
START_TEST(memory_goes_and_comes)
{
	static uint8_t other[SIZE];
	struct gmem_region r = { .gpa = 0, .size = SIZE, .hva = other };
	uint8_t b;

	ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x1100, 0x100, &err), 0);
	ck_assert_int_eq(break_add(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x1200, 0x200, &err), 0);
	break_suspend(t);
	ck_assert_uint_eq(ram[0x100], (uint8_t)(0x100 * 7));
	ck_assert_uint_eq(ram[0x200], (uint8_t)(0x200 * 7));
	break_resume(t);
	ck_assert_uint_eq(ram[0x100], TRAP);

	break_suspend(t);
	gmem_remove(gmem, 0);
	break_resume(t);
	ck_assert_uint_eq(ram[0x100], (uint8_t)(0x100 * 7));
	ck_assert(!break_site_find(t, 0x100)->armed);

	/* Other memory at the same place: its own byte is what is saved. */
	other[0x100] = 0x42;
	ck_assert_int_eq(gmem_add(gmem, &r, &err), 0);
	ck_assert_uint_eq(break_read(t, 0x100, &b, 1), 1);
	ck_assert_uint_eq(b, 0x42);
	break_suspend(t);
	break_resume(t);
	ck_assert_uint_eq(other[0x100], TRAP);
	ck_assert_uint_eq(break_read(t, 0x100, &b, 1), 1);
	ck_assert_uint_eq(b, 0x42);
	ck_assert_int_eq(break_del(t, BREAK_OWNER_GDB, BREAK_SOFT, 0x1100, &err), 0);
	ck_assert_uint_eq(other[0x100], 0x42);
}
END_TEST

/* Random operations against a model: memory afterwards is what was written, whatever was set in between. */
START_TEST(random_operations)
{
	uint8_t model[SIZE], buf[64];

	memcpy(model, ram, SIZE);
	srand(4711);
	for (unsigned n = 0; n < 100000; n++) {
		uint64_t a = (uint64_t)rand() % SIZE;
		size_t len = (size_t)rand() % sizeof(buf);
		enum break_owner owner = rand() % 2 ? BREAK_OWNER_GDB : BREAK_OWNER_MONITOR;

		if (len > SIZE - a)
			len = SIZE - a;
		switch (rand() % 4) {
		case 0:
			ck_assert_int_eq(break_add(t, owner, BREAK_SOFT, a, a, &err), 0);
			break;
		case 1:
			break_del(t, owner, BREAK_SOFT, a, &err);
			break;
		case 2:
			for (size_t i = 0; i < len; i++)
				buf[i] = (uint8_t)rand();
			ck_assert_uint_eq(break_write(t, a, buf, len), len);
			memcpy(model + a, buf, len);
			break;
		case 3:
			ck_assert_uint_eq(break_read(t, a, buf, len), len);
			ck_assert_mem_eq(buf, model + a, len);
			break;
		}
	}
	break_del_all(t, BREAK_OWNER_GDB);
	break_del_all(t, BREAK_OWNER_MONITOR);
	ck_assert_mem_eq(ram, model, SIZE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("break");
	TCase *c = tcase_create("break");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, owners);
	tcase_add_test(c, aliases_share_a_site);
	tcase_add_test(c, hard_ones_are_four);
	tcase_add_test(c, no_memory);
	tcase_add_test(c, guest_overwrites);
	tcase_add_test(c, reads_hide_and_writes_go_beneath);
	tcase_add_test(c, access_past_the_end);
	tcase_add_test(c, reload_rearms);
	tcase_add_test(c, step_over);
	tcase_add_test(c, memory_goes_and_comes);
	tcase_add_test(c, random_operations);
	suite_add_tcase(s, c);
	return unit_main(s);
}
