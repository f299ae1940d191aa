/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Catchpoints and the log of exits on the real KVM. */
#include <errno.h>
#include <string.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define ANY (CATCH_READ | CATCH_WRITE)

/* The end of a guest; a handler that returns behind SIZE bytes more; what follows stands at 0x7c00 + OFFSET. */
#define LEAVE "xor %ax, %ax\n out %al, $0xf4\n jmp .\n"
#define SKIP16(size) "push %bp\n mov %sp, %bp\n addw $" #size ", 2(%bp)\n pop %bp\n iretw\n"
#define AT(name, offset) ".org " #name " + " #offset ", 0x90\n"
#define HERE(name, label) "(" #label " - " #name " + 0x7c00)"
#define REAL_START "xor %ax, %ax\n mov %ax, %ds\n mov %ax, %ss\n mov $0x7000, %sp\n"

GUEST(ports_guest, "mov $0x41, %al\n out %al, $0x7f\n out %al, $0x80\n in $0x80, %al\n"
		   "mov $0x1234, %ax\n out %ax, $0x7f\n out %al, $0x84\n out %al, $0x83\n"
		   "in $0x83, %ax\n" LEAVE);

GUEST(mmio_guest, ".code32\n movl $0x12345678, 0xd0000010\n mov 0xd0000010, %eax\n movb $5, 0xd0000014\n"
		  "movl $1, 0xd000000c\n movl $0x11223344, 0xd000000e\n movb $7, 0xd0000013\n" LEAVE);

GUEST(msr_guest, REAL_START "movw $" HERE(msr_guest, 9f) ", 4 * 13\n movw %ax, 4 * 13 + 2\n"
		 "mov $0x174, %ecx\n mov $0x10, %eax\n xor %edx, %edx\n wrmsr\n"
		 "xor %eax, %eax\n rdmsr\n mov %eax, 0x500\n"
		 "mov $0x175, %ecx\n wrmsr\n"
		 "mov $0x12345678, %ecx\n rdmsr\n" LEAVE
		 "9: incl 0x504\n" SKIP16(2));

GUEST(faults_guest, REAL_START "movw $0x7c80, 4 * 3\n movw %ax, 4 * 3 + 2\n movw $0x7c90, 4 * 6\n movw %ax, 4 * 6 + 2\n"
		    "out %al, $0x80\n"
		    AT(faults_guest, 0x40) "int3\n"
		    AT(faults_guest, 0x50) "ud2\n incl 0x500\n mov 0x7c80, %al\n mov %al, 0x504\n" LEAVE
		    AT(faults_guest, 0x80) "iretw\n"
		    AT(faults_guest, 0x90) SKIP16(2));

/* Four times vector 6: by the first table, a second, that with its gate changed, and a third without an exit before. */
GUEST(tables_guest, REAL_START "movw $0x7d00, 4 * 6\n movw %ax, 4 * 6 + 2\n movw $0x7d20, 0x600 + 4 * 6\n"
		    "movw %ax, 0x600 + 4 * 6 + 2\n movw $0x7d60, 0xa00 + 4 * 6\n movw %ax, 0xa00 + 4 * 6 + 2\n"
		    "out %al, $0x80\n"
		    AT(tables_guest, 0x40) "ud2\n lidtw 0x7dc0\n out %al, $0x80\n"
		    AT(tables_guest, 0x60) "ud2\n movw $0x7d40, 0x600 + 4 * 6\n out %al, $0x80\n"
		    AT(tables_guest, 0x80) "ud2\n lidtw 0x7dd0\n sti\n mov $1000000, %ecx\n 1: dec %ecx\n jnz 1b\n"
		    AT(tables_guest, 0xc0) "ud2\n" LEAVE
		    AT(tables_guest, 0x100) SKIP16(2)
		    AT(tables_guest, 0x120) SKIP16(2)
		    AT(tables_guest, 0x140) SKIP16(2)
		    AT(tables_guest, 0x160) SKIP16(2)
		    AT(tables_guest, 0x1c0) ".word 0x3ff\n .long 0x600\n"
		    AT(tables_guest, 0x1d0) ".word 0x3ff\n .long 0xa00\n");

