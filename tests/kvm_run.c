/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running, stepping, stopping: one vCPU. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "kvm/machine_priv.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

/* Interrupts are on: with them off, a host that is itself emulated cannot bring a loop out of the guest. */
GUEST(count_loop, /* 7c00 */ "mov $1, %ax\n"
		  /* 7c03 */ "inc %cx\n"
		  /* 7c04 */ "sti\n"
		  /* 7c05 */ "jmp .-2\n");

GUEST(port_io, /* 7c00 */ "mov $0xe9, %dx\n"
	       /* 7c03 */ "in (%dx), %al\n"
	       /* 7c04 */ "mov $0x41, %al\n"
	       /* 7c06 */ "out %al, (%dx)\n"
	       /* 7c07 */ "mov $0x7c00, %si\n"
	       /* 7c0a */ "mov $3, %cx\n"
	       /* 7c0d */ "rep outsb\n"
	       /* 7c0f */ "nop\n"
	       /* 7c10 */ "jmp .\n");

/* Counts what it has sent at 0x500. */
GUEST(flood, "mov $0x3f8, %dx\n mov $'x', %al\n 1: out %al, (%dx)\n incl 0x500\n jmp 1b\n");

/* Counts its boots in CMOS byte 0x50; resets by the port in its table until the fourth boot, which exits with 5. */
GUEST(resets_guest, "mov $0x50, %al\n out %al, $0x70\n in $0x71, %al\n inc %al\n mov %al, %bl\n"
		    "mov $0x50, %al\n out %al, $0x70\n mov %bl, %al\n out %al, $0x71\n"
		    "cmp $1, %bl\n je 1f\n cmp $2, %bl\n je 2f\n cmp $3, %bl\n je 3f\n"
		    "mov $5, %al\n out %al, $0xf4\n jmp .\n"
		    "1: mov $0xfe, %al\n out %al, $0x64\n jmp .\n"
		    "2: mov $1, %al\n out %al, $0x92\n jmp .\n"
		    "3: mov $0xcf9, %dx\n mov $6, %al\n out %al, (%dx)\n jmp .\n");

/* Protected mode without an interrupt table. */
GUEST(triple, ".code32\n nop\n lidt 0x7c0a\n ud2\n .word 0\n .long 0\n");

GUEST(echo, "1: mov $0x3fd, %dx\n in (%dx), %al\n test $1, %al\n jz 1b\n"
	    "mov $0x3f8, %dx\n in (%dx), %al\n inc %al\n out %al, (%dx)\n jmp 1b\n");

GUEST(no_insn, /* 7c00 */ "nop\n"
	       /* 7c01 */ ".byte 0x62, 0\n"
	       /* 7c03 */ "mov $3, %al\n out %al, $0xf4\n");

static void insert(enum break_kind kind, uint64_t gva)
{
	ck_assert_msg(guest_break(BREAK_OWNER_GDB, kind, gva) == 0, "%s", err.msg);
}

static void step_to(uint64_t pc)
{
	guest_step(0);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, pc);
	ck_assert_uint_eq(guest_reg(0, X86_RIP), pc);
}

static void continue_to(enum stop_reason reason, uint64_t pc)
{
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == reason && stop.pc == pc, "stopped for reason %d at 0x%llx, not %d at 0x%llx: %s",
		      stop.reason, (unsigned long long)stop.pc, reason, (unsigned long long)pc, stop.text);
}

static void stop_now(void)
{
	machine_stop(m);
	guest_wait();
}

START_TEST(starts_stopped)
{
	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	ck_assert_uint_eq(machine_state(m), MACHINE_STOPPED);
	ck_assert_uint_eq(machine_last_stop(m)->reason, STOP_ENTRY);
	ck_assert_uint_eq(machine_last_stop(m)->pc, 0x7c00);
	ck_assert_uint_eq(guest_reg(0, X86_RDX) & 0xff, 0x80);
	guest_end();
}
END_TEST

