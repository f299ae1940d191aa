/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conditions and commands of breakpoints: the packets, what becomes of hits, and of what is printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/trigger.h"
#include "tests/rsp_rig.h"
#include "tests/unit.h"

#define BAD "E16"

#define TRUE     "X3,220127"
#define FALSE    "X3,220027"
/* printf("hi\n") */
#define HI       "Xe,220022003400000568695c6e0027"
#define HI_OUT   "O68690a"

static const uint8_t code[0x100] = { 0 };

static const struct fake_config config64 = {
	.cpus = 2, .ram_size = 0x10000, .image_bits = 64, .mode = MODE_LONG, .code = code, .code_len = sizeof(code),
};

static struct rig r;

static void expect(const char *request, const char *want)
{
	const char *got = rig_ask(&r, request);
	size_t n = strlen(want);
	bool same = n && want[n - 1] == '~' ? !strncmp(got, want, n - 1) : !strcmp(got, want);

	ck_assert_msg(same, "%s: got %.300s, not %s", request, got, want);
}

static void no_acks(void)
{
	r.acks = true;
	expect("QStartNoAckMode", "OK");
	rig_send_raw(&r, "+");
	r.acks = false;
}

/* The first vCPU goes on from 0x1000 to a breakpoint at 0x1020 at the latest. */
static void go(const char *want)
{
	expect("Z0,1020,1", "OK");
	expect("P10=0010000000000000", "OK");
	expect("vCont;c:1", want);
}

#define AT_10 "T05thread:1;core:0;10:1010000000000000;~"
#define AT_20 "T05thread:1;core:0;10:2010000000000000;~"

static const struct {
	const char *packet, *want;
} outcomes[] = {
	{ "Z0,1010,1", AT_10 },
	{ "Z1,1010,1", AT_10 },
	{ "Z0,1010,1;" TRUE, AT_10 },
	{ "Z1,1010,1;" TRUE, AT_10 },
	{ "Z0,1010,1;" FALSE, AT_20 },
	{ "Z1,1010,1;" FALSE, AT_20 },
	/* any of several, as gdb writes them and as its manual does */
	{ "Z0,1010,1;" FALSE TRUE, AT_10 },
	{ "Z0,1010,1;" FALSE ";" TRUE, AT_10 },
	{ "Z0,1010,1;" TRUE FALSE, AT_10 },
	{ "Z0,1010,1;" FALSE FALSE FALSE, AT_20 },
	/* rip == 0x1010; rip == 0x1011 */
	{ "Z0,1010,1;X8,26001023101013" "27", AT_10 },
	{ "Z0,1010,1;X8,26001023101113" "27", AT_20 },
	/* what cannot be evaluated stops, and says why */
	{ "Z0,1010,1;" FALSE "Xb,25ffffffffffffffff1727", "O74686520636f6e646974696f6e~" },
	{ "Z0,1010,1;Xb,25ffffffffffffffff1727", "O74686520636f6e646974696f6e~" },
	{ "Z0,1010,1;X4,26ffff27", "O74686520636f6e646974696f6e~" },
	{ "Z0,1010,1;X6,220122000527", "O74686520636f6e646974696f6e~" },
	{ "Z0,1010,1;X4,2c000127", "O74686520636f6e646974696f6e~" },
	/* commands print and go on; after a condition only when it holds; with an error they go on as well */
	{ "Z0,1010,1;cmds:0," HI, HI_OUT "|" AT_20 },
	{ "Z0,1010,1;cmds:1," HI HI, HI_OUT "686" "90a|" AT_20 },
	{ "Z1,1010,1;" TRUE ";cmds:0," HI, HI_OUT "|" AT_20 },
	{ "Z1,1010,1;" FALSE ";cmds:0," HI, AT_20 },
	{ "Z0,1010,1;cmds:0,Xc,25ffffffffffffffff172927", "O6120636f6d6d616e64~" },
};

START_TEST(test_outcomes)
{
	rig_open(&r, &config64);
	expect(outcomes[_i].packet, "OK");
	go(outcomes[_i].want);
	rig_close(&r);
}
END_TEST

