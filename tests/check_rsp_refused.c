/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the machine refuses a client, packets that end too early, and clients that only observe: the answer, and nothing changed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/x86_regs.h"
#include "gdbstub/internal.h"
#include "tests/rsp_rig.h"
#include "tests/unit.h"

static const struct fake_config config64 = { .cpus = 2, .ram_size = 0x10000, .image_bits = 64, .mode = MODE_LONG };

static struct rig r;
static unsigned calls, fails_at;        /* of the operation below: from 1; 0: never */
static struct machine_ops real;

static void setup(void)
{
	rig_open(&r, &config64);
	real = r.f->ops;
	calls = fails_at = 0;
}

static void teardown(void)
{
	r.f->ops = real;
	rig_close(&r);
}

static void ask(const char *packet, const char *want)
{
	const char *got = rig_ask(&r, packet);
	size_t n = strlen(want);

	ck_assert_msg(n && want[n - 1] == '~' ? !strncmp(got, want, n - 1) : !strcmp(got, want),
		      "%s: got %.300s, not %s", packet, got, want);
}

static bool fails(void)
{
	return fails_at && ++calls == fails_at;
}

static int reg_read(struct machine *m, unsigned cpu, reg_id reg, void *ret, struct err *err)
{
	return fails() ? err_set(err, EIO, "no register today") : real.reg_read(m, cpu, reg, ret, err);
}

static int reg_write(struct machine *m, unsigned cpu, reg_id reg, const void *value, struct err *err)
{
	return fails() ? err_set(err, EIO, "no register today") : real.reg_write(m, cpu, reg, value, err);
}

static int no_reset(struct machine *m, struct err *err)
{
	(void)m;
	return err_set(err, EIO, "no reset today");
}

static int no_redirect(struct machine *m, const struct run_action *acts, struct err *err)
{
	(void)m;
	(void)acts;
	return err_set(err, EIO, "no other action today");
}

/* -- packets that end too early, or go on too long -- */

static const char *const bad[] = {
	"x", "x10", "x10,", "x10,1,", "x,1", "m", "m10", "m10,",
	"QPassSignals", "QPassSignals;1", "QPassSignals:x", "QPassSignals:100", "QPassSignals:1;x", "QPassSignals:1,2", "QProgramSignals",
	"qSymbol", "qSymbol:", "qSymbol::x", "qCRC", "qCRC:", "qCRC:0", "qCRC:0,", "qCRC:0,1,", "qCRC:ffffffffffffffff,2",
	"qSearch:memory", "qSearch:memory:0", "qSearch:memory:0;10", "qSearch:memory:0;10;",
	"QSaveRegisterState:", "QRestoreRegisterState", "QRestoreRegisterState:", "QRestoreRegisterState:x",
	"QRestoreRegisterState:-1", "QRestoreRegisterState: 1", "QRestoreRegisterState:1x", "QRestoreRegisterState:0000000000000001",
	"z0", "z0,", "z0,10", "z0,10,1,", "z0,10,1;", "z0,10,2", "Z0,10,2", "Z2,10", "z2,10,1;",
};

START_TEST(test_bad)
{
	ask(bad[_i], "E16");
	ask("m1000,1", "00");
}
END_TEST

START_TEST(test_all_registers)
{
	char packet[8192] = "G";
	const char *was = rig_ask(&r, "g");
	size_t len = strlen(was);

	ck_assert_uint_lt(len, sizeof(packet) - 8);
	memcpy(packet + 1, was, len + 1);
	/* what is no digit, in the middle of a register; half a register; one byte too many */
	packet[1 + 17] = 'g';
	ask(packet, "E16");
	packet[1 + 17] = was[17];
	packet[len] = '\0';
	ask(packet, "E16");
	ask("G", "E16");
	memcpy(packet + 1, "xx", 2);
	ask("Gxx", "E16");
}
END_TEST

/* -- what the machine refuses -- */

START_TEST(test_registers)
{
	char packet[8192] = "G", before[8190];

	snprintf(before, sizeof(before), "%s", rig_ask(&r, "g"));
	snprintf(packet, sizeof(packet), "G%s", before);
	memcpy(packet + 1, "4142434445464748", 16);
	memcpy(packet + 1 + 16, "4142434445464748", 16);
	r.f->ops.reg_read = reg_read;
	for (fails_at = 1; fails_at <= 3; fails_at++) {
		calls = 0;
		ask(packet, "E.no register today");
		calls = 0;
		ask("QSaveRegisterState", "E05");
	}
	fails_at = 0;
	ask("QRestoreRegisterState:1", "E~");           /* none was saved */
	/* the second register that is written is refused: the first is what it was */
	r.f->ops.reg_write = reg_write;
	calls = 0;
	r.f->ops.reg_read = real.reg_read;
	fails_at = 2;
	ask(packet, "E.no register today");
	fails_at = 0;
	ask("g", before);
}
END_TEST

