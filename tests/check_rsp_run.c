/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running and stopping, stop replies, attaching and leaving. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rsp_rig.h"
#include "tests/unit.h"

static const struct fake_config config4 = { .cpus = 4, .image_bits = 64, .mode = MODE_LONG };

/* What a stop reply says besides its registers, which are cut out. */
static const char *stop_of(const char *reply)
{
	static char text[256];
	const char *regs = strstr(reply, ";10:");

	if (!regs)
		return reply;
	snprintf(text, sizeof(text), "%.*s;%s", (int)(regs - reply), reply, rig_skip_registers(regs + 1));
	return text;
}

#define PC(r, cpu) fake_reg((r)->f, cpu, X86_RIP)

static void check_pcs(struct rig *r, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	ck_assert_uint_eq(PC(r, 0), FAKE_ENTRY + a);
	ck_assert_uint_eq(PC(r, 1), FAKE_ENTRY + b);
	ck_assert_uint_eq(PC(r, 2), FAKE_ENTRY + c);
	ck_assert_uint_eq(PC(r, 3), FAKE_ENTRY + d);
}

/* -- resuming -- */

static const struct {
	const char *request, *reply;
	uint64_t moved[4];              /* how far each vCPU came */
} resumes[] = {
	{ "vCont;s:1", "T05thread:1;core:0;", { 1, 0, 0, 0 } },
	{ "vCont;s:2", "T05thread:2;core:1;", { 0, 1, 0, 0 } },
	{ "vCont;s:3;c:1", "T05thread:3;core:2;", { 1, 0, 1, 0 } },
	{ "vCont;s:4;c", "T05thread:4;core:3;", { 0, 0, 0, 1 } },          /* the others parked */
	{ "vCont;s:2;c:2", "T05thread:2;core:1;", { 0, 1, 0, 0 } },            /* the leftmost that fits */
	{ "vCont;c:-1;s:2", "", { 0, 0, 0, 0 } },
	{ "vCont;s:0", "T05thread:1;core:0;", { 1, 0, 0, 0 } },
	{ "vCont;S05:2", "T05thread:2;core:1;", { 0, 1, 0, 0 } },
	{ "vCont;r1000,1008:2", "T05thread:2;core:1;", { 0, 8, 0, 0 } },
	{ "vCont;r2000,2008:2", "T05thread:2;core:1;", { 0, 1, 0, 0 } },       /* not in the range: one step */
	{ "s", "T05thread:1;core:0;", { 1, 0, 0, 0 } },
	{ "S05", "T05thread:1;core:0;", { 1, 0, 0, 0 } },
	{ "s1010", "T05thread:1;core:0;", { 0x11, 0, 0, 0 } },
	{ "S0b;1010", "T05thread:1;core:0;", { 0x11, 0, 0, 0 } },
	{ "c", "", { 0, 0, 0, 0 } },
	{ "C05", "", { 0, 0, 0, 0 } },
	{ "c1010", "", { 0x10, 0, 0, 0 } },
	{ "C05;1010", "", { 0x10, 0, 0, 0 } },
};

START_TEST(test_resume)
{
	const uint64_t *m = resumes[_i].moved;
	struct rig r;

	rig_open(&r, &config4);
	ck_assert_str_eq(stop_of(rig_ask(&r, resumes[_i].request)), resumes[_i].reply);
	ck_assert_uint_eq(r.f->calls.resume, 1);
	ck_assert_int_eq(r.f->state, *resumes[_i].reply ? MACHINE_STOPPED : MACHINE_RUNNING);
	check_pcs(&r, m[0], m[1], m[2], m[3]);
	ck_assert_str_eq(rig_poll(&r), "");
	rig_close(&r);
}
END_TEST

