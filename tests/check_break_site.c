/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traps in memory: hidden from who reads it, overwritten by the guest, stepped over, and memory that goes and comes. */
#include <stdlib.h>
#include <string.h>

#include "tests/break_rig.h"
#include "tests/unit.h"

START_TEST(guest_overwrites)
{
	uint8_t b;

	set(soft(GVA + 0x100));
	ram[0x100] = 0x90;
	ck_assert_uint_eq(break_read(t, 0x100, &b, 1), 1);
	ck_assert_uint_eq(b, 0x90);
	unset(soft(GVA + 0x100));
	ck_assert_uint_eq(ram[0x100], 0x90);
}
END_TEST

/* A trap that the guest overwrote is noticed, whichever it is, and put back over the new byte. */
START_TEST(overwritten_ones_come_back)
{
	uint8_t b;

	for (unsigned i = 0; i < 1000; i++)
		set(soft(GVA + 8 * i));
	ck_assert(!break_overwritten(t, SIZE_MAX));
	ck_assert_uint_eq(break_verify(t, SIZE_MAX), 0);
	for (unsigned i = 0; i < 1000; i += 37) {
		ram[8 * i] = 0x91;
		ck_assert(break_overwritten(t, SIZE_MAX));
		ck_assert_uint_eq(break_verify(t, SIZE_MAX), 1);
		ck_assert_uint_eq(ram[8 * i], TRAP);
		break_read(t, 8 * i, &b, 1);
		ck_assert_uint_eq(b, 0x91);
	}
	/* By and by with a small budget, too. */
	ram[8 * 500] = 0x92;
	for (unsigned i = 0; !break_overwritten(t, 10); i++)
		ck_assert_uint_lt(i, 2000);
	ck_assert_uint_eq(break_verify(t, 10), 1);
	ck_assert_uint_eq(ram[8 * 500], TRAP);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_uint_eq(ram[8 * 500], 0x92);
	ck_assert_uint_eq(ram[8 * 37], 0x91);
	ck_assert_uint_eq(ram[8 * 38], original(8 * 38));
}
END_TEST

/* One that is out for a step is where it should be. */
START_TEST(a_lifted_one_is_not_overwritten)
{
	struct break_site *s;

	set(soft(GVA + 0x100));
	s = break_site_at(t, 0x100);
	break_lift(t, s);
	ck_assert_uint_eq(ram[0x100], original(0x100));
	ck_assert(!break_overwritten(t, SIZE_MAX));
	break_plant(t, s);
	ck_assert(!break_overwritten(t, SIZE_MAX));
	ram[0x100] = 0x90;
	ck_assert(break_overwritten(t, SIZE_MAX));
	break_del_all(t, BREAK_OWNER_GDB);
}
END_TEST

START_TEST(reads_hide_and_writes_go_beneath)
{
	uint8_t buf[16], want[16];

	memcpy(want, ram + 0xff8, 16);
	set(soft(GVA + 0x1000));
	set(soft(GVA + 0xff8));
	set(soft(GVA + 0x1007));
	ck_assert_uint_eq(break_read(t, 0xff8, buf, 16), 16);
	ck_assert_mem_eq(buf, want, 16);
	for (unsigned i = 0; i < 16; i++)
		want[i] = (uint8_t)(0xa0 + i);
	want[8] = TRAP;         /* a byte like ours, of a person's own, is a byte */
	ck_assert_uint_eq(break_write(t, 0xff8, want, 16), 16);
	ck_assert_uint_eq(ram[0xff8], TRAP);
	ck_assert_uint_eq(ram[0x1000], TRAP);
	ck_assert_uint_eq(ram[0x1007], TRAP);
	ck_assert_uint_eq(ram[0x1001], 0xa9);
	break_read(t, 0xff8, buf, 16);
	ck_assert_mem_eq(buf, want, 16);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_mem_eq(ram + 0xff8, want, 16);
}
END_TEST

