/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakpoints on a real guest: pending ones, overwritten ones, many of them, in several address spaces; and nothing left behind. */
#include <errno.h>
#include <string.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

static void soft(uint64_t gva)
{
	ck_assert_msg(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, gva) == 0, "%s", err.msg);
}

static void runs_to(uint64_t pc)
{
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_BREAKPOINT && stop.pc == pc, "stopped for reason %d at 0x%llx, not at 0x%llx: %s",
		      stop.reason, (unsigned long long)stop.pc, (unsigned long long)pc, stop.text);
}

static struct break_info info_at(uint64_t gva)
{
	struct break_info b;
	size_t i = 0;

	while (machine_break_list(m, i++, &b))
		if (b.spec.gva == gva)
			return b;
	ck_abort_msg("no breakpoint at 0x%llx", (unsigned long long)gva);
}

/* Copies 64 bytes of code to 0x9000, which then count in dx, and runs them. */
GUEST(loader, "mov $copied, %si\n"
	      ".set copied, 0x7c00 + second - loader\n"
	      "mov $0x9000, %di\n mov $64, %cx\n cld\n rep movsb\n"
	      "mov $0x9000, %bx\n jmp *%bx\n"
	      "second: .rept 12\n inc %dx\n .endr\n sti\n jmp .\n .skip 64\n");

/* The loader's write takes the trap byte away. */
START_TEST(overwritten_by_a_loader)
{
	uint8_t byte;

	GUEST_START(loader, 0x7c00, BOOT_REAL, 1);
	soft(0x9002);
	runs_to(0x9002);
	ck_assert_uint_eq(guest_reg(0, X86_RDX) & 0xff, 0x82);
	ck_assert_uint_eq(machine_phys_read(m, 0x9002, &byte, 1, &err), 1);
	ck_assert_uint_eq(byte, 0x42);
	guest_end();
}
END_TEST

/* More of them than there are debug registers. */
START_TEST(many_overwritten_by_a_loader)
{
	uint8_t bytes[12];

	GUEST_START(loader, 0x7c00, BOOT_REAL, 1);
	for (unsigned i = 0; i < 12; i++)
		soft(0x9000 + i);
	for (unsigned i = 0; i < 12; i++)
		runs_to(0x9000 + i);
	ck_assert_uint_eq(machine_phys_read(m, 0x9000, bytes, 12, &err), 12);
	for (unsigned i = 0; i < 12; i++)
		ck_assert_uint_eq(bytes[i], 0x42);
	guest_end();
}
END_TEST

/* Into long mode with two address spaces: at 1 GiB the code page of each, which counts in rcx or rdx. */
GUEST(spaces, ".code32\n"
	      "mov $0x100000, %esi\n"          /* tables A at 1 MiB: PML4, PDPT, PD; B at 0x110000 */
	      "mov $0x101003, %eax\n mov %eax, (%esi)\n"
	      "mov $0x102003, %eax\n mov %eax, 0x1000(%esi)\n"
	      "movl $0x83, 0x2000(%esi)\n"
	      "mov $0x103003, %eax\n mov %eax, 0x1008(%esi)\n"   /* 1 GiB: PD at 0x103000 */
	      "movl $0x400083, 0x3000(%esi)\n"                   /* to 4 MiB */
	      "mov $0x110000, %esi\n"
	      "mov $0x111003, %eax\n mov %eax, (%esi)\n"
	      "mov $0x112003, %eax\n mov %eax, 0x1000(%esi)\n"
	      "movl $0x83, 0x2000(%esi)\n"
	      "mov $0x113003, %eax\n mov %eax, 0x1008(%esi)\n"
	      "movl $0x600083, 0x3000(%esi)\n"                   /* to 6 MiB */
	      "movl $0x00c3c1ff, 0x400000\n"                     /* inc ecx; ret */
	      "movl $0x00c3c2ff, 0x600000\n"                     /* inc edx; ret */
	      "xor %ecx, %ecx\n xor %edx, %edx\n"
	      "mov %cr4, %eax\n or $0x20, %eax\n mov %eax, %cr4\n"
	      "mov $0x100000, %eax\n mov %eax, %cr3\n"
	      "push %ecx\n mov $0xc0000080, %ecx\n rdmsr\n or $0x100, %eax\n wrmsr\n pop %ecx\n xor %edx, %edx\n"
	      "mov %cr0, %eax\n or $0x80000000, %eax\n mov %eax, %cr0\n"
	      "lgdt 0x8000 + gdtr - spaces\n"
	      "ljmp $8, $0x8000 + far64 - spaces\n"
	      ".align 8\n gdt: .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff\n"
	      "gdtr: .word 23\n .long 0x8000 + gdt - spaces\n"
	      ".code64\n"
	      "far64: mov $0x40000000, %ebx\n"
	      "3: mov $0x100000, %eax\n mov %rax, %cr3\n call *%rbx\n"
	      "mov $0x110000, %eax\n mov %rax, %cr3\n call *%rbx\n"
	      "jmp 3b\n");

