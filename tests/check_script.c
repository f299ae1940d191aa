/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scripts against a fake machine: where they stop and with what status, TAP, waiting, source. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/script.h"
#include "tests/monitor_rig.h"
#include "tests/unit.h"

static struct rig rig;
static char dir[] = "/tmp/gv-script-XXXXXX";
static char file[64];           /* dir/s.gv */

/* How the script under test ended. */
static struct {
	bool done;
	unsigned times;
	int status;
	char message[512];
	struct out_buf out;
} end;

static void set_up(void)
{
	struct fake_config config = { .mode = MODE_LONG };

	rig_init(&rig, &config, false);
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/s.gv", dir);
	memset(&end, 0, sizeof(end));
	out_buf_init(&end.out);
}

static void remove_dir(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void tear_down(void)
{
	rig_done(&rig);
	out_buf_done(&end.out);
	remove_dir();
}

static void put_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fwrite(text, 1, len, f);
	fclose(f);
}

static void on_end(void *arg, struct script *s, int status, const char *message)
{
	(void)arg;
	(void)s;
	end.done = true;
	end.times++;
	end.status = status;
	snprintf(end.message, sizeof(end.message), "%s", message);
}

static struct script *begin(const char *text)
{
	struct script *s = NULL;
	struct err err;

	out_buf_done(&end.out);
	end.done = false;
	end.times = 0;
	put_file(file, text, strlen(text));
	ck_assert_int_eq(script_new(rig.mon, &end.out.out, false, true, on_end, NULL, &s, &err), 0);
	ck_assert_int_eq(script_add_file(s, file, &err), 0);
	return s;
}

/* Runs TEXT as a script to its end; returns its output. */
static const char *run(const char *text)
{
	begin(text);
	rig_until(&rig, &end.done);
	ck_assert_uint_eq(end.times, 1);
	return end.out.text ? end.out.text : "";
}

static void ends(const char *text, int status, const char *message)
{
	char full[200];

	run(text);
	snprintf(full, sizeof(full), "%s%s%s", *message ? file : "", *message ? ":" : "", message);
	ck_assert_msg(end.status == status, "'%s': %d, %s", text, end.status, end.message);
	ck_assert_str_eq(end.message, full);
}

static void has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part), "'%s' is not in: %s", part, text);
}

START_TEST(statuses)
{
	ends("", 0, "");
	ends("\n\n# nothing\n   \n", 0, "");
	ends("echo a", 0, "");
	ends("assert 1\nassert $rip == _start\n", 0, "");
	ends("echo a\r\nassert 1\r\n", 0, "");
	/* what it met */
	ends("echo a\nassert 1 == 2\n", 72, "2: not so: 1 == 2");
	ends("\n# c\nassert 0 \"it holds\"\necho no\n", 72, "3: not so: it holds");
	ends("x/x 0x100000\n", 72, "1: no memory at 0x100000");
	ends("print nosuch\n", 72, "1: column 7: there is no symbol 'nosuch'");
	ends("print 1/0\n", 72, "1: column 8: division by zero");
	ends("delete 3\n", 72, "1: there is no breakpoint 3");
	ends("expect \"x\" 1\n", 72, "1: \"x\" did not come, and the guest is stopped");
	ends("console\n", 72, "1: console is for the terminal");
	/* what is wrong with the line */
	ends("echo a\nnosuch\n", 66, "2: there is no command 'nosuch' (help lists them)");
	ends("s\n", 66, "1: 's' could be stop, stepi, symbol, symbols, set, step-irqs, screen, sendkey, slot, source, serial");
	ends("info\n", 66, "1: info: one of registers, cpus, slots, mem, status, host, version, kernel, tasks, modules, breakpoints, exits, debugregs, msrs, devices, pci");
	ends("info cpus now\n", 66, "1: info cpus takes no argument");
	ends("break\n", 66, "1: usage: break EXPR|FILE:LINE [cr3=EXPR] [cpu=N] [if EXPR]");
	ends("print 1+\n", 66, "1: column 9: the expression ends too early");
	ends("x/q 0\n", 66, "1: '/q' is not a format: N, one of xduotcasi, one of bhwg");
	ends("expect\n", 66, "1: a pattern is missing");
	ends("wait x\n", 66, "1: usage: wait [TIMEOUT]");
	ends("source /nonexistent/x\n", 66, "1: /nonexistent/x: No such file or directory");
	/* nothing runs behind a failure */
	ck_assert_str_eq(run("echo one\nassert 0\necho two\n"), "one\n");
	ck_assert_str_eq(run("echo one\nnosuch\necho two\n"), "one\n");
}
END_TEST