/* Hc says whom c and s mean. */
START_TEST(test_resume_step_thread)
{
	struct rig r;

	rig_open(&r, &config4);
	rig_ask(&r, "Hc3");
	ck_assert_str_eq(stop_of(rig_ask(&r, "s")), "T05thread:3;core:2;");
	check_pcs(&r, 0, 0, 1, 0);
	ck_assert_str_eq(rig_ask(&r, "c"), "");
	ck_assert_int_eq(r.f->cpu[2].action.kind, ACT_CONT);
	ck_assert_int_eq(r.f->cpu[0].action.kind, ACT_STAY);
	rig_send_raw(&r, "\x03");
	ck_assert_str_eq(stop_of(rig_poll(&r)), "T02thread:3;core:2;");
	rig_ask(&r, "Hc-1");
	ck_assert_str_eq(rig_ask(&r, "c"), "");
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(r.f->cpu[i].action.kind, ACT_CONT);
	rig_close(&r);
}
END_TEST

/* The stop decides which vCPU g and m mean, as gdb takes for granted. */
START_TEST(test_stop_selects_thread)
{
	struct rig r;

	rig_open(&r, &config4);
	fake_set_reg(r.f, 2, X86_RAX, 0x77);
	rig_ask(&r, "vCont;s:3");
	ck_assert_str_eq(rig_ask(&r, "qC"), "QC3");
	ck_assert_str_eq(rig_ask(&r, "p0"), "7700000000000000");
	rig_close(&r);
}
END_TEST

/* How many digits of a g reply precede register NUM's. */
static size_t offset_in_g(unsigned l, unsigned num)
{
	size_t digits = 0;

	for (unsigned i = 0; i < num; i++)
		digits += arch_desc.regs[reg_by_num(l, i)].view[l].bits / 4;
	return digits;
}

/* With a stop come all registers of a g reply, each once and as it has them, so that nobody has to ask. */
START_TEST(test_expedited_registers)
{
	const struct fake_config config32 = { .cpus = 4, .image_bits = 32, .mode = MODE_PROT32 };
	const unsigned l = _i ? RL_I386 : RL_X86_64;
	const unsigned count = reg_g_count(l);
	char stop[1024], g[1024];
	uint64_t seen = 0;
	const char *p;
	struct rig r;

	rig_open(&r, _i ? &config32 : &config4);
	for (unsigned num = 0; num < count; num++)
		if (reg_by_num(l, num) != X86_RIP)
			fake_set_reg(r.f, 0, (reg_id)reg_by_num(l, num), 0x1122334455660000 + num);
	snprintf(stop, sizeof(stop), "%s", rig_ask(&r, "vCont;s:1"));
	snprintf(g, sizeof(g), "%s", rig_ask(&r, "g"));
	ck_assert_uint_eq(strlen(g), offset_in_g(l, count));
	ck_assert_int_eq(strncmp(stop, "T05thread:1;core:0;", 19), 0);
	for (p = stop + 19; *p; p = strchr(p, ';') + 1) {
		unsigned num = (unsigned)strtoul(p, NULL, 16);
		size_t from = offset_in_g(l, num), digits = offset_in_g(l, num + 1) - from;

		ck_assert(num < count && p[2] == ':' && !(seen >> num & 1));
		ck_assert_int_eq(strncmp(p + 3, g + from, digits), 0);
		ck_assert_int_eq(p[3 + digits], ';');
		seen |= 1ull << num;
	}
	ck_assert_uint_eq(seen, (1ull << count) - 1);
	rig_close(&r);
}
END_TEST

START_TEST(test_resume_refused)
{
	struct rig r;

	rig_open(&r, &config4);
	r.f->fail_resume = ETIMEDOUT;
	/* "resume refused" */
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "O726573756d652072656675736564|O0a|E6e");
	r.f->fail_resume = 0;
	ck_assert_str_eq(stop_of(rig_ask(&r, "vCont;s:1")), "T05thread:1;core:0;");
	rig_close(&r);
}
END_TEST

START_TEST(test_interrupt)
{
	struct rig r;

	rig_open(&r, &config4);
	for (unsigned i = 0; i < 1000; i++) {
		ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
		rig_send_raw(&r, "\x03");
		ck_assert_str_eq(stop_of(rig_poll(&r)), "T02thread:1;core:0;");
	}
	/* in one burst with what it interrupts */
	rig_send_raw(&r, "$vCont;c#a8\x03");
	ck_assert_str_eq(stop_of(rig_take(&r)), "T02thread:1;core:0;");
	rig_close(&r);
}
END_TEST

