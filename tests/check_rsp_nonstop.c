/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Non-stop mode, threads of processes, and extended mode. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/rsp_rig.h"
#include "tests/unit.h"

static const struct fake_config config4 = { .cpus = 4, .image_bits = 64, .mode = MODE_LONG };

/* A stop reply or notification without its registers, which are cut out wherever they are. */
static const char *bare(const char *text)
{
	static char out[1024];
	char *to = out;

	while (*text) {
		if (!strncmp(text, ";10:", 4)) {
			*to++ = ';';
			text = rig_skip_registers(text + 1);
		} else {
			*to++ = *text++;
		}
		ck_assert_uint_lt((size_t)(to - out), sizeof(out));
	}
	*to = '\0';
	return out;
}

static const char *ask(struct rig *r, const char *packet)
{
	return bare(rig_ask(r, packet));
}

static const char *turn(struct rig *r)
{
	const char *got = rig_poll(r);

	/* what a stop left over is done when the machine has said that it runs */
	return *got ? bare(got) : bare(rig_poll(r));
}

static void begin(struct rig *r)
{
	rig_open(r, &config4);
	ck_assert_str_eq(rig_ask(r, "QNonStop:1"), "OK");
	ck_assert_str_eq(ask(r, "?"), "T05thread:1;core:0;");
	ck_assert_str_eq(ask(r, "vStopped"), "OK|%Stop:T00thread:2;core:1;");
	ck_assert_str_eq(ask(r, "vStopped"), "T00thread:3;core:2;");
	ck_assert_str_eq(ask(r, "vStopped"), "T00thread:4;core:3;");
	ck_assert_str_eq(ask(r, "vStopped"), "OK");
}

/* The machine stops when nothing runs, and the others' actions are as the client left them. */
static void check_actions(struct rig *r, const char *want)
{
	char got[8] = "";

	machine_poll(&r->f->machine, 0);
	machine_poll(&r->f->machine, 0);
	for (unsigned i = 0; i < 4; i++)
		got[i] = r->f->state != MACHINE_RUNNING ? '-' : "-csr"[r->f->cpu[i].action.kind];
	ck_assert_str_eq(got, want);
	ck_assert_uint_eq(r->f->holds, 0);
}

START_TEST(test_status)
{
	struct rig r;

	begin(&r);
	/* asked again, from the start */
	ck_assert_str_eq(ask(&r, "?"), "T05thread:1;core:0;");
	ck_assert_str_eq(ask(&r, "vStopped"), "OK|%Stop:T00thread:2;core:1;");
	ck_assert_str_eq(ask(&r, "vCont;c"), "OK");
	ck_assert_str_eq(ask(&r, "?"), "OK");
	ck_assert_str_eq(ask(&r, "vStopped"), "OK");
	rig_close(&r);
}
END_TEST

START_TEST(test_stop_one_by_one)
{
	struct rig r;

	begin(&r);
	ck_assert_str_eq(ask(&r, "vCont;c"), "OK");
	check_actions(&r, "cccc");
	ck_assert_str_eq(ask(&r, "vCont;t:2"), "OK|%Stop:T00thread:2;core:1;");
	check_actions(&r, "c-cc");
	/* one notification at a time */
	ck_assert_str_eq(ask(&r, "vCont;t:3"), "OK");
	check_actions(&r, "c--c");
	ck_assert_str_eq(ask(&r, "vStopped"), "T00thread:3;core:2;");
	ck_assert_str_eq(ask(&r, "vCont;t:3"), "OK");   /* it does already */
	ck_assert_str_eq(ask(&r, "vStopped"), "OK");
	ck_assert_str_eq(ask(&r, "vCont;t"), "OK|%Stop:T00thread:1;core:0;");
	ck_assert_str_eq(ask(&r, "vStopped"), "T00thread:4;core:3;");
	ck_assert_str_eq(ask(&r, "vStopped"), "OK");
	check_actions(&r, "----");
	ck_assert_int_eq(r.f->state, MACHINE_STOPPED);
	ck_assert_str_eq(turn(&r), "");
	rig_close(&r);
}
END_TEST

