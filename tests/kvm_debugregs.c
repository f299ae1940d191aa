/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guests that debug themselves, by their own trap flag and their own debug registers, while we debug them: neither side disturbs
 * the other.  The same list on every host.
 */
#include "tests/step_rig.h"
#include "tests/unit.h"

#define DR6_NONE 0xffff0ff0u
#define DR6_BS   0x4000u
#define TF       0x100u
#define TRAPS    9u
#define ROUNDS   10u

/*
 * Counts at 0x500, with the step bit in DR6 at 0x504, with that of its register 0 at 0x508; the last DR6 is left at 0x50c.  The
 * resume flag is for its register only: after a trap it would also hide a breakpoint register of ours.
 */
#define HANDLER64                                                                                               \
	"push %rax\n mov %dr6, %rax\n mov %eax, 0x50c\n incl 0x500\n test $0x4000, %eax\n jz 7f\n incl 0x504\n"     \
	"7: test $1, %eax\n jz 7f\n incl 0x508\n orl $0x10000, 24(%rsp)\n"                                        \
	"7: mov $0xffff0ff0, %eax\n mov %rax, %dr6\n pop %rax\n iretq\n"
/* Without the resume flag, which IRETW does not load. */
#define HANDLER16                                                                                               \
	"push %eax\n mov %dr6, %eax\n mov %eax, 0x50c\n incl 0x500\n test $0x4000, %eax\n jz 7f\n incl 0x504\n"     \
	"7: test $1, %eax\n jz 7f\n incl 0x508\n 7: mov $0xffff0ff0, %eax\n mov %eax, %dr6\n pop %eax\n iretw\n"

/* Nine instructions under the guest's own trap flag, that which clears it among them. */
#define UNDER_TF(PUSH, POP, AND)                                                                                \
	P(1) "nop\n" P(2) "inc %ecx\n" P(3) "movl $5, 0x600\n" P(4) "nop\n" P(5) "nop\n" P(6) "nop\n"               \
	P(7) PUSH "\n" P(8) AND "\n" P(9) POP "\n" P(10) "nop\n" P(11) "jmp .\n"

PROGRAM(own_tf_real, REAL P(0) "pushw $0x102\n popfw\n" UNDER_TF("pushw $2", "popfw", "mov %sp, %bp") H(1) HANDLER16);
PROGRAM(own_tf_64, LONG P(0) "pushq $0x102\n popfq\n" UNDER_TF("pushfq", "popfq", "andl $~0x100, (%rsp)") H(1) HANDLER64);
/* By IRET. */
PROGRAM(iret_tf_real, REAL P(0) "pushw $0x102\n pushw $0\n pushw $" AT(5f) "\n iretw\n 5:\n"
	UNDER_TF("pushw $2", "popfw", "mov %sp, %bp") H(1) HANDLER16);
PROGRAM(iret_tf_64, LONG P(0) "mov %rsp, %rbx\n pushq $0x10\n push %rbx\n pushq $0x102\n pushq $8\n pushq $" AT(5f) "\n iretq\n 5:\n"
	UNDER_TF("pushfq", "popfq", "andl $~0x100, (%rsp)") H(1) HANDLER64);

static const struct program own_tf[] = {
	PARTS(own_tf_real, BOOT_REAL), PARTS(own_tf_64, BOOT_LONG), PARTS(iret_tf_real, BOOT_REAL), PARTS(iret_tf_64, BOOT_LONG),
};
#define OWN_TF (sizeof(own_tf) / sizeof(own_tf[0]))

static void check_traps(void)
{
	ck_assert_uint_eq(guest_u32(0x500), TRAPS);
	ck_assert_uint_eq(guest_u32(0x504), TRAPS);
	ck_assert_uint_eq(guest_reg(0, X86_EFLAGS) & TF, 0);
	guest_end();
}

/* To the end, where a breakpoint of KIND stands. */
static void to_the_end(enum break_kind kind)
{
	rig_break(kind, rig_place(10));
	rig_continue(STOP_BREAKPOINT, rig_place(10));
	check_traps();
}

START_TEST(steps_itself)
{
	rig_start(&own_tf[_i], 1);
	to_the_end(BREAK_SOFT);
}
END_TEST

START_TEST(steps_itself_with_hard_breakpoints)
{
	rig_start(&own_tf[_i], 1);
	rig_break(BREAK_HARD, rig_place(4));
	rig_continue(STOP_BREAKPOINT, rig_place(4));
	to_the_end(BREAK_HARD);
}
END_TEST