/* Ctrl-C while it stands still: the next run is over at once, however often it was sent; the one after that is not. */
START_TEST(test_interrupt_stopped)
{
	static const char *const ways[] = { "vCont;c", "c", "vCont;c:1" };
	struct rig r;

	rig_open(&r, &config4);
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		rig_send_raw(&r, "\x03\x03");
		ck_assert_str_eq(rig_poll(&r), "");
		ck_assert_str_eq(rig_ask(&r, "Hc1"), "OK");
		ck_assert_str_eq(stop_of(rig_ask(&r, ways[i])), "T02thread:1;core:0;");
		ck_assert_str_eq(rig_ask(&r, "Hc-1"), "OK");
		ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
		ck_assert_str_eq(rig_poll(&r), "");
		rig_send_raw(&r, "\x03");
		ck_assert_str_eq(stop_of(rig_poll(&r)), "T02thread:1;core:0;");
	}
	/* Another mode is the end of it. */
	rig_send_raw(&r, "\x03");
	ck_assert_str_eq(rig_ask(&r, "QNonStop:1"), "OK");
	ck_assert_str_eq(rig_ask(&r, "QNonStop:0"), "OK");
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
	ck_assert_str_eq(rig_poll(&r), "");
	rig_close(&r);
}
END_TEST

/* -- breakpoints and their owners -- */

static const struct {
	const char *supported, *insert, *reply;
	bool by_monitor, by_monitor_only;
} hits[] = {
	{ "qSupported:swbreak+;hwbreak+", "Z0,1010,1", "T05thread:1;core:0;swbreak:;", false, false },
	{ "qSupported:swbreak+;hwbreak+", "Z1,1010,1", "T05thread:1;core:0;hwbreak:;", false, false },
	{ "qSupported:hwbreak+", "Z0,1010,1", "T05thread:1;core:0;", false, false },
	{ "qSupported:swbreak+", "Z1,1010,1", "T05thread:1;core:0;", false, false },
	{ "qSupported", "Z0,1010,1", "T05thread:1;core:0;", false, false },
	{ "qSupported:swbreak+", "Z0,1010,1", "T05thread:1;core:0;swbreak:;", true, false },
	{ "qSupported:swbreak+", "Z0,1010,1", "T05thread:1;core:0;", true, true },
};

START_TEST(test_hit)
{
	struct rig r;

	rig_open(&r, &config4);
	rig_ask(&r, hits[_i].supported);
	if (!hits[_i].by_monitor_only)
		ck_assert_str_eq(rig_ask(&r, hits[_i].insert), "OK");
	if (hits[_i].by_monitor)
		rig_monitor_break(&r, 0x1010);
	ck_assert_str_eq(stop_of(rig_ask(&r, "vCont;c")), hits[_i].reply);
	ck_assert_uint_eq(PC(&r, 0), 0x1010);
	/* asked again, it is only a stop: gdb might not have this breakpoint any more */
	ck_assert_str_eq(stop_of(rig_ask(&r, "?")), "T05thread:1;core:0;");
	rig_close(&r);
}
END_TEST

/* All four hit in one tick: each is reported once. */
START_TEST(test_hits_queue)
{
	char want[64];
	struct rig r;

	rig_open(&r, &config4);
	rig_ask(&r, "qSupported:swbreak+");
	ck_assert_str_eq(rig_ask(&r, "Z0,1010,1"), "OK");
	for (unsigned i = 0; i < 4; i++) {
		sprintf(want, "T05thread:%x;core:%x;swbreak:;", i + 1, i);
		ck_assert_str_eq(stop_of(rig_ask(&r, "vCont;c")), want);
		check_pcs(&r, 0x10, 0x10, 0x10, 0x10);
	}
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
	rig_close(&r);
}
END_TEST

/* -- other ends -- */

