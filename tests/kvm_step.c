/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single-stepping real guests: one instruction a step, nothing of it to be seen.  The same list on every host. */
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "tests/step_rig.h"
#include "tests/unit.h"
#include "util/clock.h"

#define TF 0x100u
#define RF 0x10000u
#define DR6_BS 0x4000u

/* Of every mode; W is the suffix of what its stack takes, A such a register, C one that control registers take. */
#define PLAIN(W, A, C)                                                                                          \
	P(0) "nop\n" P(1) "mov $5, %ecx\n" P(2) "inc %ecx\n" P(3) "push" W " $3\n" P(4) "pop %" A "\n"            \
	P(5) "call 2f\n" P(7) "jmp 3f\n" "2: " P(6) "ret\n"                                                       \
	"3: " P(8) "mov $0, %eax\n" P(9) "cpuid\n" P(10) "mov $0x174, %ecx\n" P(11) "rdmsr\n" P(12) "wrmsr\n"     \
	P(13) "mov %cr0, %" C "\n" P(14) "mov %" C ", %cr0\n" P(15) "in $0x80, %al\n" P(16) "out %al, $0x80\n"    \
	P(17) "mov %dr7, %" C "\n" P(18) "mov %" C ", %dr7\n" P(19) "cli\n" P(20) "sti\n" P(21) "nop\n"            \
	P(22) "cli\n" P(23) "stc\n" P(24) "jc 4f\n nop\n 4: " P(25) "mov $2, %ecx\n"                              \
	P(26) P(27) "5: loop 5b\n" P(28) "push" W " $2\n" P(29) "popf\n" P(30) "pushf\n" P(31) "pop %" A "\n"       \
	P(32) "mov %" A ", %" A "\n"

PROGRAM(plain_real, REAL PLAIN("w", "ax", "eax") P(33) "ljmp $0x100, $9f - 1000b + 0x7000\n 9: " P(34) "jmp .\n");
PROGRAM(plain_32, PROT PLAIN("l", "eax", "eax") P(33) "ljmp $8, $" AT(9f) "\n 9: " P(34) "mov %eax, 0xd0000000\n"
	P(35) "mov 0xd0000000, %eax\n" P(36) "addl $1, 0xd0000000\n" P(37) "jmp .\n");
PROGRAM(plain_64, LONG PLAIN("q", "rax", "rax") P(33) "pushq $8\n" P(34) "pushq $" AT(9f) "\n" P(35) "lretq\n"
	"9: " P(36) "mov $0xd0000000, %ebx\n" P(37) "mov %eax, (%rbx)\n" P(38) "mov (%rbx), %eax\n"
	P(39) "addl $1, (%rbx)\n" P(40) "jmp .\n");

static void plain(const struct program *p)
{
	rig_start(p, 1);
	for (unsigned i = 1; i < rig_places(); i++) {
		rig_step(rig_place(i));
		ck_assert_uint_eq(guest_reg(0, X86_EFLAGS) & TF, 0);
		/* What PUSHF stored. */
		if (i == 32)
			ck_assert_uint_eq(guest_reg(0, X86_RAX) & 0xffff, 2);
	}
	guest_end();
}

START_TEST(plain_ones_in_real_mode)
{
	plain(THE(plain_real, BOOT_REAL));
}
END_TEST

START_TEST(plain_ones_in_32_bit_mode)
{
	plain(THE(plain_32, BOOT_PROTECTED));
}
END_TEST

START_TEST(plain_ones_in_64_bit_mode)
{
	plain(THE(plain_64, BOOT_LONG));
}
END_TEST

PROGRAM(itself, REAL "sti\n" P(0) "jmp .\n");

START_TEST(a_jump_to_itself)
{
	rig_start(THE(itself, BOOT_REAL), 1);
	for (unsigned i = 0; i < 20; i++)
		rig_step(rig_place(0));
	guest_end();
}
END_TEST

/* Where the processor holds the trap off for one instruction, a step is of both. */
PROGRAM(shadow_real, REAL P(0) "mov %ax, %ss\n" "mov $0x7e00, %sp\n" P(1) "nop\n" P(2) "push %ss\n" P(3) "pop %ss\n nop\n"
	P(4) "nop\n" P(5) "jmp .\n");