START_TEST(test_restoring)
{
	char after[8192];

	ask("QSaveRegisterState", "1");
	ask("P0=4142434445464748", "OK");
	ask("P1=5152535455565758", "OK");
	ask("P2=6162636465666768", "OK");
	snprintf(after, sizeof(after), "%s", rig_ask(&r, "g"));
	r.f->ops.reg_write = reg_write;
	for (fails_at = 1; fails_at <= 3; fails_at++) {
		calls = 0;
		ask("QRestoreRegisterState:1", "E05");
		ask("g", after);
	}
	r.f->ops.reg_write = real.reg_write;
	r.f->ops.reg_read = reg_read;
	for (fails_at = 1; fails_at <= 3; fails_at++) {
		calls = 0;
		ask("QRestoreRegisterState:1", "E05");
	}
	fails_at = 0;
	ask("g", after);
	ask("QRestoreRegisterState:1", "OK");           /* it is there still */
	ask("p0", "0000000000000000");
	ask("p2", "0000000000000000");
	ask("QRestoreRegisterState:1", "E~");
}
END_TEST

START_TEST(test_removing)
{
	static const char *const points[] = { "0,1010,1", "1,1010,1", "2,2000,4", "4,2000,4" };
	char packet[32];

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		snprintf(packet, sizeof(packet), "Z%s", points[i]);
		ask(packet, "OK");
		packet[0] = 'z';
		r.f->fail_unbreak = EIO;
		ask(packet, "E05");
		ck_assert_uint_eq(r.f->nbrk + r.f->nwatch, 1);
		r.f->fail_unbreak = 0;
		ask(packet, "OK");
		ck_assert_uint_eq(r.f->nbrk + r.f->nwatch, 0);
	}
}
END_TEST

/* An expression that wants a register: what cannot be had stops, and says why. */
START_TEST(test_condition)
{
	char packet[64];

	snprintf(packet, sizeof(packet), "Z0,1010,1;X4,26%04x27", (unsigned)reg_full(X86_XMM0)->num);
	ask(packet, "OK");
	ask("P10=0010000000000000", "OK");
	/* "the condition" */
	ask("vCont;c:1", "O74686520636f6e646974696f6e~");
	ask("p10", "1010000000000000");
	ask("Z0,1010,1;X4,26000027", "OK");
	ask("P10=0010000000000000", "OK");
	r.f->ops.reg_read = reg_read;
	fails_at = 1;
	calls = 0;
	ask("vCont;c:1", "O74686520636f6e646974696f6e~");
	ck_assert_uint_ge(calls, 1);
	fails_at = 0;
	ask("p10", "1010000000000000");
}
END_TEST

START_TEST(test_reset)
{
	ask("!", "OK");
	r.f->ops.reset = no_reset;
	ask("vRun;", "E.no reset today");
	ask("vRun:", "E16");
	ask("vRun;zz", "E16");
	ask("vRun;6", "E16");
	ask("vKill;1", "E05");
	ask("vKill;2", "E~");
	/* not killed, nor gone */
	ask("?", "T05thread:1;~");
	r.f->ops.reset = real.reset;
	ask("vKill;1", "OK");
	ask("?", "W00");
}
END_TEST

/* -- non-stop -- */

START_TEST(test_nonstop)
{
	ask("QNonStop:1", "OK");
	ask("?", "T05thread:1;~");
	ask("vStopped", "~");
	ask("vStopped", "OK");
	r.f->ops.redirect = no_redirect;
	ask("vCont;c:1", "E05");
	ck_assert_int_ne(machine_state(&r.f->machine), MACHINE_RUNNING);
	r.f->ops.redirect = real.redirect;
	ask("vCont;c:1", "OK");
	ck_assert_int_eq(machine_state(&r.f->machine), MACHINE_RUNNING);
	/* it cannot be held: it is not stopped, and can be asked again */
	r.f->fail_hold = EIO;
	ask("vCtrlC", "E05");
	ask("g", "E05");
	ask("vCont;t:1", "E05");
	r.f->fail_hold = 0;
	ck_assert_int_eq(machine_state(&r.f->machine), MACHINE_RUNNING);
	ask("vCont;t:1", "OK|%Stop:T~");
	ask("vStopped", "OK");
}
END_TEST

