/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's commands about devices, the screen, the keyboard and firmware's text, against a fake machine. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "monitor/complete.h"
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

struct refusal {
	const char *line, *part;
};

static void refuse_all(const struct refusal *bad, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rig_refuses(&rig, bad[i].line, bad[i].part);
}

#define REFUSE_ALL(bad) refuse_all(bad, sizeof(bad) / sizeof((bad)[0]))

static json_t *result_of(const char *line)
{
	json_t *all = json_loads(rig_ok(&rig, line), 0, NULL), *result = json_incref(json_object_get(all, "result"));

	ck_assert_ptr_nonnull(result);
	json_decref(all);
	return result;
}

/* -- info devices -- */

START_TEST(devices_listed)
{
	json_t *v, *row;

	ck_assert_str_eq(rig_ok(&rig, "info devices"),
			 "uart   serial line COM1        ports 0x3f8-0x3ff\n"
			 "uart2  serial line COM2\n"
			 "ide0   IDE channel, primary    ports 0x1f0-0x1f7, 0x3f6, 0xc040-0xc047\n"
			 "ide1   IDE channel, secondary  ports 0x170-0x177, 0x376\n"
			 "vga    VGA, text modes         ports 0x3c0-0x3df, memory 0xb8000-0xbffff\n");
	v = result_of("info devices -j");
	row = json_array_get(json_object_get(v, "devices"), 4);
	ck_assert_str_eq(data_str(row, "name"), "vga");
	row = json_array_get(json_object_get(row, "ranges"), 1);
	ck_assert_str_eq(data_str(row, "kind"), "memory");
	ck_assert_uint_eq(data_u64(row, "last"), 0xbffff);
	json_decref(v);
}
END_TEST

START_TEST(device_registers)
{
	json_t *v, *row;

	ck_assert_str_eq(rig_ok(&rig, "info devices uart"), "uart: serial line COM1\n"
							    "  ports 0x3f8-0x3ff\n"
							    "  ier      0x05    receiver, line status\n"
							    "  divisor  0x000c\n");
	/* The beginning of a name, in any case. */
	ck_assert_str_eq(rig_ok(&rig, "info devices IDE0"), "ide0: IDE channel, primary\n"
							    "  ports 0x1f0-0x1f7, 0x3f6, 0xc040-0xc047\n"
							    "  status  0x50            ready, seek done\n"
							    "  lba48   0x00123456789a\n");
	/* Many without a meaning stand beside each other. */
	ck_assert_str_eq(rig_ok(&rig, "info dev ide1"),
			 "ide1: IDE channel, secondary\n"
			 "  ports 0x170-0x177, 0x376\n"
			 "  r0      0x01                r1      0x0002              longer  0x0000000000000003\n"
			 "  r3      0x1\n");
	ck_assert_str_eq(rig_ok(&rig, "info dev uart2"), "uart2: serial line COM2\n  no registers\n");
	/* What a guest may have had a hand in leaves the terminal alone; an empty meaning is none. */
	ck_assert_str_eq(rig_ok(&rig, "info devices v"), "vga: VGA, text modes\n"
							 "  ports 0x3c0-0x3df, memory 0xb8000-0xbffff\n"
							 "  start    0xb8000             with ? and \\xff in it\n"
							 "  enabled  0x1\n"
							 "  base     0x00000000fee00000\n");
	v = result_of("info devices v -j");
	row = json_array_get(json_object_get(v, "registers"), 2);
	ck_assert_str_eq(data_str(row, "value"), "0xfee00000");
	ck_assert_uint_eq(data_u64(row, "bits"), 64);
	ck_assert_ptr_null(json_object_get(row, "text"));
	json_decref(v);
}
END_TEST

START_TEST(devices_refused)
{
	static const struct refusal bad[] = {
		{ "info devices ide", "'ide' could be ide0, ide1" },
		{ "info devices ua", "could be uart, uart2" },
		{ "info devices nosuch", "there is no device 'nosuch' (info devices lists them)" },
		{ "info devices ide00", "there is no device 'ide00'" },
		{ "info devices uart vga", "usage: info devices [NAME]" },
	};

	REFUSE_ALL(bad);
}
END_TEST