START_TEST(steps_itself_with_soft_breakpoints)
{
	rig_start(&own_tf[_i], 1);
	for (unsigned i = 2; i < 9; i++)
		rig_break(BREAK_SOFT, rig_place(i));
	for (unsigned i = 2; i < 9; i++)
		rig_continue(STOP_BREAKPOINT, rig_place(i));
	to_the_end(BREAK_SOFT);
}
END_TEST

START_TEST(steps_itself_with_a_watchpoint)
{
	rig_start(&own_tf[_i], 1);
	rig_watch(WATCH_WRITE, 0x600, 4);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_WATCH);
	ck_assert_uint_eq(stop.watch.now, 5);
	to_the_end(BREAK_SOFT);
}
END_TEST

/* Its handler runs for each of its instructions, and is stepped through too. */
START_TEST(steps_itself_while_we_step)
{
	unsigned steps;

	rig_start(&own_tf[_i], 1);
	/* The last trap comes behind the last of them. */
	steps = rig_step_until(rig_place(11), 400);
	ck_assert_uint_gt(steps, TRAPS * 10);
	check_traps();
}
END_TEST

/* After any number of our steps it goes on by itself. */
START_TEST(steps_itself_after_our_steps)
{
	for (unsigned n = 1; n < 40; n += 3) {
		rig_start(&own_tf[_i], 1);
		for (unsigned i = 0; i < n; i++) {
			guest_step(0);
			guest_wait();
			ck_assert_int_eq(stop.reason, STOP_STEP);
		}
		/* Also when registers were set. */
		if (n & 1)
			guest_set_reg(0, X86_RDI, n);
		to_the_end(BREAK_HARD);
	}
}
END_TEST

/* So does a program in user mode, whose traps a step of ours is told by where KVM does not step there. */
PROGRAM(own_tf_user, LONG P(0) TO_USER(1f, 2) "1: pushq $0x102\n popfq\n nop\n inc %ecx\n nop\n pushfq\n andl $~0x100, (%rsp)\n popfq\n"
	"nop\n hlt\n" H(13) P(1) "jmp .\n" H(1) HANDLER64);

START_TEST(user_mode_steps_itself_after_our_steps)
{
	for (unsigned n = 0; n < 40; n++) {
		rig_start(THE(own_tf_user, BOOT_LONG), 1);
		for (unsigned i = 0; i < n; i++) {
			guest_step(0);
			guest_wait();
			ck_assert_int_eq(stop.reason, STOP_STEP);
		}
		if (n & 1)
			guest_set_reg(0, X86_RDI, n);
		rig_break(BREAK_HARD, rig_place(1));
		rig_continue(STOP_BREAKPOINT, rig_place(1));
		ck_assert_msg(guest_u32(0x500) == 6, "%u traps after %u steps", guest_u32(0x500), n);
		ck_assert_msg(guest_u32(0x504) == 6, "%u traps of one instruction after %u steps", guest_u32(0x504), n);
		guest_end();
	}
}
END_TEST

/* The elements of a REP trap, too: as many as they do without our steps.  Where they go was written to before: else VMX has a trap for that. */
PROGRAM(own_tf_rep, LONG P(0) "movb $0, 0x600\n mov $0x600, %edi\n mov $3, %ecx\n pushq $0x102\n popfq\n rep stosb\n nop\n pushfq\n andl $~0x100, (%rsp)\n"
	"popfq\n nop\n" P(1) "jmp .\n" H(1) HANDLER64);

/* N of our steps, and from there to place 1. */
static void steps_and_on(const struct program *p, unsigned n, enum break_kind kind)
{
	rig_start(p, 1);
	for (unsigned i = 0; i < n; i++) {
		guest_step(0);
		guest_wait();
	}
	rig_break(kind, rig_place(1));
	rig_continue(STOP_BREAKPOINT, rig_place(1));
}

START_TEST(repeated_strings_step_themselves)
{
	uint32_t traps = 0;

	for (unsigned n = 0; n < 30; n++) {
		steps_and_on(THE(own_tf_rep, BOOT_LONG), n, BREAK_HARD);
		if (!n)
			traps = guest_u32(0x500);
		ck_assert_uint_ge(traps, 6);
		ck_assert_msg(guest_u32(0x500) == traps, "%u traps after %u steps, %u without", guest_u32(0x500), n, traps);
		ck_assert_msg(guest_u32(0x504) == traps, "%u traps of one instruction after %u steps, %u without", guest_u32(0x504), n, traps);
		guest_end();
	}
}
END_TEST