START_TEST(test_captured)
{
	rig_open(&r, &config64);
	/* i == 500 on the stack of a frame; the memory is zero there */
	expect("P6=0080000000000000", "OK");
	expect("Z0,1010,1;X13,26000622100222dc1608021916202301f41327", "OK");
	go(AT_20);
	expect("M7fec,4:f4010000", "OK");
	go(AT_10);
	expect("Z0,1010,1;cmds:1,X30,26000622100222c81608021a26000622100222dc160802191620220022003402000d"
	       "693d256420753d256c755c6e0027", "OK");
	go("O693d35303020753d300a|" AT_20);
	rig_close(&r);
}
END_TEST

START_TEST(test_replacing)
{
	rig_open(&r, &config64);
	expect("Z0,1010,1;" FALSE, "OK");
	expect("Z0,1010,1;" TRUE, "OK");
	go(AT_10);
	expect("Z0,1010,1;" FALSE, "OK");
	go(AT_20);
	expect("Z0,1010,1", "OK");              /* one without conditions drops them */
	go(AT_10);
	expect("Z0,1010,1;" FALSE, "OK");
	expect("z0,1010,1", "OK");              /* and they go with the breakpoint */
	expect("Z0,1010,1", "OK");
	go(AT_10);
	/* of the same address, each kind has its own */
	expect("Z0,1010,1;" FALSE, "OK");
	expect("Z1,1010,1;" TRUE, "OK");
	go(AT_10);
	expect("z1,1010,1", "OK");
	go(AT_20);
	rig_close(&r);
}
END_TEST

START_TEST(test_refused_insertion)
{
	rig_open(&r, &config64);
	expect("Z0,1010,1;" FALSE, "OK");
	r.f->fail_break = 28;
	expect("Z0,1010,1;" TRUE, "E1c");
	expect("Z0,1011,1;" TRUE, "E1c");
	r.f->fail_break = 0;
	go(AT_20);                              /* what was there is there still */
	rig_close(&r);
}
END_TEST

static const char *const bad[] = {
	"Z0,1010,1;", "Z0,1010,1;X", "Z0,1010,1;X3", "Z0,1010,1;X3,", "Z0,1010,1;X3,2201", "Z0,1010,1;X3,2201270",
	"Z0,1010,1;X3,22012g", "Z0,1010,1;X2,220127", "Z0,1010,1;X4,220127", "Z0,1010,1;X,220127",
	"Z0,1010,1;Xffffffffffffffff,220127", "Z0,1010,1;X8000000000000001,2201", "Z0,1010,1;X0,", "Z0,1010,1;Y3,220127",
	"Z0,1010,1;X1,27",                      /* no value */
	"Z0,1010,1;X1,02", "Z0,1010,1;X3,21ffff", "Z0,1010,1;" TRUE ";", "Z0,1010,1;" TRUE "x",
	"Z0,1010,1" TRUE ";cmds", "Z0,1010,1;cmds", "Z0,1010,1;cmds:", "Z0,1010,1;cmds:0", "Z0,1010,1;cmds:0,",
	"Z0,1010,1;cmds:2," HI, "Z0,1010,1;cmds:," HI, "Z0,1010,1;cmds:0" HI, "Z0,1010,1;cmds:0," HI ";",
	"Z0,1010,1;cmds:0," HI ";" TRUE "x", "Z2,1010,4;" TRUE, "Z3,1010,4;" TRUE, "Z4,1010,4;" TRUE, "z0,1010,1;" TRUE,
};

START_TEST(test_bad)
{
	rig_open(&r, &config64);
	expect("Z0,1010,1;" FALSE, "OK");
	expect(bad[_i], BAD);
	go(AT_20);
	rig_close(&r);
}
END_TEST