static const struct {
	struct stop_event event;
	const char *reply, *again;
} events[] = {
	{ { .reason = STOP_TRIPLE_FAULT, .cpu = 1, .text = "triple fault" },
	  "O747269706c65206661756c740a|T0bthread:2;core:1;", "T0bthread:2;core:1;" },
	{ { .reason = STOP_ERROR, .cpu = 0, .text = "no" }, "O6e6f0a|T04thread:1;core:0;", "T04thread:1;core:0;" },
	{ { .reason = STOP_ERROR, .cpu = 0 }, "T04thread:1;core:0;", "T04thread:1;core:0;" },
	{ { .reason = STOP_STEP, .cpu = 3, .text = "not told" }, "T05thread:4;core:3;", "T05thread:4;core:3;" },
	/* the address is the one touched, which may lie within what gdb set */
	{ { .reason = STOP_WATCH, .cpu = 2, .owners = BREAK_OWNER_GDB,
	    .watch = { .spec = { .kind = WATCH_WRITE, .gva = 0x5000, .size = 0x100 }, .write = true, .gva = 0x5010 } },
	  "T05thread:3;core:2;watch:5010;", "T05thread:3;core:2;" },
	{ { .reason = STOP_WATCH, .owners = BREAK_OWNER_GDB | BREAK_OWNER_MONITOR,
	    .watch = { .spec = { .kind = WATCH_READ, .size = 8 }, .gva = 0xffffffff80001000 } },
	  "T05thread:1;core:0;rwatch:ffffffff80001000;", "T05thread:1;core:0;" },
	{ { .reason = STOP_WATCH, .owners = BREAK_OWNER_GDB,
	    .watch = { .spec = { .kind = WATCH_ACCESS, .size = 8 }, .write = true, .gva = 0 } },
	  "T05thread:1;core:0;awatch:0;", "T05thread:1;core:0;" },
	{ { .reason = STOP_WATCH, .owners = BREAK_OWNER_MONITOR, .watch = { .gva = 0x5010 } },
	  "T05thread:1;core:0;", "T05thread:1;core:0;" },
	{ { .reason = STOP_CATCH, .cpu = 1, .catch_id = 3, .text = "out 0x3f8" }, "T05thread:2;core:1;",
	  "T05thread:2;core:1;" },
	{ { .reason = STOP_EXIT, .cpu = 0, .exit_status = 0x23, .text = "left" }, "W23", "W23" },
};

START_TEST(test_event)
{
	struct rig r;

	rig_open(&r, &config4);
	rig_ask(&r, "qSupported:swbreak+;hwbreak+");
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
	fake_inject(r.f, &events[_i].event);
	r.output_calls = 0;
	ck_assert_str_eq(stop_of(rig_poll(&r)), events[_i].reply);
	ck_assert_uint_eq(r.output_calls, 1);   /* both packets in one write */
	ck_assert_str_eq(stop_of(rig_ask(&r, "?")), events[_i].again);
	rig_close(&r);
}
END_TEST

/* Through another mapping: gdb would look for a breakpoint where the vCPU is, find none, and go on. */
START_TEST(test_alias)
{
	const struct stop_event ev = { .reason = STOP_BREAKPOINT, .owners = BREAK_OWNER_GDB, .alias = true,
				       .space = BREAK_ANY_SPACE, .place = 0x9000 };
	struct rig r;

	rig_open(&r, &config4);
	rig_ask(&r, "qSupported:swbreak+;hwbreak+");
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
	fake_inject(r.f, &ev);
	ck_assert_str_eq(stop_of(rig_poll(&r)), "T05thread:1;core:0;");
	rig_close(&r);
}
END_TEST

/* Of a client that leaves: what only gdb had asked for stops nobody, watchpoints too. */
START_TEST(test_drop_at_watchpoint)
{
	struct stop_event ev = { .reason = STOP_WATCH, .owners = BREAK_OWNER_GDB };
	struct rig r;

	rig_open(&r, &config4);
	rig_ask(&r, "Z2,2000,8");
	rig_ask(&r, "Z4,3000,10000");
	ck_assert_uint_eq(r.f->nwatch, 2);
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
	r.f->fail_hold = EIO;
	ck_assert(!session_leave(r.s));
	r.f->fail_hold = 0;
	fake_inject(r.f, &ev);
	rig_poll(&r);
	ck_assert_uint_eq(r.left, 1);
	ck_assert_uint_eq(r.f->nwatch, 0);
	ck_assert_int_eq(r.f->state, MACHINE_RUNNING);
	rig_close(&r);
}
END_TEST

