/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Seeded random sessions: malformed packets among good ones, cut at any byte, while the machine runs and stops by
 * other hands.  What must hold: no crash, replies well framed, no hold left behind, a session that works still.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rsp_rig.h"
#include "tests/unit.h"

#define STEPS 1500

static uint64_t rng;

static uint64_t next_random(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static size_t below(size_t n)
{
	return (size_t)(next_random() % n);
}

static const char *const seeds[] = {
	"?", "g", "G00", "p0", "p10", "p4f", "P0=0000000000000000", "P11=02000000", "m1000,40", "m7ff0,20",
	"mffffffffffffffff,1", "M2000,4:01020304", "X2000,4:abcd", "Z0,1010,1", "z0,1010,1", "Z1,1020,1",
	"z1,1020,1", "Z2,1000,8", "z2,1000,8", "Z3,1100,10000", "Z4,1200,1", "z4,1200,1", "Hg1", "Hg2", "Hg0", "Hc-1", "Hc2", "T1", "T9", "qC",
	"qfThreadInfo", "qsThreadInfo",
	"qThreadExtraInfo,1", "qXfer:features:read:target.xml:0,1000", "qXfer:features:read:target.xml:fff,1000",
	"qXfer:threads:read::0,1000", "qSupported:swbreak+;hwbreak+;multiprocess+", "qAttached", "qSymbol::",
	"vMustReplyEmpty", "vCont?", "vCont;c", "vCont;s:1;c", "vCont;s:2", "vCont;r1000,1010:1", "c", "s", "C05",
	"S05;1010", "s1000", "qRcmd,6563686f206869", "qRcmd,77616974", "qRcmd,6661696c",
	"QStartNoAckMode", "qTStatus", "QNonStop:1", "QNonStop:1", "QNonStop:0", "vStopped", "vStopped", "vCtrlC", "vCont;t",
	"vCont;t:2", "vCont;c:p1.2", "vCont;s:p1.1;t:2", "!", "!", "R00", "vRun;", "vAttach;1", "QThreadEvents:1", "Hgp1.1",
};

/* What mutations are made of. */
static const char letters[] = "0123456789abcdefgGpPmMxXzZHTqvcsSCD?,;:.-+=*#$}rt";

static uint8_t random_byte(void)
{
	return below(3) ? (uint8_t)letters[below(sizeof(letters) - 1)] : (uint8_t)next_random();
}

/* Changes a few bytes: replaces, drops, doubles, inserts. */
static size_t mutate(uint8_t *p, size_t len, size_t cap)
{
	for (size_t n = below(4); n > 0; n--) {
		size_t at = len ? below(len) : 0;
		uint8_t c = random_byte();

		switch (below(4)) {
		case 0:
			if (len)
				p[at] = c;
			break;
		case 1:
			if (len)
				memmove(p + at, p + at + 1, --len - at);
			break;
		case 2:
			if (len < cap) {
				memmove(p + at + 1, p + at, len++ - at);
				p[at] = c;
			}
			break;
		default:
			if (len + 20 < cap) {
				memmove(p + at + 20, p + at, len - at);
				memset(p + at, c, 20);
				len += 20;
			}
			break;
		}
	}
	return len;
}

/* Sends bytes in pieces of any size. */
static void send_cut(struct rig *r, const uint8_t *p, size_t len)
{
	while (len) {
		size_t n = 1 + below(len);

		session_input(r->s, p, n);
		p += n;
		len -= n;
	}
}

static void send_something(struct rig *r)
{
	const char *seed = seeds[below(sizeof(seeds) / sizeof(seeds[0]))];
	uint8_t payload[512], frame[1100];
	size_t len = strlen(seed);

	memcpy(payload, seed, len);
	if (below(3) == 0)
		len = mutate(payload, len, sizeof(payload));
	/* these end a session; others test them */
	if (len && strchr("kD", payload[0]))
		return;
	len = rig_frame(payload, len, frame);
	if (below(10) == 0)
		len = mutate(frame, len, sizeof(frame));
	send_cut(r, frame, len);
}

static void something_happens(struct rig *r)
{
	static const enum stop_reason reasons[] = {
		STOP_REQUEST, STOP_STEP, STOP_BREAKPOINT, STOP_WATCH, STOP_CATCH, STOP_TRIPLE_FAULT, STOP_ERROR,
	};
	struct stop_event ev = { .reason = reasons[below(7)], .owners = (unsigned)below(4), .cpu = (unsigned)below(3), .text = "text" };
	struct run_action acts[MACHINE_CPUS_MAX];

	switch (below(7)) {
	case 0:
		session_input(r->s, (const uint8_t *)"\x03", 1);
		break;
	case 1:
		fake_inject(r->f, &ev);
		break;
	case 2:
		machine_stop(&r->f->machine);
		break;
	case 3:
		for (unsigned i = 0; i < MACHINE_CPUS_MAX; i++)
			acts[i] = (struct run_action){ .kind = ACT_CONT };
		machine_resume(&r->f->machine, acts, NULL);
		break;
	case 4:
		if (r->done)
			rig_finish(r, below(2) ? 0 : -EINVAL);
		break;
	case 5:
		r->f->fail_hold = below(4) ? 0 : ETIMEDOUT;
		break;
	default:
		machine_poll(&r->f->machine, 0);
		break;
	}
}

/* Whatever went before, the client can come to a stop and be answered. */
static void check_alive(struct rig *r)
{
	struct stop_event ev;

	r->f->fail_hold = 0;
	if (r->done)
		rig_finish(r, 0);
	session_input(r->s, (const uint8_t *)"#00", 3);         /* out of any packet */
	machine_stop(&r->f->machine);
	machine_poll(&r->f->machine, 0);
	machine_poll(&r->f->machine, 0);
	rig_take(r);
	ck_assert_int_eq(session_end(r->s), SESSION_ON);
	ck_assert_int_ne(r->f->state, MACHINE_RUNNING);
	ev = *machine_last_stop(&r->f->machine);
	ck_assert_int_eq(rig_ask(r, "?")[0], ev.reason == STOP_EXIT ? 'W' : 'T');
	ck_assert_int_eq(strncmp(rig_ask(r, "qC"), "QC", 2), 0);
}

START_TEST(test_sessions)
{
	const struct fake_config c = {
		.cpus = 3, .ram_size = 0x10000, .hole = 0x8000, .hole_size = 0x1000,
		.image_bits = _i % 3 == 0 ? 64 : _i % 3 == 1 ? 32 : 0, .mode = _i % 2 ? MODE_LONG : MODE_REAL,
		.no_avx = _i % 5 == 0,
	};
	struct rig r;

	rng = 0x9e3779b97f4a7c15u * (unsigned)(_i + 1);
	rig_open(&r, &c);
	for (unsigned i = 0; i < STEPS && session_end(r.s) == SESSION_ON; i++) {
		if (below(4))
			send_something(&r);
		else
			something_happens(&r);
		if (below(3) == 0)
			rig_take(&r);
	}
	if (session_end(r.s) == SESSION_ON)
		check_alive(&r);
	rig_part(&r);
}
END_TEST

/* Nothing but noise, with acknowledgments on. */
START_TEST(test_noise)
{
	struct rig r = { 0 };
	size_t len;

	rng = 0xd1b54a32d192ed03u + (unsigned)_i;
	rig_attach(&r, NULL);
	for (unsigned i = 0; i < 20000 && session_end(r.s) == SESSION_ON; i++) {
		uint8_t noise[16];

		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = random_byte();
		session_input(r.s, noise, sizeof(noise));
		machine_poll(&r.f->machine, 0);
		session_output(r.s, &len);
		session_sent(r.s, len);
	}
	rig_close(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rsp_fuzz");
	TCase *t = tcase_create("fuzz");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_sessions, 0, 60);
	tcase_add_loop_test(t, test_noise, 0, 4);
	suite_add_tcase(s, t);
	return unit_main(s);
}