#define SHARED 0x40000000ull

/* Set before there are page tables; resolved by the first mapping; of the one address space alone. */
START_TEST(pending_until_mapped)
{
	GUEST_START(spaces, 0x8000, BOOT_PROTECTED, 1);
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, SHARED), 0);
	runs_to(SHARED);
	ck_assert_uint_eq(guest_reg(0, X86_CR3), 0x100000);
	guest_end();
}
END_TEST

START_TEST(high_address_waits_for_long_mode)
{
	GUEST_START(spaces, 0x8000, BOOT_PROTECTED, 1);
	soft(0xffffffff00100000);
	ck_assert(!info_at(0xffffffff00100000).resolved);
	/* It is not where its low half leads. */
	ck_assert_uint_eq(guest_u32(0x100000), 0);
	guest_end();
}
END_TEST

/* Where one linear address leads to two bytes, the breakpoint is at the one it was set at. */
START_TEST(one_address_two_spaces)
{
	GUEST_START(spaces, 0x8000, BOOT_PROTECTED, 1);
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_HARD, SHARED), 0);
	runs_to(SHARED);
	ck_assert_int_eq(guest_unbreak(BREAK_OWNER_GDB, BREAK_HARD, SHARED), 0);
	soft(SHARED);
	ck_assert_uint_eq(info_at(SHARED).gpa, 0x400000);
	for (unsigned i = 0; i < 3; i++) {
		runs_to(SHARED);
		ck_assert_uint_eq(guest_reg(0, X86_CR3), 0x100000);
		ck_assert_uint_eq(guest_reg(0, X86_RDX), i + 1);
	}
	guest_end();
}
END_TEST

START_TEST(in_a_space)
{
	struct break_spec spec = { .kind = BREAK_SOFT, .gva = SHARED, .space = 0x110000 };

	GUEST_START(spaces, 0x8000, BOOT_PROTECTED, 1);
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_HARD, SHARED), 0);
	runs_to(SHARED);
	ck_assert_int_eq(guest_unbreak(BREAK_OWNER_GDB, BREAK_HARD, SHARED), 0);
	ck_assert_int_eq(machine_break_insert(m, BREAK_OWNER_GDB, &spec, &err), 0);
	ck_assert_uint_eq(info_at(SHARED).gpa, 0x600000);
	for (unsigned i = 0; i < 3; i++) {
		runs_to(SHARED);
		ck_assert_uint_eq(guest_reg(0, X86_CR3), 0x110000);
	}
	guest_end();
}
END_TEST

/* The byte is reached by another address than that of the breakpoint. */
START_TEST(through_another_mapping)
{
	bool off = false;
	uint64_t before;

	GUEST_START(spaces, 0x8000, BOOT_PROTECTED, 1);
	soft(0x400000);
	/* Code that is not there yet: the guest's own store comes later. */
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert(stop.alias);
	ck_assert_uint_eq(stop.pc, SHARED);
	ck_assert_uint_eq(stop.place, 0x400000);
	before = guest_reg(0, X86_RCX);
	ck_assert_uint_eq(guest_reg(0, X86_RDX), before);
	machine_setting(m, SETTING_ALIAS_HITS, &off);
	soft(0x8000 + (uint64_t)(spaces_end - spaces) - 2);
	/* Stepped over in silence now. */
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert(!stop.alias);
	ck_assert_uint_eq(guest_reg(0, X86_RCX), before + 1);
	ck_assert_uint_eq(guest_reg(0, X86_RDX), before + 1);
	guest_end();
}
END_TEST