/* Many ranges go on below each other. */
START_TEST(long_ranges_wrap)
{
	json_t *v = json_pack("{s:[{s:s, s:s, s:[]}]}", "devices", "name", "x", "what", "many", "ranges");
	json_t *ranges = json_object_get(json_array_get(json_object_get(v, "devices"), 0), "ranges");
	const struct cmd *c = NULL;
	struct out_buf b;
	size_t used;

	for (unsigned i = 0; i < 12; i++)
		json_array_append_new(ranges, json_pack("{s:s, s:s, s:s}", "kind", "ports", "first", "0x1000", "last",
							"0x10ff"));
	ck_assert_int_eq(cmd_find("info devices", 12, &used, &c, NULL), 0);
	out_buf_init(&b);
	c->render(v, &b.out);
	for (const char *line = b.text; *line; line = strchr(line, '\n') + 1)
		ck_assert_uint_le(strcspn(line, "\n"), 100);
	rig_has(b.text, "x  many  ports 0x1000-0x10ff, 0x1000-0x10ff");
	rig_has(b.text, ",\n         0x1000-0x10ff");
	out_buf_done(&b);
	json_decref(v);
}
END_TEST

/* -- info pci -- */

START_TEST(pci_listed)
{
	json_t *v, *row;

	ck_assert_str_eq(rig_ok(&rig, "info pci"),
			 "00:00.0  8086:1237  host bridge    440FX host bridge (revision 02)\n"
			 "00:01.1  8086:7010  IDE interface  PIIX3 IDE\n"
			 "         BAR0 ports 0x1f0-0x1f7, off\n"
			 "         BAR4 ports 0xc040-0xc04f\n"
			 "01:1f.7  1af4:1000  class 0xff01   something else\n"
			 "         BAR1 memory 0xfebc0000-0xfebdffff, 128K\n"
			 "         interrupt INTB, line 10\n");
	v = result_of("info pci -j");
	row = json_array_get(json_object_get(v, "functions"), 1);
	ck_assert_str_eq(data_str(row, "place"), "00:01.1");
	ck_assert_str_eq(data_str(row, "class"), "0x010180");
	row = json_array_get(json_object_get(row, "bars"), 1);
	ck_assert_uint_eq(data_u64(row, "base"), 0xc040);
	ck_assert(data_true(row, "enabled"));
	json_decref(v);
}
END_TEST

