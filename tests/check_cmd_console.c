/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's commands about the screen, the keyboard and firmware's text, against a fake machine. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "monitor/render.h"
#include "monitor/vgatext.h"
#include "tests/monitor_rig.h"
#include "tests/unit.h"

static struct rig rig;

static void set_up(void)
{
	rig_init(&rig, &rig_long64, false);
}

static void tear_down(void)
{
	rig_done(&rig);
}

/* -- the screen -- */

START_TEST(screen_plain)
{
	json_t *v;

	ck_assert_str_eq(rig_ok(&rig, "screen"), "the guest's screen is off, or in a graphics mode\n");
	v = rig_result(&rig, "screen -j");
	ck_assert(!data_true(v, "text"));
	json_decref(v);
	fake_screen_text(rig.f, 3, 0, 0x1f, "  ");
	ck_assert_str_eq(rig_ok(&rig, "screen"), "[80x25, blank, cursor at row 3, column 2, from 0]\n");
	fake_screen_text(rig.f, 0, 2, 7, "GNU GRUB   ");
	fake_screen_text(rig.f, 2, 0, 7, "\xda\xc4\xbf \x01\x7f\x80\xff");
	fake_screen_text(rig.f, 5, 78, 7, "end");
	rig.f->screen.cursor_shown = false;
	ck_assert_str_eq(rig_ok(&rig, "screen"), "  GNU GRUB\n"
						 "\n"
						 "┌─┐ ☺⌂Ç\n"
						 "\n"
						 "\n"
						 "                                       "
						 "                                       en\n"
						 "[80x25, no cursor]\n");
	v = rig_result(&rig, "screen -j");
	ck_assert_uint_eq(json_array_size(json_object_get(v, "lines")), 25);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(v, "lines"), 0)), "  GNU GRUB");
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(v, "lines"), 24)), "");
	ck_assert_uint_eq(data_u64(json_object_get(v, "cursor"), "row"), 5);
	ck_assert_str_eq(data_str(v, "style"), "plain");
	json_decref(v);
}
END_TEST

/* 256 characters, no two alike but blanks, none of them one that moves a cursor. */
START_TEST(code_page)
{
	static struct screen s = { .text = true, .columns = 128, .rows = 2 };
	struct out_buf b;
	json_t *v;

	for (unsigned i = 0; i < 256; i++)
		s.cell[i] = (uint16_t)(0x0700 | i);
	out_buf_init(&b);
	vgatext_lines(&s, &b.out);
	for (size_t i = 0; i < b.len; i++)
		ck_assert((unsigned char)b.text[i] >= 0x20 || b.text[i] == '\n');
	v = json_stringn(b.text, b.len);
	ck_assert_ptr_nonnull(v);
	json_decref(v);
	rig_has(b.text, " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼ !\"#");
	rig_has(b.text, "|}~⌂\nÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦"
			"╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\n");
	out_buf_done(&b);
}
END_TEST

/* Colours as a terminal takes them; grounds go on behind the text; the cursor is reversed. */
START_TEST(screen_in_colour)
{
	struct out_buf b;
	json_t *v;

	fake_screen_text(rig.f, 0, 0, 0x1e, "ab");
	fake_screen_text(rig.f, 0, 2, 0x84, "c");
	fake_screen_text(rig.f, 0, 3, 7, "d");
	fake_screen_text(rig.f, 0, 5, 0x40, " ");
	fake_screen_text(rig.f, 1, 0, 7, "\xb0");
	v = vgatext_json(&rig.f->screen, true);
	out_buf_init(&b);
	vgatext_render(v, &b.out);
	ck_assert_str_eq(b.text, "\033[0;93;44mab\033[0;31;40;5mc\033[0md \033[0;30;41m \033[0m\n"
				 "░\033[0;7m \033[0m\n"
				 "[80x25, cursor at row 1, column 1, from 0]\n");
	out_buf_done(&b);
	json_decref(v);
	/* A client is no terminal. */
	ck_assert_ptr_null(strchr(rig_ok(&rig, "screen"), '\033'));
}
END_TEST

/* -- expect screen -- */

START_TEST(expect_what_is_there)
{
	unsigned looks;

	fake_screen_text(rig.f, 4, 10, 0x70, "grub> \xb3");
	ck_assert_str_eq(rig_ok(&rig, "expect screen \"grub> │\""), "");
	rig_ok(&rig, "expect screen grub>");
	rig_ok(&rig, "expect screen /^ +grub> .+$/ 0");
	/* It is not used up, as what comes on the serial line is. */
	rig_ok(&rig, "expect screen grub> 0 # a comment");
	looks = rig.f->calls.screen;
	rig_refuses(&rig, "expect screen nosuch", "screen nosuch did not come, and the guest is stopped");
	ck_assert_uint_gt(rig.f->calls.screen, looks);
}
END_TEST

