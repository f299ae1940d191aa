/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakpoints and steps of a PowerPC machine, on hosts of our making that can and cannot. */
#include <errno.h>

#include "tests/ppc_rig.h"

/* Loads from a hole, calls the hypervisor, counts in r5 and in memory. */
#define ROUND ADDI(5, 5, 1), STW(5, 0x100, 0), LWZ(4, 0, 6), SC1, B(-16)

static const uint32_t *word_at(uint64_t gpa)
{
	return (const uint32_t *)fake_kvm_memory(gpa, 4);
}

/* The pc of a hit is the trap's; clients see the guest's own word, and it counts on. */
START_TEST(soft)
{
	PPC_START(&fake_modern, ROUND);
	guest_set_reg(0, PPC_R6, HOLE);
	ck_assert_msg(guest_break(BREAK_OWNER_MONITOR, BREAK_SOFT, CODE + 4) == 0, "%s", err.msg);
	for (unsigned i = 1; i <= 5; i++) {
		guest_continue();
		guest_wait();
		ck_assert_msg(stop.reason == STOP_BREAKPOINT, "it stops for: %s", stop.text);
		ck_assert_uint_eq(stop.pc, CODE + 4);
		ck_assert_uint_eq(guest_reg(0, PPC_PC), CODE + 4);
		ck_assert_uint_eq(guest_reg(0, PPC_R5), i);
		ck_assert_uint_eq(guest_u32(0x100), i - 1);
		ck_assert_uint_eq(guest_u32(CODE + 4), STW(5, 0x100, 0));
		ck_assert_uint_eq(*word_at(CODE + 4), FAKE_PPC_TRAP);
	}
	/* The step over it is one instruction, with the trap back behind it. */
	guest_step(0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, CODE + 8);
	ck_assert_uint_eq(guest_u32(0x100), 5);
	ck_assert_uint_eq(*word_at(CODE + 4), FAKE_PPC_TRAP);
	ck_assert_int_eq(guest_unbreak(BREAK_OWNER_MONITOR, BREAK_SOFT, CODE + 4), 0);
	ck_assert_uint_eq(*word_at(CODE + 4), STW(5, 0x100, 0));
	ppc_run_and_stop();
	ck_assert_int_eq(stop.reason, STOP_REQUEST);
	ppc_end();
}
END_TEST

/* Onto a trap: the step is over there, and it is hit by what comes next. */
START_TEST(onto)
{
	PPC_START(&fake_modern, ROUND);
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_SOFT, CODE + 4), 0);
	guest_step(0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, CODE + 4);
	ck_assert_uint_eq(guest_reg(0, PPC_R5), 1);
	guest_step(0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, CODE + 8);
	/* Set where it stands, and stepped by who does not know. */
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_SOFT, CODE), 0);
	guest_set_reg(0, PPC_PC, CODE);
	guest_step(0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert_uint_eq(stop.pc, CODE);
	ck_assert_uint_eq(guest_reg(0, PPC_R5), 1);
	ppc_end();
}
END_TEST

/* One instruction each, also those that we carry out. */
START_TEST(steps)
{
	PPC_START(&fake_modern, ROUND);
	guest_set_reg(0, PPC_R6, HOLE);
	guest_set_reg(0, PPC_R4, 0);
	for (unsigned i = 1; i <= 12; i++) {
		guest_step(0);
		guest_wait();
		ck_assert_msg(stop.reason == STOP_STEP, "it stops for: %s", stop.text);
		ck_assert_uint_eq(stop.pc, CODE + 4 * (i % 5));
		if (i == 3)
			ck_assert_uint_eq(guest_reg(0, PPC_R4), 0xffffffff);
		if (i == 4)
			ck_assert_uint_eq(guest_reg(0, PPC_R3), (uint64_t)-2);
	}
	ck_assert_uint_eq(guest_reg(0, PPC_R5), 3);
	ppc_end();
}
END_TEST

START_TEST(ranges)
{
	const struct run_action act = { .kind = ACT_RANGE, .start = CODE, .end = CODE + 16 };

	PPC_START(&fake_modern, ROUND);
	guest_set_reg(0, PPC_R6, HOLE);
	ck_assert_int_eq(machine_resume(m, &act, &err), 0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, CODE + 16);
	ck_assert_uint_eq(guest_reg(0, PPC_R5), 1);
	ppc_end();
}
END_TEST

