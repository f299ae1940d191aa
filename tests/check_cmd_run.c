/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's commands against a fake machine: run control, sessions, JSON, gdb's way in, random lines. */
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

/* -- run control -- */

START_TEST(running)
{
	rig_ok(&rig, "break main");
	ck_assert_str_eq(rig_ok(&rig, "continue"), "");
	ck_assert_str_eq(rig_ok(&rig, "wait"),
			 "cpu 0: breakpoint 1 at 0x1010 <main>\n=> 0x1010 <main>:  add [rax], al\n");
	ck_assert_str_eq(rig_ok(&rig, "wait"), "");
	/* The other vCPU's hit of the same tick comes next, and selects it. */
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait 5"), "cpu 1: breakpoint 1 at 0x1010 <main>\n");
	rig_has(rig_ok(&rig, "cpu"), "cpu 1 of 2\n");
	rig_ok(&rig, "c");
	rig_refuses(&rig, "c", "the guest is running: stop it first");
	rig_refuses(&rig, "stepi", "the guest is running");
	rig_refuses(&rig, "until main", "the guest is running");
	rig_refuses(&rig, "wait 0", "the guest still runs");
	rig_refuses(&rig, "wait 0.05", "the guest still runs");
	rig_refuses(&rig, "wait x", "usage: wait [TIMEOUT]");
	rig_refuses(&rig, "wait 1 2", "usage: wait");
	rig_start(&rig, "wait");
	ck_assert(!rig.done);
	machine_stop(&rig.f->machine);
	rig_until(&rig, &rig.done);
	ck_assert_int_eq(rig.status, 0);
	rig_has(rig_said(&rig), "cpu 0: stopped at 0x1011 <main+1>\n=> ");
	rig.f->fail_resume = EIO;
	rig_refuses(&rig, "c", "resume refused");
	rig_refuses(&rig, "stepi", "resume refused");
}
END_TEST

START_TEST(stopping)
{
	ck_assert_str_eq(rig_ok(&rig, "stop"), "");
	rig_ok(&rig, "c");
	rig_ok(&rig, "stop");
	rig_has(rig_ok(&rig, "wait 5"), "cpu 0: stopped at 0x1001 <_start+1>\n");
}
END_TEST

START_TEST(stepping)
{
	ck_assert_str_eq(rig_ok(&rig, "stepi"), "cpu 0: => 0x1001 <_start+1>:  add [rax], al\n");
	/* One notice for all. */
	ck_assert_str_eq(rig_ok(&rig, "stepi 10"), "cpu 0: => 0x100b <_start+11>:  add [rax], al\n");
	ck_assert_uint_eq(fake_reg(rig.f, 1, X86_RIP), FAKE_ENTRY);
	rig_ok(&rig, "cpu 1");
	ck_assert_str_eq(rig_ok(&rig, "si 0x3"), "cpu 1: => 0x1003 <_start+3>:  add [rax], al\n");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_RIP), FAKE_ENTRY + 11);
	/* Anything else ends it. */
	rig.f->ram[0x1010] = FAKE_OP_EXIT;
	rig_ok(&rig, "cpu 0");
	fake_set_reg(rig.f, 0, X86_RAX, 3);
	rig_has(rig_ok(&rig, "stepi 100000"), "the guest ended with status 7");
	rig_refuses(&rig, "stepi", "the guest has ended");
	rig_refuses(&rig, "stepi 0", "zero steps");
	rig_refuses(&rig, "stepi x", "no symbol");
	rig_refuses(&rig, "cpu 2", "there is no vCPU 2: the last is 1");
	rig_refuses(&rig, "cpu -1", "there is no vCPU");
}
END_TEST

START_TEST(many_steps_do_not_hold_the_loop)
{
	struct task *t = rig_start(&rig, "stepi 100000000");
	struct out_buf other;

	ck_assert_ptr_nonnull(t);
	for (int i = 0; i < 50; i++)
		uv_run(&rig.loop, UV_RUN_NOWAIT);
	ck_assert(!rig.done);
	ck_assert_uint_gt(fake_reg(rig.f, 0, X86_RIP), FAKE_ENTRY + 50);
	out_buf_init(&other);
	task_interrupt(t);
	rig_until(&rig, &rig.done);
	out_buf_done(&other);
	ck_assert_uint_lt(fake_reg(rig.f, 0, X86_RIP), FAKE_ENTRY + 1000000);
}
END_TEST