PROGRAM(shadow_32, PROT "mov $0x10, %eax\n" P(0) "mov %eax, %ss\n nop\n" P(1) "nop\n" P(2) "push %ss\n" P(3) "pop %ss\n nop\n"
	P(4) "nop\n" P(5) "jmp .\n");
PROGRAM(shadow_64, LONG "mov $0x10, %eax\n" P(0) "mov %eax, %ss\n nop\n" P(1) "nop\n" P(2) "nop\n" P(3) "mov %eax, %ss\n nop\n"
	P(4) "nop\n" P(5) "jmp .\n");

static void shadow(const struct program *p)
{
	rig_start(p, 1);
	ck_assert_uint_le(rig_step_until(rig_place(1), 2), 2);
	rig_step(rig_place(2));
	rig_step(rig_place(3));
	ck_assert_uint_le(rig_step_until(rig_place(4), 2), 2);
	rig_step(rig_place(5));
	guest_end();
}

START_TEST(stack_segment_loads)
{
	shadow(THE(shadow_real, BOOT_REAL));
	shadow(THE(shadow_32, BOOT_PROTECTED));
	shadow(THE(shadow_64, BOOT_LONG));
}
END_TEST

/* A halt is left by stepping on: interrupts are held off, nothing else would end it. */
PROGRAM(halts_real, REAL P(0) "cli\n" P(1) "hlt\n" P(2) "nop\n" P(3) "sti\n" P(4) "nop\n" P(5) "hlt\n" P(6) "hlt\n" P(7) "nop\n"
	P(8) "jmp .\n");
PROGRAM(halts_32, PROT P(0) "cli\n" P(1) "hlt\n" P(2) "nop\n" P(3) "sti\n" P(4) "nop\n" P(5) "hlt\n" P(6) "hlt\n" P(7) "nop\n"
	P(8) "jmp .\n");
PROGRAM(halts_64, LONG P(0) "cli\n" P(1) "hlt\n" P(2) "nop\n" P(3) "sti\n" P(4) "nop\n" P(5) "hlt\n" P(6) "hlt\n" P(7) "nop\n"
	P(8) "jmp .\n");

static void halts(const struct program *p)
{
	rig_start(p, 1);
	rig_walk(0);
	guest_end();
}

START_TEST(halts_are_stepped_over)
{
	halts(THE(halts_real, BOOT_REAL));
	halts(THE(halts_32, BOOT_PROTECTED));
	halts(THE(halts_64, BOOT_LONG));
}
END_TEST

/* REP stops between elements on some hosts; it does nothing twice. */
#define STRINGS(acc)                                                                                            \
	"cld\n mov $0x600, %esi\n mov $0x700, %edi\n mov $4, %ecx\n movl $0x44434241, 0x600\n"                     \
	P(0) "rep movsb\n" P(1) "mov $3, %ecx\n" P(2) "mov $0x55, %al\n" P(3) "rep stosb\n"                        \
	P(4) "mov $0x600, %esi\n" P(5) "mov $4, %ecx\n" P(6) "mov $0xe9, %edx\n" P(7) "rep outsb\n"               \
	P(8) "mov $3, %ecx\n" P(9) "mov $0xe9, %edx\n" P(10) "rep insb\n" P(11) "rep movsb\n" P(12) "jmp .\n"

PROGRAM(strings_real, REAL STRINGS());
PROGRAM(strings_32, PROT STRINGS());
PROGRAM(strings_64, LONG STRINGS());