/* With all of its registers in use, and until the second trap. */
PROGRAM(own_tf_full, LONG P(0) "mov $0x780, %eax\n mov %rax, %dr0\n mov %rax, %dr1\n mov %rax, %dr2\n mov %rax, %dr3\n"
	"mov $0xdddd0455, %eax\n mov %rax, %dr7\n pushq $0x102\n popfq\n nop\n nop\n nop\n nop\n nop\n" P(1) "jmp .\n"
	H(1) "push %rax\n mov $0xffff0ff0, %eax\n mov %rax, %dr6\n incl 0x500\n cmpl $2, 0x500\n jne 7f\n andl $~0x100, 24(%rsp)\n"
	"7: pop %rax\n iretq\n");

START_TEST(steps_itself_with_all_its_registers_in_use)
{
	for (unsigned n = 0; n < 36; n++) {
		steps_and_on(THE(own_tf_full, BOOT_LONG), n, BREAK_SOFT);
		ck_assert_msg(guest_u32(0x500) == 2, "%u traps after %u steps", guest_u32(0x500), n);
		guest_end();
	}
	rig_start(THE(own_tf_full, BOOT_LONG), 1);
	ck_assert_uint_eq(rig_step_until(rig_place(1), 100), 7 + 2 + 5 + 2 + 8 + 9);
	guest_end();
}
END_TEST

/* Nor do they keep a step from the handler of a fault; and a store that one of them watches is its trap. */
PROGRAM(full_faults, LONG P(0) "mov $0x780, %eax\n mov %rax, %dr0\n mov %rax, %dr1\n mov %rax, %dr2\n mov %rax, %dr3\n"
	"mov $0xdddd0455, %eax\n mov %rax, %dr7\n" P(1) "ud2\n" P(2) "nop\n" P(3) "movl $1, 0x780\n" P(4) "nop\n" P(5) "jmp .\n"
	H(6) P(6) "addq $2, (%rsp)\n" P(7) "iretq\n" H(1) HANDLER64);

START_TEST(steps_into_faults_with_all_its_registers_in_use)
{
	rig_start(THE(full_faults, BOOT_LONG), 1);
	rig_step_until(rig_place(1), 7);
	rig_step(rig_place(6));
	rig_step(rig_place(7));
	rig_step_until(rig_place(3), 2);
	rig_step_until(rig_place(5), 30);
	if (host_says("guest's watchpoints", "yes"))
		ck_assert_uint_eq(guest_u32(0x508), 1);
	guest_end();
}
END_TEST

/* What it pushes while it steps itself shows that. */
PROGRAM(shows_tf, LONG P(0) "pushq $0x102\n popfq\n" P(1) "nop\n pushfq\n pop %rbx\n pushq $2\n popfq\n" P(2) "nop\n" P(3) "jmp .\n"
	H(1) HANDLER64);

START_TEST(its_own_trap_flag_shows)
{
	rig_start(THE(shows_tf, BOOT_LONG), 1);
	rig_step_until(rig_place(3), 200);
	ck_assert_uint_eq(guest_reg(0, X86_RBX) & 0xffff, 0x102);
	ck_assert_uint_eq(guest_u32(0x500), 5);
	guest_end();
}
END_TEST

/* A breakpoint of its own, in a loop of ten, by MOV DR. */
#define ROUND_WE_GO                                                                                             \
	P(0) "xor %ecx, %ecx\n" "1: " P(1) "inc %ecx\n" P(2) "8: nop\n" P(3) "nop\n" P(4) "movl %ecx, 0x600\n"        \
	P(5) "cmp $10, %ecx\n jb 1b\n"
PROGRAM(own_dr, LONG "mov $" AT(8f) ", %eax\n mov %rax, %dr0\n mov $0x402, %eax\n mov %rax, %dr7\n" ROUND_WE_GO
	"mov %dr0, %rbx\n mov %dr7, %rdx\n" P(6) "nop\n" P(7) "jmp .\n" H(1) HANDLER64);
PROGRAM(no_dr, LONG ROUND_WE_GO "mov %dr0, %rbx\n mov %dr7, %rdx\n" P(6) "nop\n" P(7) "jmp .\n" H(1) HANDLER64);