static const struct {
	const char *request, *actions;
} resumes[] = {
	{ "vCont;c:3", "--c-" },
	{ "vCont;c:p1.3", "--c-" },
	{ "vCont;c:p1.-1", "cccc" },
	{ "vCont;c:1;c:4", "c--c" },
	{ "vCont;t:1;c", "-ccc" },              /* the leftmost that fits, though it changes nothing */
	{ "vCont;c:0", "c---" },
};

START_TEST(test_resume)
{
	struct rig r;

	begin(&r);
	ck_assert_str_eq(ask(&r, resumes[_i].request), "OK");
	check_actions(&r, resumes[_i].actions);
	ck_assert_str_eq(turn(&r), "");
	rig_close(&r);
}
END_TEST

/* A step of one while others run; they run on. */
START_TEST(test_step_beside)
{
	struct rig r;

	begin(&r);
	ck_assert_str_eq(ask(&r, "vCont;c:1;c:2"), "OK");
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_str_eq(ask(&r, "vCont;s:4"), "OK|%Stop:T05thread:4;core:3;");
		ck_assert_uint_eq(fake_reg(r.f, 3, X86_RIP), FAKE_ENTRY + i + 1);
		ck_assert_str_eq(ask(&r, "vStopped"), "OK");
		check_actions(&r, "cc--");
	}
	rig_close(&r);
}
END_TEST

/* What one vCPU was doing it goes on doing when another one stops. */
START_TEST(test_range_beside)
{
	struct rig r;

	begin(&r);
	ck_assert_str_eq(ask(&r, "vCont;r1000,2000:1;s:2"), "OK|%Stop:T05thread:2;core:1;");
	ck_assert_str_eq(ask(&r, "vStopped"), "OK");
	ck_assert_str_eq(turn(&r), "%Stop:T05thread:1;core:0;");
	ck_assert_uint_eq(fake_reg(r.f, 0, X86_RIP), 0x2000);
	ck_assert_uint_eq(fake_reg(r.f, 1, X86_RIP), FAKE_ENTRY + 1);
	rig_close(&r);
}
END_TEST

/* The stop that attaching asked for is told of when the client asks, not before. */
START_TEST(test_attach_running)
{
	struct run_action acts[MACHINE_CPUS_MAX] = { [0 ... 3] = { .kind = ACT_CONT } };
	struct rig r = { .f = fake_new(&config4) };

	ck_assert_int_eq(machine_resume(&r.f->machine, acts, NULL), 0);
	rig_attach(&r, NULL);
	ck_assert_str_eq(ask(&r, "QNonStop:1"), "OK");
	ck_assert_str_eq(turn(&r), "");
	ck_assert_int_eq(r.f->state, MACHINE_STOPPED);
	ck_assert_str_eq(ask(&r, "?"), "T02thread:1;core:0;");
	ck_assert_str_eq(ask(&r, "vStopped"), "OK|%Stop:T00thread:2;core:1;");
	rig_close(&r);
}
END_TEST

/* Each of those that come to it stops, one notification after the other, and no other does. */
START_TEST(test_hits)
{
	struct rig r;

	begin(&r);
	rig_ask(&r, "qSupported:swbreak+");
	fake_set_reg(r.f, 3, X86_RIP, 0x2000);
	ck_assert_str_eq(ask(&r, "vCont;c:4"), "OK");
	/* with one running, breakpoints are set as well */
	ck_assert_str_eq(ask(&r, "Z0,1010,1"), "OK");
	ck_assert_uint_eq(r.f->nbrk, 1);
	check_actions(&r, "---c");
	ck_assert_str_eq(ask(&r, "vCont;c:1;c:2"), "OK|%Stop:T05thread:1;core:0;swbreak:;");
	check_actions(&r, "---c");
	ck_assert_str_eq(ask(&r, "vStopped"), "T05thread:2;core:1;swbreak:;");
	ck_assert_str_eq(ask(&r, "vStopped"), "OK");
	/* on, over the breakpoint, and nobody hears of them again */
	ck_assert_str_eq(ask(&r, "vCont;c:1"), "OK");
	check_actions(&r, "c--c");
	ck_assert_str_eq(turn(&r), "");
	rig_close(&r);
}
END_TEST

