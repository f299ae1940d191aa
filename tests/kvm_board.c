/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PC's memory map: firmware in ROM, shadow RAM by the host bridge's PAM registers, and what a reset makes of it. */
#include <stdlib.h>
#include <string.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

/* Sets PAM register REG (0x59 to 0x5f) to VALUE. */
#define PAM(reg, value) \
	"movl $(0x80000000 | (" #reg " & ~3)), %eax\nmovw $0xcf8, %dx\noutl %eax, %dx\n" \
	"movw $(0xcfc + (" #reg " & 3)), %dx\nmovb $" #value ", %al\noutb %al, %dx\n"
/* Says what is at DS:OFFSET. */
#define SAY(offset) "movb " #offset ", %al\noutb %al, $0xe9\n"
#define COPY_CODE "xorw %si, %si\nxorw %di, %di\nmovw $0x400, %cx\ncld\nrep movsb\n"
#define PUT(offset, c) "movb $'" #c "', " #offset "\n"

/* With DS at the ROM below 1 MiB, whose byte at 0x8000 is 'r' (the test sees to that). */
GUEST(shadow, "cli\n"
	      "movw $0xf000, %ax\nmovw %ax, %ds\nmovw %ax, %es\n"
	      /* ROM: not written. */
	      PUT(0x8000, x) SAY(0x8000)
	      /* Reads from ROM, writes to RAM: the way firmware copies itself. */
	      PAM(0x59, 0x20) COPY_CODE
	      PUT(0x8000, w) SAY(0x8000)
	      /* RAM, which the code has been copied to. */
	      PAM(0x59, 0x30) SAY(0x8000) PUT(0x8000, v) SAY(0x8000)
	      /* RAM that is not written. */
	      PAM(0x59, 0x10) PUT(0x8000, x) SAY(0x8000)
	      /* Nothing, RAM, nothing, the same RAM. */
	      "movw $0xc000, %ax\nmovw %ax, %ds\n"
	      PAM(0x5a, 0x00) PUT(0x10, x) "cmpb $0xff, 0x10\njne bad\n"
	      PAM(0x5a, 0x03) PUT(0x10, c) SAY(0x10) PAM(0x5a, 0x00) "cmpb $0xff, 0x10\njne bad\n"
	      PAM(0x5a, 0x03) SAY(0x10)
	      "movw $0xf000, %ax\nmovw %ax, %ds\n"
	      PAM(0x59, 0x00) SAY(0x8000)
	      "movb $0, %al\noutb %al, $0xf4\n1: hlt\njmp 1b\n"
	      "bad: movb $'!', %al\noutb %al, $0xe9\nmovb $1, %al\noutb %al, $0xf4\n2: hlt\njmp 2b\n");

/*
 * The firmware configuration's DMA: the signature to RAM, to the ROM below 4 GiB, and over the end of what is RAM below the hole, whose
 * descriptor then says that it failed.
 */
#define DMA(to) \
	"movl $0x02000000, 0\nmovl $0x04000000, 4\nmovl $0, 8\nmovl $" #to ", %eax\nbswap %eax\nmovl %eax, 12\n" \
	"movw $0x510, %dx\nxorw %ax, %ax\noutw %ax, %dx\nmovw $0x518, %dx\nmovl $0x00100000, %eax\noutl %eax, %dx\n"
GUEST(dma, "cli\nmovw $0x100, %ax\nmovw %ax, %ds\n"
	   DMA(0x1100) SAY(0x100) SAY(0x103)
	   DMA(0xffff8000)
	   "movw $0xf000, %ax\nmovw %ax, %ds\n" SAY(0x8000)
	   "movw $0x100, %ax\nmovw %ax, %ds\n"
	   DMA(0x9fffe)
	   "movb 3, %al\naddb $'0', %al\noutb %al, $0xe9\n"
	   "movb $0, %al\noutb %al, $0xf4\n1: hlt\njmp 1b\n");

/* Goes round, after it has put a byte where it can be seen; with an exit, for not every host can interrupt it. */
GUEST(around, "cli\nmovw $0xf000, %ax\nmovw %ax, %ds\nmovw %ax, %es\n" PAM(0x59, 0x20) COPY_CODE PAM(0x59, 0x30)
	      PUT(0x8000, s) PAM(0x59, 0x30) SAY(0x8000) "1: outb %al, $0x80\njmp 1b\n");

static void start(const unsigned char *code, const unsigned char *end)
{
	struct machine_config c = { 0 };
	uint8_t *whole = calloc(1, 0x8001);

	memcpy(whole, code, (size_t)(end - code));
	whole[0x8000] = 'r';
	guest_start_firmware(whole, whole + 0x8001, &c);
	free(whole);
}

/* "label gpa size ro" of every slot. */
static void slots_text(char *ret, size_t size)
{
	struct slot_info s;
	size_t at = 0;

	for (size_t i = 0; machine_slot_list(m, i, &s); i++)
		at += (size_t)snprintf(ret + at, size - at, "%s %llx+%llx%s, ", s.label, (unsigned long long)s.gpa,
				       (unsigned long long)s.size, s.readonly ? " ro" : "");
}

