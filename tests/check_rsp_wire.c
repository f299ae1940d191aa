/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands that run beside the stub, acknowledgments, and how much is kept for a client. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/rsp_rig.h"
#include "tests/unit.h"

static const struct fake_config config4 = { .cpus = 4, .image_bits = 64, .mode = MODE_LONG };

/* -- commands -- */

static const char wait_packet[] = "qRcmd,77616974";

START_TEST(test_command_streams)
{
	struct rig r;

	rig_open(&r, &config4);
	ck_assert_str_eq(rig_ask(&r, wait_packet), "");
	r.output_calls = 0;
	out_puts(r.command_out, "one");
	ck_assert_uint_eq(r.output_calls, 1);
	ck_assert_str_eq(rig_take(&r), "O6f6e65");
	ck_assert_str_eq(rig_ask(&r, "qC"), "QC1");
	ck_assert_str_eq(rig_ask(&r, wait_packet), "E10");      /* one at a time */
	rig_finish(&r, 0);
	ck_assert_uint_eq(r.output_calls, 2);
	ck_assert_str_eq(rig_take(&r), "OK");
	ck_assert_str_eq(rig_ask(&r, wait_packet), "");
	rig_finish(&r, -ENOENT);
	ck_assert_str_eq(rig_take(&r), "E02");
	rig_close(&r);
}
END_TEST

START_TEST(test_command_cancelled)
{
	struct rig r;

	rig_open(&r, &config4);
	ck_assert_str_eq(rig_ask(&r, wait_packet), "");
	rig_send_raw(&r, "\x03");
	ck_assert_uint_eq(r.cancels, 1);
	ck_assert_str_eq(rig_take(&r), "E04");
	ck_assert_str_eq(rig_ask(&r, wait_packet), "");
	session_leave(r.s);
	ck_assert_uint_eq(r.cancels, 2);
	ck_assert_str_eq(rig_take(&r), "");
	rig_close(&r);
	rig_open(&r, &config4);
	ck_assert_str_eq(rig_ask(&r, wait_packet), "");
	rig_close(&r);
}
END_TEST

START_TEST(test_command_long_output)
{
	struct rig r;
	size_t len;

	rig_open(&r, &config4);
	rig_send(&r, "qRcmd,626967", 12);
	session_output(r.s, &len);
	ck_assert_uint_gt(len, 10000);
	ck_assert_str_eq(strrchr(rig_take(&r), '|'), "|OK");
	rig_close(&r);
}
END_TEST

START_TEST(test_no_commander)
{
	const struct session_owner owner = { 0 };
	struct rig r = { .f = fake_new(&config4) };

	ck_assert_int_eq(session_new(&r.f->machine, NULL, &owner, &r.s, NULL), 0);
	r.acks = true;
	ck_assert_str_eq(rig_ask(&r, wait_packet), "");
	rig_close(&r);
}
END_TEST

/* -- acknowledgments -- */

START_TEST(test_acks)
{
	struct rig r = { 0 };

	rig_attach(&r, &config4);
	rig_send_raw(&r, "$qC#b4");
	ck_assert_str_eq(rig_take_raw(&r), "+$QC1#c5");
	rig_send_raw(&r, "-");
	ck_assert_str_eq(rig_take_raw(&r), "$QC1#c5");
	rig_send_raw(&r, "-+");
	ck_assert_str_eq(rig_take_raw(&r), "$QC1#c5");
	rig_send_raw(&r, "$qC#b5");
	ck_assert_str_eq(rig_take_raw(&r), "-");
	rig_send_raw(&r, "$qC}#31");
	ck_assert_str_eq(rig_take_raw(&r), "+$E4a#da");
	/* nothing has been sent yet that could be sent again */
	rig_close(&r);
	rig_attach(&r, &config4);
	rig_send_raw(&r, "-");
	ck_assert_str_eq(rig_take_raw(&r), "");
	rig_close(&r);
}
END_TEST

START_TEST(test_no_acks)
{
	struct rig r = { 0 };

	rig_attach(&r, &config4);
	rig_send_raw(&r, "$QStartNoAckMode#b0");
	ck_assert_str_eq(rig_take_raw(&r), "+$OK#9a");
	rig_send_raw(&r, "-");                  /* this reply is acknowledged still */
	ck_assert_str_eq(rig_take_raw(&r), "$OK#9a");
	rig_send_raw(&r, "+");
	rig_send_raw(&r, "-");
	ck_assert_str_eq(rig_take_raw(&r), "");
	rig_send_raw(&r, "$qC#b4");
	ck_assert_str_eq(rig_take_raw(&r), "$QC1#c5");
	rig_send_raw(&r, "$qC#b5");
	ck_assert_str_eq(rig_take_raw(&r), "$E4a#da");
	rig_close(&r);
	/* a client that does not acknowledge that reply either */
	rig_attach(&r, &config4);
	rig_send_raw(&r, "$QStartNoAckMode#b0");
	rig_take_raw(&r);
	rig_send_raw(&r, "$qC#b4");
	ck_assert_str_eq(rig_take_raw(&r), "$QC1#c5");
	rig_close(&r);
}
END_TEST

/* A client that reads nothing is cut off when 16 MiB wait, and costs no more than that. */
START_TEST(test_output_bound)
{
	struct rig r;
	size_t len, before = 0;

	rig_open(&r, &config4);
	memset(r.f->ram, 0, r.f->config.ram_size);
	for (size_t i = 0; i < r.f->config.ram_size; i++)
		r.f->ram[i] = (uint8_t)(i * 31 + (i >> 8));
	for (unsigned i = 0; i < 200 && session_end(r.s) == SESSION_ON; i++) {
		rig_send(&r, "m1000,20000", 11);
		session_output(r.s, &len);
		ck_assert_uint_le(len, SESSION_QUEUE_MAX);
		before = len > before ? len : before;
	}
	ck_assert_int_eq(session_end(r.s), SESSION_BROKEN);
	ck_assert_uint_gt(before, SESSION_QUEUE_MAX / 2);
	session_sent(r.s, before);
	ck_assert(session_leave(r.s));
	ck_assert_int_eq(r.f->state, MACHINE_RUNNING);
	rig_close(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rsp_wire");
	TCase *t;

	t = tcase_create("command");
	tcase_add_test(t, test_command_streams);
	tcase_add_test(t, test_command_cancelled);
	tcase_add_test(t, test_command_long_output);
	tcase_add_test(t, test_no_commander);
	suite_add_tcase(s, t);
	t = tcase_create("wire");
	tcase_add_test(t, test_acks);
	tcase_add_test(t, test_no_acks);
	tcase_add_test(t, test_output_bound);
	suite_add_tcase(s, t);
	return unit_main(s);
}
