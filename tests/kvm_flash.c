/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flash memory beside the firmware of a machine: memory that comes and goes with the chip's mode, and what of it lasts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/disk_env.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define FLASH_SIZE      0x10000u
#define FLASH_GPA       0xfffe0000u     /* below 64 KiB of firmware */
#define CODE            0x3000u         /* of the flash: where its code is */

/* In flat protected mode, with EBX at the flash; the stack is at 32 KiB. */
#define FLAT(name) \
	"cli\nlgdtl %cs:" #name "_gdtr - " #name "\nmovl %cr0, %eax\norb $1, %al\nmovl %eax, %cr0\n" \
	"ljmpl $8, $(0xf0000 + " #name "_flat - " #name ")\n" \
	".balign 8\n" #name "_gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n" \
	#name "_gdtr: .word 23\n.long 0xf0000 + " #name "_gdt - " #name "\n" \
	".code32\n" #name "_flat: movw $16, %ax\nmovw %ax, %ds\nmovw %ax, %es\nmovw %ax, %ss\nmovl $0x8000, %esp\n" \
	"movl $0xfffe0000, %ebx\n"
#define PUT(offset, value) "movb $" #value ", " #offset "(%ebx)\n"
#define SAY(offset) "movb " #offset "(%ebx), %al\noutb %al, $0xe9\n"
#define EXIT "movb $0, %al\noutb %al, $0xf4\n99: hlt\njmp 99b\n.code16\n"

/* What each mode shows, a byte that is programmed, a block that is erased, and a string by one REP. */
GUEST(modes, FLAT(modes)
	     SAY(5) PUT(0, 0x70) SAY(5) PUT(0, 0x90) SAY(0) PUT(0, 0xff) SAY(5)
	     /* Programmed, and seen. */
	     PUT(5, 0x40) PUT(5, 'A') SAY(5) PUT(0, 0xff) SAY(5)
	     PUT(0x1000, 0x20) PUT(0x1000, 0xd0) PUT(0, 0xff) SAY(0x1234)
	     /* To a buffer, 16 bytes by one instruction. */
	     PUT(0x1000, 0xe8) PUT(0x1000, 15)
	     "leal 0x1000(%ebx), %edi\nmovl $0xf0000 + modes_text - modes, %esi\nmovl $16, %ecx\ncld\nrep movsb\n"
	     PUT(0x1000, 0xd0) PUT(0, 0xff) SAY(0x1000) SAY(0x100f)
	     /* Not programmed: a byte that looks like a command, where the chip waits for none. */
	     PUT(0x2000, 0x55) SAY(0x2000)
	     EXIT "modes_text: .ascii \"<by one rep mov>\"\n");

/* Code in flash is called, goes into another mode and so has itself vanish. */
GUEST(vanish, FLAT(vanish) "leal 0x3000(%ebx), %eax\ncall *%eax\n" SAY(0) EXIT);
/* In the flash: movb $0x70, (%ebx); ret.  And without the first: harmless. */
static const uint8_t vanishing[] = { 0xc6, 0x03, 0x70, 0xc3 }, harmless[] = { 0x90, 0xc3 };

/* The firmware configuration's DMA goes to the flash, which it does not write, and from it, with the array shown and without. */
#define DMA(to) \
	"movl $0x02000000, 0x1000\nmovl $0x04000000, 0x1004\nmovl $0, 0x1008\nmovl $" #to ", %eax\nbswap %eax\nmovl %eax, 0x100c\n" \
	"movw $0x510, %dx\nxorw %ax, %ax\noutw %ax, %dx\nmovw $0x518, %dx\nmovl $0x00100000, %eax\noutl %eax, %dx\n" \
	"movb 0x1003, %al\naddb $'0', %al\noutb %al, $0xe9\n"
GUEST(dma, FLAT(dma) DMA(0xfffe0100) PUT(0, 0x70) DMA(0xfffe0100) PUT(0, 0xff) SAY(0x100) EXIT);

/* Goes into another mode, says so, and waits, with exits: not every host can interrupt it. */
GUEST(stay, FLAT(stay) PUT(0x20, 0x40) PUT(0x20, 0) PUT(0, 0x90) SAY(0) "1: outb %al, $0x80\njmp 1b\n.code16\n");

static struct disk_env env;
static struct disk_spec nvram;

static void setup(void)
{
	disk_env_init(&env);
	nvram = (struct disk_spec){ .path = disk_env_file(&env, 'a', FLASH_SIZE) };
}

static void teardown(void)
{
	disk_env_done(&env);
}