/* A branch to itself ends a step, too. */
START_TEST(in_place)
{
	PPC_START(&fake_modern, B(0));
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_SOFT, CODE), 0);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_BREAKPOINT);
	guest_step(0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, CODE);
	guest_continue();
	guest_wait();
	ck_assert_uint_eq(stop.pc, CODE);
	ppc_end();
}
END_TEST

/* The guest's own trap, while there are some of ours. */
START_TEST(own_trap)
{
	PPC_START(&fake_modern, ADDI(5, 5, 1), FAKE_PPC_TRAP, B(0));
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_SOFT, CODE + 8), 0);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_ERROR);
	ck_assert_uint_eq(stop.pc, CODE + 4);
	ck_assert_msg(strstr(stop.text, "instruction itself") != NULL, "it says: %s", stop.text);
	ppc_end();
}
END_TEST

/* As many as the host has, and no more. */
START_TEST(hard)
{
	struct fake_host h = fake_modern;

	h.hw_breaks = 2;
	PPC_START(&h, ROUND);
	guest_set_reg(0, PPC_R6, HOLE);
	ck_assert_msg(guest_break(BREAK_OWNER_MONITOR, BREAK_HARD, CODE + 4) == 0, "%s", err.msg);
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_HARD, CODE + 12), 0);
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_HARD, CODE), -ENOSPC);
	for (unsigned i = 1; i <= 3; i++) {
		guest_continue();
		guest_wait();
		ck_assert_msg(stop.reason == STOP_BREAKPOINT, "it stops for: %s", stop.text);
		ck_assert_uint_eq(stop.pc, CODE + 4);
		ck_assert_uint_eq(guest_reg(0, PPC_R5), i);
		ck_assert_uint_eq(*word_at(CODE + 4), STW(5, 0x100, 0));
		guest_continue();
		guest_wait();
		ck_assert_uint_eq(stop.pc, CODE + 12);
	}
	ppc_end();
}
END_TEST

/* What a host has not is refused by its name, and changes nothing. */
START_TEST(refused)
{
	static const char *const names[] = {
		"KVM_CAP_SET_GUEST_DEBUG,", "KVM_CAP_PPC_GUEST_DEBUG_SSTEP", "KVM_CAP_GUEST_DEBUG_HW_BPS",
	};
	const struct watch_spec watch = { .gva = 0x100, .size = 4 };
	struct fake_host h = fake_modern;
	struct break_info info;
	uint32_t before;

	h.guest_debug = _i > 0;
	h.single_step = _i > 1;
	PPC_START(&h, ROUND);
	before = *word_at(CODE);
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_SOFT, CODE), _i == 2 ? 0 : -ENOTSUP);
	if (_i < 2) {
		SAYS(names[_i]);
		ck_assert(!machine_break_list(m, 0, &info));
		ck_assert_uint_eq(*word_at(CODE), before);
		ck_assert_int_eq(ppc_resume(ACT_STEP), -ENOTSUP);
		SAYS(names[_i]);
		ck_assert_int_eq(machine_state(m), MACHINE_STOPPED);
	}
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_HARD, CODE), -ENOTSUP);
	SAYS(names[_i]);
	ck_assert_int_eq(machine_watch_insert(m, BREAK_OWNER_MONITOR, &watch, &err), -ENOTSUP);
	SAYS("KVM_CAP_GUEST_DEBUG_HW_WPS");
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_SOFT, CODE), _i == 2 ? 0 : -ENOTSUP);
	ppc_end();
}
END_TEST

START_TEST(kvm_refuses)
{
	PPC_START(&fake_modern, ROUND);
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_SOFT, CODE + 4), 0);
	fake_kvm_fail(KVM_SET_GUEST_DEBUG, 0, ENXIO, false);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_ERROR);
	ck_assert_uint_eq(guest_reg(0, PPC_R5), 0);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_BREAKPOINT);
	ppc_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ppc_debug");
	TCase *c = tcase_create("ppc_debug");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, soft);
	tcase_add_test(c, onto);
	tcase_add_test(c, steps);
	tcase_add_test(c, ranges);
	tcase_add_test(c, in_place);
	tcase_add_test(c, own_trap);
	tcase_add_test(c, hard);
	tcase_add_loop_test(c, refused, 0, 3);
	tcase_add_test(c, kvm_refuses);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
