/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's breakpoints, watchpoints and catchpoints against a fake machine: setting, hitting, listing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/render.h"
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

/* -- setting -- */

START_TEST(places)
{
	json_t *r;

	ck_assert_str_eq(rig_ok(&rig, "break main if $rax == 3"), "breakpoint 1 at 0x1010 <main> if $rax == 3\n");
	ck_assert_str_eq(rig_ok(&rig, "tbreak loop cpu=1"), "temporary breakpoint 2 at 0x1030 <loop> cpu=1\n");
	ck_assert_str_eq(rig_ok(&rig, "break loop cr3=0x3005"), "breakpoint 3 at 0x1030 <loop> cr3=0x3000\n");
	ck_assert_str_eq(rig_ok(&rig, "break *0x80000"), "breakpoint 4 at 0x80000, pending: no memory is there yet\n");
	ck_assert_str_eq(rig_ok(&rig, "hbreak 0x80000 if 1"), "hardware breakpoint 5 at 0x80000 if 1\n");
	/* The same place with another condition or vCPU is another one; the machine has it once. */
	ck_assert_str_eq(rig_ok(&rig, "break main"), "breakpoint 6 at 0x1010 <main>\n");
	ck_assert_uint_eq(rig.f->nbrk, 5);
	rig_refuses(&rig, "break main", "breakpoint 6 is there already");
	rig_refuses(&rig, "break main if $rax == 3", "breakpoint 1 is there already");
	ck_assert_uint_eq(rig.f->brk[0].spec.space, BREAK_ANY_SPACE);
	ck_assert_uint_eq(rig.f->brk[1].spec.space, 0x3000);
	rig_ok(&rig, "delete 1");
	ck_assert_uint_eq(rig.f->nbrk, 5);
	rig_ok(&rig, "delete 6");
	ck_assert_uint_eq(rig.f->nbrk, 4);
	r = rig_result(&rig, "tbreak 0x1040 cpu=0 if 1 -j");
	ck_assert_uint_eq(data_u64(r, "number"), 7);
	ck_assert(data_true(r, "temporary") && json_object_get(r, "cpu") && !data_u64(r, "cpu"));
	ck_assert_str_eq(data_str(r, "type"), "breakpoint");
	ck_assert_str_eq(data_str(r, "condition"), "1");
	json_decref(r);
}
END_TEST

START_TEST(watch_ranges)
{
	static const struct {
		const char *line, *text;
		enum watch_kind kind;
		uint64_t gva, size;
	} rows[] = {
		{ "watch counter", "watchpoint 1: write 0x2000 <counter>, 8 bytes\n", WATCH_WRITE, 0x2000, 8 },
		{ "watch loop", "watchpoint 1: write 0x1030 <loop>, 32 bytes\n", WATCH_WRITE, 0x1030, 0x20 },
		{ "rwatch loop+4", "watchpoint 1: read 0x1034 <loop+4>, 8 bytes\n", WATCH_READ, 0x1034, 8 },
		{ "awatch 0x5000,1", "watchpoint 1: access 0x5000, 1 byte\n", WATCH_ACCESS, 0x5000, 1 },
		{ "watch counter,4K every", "watchpoint 1: write 0x2000 <counter>, 4096 bytes every\n", WATCH_WRITE, 0x2000,
		  4096 },
		{ "watch *(u32)counter", "watchpoint 1: write 0x2000 <counter>, 4 bytes\n", WATCH_WRITE, 0x2000, 4 },
		{ "watch *(u8)$rsp+1 if 2", "watchpoint 1: write 0x8001, 1 byte if 2\n", WATCH_WRITE, 0x8001, 1 },
		{ "watch 0x5000..0x5fff", "watchpoint 1: write 0x5000, 4096 bytes\n", WATCH_WRITE, 0x5000, 4096 },
		{ "watch counter .. counter + 1", "watchpoint 1: write 0x2000 <counter>, 2 bytes\n", WATCH_WRITE, 0x2000,
		  2 },
		{ "watch 0xffffffffffffff00,0x100", "watchpoint 1: write 0xffffffffffffff00, 256 bytes\n", WATCH_WRITE,
		  -0x100ull, 0x100 },
	};

	ck_assert_str_eq(rig_ok(&rig, rows[_i].line), rows[_i].text);
	ck_assert_uint_eq(rig.f->nwatch, 1);
	ck_assert(rig.f->watch[0].spec.gva == rows[_i].gva && rig.f->watch[0].spec.size == rows[_i].size);
	ck_assert(rig.f->watch[0].spec.kind == rows[_i].kind && rig.f->watch[0].owners == BREAK_OWNER_MONITOR);
	ck_assert_int_eq(rig.f->watch[0].spec.every, !!strstr(rows[_i].line, "every"));
	rig_refuses(&rig, rows[_i].line, "watchpoint 1 is there already");
	rig_ok(&rig, "delete 1");
	ck_assert_uint_eq(rig.f->nwatch, 0);
}
END_TEST