START_TEST(until)
{
	ck_assert_str_eq(rig_ok(&rig, "until loop"), "");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: reached 0x1030 <loop>\n=> ");
	ck_assert_uint_eq(rig.f->nbrk, 0);
	/* It goes at any stop, and leaves a breakpoint of the same place alone. */
	rig_ok(&rig, "break counter");
	rig_ok(&rig, "until counter");
	rig_has(rig_ok(&rig, "info breakpoints"), "1   soft  0x2000 <counter>  hits");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: breakpoint 1 at 0x2000 <counter>");
	ck_assert_uint_eq(rig.f->nbrk, 1);
	rig_ok(&rig, "until 0x3000");
	rig_has(rig_ok(&rig, "wait"), "cpu 1: breakpoint 1 at 0x2000 <counter>");
	ck_assert_uint_eq(rig.f->nbrk, 1);
	/* Where there is no memory yet, too. */
	rig_ok(&rig, "until 0x80000");
	ck_assert_uint_eq(rig.f->nbrk, 2);
	rig_ok(&rig, "wait");
	rig_ok(&rig, "until 0x80000");
	rig_ok(&rig, "stop");
	rig_ok(&rig, "wait");
	ck_assert_uint_eq(rig.f->nbrk, 1);
	rig_refuses(&rig, "until", "usage: until EXPR");
	rig_refuses(&rig, "until nosuch", "no symbol");
	rig_refuses(&rig, "until 0x800000000000", "not canonical");
	/* Nothing is left behind when the guest cannot start. */
	rig.f->fail_resume = EIO;
	rig_refuses(&rig, "until main", "resume refused");
	ck_assert_uint_eq(rig.f->nbrk, 1);
}
END_TEST

START_TEST(resetting)
{
	rig_ok(&rig, "break main");
	rig_ok(&rig, "stepi 3");
	rig_ok(&rig, "reset");
	rig_settle(&rig);
	rig_has(rig_said(&rig), "cpu 0: at the start, 0x1000 <_start>\n");
	ck_assert_uint_eq(rig.f->nbrk, 1);
	rig_ok(&rig, "c");
	rig_ok(&rig, "reset");
	rig_settle(&rig);
	rig_has(rig_ok(&rig, "info status"), "cpu 0: at the start");
}
END_TEST

START_TEST(quitting)
{
	rig_refuses(&rig, "quit 3", "a status is for scripts");
	rig_ok(&rig, "quit");
	ck_assert_uint_eq(rig.quits, 0);
	rig_settle(&rig);
	ck_assert_uint_eq(rig.quits, 1);
	rig_ok(&rig, "quit");
	rig_settle(&rig);
	ck_assert_uint_eq(rig.quits, 1);
}
END_TEST

START_TEST(ending)
{
	struct stop_event end = { .reason = STOP_EXIT, .exit_status = 5 };

	rig_ok(&rig, "c");
	rig_start(&rig, "wait");
	fake_inject(rig.f, &end);
	rig_until(&rig, &rig.done);
	ck_assert_str_eq(rig_said(&rig), "cpu 0: the guest ended with status 5\n");
	rig_refuses(&rig, "c", "the guest has ended");
	rig_has(rig_ok(&rig, "info status"), "ended: ");
	rig_ok(&rig, "wait");
	rig_ok(&rig, "info registers");
}
END_TEST

START_TEST(other_stops)
{
	struct stop_event triple = { .reason = STOP_TRIPLE_FAULT, .cpu = 1, .text = "no handler" };
	struct stop_event error = { .reason = STOP_ERROR, .text = "emulation failure" };

	rig_ok(&rig, "c");
	fake_inject(rig.f, &triple);
	rig_has(rig_ok(&rig, "wait"), "cpu 1: triple fault at 0x1000 <_start>: no handler\n=> ");
	rig_ok(&rig, "c");
	fake_inject(rig.f, &error);
	rig_has(rig_ok(&rig, "wait"), "cpu 0: cannot go on at 0x1000 <_start>: emulation failure\n");
	rig_gdb_break(&rig, 0x1010);
	rig_ok(&rig, "c");
	rig_has(rig_ok(&rig, "wait"), "cpu 0: gdb's breakpoint at 0x1010 <main>\n");
}
END_TEST