START_TEST(pci_function)
{
	static const char *const names[] = { "info pci 00:01.1", "info pci 1.1", "info pci 0:1.1", "info pci 00:1.1" };
	const char *text = rig_ok(&rig, "info pci 1:1F.7");

	rig_has(text, "01:1f.7  1af4:1000  class 0xff01  something else\n"
		      "  class     0xff0102\n"
		      "  command   0x0005  I/O master\n"
		      "  status    0x2280  fast got-master-abort\n"
		      "  BAR1      memory 0xfebc0000-0xfebdffff, 128K\n"
		      "  interrupt INTB, line 10\n"
		      "  00: f4 1a 00 10 05 00 80 22 00 00 01 ff 00 00 00 00\n");
	rig_has(text, "\n  f0: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 5a\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		rig_has(rig_ok(&rig, names[i]), "00:01.1  8086:7010  IDE interface  PIIX3 IDE\n");
}
END_TEST

START_TEST(pci_refused)
{
	static const struct refusal bad[] = {
		{ "info pci 00:02.0", "nothing is at 00:02.0 (info pci lists what there is)" },
		{ "info pci 00:1f.7", "nothing is at 00:1f.7" },
		{ "info pci 1", "'1' is no place on the PCI bus" },
		{ "info pci 1.8", "no place" },
		{ "info pci 20.0", "no place" },
		{ "info pci 100:0.0", "no place" },
		{ "info pci 00:01.1x", "no place" },
		{ "info pci :1.1", "no place" },
		{ "info pci 0:0:1.1", "no place" },
		{ "info pci .", "no place" },
		{ "info pci 1.", "no place" },
		{ "info pci 00000000001.1 2", "usage: info pci" },
	};

	REFUSE_ALL(bad);
}
END_TEST

/* -- the screen -- */

START_TEST(screen_plain)
{
	json_t *v;

	ck_assert_str_eq(rig_ok(&rig, "screen"), "the guest's screen is off, or in a graphics mode\n");
	v = result_of("screen -j");
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
	v = result_of("screen -j");
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
	REFUSE_ALL(bad);
	ck_assert(rig.malformed);
	ck_assert_uint_eq(rig.f->keys_len, 20);
	ck_assert_str_eq(rig_ok(&rig, "sendkey -j x"), "{\"command\":\"sendkey\",\"result\":{\"typed\":\"x\"}}\n");
	rig.f->keys_len = FAKE_KEYS_MAX;
	rig_refuses(&rig, "sendkey x", "has not read what was typed before");
	ck_assert(!rig.malformed);
}
END_TEST

/* -- inject -- */

static void check_injected(enum inject_kind kind, unsigned cpu, unsigned number, bool has_code, uint32_t code)
{
	const struct injection *i = &rig.f->injected;

	ck_assert_int_eq(i->kind, kind);
	if (kind != INJECT_IRQ)
		ck_assert_uint_eq(i->cpu, cpu);
	if (kind != INJECT_NMI)
		ck_assert_uint_eq(i->number, number);
	ck_assert_int_eq(i->has_code, has_code);
	ck_assert_uint_eq(i->code, code);
}

START_TEST(injected)
{
	ck_assert_str_eq(rig_ok(&rig, "inject nmi"), "cpu 0: an NMI comes\n");
	check_injected(INJECT_NMI, 0, 0, false, 0);
	ck_assert_str_eq(rig_ok(&rig, "inject irq 2 + 2"), "interrupt line 4 was raised and lowered\n");
	check_injected(INJECT_IRQ, 0, 4, false, 0);
	rig_ok(&rig, "cpu 1");
	ck_assert_str_eq(rig_ok(&rig, "inject exception 6"),
			 "cpu 1: exception 6 (ud) comes before the next instruction\n");
	check_injected(INJECT_EXCEPTION, 1, 6, false, 0);
	ck_assert_str_eq(rig_ok(&rig, "inject exception pf 0x12"),
			 "cpu 1: exception 14 (pf), code 0x12, comes before the next instruction\n");
	check_injected(INJECT_EXCEPTION, 1, 14, true, 0x12);
	rig_ok(&rig, "inject exception 12+1 0xffffffff");
	check_injected(INJECT_EXCEPTION, 1, 13, true, 0xffffffff);
	ck_assert_str_eq(rig_ok(&rig, "inject exception 8 0 -j"),
			 "{\"command\":\"inject\",\"result\":{\"kind\":\"exception\",\"cpu\":1,\"number\":8,"
			 "\"name\":\"df\",\"code\":\"0x0\"}}\n");
}
END_TEST

/* A guest that runs is held for it. */
START_TEST(injected_while_running)
{
	rig_ok(&rig, "continue");
	rig_ok(&rig, "inject nmi");
	ck_assert_uint_eq(rig.f->calls.hold, rig.f->calls.release);
	ck_assert_uint_eq(rig.f->calls.inject, 1);
	ck_assert_int_eq(machine_state(&rig.f->machine), MACHINE_RUNNING);
}
END_TEST

START_TEST(injection_refused)
{
	static const struct refusal bad[] = {
		{ "inject", "usage: inject nmi|irq N|exception N [CODE]" },
		{ "inject smi", "usage" },
		{ "inject nmi 1", "unexpected '1'" },
		{ "inject irq", "usage" },
		{ "inject irq 0x10000", "is no interrupt line" },
		{ "inject irq 4 5", "unexpected '5'" },
		{ "inject exception", "usage" },
		{ "inject exception 32", "0x20 is no vector of an exception: the last is 0x1f" },
		{ "inject exception xx", "xx" },
		{ "inject exception pf 1<<32", "is no error code" },
		{ "inject exception pf 1 2", "unexpected '2'" },
	};

	REFUSE_ALL(bad);
	ck_assert_uint_eq(rig.f->calls.inject, 0);
	rig_refuses(&rig, "inject irq 24", "there is no interrupt line 24");
	rig_refuses(&rig, "inject exception pf", "exception 14 has an error code");
	rig_refuses(&rig, "inject exception ud 0", "exception 6 has no error code");
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
	v = result_of("log 1 -j");
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

	REFUSE_ALL(bad);
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

START_TEST(trouble_told)
{
	fake_device_trouble(rig.f, "virtio-blk0: queue 0: descriptor 3 is outside memory");
	rig_settle(&rig);
	ck_assert_str_eq(rig_said(&rig), "virtio-blk0: queue 0: descriptor 3 is outside memory\n");
	rig_done(&rig);
	rig_init(&rig, &rig_long64, true);
	fake_device_trouble(rig.f, "virtio-rng: queue 0 was enabled twice");
	rig_settle(&rig);
	ck_assert_str_eq(rig_said(&rig), "{\"event\":\"trouble\",\"text\":\"virtio-rng: queue 0 was enabled twice\"}\n");
}
END_TEST

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

	REFUSE_ALL(bad);
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

/* -- a machine without any of it -- */

START_TEST(nothing_there)
{
	rig_done(&rig);
	rig_init(&rig, &(struct fake_config){ .bare = true }, false);
	ck_assert_str_eq(rig_ok(&rig, "info devices"), "there are no devices\n");
	ck_assert_str_eq(rig_ok(&rig, "info pci"), "there is no PCI bus\n");
	rig_refuses(&rig, "screen", "this machine has no screen");
	rig_refuses(&rig, "sendkey a", "this machine has no keyboard");
}
END_TEST

static bool offers(const char *line, const char *text, const char *name)
{
	bool file, found = false;
	char **names = complete_line(&rig.f->machine, line, strlen(line), text, &file);

	for (size_t i = 0; names && names[i]; i++)
		found |= !strcmp(names[i], name);
	complete_free(names);
	return found;
}

START_TEST(completed)
{
	ck_assert(offers("info devices ", "i", "ide1"));
	ck_assert(!offers("info devices ", "i", "vga"));
	ck_assert(!offers("info devices uart ", "", "vga"));
	ck_assert(offers("inject ", "", "exception"));
	ck_assert(!offers("inject irq ", "", "nmi"));
	ck_assert(offers("log ", "o", "off"));
	ck_assert(offers("info ", "p", "pci"));
}
END_TEST

/* A guest that powers off has said so in words; one that leaves by its port, with a status. */
START_TEST(power_off)
{
	struct stop_event off = { .reason = STOP_EXIT, .text = "the guest switched itself off" };

	rig_ok(&rig, "continue");
	fake_inject(rig.f, &off);
	rig_ok(&rig, "wait 10");
	ck_assert_str_eq(rig_ok(&rig, "info status"), "ended: elf64 image fake.img, 1M of memory, 2 vCPUs\n"
						      "cpu 0: the guest switched itself off\n");
	rig_refuses(&rig, "continue", "the guest has ended");
}
END_TEST

START_TEST(power_off_told)
{
	struct stop_event off = { .reason = STOP_EXIT, .text = "the guest switched itself off" };

	rig_ok(&rig, "continue");
	fake_inject(rig.f, &off);
	rig_settle(&rig);
	ck_assert_str_eq(rig_said(&rig), "cpu 0: the guest switched itself off\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices");
	TCase *c = tcase_create("monitor");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, devices_listed);
	tcase_add_test(c, device_registers);
	tcase_add_test(c, devices_refused);
	tcase_add_test(c, long_ranges_wrap);
	tcase_add_test(c, pci_listed);
	tcase_add_test(c, pci_function);
	tcase_add_test(c, pci_refused);
	tcase_add_test(c, screen_plain);
	tcase_add_test(c, code_page);
	tcase_add_test(c, screen_in_colour);
	tcase_add_test(c, keys_typed);
	tcase_add_test(c, injected);
	tcase_add_test(c, injected_while_running);
	tcase_add_test(c, injection_refused);
	tcase_add_test(c, log_shows);
	tcase_add_test(c, log_followed);
	tcase_add_test(c, log_to_a_file);
	tcase_add_test(c, log_to_a_full_file);
	tcase_add_test(c, log_refused);
	tcase_add_test(c, log_as_events);
	tcase_add_test(c, trouble_told);
	tcase_add_test(c, from_gdb);
	tcase_add_test(c, expect_what_is_there);
	tcase_add_test(c, expect_what_comes);
	tcase_add_test(c, expect_refused);
	tcase_add_test(c, nothing_there);
	tcase_add_test(c, completed);
	tcase_add_test(c, power_off);
	tcase_add_test(c, power_off_told);
	suite_add_tcase(s, c);
	return unit_main(s);
}