/* Its handlers jump: KVM does not emulate iret in protected mode. */
GUEST(code32_guest, ".code32\n mov $0x7000, %esp\n movl $0x87c80, 0x6000 + 8 * 13\n movl $0x8e00, 0x6000 + 8 * 13 + 4\n"
		    "movl $0x87c90, 0x6000 + 8 * 6\n movl $0x8e00, 0x6000 + 8 * 6 + 4\n lidt 0x7ca0\n out %al, $0x80\n"
		    "mov $0x28, %eax\n"
		    AT(code32_guest, 0x40) "mov %eax, %ds\n"
		    AT(code32_guest, 0x50) "ud2\n" LEAVE
		    AT(code32_guest, 0x80) "add $16, %esp\n jmp code32_guest + 0x50\n"
		    AT(code32_guest, 0x90) "add $12, %esp\n jmp code32_guest + 0x52\n"
		    AT(code32_guest, 0xa0) ".word 0x7ff\n .long 0x6000\n");

GUEST(code64_guest, ".code64\n mov $0x7000, %esp\n"
		    "movl $0x87c80, 0x6000 + 16 * 14\n movl $0x8e00, 0x6000 + 16 * 14 + 4\n"
		    "movl $0x87c90, 0x6000 + 16 * 6\n movl $0x8e00, 0x6000 + 16 * 6 + 4\n"
		    "lidt 0x7ca0\n out %al, $0x80\n"
		    "mov $1, %ebx\n shl $39, %rbx\n"
		    AT(code64_guest, 0x60) "mov %rax, (%rbx)\n"
		    AT(code64_guest, 0x70) "ud2\n" LEAVE
		    AT(code64_guest, 0x80) "pop %rax\n addq $3, (%rsp)\n iretq\n"
		    AT(code64_guest, 0x90) "addq $2, (%rsp)\n iretq\n"
		    AT(code64_guest, 0xa0) ".word 0xfff\n .quad 0x6000\n");

/* Leaves after five interrupts of the PIT, which come as vector 0x20. */
GUEST(timer_guest, REAL_START "movw $0x7c80, 4 * 0x20\n movw %ax, 4 * 0x20 + 2\n"
		   "mov $0x11, %al\n out %al, $0x20\n mov $0x20, %al\n out %al, $0x21\n mov $4, %al\n out %al, $0x21\n"
		   "mov $1, %al\n out %al, $0x21\n mov $0xfe, %al\n out %al, $0x21\n"
		   "mov $0x36, %al\n out %al, $0x43\n mov $11932, %ax\n out %al, $0x40\n"
		   "mov %ah, %al\n out %al, $0x40\n"
		   "sti\n 1: hlt\n cmpw $5, 0x500\n jb 1b\n cli\n" LEAVE
		   AT(timer_guest, 0x80) "incw 0x500\n push %ax\n mov $0x20, %al\n out %al, $0x20\n pop %ax\n iretw\n");

GUEST(halt_guest, "cli\n out %al, $0x80\n hlt\n jmp .\n");

/* Asks for one reset, which CMOS byte 0x50 outlives. */
GUEST(reset_guest, "mov $0x50, %al\n out %al, $0x70\n in $0x71, %al\n test %al, %al\n jnz 1f\n"
		   "mov $0x50, %al\n out %al, $0x70\n mov $1, %al\n out %al, $0x71\n"
		   "mov $0xfe, %al\n out %al, $0x64\n jmp .\n"
		   "1: " LEAVE);

static int try_add(enum catch_kind kind, uint64_t start, uint64_t end, unsigned dir, unsigned *ret_id)
{
	struct catch_spec spec = { .kind = kind, .start = start, .end = end, .dir = dir };

	return machine_catch_add(m, &spec, ret_id, &err);
}

static unsigned add(enum catch_kind kind, uint64_t start, uint64_t end, unsigned dir)
{
	unsigned id = 0;

	ck_assert_msg(try_add(kind, start, end, dir, &id) == 0, "%s", err.msg);
	return id;
}

/* Goes on until something is caught, which must be TEXT by catchpoint ID. */
static void caught(unsigned id, const char *text)
{
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_CATCH && !strcmp(stop.text, text), "reason %d, '%s', not '%s'", stop.reason,
		      stop.text, text);
	ck_assert_uint_eq(stop.catch_id, id);
}

