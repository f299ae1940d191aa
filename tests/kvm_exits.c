/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * KVM leaves the guest for reasons that a well-behaved one has not: the machine stops and says which, or goes on where that is right,
 * and can be resumed.  This program's ioctl() answers KVM_RUN in the kernel's place, once.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm/machine_priv.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

GUEST(spin, "1: incl 0x8000\n jmp 1b\n");

static const struct exit {
	int error;              /* KVM_RUN fails with it; 0: an exit for this reason */
	uint32_t reason, detail;
	uint64_t data;
	const char *says;       /* of the stop; NULL: there is none */
} exits[] = {
	{ .reason = 4711, .says = "KVM exit 4711, which this program does not know" },
	{ .reason = KVM_EXIT_UNKNOWN, .says = "KVM exit 0, which this program does not know" },
	{ .reason = KVM_EXIT_FAIL_ENTRY, .data = 0x80000021, .says = "the processor refused to enter the guest (reason 0x80000021)" },
	{ .reason = KVM_EXIT_INTERNAL_ERROR, .detail = KVM_INTERNAL_ERROR_DELIVERY_EV, .data = 0x1234,
	  .says = "KVM internal error 3 (data 0x1234)" },
	{ .reason = KVM_EXIT_INTERNAL_ERROR, .detail = KVM_INTERNAL_ERROR_SIMUL_EX, .says = "KVM internal error 2 (data 0x0)" },
	{ .reason = KVM_EXIT_DIRTY_RING_FULL, .says = "KVM speaks of a dirty ring where there is none" },
	{ .error = EFAULT, .says = "the host memory behind an address the guest used is gone (EFAULT)" },
	{ .error = EIO, .says = "KVM_RUN: Input/output error" },
	{ .error = ENOMEM, .says = "KVM_RUN: Cannot allocate memory" },
	{ .reason = KVM_EXIT_INTR }, { .reason = KVM_EXIT_IRQ_WINDOW_OPEN }, { .reason = KVM_EXIT_SET_TPR },
	{ .error = EINTR }, { .error = EAGAIN },
};

/* What the next KVM_RUN answers. */
static _Atomic(const struct exit *) next_exit;
static struct kvm_run *run_page;

int ioctl(int fd, unsigned long request, ...)
{
	const struct exit *e;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	e = request == KVM_RUN ? atomic_exchange(&next_exit, NULL) : NULL;
	if (!e)
		return (int)syscall(SYS_ioctl, fd, request, arg);
	if (e->error) {
		errno = e->error;
		return -1;
	}
	run_page->exit_reason = e->reason;
	if (e->reason == KVM_EXIT_FAIL_ENTRY)
		run_page->fail_entry.hardware_entry_failure_reason = e->data;
	if (e->reason == KVM_EXIT_INTERNAL_ERROR) {
		run_page->internal.suberror = e->detail;
		run_page->internal.ndata = e->data != 0;
		run_page->internal.data[0] = e->data;
	}
	return 0;
}

static void start(void)
{
	GUEST_START(spin, 0x7c00, BOOT_REAL, 1);
	run_page = machine_priv(m)->vm.cpus[0]->run;
}

/* The guest counts: it runs. */
static void runs_on(void)
{
	uint32_t before = guest_u32(0x8000);

	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c00), 0);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_BREAKPOINT);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert_uint_gt(guest_u32(0x8000), before);
	ck_assert_int_eq(guest_unbreak(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c00), 0);
}

START_TEST(test_exit)
{
	const struct exit *e = &exits[_i];

	start();
	atomic_store(&next_exit, e);
	if (e->says) {
		guest_continue();
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_ERROR);
		ck_assert_str_eq(stop.text, e->says);
		ck_assert_uint_eq(stop.pc, 0x7c00);
		ck_assert_uint_eq(guest_reg(0, X86_RIP), 0x7c00);
		ck_assert_uint_eq(guest_u32(0x8000), 0);
		ck_assert_uint_eq(stops, 1);
	}
	runs_on();
	ck_assert_ptr_null(atomic_load(&next_exit));
	guest_end();
}
END_TEST

/* A ring that is full without an entry would be full for ever. */
START_TEST(test_ring)
{
	static const struct exit full = { .reason = KVM_EXIT_DIRTY_RING_FULL };

	if (!guest_has_rings())
		return;
	guest_dirty_ring = 1024;
	start();
	atomic_store(&next_exit, &full);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_ERROR);
	ck_assert_str_eq(stop.text, "the dirty ring is full, and has no entries");
	runs_on();
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("exits");
	TCase *t = tcase_create("exits");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_exit, 0, (int)(sizeof(exits) / sizeof(exits[0])));
	tcase_add_test(t, test_ring);
	suite_add_tcase(s, t);
	return unit_main(s);
}