START_TEST(catches)
{
	static const struct {
		const char *line, *text;
		struct catch_spec spec;
	} rows[] = {
		{ "catch port 0x60", "catchpoint 1: port 0x60\n", { CATCH_PORT, 0x60, 0x60, 3 } },
		{ "catch port 0x3f8..0x3ff write", "catchpoint 1: port 0x3f8-0x3ff write\n", { CATCH_PORT, 0x3f8, 0x3ff, 2 } },
		{ "catch mmio 0xfee00000,4K read", "catchpoint 1: mmio 0xfee00000-0xfee00fff read\n",
		  { CATCH_MMIO, 0xfee00000, 0xfee00fff, 1 } },
		{ "catch msr 0xc0000080 write if $rax", "catchpoint 1: msr 0xc0000080 write if $rax\n",
		  { CATCH_SPECIAL, 0xc0000080, 0xc0000080, 2 } },
		{ "catch exception", "catchpoint 1: exception 0-31\n", { CATCH_EXCEPTION, 0, 31, 0 } },
		{ "catch exception if 1", "catchpoint 1: exception 0-31 if 1\n", { CATCH_EXCEPTION, 0, 31, 0 } },
		{ "catch exception pf", "catchpoint 1: exception 14 (pf)\n", { CATCH_EXCEPTION, 14, 14, 0 } },
		{ "catch exception de-nmi", "catchpoint 1: exception 0-2\n", { CATCH_EXCEPTION, 0, 2, 0 } },
		{ "catch exception 3", "catchpoint 1: exception 3 (bp)\n", { CATCH_EXCEPTION, 3, 3, 0 } },
		{ "catch interrupt 0x20-47", "catchpoint 1: exception 32-47\n", { CATCH_EXCEPTION, 32, 47, 0 } },
		{ "catch unclaimed", "catchpoint 1: unclaimed\n", { CATCH_UNCLAIMED, 0, 0, 0 } },
		{ "catch reset", "catchpoint 1: reset\n", { CATCH_RESET, 0, 0, 0 } },
		{ "catch halt", "catchpoint 1: halt\n", { CATCH_HALT, 0, 0, 0 } },
	};
	const struct catch_spec *s = &rig.f->caught[0].spec, *want = &rows[_i].spec;

	ck_assert_str_eq(rig_ok(&rig, rows[_i].line), rows[_i].text);
	ck_assert_uint_eq(rig.f->ncaught, 1);
	ck_assert(s->kind == want->kind && s->start == want->start && s->end == want->end && s->dir == want->dir);
	rig_ok(&rig, "delete 1");
	ck_assert_uint_eq(rig.f->ncaught, 0);
}
END_TEST

START_TEST(catch_shutdown)
{
	rig_has(rig_ok(&rig, "catch shutdown"), "triple faults and internal errors always stop the guest");
	ck_assert_uint_eq(rig.f->ncaught, 0);
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"), "no breakpoints\n");
}
END_TEST

