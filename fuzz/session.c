/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions of the stub on a machine without KVM.  The input's first byte says what machine; then come lines.  A line whose
 * first byte is below 0x10 says what happens, any other is a packet's payload, framed as it should be.  What must hold:
 * replies are well framed, no hold or breakpoint is left behind, and a session that goes on answers.
 */
#include <errno.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "tests/rsp_rig.h"

#define PACKET_MAX      8192
#define STOPS_MAX       80      /* what the machine keeps waiting, and a few */

enum { DO_RAW = 1, DO_INTERRUPT, DO_POLL, DO_INJECT, DO_RESUME, DO_FINISH, DO_FAIL };

static void resume(struct rig *r)
{
	struct run_action acts[MACHINE_CPUS_MAX];

	for (unsigned i = 0; i < MACHINE_CPUS_MAX; i++)
		acts[i] = (struct run_action){ .kind = ACT_CONT };
	machine_resume(&r->f->machine, acts, NULL);
}

static void happen(struct rig *r, const uint8_t *line, size_t len)
{
	static const enum stop_reason reasons[] = {
		STOP_REQUEST, STOP_STEP, STOP_BREAKPOINT, STOP_WATCH, STOP_CATCH, STOP_TRIPLE_FAULT, STOP_ERROR,
	};
	struct bytes in = { line + 1, len - 1 };
	struct stop_event ev = { .text = "text" };

	switch (line[0]) {
	case DO_RAW:
		session_input(r->s, in.p, in.len);
		break;
	case DO_INTERRUPT:
		session_input(r->s, (const uint8_t *)"\x03", 1);
		break;
	case DO_INJECT:
		ev.reason = reasons[take(&in, 1) % (sizeof(reasons) / sizeof(reasons[0]))];
		ev.owners = (unsigned)take(&in, 1) % 4;
		ev.cpu = (unsigned)take(&in, 1) % r->f->config.cpus;
		fake_inject(r->f, &ev);
		break;
	case DO_RESUME:
		resume(r);
		break;
	case DO_FINISH:
		if (r->done)
			rig_finish(r, take(&in, 1) % 2 ? -EINVAL : 0);
		break;
	case DO_FAIL:
		r->f->fail_hold = take(&in, 1) % 2 && r->f->state == MACHINE_RUNNING ? ETIMEDOUT : 0;
		break;
	default:
		machine_poll(&r->f->machine, 0);
		break;
	}
}

/* Whatever went before, the client can come to a stop and be answered. */
static void check_alive(struct rig *r)
{
	r->f->fail_hold = 0;
	if (r->done)
		rig_finish(r, 0);
	session_input(r->s, (const uint8_t *)"#00", 3);         /* out of any packet */
	/* In non-stop mode a stop that comes before the one asked for is for the client alone, and the machine goes on. */
	for (unsigned i = 0; i < STOPS_MAX && r->f->state == MACHINE_RUNNING; i++) {
		machine_stop(&r->f->machine);
		machine_poll(&r->f->machine, 0);
		machine_poll(&r->f->machine, 0);
	}
	rig_take(r);
	if (session_end(r->s) != SESSION_ON)
		return;
	ck_assert_int_ne(r->f->state, MACHINE_RUNNING);
	ck_assert_ptr_nonnull(strchr("TWXN", rig_ask(r, "?")[0]));
	ck_assert_int_eq(strncmp(rig_ask(r, "qC"), "QC", 2), 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	uint8_t what = (uint8_t)take(&in, 1);
	const struct fake_config c = {
		.cpus = 1 + what % 3, .ram_size = 0x10000, .hole = 0x8000, .hole_size = 0x1000,
		.image_bits = what & 4 ? 64 : what & 8 ? 32 : 0, .mode = what & 16 ? MODE_LONG : MODE_REAL, .no_avx = what & 32,
	};
	struct rig r;

	rig_open(&r, &c);
	while (in.len && session_end(r.s) == SESSION_ON) {
		size_t len;
		const uint8_t *line = take_until(&in, '\n', &len);

		/* vCPUs that are parked stay so: only of those that run can one not be held. */
		if (r.f->state != MACHINE_RUNNING)
			r.f->fail_hold = 0;
		if (len && line[0] < 0x10)
			happen(&r, line, len);
		else if (len <= PACKET_MAX)
			rig_send(&r, line, len);
		/* A NACK says where a frame was bad, and stands outside packets. */
		if (memchr(line, '#', len) || (len && line[0] == DO_RAW))
			rig_take_raw(&r);
		else
			rig_take(&r);
	}
	if (session_end(r.s) == SESSION_ON)
		check_alive(&r);
	if (r.f->state != MACHINE_RUNNING)
		r.f->fail_hold = 0;
	rig_part(&r);
	return 0;
}