static void strings(const struct program *p)
{
	static const struct { unsigned place, most; } steps[] = {
		{ 1, 5 }, { 2, 1 }, { 3, 1 }, { 4, 4 }, { 5, 1 }, { 6, 1 }, { 7, 1 }, { 8, 6 }, { 9, 1 }, { 10, 1 }, { 11, 6 }, { 12, 1 },
	};

	rig_start(p, 1);
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint64_t from = rig_place(steps[i].place - 1);

		for (unsigned n = 0; n < steps[i].most; n++) {
			guest_step(0);
			guest_wait();
			ck_assert_int_eq(stop.reason, STOP_STEP);
			if (stop.pc != from)
				break;
		}
		ck_assert_uint_eq(stop.pc, rig_place(steps[i].place));
	}
	ck_assert_uint_eq(guest_u32(0x700), 0x44434241);
	ck_assert_uint_eq(guest_u32(0x704) & 0xffffff, 0x555555);
	ck_assert_uint_eq(guest_u32(0x707) & 0xffffff, 0xe9e9e9);
	ck_assert_uint_eq(serial_len, 4);
	ck_assert_mem_eq(serial, "ABCD", 4);
	ck_assert_uint_eq(guest_reg(0, X86_RCX), 0);
	guest_end();
}

START_TEST(repeated_strings)
{
	strings(THE(strings_real, BOOT_REAL));
	strings(THE(strings_32, BOOT_PROTECTED));
	strings(THE(strings_64, BOOT_LONG));
}
END_TEST

/* Everything that goes to a handler: the step ends before that's first instruction, and the frame shows nothing of us. */
PROGRAM(events_real, REAL "mov $0x7f, %al\n inc %al\n"
	P(0) "int $0x40\n" P(1) "int3\n" P(2) "into\n" P(3) "ud2\n" P(4) ".byte 0xf1\n" P(5) "int $1\n" P(6) "int $0x40\n" P(7) "nop\n"
	P(8) "jmp .\n"
	H(0x40) H(3) H(4) H(1) P(100) "nop\n iretw\n"
	H(6) P(101) "push %bp\n mov %sp, %bp\n addw $2, 2(%bp)\n pop %bp\n iretw\n");
/* KVM does not emulate IRET in protected mode. */
PROGRAM(events_32, PROT "mov $0x7f, %al\n inc %al\n"
	P(0) "int $0x40\n" P(1) "int3\n" P(2) "into\n" P(3) "ud2\n" P(4) ".byte 0xf1\n" P(5) "int $1\n" P(6) "int $0x40\n"
	P(7) "mov $0x88, %ebx\n" P(8) "mov %ebx, %ds\n" P(9) "nop\n"
	H(0x40) H(3) H(4) H(1) P(100) "pop %edx\n lea 8(%esp), %esp\n jmp *%edx\n"
	H(6) P(101) "pop %edx\n lea 8(%esp), %esp\n lea 2(%edx), %edx\n jmp *%edx\n"
	H(13) P(102) "pop %edx\n pop %edx\n add $8, %esp\n add $2, %edx\n jmp *%edx\n");
PROGRAM(events_64, LONG
	P(0) "int $0x40\n" P(1) "int3\n" P(2) "int $4\n" P(3) "ud2\n" P(4) ".byte 0xf1\n" P(5) "int $1\n" P(6) "int $0x40\n"
	P(7) "mov $0x88, %ebx\n" P(8) "mov %ebx, %ds\n" P(9) "shl $36, %rbx\n" P(10) "mov (%rbx), %eax\n" P(11) "nop\n"
	H(0x40) H(3) H(4) H(1) P(100) "nop\n iretq\n"
	H(6) P(101) "addq $2, (%rsp)\n iretq\n"
	H(13) H(14) P(102) "pop %rdx\n addq $2, (%rsp)\n iretq\n");

/* What is pushed for the event at the stack's top; CODE: behind an error code. */
static uint64_t pushed_flags(unsigned size, bool code)
{
	uint64_t flags = 0;

	ck_assert_uint_eq(machine_phys_read(m, guest_reg(0, X86_RSP) + size * (2 + code), &flags, size, &err), size);
	return flags;
}