/* -- on a running guest -- */

START_TEST(running_guest_is_held)
{
	static const char *const lines[] = {
		"info registers", "info cpus", "info mem", "x/4xw counter", "print $rip", "translate main",
		"disas main",
		"set $rax = 5", "write counter 1", "break loop", "hbreak main", "delete", "assert $rax == 5",
	};
	unsigned before;

	rig_ok(&rig, "c");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		before = rig.f->calls.hold;
		rig_ok(&rig, lines[i]);
		ck_assert_msg(rig.f->calls.hold == before + 1, "%s", lines[i]);
		ck_assert_int_eq(rig.f->state, MACHINE_RUNNING);
	}
	rig.f->fail_hold = ETIMEDOUT;
	rig_refuses(&rig, "info registers", "hold refused");
	rig_refuses(&rig, "break main", "hold refused");
	/* These need none. */
	rig_ok(&rig, "info status");
	rig_ok(&rig, "info host");
	rig_ok(&rig, "help");
}
END_TEST

/* -- session -- */

START_TEST(expecting)
{
	rig_refuses(&rig, "expect \"x\"", "\"x\" did not come, and the guest is stopped");
	rig_ok(&rig, "c");
	rig_start(&rig, "expect \"hello\\n\"");
	rig_settle(&rig);
	ck_assert(!rig.done);
	fake_serial_output(rig.f, "hel", 3);
	rig_settle(&rig);
	ck_assert(!rig.done);
	fake_serial_output(rig.f, "lo\nmore", 7);
	rig_until(&rig, &rig.done);
	ck_assert_int_eq(rig.status, 0);
	/* What came before the match is gone, what came after is there. */
	rig_refuses(&rig, "expect hello 0", "hello did not come in time");
	rig_ok(&rig, "expect /^mo+re/ 5");
	rig_refuses(&rig, "expect \"x\" 0.05", "\"x\" did not come in time");
	rig_refuses(&rig, "expect", "a pattern is missing");
	rig_refuses(&rig, "expect \"abc", "closing quote");
	rig_refuses(&rig, "expect /(/", "/(/: ");
	rig_refuses(&rig, "expect a b", "usage: expect");
	rig_refuses(&rig, "expect a 1 2", "usage: expect");
	/* It fails at once when the guest stops, unless it came just before. */
	rig_start(&rig, "expect late");
	fake_serial_output(rig.f, "late", 4);
	machine_stop(&rig.f->machine);
	rig_until(&rig, &rig.done);
	ck_assert_int_eq(rig.status, 0);
	rig_ok(&rig, "c");
	rig_start(&rig, "expect never");
	machine_stop(&rig.f->machine);
	rig_until(&rig, &rig.done);
	ck_assert_int_eq(rig.status, -EPIPE);
	rig_has(rig_said(&rig), "never did not come, and the guest is stopped");
}
END_TEST

START_TEST(asserting)
{
	ck_assert_str_eq(rig_ok(&rig, "assert $rip == _start"), "");
	rig_ok(&rig, "assert 1 some text");
	rig_refuses(&rig, "assert 0 \"it is so\"", "not so: it is so");
	rig_refuses(&rig, "assert 1 == 2", "not so: 1 == 2");
	rig_refuses(&rig, "assert", "usage: assert EXPR [TEXT]");
	rig_refuses(&rig, "assert *0x80000", "is not mapped");
	ck_assert(!rig.malformed);
	rig_refuses(&rig, "assert 1 +", "ends too early");
	ck_assert(rig.malformed);
	rig_refuses(&rig, "assert 1 \"abc", "closing quote");
	rig_refuses(&rig, "assert 1 \"\\q\"", "is not an escape");
	rig_has(rig_run(&rig, "assert -j 2==3 text"),
	    "{\"command\":\"assert\",\"result\":{\"name\":\"text\",\"ok\":false,\"value\":\"0x0\"},"
	    "\"error\":\"not so: text\"}");
}
END_TEST