/* The guest overwrote the trap, and then a person writes there: the last one to write is the one who is read. */
START_TEST(write_over_an_overwritten_one)
{
	uint8_t b = 0x33;

	set(soft(GVA + 0x100));
	ram[0x100] = 0x90;
	ck_assert_uint_eq(break_write(t, 0x100, &b, 1), 1);
	b = 0;
	ck_assert_uint_eq(break_read(t, 0x100, &b, 1), 1);
	ck_assert_uint_eq(b, 0x33);
	break_verify(t, SIZE_MAX);
	ck_assert_uint_eq(ram[0x100], TRAP);
	ck_assert_int_eq(unset(soft(GVA + 0x100)), 0);
	ck_assert_uint_eq(ram[0x100], 0x33);
}
END_TEST

/* What is written beneath traps counts as written, as what is written beside them does. */
START_TEST(writes_are_marked)
{
	uint64_t bits = 0;
	uint8_t b = 1;

	ck_assert_int_eq(gmem_mark(gmem, 0, &bits), 0);
	set(soft(GVA + 0x1000));
	ck_assert_uint_eq(bits, 0);
	break_write(t, 0x1000, &b, 1);
	ck_assert_uint_eq(bits, 2);
	break_write(t, 0x2000, &b, 1);
	ck_assert_uint_eq(bits, 6);
	ck_assert_int_eq(unset(soft(GVA + 0x1000)), 0);
	ck_assert_uint_eq(bits, 6);
}
END_TEST

START_TEST(access_past_the_end)
{
	uint8_t buf[16] = { 0 };

	set(soft(GVA + SIZE - 1));
	ck_assert_uint_eq(break_read(t, SIZE - 4, buf, 16), 4);
	ck_assert_uint_eq(buf[3], original(SIZE - 1));
	ck_assert_uint_eq(break_write(t, SIZE - 4, buf, 16), 4);
	ck_assert_uint_eq(break_read(t, SIZE, buf, 1), 0);
	ck_assert_uint_eq(break_write(t, ~0ull, buf, 1), 0);
}
END_TEST

START_TEST(step_over)
{
	struct break_site *s = set(soft(GVA + 0x100))->site;
	uint8_t b = 0x22;

	break_lift(t, s);
	ck_assert_uint_eq(ram[0x100], original(0x100));
	break_lift(t, s);
	ram[0x100] = 0x11;      /* the instruction stepped over wrote there */
	break_plant(t, s);
	ck_assert_uint_eq(ram[0x100], TRAP);
	break_plant(t, s);
	/* A write while it is out goes where it seems to. */
	break_lift(t, s);
	break_write(t, 0x100, &b, 1);
	ck_assert_uint_eq(ram[0x100], 0x22);
	break_plant(t, s);
	break_read(t, 0x100, &b, 1);
	ck_assert_uint_eq(b, 0x22);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_uint_eq(ram[0x100], 0x22);
}
END_TEST

/* Traps go with their memory, leave nothing behind in it, and come back with whatever memory comes. */
START_TEST(memory_goes_and_comes)
{
	static _Alignas(PAGE) uint8_t other[SIZE];
	struct breakpoint *b = set(soft(GVA + 0x100));
	uint8_t byte;

	set(soft(GVA + 0x200));
	break_suspend(t);
	ck_assert_uint_eq(ram[0x100], original(0x100));
	ck_assert_uint_eq(ram[0x200], original(0x200));
	ck_assert(!break_overwritten(t, SIZE_MAX));
	ck_assert_uint_eq(break_verify(t, SIZE_MAX), 0);
	break_resume(t);
	ck_assert_uint_eq(ram[0x100], TRAP);

	break_suspend(t);
	gmem_remove(gmem, 0);
	break_resume(t);
	ck_assert_uint_eq(ram[0x100], original(0x100));
	ck_assert_ptr_null(b->site);
	ck_assert_uint_eq(break_pending(t), 2);
	ck_assert_ptr_null(break_site_at(t, 0x100));

	/* Other memory at the same place: its own byte is what is saved. */
	break_suspend(t);
	other[0x100] = 0x42;
	add_memory(0, SIZE, other, 0);
	break_resume(t);
	ck_assert_uint_eq(other[0x100], TRAP);
	ck_assert_uint_eq(break_read(t, 0x100, &byte, 1), 1);
	ck_assert_uint_eq(byte, 0x42);

	/* The same memory at another place: it is mapped no longer where the breakpoint was found. */
	break_suspend(t);
	gmem_remove(gmem, 0);
	add_memory(0x200000, SIZE, other, 0);
	map[0][0] = 0x200000;
	break_resume(t);
	ck_assert_uint_eq(other[0x100], TRAP);
	ck_assert_uint_eq(b->gpa, 0x200100);
	ck_assert_int_eq(unset(soft(GVA + 0x100)), 0);
	ck_assert_uint_eq(other[0x100], 0x42);
}
END_TEST