START_TEST(strange_files)
{
	char *big = malloc(40000);
	struct script *s;
	struct err err;

	memset(big, 'a', 39999);
	big[39999] = '\0';
	memcpy(big, "echo x\n", 7);
	ends(big, 66, "2: the line is too long");
	free(big);
	put_file(file, "echo a\0b\n", 9);
	end.done = false;
	ck_assert_int_eq(script_new(rig.mon, &end.out.out, false, true, on_end, NULL, &s, &err), 0);
	ck_assert_int_eq(script_add_file(s, file, &err), 0);
	rig_until(&rig, &end.done);
	ck_assert_int_eq(end.status, 66);
	has(end.message, ":1: the line holds a NUL byte");
	ck_assert_int_eq(script_new(rig.mon, &end.out.out, false, true, on_end, NULL, &s, &err), 0);
	ck_assert_int_eq(script_add_file(s, "/nonexistent/x", &err), -ENOENT);
	ck_assert_int_eq(script_add_file(s, dir, &err), -EISDIR);
	ck_assert_int_eq(script_add_file(s, "/dev/null", &err), 0);
	end.done = false;
	rig_until(&rig, &end.done);
	ck_assert_int_eq(end.status, 0);
	/* A script that never began goes, too. */
	ck_assert_int_eq(script_new(rig.mon, &end.out.out, false, true, on_end, NULL, &s, &err), 0);
	script_free(s);
}
END_TEST

START_TEST(commands_of_the_command_line)
{
	static const struct {
		const char *cmd[3];
		int status;
	} rows[] = {
		{ { "echo", "assert 1" }, 0 }, { { "assert 0" }, 72 }, { { "nosuch" }, 64 }, { { "break" }, 64 },
		{ { "assert 1", "print 1+" }, 64 }, { { "quit 9", "nosuch" }, 9 }, { { "" }, 0 },
	};

	/* The script of the command line writes to standard output and error, which is the test's own. */
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig.done = false;
		for (size_t k = 0; k < 3 && rows[i].cmd[k]; k++)
			if (strcmp(rows[i].cmd[k], "echo"))
				ck_assert_int_eq(monitor_execute(rig.mon, rows[i].cmd[k], NULL), 0);
		rig_until(&rig, &rig.done);
		ck_assert_msg(rig.script_status == rows[i].status, "%s: %d", rows[i].cmd[0], rig.script_status);
	}
	/* Files and commands in the order they were given. */
	put_file(file, "set $rax = $rax * 10 + 2\n", 25);
	rig.done = false;
	monitor_execute(rig.mon, "set $rax = 1", NULL);
	ck_assert_int_eq(monitor_script(rig.mon, file, NULL), 0);
	monitor_execute(rig.mon, "set $rax = $rax * 10 + 3", NULL);
	rig_until(&rig, &rig.done);
	ck_assert_int_eq(rig.script_status, 0);
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_RAX), 123);
	ck_assert_int_eq(monitor_script(rig.mon, "/nonexistent/x", NULL), -ENOENT);
}
END_TEST

