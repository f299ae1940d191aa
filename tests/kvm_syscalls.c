/* SPDX-License-Identifier: GPL-3.0-or-later */
/* User code's system calls: on every host they reach the guest's kernel, and the guest sees no trace of how. */
#include "tests/step_rig.h"
#include "tests/unit.h"

#define KERNEL 0x200000u        /* where the kernel's entry is: a page that user code may not touch */
#define USER_FLAGS 0x202        /* IF, which FMASK takes away */

/* Copies the kernel's entry to its page, opens SYSCALL, and goes to user mode. */
#define ENTER                                                                                                   \
	"mov $" AT(88f) ", %esi\n mov $0x200000, %edi\n mov $(89f - 88f), %ecx\n rep movsb\n"                      \
	"mov $0xc0000080, %ecx\n rdmsr\n or $1, %eax\n wrmsr\n"                                                    \
	"mov $0xc0000081, %ecx\n xor %eax, %eax\n mov $0x100008, %edx\n wrmsr\n"                                   \
	"mov $0xc0000082, %ecx\n mov $0x200000, %eax\n xor %edx, %edx\n wrmsr\n"                                   \
	"mov $0xc0000084, %ecx\n mov $0x200, %eax\n wrmsr\n"                                                       \
	P(0) TO_USER(1f, 0x202) "1: "

/* The kernel: notes what it was entered with, and returns. */
#define KERNEL_ENTRY                                                                                            \
	"88: incl 0x604\n mov %rcx, 0x610\n mov %r11, 0x618\n mov %cs, 0x620\n mov %ss, 0x622\n mov %rsp, 0x628\n"  \
	"pushfq\n pop %rax\n mov %rax, 0x630\n sysretq\n 89: "

/* Page faults are counted, and end at label 4. */
#define FAULTS(first) H(14) first "incl 0x608\n add $8, %rsp\n movq $" AT(4b) ", (%rsp)\n iretq\n"

PROGRAM(calls, LONG ENTER "mov $3, %ebx\n" "2: syscall\n" P(1) "dec %ebx\n jnz 2b\n" "mov 0x200000, %al\n" "4: ud2\n"
	H(6) P(2) "jmp .\n" FAULTS("nopl (%rax)\n") KERNEL_ENTRY);
PROGRAM(other_handler, LONG ENTER "mov $3, %ebx\n" "2: syscall\n" P(1) "dec %ebx\n jnz 2b\n" "mov 0x200000, %al\n" "4: ud2\n"
	H(6) P(2) "jmp .\n" FAULTS("incl 0x60c\n") KERNEL_ENTRY);

static void calls_thrice(const struct program *p)
{
	rig_start(p, 1);
	rig_break(BREAK_SOFT, rig_place(2));
	rig_continue(STOP_BREAKPOINT, rig_place(2));
	ck_assert_uint_eq(guest_u32(0x604), 3);
	ck_assert_uint_eq(guest_u32(0x610), rig_place(1));
	ck_assert_uint_eq(guest_u32(0x618), USER_FLAGS);
	ck_assert_uint_eq(guest_u32(0x620), 0x100008);
	ck_assert_uint_eq(guest_u32(0x628), 0x7000);
	ck_assert_uint_eq(guest_u32(0x630) & 0x200, 0);
	/* The one that was meant. */
	ck_assert_uint_eq(guest_u32(0x608), 1);
}

START_TEST(they_reach_the_kernel)
{
	calls_thrice(THE(calls, BOOT_LONG));
	guest_end();
}
END_TEST

START_TEST(whatever_the_handler_begins_with)
{
	calls_thrice(THE(other_handler, BOOT_LONG));
	ck_assert_uint_eq(guest_u32(0x60c), 1);
	guest_end();
}
END_TEST

/* A breakpoint at the kernel's entry is hit once a call, and one at the handler by the guest's own fault alone. */
START_TEST(breakpoints_on_the_way)
{
	rig_start(THE(calls, BOOT_LONG), 1);
	rig_break(BREAK_SOFT, KERNEL);
	for (unsigned i = 0; i < 3; i++) {
		rig_continue(STOP_BREAKPOINT, KERNEL);
		ck_assert_uint_eq(guest_u32(0x604), i);
		ck_assert_uint_eq(guest_reg(0, X86_CS) & 3, 0);
	}
	rig_break(BREAK_SOFT, rig_place(2));
	rig_continue(STOP_BREAKPOINT, rig_place(2));
	guest_end();
}
END_TEST

/* User code that runs to the kernel's entry by itself has a page fault. */
PROGRAM(jumps, LONG ENTER "xor %ecx, %ecx\n mov $0x200000, %eax\n jmp *%rax\n" "4: ud2\n" H(6) P(1) "jmp .\n"
	FAULTS("nop\n") KERNEL_ENTRY);

START_TEST(a_jump_there_is_none)
{
	rig_start(THE(jumps, BOOT_LONG), 1);
	rig_break(BREAK_SOFT, rig_place(1));
	rig_continue(STOP_BREAKPOINT, rig_place(1));
	ck_assert_uint_eq(guest_u32(0x604), 0);
	ck_assert_uint_eq(guest_u32(0x608), 1);
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("syscalls");
	TCase *t = tcase_create("syscalls");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, they_reach_the_kernel);
	tcase_add_test(t, whatever_the_handler_begins_with);
	tcase_add_test(t, breakpoints_on_the_way);
	tcase_add_test(t, a_jump_there_is_none);
	suite_add_tcase(s, t);
	return unit_main(s);
}