START_TEST(steps)
{
	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	step_to(0x7c03);
	for (unsigned i = 0; i < 300; i++) {
		step_to(0x7c04);
		ck_assert_uint_eq(guest_reg(0, X86_RCX), i + 1);
		step_to(0x7c05);
		step_to(0x7c03);
	}
	/* The flag that steps must not show. */
	ck_assert_uint_eq(guest_reg(0, X86_EFLAGS) & 0x100, 0);
	guest_end();
}
END_TEST

START_TEST(steps_over_io)
{
	static const uint64_t pcs[] = { 0x7c03, 0x7c04, 0x7c06, 0x7c07, 0x7c0a, 0x7c0d };
	unsigned n = 0;

	GUEST_START(port_io, 0x7c00, BOOT_REAL, 1);
	for (unsigned i = 0; i < sizeof(pcs) / sizeof(pcs[0]); i++) {
		step_to(pcs[i]);
		/* An IN is complete when its stop is reported. */
		if (pcs[i] == 0x7c04)
			ck_assert_uint_eq(guest_reg(0, X86_RAX) & 0xff, 0xe9);
	}
	do {    /* string I/O may take a step an element */
		guest_step(0);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_STEP);
		ck_assert_uint_lt(n++, 5);
	} while (stop.pc == 0x7c0d);
	ck_assert_uint_eq(stop.pc, 0x7c0f);
	ck_assert_uint_eq(guest_reg(0, X86_RCX), 0);
	step_to(0x7c10);
	ck_assert_mem_eq(serial, "A\xba\xe9\x00", 4);
	ck_assert_uint_eq(serial_len, 4);
	guest_end();
}
END_TEST

GUEST(flags, /* 7c00 */ "pushf\n" /* 7c01 */ "popf\n" /* 7c02 */ "nop\n" /* 7c03 */ "sti\n" /* 7c04 */ "nop\n"
	     /* 7c05 */ "cli\n" /* 7c06 */ "push $0x7c10\n" /* 7c09 */ "nop\n" /* 7c0a */ "pushf\n"
	     /* 7c0b */ "pushw %cs\n" /* 7c0c */ "push $0x7c12\n" /* 7c0f */ "nop\n" /* 7c10 */ "iret\n nop\n"
	     /* 7c12 */ "nop\n jmp .\n");

/* What loads the flags takes the stepping flag with it, unless somebody puts it back. */
START_TEST(steps_over_flag_loads)
{
	static const uint64_t pcs[] = { 0x7c01, 0x7c02, 0x7c03, 0x7c04, 0x7c05, 0x7c06, 0x7c09,
					0x7c0a, 0x7c0b, 0x7c0c, 0x7c0f, 0x7c10, 0x7c12, 0x7c13 };

	GUEST_START(flags, 0x7c00, BOOT_REAL, 1);
	for (unsigned i = 0; i < sizeof(pcs) / sizeof(pcs[0]); i++)
		step_to(pcs[i]);
	guest_end();
}
END_TEST

START_TEST(range_steps)
{
	struct run_action act = { .kind = ACT_RANGE, .start = 0x7c00, .end = 0x7c05 };

	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	ck_assert_int_eq(machine_resume(m, &act, &err), 0);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, 0x7c05);
	/* A range that is never left ends by a stop, and by a breakpoint in it. */
	act.end = 0x7c07;
	ck_assert_int_eq(machine_resume(m, &act, &err), 0);
	stop_now();
	ck_assert_uint_eq(stop.reason, STOP_REQUEST);
	insert(BREAK_SOFT, 0x7c04);
	ck_assert_int_eq(machine_resume(m, &act, &err), 0);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert_uint_eq(stop.pc, 0x7c04);
	guest_end();
}
END_TEST