static const char *const bad[][2] = {
	{ "break", "usage: break EXPR" }, { "break main foo", "unexpected 'foo'" }, { "break main if", "should follow 'if'" },
	{ "break main if $rax ==", "ends too early" }, { "break main if $nosuch == 1", "no register $nosuch" },
	{ "break main if 0 && nosuch", "no symbol 'nosuch'" }, { "break main if 1/0 )", "unexpected ')'" },
	{ "break main cpu=2", "there is no vCPU 2" }, { "break main cpu=", "ends too early" },
	{ "break main cr3=", "ends too early" }, { "break main every", "unexpected 'every'" },
	{ "break 0x800000000000", "not canonical" }, { "break nosuch", "no symbol" }, { "tbreak", "usage: tbreak" },
	{ "tbreak 0x800000000000 if 1", "not canonical" }, { "hbreak", "usage: hbreak" },
	{ "watch", "usage: watch" }, { "watch counter,0", "a range of nothing" },
	{ "watch counter,0x8000000000000000", "cannot be watched" }, { "watch counter,1G+1", "cannot be watched" },
	{ "watch 0xffffffffffffffff,2", "do not fit" }, { "watch 0x5000..0x4fff", "ends before it begins" },
	{ "watch 0..0xffffffffffffffff", "is everything" }, { "watch 0x7ffffffffffc,8", "not canonical" },
	{ "watch 5..", "ends too early" }, { "watch ..5", "ends too early" }, { "watch counter cpu=1", "unexpected 'cpu=1'" },
	{ "watch counter,", "ends too early" }, { "rwatch counter every", "unexpected 'every'" },
	{ "awatch counter every", "unexpected 'every'" }, { "watch counter every if", "should follow" },
	{ "catch", "usage: catch" }, { "catch nosuch", "usage: catch" }, { "catch port", "usage: catch" },
	{ "catch port 0x10000", "beyond the last port" }, { "catch port 0xffff,2", "beyond the last port" },
	{ "catch port 5,0", "a range of nothing" }, { "catch msr 0x100000000", "beyond the last msr" },
	{ "catch port 5 execute", "unexpected 'execute'" }, { "catch port 5 read write", "unexpected 'write'" },
	{ "catch exception 32", "vectors go from 0 to 31" }, { "catch exception 3-2", "vectors go" },
	{ "catch exception xx", "'xx' is no vector" }, { "catch exception -", "no vector" },
	{ "catch interrupt", "usage: catch" }, { "catch interrupt 256", "from 0 to 255" },
	{ "catch reset 5", "unexpected '5'" }, { "catch shutdown 1", "usage: catch" }, { "catch halt if", "should follow" },
	{ "delete 1", "there is no breakpoint 1" }, { "delete 0x100000001", "there is no breakpoint" },
	{ "enable 1", "there is no breakpoint 1" }, { "disable 0", "there is no breakpoint 0" },
	{ "disable x", "no symbol" }, { "ignore", "usage: ignore" }, { "ignore 1", "there is no breakpoint 1" },
	{ "condition", "usage: condition" }, { "condition 1", "there is no breakpoint 1" },
	{ "commands", "usage: commands" }, { "commands 1 print 1", "there is no breakpoint 1" },
	{ "info breakpoints x", "no symbol" }, { "info exits 1 2", "unexpected '2'" }, { "info exits x", "no symbol" },
	{ "step-irqs maybe", "usage: step-irqs" }, { "assist on off", "usage: assist" },
	{ "alias-hits 1", "usage: alias-hits" },
};

START_TEST(bad_lines)
{
	rig_refuses(&rig, bad[_i][0], bad[_i][1]);
	ck_assert_uint_eq(rig.f->nbrk + rig.f->nwatch + rig.f->ncaught, 0);
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"), "no breakpoints\n");
	/* No number was used up. */
	rig_has(rig_ok(&rig, "break main"), "breakpoint 1 at");
}
END_TEST

