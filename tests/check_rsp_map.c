/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory map: qXfer:memory-map. */
#include <stdio.h>
#include <string.h>

#include "tests/rsp_rig.h"
#include "tests/unit.h"

#define HEAD "l<?xml version=\"1.0\"?>\n" \
	     "<!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" " \
	     "\"http://sourceware.org/gdb/gdb-memory-map.dtd\">\n<memory-map>\n"
#define TAIL "</memory-map>\n"
#define RAM(start, length) "<memory type=\"ram\" start=\"" start "\" length=\"" length "\"/>\n"
#define ROM(start, length) "<memory type=\"rom\" start=\"" start "\" length=\"" length "\"/>\n"
#define ALL_RAM HEAD RAM("0x0", "0x8000000000000000") RAM("0x8000000000000000", "0x8000000000000000") TAIL

static const struct fake_config two_cpus = { .cpus = 2 };
static struct rig r;

static void setup(void)
{
	rig_open(&r, &two_cpus);
}

static void teardown(void)
{
	rig_close(&r);
}

static void map_is(const char *want)
{
	const char *got = rig_ask(&r, "qXfer:memory-map:read::0,1000");

	ck_assert_msg(!strcmp(got, want), "got %s\nnot %s", got, want);
	ck_assert_uint_eq(r.f->holds, 0);
}

static void set_readonly(unsigned id, bool readonly)
{
	struct err err;

	ck_assert_int_eq(machine_slot_flags(&r.f->machine, id, NULL, &readonly, &err), 0);
}

START_TEST(read_only_slots_are_rom)
{
	map_is(HEAD RAM("0x0", "0xffff0000") ROM("0xffff0000", "0x10000") RAM("0x100000000", "0xffffffff00000000") TAIL);
	set_readonly(1, false);
	map_is(ALL_RAM);
	set_readonly(0, true);
	map_is(HEAD ROM("0x0", "0x100000") RAM("0x100000", "0xfffffffffff00000") TAIL);
}
END_TEST

START_TEST(neighbours)
{
	const struct slot_spec spec = { .id = 7, .gpa = 0x100000, .size = 0x3000, .readonly = true };
	struct slot_note note;
	struct err err;

	set_readonly(0, true);
	set_readonly(1, false);
	ck_assert_int_eq(machine_slot_add(&r.f->machine, &spec, &note, &err), 0);
	map_is(HEAD ROM("0x0", "0x100000") ROM("0x100000", "0x3000") RAM("0x103000", "0xffffffffffefd000") TAIL);
}
END_TEST

/* With paging on, a linear address says nothing of a slot; one vCPU is enough. */
START_TEST(paging_makes_all_ram)
{
	fake_set_reg(r.f, 1, X86_CR0, 0x80000001);
	map_is(ALL_RAM);
	fake_set_reg(r.f, 1, X86_CR0, 0x00000001);
	fake_set_reg(r.f, 0, X86_CR0, 0x80000001);
	map_is(ALL_RAM);
	fake_set_reg(r.f, 0, X86_CR0, 0x00000001);
	map_is(HEAD RAM("0x0", "0xffff0000") ROM("0xffff0000", "0x10000") RAM("0x100000000", "0xffffffff00000000") TAIL);
}
END_TEST

START_TEST(what_cannot_be_held_is_ram)
{
	r.f->fail_hold = 110;
	map_is(ALL_RAM);
}
END_TEST

/* A document stays what it was at offset 0, whatever becomes of the slots. */
START_TEST(pieces_fit_together)
{
	char whole[4096] = "", request[64];
	size_t n = 0;

	set_readonly(1, false);
	for (;;) {
		const char *got;

		snprintf(request, sizeof(request), "qXfer:memory-map:read::%zx,25", n);
		got = rig_ask(&r, request);
		ck_assert(got[0] == 'm' || got[0] == 'l');
		ck_assert_uint_lt(n + strlen(got), sizeof(whole));
		strcpy(whole + n, got + 1);
		n += strlen(got + 1);
		set_readonly(0, true);
		if (got[0] == 'l')
			break;
	}
	ck_assert_str_eq(whole, ALL_RAM + 1);
}
END_TEST

START_TEST(malformed)
{
	static const char *const bad[] = {
		"qXfer:memory-map:read", "qXfer:memory-map:read:", "qXfer:memory-map:read::0", "qXfer:memory-map:read::0,",
		"qXfer:memory-map:read::x,1", "qXfer:memory-map:read::0,1x", "qXfer:memory-map:read::ffff,1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!strcmp(rig_ask(&r, bad[i]), "E16"), "%s: %s", bad[i], rig_ask(&r, bad[i]));
	ck_assert_str_eq(rig_ask(&r, "qXfer:memory-map:read:other:0,10"), "E02");
	ck_assert_str_eq(rig_ask(&r, "qXfer:memory-map:write::0:aa"), "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rsp_map");
	TCase *t = tcase_create("rsp_map");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, read_only_slots_are_rom);
	tcase_add_test(t, neighbours);
	tcase_add_test(t, paging_makes_all_ram);
	tcase_add_test(t, what_cannot_be_held_is_ram);
	tcase_add_test(t, pieces_fit_together);
	tcase_add_test(t, malformed);
	suite_add_tcase(s, t);
	return unit_main(s);
}
