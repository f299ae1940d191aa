/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The image as a file: qXfer:exec-file and vFile. */
#include <string.h>

#include "tests/rsp_rig.h"
#include "tests/unit.h"

#define NAME_HEX "2f66616b652e656c66"           /* /fake.elf */

static const struct fake_config config64 = { .image_bits = 64, .mode = MODE_LONG };

static struct rig r;

static void setup(void)
{
	rig_open(&r, &config64);
}

static void teardown(void)
{
	rig_close(&r);
}

static void ask(const char *request, const char *reply)
{
	const char *got = rig_ask(&r, request);

	ck_assert_msg(!strcmp(got, reply), "%s: got %s, not %s", request, got, reply);
}

START_TEST(name)
{
	ask("qXfer:exec-file:read::0,fff", "l/fake.elf");
	ask("qXfer:exec-file:read:a410:0,3", "m/fa");
	ask("qXfer:exec-file:read:a410:3,fff", "lke.elf");
}
END_TEST

START_TEST(whole_file)
{
	ask("vFile:setfs:0", "F0");
	ask("vFile:open:" NAME_HEX ",0,1c0", "F0");
	ask("vFile:open:" NAME_HEX ",0,0", "F1");
	ask("vFile:pread:0,7,4", "F7;image, ");
	ask("vFile:pread:1,fff,12", "F9;} and a #");
	ask("vFile:pread:1,fff,1b", "F0;");
	ask("vFile:pread:1,ffffffffffffffff,ffffffffffffffff", "F0;");
	ask("vFile:pread:1,0,0", "F0;");
	ask("vFile:close:0", "F0");
	ask("vFile:close:0", "F-1,9");
	ask("vFile:pread:0,1,0", "F-1,9");
	ask("vFile:open:" NAME_HEX ",0,0", "F0");
}
END_TEST

START_TEST(status)
{
	/* dev ino mode nlink uid gid rdev, then size blksize blocks, then three times; the highest byte first */
	static const uint8_t want[64] = {
		[8] = 0, [9] = 0, [10] = 0x81, [11] = 0x24,     /* 0100444 */
		[15] = 1, [35] = sizeof(FAKE_EXEC) - 1, [42] = 0x10, [51] = 1,
	};
	const char *got;

	ask("vFile:open:" NAME_HEX ",0,0", "F0");
	got = rig_ask(&r, "vFile:fstat:0");
	ck_assert_mem_eq(got, "F40;", 4);
	ck_assert_mem_eq(got + 4, want, sizeof(want));
	ask("vFile:fstat:1", "F-1,9");
}
END_TEST

START_TEST(only_that_file)
{
	static const char *const refused[] = {
		"vFile:open:2f6574632f706173737764,0,0",        /* /etc/passwd */
		"vFile:open:2f66616b652e656c662f2e2e,0,0",      /* /fake.elf/.. */
		"vFile:open:2f66616b652e656c6600,0,0",          /* with a NUL behind */
		"vFile:open:2f66616b652e656c,0,0",
		"vFile:open:,0,0",
	};
	static const char *const writing[] = { "1", "2", "200", "400", "601" };
	char request[64];

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ask(refused[i], "F-1,2");
	for (size_t i = 0; i < sizeof(writing) / sizeof(writing[0]); i++) {
		strcpy(request, "vFile:open:" NAME_HEX ",");
		strcat(request, writing[i]);
		strcat(request, ",1b6");
		ask(request, "F-1,d");
	}
	ask("vFile:unlink:" NAME_HEX, "");
	ask("vFile:pwrite:0,0,aa", "");
}
END_TEST

START_TEST(handles_are_bounded)
{
	for (unsigned i = 0; i < 32; i++)
		ck_assert_int_eq(rig_ask(&r, "vFile:open:" NAME_HEX ",0,0")[0], 'F');
	ask("vFile:open:" NAME_HEX ",0,0", "F-1,18");
	ask("vFile:close:1f", "F0");
	ask("vFile:open:" NAME_HEX ",0,0", "F1f");
	ask("vFile:close:20", "F-1,9");
	ask("vFile:close:ffffffffffffffff", "F-1,9");
}
END_TEST

START_TEST(malformed)
{
	static const char *const bad[] = {
		"vFile:open", "vFile:open:", "vFile:open:" NAME_HEX, "vFile:open:" NAME_HEX ",0", "vFile:open:2,0,0",
		"vFile:open:zz,0,0", "vFile:open:" NAME_HEX ",x,0", "vFile:open:" NAME_HEX ",0,0x",
		"vFile:open:" NAME_HEX ",10000000000000000,0",
		"vFile:pread:0", "vFile:pread:0,1", "vFile:pread:0,1,", "vFile:pread:,1,0", "vFile:pread:0,1,0,0",
		"vFile:close", "vFile:close:", "vFile:close:0,0", "vFile:close:-1", "vFile:fstat:", "vFile:fstat:0x",
		"vFile:setfs", "vFile:setfs:", "vFile:setfs:0,1", "qXfer:exec-file:read", "qXfer:exec-file:read::0",
		"qXfer:exec-file:read::ffff,1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ask(bad[i], "E16");
}
END_TEST

START_TEST(flat_images_have_none)
{
	struct rig flat;

	rig_open(&flat, NULL);
	ck_assert_str_eq(rig_ask(&flat, "qXfer:exec-file:read::0,fff"), "");
	ck_assert_ptr_null(strstr(rig_ask(&flat, "qSupported"), "exec-file"));
	ck_assert_str_eq(rig_ask(&flat, "vFile:open:" NAME_HEX ",0,0"), "F-1,2");
	rig_close(&flat);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rsp_file");
	TCase *t = tcase_create("rsp_file");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, name);
	tcase_add_test(t, whole_file);
	tcase_add_test(t, status);
	tcase_add_test(t, only_that_file);
	tcase_add_test(t, handles_are_bounded);
	tcase_add_test(t, malformed);
	tcase_add_test(t, flat_images_have_none);
	suite_add_tcase(s, t);
	return unit_main(s);
}
