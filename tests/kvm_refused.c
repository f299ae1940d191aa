/* SPDX-License-Identifier: GPL-3.0-or-later */
/* KVM refuses, once, what a step cannot do without: the vCPU stops where it is, says what was refused, and steps on when asked again. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdatomic.h>
#include <string.h>

#include "arch/x86/vcpu_x86.h"
#include "kvm/machine_priv.h"
#include "tests/ioctl_own.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define TF 0x100u

/* The NTH such call from now on (0 the next) fails. */
static atomic_ulong refused_call;
static atomic_int nth, refusals;

int ioctl_judge(unsigned long request, const void *arg)
{
	(void)arg;
	if (request != atomic_load(&refused_call) || atomic_fetch_sub(&nth, 1))
		return 0;
	atomic_store(&refused_call, 0);
	atomic_fetch_add(&refusals, 1);
	return ENOMEM;
}

static void refuse(unsigned long request)
{
	atomic_store(&refusals, 0);
	atomic_store(&nth, 0);
	atomic_store(&refused_call, request);
}

/* Steps, with REQUEST refused: nothing has moved, and the stop's text has NAME in it.  False: this host's KVM is not asked that. */
static bool step_refused(unsigned long request, const char *name)
{
	uint64_t pc = guest_reg(0, X86_RIP), flags = guest_reg(0, X86_EFLAGS);

	refuse(request);
	guest_step(0);
	guest_wait();
	refused_call = 0;
	if (!refusals)
		return false;
	ck_assert_msg(stop.reason == STOP_ERROR, "%s: stopped for reason %d", name, (int)stop.reason);
	ck_assert_ptr_nonnull(strstr(stop.text, name));
	ck_assert_ptr_nonnull(strstr(stop.text, strerror(ENOMEM)));
	ck_assert_ptr_null(strchr(stop.text, '\n'));
	ck_assert_uint_eq(stop.pc, pc);
	ck_assert_uint_eq(guest_reg(0, X86_RIP), pc);
	ck_assert_uint_eq(guest_reg(0, X86_EFLAGS), flags);
	return true;
}

static void step_to(uint64_t pc)
{
	guest_step(0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, pc);
}

GUEST(halts, /* 7c00 */ ".code32\n nop\n"
      /* 7c01 */ "hlt\n"
      /* 7c02 */ "inc %eax\n"
      /* 7c03 */ "jmp .\n");

START_TEST(onto_a_halt)
{
	static const struct {
		unsigned long request;
		const char *name;
	} calls[] = {
		{ KVM_GET_VCPU_EVENTS, "halt" }, { KVM_SET_MP_STATE, "halt" }, { KVM_SET_GUEST_DEBUG, "KVM_SET_GUEST_DEBUG" },
		{ KVM_GET_MP_STATE, "KVM_GET_MP_STATE" },
	};

	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		GUEST_START(halts, 0x7c00, BOOT_PROTECTED, 1);
		step_to(0x7c01);
		/* Some hosts step that without this call: then it has been stepped. */
		if (step_refused(calls[i].request, calls[i].name))
			step_to(0x7c02);
		ck_assert_uint_eq(guest_reg(0, X86_RIP), 0x7c02);
		step_to(0x7c03);
		guest_end();
	}
}
END_TEST

START_TEST(away_from_a_halt)
{
	static const unsigned long requests[] = { KVM_GET_MP_STATE, KVM_SET_MP_STATE };
	static const char *const names[] = { "KVM_GET_MP_STATE", "KVM_SET_MP_STATE" };

	GUEST_START(halts, 0x7c00, BOOT_PROTECTED, 1);
	step_to(0x7c01);
	step_to(0x7c02);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_msg(step_refused(requests[i], names[i]), "%s is not called", names[i]);
	/* It was halted all the while, and is no longer. */
	ck_assert_uint_eq(guest_reg(0, X86_RAX) & 0xff, 0);
	step_to(0x7c03);
	ck_assert_uint_eq(guest_reg(0, X86_RAX) & 0xff, 1);
	guest_end();
}
END_TEST