static void caught_at(unsigned id, uint64_t pc, const char *text)
{
	caught(id, text);
	ck_assert_uint_eq(stop.pc, pc);
	ck_assert_uint_eq(guest_reg(0, X86_RIP), pc);
}

static void ends(void)
{
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_EXIT, "reason %d, '%s'", stop.reason, stop.text);
}

static uint64_t hits_of(unsigned id)
{
	struct catch_info info;

	for (size_t i = 0; machine_catch_list(m, i, &info); i++)
		if (info.id == id)
			return info.hits;
	return UINT64_MAX;
}

START_TEST(port_writes)
{
	unsigned id;

	GUEST_START(ports_guest, 0x7c00, BOOT_REAL, 1);
	id = add(CATCH_PORT, 0x80, 0x83, CATCH_WRITE);
	caught(id, "out 0x80, 1 byte: 0x41");
	caught(id, "out 0x7f, 2 bytes: 0x1234");
	caught(id, "out 0x83, 1 byte: 0x34");
	ck_assert_uint_eq(hits_of(id), 3);
	ends();
}
END_TEST

START_TEST(port_reads)
{
	unsigned id;

	GUEST_START(ports_guest, 0x7c00, BOOT_REAL, 1);
	id = add(CATCH_PORT, 0x80, 0x84, CATCH_READ);
	caught(id, "in 0x80, 1 byte: 0xff");
	/* It has been done. */
	ck_assert_uint_eq(guest_reg(0, X86_RAX) & 0xff, 0xff);
	caught(id, "in 0x83, 2 bytes: 0xffff");
	ends();
}
END_TEST

START_TEST(unclaimed_ports)
{
	unsigned id;

	GUEST_START(ports_guest, 0x7c00, BOOT_REAL, 1);
	id = add(CATCH_UNCLAIMED, 0, 0, CATCH_READ);
	caught(id, "unclaimed in 0x80, 1 byte: 0xff");
	ck_assert_int_eq(machine_catch_remove(m, id, &err), 0);
	id = add(CATCH_UNCLAIMED, 0, 0, 0);
	caught(id, "unclaimed out 0x7f, 2 bytes: 0x1234");
	caught(id, "unclaimed out 0x84, 1 byte: 0x34");
	caught(id, "unclaimed out 0x83, 1 byte: 0x34");
	caught(id, "unclaimed in 0x83, 2 bytes: 0xffff");
	/* The exit port is somebody's. */
	ends();
}
END_TEST

START_TEST(mmio)
{
	unsigned w, r;

	GUEST_START(mmio_guest, 0x7c00, BOOT_PROTECTED, 1);
	w = add(CATCH_MMIO, 0xd0000010, 0xd0000013, CATCH_WRITE);
	r = add(CATCH_MMIO, 0xd0000013, 0xd0000013, CATCH_READ);
	caught(w, "write 0xd0000010, 4 bytes: 0x12345678");
	caught(r, "read 0xd0000010, 4 bytes: 0xffffffff");
	caught(w, "write 0xd000000e, 4 bytes: 0x11223344");
	caught(w, "write 0xd0000013, 1 byte: 0x7");
	ends();
}
END_TEST

START_TEST(unclaimed_mmio)
{
	unsigned id;

	GUEST_START(mmio_guest, 0x7c00, BOOT_PROTECTED, 1);
	id = add(CATCH_UNCLAIMED, 0, 0, CATCH_READ);
	caught(id, "unclaimed read 0xd0000010, 4 bytes: 0xffffffff");
	ends();
}
END_TEST

START_TEST(msrs)
{
	unsigned id, bad;

	GUEST_START(msr_guest, 0x7c00, BOOT_REAL, 1);
	id = add(CATCH_SPECIAL, 0x173, 0x174, ANY);
	bad = add(CATCH_SPECIAL, 0x12345678, 0x12345678, CATCH_READ);
	caught(id, "wrmsr 0x174: 0x10");
	caught(id, "rdmsr 0x174: 0x10");
	caught(bad, "rdmsr 0x12345678, refused with #GP");
	ends();
	ck_assert_uint_eq(guest_u32(0x500), 0x10);
	ck_assert_uint_eq(guest_u32(0x504), 1);
}
END_TEST

