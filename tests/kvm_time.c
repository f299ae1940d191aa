/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guest's time does not pass while it is stopped: KVM's clock, by a guest that reads it as Linux does. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define PVCLOCK         0x2000u         /* struct pvclock_vcpu_time_info (the kernel's Documentation/virt/kvm/x86/msr.rst) */
#define NANOSECONDS     0x3000u
#define ROUNDS          0x3008u
#define GUEST_STOPPED   2               /* in its flags */

#define STOP_NS         1000000000u
#define SLACK_NS        100000000u      /* what may be added between our readings and KVM's */

/* It exits in every round, for not every host can interrupt a loop that does not.  (counter - its stamp) shifted, times the factor, over 2^32, and the time then.  A version that is odd or changes: again. */
GUEST(reader,
	".code64\n"
	"mov $0x4b564d01, %ecx\n mov $0x2001, %eax\n xor %edx, %edx\n wrmsr\n"
	"1: mov 0x2000, %ebx\n test $1, %bl\n jnz 1b\n"
	"rdtsc\n shl $32, %rdx\n or %rdx, %rax\n sub 0x2008, %rax\n"
	"movsbl 0x201c, %ecx\n test %ecx, %ecx\n jns 2f\n neg %ecx\n shr %cl, %rax\n jmp 3f\n 2: shl %cl, %rax\n"
	"3: mov 0x2018, %edx\n mul %rdx\n shrd $32, %rdx, %rax\n add 0x2010, %rax\n"
	"cmp 0x2000, %ebx\n jne 1b\n"
	"mov %rax, 0x3000\n incq 0x3008\n out %al, $0x80\n jmp 1b\n");

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t u64(uint64_t gpa)
{
	uint64_t value = 0;

	machine_phys_read(m, gpa, &value, sizeof(value), &err);
	return value;
}

static void pass(uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };

	nanosleep(&t, NULL);
}

/* Has the guest read its clock some times more; returns how long that took, in the host's nanoseconds. */
static uint64_t run(void)
{
	uint64_t rounds = u64(ROUNDS), start = now_ns();

	do {
		guest_continue();
		machine_stop(m);
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_REQUEST);
	} while (u64(ROUNDS) < rounds + 2);
	return now_ns() - start;
}

START_TEST(stands_still_while_the_guest_is_stopped)
{
	uint64_t before, took;
	uint8_t flags = 0;

	GUEST_START(reader, 0x1000, BOOT_LONG, 1);
	/* What the guest wrote last may be as old as that, on a host with much to do. */
	took = run();
	before = u64(NANOSECONDS);
	/* The time that passes is what this test is about. */
	pass(STOP_NS);
	took += run();
	ck_assert_uint_ge(u64(NANOSECONDS), before);
	ck_assert_uint_le(u64(NANOSECONDS) - before, took + SLACK_NS);
	machine_phys_read(m, PVCLOCK + 29, &flags, 1, &err);
	ck_assert_msg(flags & GUEST_STOPPED, "flags %#x", flags);
}
END_TEST

/* Many short stops are time that passes, and never takes any back. */
START_TEST(never_goes_back)
{
	uint64_t last = 0, ns;

	GUEST_START(reader, 0x1000, BOOT_LONG, 1);
	for (unsigned i = 0; i < 60; i++) {
		run();
		ns = u64(NANOSECONDS);
		ck_assert_uint_ge(ns, last);
		last = ns;
		/* Around the length from which on a stop is taken back. */
		pass(i % 3 * 4000000u);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kvm_time");
	TCase *t = tcase_create("clock");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_add_checked_fixture(t, NULL, guest_end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, stands_still_while_the_guest_is_stopped);
	tcase_add_test(t, never_goes_back);
	suite_add_tcase(s, t);
	return unit_main(s);
}