/* Registers and memory of what is stopped while others run, whose thread stays as the client chose it. */
START_TEST(test_look_meanwhile)
{
	struct rig r;

	begin(&r);
	fake_set_reg(r.f, 1, X86_RAX, 0x77);
	ck_assert_str_eq(ask(&r, "Hg2"), "OK");
	ck_assert_str_eq(ask(&r, "vCont;c:1;c:3"), "OK");
	ck_assert_str_eq(ask(&r, "p0"), "7700000000000000");
	ck_assert_str_eq(ask(&r, "P0=7800000000000000"), "OK");
	ck_assert_str_eq(ask(&r, "M2000,2:abcd"), "OK");
	ck_assert_str_eq(ask(&r, "m2000,2"), "abcd");
	check_actions(&r, "c-c-");
	ck_assert_str_eq(ask(&r, "vCont;t:3"), "OK|%Stop:T00thread:3;core:2;");
	ck_assert_str_eq(ask(&r, "vStopped"), "OK");
	ck_assert_str_eq(ask(&r, "p0"), "7800000000000000");
	r.f->fail_hold = ETIMEDOUT;
	ck_assert_str_eq(ask(&r, "p0"), "E6e");
	ck_assert_str_eq(ask(&r, "vCont;t:1"), "E6e");
	ck_assert_str_eq(ask(&r, "vCont;c:3"), "E6e");
	r.f->fail_hold = 0;
	check_actions(&r, "c---");
	/* and they still are what they were */
	ck_assert_str_eq(ask(&r, "vCont;c:3"), "OK");
	ck_assert_str_eq(ask(&r, "vCont;t:1"), "OK|%Stop:T00thread:1;core:0;");
	check_actions(&r, "--c-");
	rig_close(&r);
}
END_TEST

START_TEST(test_ctrl_c)
{
	struct rig r;

	begin(&r);
	ck_assert_str_eq(ask(&r, "vCtrlC"), "OK");
	ck_assert_str_eq(ask(&r, "vCont;c:2;c:3"), "OK");
	ck_assert_str_eq(ask(&r, "vCtrlC"), "OK|%Stop:T02thread:2;core:1;");
	ck_assert_str_eq(ask(&r, "vStopped"), "OK");
	check_actions(&r, "--c-");
	rig_send_raw(&r, "\x03");
	ck_assert_str_eq(bare(rig_take(&r)), "%Stop:T02thread:3;core:2;");
	ck_assert_str_eq(ask(&r, "vStopped"), "OK");
	check_actions(&r, "----");
	rig_close(&r);
}
END_TEST

static const struct {
	struct stop_event event;
	const char *told;               /* of threads 2 and 3, which run; joined by '|' */
	const char *actions;
} events[] = {
	{ { .reason = STOP_WATCH, .cpu = 2, .owners = BREAK_OWNER_GDB,
	    .watch = { .spec = { .kind = WATCH_WRITE, .gva = 0x5000, .size = 8 }, .write = true, .gva = 0x5000 } },
	  "%Stop:T05thread:3;core:2;watch:5000;", "-c--" },
	/* the monitor's, and what concerns all, stops all */
	{ { .reason = STOP_CATCH, .cpu = 2, .catch_id = 1 }, "%Stop:T00thread:2;core:1;|T05thread:3;core:2;", "----" },
	{ { .reason = STOP_TRIPLE_FAULT, .cpu = 1, .text = "triple" },
	  "%Stop:T0bthread:2;core:1;|T00thread:3;core:2;", "----" },
	{ { .reason = STOP_WATCH, .cpu = 1, .owners = BREAK_OWNER_MONITOR | BREAK_OWNER_GDB,
	    .watch = { .spec = { .kind = WATCH_READ, .gva = 0x5000, .size = 8 }, .gva = 0x5000 } },
	  "%Stop:T05thread:2;core:1;rwatch:5000;|T00thread:3;core:2;", "----" },
	{ { .reason = STOP_EXIT, .cpu = 1, .exit_status = 7 }, "%Stop:W07", "----" },
};

