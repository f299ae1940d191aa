/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Symbols and source lines in the monitor, against a fake machine whose main is lines 10 to 41 of main.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/monitor_rig.h"
#include "tests/unit.h"

static struct rig rig;
static char dir[] = "/tmp/gv-source-XXXXXX";
static char source[64];

static void set_up(void)
{
	FILE *f;

	rig_init(&rig, &rig_long64, false);
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(source, sizeof(source), "%s/main.c", dir);
	f = fopen(source, "w");
	ck_assert_ptr_nonnull(f);
	for (int i = 1; i <= 30; i++)
		fprintf(f, "%s %d\n", i == 12 ? "\033[31m\ttwelve" : "this is", i);
	fclose(f);
	rig.f->source = source;
}

static void tear_down(void)
{
	unlink(source);
	rmdir(dir);
	rig_done(&rig);
}

static void at(uint64_t pc)
{
	char line[64];

	snprintf(line, sizeof(line), "set $rip = 0x%llx", (unsigned long long)pc);
	rig_ok(&rig, line);
}

static void is(const char *line, const char *want)
{
	ck_assert_str_eq(rig_ok(&rig, line), want);
}

START_TEST(places_have_lines)
{
	char want[300];

	at(0x1012);
	snprintf(want, sizeof(want), "0x1012 <main+2> %s/main.c:12", dir + 5);
	rig_has(rig_ok(&rig, "info cpus"), want);
	rig_has(rig_ok(&rig, "info registers rip"), want + 7);
	rig_has(rig_ok(&rig, "backtrace 1"), want);
	rig_has(rig_ok(&rig, "break main+2"), want);
	rig_has(rig_ok(&rig, "info breakpoints"), want);
	/* Once for what is of one line, and not where none is known. */
	snprintf(want, sizeof(want), "%s/main.c:12:\n=> 0x1012 <main+2>:  ", dir + 5);
	rig_has(rig_ok(&rig, "disas"), want);
	ck_assert_ptr_null(strstr(rig_ok(&rig, "disas 0x2000 2"), "main.c"));
	ck_assert_ptr_null(strstr(rig_ok(&rig, "x 0x1012"), "main.c"));
}
END_TEST

START_TEST(stops_have_lines)
{
	char want[300];
	const char *said;

	rig_ok(&rig, "break main+3");
	rig_ok(&rig, "continue");
	rig_settle(&rig);
	said = rig_said(&rig);
	snprintf(want, sizeof(want), "breakpoint 1 at 0x1013 <main+3> %s/main.c:13\n=> 0x1013 <main+3>:  ", dir + 5);
	rig_has(said, want);
	rig_ok(&rig, "delete");
	snprintf(want, sizeof(want), "=> 0x1014 <main+4> %s/main.c:14:  ", dir + 5);
	rig_has(rig_ok(&rig, "stepi"), want);
}
END_TEST

START_TEST(symbol_shows_all)
{
	char want[300];

	snprintf(want, sizeof(want), "0x1015 <main+5>, %s:15\n", source);
	is("symbol main+5", want);
	is("symbol main.c:15", want);
	is("symbol counter", "0x2000 <counter>\n");
	rig_refuses(&rig, "symbol 0x5000", "0x5000 is in no symbol, nor of a known line");
	rig_refuses(&rig, "symbol nothing", "there is no symbol 'nothing'");
	rig_refuses(&rig, "symbol", "usage: symbol EXPR");
	rig_refuses(&rig, "symbol main junk", "unexpected");
	rig_ok(&rig, "symbols slide 0x4000");
	snprintf(want, sizeof(want), "0x5015 <main+5>, %s:15, linked at 0x1015\n", source);
	is("symbol main+5", want);
	snprintf(want, sizeof(want), "\"file\":\"%s\",\"line\":15,\"linked\":\"0x1015\"", source);
	rig_has(rig_ok(&rig, "symbol -j main+5"), want);
}
END_TEST

