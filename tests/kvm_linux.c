/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small kernels in the form of a bzImage, run: what each entry finds, in the machine that Linux gets. */
#include <stdlib.h>
#include <string.h>

#include "tests/bzimage_make.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define SETUP_CODE      0x26cu          /* where the jump at 0x200 leads */

#define BYE "movb $0, %al\noutb %al, $0xf4\n1: hlt\njmp 1b\n"
#define BAD "9: movb $'!', %al\noutb %al, $0xe9\n" BYE

/* Reads the memory map as Linux's setup code does, says each entry's type, and asks for what is not there. */
GUEST(setup, "xorl %ebx, %ebx\n"
	     "2: movl $0xe820, %eax\nmovl $0x534d4150, %edx\nmovl $20, %ecx\nmovw $0x4000, %di\nint $0x15\n"
	     "jc 9f\ncmpl $0x534d4150, %eax\njne 9f\ncmpl $20, %ecx\njne 9f\n"
	     "movb 0x4010, %al\naddb $'0', %al\noutb %al, $0xe9\ntestl %ebx, %ebx\njnz 2b\n"
	     "movl $3, %ebx\nmovl $0xe820, %eax\nint $0x15\njnc 9f\n"
	     "movb $0x88, %ah\nint $0x15\njnc 9f\ncmpb $0x86, %ah\njne 9f\n"
	     /* An exception's or a device's vector leaves everything as it was. */
	     "movb $0x55, %ah\nclc\nint $0x08\njc 9f\ncmpb $0x55, %ah\njne 9f\n"
	     "movb $'.', %al\noutb %al, $0xe9\n" BYE BAD);

/* Looks for the RSDP where the zero page says, spoils it, and says what the PM timer's port and the command line have. */
GUEST(entry64, ".code64\n"
	       "movl 0x202(%rsi), %eax\ncmpl $0x53726448, %eax\njne 9f\n"
	       "movq 0x70(%rsi), %rbx\ncmpl $0x20445352, (%rbx)\njne 9f\nmovl $0, (%rbx)\n"
	       "movl $0xf0000, %ecx\ncmpl $0x5f504d5f, (%rcx)\njne 9f\n"
	       "movw $0x608, %dx\ninl %dx, %eax\ncmpl $0xffffffff, %eax\nje 9f\n"
	       "movl 0x228(%rsi), %ebx\nmovb (%rbx), %al\noutb %al, $0xe9\n" BYE BAD ".code16\n");

GUEST(entry32, ".code32\n"
	       "movl 0x202(%esi), %eax\ncmpl $0x53726448, %eax\njne 9f\n"
	       "movw %cs, %ax\ncmpw $0x10, %ax\njne 9f\n"
	       /* The selectors can be loaded again. */
	       "movw $0x18, %ax\nmovw %ax, %ds\nmovw %ax, %ss\nljmp $0x10, $(3f - entry32 + 0x200000)\n3:\n"
	       "movl 0x228(%esi), %ebx\nmovb (%ebx), %al\noutb %al, $0xe9\n" BYE BAD ".code16\n");

static void start(uint64_t entry)
{
	static uint8_t image[4096];
	struct machine_config c = {
		.memory = 16 << 20, .cpus = 1,
		.load = { .has_entry = true, .entry = entry, .append = "L" },
	};
	size_t n = bzimage_make(NULL, 0, image, sizeof(image));

	ck_assert_uint_le((size_t)(setup_end - setup), BZ_SETUP - SETUP_CODE);
	memcpy(image + SETUP_CODE, setup, (size_t)(setup_end - setup));
	memcpy(image + BZ_SETUP, entry32, (size_t)(entry32_end - entry32));
	memcpy(image + BZ_SETUP + 0x200, entry64, (size_t)(entry64_end - entry64));
	ck_assert_int_eq(blob_copy("kernel", image, n, &c.image, &err), 0);
	guest_start_machine(&c);
}

static void runs(const char *says)
{
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_EXIT);
	ck_assert_msg(serial_len == strlen(says) && !memcmp(serial, says, serial_len), "'%.*s'", (int)serial_len, serial);
}

START_TEST(memory)
{
	static const char want[] = "ram 0+a0000, vga b8000+8000, tables e0000+20000, ram 100000+f00000, ";
	char text[400];
	struct slot_info s;
	size_t at = 0;

	start(64);
	for (size_t i = 0; machine_slot_list(m, i, &s); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s %llx+%llx%s, ", s.label, (unsigned long long)s.gpa,
				       (unsigned long long)s.size, s.readonly ? " ro" : "");
	ck_assert_str_eq(text, want);
	ck_assert_str_eq(machine_info(m)->image_kind, "linux");
	ck_assert_uint_eq(machine_last_stop(m)->pc, BZ_PREF + 0x200);
	guest_end();
}
END_TEST

START_TEST(in_long_mode)
{
	start(64);
	for (unsigned i = 0; guest_u32(LINUX_TABLES_GPA) && i < 20; i++) {
		guest_step(0);
		guest_wait();
	}
	ck_assert_uint_eq(guest_u32(LINUX_TABLES_GPA), 0);
	/* A reset brings the tables back, and the ports that they name. */
	ck_assert_msg(!machine_reset(m, &err), "%s", err.msg);
	ck_assert_uint_eq(guest_u32(LINUX_TABLES_GPA), 0x20445352);
	runs("L");
	guest_end();
}
END_TEST

START_TEST(in_protected_mode)
{
	start(32);
	runs("L");
	guest_end();
}
END_TEST

START_TEST(in_real_mode)
{
	start(16);
	runs("121.");
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("linux");
	TCase *t = tcase_create("linux");

	if (guest_no_kvm())
		return unit_skip_all("no /dev/kvm");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, memory);
	tcase_add_test(t, in_long_mode);
	tcase_add_test(t, in_protected_mode);
	tcase_add_test(t, in_real_mode);
	suite_add_tcase(s, t);
	return unit_main(s);
}