/* The same with one there. */
START_TEST(bad_changes)
{
	rig_ok(&rig, "break main if $rax");
	rig_refuses(&rig, "ignore 1", "usage: ignore");
	rig_refuses(&rig, "ignore 1 x", "no symbol");
	rig_refuses(&rig, "ignore 1 2 3", "unexpected '3'");
	rig_refuses(&rig, "condition 1 $rax ==", "ends too early");
	rig_refuses(&rig, "condition 1 nosuch", "no symbol");
	rig_refuses(&rig, "commands 1 nosuch", "no command 'nosuch'");
	rig_refuses(&rig, "commands 1 continue; print 1", "nothing may follow continue");
	rig_refuses(&rig, "commands 1 plan 3", "plan cannot be a breakpoint's command");
	rig_refuses(&rig, "commands 1 commands 1 print 1", "commands cannot be");
	rig_refuses(&rig, "commands 1 print 1; silent", "no command 'silent'");
	rig_refuses(&rig, "delete 1 2", "there is no breakpoint 2");
	rig_refuses(&rig, "disable 1 2", "there is no breakpoint 2");
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"), "1   soft  0x1010 <main> if $rax  hits 0  monitor\n");
	/* What the machine refuses changes nothing. */
	rig.f->fail_break = ENOSPC;
	rig_refuses(&rig, "watch counter", "watchpoint refused");
	rig_refuses(&rig, "catch reset", "catchpoint refused");
	rig_refuses(&rig, "break loop if 1", "breakpoint refused");
	rig.f->fail_break = 0;
	rig.f->fail_unbreak = EIO;
	rig_refuses(&rig, "delete 1", "removal refused");
	rig_refuses(&rig, "delete", "removal refused");
	rig_refuses(&rig, "disable 1", "removal refused");
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"), "1   soft  0x1010 <main> if $rax  hits 0  monitor\n");
	rig.f->fail_unbreak = 0;
	rig_ok(&rig, "disable 1");
	rig.f->fail_break = EIO;
	rig_refuses(&rig, "enable 1", "breakpoint refused");
	rig_has(rig_ok(&rig, "info breakpoints"), "disabled");
}
END_TEST

/* -- hitting -- */

START_TEST(conditions)
{
	rig_ok(&rig, "break main if $rax == 3");
	rig_ok(&rig, "break loop if *(u8)counter == 7 && $pc == loop");
	rig_ok(&rig, "break 0x3000");
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "breakpoint 3 at 0x3000");
	rig_ok(&rig, "delete 3");
	rig_ok(&rig, "break 0x3000 cpu=0");
	rig_ok(&rig, "cpu 0");
	set_pc(0x1000);
	rig_ok(&rig, "set $rax = 3");
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: breakpoint 1 at 0x1010 <main>\n");
	rig_ok(&rig, "write/b counter 7");
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: breakpoint 2 at 0x1030 <loop>\n");
	rig_has(rig_ok(&rig, "info breakpoints"), "1   soft  0x1010 <main> if $rax == 3  hits 1  monitor\n"
						  "2   soft  0x1030 <loop> if *(u8)counter == 7 && $pc == loop  hits 1");
	/* The condition can be changed and taken away. */
	rig_ok(&rig, "condition 1 $rax == 4");
	rig_ok(&rig, "condition 2");
	set_pc(0x1000);
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "breakpoint 2 at 0x1030 <loop>\n");
}
END_TEST

/* One that has no value counts as true, and the stop says why; also afterwards. */
START_TEST(condition_without_value)
{
	json_t *r;

	rig_ok(&rig, "break main if *(u8)(0x80000 + $rbx) == 1");
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "breakpoint 1 at 0x1010 <main> (the condition of 1 has no value: column 1: "
				      "0x80000 is not mapped)\n=> ");
	r = rig_result(&rig, "wait -j");
	rig_has(data_str(r, "why"), "0x80000 is not mapped");
	json_decref(r);
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 1: breakpoint 1 at 0x1010 <main> (the cond");
	rig_ok(&rig, "condition 1 1");
	rig_ok(&rig, "cpu 1");
	set_pc(0x1000);
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 1: breakpoint 1 at 0x1010 <main>\n");
}
END_TEST

START_TEST(ignoring)
{
	rig_ok(&rig, "break main cpu=0 if $rax == 1");
	rig_ok(&rig, "break loop cpu=0");
	rig_ok(&rig, "ignore 1 2");
	rig_has(rig_ok(&rig, "info breakpoints"), "cpu=0 if $rax == 1  ignore 2  hits 0");
	/* Without the condition it is no hit. */
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: breakpoint 2 at 0x1030 <loop>\n");
	rig_has(rig_ok(&rig, "info breakpoints"), "ignore 2  hits 0");
	rig_ok(&rig, "set $rax = 1");
	for (int i = 0; i < 3; i++) {
		set_pc(0x1000);
		rig_ok(&rig, "c");
		rig_has(rig_ok(&rig, "wait"), i < 2 ? "breakpoint 2 at 0x1030" : "breakpoint 1 at 0x1010");
	}
	rig_has(rig_ok(&rig, "info breakpoints"), "if $rax == 1  hits 3  monitor\n");
}
END_TEST

