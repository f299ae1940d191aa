/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's commands about a Linux kernel in the guest, against a fake machine. */
#include <errno.h>
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

static void make_kernel(void)
{
	struct fake_machine *f = rig.f;

	f->kernel.known = true;
	f->kernel.info = (struct kernel_info){ .linked = 0xffffffff81000000, .mapped = true, .banner = "Linux version 6.1.0 (a\033b)" };
	f->kernel.task[0] = (struct kernel_task){ .gva = 0xffffffff81a13600, .state = 'R', .kernel = true, .cpu = 0,
						   .comm = "swapper/0" };
	f->kernel.task[1] = (struct kernel_task){ .gva = 0xffff888000188000, .pid = 123456, .tgid = 123456, .parent = 1, .state = 'S',
						   .cpu = 0, .running = true, .comm = "a<b\007\xff" };
	f->kernel.task[2] = (struct kernel_task){ .gva = 0xffff888000189000, .pid = 9, .tgid = 8, .parent = 1, .state = 'D', .cpu = -1,
						   .comm = "lost" };
	f->kernel.ntasks = 3;
}

/* -- info kernel -- */

START_TEST(kernel_told)
{
	rig_refuses(&rig, "info kernel", "there are no symbols of a Linux kernel (--symbols=vmlinux gives them)");
	make_kernel();
	ck_assert_str_eq(rig_ok(&rig, "info kernel"),
			 "Linux version 6.1.0 (a?b)\nruns at 0xffffffff81000000, where it is linked\n");
	rig.f->kernel.info.slide = 0x1c600000;
	ck_assert_str_eq(rig_ok(&rig, "info kernel"),
			 "Linux version 6.1.0 (a?b)\nruns at 0xffffffff9d600000, +0x1c600000 from where it is linked\n");
	ck_assert_str_eq(rig_ok(&rig, "info kernel -j"),
			 "{\"command\":\"info kernel\",\"result\":{\"banner\":\"Linux version 6.1.0 (a\\u001Bb)\","
			 "\"linked\":\"0xffffffff81000000\",\"slide\":\"0x1c600000\",\"mapped\":true}}\n");
	rig.f->kernel.info.mapped = false;
	rig.f->kernel.info.gpa = 0x2600000;
	rig_has(rig_ok(&rig, "info kernel"), "\nwill run at 0xffffffff9d600000, +0x1c600000 from where it is linked; now it is at gpa "
		"0x2600000\n");
	rig_has(rig_ok(&rig, "info kernel -j"), "\"mapped\":false,\"gpa\":\"0x2600000\"");
	rig_refuses(&rig, "info kernel 1", "takes no argument");
}
END_TEST

/* -- info tasks -- */

START_TEST(tasks_listed)
{
	const char *text;

	rig_refuses(&rig, "info tasks", "--symbols=vmlinux");
	make_kernel();
	text = rig_ok(&rig, "info tasks");
	ck_assert_str_eq(text,
			 "      pid    tgid  parent  cpu  state  task_struct         name\n"
			 "        0       0       0    0  R      0xffffffff81a13600  [swapper/0]\n"
			 "*  123456  123456       1    0  S      0xffff888000188000  a<b?\\xff\n"
			 "        9       8       1   -1  D      0xffff888000189000  lost\n");
	for (const char *p = text, *end; *p; p = end + 1) {
		end = strchr(p, '\n');
		ck_assert_int_le(end - p, 80);
	}
	rig_has(rig_ok(&rig, "info tasks -j"),
		"{\"pid\":9,\"tgid\":8,\"parent\":1,\"state\":\"D\",\"kernel\":false,\"cpu\":-1,\"running\":false,\"name\":\"lost\","
		"\"address\":\"0xffff888000189000\"}");
	/* A guest that runs is held for it. */
	rig_ok(&rig, "continue");
	rig_has(rig_ok(&rig, "info tasks"), "swapper/0");
	ck_assert_uint_eq(rig.f->holds, 0);
}
END_TEST

START_TEST(tasks_broken)
{
	make_kernel();
	rig.f->kernel.fail = EBADMSG;
	/* What there is of them, and the error. */
	rig_has(rig_run(&rig, "info tasks"), "lost\nerror: the fake kernel fails\n");
	ck_assert_int_eq(rig.status, -EBADMSG);
	rig.f->kernel.ntasks = 0;
	rig_refuses(&rig, "info tasks", "the fake kernel fails");
}
END_TEST

/* -- info modules -- */

START_TEST(modules_listed)
{
	make_kernel();
	ck_assert_str_eq(rig_ok(&rig, "info modules"), "no modules are loaded\n");
	rig.f->kernel.module[0] = (struct kernel_module){ .gva = 0xffffffffc0000000, .size = 16384, .name = "gv\033", .state = "live" };
	rig.f->kernel.nmodules = 1;
	ck_assert_str_eq(rig_ok(&rig, "info modules"), "0xffffffffc0000000     16384  live      gv?\n");
	rig_has(rig_ok(&rig, "info modules -j"),
		"[{\"name\":\"gv\\u001B\",\"address\":\"0xffffffffc0000000\",\"size\":16384,\"state\":\"live\"}]");
	rig.f->kernel.fail = ENOTSUP;
	rig.f->kernel.nmodules = 0;
	rig_refuses(&rig, "info modules", "the fake kernel fails");
}
END_TEST