START_TEST(msrs_by_direction)
{
	unsigned id;

	GUEST_START(msr_guest, 0x7c00, BOOT_REAL, 1);
	add(CATCH_SPECIAL, 0x12345678, 0x12345678, CATCH_WRITE);
	id = add(CATCH_SPECIAL, 0x174, 0x174, CATCH_READ);
	caught(id, "rdmsr 0x174: 0x10");
	ends();
}
END_TEST

START_TEST(msrs_no_longer_caught)
{
	unsigned id;

	GUEST_START(msr_guest, 0x7c00, BOOT_REAL, 1);
	id = add(CATCH_SPECIAL, 0x170, 0x17f, ANY);
	caught(id, "wrmsr 0x174: 0x10");
	ck_assert_int_eq(machine_catch_remove(m, id, &err), 0);
	ends();
	ck_assert_uint_eq(guest_u32(0x500), 0x10);
}
END_TEST

START_TEST(real_mode_exceptions)
{
	unsigned bp, ud;

	GUEST_START(faults_guest, 0x7c00, BOOT_REAL, 1);
	bp = add(CATCH_EXCEPTION, 3, 3, 0);
	ud = add(CATCH_EXCEPTION, 4, 6, 0);
	caught_at(bp, 0x7c80, "exception 3 (#BP), from 0x0:0x7c41");
	caught_at(ud, 0x7c90, "exception 6 (#UD), from 0x0:0x7c50");
	ck_assert_uint_eq(hits_of(bp), 1);
	ends();
	ck_assert_uint_eq(guest_u32(0x500), 1);
}
END_TEST

/* vCPUs that wait to be started have no tables: what their registers say of gpa 0 is not looked at. */
START_TEST(other_cpus_wait)
{
	uint8_t before[1024], after[1024];
	unsigned id;

	GUEST_START(faults_guest, 0x7c00, BOOT_REAL, 3);
	id = add(CATCH_EXCEPTION, 6, 6, 0);
	caught_at(id, 0x7c90, "exception 6 (#UD), from 0x0:0x7c50");
	ck_assert_uint_eq(stop.cpu, 0);
	machine_phys_read(m, 0, before, sizeof(before), &err);
	ck_assert_int_eq(machine_catch_remove(m, id, &err), 0);
	machine_phys_read(m, 0, after, sizeof(after), &err);
	ck_assert_mem_eq(before, after, sizeof(before));
	ends();
}
END_TEST

/* Nothing of it is left behind, and no breakpoint shows. */
START_TEST(handlers_are_as_before)
{
	uint8_t before[512], after[512];
	struct break_info info;
	unsigned id;

	GUEST_START(faults_guest, 0x7c00, BOOT_REAL, 1);
	machine_phys_read(m, 0x7c00, before, sizeof(before), &err);
	id = add(CATCH_EXCEPTION, 0, 255, 0);
	caught_at(id, 0x7c80, "exception 3 (#BP), from 0x0:0x7c41");
	ck_assert(!machine_break_list(m, 0, &info));
	machine_phys_read(m, 0x7c00, after, sizeof(after), &err);
	ck_assert_mem_eq(before, after, sizeof(before));
	ck_assert_int_eq(machine_catch_remove(m, id, &err), 0);
	ends();
	machine_phys_read(m, 0x7c00, after, sizeof(after), &err);
	ck_assert_mem_eq(before, after, sizeof(before));
	/* The guest sees it so too. */
	ck_assert_uint_eq(guest_u32(0x504), before[0x80]);
}
END_TEST

START_TEST(tables_are_followed)
{
	unsigned id;

	GUEST_START(tables_guest, 0x7c00, BOOT_REAL, 1);
	id = add(CATCH_EXCEPTION, 6, 6, 0);
	caught_at(id, 0x7d00, "exception 6 (#UD), from 0x0:0x7c40");
	caught_at(id, 0x7d20, "exception 6 (#UD), from 0x0:0x7c60");
	caught_at(id, 0x7d40, "exception 6 (#UD), from 0x0:0x7c80");
	caught_at(id, 0x7d60, "exception 6 (#UD), from 0x0:0x7cc0");
	ends();
}
END_TEST