START_TEST(one_vcpu)
{
	rig_ok(&rig, "break main cpu=1");
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 1: breakpoint 1 at 0x1010 <main>\n");
	rig_has(rig_ok(&rig, "info breakpoints"), "cpu=1  hits 1");
}
END_TEST

START_TEST(temporary)
{
	json_t *r;

	rig_ok(&rig, "tbreak main");
	rig_ok(&rig, "break 0x1008 cpu=0");
	/* Another's stop leaves it. */
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: breakpoint 2 at 0x1008");
	rig_has(rig_ok(&rig, "info breakpoints"), "1   soft  0x1010 <main>  temporary  hits 0  monitor\n");
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: temporary breakpoint 1 at 0x1010 <main>\n");
	ck_assert_uint_eq(rig.f->nbrk, 1);
	/* What it was is still known of the stop, and the other vCPU's hit is dropped with it. */
	r = rig_result(&rig, "wait -j");
	ck_assert(data_true(r, "temporary") && data_u64(r, "number") == 1);
	json_decref(r);
	rig_has(rig_ok(&rig, "info status"), "temporary breakpoint 1 at");
	rig_ok(&rig, "c");
	rig_refuses(&rig, "wait 0.02", "still runs");
}
END_TEST

START_TEST(disabled)
{
	rig_ok(&rig, "break main");
	rig_ok(&rig, "break main if 0");
	rig_ok(&rig, "watch counter");
	rig_ok(&rig, "catch reset");
	rig_ok(&rig, "break loop");
	rig_ok(&rig, "disable 1 3 4");
	/* The other one at the place stays. */
	ck_assert_uint_eq(rig.f->nbrk, 2);
	ck_assert_uint_eq(rig.f->nwatch + rig.f->ncaught, 0);
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"),
			 "1   soft  0x1010 <main>  disabled  hits 0  monitor\n"
			 "2   soft  0x1010 <main> if 0  hits 0  monitor\n"
			 "3   write  0x2000 <counter>, 8 bytes  disabled  hits 0  monitor\n"
			 "4   reset    disabled  hits 0  monitor\n"
			 "5   soft  0x1030 <loop>  hits 0  monitor\n");
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "breakpoint 5 at 0x1030");
	rig_ok(&rig, "enable");
	ck_assert_uint_eq(rig.f->nbrk, 2);
	ck_assert_uint_eq(rig.f->nwatch, 1);
	ck_assert_uint_eq(rig.f->ncaught, 1);
	ck_assert_uint_eq(rig.f->caught[0].id, 2);
	rig_ok(&rig, "disable");
	ck_assert_uint_eq(rig.f->nbrk + rig.f->nwatch + rig.f->ncaught, 0);
	/* While it was disabled the place was taken. */
	rig_ok(&rig, "watch counter every");
	rig_refuses(&rig, "enable 3", "watchpoint 6 is there already");
	rig_ok(&rig, "delete");
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"), "no breakpoints\n");
}
END_TEST

/* -- watchpoints and catchpoints that hit -- */

static const struct stop_event wrote = {
	.reason = STOP_WATCH, .cpu = 1, .owners = BREAK_OWNER_MONITOR,
	.watch = { .spec = { .kind = WATCH_WRITE, .gva = 0x2000, .size = 8 }, .write = true, .gva = 0x2004, .size = 4,
		   .old = 1, .now = 2, .at_known = true, .at = 0x1034 },
};

