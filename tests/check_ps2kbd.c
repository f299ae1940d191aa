/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PS/2 keyboard: its commands and scan code sets, which keys text becomes, and text that it has none for. */
#include "dev/i8042.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/i8042_rig.h"
#include "tests/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	uint8_t send[2];
	unsigned n;
	uint8_t want[4];
	unsigned nwant;
} kbd_commands[] = {
	{ { 0xff }, 1, { 0xfa, 0xaa }, 2 },
	{ { 0xf2 }, 1, { 0xfa, 0xab, 0x83 }, 3 },
	{ { 0xee }, 1, { 0xee }, 1 },
	{ { 0xf4 }, 1, { 0xfa }, 1 },
	{ { 0xf5 }, 1, { 0xfa }, 1 },
	{ { 0xf6 }, 1, { 0xfa }, 1 },
	{ { 0xed, 0x07 }, 2, { 0xfa, 0xfa }, 2 },
	{ { 0xf3, 0x20 }, 2, { 0xfa, 0xfa }, 2 },
	{ { 0xf0, 0x00 }, 2, { 0xfa, 0xfa, 0x02 }, 3 },
	{ { 0xf0, 0x01 }, 2, { 0xfa, 0xfa }, 2 },
	{ { 0xf0, 0x02 }, 2, { 0xfa, 0xfa }, 2 },
	/* Neither set 3 nor its commands, nor nonsense. */
	{ { 0xf0, 0x03 }, 2, { 0xfa, 0xfe }, 2 },
	{ { 0xf8 }, 1, { 0xfe }, 1 },
	{ { 0x00 }, 1, { 0xfe }, 1 },
	/* A command instead of the parameter; no parameter is left over. */
	{ { 0xed, 0xf2 }, 2, { 0xfa, 0xfa, 0xab, 0x83 }, 4 },
	{ { 0xf4, 0x01 }, 2, { 0xfa, 0xfe }, 2 },
	/* Again. */
	{ { 0xee, 0xfe }, 2, { 0xee, 0xee }, 2 },
};

START_TEST(keyboard_commands)
{
	unsigned i, nread = 0;

	set_cb(0x00);
	for (i = 0; i < kbd_commands[_i].n; i++) {
		outb(&pc, 0x60, kbd_commands[_i].send[i]);
		fake_pc_round_trip(&pc);
		/* Half of them are read late. */
		if (i == 0 && kbd_commands[_i].n == 2)
			ck_assert_uint_eq(get(), kbd_commands[_i].want[nread++]);
	}
	expect(kbd_commands[_i].want + nread, kbd_commands[_i].nwant - nread);
}
END_TEST

START_TEST(parameters_are_taken_once)
{
	set_cb(0x00);
	outb(&pc, 0x60, 0xed);
	outb(&pc, 0x60, 0x01);
	outb(&pc, 0x60, 0x01);
	EXPECT(0xfa, 0xfa, 0xfe);
	/* A reset forgets answers that were not sent. */
	outb(&pc, 0x60, 0xed);
	outb(&pc, 0x60, 0x01);
	outb(&pc, 0x60, 0xff);
	EXPECT(0xfa, 0xfa, 0xaa);
}
END_TEST

START_TEST(keyboard_says_which_set)
{
	set_cb(0x00);
	outb(&pc, 0x60, 0xf0);
	outb(&pc, 0x60, 0x01);
	EXPECT(0xfa, 0xfa);
	type("a<up>");
	EXPECT(0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8);
	outb(&pc, 0x60, 0xf0);
	outb(&pc, 0x60, 0x00);
	EXPECT(0xfa, 0xfa, 0x01);
	/* Defaults bring set 2 back, and what is told of it in translation. */
	outb(&pc, 0x60, 0xf6);
	EXPECT(0xfa);
	type("a<up><f7>");
	EXPECT(0x1c, 0xf0, 0x1c, 0xe0, 0x75, 0xe0, 0xf0, 0x75, 0x83, 0xf0, 0x83);
	set_cb(0x40);
	outb(&pc, 0x60, 0xf0);
	outb(&pc, 0x60, 0x00);
	EXPECT(0xfa, 0xfa, 0x41);
	outb(&pc, 0x60, 0xf2);
	EXPECT(0xfa, 0xab, 0x41);
}
END_TEST

START_TEST(keys_are_forgotten)
{
	static const uint8_t forgetting[] = { 0xff, 0xf4, 0xf5, 0xf6 };
	size_t i;

	for (i = 0; i < COUNT(forgetting); i++) {
		command(0xad);
		type("abc");
		outb(&pc, 0x60, forgetting[i]);
		ck_assert_uint_eq(get(), 0xfa);
		if (forgetting[i] == 0xff)
			ck_assert_uint_eq(get(), 0xaa);
		expect_nothing();
		outb(&pc, 0x60, 0xf4);
		EXPECT(0xfa);
	}
	command(0xad);
	type("abc");
	outb(&pc, 0x60, 0xf0);
	command(0xad);
	outb(&pc, 0x60, 0x02);
	EXPECT(0xfa, 0xfa);
}
END_TEST