/* Makes the machine, with CODE of the flash what is given. */
static void start_with(const unsigned char *code, const unsigned char *end, const uint8_t *in_flash, size_t len)
{
	struct machine_config c = { .nvram = &nvram };
	FILE *f = fopen(nvram.path, "r+");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fseek(f, CODE, SEEK_SET), 0);
	ck_assert_uint_eq(fwrite(in_flash, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
	guest_start_firmware(code, end, &c);
}

#define START(name) start_with(name, name##_end, harmless, sizeof(harmless))

/* "label gpa size ro" of the slots above 1 GiB. */
static const char *slots_text(void)
{
	static char text[400];
	struct slot_info s;
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; machine_slot_list(m, i, &s); i++)
		if (s.gpa >= 1u << 30)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s %llx+%llx%s, ", s.label,
					       (unsigned long long)s.gpa, (unsigned long long)s.size, s.readonly ? " ro" : "");
	return text;
}

#define WITH    "flash fffe0000+10000 ro, rom ffff0000+10000 ro, "
#define WITHOUT "rom ffff0000+10000 ro, "

static void expect_said(const void *what, size_t len)
{
	ck_assert_uint_eq(serial_len, len);
	ck_assert_mem_eq(serial, what, len);
}

static uint8_t byte_of_file(uint64_t at)
{
	uint8_t byte;

	disk_env_read_file(&env, 'a', at, &byte, 1);
	return byte;
}

static void run_modes(void)
{
	uint8_t was = disk_env_byte(5), said[] = {
		was, 0x80, 0x89, was, 0x80, was & 'A', 0xff, '<', '>', disk_env_byte(0x2000),
	};

	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_EXIT);
	expect_said(said, sizeof(said));
}

START_TEST(each_mode)
{
	START(modes);
	ck_assert_str_eq(slots_text(), WITH);
	run_modes();
	ck_assert_str_eq(slots_text(), WITH);
	guest_end();
	/* And what was programmed is in the file, and nothing else. */
	ck_assert_uint_eq(byte_of_file(5), disk_env_byte(5) & 'A');
	ck_assert_uint_eq(byte_of_file(4), disk_env_byte(4));
	ck_assert_uint_eq(byte_of_file(0x1000), '<');
	ck_assert_uint_eq(byte_of_file(0x100f), '>');
	ck_assert_uint_eq(byte_of_file(0x1010), 0xff);
	ck_assert_uint_eq(byte_of_file(0x2000), disk_env_byte(0x2000));
}
END_TEST

START_TEST(a_snapshot_leaves_the_file_alone)
{
	nvram.snapshot = true;
	START(modes);
	run_modes();
	guest_end();
	ck_assert_uint_eq(byte_of_file(5), disk_env_byte(5));
	ck_assert_uint_eq(byte_of_file(0x1000), disk_env_byte(0x1000));
}
END_TEST

/* Step by step, with a breakpoint in the flash that comes and goes with it, and is never hit. */
START_TEST(stepped)
{
	uint8_t was = disk_env_byte(5), said[] = {
		was, 0x80, 0x89, was, 0x80, was & 'A', 0xff, '<', '>', disk_env_byte(0x2000),
	};
	unsigned steps = 0;

	START(modes);
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, FLASH_GPA + 5), 0);
	do {
		guest_step(0);
		guest_wait();
	} while (stop.reason == STOP_STEP && steps++ < 1000);
	ck_assert_int_eq(stop.reason, STOP_EXIT);
	expect_said(said, sizeof(said));
	guest_end();
	ck_assert_uint_eq(byte_of_file(5), disk_env_byte(5) & 'A');
}
END_TEST

/* Commands reach the chip also where its pages are watched; what they change is no write of the guest's. */
START_TEST(watched)
{
	struct watch_spec spec = { .gva = FLASH_GPA, .size = 0x3000, .kind = WATCH_WRITE };

	START(modes);
	ck_assert_msg(machine_watch_insert(m, BREAK_OWNER_GDB, &spec, &err) == 0, "%s", err.msg);
	run_modes();
	guest_end();
	ck_assert_uint_eq(byte_of_file(5), disk_env_byte(5) & 'A');
	ck_assert_uint_eq(byte_of_file(0x1000), '<');
}
END_TEST

START_TEST(breakpoints_in_it)
{
	start_with(vanish, vanish_end, harmless, sizeof(harmless));
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, FLASH_GPA + CODE), 0);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert_uint_eq(stop.pc, FLASH_GPA + CODE);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_EXIT);
	guest_end();
	/* None of its bytes went to the file. */
	ck_assert_uint_eq(byte_of_file(CODE), harmless[0]);
}
END_TEST