START_TEST(watch_hits)
{
	struct stop_event ev = wrote;
	json_t *r;

	rig_ok(&rig, "watch counter");
	rig_ok(&rig, "c");
	ck_assert(fake_inject(rig.f, &ev));
	rig_has(rig_ok(&rig, "wait"), "cpu 1: watchpoint 1: write of 4 bytes at 0x2004 <counter+4>: 0x1 -> 0x2, by 0x1034 "
				      "<loop+4>\n=> 0x1000 <_start>:");
	r = rig_result(&rig, "wait -j");
	ck_assert_str_eq(data_str(r, "reason"), "watch");
	ck_assert_uint_eq(data_u64(r, "number"), 1);
	ck_assert_uint_eq(data_u64(json_object_get(r, "watch"), "new"), 2);
	ck_assert_str_eq(data_str(json_object_get(json_object_get(r, "watch"), "by"), "symbol"), "loop+4");
	json_decref(r);
	/* Both owners; then gdb alone; then a read whose instruction is not known. */
	ev.owners = BREAK_OWNER_GDB | BREAK_OWNER_MONITOR;
	rig_ok(&rig, "condition 1 $rax == 5");
	rig_ok(&rig, "c");
	ck_assert(fake_inject(rig.f, &ev));
	rig_has(rig_ok(&rig, "wait"), "cpu 1: gdb's watchpoint: write of 4 bytes at");
	rig_ok(&rig, "rwatch 0x5000,1");
	ev.owners = BREAK_OWNER_MONITOR;
	ev.watch = (struct watch_hit){ .spec = { .kind = WATCH_READ, .gva = 0x5000, .size = 1 }, .gva = 0x5000, .size = 1,
				       .old = 0x41, .now = 0x41, .at = 0x1010 };
	rig_ok(&rig, "c");
	ck_assert(fake_inject(rig.f, &ev));
	rig_has(rig_ok(&rig, "wait"), "cpu 1: watchpoint 2: read of 1 byte at 0x5000: 0x41, now at 0x1010 <main>\n");
	/* A condition that does not hold, by the vCPU that did it. */
	rig_ok(&rig, "cpu 0");
	rig_ok(&rig, "set $rax = 5");
	ev = wrote;
	rig_ok(&rig, "c");
	ck_assert(!fake_inject(rig.f, &ev));
	ev.cpu = 0;
	ck_assert(fake_inject(rig.f, &ev));
	rig_has(rig_ok(&rig, "wait"), "cpu 0: watchpoint 1: write");
	rig_has(rig_ok(&rig, "info breakpoints"), "if $rax == 5  hits 2  monitor\n");
}
END_TEST

START_TEST(catch_hits)
{
	struct stop_event ev = { .reason = STOP_CATCH, .cpu = 0, .catch_id = 2, .text = "out 0x3f8, 0x41" };

	rig_ok(&rig, "catch reset");
	rig_ok(&rig, "catch port 0x3f8 if $rax == 1");
	rig_ok(&rig, "c");
	ck_assert(!fake_inject(rig.f, &ev));
	rig_ok(&rig, "condition 2");
	ck_assert(fake_inject(rig.f, &ev));
	rig_has(rig_ok(&rig, "wait"), "cpu 0: catchpoint 2: out 0x3f8, 0x41, at 0x1000 <_start>\n");
	rig_ok(&rig, "c");
	rig_ok(&rig, "ignore 1 1");
	ev.catch_id = 1;
	ck_assert(!fake_inject(rig.f, &ev));
	ck_assert(fake_inject(rig.f, &ev));
	rig_has(rig_ok(&rig, "wait"), "cpu 0: catchpoint 1: ");
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"), "1   reset    hits 2  monitor\n"
							   "2   port  0x3f8  hits 1  monitor\n");
}
END_TEST

START_TEST(alias_hit)
{
	struct stop_event ev = { .reason = STOP_BREAKPOINT, .owners = BREAK_OWNER_MONITOR, .alias = true, .place = 0x800,
				 .space = BREAK_ANY_SPACE };

	rig_ok(&rig, "break 0x800");
	rig_ok(&rig, "c");
	ck_assert(fake_inject(rig.f, &ev));
	rig_has(rig_ok(&rig, "wait"), "cpu 0: breakpoint 1 at 0x1000 <_start>, another mapping of 0x800\n");
}
END_TEST