START_TEST(serial)
{
	rig_ok(&rig, "serial send ls -l\\r");
	ck_assert_uint_eq(rig.f->serial_in_len, 6);
	ck_assert(!memcmp(rig.f->serial_in, "ls -l\r", 6));
	rig_ok(&rig, "serial send \" a\\x00\"");
	ck_assert(!memcmp(rig.f->serial_in + 6, " a\0", 3));
	rig_ok(&rig, "serial send # no comment");
	rig_refuses(&rig, "serial send", "usage: serial send TEXT");
	rig_refuses(&rig, "serial send \\q", "is not an escape");
	rig.f->serial_in_len = FAKE_SERIAL_MAX;
	rig_refuses(&rig, "serial send x", "has not read");
}
END_TEST

START_TEST(not_here)
{
	rig_refuses(&rig, "plan 3", "plan is for scripts");
	rig_refuses(&rig, "console", "console is for the terminal");
	rig_refuses(&rig, "source", "usage: source FILE");
	rig_refuses(&rig, "source /nonexistent/file", "/nonexistent/file: No such file");
	rig_refuses(&rig, "source /", "/: Is a directory");
}
END_TEST

/* -- JSON -- */

static const char *const json_lines[] = {
	"help", "help x", "info registers", "info registers all", "info registers rax eax", "info cpus",
	"info slots", "slot list", "slot add 2 0x10000000 1M log", "slot split 0 64K", "slot check",
	"slot remove 1",
	"dirty peek 3 runs", "dirty take", "dirty heat 3", "dirty diff 3", "dirty who 3",
	"info mem", "info status", "info host", "info breakpoints", "x/10xw counter", "x/3i main", "x/s main",
	"x/2a main",
	"xp/4xb 0", "print 6*7", "print main", "p/t 5", "translate main", "translate 0x80000", "disas main 3",
	"set $rax = 5", "write counter 1 2", "break main", "hbreak loop", "delete", "echo hello", "cpu", "cpu 1",
	"assert 1", "stop", "reset", "serial send x", "wait", "continue", "until main",
};

/* Takes host addresses, and what follows from them, out of TEXT: each to its line's end. */
static void cut_hvas(char *text)
{
	for (char *p = text; p && (p = strstr(p, "hva 0x"));)
		memmove(p, p + strcspn(p, "\n"), strlen(p + strcspn(p, "\n")) + 1);
}

/* The text of a command is what its row renders from the JSON the same command gives with -j. */
START_TEST(text_is_the_rendered_json)
{
	const char *line = json_lines[_i], *name_end;
	char with_j[100], *text, *json;
	const struct cmd *c;
	struct out_buf b;
	struct rig other;
	json_t *v;
	size_t used;

	ck_assert_int_eq(cmd_find(line, strlen(line), &used, &c, NULL), 0);
	name_end = line + used;
	if (*name_end == '/')
		name_end += strcspn(name_end, " ");
	snprintf(with_j, sizeof(with_j), "%.*s -j%s", (int)(name_end - line), line, name_end);
	/* Two machines in the same state; what differs is where the host has put their memory. */
	rig_init(&other, &rig_long64, false);
	rig_ok(&other, "break 0x3000");
	rig_ok(&rig, "break 0x3000");
	for (struct rig *r = &rig; r; r = r == &rig ? &other : NULL) {
		rig_ok(r, "slot add 3 0x20000000 1M log");
		fake_dirty(r->f, 3, 7);
	}
	text = strdup(rig_ok(&rig, line));
	rig_done(&rig);
	json = strdup(rig_ok(&other, with_j));
	rig_done(&other);
	set_up();
	ck_assert_msg(strchr(json, '\n') == json + strlen(json) - 1, "%s", json);
	v = json_loads(json, 0, NULL);
	ck_assert_msg(v, "%s", json);
	ck_assert_str_eq(data_str(v, "command"), c->name);
	ck_assert(!json_object_get(v, "error"));
	out_buf_init(&b);
	if (c->render)
		c->render(json_object_get(v, "result"), &b.out);
	cut_hvas(text);
	cut_hvas(b.text);
	ck_assert_str_eq(b.text ? b.text : "", text);
	out_buf_done(&b);
	json_decref(v);
	free(text);
	free(json);
}
END_TEST