static void count_page(void *arg, uint8_t *page)
{
	ck_assert_uint_eq((uintptr_t)page % PAGE, 0);
	*(unsigned *)arg |= 1u << (page - ram) / PAGE;
}

START_TEST(pages)
{
	unsigned seen = 0;

	set(soft(GVA + 0x100));
	set(soft(GVA + 0x200));
	set(soft(GVA + 0x3000));
	set(soft(GVA + 0x9000));
	break_pages(t, count_page, &seen);
	ck_assert_uint_eq(seen, 1u << 0 | 1u << 3);
	ck_assert_uint_eq(break_page_count(t), 2);
	unset(soft(GVA + 0x200));
	ck_assert_uint_eq(break_page_count(t), 2);
	unset(soft(GVA + 0x100));
	ck_assert_uint_eq(break_page_count(t), 1);
}
END_TEST

/* A trap of four bytes, as on processors whose instructions have that many. */
static struct break_trap long_trap = { 4, { 0x00, 0xdd, 0xdd, 0x00 } };

static void use_long_traps(void)
{
	break_free(t);
	ck_assert_int_eq(break_new(gmem, &long_trap, resolve, map, &t, &err), 0);
	for (unsigned i = 0; i < SIZE; i++)
		ram[i] = (uint8_t)(i * 7);
}

START_TEST(long_traps)
{
	const uint8_t data[6] = { 1, 2, 3, 4, 5, 6 };
	uint8_t was[SIZE], buf[16];

	use_long_traps();
	memcpy(was, ram, SIZE);
	set(soft(GVA + 0x100));
	ck_assert_mem_eq(ram + 0x100, long_trap.bytes, 4);
	ck_assert_mem_eq(ram + 0x104, was + 0x104, 12);
	ck_assert_ptr_nonnull(break_site_at(t, 0x100));
	/* From before it, from the middle of it, to the middle of it. */
	for (unsigned from = 0xfc; from < 0x106; from++)
		for (unsigned n = 1; n < 10; n++) {
			ck_assert_uint_eq(break_read(t, from, buf, n), n);
			ck_assert_mem_eq(buf, was + from, n);
		}
	/* Written beneath: half of it. */
	ck_assert_uint_eq(break_write(t, 0x102, data, 6), 6);
	memcpy(was + 0x102, data, 6);
	ck_assert_mem_eq(ram + 0x100, long_trap.bytes, 4);
	ck_assert_uint_eq(break_read(t, 0x100, buf, 8), 8);
	ck_assert_mem_eq(buf, was + 0x100, 8);
	/* The guest overwrites one byte of it: that is what it has then, and the trap comes back over all of it. */
	ram[0x103] = was[0x103] = 0x99;
	ck_assert(break_overwritten(t, 100));
	break_verify(t, 100);
	ck_assert(!break_overwritten(t, 100));
	ck_assert_mem_eq(ram + 0x100, long_trap.bytes, 4);
	break_lift(t, break_site_at(t, 0x100));
	ck_assert_uint_eq(ram[0x103], 0x99);
	break_plant(t, break_site_at(t, 0x100));
	unset(soft(GVA + 0x100));
	ck_assert_uint_eq(ram[0x103], 0x99);
}
END_TEST