START_TEST(quitting)
{
	ends("quit\necho no\n", 0, "");
	ends("echo a\nquit 7\nnosuch\n", 7, "");
	ends("quit 256\n", 66, "1: a status is at most 255");
	ends("quit x y\n", 72, "1: column 6: there is no symbol 'x'");
	/* One that is not the command line's ends the program. */
	ck_assert_uint_eq(rig.quits, 1);
}
END_TEST

START_TEST(guest_runs)
{
	const char *out;

	out = run("break main\ncontinue\nwait\nassert $rip == main\nstepi 3\nassert $rip == main + 3\n");
	ck_assert_msg(end.status == 0, "%s", end.message);
	has(out, "breakpoint 1 at 0x1010 <main>\ncpu 0: breakpoint 1 at 0x1010 <main>\n=> ");
	has(out, "=> 0x1013 <main+3>:");
	/* until, stop, reset and stepi return when the guest has stopped; wait on a stopped one at once. */
	run("delete\nuntil loop\nassert $rip == loop\nwait\nwait 5\ncontinue\nstop\nassert $rip > loop\nreset\n"
	    "assert $rip == _start\nuntil 0x2000\nassert $rip == 0x2000\nstepi\nassert $rip == 0x2001\n");
	ck_assert_msg(end.status == 0, "%s", end.message);
	/* continue does not wait, so what needs a stopped guest fails. */
	ends("continue\nstepi\n", 72, "2: the guest is running: stop it first");
	ends("wait 0.05\n", 72, "1: the guest still runs");
	run("stop\n");
	ck_assert_int_eq(end.status, 0);
}
END_TEST

static void start_and_settle(const char *text)
{
	begin(text);
	rig_settle(&rig);
	ck_assert(!end.done);
}

START_TEST(waiting_for_the_guest)
{
	struct stop_event exit_event = { .reason = STOP_EXIT, .exit_status = 3, .text = "left" };

	start_and_settle("continue\nexpect \"login: \"\nserial send root\\r\nexpect /^# $/\nstop\n");
	fake_serial_output(rig.f, "Welcome\r\nlogin", 14);
	rig_settle(&rig);
	ck_assert_uint_eq(rig.f->serial_in_len, 0);
	fake_serial_output(rig.f, ": ", 2);
	rig_settle(&rig);
	ck_assert_uint_eq(rig.f->serial_in_len, 5);
	fake_serial_output(rig.f, "\r\n# \r\n", 6);
	rig_until(&rig, &end.done);
	ck_assert_msg(end.status == 0, "%s", end.message);
	/* The guest's end is what wait waits for, and the end of all hope for expect. */
	start_and_settle("continue\nwait\necho still here\n");
	fake_inject(rig.f, &exit_event);
	rig_until(&rig, &end.done);
	ck_assert_msg(end.status == 0, "%s", end.message);
	has(end.out.text, "the guest ended with status 3\n");
	has(end.out.text, "still here");
	ends("expect \"x\"\n", 72, "1: \"x\" did not come, and the guest has ended");
	ends("continue\n", 72, "1: the guest has ended");
}
END_TEST

START_TEST(expect_fails_with_the_stop)
{
	start_and_settle("continue\nexpect \"never\" 100\n");
	machine_stop(&rig.f->machine);
	rig_until(&rig, &end.done);
	ck_assert_int_eq(end.status, 72);
	has(end.message, ":2: \"never\" did not come, and the guest is stopped");
	/* What it waits for wins when both come at once. */
	start_and_settle("continue\nexpect \"now\" 100\n");
	fake_serial_output(rig.f, "now", 3);
	machine_stop(&rig.f->machine);
	rig_until(&rig, &end.done);
	ck_assert_msg(end.status == 0, "%s", end.message);
}
END_TEST

/* -- TAP -- */