START_TEST(json_mode)
{
	struct rig j;
	json_t *v;
	const char *text;

	rig_init(&j, &rig_long64, true);
	text = rig_ok(&j, "print 1");
	v = json_loads(text, 0, NULL);
	ck_assert_str_eq(data_str(json_object_get(v, "result"), "value"), "0x1");
	json_decref(v);
	v = json_loads(rig_run(&j, "print nosuch"), 0, NULL);
	rig_has(data_str(v, "error"), "no symbol");
	json_decref(v);
	v = json_loads(rig_run(&j, "nosuch"), 0, NULL);
	ck_assert(!json_object_get(v, "command"));
	rig_has(data_str(v, "error"), "no command");
	json_decref(v);
	/* Stops are objects of their own. */
	rig_ok(&j, "break main");
	rig_ok(&j, "c");
	text = rig_ok(&j, "wait");
	v = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
	ck_assert_str_eq(data_str(v, "event"), "stopped");
	ck_assert_str_eq(data_str(v, "reason"), "breakpoint");
	ck_assert_uint_eq(data_u64(v, "number"), 1);
	ck_assert_str_eq(data_str(v, "address"), "0x1010");
	ck_assert_str_eq(data_str(v, "symbol"), "main");
	json_decref(v);
	v = json_loads(strchr(text, '\n') + 1, 0, NULL);
	ck_assert_str_eq(data_str(v, "command"), "wait");
	json_decref(v);
	/* A file name or a text that is no UTF-8 still gives JSON. */
	v = json_loads(rig_ok(&j, "echo \xff\xc3\xa4"), 0, NULL);
	ck_assert_str_eq(data_str(json_object_get(v, "result"), "text"), "\\xff\\xc3\\xa4");
	json_decref(v);
	rig_done(&j);
}
END_TEST

/* -- gdb's `monitor CMD` -- */

struct gdb_call {
	unsigned done;
	int status;
	bool flag;
	struct out_buf out;
};

static void gdb_done(void *arg, int status)
{
	struct gdb_call *g = arg;

	g->done++;
	g->status = status;
	g->flag = true;
}

static void *gdb_start(struct gdb_call *g, const char *line, size_t len)
{
	struct commander *c = monitor_commander(rig.mon);

	out_buf_done(&g->out);
	g->done = 0;
	g->flag = false;
	return c->run(c, line, len, &g->out.out, gdb_done, g);
}

static const char *gdb_run(struct gdb_call *g, const char *line)
{
	void *token = gdb_start(g, line, strlen(line));

	ck_assert(!token == g->flag);
	rig_until(&rig, &g->flag);
	ck_assert_uint_eq(g->done, 1);
	return g->out.text ? g->out.text : "";
}

