/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encoder, against bytes worked out from ACPI 6.4, chapters 20.2 and 6.4. */
#include "load/aml.h"

#include <string.h>

#include "tests/check_aml.h"
#include "tests/unit.h"

static uint8_t out[0x4000];
static struct aml a;

static void setup(void)
{
	memset(out, 0xee, sizeof(out));
	aml_init(&a, out, sizeof(out));
}

#define EXPECT(text) do { \
	ck_assert_uint_eq(aml_done(&a), sizeof(text) - 1); \
	ck_assert_mem_eq(out, text, sizeof(text) - 1); \
	setup(); \
} while (0)

START_TEST(names)
{
	aml_name(&a, "_SB");
	EXPECT("_SB_");
	aml_name(&a, "\\_SB.PCI0");
	EXPECT("\\\x2e_SB_PCI0");
	aml_name(&a, "\\_SB.PCI0.ISA.PRQA");
	EXPECT("\\\x2f\4_SB_PCI0ISA_PRQA");
}
END_TEST

START_TEST(constants)
{
	aml_int(&a, 0);
	aml_int(&a, 1);
	aml_int(&a, 2);
	aml_int(&a, 0xff);
	EXPECT("\0\1\x0a\2\x0a\xff");
	aml_int(&a, 0x100);
	aml_int(&a, 0xffff);
	EXPECT("\x0b\0\1\x0b\xff\xff");
	aml_int(&a, 0x10000);
	aml_int(&a, 0xffffffff);
	EXPECT("\x0c\0\0\1\0\x0c\xff\xff\xff\xff");
	aml_string(&a, "ACPI0007");
	EXPECT("\x0d" "ACPI0007\0");
	aml_eisa_id(&a, "PNP0A03");
	aml_eisa_id(&a, "PNP0C0F");
	EXPECT("\x0c\x41\xd0\x0a\x03\x0c\x41\xd0\x0c\x0f");
	aml_name_int(&a, "_UID", 3);
	EXPECT("\x08_UID\x0a\3");
}
END_TEST

START_TEST(blocks)
{
	aml_open_scope(&a, "\\_SB");
	aml_open_device(&a, "ISA");
	aml_close(&a);
	aml_close(&a);
	EXPECT("\x10\x0d\\_SB_\x5b\x82\x05ISA_");
	aml_open_method(&a, "_SRS", 1, true);
	aml_open_if(&a);
	aml_op(&a, AML_ARG0);
	aml_close(&a);
	aml_close(&a);
	EXPECT("\x14\x09_SRS\x09\xa0\x02\x68");
	aml_open_package(&a, 2);
	aml_int(&a, 0);
	aml_int(&a, 9);
	aml_close(&a);
	EXPECT("\x12\x05\2\0\x0a\x09");
	aml_region(&a, "PIRQ", AML_PCI_CONFIG, 0x60, 4);
	aml_open_field(&a, "PIRQ");
	aml_field(&a, "PRQA", 8);
	aml_field(&a, "X", 64);
	aml_close(&a);
	EXPECT("\x5b\x80PIRQ\2\x0a\x60\x0a\4\x5b\x81\x11PIRQ\1PRQA\x08X___\x40\4");
}
END_TEST

/* A package's length counts itself, in 1 byte to 63, in 2 to 4095, then in 3. */
START_TEST(lengths)
{
	static const struct {
		unsigned contents, length, bytes;
		uint8_t is[3];
	} row[] = {
		{ 1, 2, 1, { 0x02 } }, { 62, 63, 1, { 0x3f } }, { 63, 65, 2, { 0x41, 0x04 } },
		{ 4093, 4095, 2, { 0x4f, 0xff } }, { 4094, 4097, 3, { 0x81, 0x00, 0x01 } },
		{ 10000, 10003, 3, { 0x83, 0x71, 0x02 } },
	};

	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		setup();
		aml_open_if(&a);
		for (unsigned n = 0; n < row[i].contents; n++)
			aml_op(&a, AML_ARG0);
		aml_close(&a);
		ck_assert_uint_eq(aml_done(&a), 1 + row[i].length);
		ck_assert_mem_eq(out + 1, row[i].is, row[i].bytes);
		ck_assert_uint_eq(out[1 + row[i].bytes], AML_ARG0);
		ck_assert_uint_eq(out[row[i].length], AML_ARG0);
		ck_assert_uint_eq(out[row[i].length + 1], 0xee);
	}
}
END_TEST

START_TEST(resources)
{
	static const uint32_t lines[] = { 5, 10 };

	aml_open_template(&a);
	aml_close_template(&a);
	EXPECT("\x11\x05\x0a\2\x79\0");
	aml_open_template(&a);
	aml_io(&a, 0x3f8, 8);
	aml_irq(&a, 4);
	aml_close_template(&a);
	EXPECT("\x11\x10\x0a\x0d\x47\1\xf8\3\xf8\3\1\x08\x22\x10\0\x79\0");
	aml_link_irqs(&a, lines, 2);
	EXPECT("\x89\x0a\0\x09\2\5\0\0\0\x0a\0\0\0");
	aml_window_buses(&a, 0, 255);
	EXPECT("\x88\x0d\0\2\x0c\0\0\0\0\0\xff\0\0\0\0\1");
	aml_window_ports(&a, 0xd00, 0xffff);
	EXPECT("\x88\x0d\0\1\x0c\3\0\0\0\x0d\xff\xff\0\0\0\xf3");
	aml_window_memory(&a, 0xa0000, 0xbffff);
	EXPECT("\x87\x17\0\0\x0c\1\0\0\0\0\0\0\x0a\0\xff\xff\x0b\0\0\0\0\0\0\0\2\0");
}
END_TEST

static void make_something(void)
{
	static const uint32_t line = 5;

	aml_open_scope(&a, "\\_SB");
	aml_open_device(&a, "LNKA");
	aml_open_template(&a);
	for (unsigned i = 0; i < 7; i++)
		aml_link_irqs(&a, &line, 1);
	aml_close_template(&a);
	aml_close(&a);
	aml_close(&a);
}

START_TEST(no_room)
{
	size_t need, size;

	make_something();
	need = aml_done(&a);
	ck_assert_uint_gt(need, 64);
	for (size = 0; size < need; size++) {
		setup();
		aml_init(&a, out, size);
		make_something();
		ck_assert_uint_eq(aml_done(&a), 0);
		ck_assert_uint_eq(out[size], 0xee);
	}
}
END_TEST

START_TEST(blocks_do_not_pair)
{
	aml_open_if(&a);
	ck_assert_uint_eq(aml_done(&a), 0);
	aml_close(&a);
	ck_assert_uint_eq(aml_done(&a), 2);
	aml_close(&a);
	ck_assert_uint_eq(aml_done(&a), 0);
	setup();
	for (unsigned i = 0; i < AML_DEPTH + 1; i++)
		aml_open_if(&a);
	for (unsigned i = 0; i < AML_DEPTH + 1; i++)
		aml_close(&a);
	ck_assert_uint_eq(aml_done(&a), 0);
}
END_TEST

TCase *aml_case(void)
{
	TCase *t = tcase_create("aml");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, names);
	tcase_add_test(t, constants);
	tcase_add_test(t, blocks);
	tcase_add_test(t, lengths);
	tcase_add_test(t, resources);
	tcase_add_test(t, no_room);
	tcase_add_test(t, blocks_do_not_pair);
	return t;
}