START_TEST(error_codes_in_protected_mode)
{
	unsigned id;

	GUEST_START(code32_guest, 0x7c00, BOOT_PROTECTED, 1);
	id = add(CATCH_EXCEPTION, 0, 31, 0);
	caught_at(id, 0x7c80, "exception 13 (#GP), error code 0x28, from 0x8:0x7c40");
	caught_at(id, 0x7c90, "exception 6 (#UD), from 0x8:0x7c50");
	ends();
}
END_TEST

START_TEST(error_codes_in_long_mode)
{
	unsigned id;

	GUEST_START(code64_guest, 0x7c00, BOOT_LONG, 1);
	id = add(CATCH_EXCEPTION, 0, 31, 0);
	caught_at(id, 0x7c80, "exception 14 (#PF), error code 0x2, cr2 0x8000000000, from 0x7c60");
	caught_at(id, 0x7c90, "exception 6 (#UD), from 0x7c70");
	ends();
}
END_TEST

START_TEST(timer_interrupts)
{
	unsigned id;

	GUEST_START(timer_guest, 0x7c00, BOOT_REAL, 1);
	id = add(CATCH_EXCEPTION, 32, 32, 0);
	for (unsigned i = 0; i < 2; i++) {
		guest_continue();
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_CATCH);
		ck_assert_uint_eq(stop.catch_id, id);
		ck_assert_uint_eq(stop.pc, 0x7c80);
		ck_assert_msg(!strncmp(stop.text, "interrupt 32, from 0x0:0x7c", 27), "%s", stop.text);
		ck_assert_uint_eq(guest_u32(0x500), i);
	}
	ck_assert_int_eq(machine_catch_remove(m, id, &err), 0);
	ends();
	ck_assert_uint_eq(guest_u32(0x500), 5);
}
END_TEST

START_TEST(halt)
{
	unsigned id;

	GUEST_START(halt_guest, 0x7c00, BOOT_REAL, 1);
	id = add(CATCH_HALT, 0, 0, 0);
	caught(id, "halted with interrupts off");
	/* Once is enough. */
	guest_continue();
	machine_stop(m);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_REQUEST);
	/* After a reset it is another one, at the same place. */
	ck_assert_int_eq(machine_reset(m, &err), 0);
	guest_wait();
	caught(id, "halted with interrupts off");
	ck_assert_uint_eq(hits_of(id), 2);
}
END_TEST

START_TEST(reset)
{
	unsigned id;

	GUEST_START(reset_guest, 0x7c00, BOOT_REAL, 1);
	id = add(CATCH_RESET, 0, 0, 0);
	caught(id, "the guest asks for a reset by the keyboard controller");
	ck_assert_uint_eq(resets, 0);
	ends();
	ck_assert_uint_eq(resets, 1);
}
END_TEST

static unsigned asked;

static bool every_second(void *arg, struct machine *machine, const struct stop_event *ev)
{
	ck_assert_ptr_eq(machine, m);
	ck_assert_ptr_eq(arg, &asked);
	ck_assert_int_eq(ev->reason, STOP_CATCH);
	return ++asked % 2 == 0;
}

START_TEST(filter)
{
	unsigned id, other;

	GUEST_START(ports_guest, 0x7c00, BOOT_REAL, 1);
	machine_break_filter(m, BREAK_OWNER_MONITOR, every_second, &asked);
	asked = 0;
	id = add(CATCH_PORT, 0x80, 0x83, CATCH_WRITE);
	/* 0x80 is not wanted. */
	caught(id, "out 0x7f, 2 bytes: 0x1234");
	other = add(CATCH_PORT, 0x84, 0x84, ANY);
	/* Nor is 0x84. */
	caught(id, "out 0x83, 1 byte: 0x34");
	ck_assert_uint_eq(asked, 4);
	/* When the first of three is not wanted, the second is asked for. */
	id = add(CATCH_PORT, 0x83, 0x83, CATCH_READ);
	add(CATCH_PORT, 0x84, 0x84, CATCH_READ);
	caught(id, "in 0x83, 2 bytes: 0xffff");
	ck_assert_uint_eq(asked, 6);
	ck_assert_uint_eq(hits_of(other), 0);
	machine_break_filter(m, BREAK_OWNER_MONITOR, NULL, NULL);
	ends();
}
END_TEST