static void events(const struct program *p, unsigned size, const char *kinds)
{
	unsigned handlers = (unsigned)strlen(kinds) + 1;

	rig_start(p, 1);
	for (unsigned i = 0; kinds[i]; i++) {
		bool fault = kinds[i] == 'f' || kinds[i] == 'c';
		uint64_t flags, at = rig_place(i);
		uint64_t rsp = guest_reg(0, X86_RSP);

		if (kinds[i] == '-') {
			rig_step(rig_place(i + 1));
			continue;
		}
		rig_step(rig_place(handlers + (kinds[i] == 'i' ? 0 : kinds[i] == 'f' ? 1 : 2)));
		flags = pushed_flags(size, kinds[i] == 'c');
		ck_assert_msg(!(flags & (fault ? TF : TF | RF)), "flags 0x%llx pushed at 0x%llx", (unsigned long long)flags,
			      (unsigned long long)at);
		ck_assert_uint_eq(guest_reg(0, X86_EFLAGS) & TF, 0);
		rig_step_until(rig_place(i + 1), 6);
		ck_assert_uint_eq(guest_reg(0, X86_RSP), rsp);
	}
	ck_assert_uint_eq(guest_reg(0, X86_DR6) & DR6_BS, 0);
	guest_end();
}

START_TEST(events_in_real_mode)
{
	events(THE(events_real, BOOT_REAL), 2, "iiifiii-");
}
END_TEST

START_TEST(events_in_32_bit_mode)
{
	events(THE(events_32, BOOT_PROTECTED), 4, "iiifiii-c");
}
END_TEST

START_TEST(events_in_64_bit_mode)
{
	events(THE(events_64, BOOT_LONG), 8, "iiifiii-c-c");
}
END_TEST

/* An INT behind a load of the stack segment, which takes it along, goes to its handler like any. */
PROGRAM(shadow_int_real, REAL P(0) "mov %ax, %ss\n int3\n" P(1) "nop\n" P(2) "jmp .\n" H(3) P(3) "nop\n iretw\n");
PROGRAM(shadow_int_32, PROT "mov $0x10, %eax\n" P(0) "mov %eax, %ss\n int $0x40\n" P(1) "nop\n" P(2) "jmp .\n"
	H(0x40) P(3) "pop %edx\n lea 8(%esp), %esp\n jmp *%edx\n");
PROGRAM(shadow_int_64, LONG "mov $0x10, %eax\n" P(0) "mov %eax, %ss\n int3\n" P(1) "nop\n" P(2) "jmp .\n" H(3) P(3) "nop\n iretq\n");

static void shadowed_int(const struct program *p, unsigned size)
{
	rig_start(p, 1);
	ck_assert_uint_le(rig_step_until(rig_place(3), 2), 2);
	ck_assert_uint_eq(pushed_flags(size, false) & (TF | RF), 0);
	rig_step_until(rig_place(1), 6);
	ck_assert_uint_eq(guest_reg(0, X86_EFLAGS) & TF, 0);
	rig_step(rig_place(2));
	guest_end();
}

START_TEST(interrupts_behind_stack_segment_loads)
{
	shadowed_int(THE(shadow_int_real, BOOT_REAL), 2);
	shadowed_int(THE(shadow_int_32, BOOT_PROTECTED), 4);
	shadowed_int(THE(shadow_int_64, BOOT_LONG), 8);
}
END_TEST

static const struct itimerval soon = { .it_value.tv_usec = 3100 }, never;