static void hits_each_round(enum break_kind kind)
{
	uint8_t byte = 0;

	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	insert(kind, 0x7c04);
	for (unsigned i = 1; i <= 200; i++) {
		continue_to(STOP_BREAKPOINT, 0x7c04);
		ck_assert_uint_eq(stop.kind, kind);
		ck_assert_uint_eq(stop.owners, BREAK_OWNER_GDB);
		ck_assert_uint_eq(guest_reg(0, X86_RCX), i);
	}
	/* Steps leave it as well, and what is read is the guest's own. */
	step_to(0x7c05);
	ck_assert_uint_eq(machine_mem_read(m, 0, 0x7c04, &byte, 1, &err), 1);
	ck_assert_uint_eq(byte, 0xfb);
	ck_assert_int_eq(guest_unbreak(BREAK_OWNER_GDB, kind, 0x7c04), 0);
	guest_continue();
	stop_now();
	ck_assert_uint_eq(stop.reason, STOP_REQUEST);
	guest_end();
}

START_TEST(soft_hits)
{
	hits_each_round(BREAK_SOFT);
}
END_TEST

START_TEST(hard_hits)
{
	hits_each_round(BREAK_HARD);
}
END_TEST

START_TEST(written_pc_hits_at_once)
{
	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	insert(BREAK_SOFT, 0x7c04);
	continue_to(STOP_BREAKPOINT, 0x7c04);
	guest_set_reg(0, X86_RIP, 0x7c03);
	guest_set_reg(0, X86_RIP, 0x7c04);
	continue_to(STOP_BREAKPOINT, 0x7c04);
	ck_assert_uint_eq(guest_reg(0, X86_RCX), 1);
	guest_end();
}
END_TEST

START_TEST(both_kinds_at_one_place)
{
	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	insert(BREAK_SOFT, 0x7c04);
	insert(BREAK_HARD, 0x7c04);
	for (unsigned i = 1; i <= 50; i++) {
		continue_to(STOP_BREAKPOINT, 0x7c04);
		ck_assert_uint_eq(guest_reg(0, X86_RCX), i);
	}
	guest_end();
}
END_TEST

START_TEST(bad_breakpoints)
{
	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x800000000000), -EFAULT);
	ck_assert_int_eq(guest_unbreak(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c00), -ENOENT);
	insert(BREAK_SOFT, 0x7c04);
	ck_assert_int_eq(guest_unbreak(BREAK_OWNER_MONITOR, BREAK_SOFT, 0x7c04), -ENOENT);
	guest_continue();
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c03), -EBUSY);
	guest_wait();
	guest_end();
}
END_TEST

START_TEST(stops_and_continues)
{
	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	for (unsigned i = 0; i < 1000; i++) {
		guest_continue();
		machine_poll(m, 0);
		stop_now();
		ck_assert_uint_eq(stop.reason, STOP_REQUEST);
		ck_assert_uint_eq(machine_state(m), MACHINE_STOPPED);
	}
	guest_end();
}
END_TEST

START_TEST(busy_while_running)
{
	struct run_action act = { .kind = ACT_CONT };
	struct run_action stay = { .kind = ACT_STAY };
	uint64_t v = 0;

	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	ck_assert_int_eq(machine_resume(m, &stay, &err), -EINVAL);
	guest_continue();
	ck_assert_int_eq(machine_resume(m, &act, &err), -EBUSY);
	ck_assert_int_eq(machine_reg_read(m, 0, X86_RAX, &v, &err), -EBUSY);
	ck_assert_uint_eq(machine_mem_read(m, 0, 0x7c00, &v, 1, &err), 0);
	ck_assert_uint_eq(machine_phys_read(m, 0x7c00, &v, 1, &err), 1);
	ck_assert_uint_eq(v, 0xb8);
	ck_assert_int_eq(machine_reg_read(m, 1, X86_RAX, &v, &err), -EINVAL);
	stop_now();
	guest_end();
}
END_TEST

START_TEST(holds)
{
	uint64_t before, after;

	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	guest_continue();
	for (unsigned i = 0; i < 500; i++) {
		ck_assert_int_eq(machine_hold(m, &err), 0);
		ck_assert_int_eq(machine_hold(m, &err), 0);
		before = guest_reg(0, X86_RCX);
		machine_release(m);
		after = guest_reg(0, X86_RCX);
		ck_assert_uint_eq(before, after);
		machine_release(m);
		machine_poll(m, 0);
	}
	ck_assert_uint_eq(stops, 0);
	/* What comes during a hold is reported after it. */
	ck_assert_int_eq(machine_hold(m, &err), 0);
	machine_stop(m);
	machine_poll(m, 0);
	ck_assert_uint_eq(stops, 0);
	machine_release(m);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_REQUEST);
	/* A breakpoint set on the fly is hit. */
	guest_continue();
	ck_assert_int_eq(machine_hold(m, &err), 0);
	insert(BREAK_SOFT, 0x7c04);
	machine_release(m);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
	guest_end();
}
END_TEST