START_TEST(symbols_and_slides)
{
	is("symbols", "symbols of /fake.elf; the program is where they were linked\n");
	is("symbols slide", "symbols of /fake.elf; the program is where they were linked\n");
	is("symbols slide 0x600000", "symbols of /fake.elf; the program is +0x600000 from where they were linked\n");
	is("print main", "0x601010 = 6295568 <main>\n");
	is("symbols slide -4096", "symbols of /fake.elf; the program is -0x1000 from where they were linked\n");
	is("print main", "0x10 = 16 <main>\n");
	rig_has(rig_ok(&rig, "symbols -j"), "\"slide\":\"0xfffffffffffff000\"");
	rig_refuses(&rig, "symbols slide nothing", "there is no symbol 'nothing'");
	rig_refuses(&rig, "symbols slide 1 2", "unexpected '2'");
	ck_assert_uint_eq(rig.f->slide, -4096ull);
	rig_refuses(&rig, "symbols /nothing", "/nothing: No such file");
	is("symbols /fake.sym", "symbols of /fake.sym; the program is -0x1000 from where they were linked\n");
}
END_TEST

/* The breakpoint NUMBER as info breakpoints has it. */
static void is_at(const char *row)
{
	rig_has(rig_ok(&rig, "info breakpoints"), row);
}

START_TEST(named_breakpoints_follow)
{
	struct break_spec spec = { .kind = BREAK_SOFT, .gva = 0x1010, .space = BREAK_ANY_SPACE };

	rig_ok(&rig, "break main");
	rig_ok(&rig, "break 0x1010 if 1");
	rig_ok(&rig, "watch counter");
	rig_ok(&rig, "watch 0x2008,8");
	rig_ok(&rig, "break main.c:12");
	rig_ok(&rig, "break loop");
	rig_ok(&rig, "disable 6");
	rig_said(&rig);
	rig.s.notices = true;
	rig_has(rig_ok(&rig, "symbols slide 0x8000"), "4 breakpoints moved by +0x8000, as the symbols did\n");
	is_at("1   soft  0x9010 <main>");
	is_at("2   soft  0x1010 if 1");
	is_at("3   write  0xa000 <counter>");
	is_at("4   write  0x2008,");
	is_at("5   soft  0x9012 <main+2>");
	is_at("6   soft  0x9030 <loop>  disabled");
	/* The machine has them there, and the other one where it was. */
	ck_assert_ptr_nonnull(brks_of_break(&rig.mon->breaks, &spec, NULL));
	spec.gva = 0x9010;
	ck_assert_ptr_nonnull(brks_of_break(&rig.mon->breaks, &spec, NULL));
	ck_assert_uint_eq(rig.f->nbrk, 3);
	rig_ok(&rig, "enable 6");
	is_at("6   soft  0x9030 <loop>  hits");
	rig_ok(&rig, "symbols slide 0");
	is_at("1   soft  0x1010 <main>");
	/* Nothing moves, nothing is said. */
	ck_assert_ptr_null(strstr(rig_ok(&rig, "symbols slide 0"), "moved"));
}
END_TEST

START_TEST(one_that_cannot_follow)
{
	rig_ok(&rig, "break main");
	rig.s.notices = true;
	rig.f->fail_break = ENOSPC;
	rig_has(rig_ok(&rig, "symbols slide 0x8000"),
		"1 breakpoint moved by +0x8000, as the symbols did; not all could be set: ");
	rig.f->fail_break = 0;
	rig_has(rig_ok(&rig, "info breakpoints"), "main.c:10  disabled");
	rig_ok(&rig, "enable 1");
	rig_has(rig_ok(&rig, "info breakpoints"), "main.c:10  hits");
}
END_TEST

START_TEST(slides_of_others_are_followed)
{
	const uint64_t slide = 0x8000;

	rig_ok(&rig, "break main");
	rig.s.notices = true;
	rig_said(&rig);
	/* A loader, at a reset. */
	machine_sym_slide(&rig.f->machine, &slide);
	rig_ok(&rig, "reset");
	rig_settle(&rig);
	is_at("1   soft  0x9010 <main>");
}
END_TEST