/* -- dmesg -- */

static void say(uint64_t number, uint64_t ns, const char *text)
{
	size_t i = rig.f->kernel.nmessages++;

	rig.f->kernel.message[i] = (struct kernel_message){ .number = number, .time_ns = ns, .level = 6, .text = text, .len = strlen(text) };
}

START_TEST(log_shown)
{
	static const struct {
		const char *line, *part;
	} bad[] = {
		{ "dmesg -w 1", "no symbol 'w'" }, { "dmesg 1 2", "unexpected '2'" }, { "dmesg nothing", "nothing" },
	};

	rig_refuses(&rig, "dmesg", "--symbols=vmlinux");
	rig_refuses(&rig, "dmesg -w", "--symbols=vmlinux");
	make_kernel();
	ck_assert_str_eq(rig_ok(&rig, "dmesg"), "the kernel has said nothing\n");
	say(3, 0, "one");
	say(4, 1500000000, "two\nlines\033[m\n");
	say(9, 123456789012345, "");
	ck_assert_str_eq(rig_ok(&rig, "dmesg"),
			 "[    0.000000] one\n[    1.500000] two\n[    1.500000] lines?[m\n[123456.789012] \n");
	ck_assert_str_eq(rig_ok(&rig, "dmesg 1"), "... 2 messages before these\n[123456.789012] \n");
	ck_assert_str_eq(rig_ok(&rig, "dmesg 1+1"),
			 "... 1 message before these\n[    1.500000] two\n[    1.500000] lines?[m\n[123456.789012] \n");
	rig_has(rig_ok(&rig, "dmesg 0 -j"), "{\"earlier\":3,\"messages\":[]}");
	rig_has(rig_ok(&rig, "dmesg -j"),
		"{\"number\":4,\"time_ns\":1500000000,\"level\":6,\"text\":\"two\\nlines\\u001B[m\\n\"}");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		rig_refuses(&rig, bad[i].line, bad[i].part);
	rig.f->kernel.fail = EBADMSG;
	rig_has(rig_run(&rig, "dmesg"), "[123456.789012] \nerror: the fake kernel fails\n");
}
END_TEST

static bool was_said(const char *part)
{
	static char all[1024];
	size_t n = strlen(all);

	strncat(all, rig_said(&rig), sizeof(all) - 1 - n);
	if (!strstr(all, part))
		return false;
	all[0] = '\0';
	return true;
}

START_TEST(log_followed)
{
	struct task *t;

	make_kernel();
	say(0, 0, "first");
	t = rig_start(&rig, "dmesg -w");
	ck_assert_ptr_nonnull(t);
	ck_assert(was_said("[    0.000000] first\n"));
	say(1, 1000, "second");
	while (!was_said("[    0.000001] second\n"))
		uv_run(&rig.loop, UV_RUN_ONCE);
	ck_assert(!strstr(rig_said(&rig), "first"));
	task_interrupt(t);
	rig_until(&rig, &rig.done);
	ck_assert_int_eq(rig.status, 0);
	ck_assert_uint_eq(rig.f->holds, 0);
	/* Nobody could end it. */
	rig.s.from_gdb = true;
	rig_refuses(&rig, "dmesg -w", "Ctrl-C");
}
END_TEST

/* -- whose task -- */

START_TEST(stops_name_tasks)
{
	rig_ok(&rig, "break 0x1004");
	rig_ok(&rig, "continue");
	ck_assert_ptr_null(strstr(rig_ok(&rig, "wait 10"), "pid"));
	make_kernel();
	rig_has(rig_ok(&rig, "info status"), "[a<b?\\xff, pid 123456]\n");
	rig_has(rig_ok(&rig, "info status -j"), "\"task\":{\"name\":\"a<b\\u0007\\\\xff\",\"pid\":123456}");
	rig_has(rig_ok(&rig, "info cpus"), "[a<b?\\xff, pid 123456]\n");
	rig_has(rig_ok(&rig, "info cpus -j"), "\"task\":{");
	rig.f->kernel.fail = EAGAIN;
	ck_assert_ptr_null(strstr(rig_ok(&rig, "info cpus"), "pid"));
}
END_TEST

START_TEST(kinds_caught)
{
	rig_has(rig_ok(&rig, "catch panic"), "catchpoint 1: panic");
	rig_has(rig_ok(&rig, "catch oops if $rax == 1"), "catchpoint 2: oops");
	rig_has(rig_ok(&rig, "catch kernel"), "catchpoint 3: kernel");
	ck_assert_uint_eq(rig.f->ncaught, 3);
	ck_assert_int_eq(rig.f->caught[0].spec.kind, CATCH_PANIC);
	ck_assert_int_eq(rig.f->caught[1].spec.kind, CATCH_OOPS);
	ck_assert_int_eq(rig.f->caught[2].spec.kind, CATCH_KERNEL);
	rig_refuses(&rig, "catch panic 1", "unexpected");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kernel commands");
	TCase *c = tcase_create("monitor");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, kernel_told);
	tcase_add_test(c, tasks_listed);
	tcase_add_test(c, tasks_broken);
	tcase_add_test(c, modules_listed);
	tcase_add_test(c, log_shown);
	tcase_add_test(c, log_followed);
	tcase_add_test(c, stops_name_tasks);
	tcase_add_test(c, kinds_caught);
	suite_add_tcase(s, c);
	return unit_main(s);
}