/* A vCPU that runs for long leaves the serving thread: it does so after two ticks of a millisecond. */
static void stall(int signum)
{
	uint64_t start = clock_ns();

	(void)signum;
	while (clock_ns() - start < 2500000)
		;
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* Wherever a step is when its vCPU is taken to another thread, it ends where it would have. */
START_TEST(steps_that_change_threads)
{
	uint64_t start = clock_ns();

	signal(SIGALRM, stall);
	setitimer(ITIMER_REAL, &soon, NULL);
	/* Not for as long on a host that is emulated. */
	for (unsigned i = 0; i < 40 && (!i || clock_ns() - start < 5000000000); i++) {
		events(THE(events_real, BOOT_REAL), 2, "iiifiii-");
		events(THE(events_32, BOOT_PROTECTED), 4, "iiifiii-c");
		events(THE(events_64, BOOT_LONG), 8, "iiifiii-c-c");
	}
	setitimer(ITIMER_REAL, &never, NULL);
}
END_TEST

/* IRET, and each instruction behind it, is a step of its own. */
PROGRAM(irets_real, REAL P(0) "pushw $2\n" P(1) "pushw $0\n" P(2) "pushw $" AT(9f) "\n" P(3) "iretw\n nop\n 9: " P(4) "nop\n"
	P(5) "nop\n" P(6) "jmp .\n");
PROGRAM(irets_64, LONG P(0) "pushq $0x10\n" P(1) "pushq $0x7e00\n" P(2) "pushq $2\n" P(3) "pushq $8\n" P(4) "pushq $" AT(9f) "\n"
	P(5) "iretq\n nop\n 9: " P(6) "nop\n" P(7) "inc %ecx\n" P(8) "jmp .\n");

START_TEST(returns_from_interrupts)
{
	halts(THE(irets_real, BOOT_REAL));
	halts(THE(irets_64, BOOT_LONG));
}
END_TEST

#define SYSCALL_MSRS                                                                                            \
	"mov $0xc0000080, %ecx\n rdmsr\n or $1, %eax\n wrmsr\n"                                                    \
	"mov $0xc0000081, %ecx\n xor %eax, %eax\n mov $0x100008, %edx\n wrmsr\n"                                   \
	"mov $0xc0000082, %ecx\n mov $" AT(88f) ", %eax\n xor %edx, %edx\n wrmsr\n"                                \
	"mov $0xc0000084, %ecx\n xor %eax, %eax\n wrmsr\n"

PROGRAM(syscalls, LONG SYSCALL_MSRS "pushq $2\n popfq\n" P(0) "nop\n" P(1) "syscall\n" "88: " P(2) "mov %r11, %rax\n"
	P(3) "nop\n" P(4) "jmp .\n");

START_TEST(syscall_shows_no_trap_flag)
{
	rig_start(THE(syscalls, BOOT_LONG), 1);
	rig_walk(0);
	ck_assert_uint_eq(guest_reg(0, X86_RAX), 2);
	ck_assert_uint_eq(guest_reg(0, X86_R11), 2);
	guest_end();
}
END_TEST

/* Memory nothing has touched before: zeros are "add %al, (%rax)". */
PROGRAM(far_away, LONG "mov $0x500, %eax\n mov $0x700000, %ebx\n" P(0) "jmp *%rbx\n");

START_TEST(memory_that_was_never_touched)
{
	rig_start(THE(far_away, BOOT_LONG), 1);
	for (unsigned i = 0; i < 10; i++)
		rig_step(0x700000 + 2 * i);
	guest_end();
}
END_TEST

/* The PIT, as fast as may be, by vector 0x20. */
#define TIMER                                                                                                   \
	"mov $0x11, %al\n out %al, $0x20\n mov $0x20, %al\n out %al, $0x21\n mov $4, %al\n out %al, $0x21\n"        \
	"mov $1, %al\n out %al, $0x21\n mov $0xfe, %al\n out %al, $0x21\n"                                         \
	"mov $0x36, %al\n out %al, $0x43\n mov $0xa9, %al\n out %al, $0x40\n mov $4, %al\n out %al, $0x40\n"

PROGRAM(timer_real, REAL TIMER P(0) "sti\n" "1: inc %cx\n jmp 1b\n"
	H(0x20) "incw 0x500\n push %ax\n mov $0x20, %al\n out %al, $0x20\n pop %ax\n iretw\n");
PROGRAM(timer_64, LONG TIMER P(0) "sti\n" "1: inc %ecx\n jmp 1b\n"
	H(0x20) "incl 0x500\n push %rax\n mov $0x20, %al\n out %al, $0x20\n pop %rax\n iretq\n");

static void timer(const struct program *p)
{
	bool on = true;
	unsigned steps = 0;

	rig_start(p, 1);
	for (unsigned i = 0; i < 1000; i++) {
		guest_step(0);
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_STEP);
	}
	ck_assert_uint_eq(guest_u32(DATA), 0);
	ck_assert_uint_eq(guest_reg(0, X86_RCX) & 0xffff, 500);
	machine_setting(m, SETTING_STEP_IRQS, &on);
	while (!guest_u32(DATA)) {
		guest_step(0);
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_STEP);
		ck_assert_uint_lt(steps++, 100000);
	}
	guest_end();
}

START_TEST(interrupts_wait_until_they_may)
{
	timer(THE(timer_real, BOOT_REAL));
	timer(THE(timer_64, BOOT_LONG));
}
END_TEST