/* Two at one place that want the stop, and one that does not. */
START_TEST(several_hit)
{
	json_t *r;

	rig_ok(&rig, "break main");
	rig_ok(&rig, "break main if 0");
	rig_ok(&rig, "break main if 1");
	/* Another one for the machine, which reports only the first. */
	rig_ok(&rig, "hbreak main if $rax == 0");
	rig_gdb_break(&rig, 0x1010);
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: breakpoints 1, 3, 4 at 0x1010 <main>\n");
	r = rig_result(&rig, "wait -j");
	ck_assert_uint_eq(data_u64(r, "number"), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(r, "numbers")), 3);
	json_decref(r);
	/* Nothing is left of it at the next hit. */
	rig_ok(&rig, "set $rax = 1");
	rig_ok(&rig, "disable 3");
	set_pc(0x1000);
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 1: breakpoints 1, 4 at");
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: breakpoint 1 at");
	rig_has(rig_ok(&rig, "info breakpoints"), "4   hard  0x1010 <main> if $rax == 0  hits 2  monitor\n");
	/* The reported one is gdb's alone, and ours is another. */
	rig_ok(&rig, "delete");
	rig_ok(&rig, "hbreak main cpu=0");
	rig_ok(&rig, "cpu 0");
	set_pc(0x1000);
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: breakpoint 5 at 0x1010 <main>\n");
}
END_TEST

/* -- many -- */

START_TEST(a_hundred_thousand)
{
	const char *text;
	char line[64];
	json_t *r;

	for (unsigned i = 0; i < 100000; i++) {
		struct brk what = { .type = BRK_BREAK, .cpu = -1, .at = { .gva = 0x3000 + i, .space = BREAK_ANY_SPACE } };
		unsigned number;

		ck_assert_int_eq(brks_add(&rig.mon->breaks, &what, &number, NULL), 0);
		ck_assert_uint_eq(number, i + 1);
	}
	for (unsigned i = 1; i <= 100000; i += 97) {
		snprintf(line, sizeof(line), "ignore %u 0", i);
		rig_ok(&rig, line);
	}
	text = rig_ok(&rig, "info breakpoints 98500");
	/* The text is too long for a message. */
	ck_assert(!strncmp(text, "98500 soft  0x1b0c3  hits 0  monitor\n", 37));
	ck_assert(strstr(text, "... and 501 more: info breakpoints 99500\n"));
	r = rig_result(&rig, "info breakpoints 99501 -j");
	ck_assert_uint_eq(json_array_size(json_object_get(r, "breakpoints")), 500);
	ck_assert_uint_eq(data_u64(r, "more"), 0);
	json_decref(r);
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "breakpoint 1 at 0x3000");
	rig_ok(&rig, "delete");
	ck_assert_uint_eq(rig.f->nbrk, 0);
}
END_TEST

/* -- listing, exits, settings -- */

START_TEST(listing)
{
	struct watch_spec big = { .kind = WATCH_ACCESS, .gva = 0x5000, .size = 0x10000 };
	json_t *r, *list;

	rig_ok(&rig, "catch port 0x60 read");
	rig_ok(&rig, "watch 0x5000,0x2000");
	rig_ok(&rig, "break 0x80000 cpu=1");
	rig_ok(&rig, "hbreak main");
	rig_gdb_break(&rig, 0x80000);
	rig_gdb_break(&rig, 0x1040);
	ck_assert_int_eq(machine_watch_insert(&rig.f->machine, BREAK_OWNER_GDB, &big, NULL), 0);
	rig.f->watch[0].misses = 7;
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"),
			 "1   port  0x60 read  hits 0  monitor\n"
			 "2   write  0x5000, 8192 bytes  by slots, pages 2, misses 7  hits 0  monitor\n"
			 "3   soft  0x80000 cpu=1  pending  hits 0  monitor, gdb\n"
			 "4   hard  0x1010 <main>  hits 0  monitor\n"
			 "-   soft  0x1040 <loop+16>  hits 0  gdb\n"
			 "-   access  0x5000, 65536 bytes  by slots, pages 16, misses 0  hits 0  gdb\n");
	r = rig_result(&rig, "info breakpoints 4 -j");
	list = json_object_get(r, "breakpoints");
	ck_assert_uint_eq(json_array_size(list), 3);
	ck_assert_str_eq(data_str(json_array_get(list, 0), "where"), "register");
	ck_assert_str_eq(data_str(json_array_get(list, 1), "where"), "memory");
	ck_assert_uint_eq(data_u64(json_array_get(list, 1), "gpa"), 0x1040);
	json_decref(r);
}
END_TEST