START_TEST(break_by_line)
{
	char want[300];

	snprintf(want, sizeof(want), "breakpoint 1 at 0x1013 <main+3> %s/main.c:13\n", dir + 5);
	is("break main.c:13", want);
	rig_has(rig_ok(&rig, "hbreak main.c:5 if $rax == 0"), "hardware breakpoint 2 at 0x1010 <main>");
	/* Two places are two breakpoints. */
	rig_has(rig_ok(&rig, "tbreak main.c:20 cpu=1 if $rbx"), "temporary breakpoint 3 at 0x101a <main+10>");
	is_at("3   soft  0x101a <main+10> ");
	is_at("4   soft  0x1034 <loop+4> cpu=1 if $rbx  temporary");
	rig_has(rig_ok(&rig, "break -j main.c:20"), "{\"breakpoints\":[{");
	rig_refuses(&rig, "break main.c:20", "breakpoint 5 is there already");
	rig_refuses(&rig, "break other.c:1", "there is no source file 'other.c'");
	rig_refuses(&rig, "break main.c:100", "no code comes from line 100 of 'main.c' or after it");
	rig_refuses(&rig, "break main.c:0", "column");
	rig_refuses(&rig, "break main.c:12 junk", "unexpected 'junk'");
	rig_refuses(&rig, "until main.c:20", "that line is in 2 places, the first at 0x101a");
	ck_assert_uint_eq(rig.mon->breaks.n, 6);
	/* All or none: what was set of several goes again. */
	rig_ok(&rig, "delete");
	rig_ok(&rig, "break loop+4");
	rig_refuses(&rig, "break main.c:20", "is there already");
	ck_assert_uint_eq(rig.mon->breaks.n, 1);
	ck_assert_uint_eq(rig.f->nbrk, 1);
	/* A condition's colon is none of these. */
	rig_ok(&rig, "break 0?1:0x1018");
}
END_TEST

START_TEST(list_shows_the_source)
{
	const char *said;

	at(0x1012);
	said = rig_ok(&rig, "list");
	rig_has(said, "   7      this is 7\n");
	rig_has(said, "=> 12     ?[31m\ttwelve 12\n");
	rig_has(said, "   16     this is 16\n");
	ck_assert_ptr_null(strstr(said, "this is 17\n"));
	said = rig_ok(&rig, "list");
	rig_has(said, "   17     this is 17\n");
	rig_has(said, "   26     this is 26\n");
	ck_assert_ptr_null(strstr(said, "this is 16\n"));
	said = rig_ok(&rig, "l");
	rig_has(said, "   30     this is 30\n");
	rig_refuses(&rig, "list", "ends before line 31: it has 30");
	/* Where the vCPU is now. */
	at(0x1014);
	rig_has(rig_ok(&rig, "list"), "=> 14     this is 14\n");
	rig_has(rig_ok(&rig, "list main.c:2"), "   1      this is 1\n");
	rig_has(rig_ok(&rig, "list main+10"), "   20     this is 20\n");
	said = rig_ok(&rig, "list -j main");
	rig_has(said, "\"current\":14");
	rig_has(said, "{\"line\":10,\"text\":\"this is 10\"}");
}
END_TEST

START_TEST(nothing_to_list)
{
	rig_refuses(&rig, "list counter", "no line of source is known for 0x2000");
	rig_refuses(&rig, "list other.c:3", "there is no source file 'other.c'");
	rig_refuses(&rig, "list main junk", "unexpected 'junk'");
	unlink(source);
	rig_refuses(&rig, "list main", "main.c: No such file");
	ck_assert_int_eq(mkfifo(source, 0600), 0);
	rig_refuses(&rig, "list main", "not a regular file");
	unlink(source);
	ck_assert_int_eq(mkdir(source, 0700), 0);
	rig_refuses(&rig, "list main", "main.c: ");
	rmdir(source);
	ck_assert_int_eq(close(open(source, O_CREAT | O_WRONLY, 0600)), 0);
	rig_refuses(&rig, "list main", "ends before line 5: it has 0");
	ck_assert_int_eq(truncate(source, 100 << 20), 0);
	rig_refuses(&rig, "list main", "larger than 16 MiB");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("symbols");
	TCase *t = tcase_create("symbols");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, places_have_lines);
	tcase_add_test(t, stops_have_lines);
	tcase_add_test(t, symbol_shows_all);
	tcase_add_test(t, symbols_and_slides);
	tcase_add_test(t, named_breakpoints_follow);
	tcase_add_test(t, one_that_cannot_follow);
	tcase_add_test(t, slides_of_others_are_followed);
	tcase_add_test(t, break_by_line);
	tcase_add_test(t, list_shows_the_source);
	tcase_add_test(t, nothing_to_list);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