/* Nothing tells when the screen changes: it is looked at from time to time. */
START_TEST(expect_what_comes)
{
	rig_ok(&rig, "continue");
	fake_screen_text(rig.f, 24, 0, 7, "below");
	rig_start(&rig, "expect screen boot: 20");
	rig_settle(&rig);
	ck_assert(!rig.done);
	fake_screen_text(rig.f, 0, 0, 7, "boot:");
	rig_until(&rig, &rig.done);
	ck_assert_int_eq(rig.status, 0);
	ck_assert(!uv_is_active((uv_handle_t *)&rig.mon->timer));
	rig_refuses(&rig, "expect screen login: 0.12", "screen login: did not come in time");
	rig_refuses(&rig, "expect screen login: 0", "did not come in time");
}
END_TEST

START_TEST(expect_refused)
{
	static const struct refusal bad[] = {
		{ "expect screen \"abc", "closing quote" },
		{ "expect screen a b", "usage: expect [screen] PATTERN [TIMEOUT]" },
		{ "expect screen /(/", "/(/" },
		{ "expect screen \"\" 1", "empty pattern" },
	};

	RIG_REFUSES_ALL(&rig, bad);
	/* The bare word is a pattern. */
	rig_ok(&rig, "continue");
	fake_serial_output(rig.f, "the screen", 10);
	rig_settle(&rig);
	rig_ok(&rig, "expect screen");
	rig_done(&rig);
	rig_init(&rig, &(struct fake_config){ .bare = true }, false);
	rig_refuses(&rig, "expect screen a", "this machine has no screen");
}
END_TEST

/* -- keyboard -- */

START_TEST(keys_typed)
{
	static const struct refusal bad[] = {
		{ "sendkey", "usage: sendkey TEXT" },
		{ "sendkey a<nosuch>b", "character 2: there is no key '<nosuch>'" },
		{ "sendkey \xc3\xa4", "there is no key" },
	};

	ck_assert_str_eq(rig_ok(&rig, "sendkey ls (hd0) # -j<enter>"), "");
	ck_assert_uint_eq(rig.f->keys_len, 20);
	ck_assert_int_eq(memcmp(rig.f->keys, "ls (hd0) # -j<enter>", 20), 0);
	RIG_REFUSES_ALL(&rig, bad);
	ck_assert(rig.malformed);
	ck_assert_uint_eq(rig.f->keys_len, 20);
	ck_assert_str_eq(rig_ok(&rig, "sendkey -j x"), "{\"command\":\"sendkey\",\"result\":{\"typed\":\"x\"}}\n");
	rig.f->keys_len = FAKE_KEYS_MAX;
	rig_refuses(&rig, "sendkey x", "has not read what was typed before");
	ck_assert(!rig.malformed);
}
END_TEST

/* -- log -- */

static void firmware(const char *text)
{
	fake_firmware_output(rig.f, text, strlen(text));
	rig_settle(&rig);
}

START_TEST(log_shows)
{
	json_t *v;

	ck_assert_str_eq(rig_ok(&rig, "log"), "firmware has written nothing\n");
	firmware("one\r\ntwo \x1b[2J\xff\nthree\n\nlast");
	ck_assert_str_eq(rig_ok(&rig, "log"), "one\ntwo ?[2J\\xff\nthree\n\nlast\n");
	ck_assert_str_eq(rig_ok(&rig, "log 2"), "... 3 lines before these: log 5\n\nlast\n");
	ck_assert_str_eq(rig_ok(&rig, "log 4"), "... 1 line before these: log 5\ntwo ?[2J\\xff\nthree\n\nlast\n");
	rig_has(rig_ok(&rig, "log 0"), "... 5 lines");
	v = rig_result(&rig, "log 1 -j");
	ck_assert_uint_eq(data_u64(v, "earlier"), 4);
	ck_assert_uint_eq(data_u64(v, "bytes"), 26);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(v, "lines"), 0)), "last");
	json_decref(v);
	/* Ended lines have nothing behind them; what is gone is gone. */
	firmware("\n");
	rig_has(rig_ok(&rig, "log 1"), "... 4 lines before these: log 5\nlast\n");
	for (unsigned i = 0; i < 70; i++) {
		char text[1001];

		memset(text, 'a', 1000);
		text[999] = '\n';
		text[1000] = '\0';
		firmware(text);
	}
	rig_has(rig_ok(&rig, "log 0"), "... 66 lines before these: log 66");
	ck_assert_str_eq(rig_said(&rig), "");
}
END_TEST

START_TEST(log_followed)
{
	char longer[301];

	firmware("before\n");
	ck_assert_str_eq(rig_ok(&rig, "log on"), "");
	ck_assert_str_eq(rig_ok(&rig, "log on"), "");
	firmware("half a ");
	ck_assert_str_eq(rig_said(&rig), "");
	firmware("line\r\n\ntwo\x07\nrest");
	ck_assert_str_eq(rig_said(&rig), "firmware: half a line\nfirmware: \nfirmware: two?\n");
	/* A line without end is cut, and its end begins none. */
	memset(longer, 'x', 236);
	strcpy(longer + 236, "\nend\n");
	firmware(longer);
	rig_has(rig_said(&rig), "xxx\nfirmware: end\n");
	ck_assert_str_eq(rig_ok(&rig, "log off"), "");
	firmware("unheard\n");
	ck_assert_str_eq(rig_said(&rig), "");
	ck_assert_str_eq(rig_ok(&rig, "log off"), "");
}
END_TEST

