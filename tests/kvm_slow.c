/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A host whose changes of slots take long: it waits for a grace period of RCU, and has much else to do. */
#include <stdatomic.h>
#include <time.h>

#include "kvm/kvm.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define SLOW_NS   3000000       /* three ticks (src/kvm/run_tick.c) */

static atomic_bool slow;

int __real_kvm_ioctl(int fd, unsigned long request, void *arg);
int __wrap_kvm_ioctl(int fd, unsigned long request, void *arg);

int __wrap_kvm_ioctl(int fd, unsigned long request, void *arg)
{
	const struct timespec t = { .tv_nsec = SLOW_NS };
	int r = __real_kvm_ioctl(fd, request, arg);

	if (request == KVM_SET_USER_MEMORY_REGION && atomic_load(&slow))
		nanosleep(&t, NULL);
	return r;
}

/* The code, its data and the stack in one page, which must be open for each instruction. */
GUEST(shares, /* 7c00 */ "mov $0x7f00, %sp\n"
	      /* 7c03 */ "call 1f\n"
	      /* 7c06 */ "incb 0x7e00\n"
	      /* 7c0a */ "nop\n"
	      /* 7c0b */ "jmp .\n"
	      /* 7c0d */ "1: push %ax\n pop %ax\n ret\n");

/* While a breakpoint waits for memory to be mapped there is a tick, which a step with a page open outlasts. */
START_TEST(steps_outlast_ticks)
{
	struct watch_spec w = { .kind = WATCH_ACCESS, .gva = 0x7e00, .size = 1 };

	GUEST_START(shares, 0x7c00, BOOT_REAL, 1);
	ck_assert_int_eq(machine_watch_insert(m, BREAK_OWNER_GDB, &w, &err), 0);
	for (uint64_t gva = 0x2000000; gva < 0x2000010; gva++)
		ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, gva), 0);
	atomic_store(&slow, true);
	guest_continue();
	guest_wait();
	atomic_store(&slow, false);
	ck_assert_int_eq(stop.reason, STOP_WATCH);
	ck_assert_uint_eq(stop.pc, 0x7c0a);
	guest_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slow host");
	TCase *t = tcase_create("slow host");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_add_test(t, steps_outlast_ticks);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}
