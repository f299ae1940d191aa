/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `backtrace`, and what is shown of a guest that died, against a fake machine. */
#include <errno.h>
#include <string.h>

#include "tests/monitor_rig.h"
#include "tests/unit.h"

#define STACK   0x8000u

static struct rig rig;

static void set_up(void)
{
	rig_init(&rig, &rig_long64, false);
}

static void tear_down(void)
{
	rig_done(&rig);
}

static void set_reg(reg_id reg, uint64_t value)
{
	uint8_t bytes[REG_BYTES_MAX] = { 0 };

	memcpy(bytes, &value, sizeof(value));
	ck_assert_int_eq(machine_reg_write(&rig.f->machine, 0, reg, bytes, NULL), 0);
}

static void put(uint64_t gva, uint64_t value, size_t size)
{
	ck_assert_uint_eq(machine_mem_write(&rig.f->machine, 0, gva, &value, size, NULL), size);
}

/* A call that ends at GVA: `call` with a displacement of nothing, or through a register. */
static void call_before(uint64_t gva, bool through_register)
{
	put(gva - (through_register ? 2 : 5), through_register ? 0xd0ff : 0xe8, through_register ? 2 : 5);
}

/* _start+0x20 called main+5, which called main+9, where the frames of both are set up. */
static void two_calls(void)
{
	call_before(0x1009, true);
	call_before(0x1018, false);
	set_reg(X86_RIP, 0x1012);
	set_reg(X86_RSP, STACK);
	set_reg(X86_RBP, STACK + 0x10);
	put(STACK + 0x10, STACK + 0x40, 8);
	put(STACK + 0x18, 0x1018, 8);
	put(STACK + 0x40, 0, 8);
	put(STACK + 0x48, 0x1009, 8);
}

START_TEST(frame_pointers)
{
	two_calls();
	/* A word that only looks like it. */
	put(STACK + 8, 0x1018, 8);
	ck_assert_str_eq(rig_ok(&rig, "backtrace"), "#0    0x1012 <main+2>\n#1    0x1018 <main+8>\n#2    0x1009 <_start+9>\n");
	ck_assert_str_eq(rig_ok(&rig, "bt 2"), "#0    0x1012 <main+2>\n#1    0x1018 <main+8>\n");
	rig_has(rig_ok(&rig, "bt -j"), "\"level\":1,\"at\":\"0x8018\"");
}
END_TEST

/* A chain that leads to itself, downwards, or out of memory ends. */
START_TEST(bad_frame_pointers)
{
	two_calls();
	put(STACK + 0x10, STACK + 0x10, 8);
	ck_assert_str_eq(rig_ok(&rig, "bt"), "#0    0x1012 <main+2>\n#1    0x1018 <main+8>\n");
	put(STACK + 0x10, STACK - 0x40, 8);
	ck_assert_str_eq(rig_ok(&rig, "bt"), "#0    0x1012 <main+2>\n#1    0x1018 <main+8>\n");
	put(STACK + 0x10, UINT64_MAX - 7, 8);
	ck_assert_str_eq(rig_ok(&rig, "bt"), "#0    0x1012 <main+2>\n#1    0x1018 <main+8>\n");
}
END_TEST

START_TEST(without_frame_pointers)
{
	two_calls();
	set_reg(X86_RBP, 7);
	put(STACK + 0x20, 0x1013, 8);
	ck_assert_str_eq(rig_ok(&rig, "bt"),
			 "#0    0x1012 <main+2>\n#1  ? 0x1018 <main+8>\n#2  ? 0x1009 <_start+9>\n");
	set_reg(X86_RSP, rig_long64.hole);
	ck_assert_str_eq(rig_ok(&rig, "bt"), "#0    0x1012 <main+2>\n");
}
END_TEST

/* At main's `push rbp` its return address is what the stack pointer shows, and one above behind it. */
START_TEST(in_the_first_instructions)
{
	two_calls();
	put(0x1010, 0x55, 1);
	put(STACK, 0x1009, 8);
	set_reg(X86_RBP, 0);
	set_reg(X86_RIP, 0x1010);
	ck_assert_str_eq(rig_ok(&rig, "bt"), "#0    0x1010 <main>\n#1    0x1009 <_start+9>\n");
	put(STACK, 0, 8);
	put(STACK + 8, 0x1009, 8);
	set_reg(X86_RIP, 0x1011);
	ck_assert_str_eq(rig_ok(&rig, "bt"), "#0    0x1011 <main+1>\n#1    0x1009 <_start+9>\n");
}
END_TEST

START_TEST(real_mode)
{
	const struct fake_config real = { .cpus = 1 };

	rig_done(&rig);
	rig_init(&rig, &real, false);
	set_reg(X86_SS_BASE, 0x7000);
	set_reg(X86_RSP, 0xabcd1000);
	set_reg(X86_RBP, 0x1004);
	set_reg(X86_RIP, 0x1012);
	put(0x1015, 0xe8, 3);
	put(0x8004, 0, 2);
	put(0x8006, 0x1018, 2);
	ck_assert_str_eq(rig_ok(&rig, "bt"), "#0    0x1012 <main+2>\n#1    0x1018 <main+8>\n");
}
END_TEST

START_TEST(refused)
{
	rig_refuses(&rig, "bt 0", "1 to 128 frames can be shown");
	rig_refuses(&rig, "bt 129", "1 to 128 frames can be shown");
	rig_refuses(&rig, "bt 1 2", "2");
	ck_assert_int_eq(rig.malformed, true);
}
END_TEST

/* A guest that died shows its stack and its last exits. */
START_TEST(remains)
{
	struct stop_event triple = { .reason = STOP_TRIPLE_FAULT, .text = "triple fault" };

	two_calls();
	rig.f->nexits = 2;
	rig.f->exits[0] = (struct exit_record){ .number = 8, .time_ns = 5000000, .pc = 0x1010, .reason = "shutdown" };
	rig.f->exits[1] = (struct exit_record){ .number = 7, .time_ns = 2000000, .pc = 0x1009, .reason = "io",
						.detail = "out 0x3f8 1" };
	rig_ok(&rig, "c");
	fake_inject(rig.f, &triple);
	rig_has(rig_ok(&rig, "wait"),
		"its stack:\n"
		"  0x8000  0x0\n  0x8008  0x0\n  0x8010  0x8040\n  0x8018  0x1018 <main+8>\n");
	rig_ok(&rig, "c");
	fake_inject(rig.f, &triple);
	rig_has(rig_ok(&rig, "wait"),
		"the last exits:\n"
		"7        -0.003000s  cpu 0  io        0x1009 <_start+9>  out 0x3f8 1\n"
		"8        -0.000000s  cpu 0  shutdown  0x1010 <main>\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cmd_stack");
	TCase *t = tcase_create("stack");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, frame_pointers);
	tcase_add_test(t, bad_frame_pointers);
	tcase_add_test(t, without_frame_pointers);
	tcase_add_test(t, in_the_first_instructions);
	tcase_add_test(t, real_mode);
	tcase_add_test(t, refused);
	tcase_add_test(t, remains);
	suite_add_tcase(s, t);
	return unit_main(s);
}