/* What was held off is delivered afterwards. */
START_TEST(interrupts_come_after_stepping)
{
	rig_start(THE(timer_64, BOOT_LONG), 1);
	for (unsigned i = 0; i < 100; i++) {
		guest_step(0);
		guest_wait();
	}
	ck_assert_uint_eq(guest_u32(DATA), 0);
	rig_watch(WATCH_WRITE, DATA, 4);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_WATCH);
	guest_end();
}
END_TEST

/* Ring 3, with all that it may do, and a kernel that would count what reached it by vector 1. */
PROGRAM(user, LONG P(0) TO_USER(1f, 2)
	"1: " P(10) "nop\n" P(11) "mov $7, %ecx\n" P(12) "inc %ecx\n" P(13) "push %rcx\n" P(14) "pop %rdx\n" P(15) "call 2f\n"
	P(17) "jmp 3f\n 2: " P(16) "ret\n"
	"3: " P(18) "pushfq\n" P(19) "pop %rax\n" P(20) "mov %rax, 0x600\n" P(21) "mov 0x600, %ebx\n" P(22) "xor %eax, %eax\n"
	P(23) "mov $0xd0000000, %ebx\n" P(24) "mov %eax, (%rbx)\n" P(25) "mov (%rbx), %eax\n" P(26) "jmp 4f\n"
	"4: " P(27) "inc %edi\n" P(28) "jmp 4b\n"
	H(1) "incl 0x508\n iretq\n");

START_TEST(user_mode)
{
	unsigned n = 0;

	rig_start(THE(user, BOOT_LONG), 1);
	rig_step_until(rig_place(1), 10);
	for (unsigned i = 2; i < rig_places(); i++)
		rig_step(rig_place(i));
	/* The interrupt flag of user code may be the host's. */
	ck_assert_uint_eq(guest_u32(0x600) & ~0x200u, 2);
	n = rig_places() - 1;
	for (unsigned i = 0; i < 100; i++) {
		rig_step(rig_place(n - 1));
		ck_assert_uint_eq(guest_reg(0, X86_RDI), i + 1);
		rig_step(rig_place(n));
	}
	ck_assert_uint_eq(guest_reg(0, X86_RSP), 0x7000);
	ck_assert_uint_eq(guest_reg(0, X86_SS), 0x1b);
	ck_assert_uint_eq(guest_reg(0, X86_CS), 0x23);
	ck_assert_uint_eq(guest_reg(0, X86_EFLAGS) & TF, 0);
	ck_assert_uint_eq(guest_reg(0, X86_DR6) & DR6_BS, 0);
	ck_assert_uint_eq(guest_u32(0x508), 0);
	guest_end();
}
END_TEST

/* From ring 3 into the kernel and back. */
PROGRAM(crossing, LONG P(0) TO_USER(1f, 2)
	"1: " P(10) "nop\n" P(11) "ud2\n" P(14) "int3\n" P(17) "hlt\n" P(21) "nop\n" P(22) "jmp .\n"
	H(6) P(12) "addq $2, (%rsp)\n" P(13) "iretq\n"
	H(3) P(15) "nop\n" P(16) "iretq\n"
	H(13) P(18) "add $8, %rsp\n" P(19) "incq (%rsp)\n" P(20) "iretq\n"
	H(1) "incl 0x508\n iretq\n");

START_TEST(into_the_kernel_and_back)
{
	rig_start(THE(crossing, BOOT_LONG), 1);
	rig_step_until(rig_place(1), 10);
	for (unsigned i = 2; i < rig_places(); i++) {
		rig_step(rig_place(i));
		if (i == 3 || i == 6 || i == 9)
			ck_assert_uint_eq(pushed_flags(8, i == 9) & TF, 0);
		ck_assert_uint_eq(guest_reg(0, X86_EFLAGS) & TF, 0);
	}
	ck_assert_uint_eq(guest_reg(0, X86_RSP), 0x7000);
	ck_assert_uint_eq(guest_u32(0x508), 0);
	guest_end();
}
END_TEST