#define POWER_ON "ram 0+a0000, vga b8000+8000, rom f0000+10000 ro, ram 100000+f00000, rom ffff0000+10000 ro, "

START_TEST(as_a_pc_begins)
{
	char text[400];

	start(around, around_end);
	slots_text(text, sizeof(text));
	ck_assert_str_eq(text, POWER_ON);
	ck_assert_uint_eq(machine_last_stop(m)->pc, 0xfffffff0);
	ck_assert_str_eq(machine_info(m)->image_kind, "bios");
	guest_step(0);
	guest_wait();
	ck_assert_uint_eq(stop.pc, 0xf0000);
	guest_end();
}
END_TEST

START_TEST(shadow_ram)
{
	start(shadow, shadow_end);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_EXIT);
	ck_assert_uint_eq(serial_len, 8);
	ck_assert_mem_eq(serial, "rrwvvccr", 8);
	guest_end();
}
END_TEST

/* Step by step through it, breakpoints where code is copied to, and nothing of them in what the guest reads. */
START_TEST(shadow_ram_stepped)
{
	unsigned steps = 0;

	start(shadow, shadow_end);
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0xfffffff0), 0);
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0xf0001), 0);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert_uint_eq(stop.pc, 0xfffffff0);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert_uint_eq(stop.pc, 0xf0001);
	do {
		guest_step(0);
		guest_wait();
	} while (stop.reason == STOP_STEP && steps++ < 20000);
	ck_assert_int_eq(stop.reason, STOP_EXIT);
	ck_assert_uint_eq(serial_len, 8);
	ck_assert_mem_eq(serial, "rrwvvccr", 8);
	guest_end();
}
END_TEST

START_TEST(dma_leaves_rom_alone)
{
	start(dma, dma_end);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_EXIT);
	ck_assert_uint_eq(serial_len, 4);
	ck_assert_mem_eq(serial, "QUr1", 4);
	guest_end();
}
END_TEST

START_TEST(reset_brings_back_the_rom)
{
	char text[400];
	uint8_t byte;

	start(around, around_end);
	for (int round = 0; round < 20; round++) {
		guest_continue();
		guest_poll_serial((size_t)round + 1);
		ck_assert_int_eq(serial[round], 's');
		machine_stop(m);
		guest_wait();
		slots_text(text, sizeof(text));
		ck_assert_str_eq(text, "ram 0+a0000, vga b8000+8000, shadow f0000+10000, ram 100000+f00000, "
				       "rom ffff0000+10000 ro, ");
		/* Somebody has patched the ROM. */
		ck_assert_int_eq(machine_phys_write(m, 0xffff8000, "z", 1, &err), 1);
		ck_assert_int_eq(machine_reset(m, &err), 0);
		guest_wait();
		slots_text(text, sizeof(text));
		ck_assert_str_eq(text, POWER_ON);
		ck_assert_int_eq(machine_phys_read(m, 0xf8000, &byte, 1, &err), 1);
		ck_assert_int_eq(byte, 'r');
	}
	guest_end();
}
END_TEST

/* A person took a place that the chipset needs: said, and the rest goes on. */
START_TEST(a_slot_in_the_way)
{
	struct slot_spec spec = { .id = 100, .gpa = 0xf0000, .size = 0x1000, .backing = SLOT_ANON };
	struct slot_note note;
	struct slot_info s;
	size_t i;

	start(around, around_end);
	for (i = 0; machine_slot_list(m, i, &s) && s.gpa != 0xf0000; i++)
		;
	guest_step(0);
	guest_wait();
	ck_assert_int_eq(machine_slot_remove(m, s.id, &note, &err), 0);
	spec.gpa = 0xf8000;
	ck_assert_msg(machine_slot_add(m, &spec, &note, &err) == 0, "%s", err.msg);
	spec = (struct slot_spec){ .id = 101, .gpa = 0xf0000, .size = 0x1000, .backing = SLOT_ANON };
	ck_assert_msg(machine_slot_add(m, &spec, &note, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(machine_phys_write(m, 0xf0000, around, (size_t)(around_end - around), &err),
			 (int)(around_end - around));
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_ERROR);
	ck_assert_ptr_nonnull(strstr(stop.text, "overlaps slot"));
	/* A reset puts all in its place. */
	ck_assert_int_eq(machine_reset(m, &err), 0);
	guest_wait();
	ck_assert_uint_eq(machine_last_stop(m)->pc, 0xfffffff0);
	guest_step(0);
	guest_wait();
	ck_assert_uint_eq(stop.pc, 0xf0000);
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kvm_board");
	TCase *t = tcase_create("kvm_board");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, as_a_pc_begins);
	tcase_add_test(t, shadow_ram);
	tcase_add_test(t, shadow_ram_stepped);
	tcase_add_test(t, dma_leaves_rom_alone);
	tcase_add_test(t, reset_brings_back_the_rom);
	tcase_add_test(t, a_slot_in_the_way);
	suite_add_tcase(s, t);
	return unit_main(s);
}