START_TEST(exits)
{
	json_t *r;

	ck_assert_str_eq(rig_ok(&rig, "info exits"), "the guest has not run yet\n");
	rig.f->exits[0] = (struct exit_record){ .number = 12, .time_ns = 5000000000, .cpu = 1, .pc = 0x1034, .reason = "io",
						.detail = "out 0x3f8 1" };
	rig.f->exits[1] = (struct exit_record){ .number = 11, .time_ns = 4999000000, .pc = 0x9000, .reason = "debug" };
	rig.f->exits[2] = (struct exit_record){ .number = 10, .time_ns = 2999000000, .pc = 0x9000, .reason = "io" };
	rig.f->nexits = 3;
	rig.f->assists[0] = (struct assist_count){ "int3", 4 };
	rig.f->assists[1] = (struct assist_count){ "xsave", 9 };
	rig.f->assists[2] = (struct assist_count){ "popcnt", 0 };
	rig.f->nassists = 3;
	ck_assert_str_eq(rig_ok(&rig, "info exits 2"),
			 "11       -0.001000s  cpu 0  debug     0x9000\n"
			 "12       -0.000000s  cpu 1  io        0x1034 <loop+4>  out 0x3f8 1\n"
			 "the last 3: io 2, debug 1\n"
			 "carried out in KVM's stead: int3 4, xsave 9\n");
	r = rig_result(&rig, "info exits -j");
	ck_assert_uint_eq(json_array_size(json_object_get(r, "exits")), 3);
	ck_assert_uint_eq(data_u64(json_array_get(json_object_get(r, "exits"), 0), "ns_ago"), 2001000000);
	ck_assert_uint_eq(data_u64(json_object_get(r, "reasons"), "io"), 2);
	ck_assert_uint_eq(data_u64(json_object_get(r, "assisted"), "xsave"), 9);
	json_decref(r);
}
END_TEST

START_TEST(engine_settings)
{
	ck_assert_str_eq(rig_ok(&rig, "step-irqs"), "step-irqs is off\n");
	ck_assert_str_eq(rig_ok(&rig, "step-irqs on"), "step-irqs is on\n");
	ck_assert(rig.f->setting[SETTING_STEP_IRQS]);
	ck_assert_str_eq(rig_ok(&rig, "alias-hits off"), "alias-hits is off\n");
	ck_assert(!rig.f->setting[SETTING_ALIAS_HITS]);
	ck_assert_str_eq(rig_ok(&rig, "assist"), "assist is on\n");
	ck_assert_str_eq(rig_ok(&rig, "assist off"), "assist is off\n");
	ck_assert(!rig.f->setting[SETTING_ASSIST]);
	/* On a guest that runs, too. */
	rig_ok(&rig, "c");
	ck_assert_str_eq(rig_ok(&rig, "assist on"), "assist is on\n");
	ck_assert_int_eq(rig.f->state, MACHINE_RUNNING);
	rig_has(rig_ok(&rig, "assist -j"), "\"on\":true");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cmd_break");
	TCase *c = tcase_create("cmd_break");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, places);
	tcase_add_loop_test(c, watch_ranges, 0, 10);
	tcase_add_loop_test(c, catches, 0, 13);
	tcase_add_test(c, catch_shutdown);
	tcase_add_loop_test(c, bad_lines, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(c, bad_changes);
	tcase_add_test(c, conditions);
	tcase_add_test(c, condition_without_value);
	tcase_add_test(c, ignoring);
	tcase_add_test(c, one_vcpu);
	tcase_add_test(c, temporary);
	tcase_add_test(c, disabled);
	tcase_add_test(c, watch_hits);
	tcase_add_test(c, catch_hits);
	tcase_add_test(c, alias_hit);
	tcase_add_test(c, several_hit);
	tcase_add_test(c, a_hundred_thousand);
	tcase_add_test(c, listing);
	tcase_add_test(c, exits);
	tcase_add_test(c, engine_settings);
	suite_add_tcase(s, c);
	return unit_main(s);
}