/* Traps itself, with a handler at 0x7d00; vectors are at 0. */
GUEST(traps, /* 7c00 */ "nop\n nop\n nop\n jmp .\n");

START_TEST(a_trap_of_the_guests_own)
{
	static const unsigned long requests[] = { KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS };
	static const uint8_t vector[4] = { 0x00, 0x7d, 0x00, 0x00 }, nops[2] = { 0x90, 0x90 };

	for (unsigned i = 0; i < 2; i++) {
		GUEST_START(traps, 0x7c00, BOOT_REAL, 1);
		ck_assert_uint_eq(machine_phys_write(m, 4, vector, sizeof(vector), &err), sizeof(vector));
		ck_assert_uint_eq(machine_phys_write(m, 0x7d00, nops, sizeof(nops), &err), sizeof(nops));
		guest_set_reg(0, X86_RSP, 0x7000);
		guest_set_reg(0, X86_EFLAGS, guest_reg(0, X86_EFLAGS) | TF);
		refuse(requests[i]);
		guest_step(0);
		guest_wait();
		refused_call = 0;
		/* Hosts that step by the trap flag, and those that do not, ask for these to give the guest its own. */
		ck_assert_int_eq(refusals, 1);
		ck_assert_int_eq(stop.reason, STOP_ERROR);
		ck_assert_ptr_nonnull(strstr(stop.text, i ? "KVM_SET_DEBUGREGS" : "KVM_GET_DEBUGREGS"));
		/*
		 * The instruction was done, and it says that the trap was not given: no handler has begun.  Where the guest's registers
		 * make room for ours they are asked for before it.
		 */
		if (machine_priv(m)->vm.arch->own_registers || stop.pc != 0x7c00)
			ck_assert_uint_eq(stop.pc, 0x7c01);
		ck_assert_uint_eq(guest_reg(0, X86_RSP), 0x7000);
		guest_end();
	}
}
END_TEST

/* What a step of our own looks at is KVM's to step when it cannot be had. */
GUEST(plain, /* 7c00 */ ".code32\n inc %eax\n inc %eax\n inc %eax\n jmp .\n");

START_TEST(a_step_that_needs_no_kvm)
{
	GUEST_START(plain, 0x7c00, BOOT_PROTECTED, 1);
	for (unsigned i = 0; i < 3; i++) {
		refuse(KVM_GET_DEBUGREGS);
		step_to(0x7c01 + i);
		refused_call = 0;
		ck_assert_uint_eq(guest_reg(0, X86_RAX), i + 1);
	}
	guest_end();
}
END_TEST

GUEST(writes_msr, /* 7c00 */ ".code32\n mov $0x277, %ecx\n rdmsr\n wrmsr\n jmp .\n");

START_TEST(an_msr_that_is_watched)
{
	static const struct catch_spec spec = { .kind = CATCH_SPECIAL, .start = 0x277, .end = 0x277, .dir = CATCH_WRITE };
	unsigned id;

	GUEST_START(writes_msr, 0x7c00, BOOT_PROTECTED, 1);
	if (machine_catch_add(m, &spec, &id, &err)) {
		guest_end();
		return;
	}
	refuse(KVM_SET_MSRS);
	guest_continue();
	guest_wait();
	refused_call = 0;
	if (refusals) {
		ck_assert_int_eq(stop.reason, STOP_ERROR);
		ck_assert_ptr_nonnull(strstr(stop.text, "KVM_SET_MSRS"));
	}
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("refused");
	TCase *t = tcase_create("refused");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, onto_a_halt);
	tcase_add_test(t, away_from_a_halt);
	tcase_add_test(t, a_trap_of_the_guests_own);
	tcase_add_test(t, a_step_that_needs_no_kvm);
	tcase_add_test(t, an_msr_that_is_watched);
	suite_add_tcase(s, t);
	return unit_main(s);
}