START_TEST(test_many)
{
	static char packet[100000];
	size_t n;

	rig_open(&r, &config64);
	for (unsigned extra = 0; extra < 2; extra++) {
		n = (size_t)sprintf(packet, "Z0,1010,1;");
		for (unsigned i = 0; i < TRIGGER_EXPRS_MAX + extra; i++)
			n += (size_t)sprintf(packet + n, FALSE);
		expect(packet, extra ? "E07" : "OK");
	}
	go(AT_20);
	/* 1,000 breakpoints with one each */
	for (unsigned i = 0; i < 1000; i++) {
		sprintf(packet, "Z0,%x,1;%s", 0x2000 + i, FALSE);
		expect(packet, "OK");
	}
	go(AT_20);
	rig_close(&r);
}
END_TEST

/* What a command prints is with the client before the stop, however much it is; what does not fit is told of. */
START_TEST(test_overflow)
{
	const char *got;

	rig_open(&r, &config64);
	/* the whole memory is one byte, over and over, so a hit is made as often by putting the breakpoint at many places */
	for (unsigned i = 0; i < 200; i++) {
		char packet[200];

		/* printf("%255d%255d%255d", 1, 1, 1) */
		sprintf(packet, "Z0,%x,1;cmds:0,X1f,220122012201220022003403001025323535642532353564253235356400" "27", 0x1030 + i);
		expect(packet, "OK");
	}
	expect("z0,1020,1", "OK");
	expect("Z0,1100,1", "OK");
	expect("P10=0010000000000000", "OK");
	got = rig_ask(&r, "vCont;c:1");
	ck_assert_ptr_nonnull(strstr(got, "207072696e746564207465787473207765" "7265206c6f73745d0a|T05"));
	ck_assert_uint_gt(strlen(got), 2 * 64000);
	ck_assert_uint_lt(strlen(got), 2 * 70000);
	rig_close(&r);
}
END_TEST

/* -- without a client -- */

static unsigned breaks(void)
{
	struct break_info info;
	unsigned n = 0;

	while (machine_break_list(&r.f->machine, n, &info))
		n++;
	return n;
}

START_TEST(test_leaving)
{
	const struct session_owner none = { 0 };
	struct session_owner owner = { 0 };
	struct triggers *t;
	struct err err;
	char text[256];

	rig_open(&r, &config64);
	session_free(r.s);
	ck_assert_int_eq(triggers_new(&r.f->machine, NULL, NULL, &t, &err), 0);
	owner.triggers = t;
	ck_assert_int_eq(session_new(&r.f->machine, NULL, &owner, &r.s, &err), 0);
	no_acks();
	expect("Z0,1008,1", "OK");
	expect("Z0,1010,1;cmds:0," HI, "OK");
	expect("Z0,1018,1;cmds:1," HI, "OK");
	ck_assert_uint_eq(breaks(), 3);
	/* the guest goes on, over the one that persists, and no further than a stop takes it */
	ck_assert(session_leave(r.s));
	session_free(r.s);
	ck_assert_uint_eq(breaks(), 1);
	ck_assert_int_eq(machine_state(&r.f->machine), MACHINE_RUNNING);
	ck_assert_uint_eq(triggers_take(t, text, sizeof(text)), 2 * 3);
	machine_stop(&r.f->machine);
	machine_poll(&r.f->machine, 0);
	/* the next client can take it away */
	ck_assert_int_eq(session_new(&r.f->machine, NULL, &owner, &r.s, &err), 0);
	no_acks();
	expect("z0,1018,1", "OK");
	ck_assert(session_leave(r.s));
	ck_assert_uint_eq(breaks(), 0);
	session_free(r.s);
	triggers_free(t);
	ck_assert_int_eq(session_new(&r.f->machine, NULL, &none, &r.s, &err), 0);
	rig_close(&r);
}
END_TEST

#define LOOP(tc, test, table) tcase_add_loop_test(tc, test, 0, sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *s = suite_create("trigger");
	TCase *tc = tcase_create("trigger");

	LOOP(tc, test_outcomes, outcomes);
	tcase_add_test(tc, test_captured);
	tcase_add_test(tc, test_replacing);
	tcase_add_test(tc, test_refused_insertion);
	LOOP(tc, test_bad, bad);
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_overflow);
	tcase_add_test(tc, test_leaving);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