START_TEST(test_nonstop_ended)
{
	const struct stop_event end = { .reason = STOP_EXIT };

	ask("QNonStop:1", "OK");
	ask("?", "T05thread:1;~");
	ask("vStopped", "~");
	ask("vStopped", "OK");
	ask("vCont;c", "OK");
	ck_assert(fake_inject(r.f, &end));
	rig_poll(&r);
	ck_assert_int_eq(machine_state(&r.f->machine), MACHINE_ENDED);
	ask("vStopped", "OK");
	ask("vCont;c", "E6c");
	ask("vCont;s:1", "E6c");
}
END_TEST

/* -- who does not drive -- */

/* "takeover" */
#define TAKEOVER "qRcmd,74616b656f766572"
/* "step", and "wait", for which there is no time */
#define STEP "qRcmd,73746570"
#define WAIT "qRcmd,77616974"

START_TEST(test_busy)
{
	ask(WAIT, "");
	ask(WAIT, "E10");
	ask(TAKEOVER, "E10");
	rig_finish(&r, 0);
	ck_assert_str_eq(rig_take(&r), "OK");
	/* "this client drives already" */
	ask(TAKEOVER, "O7468697320636c69656e742064726976657320616c72656164790a|OK");
}
END_TEST

START_TEST(test_observer)
{
	session_observe(r.s, 3);
	/* "gdb client 3 drives" */
	ask(STEP, "O67646220636c69656e74203320647269766573~");
	ask("c", "E.gdb client 3 drives the machine: ~");
	ask("vCont;c", "E.gdb client 3 drives the machine: ~");
	ask("P0=4142434445464748", "E.gdb client 3 drives the machine: ~");
	ask("M1000,1:55", "E.gdb client 3 drives the machine: ~");
	ask("Z0,1010,1", "E.gdb client 3 drives the machine: ~");
	ask("z0,1010,1", "OK");
	/* nobody has said how it could */
	ask(TAKEOVER, "E01");
	ask("p0", "0000000000000000");
	ask("m1000,1", "00");
	ck_assert_uint_eq(r.f->nbrk, 0);
	ck_assert_uint_eq(r.f->calls.resume, 0);
	/* while it runs, an observer does not even hold it */
	ck_assert_int_eq(machine_resume(&r.f->machine, (struct run_action[MACHINE_CPUS_MAX]){ { .kind = ACT_CONT } }, NULL), 0);
	machine_poll(&r.f->machine, 0);
	ask("g", "E10");
	ask("m1000,1", "E10");
	ck_assert_uint_eq(r.f->calls.hold, 0);
	machine_stop(&r.f->machine);
	machine_poll(&r.f->machine, 0);
	rig_take(&r);
}
END_TEST

static void take_over(void *arg)
{
	session_observe(((struct rig *)arg)->s, 0);
}

START_TEST(test_take_over)
{
	session_observe(r.s, 3);
	r.s->owner.take_over = take_over;
	ck_assert_int_eq(machine_resume(&r.f->machine, (struct run_action[MACHINE_CPUS_MAX]){ { .kind = ACT_CONT } }, NULL), 0);
	machine_poll(&r.f->machine, 0);
	/* "this client drives now"; the machine is stopped for it */
	ask(TAKEOVER, "O7468697320636c69656e7420647269766573206e6f77~");
	ck_assert_uint_eq(r.f->calls.stop, 1);
	machine_poll(&r.f->machine, 0);
	ck_assert_int_ne(machine_state(&r.f->machine), MACHINE_RUNNING);
	rig_take(&r);
	ask("P0=4142434445464748", "OK");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rsp_refused");
	TCase *t = tcase_create("rsp_refused");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(t, test_all_registers);
	tcase_add_test(t, test_registers);
	tcase_add_test(t, test_restoring);
	tcase_add_test(t, test_removing);
	tcase_add_test(t, test_condition);
	tcase_add_test(t, test_reset);
	tcase_add_test(t, test_nonstop);
	tcase_add_test(t, test_nonstop_ended);
	tcase_add_test(t, test_busy);
	tcase_add_test(t, test_observer);
	tcase_add_test(t, test_take_over);
	suite_add_tcase(s, t);
	return unit_main(s);
}