static void check_own(void)
{
	ck_assert_uint_eq(guest_u32(0x500), ROUNDS);
	ck_assert_uint_eq(guest_u32(0x508), ROUNDS);
	ck_assert_uint_eq(guest_u32(0x50c), DR6_NONE | 1);
	ck_assert_uint_eq(guest_reg(0, X86_RBX), rig_place(2));
	ck_assert_uint_eq(guest_reg(0, X86_RDX), 0x402);
	ck_assert_uint_eq(guest_reg(0, X86_DR0), rig_place(2));
	ck_assert_uint_eq(guest_reg(0, X86_DR7), 0x402);
	guest_end();
}

/* With its own at place 2: by MOV DR, or as a person sets it. */
static void own_start(bool by_us)
{
	rig_start(by_us ? THE(no_dr, BOOT_LONG) : THE(own_dr, BOOT_LONG), 1);
	if (!by_us)
		return;
	guest_set_reg(0, X86_DR0, rig_place(2));
	guest_set_reg(0, X86_DR7, 0x402);
}

START_TEST(own_breakpoint)
{
	own_start(_i);
	rig_break(BREAK_SOFT, rig_place(6));
	rig_continue(STOP_BREAKPOINT, rig_place(6));
	check_own();
}
END_TEST

static void own_and_ours(bool by_us, enum break_kind kind, unsigned place)
{
	own_start(by_us);
	rig_break(kind, rig_place(place));
	for (unsigned i = 0; i < ROUNDS; i++) {
		rig_continue(STOP_BREAKPOINT, rig_place(place));
		ck_assert_uint_eq(guest_reg(0, X86_RCX), i + 1);
		/* Ours is told of first, where both are. */
		ck_assert_uint_eq(guest_u32(0x500), place == 2 ? i : i + 1);
		if (place != 2)
			continue;
		/* And, but where the processor minds the resume flag, once more when the handler has returned to it. */
		rig_break(BREAK_SOFT, rig_place(4));
		guest_continue();
		guest_wait();
		if (stop.pc == rig_place(2)) {
			ck_assert_uint_eq(guest_u32(0x500), i + 1);
			rig_continue(STOP_BREAKPOINT, rig_place(4));
		}
		ck_assert_uint_eq(stop.pc, rig_place(4));
		rig_unbreak(BREAK_SOFT, rig_place(4));
	}
	rig_break(kind, rig_place(6));
	rig_continue(STOP_BREAKPOINT, rig_place(6));
	check_own();
}

START_TEST(own_breakpoint_and_a_soft_one)
{
	own_and_ours(_i, BREAK_SOFT, 3);
}
END_TEST

START_TEST(own_breakpoint_and_a_hard_one)
{
	own_and_ours(_i, BREAK_HARD, 3);
}
END_TEST

START_TEST(own_breakpoint_under_a_soft_one)
{
	own_and_ours(_i, BREAK_SOFT, 2);
}
END_TEST

START_TEST(own_breakpoint_under_a_hard_one)
{
	own_and_ours(_i, BREAK_HARD, 2);
}
END_TEST

static void own_and_many(enum break_kind kind)
{
	own_start(false);
	for (unsigned i = 3; i < 7; i++)
		rig_break(kind, rig_place(i));
	for (unsigned n = 0; n < ROUNDS; n++)
		for (unsigned i = 3; i < 6; i++)
			rig_continue(STOP_BREAKPOINT, rig_place(i));
	rig_continue(STOP_BREAKPOINT, rig_place(6));
	check_own();
}

START_TEST(own_breakpoint_and_four_soft_ones)
{
	own_and_many(BREAK_SOFT);
}
END_TEST

START_TEST(own_breakpoint_and_four_hard_ones_on_hosts_where_both_fit)
{
	bool fit;

	own_start(false);
	fit = host_says("guest's beside ours", "yes");
	guest_end();
	if (fit)
		own_and_many(BREAK_HARD);
	else
		not_here("own_breakpoint_and_four_hard_ones_on_hosts_where_both_fit", "the guest's and ours share four registers");
}
END_TEST

START_TEST(own_breakpoint_and_a_watchpoint)
{
	own_start(_i);
	rig_watch(WATCH_WRITE, 0x600, 4);
	for (unsigned i = 0; i < ROUNDS; i++) {
		guest_continue();
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_WATCH);
		ck_assert_uint_eq(stop.watch.now, i + 1);
	}
	rig_break(BREAK_SOFT, rig_place(6));
	rig_continue(STOP_BREAKPOINT, rig_place(6));
	check_own();
}
END_TEST