GUEST(count_loop, /* 7c00 */ "mov $1, %ax\n"
		  /* 7c03 */ "inc %cx\n"
		  /* 7c04 */ "sti\n"
		  /* 7c05 */ "jmp .-2\n");

START_TEST(a_hundred_thousand)
{
	struct break_info b;
	size_t n = 0;

	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	for (unsigned i = 0; i < 100000; i++)
		soft(0x100000 + 13 * i);
	soft(0x7c04);
	for (unsigned i = 0; i < 50; i++)
		runs_to(0x7c04);
	while (machine_break_list(m, n, &b))
		n++;
	ck_assert_uint_eq(n, 100001);
	ck_assert_int_eq(machine_break_clear(m, BREAK_OWNER_GDB, &err), 0);
	ck_assert(!machine_break_list(m, 0, &b));
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_uint_eq(guest_u32(0x100000 + 1300 * i), 0);
	guest_end();
}
END_TEST

static bool every_tenth(void *arg, struct machine *machine, const struct stop_event *ev)
{
	uint64_t value = 0;

	ck_assert_int_eq(machine_reg_read(machine, ev->cpu, X86_RCX, &value, NULL), 0);
	++*(unsigned *)arg;
	return value % 10 == 0;
}

START_TEST(filtered)
{
	unsigned asked = 0;

	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	soft(0x7c04);
	machine_break_filter(m, BREAK_OWNER_GDB, every_tenth, &asked);
	for (unsigned i = 1; i <= 20; i++) {
		runs_to(0x7c04);
		ck_assert_uint_eq(guest_reg(0, X86_RCX), 10 * i);
		ck_assert_uint_eq(asked, 10 * i);
	}
	ck_assert_uint_eq(info_at(0x7c04).hits, 20);
	guest_end();
}
END_TEST

/* int3 of the guest's own, with a handler that counts, beneath and beside breakpoints of ours. */
GUEST(own_int3, /* 7c00 */ "xor %ax, %ax\n mov %ax, %ds\n movw $0x7c40, 12\n movw $0, 14\n xor %cx, %cx\n"
		"1: int3\n nop\n int3\n sti\n jmp 1b\n"
		".skip 0x40 - (. - own_int3)\n inc %cx\n iret\n");

START_TEST(the_guests_own_int3)
{
	uint64_t first = 0x7c00 + 18;

	GUEST_START(own_int3, 0x7c00, BOOT_REAL, 1);
	soft(first);
	soft(first + 1);
	for (unsigned i = 0; i < 20; i++) {
		runs_to(first);
		ck_assert_uint_eq(guest_reg(0, X86_RCX), 2 * i);
		runs_to(first + 1);
		ck_assert_uint_eq(guest_reg(0, X86_RCX), 2 * i + 1);
	}
	guest_end();
}
END_TEST

START_TEST(steps_over_false_hits_with_four_cpus)
{
	unsigned asked = 0;

	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 4);
	soft(0x7c04);
	machine_break_filter(m, BREAK_OWNER_GDB, every_tenth, &asked);
	for (unsigned i = 1; i <= 20; i++)
		runs_to(0x7c04);
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("break");
	TCase *t = tcase_create("break");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, overwritten_by_a_loader);
	tcase_add_test(t, many_overwritten_by_a_loader);
	tcase_add_test(t, pending_until_mapped);
	tcase_add_test(t, high_address_waits_for_long_mode);
	tcase_add_test(t, one_address_two_spaces);
	tcase_add_test(t, in_a_space);
	tcase_add_test(t, through_another_mapping);
	tcase_add_test(t, a_hundred_thousand);
	tcase_add_test(t, filtered);
	tcase_add_test(t, the_guests_own_int3);
	tcase_add_test(t, steps_over_false_hits_with_four_cpus);
	suite_add_tcase(s, t);
	return unit_main(s);
}