START_TEST(tap)
{
	ck_assert_str_eq(run("plan 2\necho hello\nassert 1 \"one is true\"\nassert $rip == _start\n"),
			 "1..2\n# hello\nok 1 - one is true\nok 2 - $rip == _start\n");
	ck_assert_int_eq(end.status, 0);
	has(run("plan 2\nassert 1 == 2 \"no\"\nassert 1\n"), "1..2\nnot ok 1 - no\n# /tmp/gv-script-");
	ck_assert_int_eq(end.status, 72);
	has(end.out.text, "s.gv:2: not so: no\n");
	ck_assert_ptr_null(strstr(end.out.text, "ok 2"));
	has(run("plan 1\nnosuch\n"), "1..1\nBail out! /tmp/gv-script-");
	ck_assert_int_eq(end.status, 66);
	has(run("plan 1\nassert 1+\n"), "Bail out! ");
	ck_assert_int_eq(end.status, 66);
	/* An assertion that cannot be evaluated is a point that failed. */
	has(run("plan 1\nassert *0x100000\n"), "1..1\nnot ok 1 - *0x100000\n");
	ck_assert_int_eq(end.status, 72);
}
END_TEST

START_TEST(tap_counts)
{
	run("plan 3\nassert 1\n");
	ck_assert_int_eq(end.status, 72);
	has(end.message, "3 test points were planned and 1 run");
	run("plan 1\nassert 1\nassert 1\n");
	ck_assert_int_eq(end.status, 72);
	ends("plan 1\nplan 1\n", 72, "2: there is a plan for 1 test points already");
	ends("plan\n", 66, "1: usage: plan N");
	ends("plan 0\n", 66, "1: a plan has 1 to 100000 test points");
	ends("plan 1000000\n", 66, "1: a plan has 1 to 100000 test points");
}
END_TEST

START_TEST(tap_makes_diagnostics)
{
	const char *out;

	start_and_settle("plan 1\nbreak main\ncontinue\nwait\ncontinue\nexpect \"ready\"\n");
	fake_serial_output(rig.f, "a\r\nready", 8);
	rig_until(&rig, &end.done);
	ck_assert_int_eq(end.status, 0);
	out = end.out.text;
	for (const char *p = out; *p; p = strchr(p, '\n') + 1)
		ck_assert_msg(!strncmp(p, "# ", 2) || !strncmp(p, "ok ", 3) || !strncmp(p, "1..", 3), "%s", p);
	has(out, "# cpu 0: breakpoint 1 at");
	has(out, "ok 1 - \"ready\"\n");
}
END_TEST

/* -- source -- */

static void put_other(const char *name, const char *text)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	put_file(path, text, strlen(text));
}

START_TEST(sourcing)
{
	char text[300];

	put_other("inner", "echo inner\nset $rbx = 5\n");
	put_other("bad", "echo one\nassert 0 \"inside\"\n");
	put_other("wrong", "echo one\n\nnosuch\n");
	put_other("deep", "");
	snprintf(text, sizeof(text), "echo before\nsource %s/inner\necho after\nassert $rbx == 5\n", dir);
	ck_assert_str_eq(run(text), "before\ninner\nafter\n");
	ck_assert_int_eq(end.status, 0);
	snprintf(text, sizeof(text), "source %s/bad\necho no\n", dir);
	ck_assert_str_eq(run(text), "one\n");
	ck_assert_int_eq(end.status, 72);
	has(end.message, "/bad:2: not so: inside");
	snprintf(text, sizeof(text), "source %s/wrong\n", dir);
	run(text);
	ck_assert_int_eq(end.status, 66);
	has(end.message, "/wrong:3: there is no command");
	/* Points of a sourced file count. */
	put_other("points", "assert 1 a\nassert 1 b\n");
	snprintf(text, sizeof(text), "plan 3\nsource %s/points\nassert 1 c\n", dir);
	ck_assert_str_eq(run(text), "1..3\nok 1 - a\nok 2 - b\nok 3 - c\n");
	/* Recursion ends. */
	snprintf(text, sizeof(text), "source %s\n", file);
	run(text);
	ck_assert_int_eq(end.status, 66);
	has(end.message, "scripts nest more than 16 deep");
}
END_TEST

