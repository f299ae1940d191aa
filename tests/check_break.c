/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bookkeeping of breakpoints over plain memory, with page tables of an array. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "break/break.h"
#include "tests/unit.h"

#define TRAP  0xcc
#define PAGES 8u
#define PAGE  4096u
#define SIZE  (PAGES * PAGE)
#define NONE  UINT64_MAX
#define OTHER 0x1000u                   /* the cr3 of a second address space */
#define GVA   0x400000u                 /* gvas of the first: pages 0x400 to 0x40f */

static _Alignas(PAGE) uint8_t ram[SIZE];
static uint64_t map[2][16];             /* a page's gpa, in either space; NONE */
static unsigned asked;
static struct gmem *gmem;
static struct break_table *t;
static struct err err;

static uint8_t original(uint64_t gpa)
{
	return (uint8_t)(gpa * 7);      /* never TRAP in the bytes used here */
}

static bool resolve(void *arg, const struct break_spec *spec, uint64_t *ret)
{
	uint64_t page = (spec->gva - GVA) / PAGE, *p = map[spec->space == OTHER];

	ck_assert_ptr_eq(arg, map);
	asked++;
	if (spec->gva < GVA || page >= 16 || p[page] == NONE)
		return false;
	*ret = p[page] + spec->gva % PAGE;
	return true;
}

static void add_memory(uint64_t gpa, uint64_t size, uint8_t *hva, int slot)
{
	struct gmem_region r = { .gpa = gpa, .size = size, .hva = hva, .slot = slot };

	ck_assert_msg(gmem_add(gmem, &r, &err) == 0, "%s", err.msg);
}

static void start(break_resolve_fn *fn)
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

static void setup(void)
{
	start(resolve);
}

static void setup_flat(void)
{
	start(NULL);
}

static void teardown(void)
{
	break_free(t);
	gmem_free(gmem);
}

static struct break_spec soft(uint64_t gva)
{
	return (struct break_spec){ .kind = BREAK_SOFT, .gva = gva, .space = BREAK_ANY_SPACE };
}

static struct break_spec hard(uint64_t gva)
{
	return (struct break_spec){ .kind = BREAK_HARD, .gva = gva, .space = BREAK_ANY_SPACE };
}

static struct breakpoint *set(struct break_spec spec)
{
	ck_assert_msg(break_add(t, BREAK_OWNER_GDB, &spec, &err) == 0, "%s", err.msg);
	return break_find(t, &spec);
}

static int unset(struct break_spec spec)
{
	return break_del(t, BREAK_OWNER_GDB, &spec, &err);
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

/* Random operations against a model: memory afterwards is what was written, whatever was set in between. */
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
	tcase_add_test(c, guest_overwrites);
	tcase_add_test(c, overwritten_ones_come_back);
	tcase_add_test(c, a_lifted_one_is_not_overwritten);
	tcase_add_test(c, reads_hide_and_writes_go_beneath);
	tcase_add_test(c, write_over_an_overwritten_one);
	tcase_add_test(c, writes_are_marked);
	tcase_add_test(c, access_past_the_end);
	tcase_add_test(c, step_over);
	tcase_add_test(c, memory_goes_and_comes);
	tcase_add_test(c, rom_is_left_alone);
	tcase_add_test(c, pages);
	tcase_add_test(c, long_traps);
	tcase_add_test(c, long_traps_between);
	tcase_add_test(c, random_operations);
	suite_add_tcase(s, c);
	tcase_add_checked_fixture(many, setup_flat, teardown);
	tcase_set_timeout(many, 120);
	tcase_set_tags(many, "long");          /* neither under valgrind nor under qemu-user */
	tcase_add_test(many, a_million);
	suite_add_tcase(s, many);
	return unit_main(s);
}