START_TEST(code_that_vanishes)
{
	start_with(vanish, vanish_end, vanishing, sizeof(vanishing));
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_ERROR);
	ck_assert_uint_eq(stop.pc, FLASH_GPA + CODE + 3);
	ck_assert_str_eq(stop.text, "KVM cannot fetch an instruction at 0xfffe3003, in flash memory that does not show its array");
	ck_assert_str_eq(slots_text(), WITHOUT);
	/* A reset puts it right. */
	ck_assert_int_eq(machine_reset(m, &err), 0);
	guest_wait();
	ck_assert_str_eq(slots_text(), WITH);
	guest_end();
}
END_TEST

START_TEST(dma_does_not_write_it)
{
	uint8_t said[] = { '0', '1', disk_env_byte(0x100) };

	START(dma);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_EXIT);
	expect_said(said, sizeof(said));
	guest_end();
}
END_TEST

/* A reset shows the array again, with what was programmed, and without what a person wrote over it. */
START_TEST(reset_keeps_what_was_programmed)
{
	uint8_t byte;

	START(stay);
	for (unsigned round = 0; round < 5; round++) {
		guest_continue();
		guest_poll_serial(round + 1);
		ck_assert_uint_eq((uint8_t)serial[round], 0x89);
		machine_stop(m);
		guest_wait();
		ck_assert_str_eq(slots_text(), WITHOUT);
		ck_assert_int_eq(machine_phys_read(m, FLASH_GPA, &byte, 1, &err), 0);
		ck_assert_int_eq(machine_reset(m, &err), 0);
		guest_wait();
		ck_assert_str_eq(slots_text(), WITH);
		ck_assert_int_eq(machine_phys_read(m, FLASH_GPA + 0x20, &byte, 1, &err), 1);
		ck_assert_uint_eq(byte, 0);
		ck_assert_int_eq(machine_phys_read(m, FLASH_GPA + 0x21, &byte, 1, &err), 1);
		ck_assert_uint_eq(byte, disk_env_byte(0x21));
		ck_assert_int_eq(machine_phys_write(m, FLASH_GPA + 0x21, "z", 1, &err), 1);
	}
	guest_end();
	ck_assert_uint_eq(byte_of_file(0x20), 0);
	ck_assert_uint_eq(byte_of_file(0x21), disk_env_byte(0x21));
}
END_TEST

/* Files that cannot be the variables, each with a line, and nobody else's lock stays. */
START_TEST(files_that_are_refused)
{
	static const struct { uint64_t size; const char *text; } bad[] = {
		{ 0, "not one sector" },
		{ 100, "are no whole sectors" },
		{ 512, "do not go with firmware of 65536" },
		{ FLASH_SIZE / 2, "do not go with firmware of 65536" },
		{ FLASH_SIZE + 4096, "do not go with firmware of 65536" },
		{ (1u << 25) - FLASH_SIZE, "do not go with firmware of 65536" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		static uint8_t rom[FLASH_SIZE] = { [FLASH_SIZE - 16] = 0xea };
		struct machine_config c = { .memory = 16 << 20, .cpus = 1, .nvram = &nvram, .load.kind = IMAGE_BIOS };
		struct machine *none = NULL;

		ck_assert_int_eq(truncate(nvram.path, (off_t)bad[i].size), 0);
		ck_assert_int_eq(blob_copy("firmware", rom, sizeof(rom), &c.image, &err), 0);
		ck_assert_int_eq(machine_kvm_new(&c, &none, &err), -EBADF);
		ck_assert_int_eq(err.code, EBADF);
		ck_assert_msg(strstr(err.msg, bad[i].text) && strstr(err.msg, nvram.path), "%s", err.msg);
		ck_assert_ptr_null(none);
	}
	ck_assert_int_eq(truncate(nvram.path, FLASH_SIZE), 0);
	START(modes);
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kvm_flash");
	TCase *t = tcase_create("kvm_flash");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, each_mode);
	tcase_add_test(t, a_snapshot_leaves_the_file_alone);
	tcase_add_test(t, stepped);
	tcase_add_test(t, watched);
	tcase_add_test(t, breakpoints_in_it);
	tcase_add_test(t, code_that_vanishes);
	tcase_add_test(t, dma_does_not_write_it);
	tcase_add_test(t, reset_keeps_what_was_programmed);
	tcase_add_test(t, files_that_are_refused);
	suite_add_tcase(s, t);
	return unit_main(s);
}
