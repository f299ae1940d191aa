/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A breakpoint's commands against a fake machine: putting them together, running them, who hears of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/monitor_rig.h"
#include "tests/unit.h"

static struct rig rig;

static void set_up(void)
{
	rig_init(&rig, &rig_long64, false);
}

static void tear_down(void)
{
	rig_done(&rig);
}

static void set_pc(uint64_t pc)
{
	char line[64];

	snprintf(line, sizeof(line), "set $pc = %#llx", (unsigned long long)pc);
	rig_ok(&rig, line);
}

START_TEST(commands_run)
{
	rig_ok(&rig, "break main cpu=0");
	ck_assert_str_eq(rig_ok(&rig, "commands 1 print 1 + 1; echo \"a;b\"; x/b $pc"), "");
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"), "1   soft  0x1010 <main> cpu=0  hits 0  monitor\n"
							   "        print 1 + 1\n        echo \"a;b\"\n        x/b $pc\n");
	rig_ok(&rig, "c");
	rig_settle(&rig);
	ck_assert_str_eq(rig_said(&rig), "cpu 0: breakpoint 1 at 0x1010 <main>\n=> 0x1010 <main>:  add [rax], al\n"
					 "0x2 = 2\n\"a;b\"\n0x1010 <main>:  0x00\n");
	/* In silence, and on. */
	rig_ok(&rig, "commands 1 silent; print $pc; continue");
	rig_ok(&rig, "break 0x1020 cpu=0");
	set_pc(0x1000);
	rig_ok(&rig, "c");
	ck_assert_str_eq(rig_ok(&rig, "wait"), "0x1010 = 4112 <main>\ncpu 0: breakpoint 2 at 0x1020 <main+16>\n"
					       "=> 0x1020 <main+16>:  add [rax], al\n");
	rig_has(rig_ok(&rig, "info breakpoints"), "cpu=0  hits 2");
	/* An empty list takes them away. */
	rig_has(rig_ok(&rig, "commands 1"), "end ends them");
	ck_assert_str_eq(rig_ok(&rig, "end"), "");
	set_pc(0x1000);
	rig_ok(&rig, "c");
	ck_assert_str_eq(rig_ok(&rig, "wait"), "cpu 0: breakpoint 1 at 0x1010 <main>\n=> 0x1010 <main>:  add [rax], al\n");
}
END_TEST

START_TEST(commands_line_by_line)
{
	rig_ok(&rig, "break main cpu=0");
	rig_ok(&rig, "commands 1");
	ck_assert_str_eq(rig_ok(&rig, "  silent"), "");
	ck_assert_str_eq(rig_ok(&rig, "  print 5; "), "");
	rig_refuses(&rig, "nosuch", "there is no command 'nosuch'");
	ck_assert_str_eq(rig_ok(&rig, "# a comment"), "");
	ck_assert_str_eq(rig_ok(&rig, ""), "");
	ck_assert_str_eq(rig_ok(&rig, " end "), "");
	rig_ok(&rig, "c");
	rig_settle(&rig);
	rig_has(rig_said(&rig), "error: commands of 1:1: ");
	/* Of one that has gone meanwhile. */
	rig_ok(&rig, "commands 1");
	rig_ok(&rig, "print 1");
	brks_remove(&rig.mon->breaks, 1, NULL);
	rig_refuses(&rig, "end", "there is no breakpoint 1");
	rig_ok(&rig, "print 1");
	/* A session that ends within it. */
	rig_ok(&rig, "break main");
	rig_ok(&rig, "commands 2");
	rig_ok(&rig, "print 1");
}
END_TEST

/* Commands that fail before they resume the guest: whoever waits is told after all. */
START_TEST(commands_fail)
{
	rig_ok(&rig, "break main cpu=0");
	rig_ok(&rig, "commands 1 silent; x 0x80000; continue");
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "error: commands of 1:1: ");
	ck_assert_int_eq(rig.f->state, MACHINE_STOPPED);
}
END_TEST

/* Hit after hit: whoever waits hears of the last one only, and in a script nothing else is to be done for it. */
START_TEST(commands_many_times)
{
	const char *text, *p;
	char line[80];
	unsigned n = 0;

	for (unsigned i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "break 0x%x cpu=%u", 0x1100 + i, i % 2);
		rig_ok(&rig, line);
		snprintf(line, sizeof(line), "commands %u silent; print $pc - 0x1100; continue", i + 1);
		rig_ok(&rig, line);
	}
	rig_ok(&rig, "tbreak 0x2000");
	rig_ok(&rig, "c");
	text = rig_ok(&rig, "wait");
	for (p = text; (p = strstr(p, " = ")); p++, n++)
		ck_assert_uint_eq(strtoul(p + 3, NULL, 10), n);
	ck_assert_uint_eq(n, 100);
	rig_has(text, "0x63 = 99\ncpu 0: temporary breakpoint 101 at 0x2000 <counter>\n");
	ck_assert_uint_eq(rig.mon->hooks, 0);
}
END_TEST

/* A stop that was asked for is not undone by a breakpoint that came first. */
START_TEST(commands_and_stop)
{
	const struct stop_event ev = { .reason = STOP_BREAKPOINT, .owners = BREAK_OWNER_MONITOR, .place = 0x1010,
				       .space = BREAK_ANY_SPACE };

	rig_ok(&rig, "break main");
	rig_ok(&rig, "commands 1 print 3; continue");
	rig_ok(&rig, "cpu 0");
	set_pc(0x2000);
	rig_ok(&rig, "cpu 1");
	set_pc(0x2000);
	rig_ok(&rig, "c");
	rig_ok(&rig, "stop");
	ck_assert(fake_inject(rig.f, &ev));
	rig_settle(&rig);
	rig_has(rig_said(&rig), "0x3 = 3\n");
	ck_assert_int_eq(rig.f->state, MACHINE_STOPPED);
}
END_TEST

/* What gdb runs, gdb resumes. */
START_TEST(commands_beside_gdb)
{
	struct commander *c = monitor_commander(rig.mon);
	struct run_action acts[MACHINE_CPUS_MAX] = { { .kind = ACT_CONT } };

	rig_ok(&rig, "break main cpu=0");
	rig_ok(&rig, "commands 1 print 3; continue");
	c->attached(c, true);
	ck_assert_int_eq(machine_resume(&rig.f->machine, acts, NULL), 0);
	rig_settle(&rig);
	rig_has(rig_said(&rig), "0x3 = 3\nerror: commands of 1:2: gdb runs the guest here");
	ck_assert_int_eq(rig.f->state, MACHINE_STOPPED);
	/* Resumed from here, or without gdb, it goes on. */
	set_pc(0x1000);
	rig_ok(&rig, "c");
	rig_settle(&rig);
	ck_assert_int_eq(rig.f->state, MACHINE_RUNNING);
	rig_ok(&rig, "stop");
	rig_settle(&rig);
	c->attached(c, false);
	set_pc(0x1000);
	ck_assert_int_eq(machine_resume(&rig.f->machine, acts, NULL), 0);
	rig_settle(&rig);
	ck_assert_int_eq(rig.f->state, MACHINE_RUNNING);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cmd_hook");
	TCase *c = tcase_create("cmd_hook");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, commands_run);
	tcase_add_test(c, commands_line_by_line);
	tcase_add_test(c, commands_fail);
	tcase_add_test(c, commands_many_times);
	tcase_add_test(c, commands_and_stop);
	tcase_add_test(c, commands_beside_gdb);
	suite_add_tcase(s, c);
	return unit_main(s);
}