START_TEST(keyboard_that_does_not_scan)
{
	struct err err = { 0 };

	outb(&pc, 0x60, 0xf5);
	EXPECT(0xfa);
	ck_assert_int_eq(i8042_type(pc.bus, kbd, "a", 1, &err), -ENODEV);
	ck_assert_str_eq(err.msg, "the guest has switched the keyboard off");
	fake_pc_round_trip(&pc);
	expect_nothing();
	outb(&pc, 0x60, 0xf4);
	EXPECT(0xfa);
	type("a");
	EXPECT(0x1e, 0x9e);
	outb(&pc, 0x60, 0xf5);
	outb(&pc, 0x60, 0xff);
	type("a");
	EXPECT(0xfa, 0xfa, 0xaa, 0x1e, 0x9e);
}
END_TEST

static const struct {
	const char *text;
	uint8_t want[24];               /* set 1, to the first 0 */
} texts[] = {
	{ "a", { 0x1e, 0x9e } },
	{ "A", { 0x2a, 0x1e, 0x9e, 0xaa } },
	{ "1!", { 0x02, 0x82, 0x2a, 0x02, 0x82, 0xaa } },
	{ "\n\t\b\x1b ", { 0x1c, 0x9c, 0x0f, 0x8f, 0x0e, 0x8e, 0x01, 0x81, 0x39, 0xb9 } },
	{ "<enter><TAB>", { 0x1c, 0x9c, 0x0f, 0x8f } },
	{ "<backspace><esc><space>", { 0x0e, 0x8e, 0x01, 0x81, 0x39, 0xb9 } },
	{ "<up><down>", { 0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x50, 0xe0, 0xd0 } },
	{ "<left><right>", { 0xe0, 0x4b, 0xe0, 0xcb, 0xe0, 0x4d, 0xe0, 0xcd } },
	{ "<home><end>", { 0xe0, 0x47, 0xe0, 0xc7, 0xe0, 0x4f, 0xe0, 0xcf } },
	{ "<pgup><pgdn>", { 0xe0, 0x49, 0xe0, 0xc9, 0xe0, 0x51, 0xe0, 0xd1 } },
	{ "<ins><del>", { 0xe0, 0x52, 0xe0, 0xd2, 0xe0, 0x53, 0xe0, 0xd3 } },
	{ "<f1><f2><f3><f4><f5><f6>", { 0x3b, 0xbb, 0x3c, 0xbc, 0x3d, 0xbd, 0x3e, 0xbe, 0x3f, 0xbf, 0x40, 0xc0 } },
	{ "<f7><f8><f9><f10><f11><f12>", { 0x41, 0xc1, 0x42, 0xc2, 0x43, 0xc3, 0x44, 0xc4, 0x57, 0xd7, 0x58, 0xd8 } },
	{ "<lt><gt>>", { 0x2a, 0x33, 0xb3, 0xaa, 0x2a, 0x34, 0xb4, 0xaa, 0x2a, 0x34, 0xb4, 0xaa } },
	{ "<ctrl-b>", { 0x1d, 0x30, 0xb0, 0x9d } },
	{ "<ctrl-alt-del>", { 0x1d, 0x38, 0xe0, 0x53, 0xe0, 0xd3, 0xb8, 0x9d } },
	{ "<shift-f10>", { 0x2a, 0x44, 0xc4, 0xaa } },
	{ "<ctrl-->", { 0x1d, 0x0c, 0x8c, 0x9d } },
	{ "<->", { 0x0c, 0x8c } },
	{ "<shift-A>", { 0x2a, 0x1e, 0x9e, 0xaa } },
	{ "<ctrl-?>", { 0x1d, 0x2a, 0x35, 0xb5, 0xaa, 0x9d } },
	{ "<alt-lt>", { 0x38, 0x2a, 0x33, 0xb3, 0xaa, 0xb8 } },
	{ "<altgr-e>", { 0xe0, 0x38, 0x12, 0x92, 0xe0, 0xb8 } },
	{ "<alt><win>", { 0x38, 0xb8, 0xe0, 0x5b, 0xe0, 0xdb } },
	{ "", { 0 } },
};

START_TEST(text_becomes_keys)
{
	type(texts[_i].text);
	expect(texts[_i].want, strlen((const char *)texts[_i].want));
}
END_TEST

/* What a US keyboard driver makes of set 1 codes, written down independently of the table under test. */
static const char unshifted[] = "\0\x1b" "1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0\0\0 ";
static const char shifted[] = "\0\0!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0\0\0 ";