START_TEST(own_breakpoint_while_we_step)
{
	own_start(_i);
	rig_step_until(rig_place(6), 1000);
	check_own();
}
END_TEST

/* Its own INT1 reaches it while debug registers are ours, and is not mistaken for anything. */
PROGRAM(own_int1, LONG P(0) "mov $3, %ecx\n 1: .byte 0xf1\n loop 1b\n" P(1) "nop\n" P(2) "jmp .\n"
	H(1) "incl 0x500\n mov %dr6, %rax\n mov %eax, 0x50c\n iretq\n");

START_TEST(own_int1_beside_our_breakpoint)
{
	rig_start(THE(own_int1, BOOT_LONG), 1);
	rig_break(BREAK_HARD, rig_place(1));
	rig_continue(STOP_BREAKPOINT, rig_place(1));
	ck_assert_uint_eq(guest_u32(0x500), 3);
	ck_assert_uint_eq(guest_u32(0x50c), DR6_NONE);
	guest_end();
}
END_TEST

/* Data that its own registers watch. */
PROGRAM(own_data, LONG "mov $0x600, %eax\n mov %rax, %dr0\n mov $0xd0402, %eax\n mov %rax, %dr7\n" ROUND_WE_GO
	P(6) "nop\n" P(7) "jmp .\n" H(1) HANDLER64);

START_TEST(own_watchpoint_on_hosts_that_have_it)
{
	static const enum break_kind kinds[] = { BREAK_SOFT, BREAK_HARD };

	rig_start(THE(own_data, BOOT_LONG), 1);
	if (!host_says("guest's watchpoints", "yes")) {
		not_here("own_watchpoint_on_hosts_that_have_it", "the guest's own data breakpoints never fire");
		guest_end();
		return;
	}
	rig_break(kinds[_i], rig_place(3));
	for (unsigned i = 0; i < ROUNDS; i++) {
		rig_continue(STOP_BREAKPOINT, rig_place(3));
		ck_assert_uint_eq(guest_u32(0x508), i);
	}
	rig_step_until(rig_place(6), 40);
	ck_assert_uint_eq(guest_u32(0x500), ROUNDS);
	ck_assert_uint_eq(guest_u32(0x508), ROUNDS);
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("debugregs");
	TCase *t = tcase_create("debugregs");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, steps_itself, 0, OWN_TF);
	tcase_add_loop_test(t, steps_itself_with_hard_breakpoints, 0, OWN_TF);
	tcase_add_loop_test(t, steps_itself_with_soft_breakpoints, 0, OWN_TF);
	tcase_add_loop_test(t, steps_itself_with_a_watchpoint, 0, OWN_TF);
	tcase_add_loop_test(t, steps_itself_while_we_step, 0, OWN_TF);
	tcase_add_loop_test(t, steps_itself_after_our_steps, 0, OWN_TF);
	tcase_add_test(t, user_mode_steps_itself_after_our_steps);
	tcase_add_test(t, repeated_strings_step_themselves);
	tcase_add_test(t, steps_itself_with_all_its_registers_in_use);
	tcase_add_test(t, steps_into_faults_with_all_its_registers_in_use);
	tcase_add_test(t, its_own_trap_flag_shows);
	tcase_add_loop_test(t, own_breakpoint, 0, 2);
	tcase_add_loop_test(t, own_breakpoint_and_a_soft_one, 0, 2);
	tcase_add_loop_test(t, own_breakpoint_and_a_hard_one, 0, 2);
	tcase_add_loop_test(t, own_breakpoint_under_a_soft_one, 0, 2);
	tcase_add_loop_test(t, own_breakpoint_under_a_hard_one, 0, 2);
	tcase_add_test(t, own_breakpoint_and_four_soft_ones);
	tcase_add_test(t, own_breakpoint_and_four_hard_ones_on_hosts_where_both_fit);
	tcase_add_loop_test(t, own_breakpoint_and_a_watchpoint, 0, 2);
	tcase_add_loop_test(t, own_breakpoint_while_we_step, 0, 2);
	tcase_add_test(t, own_int1_beside_our_breakpoint);
	tcase_add_loop_test(t, own_watchpoint_on_hosts_that_have_it, 0, 2);
	suite_add_tcase(s, t);
	return unit_main(s);
}