START_TEST(test_event)
{
	char told[512];
	struct rig r;

	begin(&r);
	ck_assert_str_eq(ask(&r, "vCont;c:2;c:3"), "OK");
	fake_inject(r.f, &events[_i].event);
	strcpy(told, turn(&r));
	for (;;) {
		const char *next = ask(&r, "vStopped");

		if (!strcmp(next, "OK"))
			break;
		strcat(strcat(told, "|"), next);
	}
	ck_assert_str_eq(told, events[_i].told);
	check_actions(&r, events[_i].actions);
	rig_close(&r);
}
END_TEST

/* A stop that nobody has heard of is none when the vCPU is resumed again. */
START_TEST(test_resumed_unheard)
{
	struct rig r;

	begin(&r);
	ck_assert_str_eq(ask(&r, "vCont;c"), "OK");
	ck_assert_str_eq(ask(&r, "vCont;t:1;t:2"), "OK|%Stop:T00thread:1;core:0;");
	ck_assert_str_eq(ask(&r, "vCont;c:2"), "OK");
	ck_assert_str_eq(ask(&r, "vStopped"), "OK");
	check_actions(&r, "-ccc");
	rig_close(&r);
}
END_TEST

/* Stopped to the last and resumed before the machine has come to a stop. */
START_TEST(test_stop_and_go)
{
	struct rig r;

	begin(&r);
	for (unsigned i = 0; i < 20; i++) {
		rig_send_raw(&r, "$vCont;c#a8$vCont;t#b9$vStopped#55$vCont;c#a8");
		rig_take(&r);
		check_actions(&r, "cccc");
		rig_ask(&r, "vCont;t");
		for (unsigned k = 0; k < 4; k++)
			rig_ask(&r, "vStopped");
		check_actions(&r, "----");
	}
	rig_close(&r);
}
END_TEST

/* Output may not stream: it is the reply, as much as fits. */
START_TEST(test_command)
{
	struct rig r;

	begin(&r);
	ck_assert_str_eq(ask(&r, "qRcmd,6563686f206869"), "68690a");            /* "echo hi" */
	ck_assert_str_eq(ask(&r, "qRcmd,6f74686572"), "OK");
	ck_assert_str_eq(ask(&r, "qRcmd,6661696c"), "6e6f207375636820" "7468696e670a"); /* "fail" */
	ck_assert_uint_eq(strlen(rig_ask(&r, "qRcmd,626967")), SESSION_PACKET_SIZE);
	rig_close(&r);
}
END_TEST

/* Whoever leaves lets all go, also those that it had stopped. */
START_TEST(test_leave)
{
	struct rig r;

	begin(&r);
	ck_assert_str_eq(ask(&r, "vCont;c:2"), "OK");
	ck_assert_str_eq(ask(&r, "D;1"), "OK");
	check_actions(&r, "cccc");
	rig_close(&r);

	begin(&r);
	ck_assert_str_eq(ask(&r, "vCont;c:2"), "OK");
	rig_send_raw(&r, "$vCont;t#b9");        /* and the machine's own stop is still to come */
	ck_assert(session_leave(r.s));
	check_actions(&r, "cccc");
	rig_close(&r);
}
END_TEST

START_TEST(test_switch_back)
{
	struct rig r;

	begin(&r);
	ck_assert_str_eq(ask(&r, "QNonStop:1"), "OK");
	ck_assert_str_eq(ask(&r, "vCont;c:2"), "OK");
	ck_assert_str_eq(ask(&r, "QNonStop:0"), "OK");
	ck_assert_str_eq(ask(&r, "QNonStop:0"), "OK");
	ck_assert_str_eq(turn(&r), "");
	ck_assert_int_eq(r.f->state, MACHINE_STOPPED);
	ck_assert_str_eq(ask(&r, "vCont;s:1"), "T05thread:1;core:0;");
	rig_close(&r);
}
END_TEST

/* -- processes -- */