START_TEST(output_without_reader)
{
	volatile uint32_t *sent;
	struct slot_info ram;

	GUEST_START(flood, 0x7c00, BOOT_REAL, 1);
	guest_continue();
	/* Nobody polls until the queue is full and the guest waits in its next access; a hold has it begin without. */
	ck_assert_int_eq(machine_hold(m, &err), 0);
	machine_release(m);
	ck_assert(machine_slot_list(m, 0, &ram));
	sent = (volatile uint32_t *)(uintptr_t)(ram.hva + 0x500);
	while (*sent < 65536)
		sched_yield();
	stop_now();
	ck_assert_uint_eq(stop.reason, STOP_REQUEST);
	ck_assert_uint_ge(serial_len, 65536);
	ck_assert_uint_le(serial_len, 65536 + 4096);
	for (size_t i = 0; i < serial_len; i++)
		ck_assert_int_eq(serial[i], 'x');
	guest_end();
}
END_TEST

/* Where the loop thread itself runs the guest, who would make room for output? */
START_TEST(full_queue_at_a_resume)
{
	static const uint8_t text[65536] = { 'y' };

	GUEST_START(flood, 0x7c00, BOOT_REAL, 1);
	com1_put(machine_priv(m)->vm.com1, text, sizeof(text));
	com1_put(machine_priv(m)->vm.com1, text, 1);
	guest_continue();
	while (serial_len < sizeof(text) + 100)
		machine_poll(m, 0);
	stop_now();
	guest_end();
}
END_TEST

START_TEST(guest_resets)
{
	GUEST_START(resets_guest, 0x7c00, BOOT_REAL, 1);
	guest_continue();
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_EXIT);
	ck_assert_int_eq(stop.exit_status, 5 << 1 | 1);
	ck_assert_uint_eq(resets, 3);
	ck_assert_uint_eq(machine_state(m), MACHINE_ENDED);
	ck_assert_int_eq(machine_resume(m, &(struct run_action){ .kind = ACT_CONT }, &err), -ESHUTDOWN);
	ck_assert_int_eq(machine_reset(m, &err), -ESHUTDOWN);
	guest_end();
}
END_TEST

START_TEST(reset_keeps_breakpoints)
{
	uint8_t byte = 0x11;

	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	insert(BREAK_SOFT, 0x7c04);
	continue_to(STOP_BREAKPOINT, 0x7c04);
	ck_assert_uint_eq(machine_mem_write(m, 0, 0x9000, &byte, 1, &err), 1);
	guest_set_reg(0, X86_XMM3, 77);
	ck_assert_int_eq(machine_reset(m, &err), 0);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_ENTRY);
	ck_assert_uint_eq(stop.pc, 0x7c00);
	ck_assert_uint_eq(resets, 1);
	ck_assert_uint_eq(guest_u32(0x9000), 0);
	ck_assert_uint_eq(guest_reg(0, X86_RCX), 0);
	ck_assert_uint_eq(guest_reg(0, X86_XMM3), 0);
	continue_to(STOP_BREAKPOINT, 0x7c04);
	ck_assert_uint_eq(guest_reg(0, X86_RCX), 1);
	/* And while it runs. */
	ck_assert_int_eq(machine_break_clear(m, BREAK_OWNER_GDB, &err), 0);
	guest_continue();
	ck_assert_int_eq(machine_reset(m, &err), 0);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_ENTRY);
	guest_end();
}
END_TEST