START_TEST(test_guest_ended)
{
	static const uint8_t code[] = { 0x90, FAKE_OP_EXIT };
	const struct fake_config c = { .image_bits = 64, .code = code, .code_len = sizeof(code) };
	struct rig r;

	rig_open(&r, &c);
	fake_set_reg(r.f, 0, X86_RAX, 3);
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "W07");
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "W07");
	ck_assert_str_eq(rig_ask(&r, "s"), "W07");
	ck_assert_str_eq(rig_ask(&r, "m1000,1"), "90");
	ck_assert_uint_eq(r.f->calls.resume, 1);
	ck_assert_str_eq(rig_ask(&r, "D"), "OK");
	ck_assert_uint_eq(r.f->calls.resume, 1);
	rig_close(&r);
}
END_TEST

/* -- beside the monitor -- */

static void monitor_resume(struct rig *r)
{
	struct run_action acts[MACHINE_CPUS_MAX];

	for (unsigned i = 0; i < MACHINE_CPUS_MAX; i++)
		acts[i] = (struct run_action){ .kind = ACT_CONT };
	ck_assert_int_eq(machine_resume(&r->f->machine, acts, NULL), 0);
}

START_TEST(test_monitor_runs)
{
	struct rig r;

	rig_open(&r, &config4);
	monitor_resume(&r);
	ck_assert_str_eq(rig_poll(&r), "");
	machine_stop(&r.f->machine);
	ck_assert_str_eq(rig_poll(&r), "");     /* the client waits for nothing */
	ck_assert_str_eq(stop_of(rig_ask(&r, "?")), "T02thread:1;core:0;");
	monitor_resume(&r);
	ck_assert_str_eq(rig_ask(&r, "vCont;s:1"), "");         /* joins in */
	ck_assert_uint_eq(r.f->calls.resume, 2);
	machine_stop(&r.f->machine);
	ck_assert_str_eq(stop_of(rig_poll(&r)), "T02thread:1;core:0;");
	ck_assert_str_eq(rig_poll(&r), "");
	rig_close(&r);
}
END_TEST

/* -- coming and going -- */

START_TEST(test_attach_running)
{
	struct rig r = { .f = fake_new(&config4) };

	monitor_resume(&r);
	machine_poll(&r.f->machine, 0);
	rig_attach(&r, NULL);
	ck_assert_uint_eq(r.f->calls.stop, 1);
	ck_assert_str_eq(rig_take(&r), "");
	ck_assert_str_eq(rig_ask(&r, "?"), "");
	ck_assert_str_eq(stop_of(rig_poll(&r)), "T02thread:1;core:0;");
	rig_close(&r);
	/* the stop came before the question */
	r.f = fake_new(&config4);
	monitor_resume(&r);
	rig_attach(&r, NULL);
	ck_assert_str_eq(rig_poll(&r), "");
	ck_assert_str_eq(stop_of(rig_ask(&r, "?")), "T02thread:1;core:0;");
	rig_close(&r);
}
END_TEST

START_TEST(test_detach_stopped)
{
	struct rig r;

	rig_open(&r, &config4);
	rig_ask(&r, "Z0,1010,1");
	rig_ask(&r, "Z1,1020,1");
	rig_monitor_break(&r, 0x1030);
	ck_assert_str_eq(rig_ask(&r, "D"), "OK");
	ck_assert_int_eq(session_end(r.s), SESSION_DETACHED);
	ck_assert_int_eq(r.f->state, MACHINE_RUNNING);
	ck_assert_uint_eq(r.f->nbrk, 1);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(r.f->cpu[i].action.kind, ACT_CONT);
	/* nothing is heard or done any more */
	ck_assert_str_eq(rig_poll(&r), "");
	ck_assert_str_eq(rig_ask(&r, "?"), "");
	ck_assert(session_leave(r.s));
	ck_assert_uint_eq(r.f->calls.resume, 1);
	rig_close(&r);
}
END_TEST

START_TEST(test_drop_running)
{
	struct rig r;

	rig_open(&r, &config4);
	rig_ask(&r, "Z0,900,1");
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
	ck_assert(session_leave(r.s));
	ck_assert_uint_eq(r.f->nbrk, 0);
	ck_assert_int_eq(r.f->state, MACHINE_RUNNING);
	ck_assert_uint_eq(r.f->calls.resume, 1);
	ck_assert_uint_eq(r.left, 0);
	rig_close(&r);
}
END_TEST