static const struct {
	const char *request, *reply;
} processes[] = {
	{ "qC", "QCp1.1" },
	{ "qfThreadInfo", "mp1.1,p1.2,p1.3,p1.4" },
	{ "?", "T05thread:p1.1;core:0;" },
	{ "Hgp1.3", "OK" },
	{ "Hgp0.0", "OK" },
	{ "Hcp1.-1", "OK" },
	{ "Hcp-1.-1", "OK" },
	{ "Hgp1.5", "E16" },
	{ "Hgp2.1", "E16" },
	{ "Hgp-1.1", "E16" },
	{ "Hgp", "E16" },
	{ "Hgp1.", "E16" },
	{ "Hgpp1.1", "E16" },
	{ "Hgp1.1.1", "E16" },
	{ "Tp1.4", "OK" },
	{ "Tp1.5", "E16" },
	{ "Tp2.1", "E16" },
	{ "vCont;s:p1.2", "T05thread:p1.2;core:1;" },
	{ "vCont;s:p1.2;c:p1.-1", "T05thread:p1.2;core:1;" },
	{ "qThreadExtraInfo,p1.2", "43505523" "31205b73746f707065645d" },
	{ "qAttached:1", "1" },
	{ "vAttach;1", "T05thread:p1.1;core:0;" },
	{ "D;1", "OK" },
};

START_TEST(test_process)
{
	struct rig r;

	rig_open(&r, &config4);
	ck_assert_ptr_nonnull(strstr(rig_ask(&r, "qSupported:multiprocess+"), ";multiprocess+"));
	ck_assert_str_eq(ask(&r, processes[_i].request), processes[_i].reply);
	rig_close(&r);
}
END_TEST

START_TEST(test_process_names)
{
	const struct stop_event left = { .reason = STOP_EXIT, .exit_status = 7 };
	struct rig r;

	rig_open(&r, &config4);
	ck_assert_ptr_null(strstr(rig_ask(&r, "qSupported:xmlRegisters=i386"), "multiprocess+"));
	ck_assert_ptr_nonnull(strstr(rig_ask(&r, "qXfer:threads:read::0,1000"), "id=\"2\""));
	rig_ask(&r, "qSupported:multiprocess+");
	ck_assert_ptr_nonnull(strstr(rig_ask(&r, "qXfer:threads:read::0,1000"), "id=\"p1.2\""));
	ck_assert_str_eq(ask(&r, "vCont;c"), "");
	fake_inject(r.f, &left);
	ck_assert_str_eq(turn(&r), "W07;process:1");
	rig_close(&r);
}
END_TEST

/* -- what is wrong -- */

static const char *const refused[] = {
	"QNonStop", "QNonStop:", "QNonStop:2", "QNonStop:11", "QNonStop;1", "vStopped", "vStopped:x", "vCtrlC;1",
	"QThreadEvents", "QThreadEvents:", "QThreadEvents:2", "R00", "vRun", "vRun;", "vAttach", "vAttach;", "vAttach;x",
	"vAttach;2", "vAttach;1;1", "vAttach;100000000000000000", "vKill", "vKill;", "vKill;2", "vKill;0", "D;2", "D;", "D;x",
	"vCont;t", "vCont;t:1;c", "!x", "vCont;c:p1.9", "vCont;c:p9",
};

START_TEST(test_refused)
{
	const char *got;
	struct rig r;

	rig_open(&r, &config4);
	got = rig_ask(&r, refused[_i]);
	ck_assert_msg(!*got || *got == 'E', "%s: %s", refused[_i], got);
	ck_assert_uint_eq(r.f->calls.resume + r.f->calls.redirect + r.f->calls.reset, 0);
	ck_assert_str_eq(rig_ask(&r, "qC"), "QC1");
	rig_close(&r);
}
END_TEST

static const char *const refused_nonstop[] = {
	"c", "s", "c1000", "C05", "vCont", "vCont;", "vCont;x", "vCont;t:9", "vCont;t:1,", "vCont;t;;c", "vStopped;",
};

START_TEST(test_refused_nonstop)
{
	const char *got;
	struct rig r;

	begin(&r);
	got = rig_ask(&r, refused_nonstop[_i]);
	ck_assert_msg(!*got || *got == 'E', "%s: %s", refused_nonstop[_i], got);
	ck_assert_uint_eq(r.f->calls.resume + r.f->calls.redirect, 0);
	check_actions(&r, "----");
	rig_close(&r);
}
END_TEST