/* By which guests look for KVM's own leaves, and these (Linux, virt/kvm/x86/cpuid.rst): kvmclock is there on any host. */
GUEST(guest_of, ".code64\n mov $1, %eax\n cpuid\n mov %ecx, 0x2000\n mov $0x40000000, %eax\n cpuid\n mov %ebx, 0x2004\n"
		"mov $0x40000001, %eax\n cpuid\n mov %eax, 0x2008\n mov $1, %al\n out %al, $0xf4\n");

START_TEST(hypervisor_leaves)
{
	GUEST_START(guest_of, 0x1000, BOOT_LONG, 1);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_EXIT);
	ck_assert_uint_eq(guest_u32(0x2000) >> 31, 1);
	ck_assert_uint_eq(guest_u32(0x2004), 0x4b4d564b);
	ck_assert_uint_eq(guest_u32(0x2008) >> 3 & 1, 1);
}
END_TEST

START_TEST(triple_fault)
{
	GUEST_START(triple, 0x7c00, BOOT_PROTECTED, 1);
	guest_continue();
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_TRIPLE_FAULT);
	ck_assert_uint_eq(machine_state(m), MACHINE_STOPPED);
	/* The state stays to be looked at; going on is the reset that hardware would do. */
	ck_assert_uint_eq(guest_u32(0x7c00) & 0xff, 0x90);
	guest_step(0);
	guest_wait();
	ck_assert_uint_eq(resets, 1);
	ck_assert_uint_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, 0x7c01);
	guest_end();
}
END_TEST

START_TEST(emulation_failure)
{
	GUEST_START(no_insn, 0x7c00, BOOT_REAL, 1);
	guest_continue();
	guest_wait();
	/* bound: a processor runs it, and the guest goes on to its exit; a KVM that emulates gives up, and says at what. */
	if (stop.reason == STOP_ERROR) {
		ck_assert_uint_eq(stop.pc, 0x7c01);
		ck_assert_ptr_nonnull(strstr(stop.text, "62 00 b0 03"));
	} else
		ck_assert_uint_eq(stop.reason, STOP_EXIT);
	guest_end();
}
END_TEST

START_TEST(serial_input)
{
	const char text[] = "HAL, how are you today, after a line that is longer than the FIFO?";

	GUEST_START(echo, 0x7c00, BOOT_REAL, 1);
	guest_continue();
	ck_assert_int_eq(machine_serial_send(m, (const uint8_t *)text, sizeof(text) - 1, &err), 0);
	guest_poll_serial(sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		ck_assert_int_eq(serial[i], text[i] + 1);
	guest_end();
}
END_TEST

START_TEST(serial_input_is_bounded)
{
	static uint8_t big[65536];

	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	ck_assert_int_eq(machine_serial_send(m, big, 40000, &err), 0);
	ck_assert_int_eq(machine_serial_send(m, big, 40000, &err), -ENOSPC);
	ck_assert_int_eq(machine_serial_send(m, big, 20000, &err), 0);
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("run");
	TCase *c = tcase_create("run");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, starts_stopped);
	tcase_add_test(c, steps);
	tcase_add_test(c, steps_over_io);
	tcase_add_test(c, steps_over_flag_loads);
	tcase_add_test(c, range_steps);
	tcase_add_test(c, soft_hits);
	tcase_add_test(c, hard_hits);
	tcase_add_test(c, written_pc_hits_at_once);
	tcase_add_test(c, both_kinds_at_one_place);
	tcase_add_test(c, bad_breakpoints);
	tcase_add_test(c, stops_and_continues);
	tcase_add_test(c, busy_while_running);
	tcase_add_test(c, holds);
	tcase_add_test(c, output_without_reader);
	tcase_add_test(c, full_queue_at_a_resume);
	tcase_add_test(c, guest_resets);
	tcase_add_test(c, reset_keeps_breakpoints);
	tcase_add_test(c, hypervisor_leaves);
	tcase_add_test(c, triple_fault);
	tcase_add_test(c, emulation_failure);
	tcase_add_test(c, serial_input);
	tcase_add_test(c, serial_input_is_bounded);
	suite_add_tcase(s, c);
	return unit_main(s);
}