START_TEST(every_character_can_be_typed)
{
	char text[2] = { 0 }, got;
	uint8_t code;
	bool shift;
	int c;

	for (c = ' '; c < 0x7f; c++) {
		text[0] = (char)c;
		type(c == '<' ? "<lt>" : text);
		code = get();
		shift = code == 0x2a;
		if (shift)
			code = get();
		ck_assert_uint_lt(code, sizeof(unshifted));
		got = (shift ? shifted : unshifted)[code];
		ck_assert_msg(got == c, "0x%02x came as 0x%02x", c, got);
		ck_assert_uint_eq(get(), code | 0x80);
		if (shift)
			ck_assert_uint_eq(get(), 0xaa);
		expect_nothing();
	}
}
END_TEST

static const struct {
	const char *text;
	size_t len;
	const char *msg;
} bad_texts[] = {
	{ "ab\xc3\xa9", 4, "byte 3: the keyboard has no key for character 0xc3" },
	{ "a\0b", 3, "byte 2: the keyboard has no key for character 0x00" },
	{ "a<b", 3, "byte 2: '<' begins the name of a key, and no '>' ends it ('<lt>' types it)" },
	{ "<", 1, "byte 1: '<' begins the name of a key, and no '>' ends it ('<lt>' types it)" },
	{ "<>", 2, "byte 1: the keyboard has no key '<>'" },
	{ "xx<foo>", 7, "byte 3: the keyboard has no key '<foo>'" },
	{ "<ctrl->", 7, "byte 1: the keyboard has no key '<ctrl->'" },
	{ "<a-b>", 5, "byte 1: the keyboard has no key '<a-b>'" },
	{ "<f1-b>", 6, "byte 1: the keyboard has no key '<f1-b>'" },
	{ "<ctrl-ctrl-a>", 13, "byte 1: the keyboard has no key '<ctrl-ctrl-a>'" },
	{ "<ctrl-ctrl>", 11, "byte 1: the keyboard has no key '<ctrl-ctrl>'" },
	{ "<\x1b[31m>", 7, "byte 1: the keyboard has no key '<?[31m>'" },
	{ "<-->", 4, "byte 1: the keyboard has no key '<-->'" },
	{ "<0123456789012345678901234567890123456789>", 42,
	  "byte 1: the keyboard has no key '<012345678901234567890123456789012345678'" },
};

START_TEST(bad_text_types_nothing)
{
	struct err err = { 0 };
	char *copy = malloc(bad_texts[_i].len);

	/* On the heap, of that very size, for the sanitizer. */
	memcpy(copy, bad_texts[_i].text, bad_texts[_i].len);
	ck_assert_int_eq(i8042_type(pc.bus, kbd, copy, bad_texts[_i].len, &err), -EINVAL);
	ck_assert_str_eq(err.msg, bad_texts[_i].msg);
	expect_nothing();
	free(copy);
}
END_TEST

START_TEST(too_much_text_types_nothing)
{
	static char text[I8042_KEYS_MAX];
	const size_t fits = I8042_KEYS_MAX / 3;
	struct err err = { 0 };
	size_t i;

	memset(text, 'a', sizeof(text));
	ck_assert_int_eq(i8042_type(pc.bus, kbd, text, fits + 1, &err), -ENOSPC);
	ck_assert_str_eq(err.msg, "that makes 4098 bytes of scan codes, and the keyboard holds 4096");
	expect_nothing();
	ck_assert_int_eq(i8042_type(pc.bus, kbd, text, fits, NULL), 0);
	/* One byte has gone to the controller. */
	ck_assert_int_eq(i8042_type(pc.bus, kbd, "bb", 2, &err), -ENOSPC);
	ck_assert_str_eq(err.msg, "the guest has not read what was typed before: 4094 bytes of scan codes wait, "
			 "and the keyboard holds 4096");
	fake_pc_round_trip(&pc);
	for (i = 0; i < fits; i++) {
		ck_assert_uint_eq(get(), 0x1e);
		ck_assert_uint_eq(get(), 0x9e);
	}
	expect_nothing();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ps2kbd");
	TCase *t = tcase_create("ps2kbd");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, keyboard_commands, 0, COUNT(kbd_commands));
	tcase_add_test(t, parameters_are_taken_once);
	tcase_add_test(t, keyboard_says_which_set);
	tcase_add_test(t, keys_are_forgotten);
	tcase_add_test(t, keyboard_that_does_not_scan);
	tcase_add_loop_test(t, text_becomes_keys, 0, COUNT(texts));
	tcase_add_test(t, every_character_can_be_typed);
	tcase_add_loop_test(t, bad_text_types_nothing, 0, COUNT(bad_texts));
	tcase_add_test(t, too_much_text_types_nothing);
	suite_add_tcase(s, t);
	return unit_main(s);
}