/* -- extended mode -- */

static void begin_extended(struct rig *r)
{
	rig_open(r, &config4);
	ck_assert_str_eq(rig_ask(r, "!"), "OK");
}

START_TEST(test_run)
{
	struct rig r;

	begin_extended(&r);
	ck_assert_str_eq(ask(&r, "vCont;s:2"), "T05thread:2;core:1;");
	ck_assert_str_eq(ask(&r, "M2000,1:55"), "OK");
	ck_assert_str_eq(ask(&r, "vRun;"), "T05thread:1;core:0;");
	ck_assert_uint_eq(r.f->calls.reset, 1);
	ck_assert_str_eq(ask(&r, "m2000,1"), "00");
	ck_assert_uint_eq(fake_reg(r.f, 1, X86_RIP), FAKE_ENTRY);
	ck_assert_str_eq(turn(&r), "");
	/* by its name: the image's, or where symbols come from; arguments are no matter */
	ck_assert_str_eq(ask(&r, "vRun;66616b652e696d67;61"), "T05thread:1;core:0;");
	ck_assert_str_eq(ask(&r, "vRun;2f66616b652e656c66"), "T05thread:1;core:0;");
	ck_assert_str_eq(ask(&r, "vRun;66616b652e656c66"), "T05thread:1;core:0;");
	ck_assert_uint_eq(r.f->calls.reset, 4);
	ck_assert_int_eq(*ask(&r, "vRun;2f62696e2f7368"), 'E');
	ck_assert_int_eq(*ask(&r, "vRun;2f6"), 'E');
	ck_assert_uint_eq(r.f->calls.reset, 4);
	/* while it runs */
	ck_assert_str_eq(ask(&r, "vCont;c"), "");
	ck_assert_str_eq(ask(&r, "vRun;"), "T05thread:1;core:0;");
	ck_assert_str_eq(turn(&r), "");
	ck_assert_str_eq(ask(&r, "vCont;c"), "");
	ck_assert_str_eq(ask(&r, "R00"), "");
	ck_assert_str_eq(ask(&r, "?"), "T05thread:1;core:0;");
	rig_close(&r);
}
END_TEST

START_TEST(test_run_ended)
{
	const struct stop_event left = { .reason = STOP_EXIT, .exit_status = 7 };
	struct rig r;

	begin_extended(&r);
	ck_assert_str_eq(ask(&r, "vCont;c"), "");
	fake_inject(r.f, &left);
	ck_assert_str_eq(turn(&r), "W07");
	ck_assert_str_eq(ask(&r, "?"), "W07");
	ck_assert_str_eq(ask(&r, "qfThreadInfo"), "l");
	ck_assert_ptr_null(strstr(rig_ask(&r, "qXfer:threads:read::0,1000"), "id="));
	ck_assert_str_eq(ask(&r, "vRun;"), "E.the guest has ended");
	rig_close(&r);
}
END_TEST

/* Killed, the guest stands at its beginning, and the client may begin anew. */
START_TEST(test_kill)
{
	static const char *const kills[] = { "vKill;1", "k" };
	struct rig r;

	for (unsigned i = 0; i < 2; i++) {
		begin_extended(&r);
		ck_assert_str_eq(ask(&r, "Z0,1010,1"), "OK");
		ck_assert_str_eq(ask(&r, "vCont;s:1"), "T05thread:1;core:0;");
		ck_assert_str_eq(ask(&r, kills[i]), i ? "" : "OK");
		ck_assert_int_eq(session_end(r.s), SESSION_ON);
		ck_assert_int_eq(r.f->state, MACHINE_STOPPED);
		ck_assert_uint_eq(r.f->nbrk, 0);
		ck_assert_uint_eq(r.f->calls.reset, 1);
		ck_assert_str_eq(turn(&r), "");
		ck_assert_str_eq(ask(&r, "?"), "W00");
		ck_assert_str_eq(ask(&r, "qfThreadInfo"), "l");
		ck_assert_str_eq(ask(&r, "vRun;"), "T05thread:1;core:0;");
		ck_assert_str_eq(ask(&r, "qfThreadInfo"), "m1,2,3,4");
		rig_close(&r);
	}
}
END_TEST