/* Where no instruction can be none is put: it waits, and does no harm. */
START_TEST(long_traps_between)
{
	uint8_t was[SIZE];

	use_long_traps();
	memcpy(was, ram, SIZE);
	for (unsigned i = 1; i < 4; i++)
		set(soft(GVA + 0x200 + i));
	ck_assert_mem_eq(ram, was, SIZE);
	ck_assert_uint_eq(break_pending(t), 3);
	set(soft(GVA + 0x200));
	set(soft(GVA + 0x204));
	ck_assert_uint_eq(break_sites(t), 2);
	break_del_all(t, BREAK_OWNER_GDB);
	ck_assert_mem_eq(ram, was, SIZE);
}
END_TEST

/* Random operations against a model: memory afterwards is what was written, whatever was set in between. */
START_TEST(random_operations)
{
	static uint8_t model[SIZE];
	uint8_t buf[64];

	memcpy(model, ram, SIZE);
	srand(4711);
	for (unsigned n = 0; n < 50000; n++) {
		uint64_t a = (uint64_t)rand() % 0x1100;
		struct break_spec spec = soft(GVA + a);
		size_t len = (size_t)rand() % sizeof(buf);
		unsigned owner = rand() % 2 ? BREAK_OWNER_GDB : BREAK_OWNER_MONITOR;
		struct break_site *s;

		spec.space = rand() % 8 ? BREAK_ANY_SPACE : OTHER;
		switch (rand() % 8) {
		case 0:
		case 1:
			ck_assert_int_eq(break_add(t, owner, &spec, &err), 0);
			break;
		case 2:
			break_del(t, owner, &spec, &err);
			break;
		case 3:
			for (size_t i = 0; i < len; i++)
				buf[i] = (uint8_t)rand();
			ck_assert_uint_eq(break_write(t, a, buf, len), len);
			memcpy(model + a, buf, len);
			break;
		case 4:
			ck_assert_uint_eq(break_read(t, a, buf, len), len);
			ck_assert_mem_eq(buf, model + a, len);
			break;
		case 5: /* the guest; a trap byte of its own over ours is not told from ours */
			model[a] = ram[a] = (uint8_t)(rand() % 0x80);
			break;
		case 6:
			s = break_site_at(t, a);
			if (s) {
				break_lift(t, s);
				if (rand() % 2)
					model[a] = ram[a] = (uint8_t)rand();
				break_plant(t, s);
			}
			break;
		case 7:
			if (rand() % 16)
				break_verify(t, 100);
			else {
				break_suspend(t);
				ck_assert_mem_eq(ram, model, SIZE);
				break_resume(t);
			}
			break;
		}
	}
	break_del_all(t, BREAK_OWNER_GDB);
	break_del_all(t, BREAK_OWNER_MONITOR);
	ck_assert_mem_eq(ram, model, SIZE);
	ck_assert_uint_eq(break_count(t), 0);
	ck_assert_uint_eq(break_sites(t), 0);
	ck_assert_uint_eq(break_page_count(t), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("break site");
	TCase *c = tcase_create("site");

	if (page_bytes() != PAGE)
		return unit_skip_all("this host's pages have not 4096 bytes, which the test counts by");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, guest_overwrites);
	tcase_add_test(c, overwritten_ones_come_back);
	tcase_add_test(c, a_lifted_one_is_not_overwritten);
	tcase_add_test(c, reads_hide_and_writes_go_beneath);
	tcase_add_test(c, write_over_an_overwritten_one);
	tcase_add_test(c, writes_are_marked);
	tcase_add_test(c, access_past_the_end);
	tcase_add_test(c, step_over);
	tcase_add_test(c, memory_goes_and_comes);
	tcase_add_test(c, pages);
	tcase_add_test(c, long_traps);
	tcase_add_test(c, long_traps_between);
	tcase_add_test(c, random_operations);
	suite_add_tcase(s, c);
	return unit_main(s);
}