/* The client sent ^C and vanished: the stop still to come must not leave the guest standing. */
START_TEST(test_drop_stopping)
{
	struct rig r;

	rig_open(&r, &config4);
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
	rig_send_raw(&r, "\x03");
	ck_assert(!session_leave(r.s));
	ck_assert(!session_leave(r.s));
	ck_assert_str_eq(rig_poll(&r), "");
	ck_assert_uint_eq(r.left, 1);
	ck_assert_int_eq(r.f->state, MACHINE_RUNNING);
	ck_assert(session_leave(r.s));
	rig_close(&r);
}
END_TEST

/* As before, but something of another's came first: that stays. */
START_TEST(test_drop_stopping_other)
{
	const struct stop_event fault = { .reason = STOP_TRIPLE_FAULT, .cpu = 0, .text = "triple fault" };
	struct rig r;

	rig_open(&r, &config4);
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
	rig_send_raw(&r, "\x03");
	ck_assert(!session_leave(r.s));
	fake_inject(r.f, &fault);
	ck_assert_str_eq(rig_poll(&r), "");
	ck_assert_uint_eq(r.left, 1);
	ck_assert_int_eq(r.f->state, MACHINE_STOPPED);
	rig_close(&r);
}
END_TEST

/* The machine cannot be held: gdb's breakpoints go at the next stop. */
START_TEST(test_drop_without_hold)
{
	struct rig r;

	rig_open(&r, &config4);
	rig_ask(&r, "Z0,900,1");
	ck_assert_str_eq(rig_ask(&r, "vCont;c"), "");
	r.f->fail_hold = ETIMEDOUT;
	ck_assert(!session_leave(r.s));
	ck_assert_uint_eq(r.f->nbrk, 1);
	r.f->fail_hold = 0;
	ck_assert_str_eq(rig_poll(&r), "");
	ck_assert_uint_eq(r.left, 1);
	ck_assert_uint_eq(r.f->nbrk, 0);
	ck_assert_int_eq(r.f->state, MACHINE_RUNNING);
	rig_close(&r);
}
END_TEST

START_TEST(test_kill)
{
	struct rig r;

	rig_open(&r, &config4);
	ck_assert_str_eq(rig_ask(&r, "k"), "");
	ck_assert_int_eq(session_end(r.s), SESSION_KILLED);
	rig_close(&r);
	rig_open(&r, &config4);
	ck_assert_str_eq(rig_ask(&r, "vKill;1"), "OK");
	ck_assert_int_eq(session_end(r.s), SESSION_KILLED);
	ck_assert_uint_eq(r.f->calls.resume, 0);
	rig_close(&r);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("rsp_run");
	TCase *t = tcase_create("run");

	tcase_add_loop_test(t, test_resume, 0, COUNT(resumes));
	tcase_add_test(t, test_resume_step_thread);
	tcase_add_test(t, test_stop_selects_thread);
	tcase_add_loop_test(t, test_expedited_registers, 0, 2);
	tcase_add_test(t, test_resume_refused);
	tcase_add_test(t, test_interrupt);
	tcase_add_test(t, test_interrupt_stopped);
	tcase_add_loop_test(t, test_hit, 0, COUNT(hits));
	tcase_add_test(t, test_hits_queue);
	tcase_add_loop_test(t, test_event, 0, COUNT(events));
	tcase_add_test(t, test_alias);
	tcase_add_test(t, test_drop_at_watchpoint);
	tcase_add_test(t, test_guest_ended);
	tcase_add_test(t, test_monitor_runs);
	suite_add_tcase(s, t);
	t = tcase_create("life");
	tcase_add_test(t, test_attach_running);
	tcase_add_test(t, test_detach_stopped);
	tcase_add_test(t, test_drop_running);
	tcase_add_test(t, test_drop_stopping);
	tcase_add_test(t, test_drop_stopping_other);
	tcase_add_test(t, test_drop_without_hold);
	tcase_add_test(t, test_kill);
	suite_add_tcase(s, t);
	return unit_main(s);
}