/* Detached the guest runs, without gdb's breakpoints; attached again, it stops. */
START_TEST(test_detach_attach)
{
	struct rig r;

	begin_extended(&r);
	ck_assert_str_eq(ask(&r, "Z0,1010,1"), "OK");
	ck_assert_str_eq(ask(&r, "D;1"), "OK");
	ck_assert_int_eq(session_end(r.s), SESSION_ON);
	check_actions(&r, "cccc");
	ck_assert_uint_eq(r.f->nbrk, 0);
	ck_assert_str_eq(ask(&r, "?"), "W00");
	ck_assert_str_eq(ask(&r, "vAttach;1"), "");
	ck_assert_str_eq(turn(&r), "T02thread:1;core:0;");
	ck_assert_str_eq(ask(&r, "vAttach;1"), "T02thread:1;core:0;");
	/* a stop that is on its way is undone */
	ck_assert_str_eq(ask(&r, "vCont;c"), "");
	rig_send_raw(&r, "\x03");
	ck_assert_str_eq(ask(&r, "D;1"), "OK");
	ck_assert_str_eq(turn(&r), "");
	check_actions(&r, "cccc");
	rig_close(&r);
}
END_TEST

START_TEST(test_extended_nonstop)
{
	struct rig r;

	begin(&r);
	ck_assert_str_eq(rig_ask(&r, "!"), "OK");
	ck_assert_str_eq(ask(&r, "vCont;c:2"), "OK");
	ck_assert_str_eq(ask(&r, "vRun;"), "T05thread:1;core:0;");
	ck_assert_str_eq(turn(&r), "");
	check_actions(&r, "----");
	ck_assert_str_eq(ask(&r, "vCont;c"), "OK");
	check_actions(&r, "cccc");
	ck_assert_str_eq(ask(&r, "vKill;1"), "OK");
	ck_assert_str_eq(turn(&r), "");
	ck_assert_str_eq(ask(&r, "vAttach;1"), "OK");
	ck_assert_str_eq(ask(&r, "vCont;c:2"), "OK");
	check_actions(&r, "-c--");
	ck_assert_str_eq(ask(&r, "D;1"), "OK");
	check_actions(&r, "cccc");
	ck_assert_str_eq(ask(&r, "vAttach;1"), "OK");
	ck_assert_str_eq(ask(&r, "vCont;t:3"), "OK|%Stop:T00thread:3;core:2;");
	rig_close(&r);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("rsp_nonstop");
	TCase *t = tcase_create("nonstop");

	tcase_add_test(t, test_status);
	tcase_add_test(t, test_stop_one_by_one);
	tcase_add_loop_test(t, test_resume, 0, COUNT(resumes));
	tcase_add_test(t, test_step_beside);
	tcase_add_test(t, test_range_beside);
	tcase_add_test(t, test_attach_running);
	tcase_add_test(t, test_hits);
	tcase_add_test(t, test_look_meanwhile);
	tcase_add_test(t, test_ctrl_c);
	tcase_add_loop_test(t, test_event, 0, COUNT(events));
	tcase_add_test(t, test_resumed_unheard);
	tcase_add_test(t, test_stop_and_go);
	tcase_add_test(t, test_command);
	tcase_add_test(t, test_leave);
	tcase_add_test(t, test_switch_back);
	tcase_add_loop_test(t, test_refused_nonstop, 0, COUNT(refused_nonstop));
	suite_add_tcase(s, t);
	t = tcase_create("processes");
	tcase_add_loop_test(t, test_process, 0, COUNT(processes));
	tcase_add_test(t, test_process_names);
	tcase_add_loop_test(t, test_refused, 0, COUNT(refused));
	suite_add_tcase(s, t);
	t = tcase_create("extended");
	tcase_add_test(t, test_run);
	tcase_add_test(t, test_run_ended);
	tcase_add_test(t, test_kill);
	tcase_add_test(t, test_detach_attach);
	tcase_add_test(t, test_extended_nonstop);
	suite_add_tcase(s, t);
	return unit_main(s);
}
