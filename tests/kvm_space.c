/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel's memory, read while user code runs on page tables that have hardly anything of the kernel: as with Linux's
 * page-table isolation.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define HIGH            0xffffffff80000000ull   /* where the kernel's tables have gpa 0 */
#define KERNEL_TOP      0x30000u                /* and the user's the next page, */
#define OTHER_USER_TOP  0x41000u                /* or this one, whose pair is empty */
#define IDT             0x38000u                /* nothing is in it, and nobody takes an interrupt */

/*
 * Two megabytes are mapped onto themselves in all; the kernel's have them at HIGH too.  %rbx: the user's CR3; %r12 not 0: an
 * exit under the kernel's tables first, by the port 0x80; else these are never loaded.
 */
#define TABLES                                                  \
	".code64\n"                                             \
	"movl $0x32007, 0x30000\n movl $0x34007, 0x30ff8\n"     \
	"movl $0x32007, 0x31000\n movl $0x32007, 0x41000\n"     \
	"movl $0x33007, 0x32000\n movl $0x87, 0x33000\n"        \
	"movl $0x35007, 0x34ff0\n movl $0x87, 0x35000\n"        \
	"movl $0x0000ffff, 0x36018\n movl $0x00affb00, 0x3601c\n"       \
	"movl $0x0000ffff, 0x36020\n movl $0x00cff300, 0x36024\n"       \
	"movl $0x0000ffff, 0x36008\n movl $0x00af9b00, 0x3600c\n"       \
	"movl $0x0000ffff, 0x36010\n movl $0x00cf9300, 0x36014\n"       \
	"movw $0x27, 0x37000\n movl $0x36000, 0x37002\n movl $0, 0x37006\n lgdt 0x37000\n"     \
	"test %r12, %r12\n jz 1f\n"                             \
	"mov $0x30000, %eax\n mov %rax, %cr3\n out %al, $0x80\n"        \
	"1: mov %rbx, %cr3\n"                                   \
	"pushq $0x23\n pushq $0x8000\n pushq $0x202\n pushq $0x1b\n lea 2f(%rip), %rax\n push %rax\n iretq\n"   \
	"2: jmp 2b\n"

GUEST(user, TABLES);

static void start_user(uint64_t cr3, bool exits)
{
	GUEST_START(user, 0x1000, BOOT_LONG, 1);
	guest_set_reg(0, X86_RBX, cr3);
	guest_set_reg(0, X86_R12, exits);
	guest_set_reg(0, X86_IDTR_BASE, IDT);
}

static void go_on_to_user(uint64_t cr3)
{
	struct cpu_status s;

	do {
		guest_continue();
		/* A stop is a moment: it has to be in user code some time. */
		machine_stop(m);
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_REQUEST);
		ck_assert_int_eq(machine_cpu_status(m, 0, &s, &err), 0);
	} while (s.privilege != 3);
	ck_assert_uint_eq(guest_reg(0, X86_CR3), cr3);
}

static void run_user(uint64_t cr3, bool exits)
{
	start_user(cr3, exits);
	go_on_to_user(cr3);
}

static uint32_t read_high(uint64_t offset)
{
	uint32_t value = 0;

	ck_assert_msg(machine_mem_read(m, 0, HIGH + offset, &value, sizeof(value), &err) == sizeof(value), "%s", err.msg);
	return value;
}

static void refused(uint64_t gva)
{
	uint32_t value;

	err.code = 0;
	ck_assert_uint_eq(machine_mem_read(m, 0, gva, &value, sizeof(value), &err), 0);
	ck_assert_int_eq(err.code, EFAULT);
}

START_TEST(of_a_pair)
{
	uint32_t value = 0x12345678;

	run_user(KERNEL_TOP + 0x1000, false);
	ck_assert_uint_eq(read_high(0x30ff8), 0x34007);
	ck_assert_uint_eq(machine_mem_write(m, 0, HIGH + 0x9000, &value, sizeof(value), &err), sizeof(value));
	ck_assert_uint_eq(guest_u32(0x9000), value);
	refused(0xffff800000000000);
	refused(HIGH + (4ull << 20));
}
END_TEST

START_TEST(of_the_last_exit)
{
	run_user(OTHER_USER_TOP, true);
	ck_assert_uint_eq(read_high(0x30ff8), 0x34007);
}
END_TEST

/* The last exit of all was by the kernel's last instructions, on the user's tables. */
START_TEST(of_the_exit_before)
{
	start_user(OTHER_USER_TOP, true);
	while (guest_reg(0, X86_CR3) != OTHER_USER_TOP) {
		guest_step(0);
		guest_wait();
	}
	go_on_to_user(OTHER_USER_TOP);
	ck_assert_uint_eq(read_high(0x30ff8), 0x34007);
}
END_TEST

START_TEST(not_where_nothing_is_known)
{
	run_user(OTHER_USER_TOP, false);
	refused(HIGH);
}
END_TEST

/* The tables seen last have been given back, and other things are in them. */
START_TEST(not_of_tables_that_have_gone)
{
	uint32_t none = 0;

	run_user(OTHER_USER_TOP, true);
	ck_assert_uint_eq(machine_phys_write(m, KERNEL_TOP, &none, sizeof(none), &err), sizeof(none));
	refused(HIGH);
}
END_TEST

/* Without an IDT, other tables are nobody's. */
START_TEST(not_without_an_idt)
{
	start_user(OTHER_USER_TOP, true);
	guest_set_reg(0, X86_IDTR_BASE, 0);
	go_on_to_user(OTHER_USER_TOP);
	refused(HIGH);
}
END_TEST

START_TEST(a_breakpoint_is_set_in_it)
{
	struct break_info b;

	run_user(KERNEL_TOP + 0x1000, false);
	ck_assert_int_eq(guest_break(BREAK_OWNER_MONITOR, BREAK_SOFT, HIGH + 0x5000), 0);
	ck_assert(machine_break_list(m, 0, &b));
	ck_assert(b.resolved);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kvm_space");
	TCase *t = tcase_create("kernel");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_add_checked_fixture(t, NULL, guest_end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, of_a_pair);
	tcase_add_test(t, of_the_last_exit);
	tcase_add_test(t, of_the_exit_before);
	tcase_add_test(t, not_where_nothing_is_known);
	tcase_add_test(t, not_of_tables_that_have_gone);
	tcase_add_test(t, not_without_an_idt);
	tcase_add_test(t, a_breakpoint_is_set_in_it);
	suite_add_tcase(s, t);
	return unit_main(s);
}