START_TEST(sourcing_from_a_session)
{
	char line[100], text[100];
	const char *said;

	put_file(file, "echo inside\ncontinue\nwait\n", 26);
	snprintf(line, sizeof(line), "source %s", file);
	rig_start(&rig, line);
	rig_settle(&rig);
	ck_assert(!rig.done);
	machine_stop(&rig.f->machine);
	rig_until(&rig, &rig.done);
	ck_assert_int_eq(rig.status, 0);
	said = rig_said(&rig);
	has(said, "inside\n");
	/* The session tells of the stop; its script does not once more. */
	ck_assert_ptr_null(strstr(strstr(said, "stopped at") + 1, "stopped at"));
	put_file(file, "assert 0 \"bad\"\n", 15);
	has(rig_bad(&rig, line), "s.gv:1: not so: bad");
	put_file(file, "quit 3\n", 7);
	has(rig_bad(&rig, line), "the script quit with status 3");
	rig_settle(&rig);
	ck_assert_uint_eq(rig.quits, 1);
	/* Ctrl-C takes the script, too; so does the end of the session. */
	put_file(file, "continue\nexpect never 100\n", 26);
	task_interrupt(rig_start(&rig, line));
	rig_until(&rig, &rig.done);
	ck_assert_int_eq(rig.status, -EINTR);
	ck_assert_ptr_null(rig.mon->scripts);
	rig_start(&rig, line);
	rig_settle(&rig);
	ck_assert_ptr_nonnull(rig.mon->scripts);
	session_close(&rig.s);
	ck_assert_ptr_null(rig.mon->scripts);
	ck_assert_ptr_null(rig.mon->tasks);
	session_open(&rig.s, rig.mon);
	/* gdb runs the guest; a script that gdb starts does not. */
	put_file(file, "echo x\nstepi\n", 13);
	rig.s.from_gdb = true;
	snprintf(text, sizeof(text), "s.gv:2: gdb runs the guest here");
	has(rig_run(&rig, line), text);
}
END_TEST

START_TEST(a_fifo_is_read_as_it_comes)
{
	char path[100];
	struct script *s;
	int fd;

	snprintf(path, sizeof(path), "%s/fifo", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(script_new(rig.mon, &end.out.out, false, true, on_end, NULL, &s, NULL), 0);
	ck_assert_int_eq(script_add_file(s, path, NULL), 0);
	rig_settle(&rig);
	ck_assert_int_eq(write(fd, "echo one\nec", 11), 11);
	rig_settle(&rig);
	ck_assert_str_eq(end.out.text, "one\n");
	ck_assert_int_eq(write(fd, "ho two", 6), 6);
	rig_settle(&rig);
	ck_assert_str_eq(end.out.text, "one\n");
	close(fd);
	rig_until(&rig, &end.done);
	ck_assert_str_eq(end.out.text, "one\ntwo\n");
	ck_assert_int_eq(end.status, 0);
}
END_TEST

START_TEST(long_scripts_leave_the_loop_free)
{
	char *text = malloc(20 * 10000 + 1), *p = text;
	unsigned turns = 0;

	for (int i = 0; i < 10000; i++)
		p += sprintf(p, "set $rax = $rax+1\n");
	begin(text);
	free(text);
	while (!end.done) {
		uv_run(&rig.loop, UV_RUN_NOWAIT);
		turns++;
	}
	ck_assert_uint_gt(turns, 100);
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_RAX), 10000);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		statuses, strange_files, commands_of_the_command_line, quitting, guest_runs, waiting_for_the_guest,
		expect_fails_with_the_stop, tap, tap_counts, tap_makes_diagnostics, sourcing,
		sourcing_from_a_session,
		a_fifo_is_read_as_it_comes, long_scripts_leave_the_loop_free,
	};
	Suite *s = suite_create("script");
	TCase *t = tcase_create("script");

	tcase_add_checked_fixture(t, set_up, tear_down);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	return unit_main(s);
}