START_TEST(from_gdb)
{
	struct commander *c = monitor_commander(rig.mon);
	struct gdb_call g = { 0 }, h = { 0 };
	void *token;

	out_buf_init(&g.out);
	out_buf_init(&h.out);
	rig_has(gdb_run(&g, "info registers rip"), "rip      0x1000");
	ck_assert_int_eq(g.status, 0);
	rig_has(gdb_run(&g, "nosuch"), "error: there is no command 'nosuch'");
	ck_assert_int_lt(g.status, 0);
	for (size_t i = 0; i < 4; i++) {
		static const char *const run[] = { "continue", "stepi", "until main", "wait" };

		rig_has(gdb_run(&g, run[i]), "gdb runs the guest here: use its own commands");
		ck_assert_int_eq(g.status, -EPERM);
	}
	ck_assert_uint_eq(rig.f->calls.resume, 0);
	rig_has(gdb_run(&g, "reset"), "maintenance flush register-cache");
	ck_assert_uint_eq(rig.f->calls.reset, 1);
	rig_has(gdb_run(&g, "break main"), "breakpoint 1 at");
	rig_has(gdb_run(&g, "x/2xb 0"), "0x0:");
	rig_has(gdb_run(&g, "x"), "0x2:");
	/* A NUL byte, and a line that is cut by its length only. */
	gdb_start(&g, "echo a\0b", 8);
	rig_has(g.out.text, "NUL byte");
	gdb_start(&g, "echo abc", 6);
	ck_assert_str_eq(g.out.text, "a\n");
	/* Two at a time, one of them given up. */
	rig_settle(&rig);
	rig_ok(&rig, "delete");
	rig_ok(&rig, "c");
	token = gdb_start(&g, "expect one", 10);
	ck_assert_ptr_nonnull(token);
	ck_assert_ptr_nonnull(gdb_start(&h, "expect two", 10));
	c->cancel(c, token);
	ck_assert_uint_eq(g.done, 1);
	ck_assert_int_eq(g.status, -EINTR);
	ck_assert_ptr_null(g.out.text);
	fake_serial_output(rig.f, "one two", 7);
	rig_until(&rig, &h.flag);
	ck_assert_int_eq(h.status, 0);
	ck_assert_uint_eq(g.done, 1);
	/* quit is told after the command is done */
	gdb_run(&g, "quit");
	ck_assert_int_eq(g.status, 0);
	ck_assert_uint_eq(rig.quits, 0);
	rig_settle(&rig);
	ck_assert_uint_eq(rig.quits, 1);
	out_buf_done(&g.out);
	out_buf_done(&h.out);
}
END_TEST

START_TEST(freed_with_commands_waiting)
{
	struct gdb_call g = { 0 };

	out_buf_init(&g.out);
	rig_ok(&rig, "c");
	ck_assert_ptr_nonnull(gdb_start(&g, "expect never", 12));
	rig_start(&rig, "wait");
	rig_done(&rig);
	ck_assert_uint_eq(g.done, 1);
	ck_assert_int_eq(g.status, -EINTR);
	out_buf_done(&g.out);
	set_up();
}
END_TEST

/* -- fuzz -- */

START_TEST(fuzz)
{
	static const char *const parts[] = {
		"info ", "registers ", "cpus", "x", "xp", "/4xb ", "/i ", "/999999s ", "print ", "set ", "$rax ",
		"= ", "main ",
		"break ", "hbreak ", "delete ", "write ", "/g ", "disas ", "translate ", "cr3=", "expect ", "\"",
		"/", "assert ",
		"echo ", "serial ", "send ", "-j ", "# ", "0x1000 ", "-1 ", "(", ")", "*", "cpu ", "help ",
		"stepi ", "until ",
		"continue", "stop", "reset", "plan ", "source ", "0 ", "\\", "\t", "'", "99999999999999999999 ",
		"all ",
	};
	char line[400];

	srand(7);
	for (unsigned round = 0; round < 20000; round++) {
		size_t len = 0;
		int n = rand() % 8 + 1;
		struct task *t;

		for (int i = 0; i < n; i++)
			len += (size_t)snprintf(line + len, sizeof(line) - len, "%s",
						parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))]);
		if (rand() % 5 == 0)
			line[(size_t)rand() % len] = (char)(rand() % 255 + 1);
		t = rig_start(&rig, line);
		if (rand() % 8 == 0)
			uv_run(&rig.loop, UV_RUN_NOWAIT);
		if (t && !rig.done)
			task_cancel(t);
		ck_assert_uint_eq(rig.ended, round + 1);
		ck_assert_uint_eq(rig.f->holds, 0);
		out_buf_done(&rig.out);
		if (rig.f->state == MACHINE_RUNNING && rand() % 2) {
			machine_stop(&rig.f->machine);
			rig_settle(&rig);
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		running, stopping, stepping, many_steps_do_not_hold_the_loop, until, resetting, quitting,
		ending, other_stops, running_guest_is_held, expecting, asserting, serial, not_here,
		json_mode, from_gdb, freed_with_commands_waiting, fuzz,
	};
	Suite *s = suite_create("cmd_run");
	TCase *t = tcase_create("cmd_run");

	tcase_add_checked_fixture(t, set_up, tear_down);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	tcase_add_loop_test(t, text_is_the_rendered_json, 0, (int)(sizeof(json_lines) / sizeof(json_lines[0])));
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	return unit_main(s);
}