START_TEST(last_exits)
{
	struct exit_record r, newer;
	unsigned n = 0, seen = 0;

	GUEST_START(ports_guest, 0x7c00, BOOT_REAL, 1);
	ends();
	for (size_t i = 0; machine_exit_record(m, i, &r); i++, n++) {
		ck_assert(!i || (r.number + 1 == newer.number && r.time_ns <= newer.time_ns));
		ck_assert_uint_eq(r.cpu, 0);
		seen += !strcmp(r.detail, "out 0x80 1 byte 0x41") && !strcmp(r.reason, "io");
		seen += !strcmp(r.detail, "in 0x83 2 bytes");
		seen += !strcmp(r.detail, "out 0xf4 1 byte 0x00");
		newer = r;
	}
	ck_assert_uint_eq(seen, 3);
	ck_assert_uint_eq(r.number, 0);
	ck_assert_uint_le(n, EXIT_RECORDS);
}
END_TEST

START_TEST(bad_input)
{
	static const struct { struct catch_spec s; int code; } bad[] = {
		{ { CATCH_KINDS, 0, 0, 0 }, -EINVAL },
		{ { CATCH_PORT, 0, 0x10000, ANY }, -EINVAL },
		{ { CATCH_PORT, 2, 1, ANY }, -EINVAL },
		{ { CATCH_PORT, 0, 0, 0 }, -EINVAL },
		{ { CATCH_EXCEPTION, 0, 256, 0 }, -EINVAL },
		{ { CATCH_RESET, 1, 1, 0 }, -EINVAL },
		{ { CATCH_SPECIAL, 0x800, 0x8ff, ANY }, -ENOTSUP },
		{ { CATCH_SPECIAL, 0, 0x2000, ANY }, -EINVAL },
		{ { CATCH_PORT, 0x40, 0x40, ANY }, -ENOTSUP },
	};
	struct catch_info info;
	unsigned id = 99;

	GUEST_START(halt_guest, 0x7c00, BOOT_REAL, 1);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.msg[0] = '\0';
		ck_assert_int_eq(machine_catch_add(m, &bad[i].s, &id, &err), bad[i].code);
		ck_assert_str_ne(err.msg, "");
	}
	ck_assert_uint_eq(id, 99);
	ck_assert(!machine_catch_list(m, 0, &info));
	ck_assert_int_eq(machine_catch_remove(m, 1, &err), -ENOENT);
	id = add(CATCH_PORT, 0x90, 0x90, ANY);
	guest_continue();
	ck_assert_int_eq(try_add(CATCH_PORT, 0x80, 0x80, ANY, &id), -EBUSY);
	ck_assert_int_eq(machine_catch_remove(m, id, &err), -EBUSY);
	machine_stop(m);
	guest_wait();
	ck_assert_int_eq(machine_catch_remove(m, id, &err), 0);
	ck_assert(!machine_catch_list(m, 0, &info));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kvm_catch");
	TCase *c = tcase_create("kvm_catch");

	if (guest_no_kvm())
		return unit_skip_all("no /dev/kvm");
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, NULL, guest_end);
	tcase_add_test(c, port_writes);
	tcase_add_test(c, port_reads);
	tcase_add_test(c, unclaimed_ports);
	tcase_add_test(c, mmio);
	tcase_add_test(c, unclaimed_mmio);
	tcase_add_test(c, msrs);
	tcase_add_test(c, msrs_by_direction);
	tcase_add_test(c, msrs_no_longer_caught);
	tcase_add_test(c, real_mode_exceptions);
	tcase_add_test(c, other_cpus_wait);
	tcase_add_test(c, handlers_are_as_before);
	tcase_add_test(c, tables_are_followed);
	tcase_add_test(c, error_codes_in_protected_mode);
	tcase_add_test(c, error_codes_in_long_mode);
	tcase_add_test(c, timer_interrupts);
	tcase_add_test(c, halt);
	tcase_add_test(c, reset);
	tcase_add_test(c, filter);
	tcase_add_test(c, last_exits);
	tcase_add_test(c, bad_input);
	suite_add_tcase(s, c);
	return unit_main(s);
}