/* KVM without hardware virtualization keeps user mode after SYSCALL. */
PROGRAM(user_syscall, LONG SYSCALL_MSRS P(0) TO_USER(1f, 2)
	"1: " P(10) "nop\n" P(11) "syscall\n" P(14) "nop\n" P(15) "jmp .\n"
	"88: " P(12) "mov %r11, 0x600\n" P(13) "sysretq\n");

START_TEST(syscall_from_user_mode_on_hosts_that_step_it)
{
	rig_start(THE(user_syscall, BOOT_LONG), 1);
	if (!host_says("single-step", "all"))
		not_here("syscall_from_user_mode_on_hosts_that_step_it", "this host's KVM does not step user mode");
	else {
		rig_step_until(rig_place(1), 10);
		rig_walk(1);
		ck_assert_uint_eq(guest_u32(0x600), 2);
	}
	guest_end();
}
END_TEST

/* A step onto a breakpoint is a step, and has told of the place: a resume goes on from there. */
PROGRAM(round_and_round, REAL P(0) "sti\n" "1: " P(1) "inc %cx\n" P(2) "nop\n" P(3) "jmp 1b\n");

static void onto(enum break_kind kind)
{
	rig_start(THE(round_and_round, BOOT_REAL), 1);
	rig_break(kind, rig_place(2));
	rig_step(rig_place(1));
	for (unsigned i = 0; i < 5; i++) {
		rig_step(rig_place(2));
		rig_step(rig_place(3));
		rig_step(rig_place(1));
	}
	rig_step(rig_place(2));
	rig_continue(STOP_BREAKPOINT, rig_place(2));
	ck_assert_uint_eq(guest_reg(0, X86_RCX) & 0xffff, 7);
	guest_end();
}

START_TEST(onto_breakpoints)
{
	onto(BREAK_SOFT);
	onto(BREAK_HARD);
}
END_TEST

/* Steps and watchpoints together: the watchpoint is what is told. */
PROGRAM(stores, LONG P(0) "movl $1, 0x600\n" P(1) "movl $2, 0x604\n" P(2) "mov 0x600, %eax\n" P(3) "incl 0x600\n" P(4) "nop\n"
	P(5) "jmp .\n");

START_TEST(steps_that_hit_watchpoints)
{
	static const bool hits[] = { true, false, false, true, false };

	rig_start(THE(stores, BOOT_LONG), 1);
	rig_watch(WATCH_WRITE, 0x600, 4);
	for (unsigned i = 0; i < 5; i++) {
		guest_step(0);
		guest_wait();
		ck_assert_int_eq(stop.reason, hits[i] ? STOP_WATCH : STOP_STEP);
		ck_assert_uint_eq(stop.pc, rig_place(i + 1));
		if (hits[i])
			ck_assert_uint_eq(stop.watch.at, rig_place(i));
	}
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("step");
	TCase *t = tcase_create("step");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, plain_ones_in_real_mode);
	tcase_add_test(t, plain_ones_in_32_bit_mode);
	tcase_add_test(t, plain_ones_in_64_bit_mode);
	tcase_add_test(t, a_jump_to_itself);
	tcase_add_test(t, stack_segment_loads);
	tcase_add_test(t, halts_are_stepped_over);
	tcase_add_test(t, repeated_strings);
	tcase_add_test(t, events_in_real_mode);
	tcase_add_test(t, events_in_32_bit_mode);
	tcase_add_test(t, events_in_64_bit_mode);
	tcase_add_test(t, interrupts_behind_stack_segment_loads);
	tcase_add_test(t, steps_that_change_threads);
	tcase_add_test(t, returns_from_interrupts);
	tcase_add_test(t, syscall_shows_no_trap_flag);
	tcase_add_test(t, memory_that_was_never_touched);
	tcase_add_test(t, interrupts_wait_until_they_may);
	tcase_add_test(t, interrupts_come_after_stepping);
	tcase_add_test(t, user_mode);
	tcase_add_test(t, into_the_kernel_and_back);
	tcase_add_test(t, syscall_from_user_mode_on_hosts_that_step_it);
	tcase_add_test(t, onto_breakpoints);
	tcase_add_test(t, steps_that_hit_watchpoints);
	suite_add_tcase(s, t);
	return unit_main(s);
}