START_TEST(log_to_a_file)
{
	char path[] = "/tmp/check_log_XXXXXX", line[80], text[200] = "";
	int fd = mkstemp(path);
	FILE *f;

	ck_assert_int_ge(fd, 0);
	close(fd);
	firmware("before\n");
	snprintf(line, sizeof(line), "log on %s", path);
	rig_refuses(&rig, line, "exists: it is not written over");
	unlink(path);
	/* Only heard of after the file is begun, it is in it once all the same. */
	fake_firmware_output(rig.f, "during\n", 7);
	ck_assert_str_eq(rig_ok(&rig, line), "");
	rig_refuses(&rig, line, "already");
	firmware("after\n");
	ck_assert_str_eq(rig_said(&rig), "");
	rig_ok(&rig, "log on");
	firmware("both\n");
	ck_assert_str_eq(rig_said(&rig), "firmware: both\n");
	rig_ok(&rig, "log off");
	firmware("unheard\n");
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_gt(fread(text, 1, sizeof(text) - 1, f), 0);
	fclose(f);
	unlink(path);
	ck_assert_str_eq(text, "before\nduring\nafter\nboth\n");
}
END_TEST

/* A file that takes no more is said so once, and what is told goes on. */
START_TEST(log_to_a_full_file)
{
	char path[] = "/tmp/check_log_XXXXXX", line[80];
	struct rlimit before, limit;

	close(mkstemp(path));
	unlink(path);
	snprintf(line, sizeof(line), "log on %s", path);
	rig_ok(&rig, line);
	rig_ok(&rig, "log on");
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){ .rlim_cur = 5, .rlim_max = before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	firmware("more than five\n");
	setrlimit(RLIMIT_FSIZE, &before);
	rig_has(rig_said(&rig), ": File too large\nfirmware: more than five\n");
	firmware("more\n");
	ck_assert_str_eq(rig_said(&rig), "firmware: more\n");
	unlink(path);
	/* Another may be begun. */
	rig_ok(&rig, line);
	unlink(path);
}
END_TEST

START_TEST(log_refused)
{
	static const struct refusal bad[] = {
		{ "log on /nonexistent/file", "No such file" },
		{ "log off now", "off" },
		{ "log 1 2", "unexpected '2'" },
		{ "log nosuch", "nosuch" },
	};

	RIG_REFUSES_ALL(&rig, bad);
	firmware("nobody follows\n");
	ck_assert_str_eq(rig_said(&rig), "");
}
END_TEST

START_TEST(log_as_events)
{
	rig_done(&rig);
	rig_init(&rig, &rig_long64, true);
	ck_assert_str_eq(rig_ok(&rig, "log on"), "{\"command\":\"log\",\"result\":{\"on\":true}}\n");
	firmware("line\n");
	ck_assert_str_eq(rig_said(&rig), "{\"event\":\"firmware\",\"text\":\"line\"}\n");
}
END_TEST

/* -- gdb's way in -- */

static void gdb_said(void *arg, int status)
{
	*(int *)arg = status;
}

/* gdb has them all; only what is told between commands is not for it. */
START_TEST(from_gdb)
{
	struct commander *c = monitor_commander(rig.mon);
	struct out_buf b;
	int status = 1;

	out_buf_init(&b);
	ck_assert_ptr_null(c->run(c, "log on", 6, &b.out, gdb_said, &status));
	ck_assert_int_eq(status, -EPERM);
	ck_assert_ptr_null(c->run(c, "inject nmi", 10, &b.out, gdb_said, &status));
	ck_assert_int_eq(status, 0);
	ck_assert_ptr_null(c->run(c, "screen", 6, &b.out, gdb_said, &status));
	ck_assert_int_eq(status, 0);
	rig_has(b.text, "error: gdb shows nothing between its commands: log shows what there is\n"
			"cpu 0: an NMI comes\n");
	out_buf_done(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("console");
	TCase *c = tcase_create("monitor");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, screen_plain);
	tcase_add_test(c, code_page);
	tcase_add_test(c, screen_in_colour);
	tcase_add_test(c, expect_what_is_there);
	tcase_add_test(c, expect_what_comes);
	tcase_add_test(c, expect_refused);
	tcase_add_test(c, keys_typed);
	tcase_add_test(c, log_shows);
	tcase_add_test(c, log_followed);
	tcase_add_test(c, log_to_a_file);
	tcase_add_test(c, log_to_a_full_file);
	tcase_add_test(c, log_refused);
	tcase_add_test(c, log_as_events);
	tcase_add_test(c, from_gdb);
	suite_add_tcase(s, c);
	return unit_main(s);
}
