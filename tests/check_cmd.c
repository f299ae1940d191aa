/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's commands against a fake machine: the table, looking and changing, completion. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "monitor/arch.h"
#include "monitor/complete.h"
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

/* -- the table -- */

START_TEST(rows_are_whole)
{
	const struct cmd *c, *d;

	for (size_t i = 0; (c = cmd_at(i)); i++) {
		ck_assert_msg(c->name && *c->name && c->args && c->exec, "row %zu", i);
		ck_assert_msg(c->brief && strlen(c->brief) > 5 && strlen(c->brief) < 80, "%s", c->name);
		ck_assert_msg(c->brief[strlen(c->brief) - 1] != '.', "%s: %s", c->name, c->brief);
		ck_assert_msg(strspn(c->name, "abcdefghijklmnopqrstuvwxyz -") == strlen(c->name), "%s", c->name);
		ck_assert_msg(!c->help || c->help[strlen(c->help) - 1] != '\n', "%s", c->name);
		for (size_t k = 0; k < i; k++) {
			size_t one = strcspn(c->name, " "), two;

			d = cmd_at(k);
			two = strcspn(d->name, " ");
			ck_assert_msg(strcmp(c->name, d->name), "%s stands twice", c->name);
			ck_assert_msg(!c->alias || !d->alias || strcmp(c->alias, d->alias), "%s", c->alias);
			/* One word is a command or begins a family, not both. */
			ck_assert_msg(one != two || strncmp(c->name, d->name,
							    one) || (c->name[one] && d->name[two]),
				      "%s and %s", c->name, d->name);
		}
	}
}
END_TEST

START_TEST(words_are_of_commands)
{
	for (size_t i = 0; i < monitor_arch.nwords; i++) {
		const struct cmd_words *w = &monitor_arch.words[i];
		const struct cmd *c;
		size_t n = 0;

		while ((c = cmd_at(n)) && strcmp(c->name, w->name))
			n++;
		ck_assert_msg(c, "%s", w->name);
		ck_assert_msg(w->args || w->brief || w->help, "%s", w->name);
		ck_assert_msg(!w->brief || (strlen(w->brief) < 80 && w->brief[strlen(w->brief) - 1] != '.'), "%s", w->name);
		ck_assert_msg(!w->help || w->help[strlen(w->help) - 1] != '\n', "%s", w->name);
		ck_assert_str_eq(cmd_args(c), w->args ? w->args : c->args);
	}
	rig_has(rig_ok(&rig, "help translate"), "usage: translate GVA [cr3=EXPR]");
	rig_refuses(&rig, "translate", "usage: translate GVA [cr3=EXPR]");
}
END_TEST

START_TEST(help_knows_every_row)
{
	const struct cmd *c;
	char line[80];
	const char *all, *text;
	char *copy;

	all = rig_ok(&rig, "help");
	copy = strdup(all);
	for (size_t i = 0; (c = cmd_at(i)); i++) {
		rig_has(copy, c->name);
		rig_has(copy, cmd_brief(c));
		snprintf(line, sizeof(line), "help %s", c->name);
		text = rig_ok(&rig, line);
		rig_has(text, "usage: ");
		rig_has(text, c->name);
		rig_has(text, cmd_args(c));
		rig_has(text, cmd_brief(c));
	}
	free(copy);
	rig_has(rig_ok(&rig, "help info"), "info slots");
	rig_has(rig_ok(&rig, "help b"), "usage: break EXPR");
	rig_refuses(&rig, "help nosuch", "there is no command 'nosuch'");
	rig_refuses(&rig, "help break now", "unexpected 'now'");
}
END_TEST

START_TEST(names_and_prefixes)
{
	static const struct {
		const char *line, *name;
		size_t used;
	} rows[] = {
		{ "continue", "continue", 8 }, { "c", "continue", 1 }, { "cont", "continue", 4 },
		{ "b main", "break", 1 },
		{ "br main", "break", 2 }, { "x/4i $pc", "x", 1 }, { "x", "x", 1 }, { "xp 0", "xp", 2 },
		{ "info registers", "info registers", 14 }, { "i r rax", "info registers", 3 },
		{ "info   b", "info breakpoints", 8 },
		{ "ser s x", "serial send", 5 }, { "p/x 1", "print", 1 }, { "si 3", "stepi", 2 },
		{ "stepi", "stepi", 5 },
		{ "set $rax=1", "set", 3 }, { "h", "help", 1 }, { "q", "quit", 1 }, { "u", "until", 1 },
		{ "d", "delete", 1 },
		{ "asse 1", "assert", 4 }, { "wr 1 1", "write", 2 },
	};
	static const struct {
		const char *line;
		int code;
		const char *part;
	} wrong[] = {
		{ "s", ENOTUNIQ, "stop, stepi, symbol, symbols, set" }, { "e", ENOTUNIQ, "echo, expect" },
		{ "w", ENOTUNIQ, "wait, write, watch" },
		{ "info s", ENOTUNIQ, "slots, status" }, { "info", ENOENT, "info: one of" },
		{ "info  ", ENOENT, "info: one of" },
		{ "info nosuch", ENOENT, "info knows no 'nosuch'" },
		{ "nosuch", ENOENT, "there is no command 'nosuch'" },
		{ "continues", ENOENT, "'continues'" }, { "", ENOENT, "a command's name" },
		{ "/x", ENOENT, "a command's name" },
		{ "CONTINUE", ENOENT, "'CONTINUE'" }, { "\xff\xfe", ENOENT, "there is no command" },
	};
	const struct cmd *c;
	struct err err;
	size_t used;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(!cmd_find(rows[i].line, strlen(rows[i].line), &used, &c, &err), "%s", rows[i].line);
		ck_assert_str_eq(c->name, rows[i].name);
		ck_assert_uint_eq(used, rows[i].used);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_msg(cmd_find(wrong[i].line, strlen(wrong[i].line), &used, &c, &err) == -wrong[i].code,
			      "%s",
			      wrong[i].line);
		rig_has(err.msg, wrong[i].part);
	}
}
END_TEST

START_TEST(lines_are_split)
{
	ck_assert_str_eq(rig_ok(&rig, "  print 1 + 1  "), "0x2 = 2\n");
	ck_assert_str_eq(rig_ok(&rig, "print 1 # + 1"), "0x1 = 1\n");
	ck_assert_str_eq(rig_ok(&rig, "print '#'"), "0x23 = 35\n");
	ck_assert_str_eq(rig_ok(&rig, "echo a # b"), "a # b\n");
	ck_assert_str_eq(rig_ok(&rig, "echo"), "\n");
	ck_assert_str_eq(rig_ok(&rig, ""), "");
	ck_assert_str_eq(rig_ok(&rig, "   # nothing"), "");
	rig_has(rig_ok(&rig, "print -j 5"), "{\"command\":\"print\",\"result\":{\"value\":\"0x5\"");
	rig_has(rig_ok(&rig, "print 5 -j"), "{\"command\":\"print\",\"result\":{\"value\":\"0x5\"");
	ck_assert_str_eq(rig_ok(&rig, "echo 5 -j"), "5 -j\n");
	rig_has(rig_ok(&rig, "echo -j 5"), "{\"command\":\"echo\",\"result\":{\"text\":\"5\"}}");
	rig_refuses(&rig, "print -jj", "no symbol 'jj'");
	rig_refuses(&rig, "info cpus now", "info cpus takes no argument");
	rig_refuses(&rig, "info/x cpus", "info: one of");
	rig_refuses(&rig, "break/x main", "break takes no /format");
}
END_TEST

START_TEST(hostile_lines)
{
	char *line = malloc(LINE_MAX_BYTES + 2);

	memset(line, 'a', LINE_MAX_BYTES + 1);
	line[LINE_MAX_BYTES + 1] = '\0';
	rig_refuses(&rig, line, "longer than 16384");
	ck_assert(rig.malformed);
	line[LINE_MAX_BYTES] = '\0';
	rig_refuses(&rig, line, "there is no command");
	memset(line, '(', LINE_MAX_BYTES);
	memcpy(line, "print ", 6);
	rig_refuses(&rig, line, "nested too deeply");
	free(line);
}
END_TEST

/* -- inspect -- */

START_TEST(registers)
{
	char *copy;

	fake_set_reg(rig.f, 0, X86_RAX, 0x1122334455667788);
	fake_set_reg(rig.f, 0, X86_EFLAGS, 0x3246);
	fake_set_reg(rig.f, 0, X86_CR0, 0x80000011);
	fake_set_reg(rig.f, 0, X86_CS, 0x33);
	fake_set_reg(rig.f, 0, X86_GS_BASE, 0xffff888000000000);
	copy = strdup(rig_ok(&rig, "info registers"));
	rig_has(copy, "rax 1122334455667788  rbx 0000000000000000");
	rig_has(copy, "rip 0000000000001000 <_start>");
	rig_has(copy, "eflags 00003246 [PF ZF IF IOPL=3]");
	rig_has(copy, "cs 0033 base 0000000000000000  ss 0000 base");
	rig_has(copy, "gs 0000 base ffff888000000000");
	rig_has(copy, "cr0  0000000080000011 [PE ET PG]");
	ck_assert(!strstr(copy, "xmm0") && !strstr(copy, "st0") && !strstr(copy, "eax"));
	free(copy);
	copy = strdup(rig_ok(&rig, "info registers all"));
	rig_has(copy, "xmm15 ");
	rig_has(copy, "ymm0h ");
	rig_has(copy, "fctrl 0000037f");
	free(copy);
	ck_assert_str_eq(rig_ok(&rig, "info registers rax eax al $rip"),
			 "rax      0x1122334455667788  1234605616436508552\n"
			 "eax      0x55667788  1432778632\n"
			 "al       0x88  136\n"
			 "rip      0x1000  4096 <_start>\n");
	ck_assert_str_eq(rig_ok(&rig, "info registers xmm0"), "xmm0     0x00000000000000000000000000000000\n");
	rig_has(rig_ok(&rig, "info registers sse"), "mxcsr 00001f80");
	/* no segment register, whose base would stand beside it */
	rig_has(rig_ok(&rig, "info registers tables"), "tr_base    0000000000000000");
	rig_refuses(&rig, "info registers nosuch", "there is no register 'nosuch'");
	rig_refuses(&rig, "info registers rax nosuch", "there is no register 'nosuch'");
	rig_refuses(&rig, "info registers $", "there is no register");
}
END_TEST

START_TEST(registers_of_other_modes)
{
	struct fake_config config = { .mode = MODE_REAL, .no_avx = true };
	struct rig real;
	char *copy;

	rig_init(&real, &config, false);
	fake_set_reg(real.f, 0, X86_CS, 0x100);
	fake_set_reg(real.f, 0, X86_CS_BASE, 0x1000);
	fake_set_reg(real.f, 0, X86_IP, 0);
	copy = strdup(rig_ok(&real, "info registers all"));
	rig_has(copy, "eax 00000000  ebx 00000000  ecx 00000000  edx 00000000");
	rig_has(copy, "eip 00001000 <_start>");
	rig_has(copy, "cs 0100 base 00001000");
	ck_assert(!strstr(copy, "rax") && !strstr(copy, "ymm"));
	free(copy);
	rig_has(rig_ok(&real, "info cpus"), "real     cpl 0  stopped          0100:0000 0x1000 <_start>");
	rig_has(rig_bad(&real, "info registers ymm0h"), "no ymm0h");
	/* The stop notice shows cs:ip, too. */
	rig_has(rig_ok(&real, "stepi"), "=> 0100:0001 0x1001 <_start+1>:");
	rig_done(&real);
}
END_TEST

START_TEST(info)
{
	rig_has(rig_ok(&rig, "info cpus"), "* 0  long     cpl 0  stopped          0x1000 <_start>\n  1  long ");
	rig_has(rig_ok(&rig, "slot list"), "slot 0  0x0-0xfffff  1M  ram  anon  rw  hva 0x");
	rig_has(rig_ok(&rig, "slot list"), "slot 1  0xffff0000-0xffffffff  64K  rom  anon  ro  hva 0x7f0000010000\n");
	ck_assert_str_eq(rig_ok(&rig, "info mem"),
			 "0000000000000000-000000000007ffff  rwx supervisor  512K  pages of 4K\n"
			 "0000000000081000-00000000000fffff  rwx supervisor  508K  pages of 4K\n");
	rig_has(rig_ok(&rig, "info status"),
	    "stopped: elf64 image fake.img, 1M of memory, 2 vCPUs\ncpu 0: at the start, 0x1000 <_start>\n");
	rig_has(rig_ok(&rig, "info host"), "single-step          yes           the processor stops after one");
	rig_has(rig_ok(&rig, "info version"), "gdbvisor " PACKAGE_VERSION "\n");
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"), "no breakpoints\n");
	rig_ok(&rig, "continue");
	rig_has(rig_ok(&rig, "info status"), "running: elf64 image");
}
END_TEST

START_TEST(examine)
{
	static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xff, 'h', 'i', '\n', 0, 'x',
					0 };

	memcpy(rig.f->ram + 0x2000, bytes, sizeof(bytes));
	rig_refuses(&rig, "x", "usage: x [/NFU] [EXPR]");
	ck_assert_str_eq(rig_ok(&rig, "x/2xw counter"), "0x2000 <counter>:  0x04030201  0xff070605\n");
	ck_assert_str_eq(rig_ok(&rig, "x"), "0x2008:  0x000a6968  0x00000078\n");
	ck_assert_str_eq(rig_ok(&rig, "x/xg 0x2000"), "0x2000 <counter>:  0xff07060504030201\n");
	ck_assert_str_eq(rig_ok(&rig, "x/3db 0x2005"), "0x2005 <counter+5>:  6  7  -1\n");
	ck_assert_str_eq(rig_ok(&rig, "x/2s 0x2008"), "0x2008:  \"hi\\n\"\n0x200c:  \"x\"\n");
	ck_assert_str_eq(rig_ok(&rig, "x/2c 0x2008"), "0x2008:  104 'h'  105 'i'\n");
	ck_assert_str_eq(rig_ok(&rig, "x/tb 0x2002"), "0x2002 <counter+2>:  00000011\n");
	ck_assert_str_eq(rig_ok(&rig, "x/oh 0x2000"), "0x2000 <counter>:  0001001\n");
	memcpy(rig.f->ram + 0x3000, "\x30\x10\0\0\0\0\0\0", 8);
	ck_assert_str_eq(rig_ok(&rig, "x/a 0x3000"), "0x3000:  0x1030 <loop>\n");
	/* the last format stays, with a new address or none */
	ck_assert_str_eq(rig_ok(&rig, "x/2xb 0x2000"), "0x2000 <counter>:  0x01  0x02\n");
	ck_assert_str_eq(rig_ok(&rig, "x 0x2002"), "0x2002 <counter+2>:  0x03\n");
	ck_assert_str_eq(rig_ok(&rig, "x/2"), "0x2003 <counter+3>:  0x04  0x05\n");
	ck_assert_str_eq(rig_ok(&rig, "xp/2xb 0x2000"), "0x2000:  0x01  0x02\n");
	/* rows */
	rig_has(rig_ok(&rig, "x/5xw 0x3000"), "\n0x3010:  0x00000000\n");
	rig_has(rig_ok(&rig, "x/9xb 0x3000"), "\n0x3008:  0x00\n");
	rig_refuses(&rig, "x/3z 0", "'/3z' is not a format");
	rig_refuses(&rig, "x/70000x 0", "at most 65536");
	rig_refuses(&rig, "x/x 0x80000", "0x80000 is not mapped");
	rig_refuses(&rig, "xp/x 0x100000", "no memory at 0x100000");
	rig_refuses(&rig, "x/s 0x80000", "is not mapped");
	rig_refuses(&rig, "x/i 0x80000", "is not mapped");
	rig_refuses(&rig, "x 0 0", "unexpected '0'");
	rig_refuses(&rig, "x 1/0", "division by zero");
	/* What can be read is shown, then what could not. */
	ck_assert_str_eq(rig_run(&rig, "x/4xg 0x7fff0"),
			 "0x7fff0:  0x0000000000000000  0x0000000000000000\nerror: 0x80000 is not mapped\n");
	ck_assert_int_eq(rig.status, -EFAULT);
	/* A string without an end is cut. */
	memset(rig.f->ram + 0x4000, 'y', 1000);
	rig_has(rig_ok(&rig, "x/s 0x4000"), "yyy\"...\n");
}
END_TEST

START_TEST(empty_line_repeats)
{
	ck_assert_str_eq(rig_ok(&rig, ""), "");
	rig_ok(&rig, "x/2xb 0x2000");
	rig_has(rig_ok(&rig, ""), "0x2002 <counter+2>:  0x00  0x00\n");
	rig_has(rig_ok(&rig, "  "), "0x2004 <counter+4>:");
	rig_ok(&rig, "stepi 2");
	rig_ok(&rig, "");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_RIP), FAKE_ENTRY + 4);
	/* Another command ends it. */
	rig_ok(&rig, "info cpus");
	ck_assert_str_eq(rig_ok(&rig, ""), "");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_RIP), FAKE_ENTRY + 4);
}
END_TEST

START_TEST(printing)
{
	fake_set_reg(rig.f, 0, X86_RAX, 0xffffffffffffff85);
	ck_assert_str_eq(rig_ok(&rig, "print 6*7"), "0x2a = 42\n");
	ck_assert_str_eq(rig_ok(&rig, "print main"), "0x1010 = 4112 <main>\n");
	ck_assert_str_eq(rig_ok(&rig, "print main+4"), "0x1014 = 4116 <main+4>\n");
	ck_assert_str_eq(rig_ok(&rig, "p/x 255"), "0xff\n");
	ck_assert_str_eq(rig_ok(&rig, "p/d $rax"), "-123\n");
	ck_assert_str_eq(rig_ok(&rig, "p/db $rax"), "-123\n");
	ck_assert_str_eq(rig_ok(&rig, "p/u $al"), "133\n");
	ck_assert_str_eq(rig_ok(&rig, "p/t 6"), "110\n");
	ck_assert_str_eq(rig_ok(&rig, "p/c 'A'"), "65 'A'\n");
	ck_assert_str_eq(rig_ok(&rig, "p/a 0x1011"), "0x1011 <main+1>\n");
	ck_assert_str_eq(rig_ok(&rig, "print $eax == 0xffffff85 && $ax == 0xff85"), "0x1 = 1\n");
	rig_refuses(&rig, "print", "usage: print [/FU] EXPR");
	rig_refuses(&rig, "print/s 1", "print takes one of");
	rig_refuses(&rig, "print/3x 1", "print takes one of");
	rig_refuses(&rig, "print nosuch", "column 7: there is no symbol 'nosuch'");
	rig_refuses(&rig, "print $nosuch", "column 7: there is no register $nosuch");
	rig_refuses(&rig, "print $xmm0", "$xmm0 has 128 bits");
	rig_refuses(&rig, "print *0x80000", "column 7: 0x80000 is not mapped");
	rig_refuses(&rig, "print 1 1", "column 9: unexpected '1'");
	rig_refuses(&rig, "  print 1/0", "column 10: division by zero");
	ck_assert(!rig.malformed);
	rig_refuses(&rig, "print 1+", "the expression ends too early");
	ck_assert(rig.malformed);
}
END_TEST

START_TEST(translating)
{
	const char *text = rig_ok(&rig, "translate main");

	rig_has(text, "gva 0x1010 -> gpa 0x1010, 4K page rwx supervisor, slot 0, hva 0x");
	rig_has(text, "\n  PML4 entry at 0x0: 0x1003\n  PDPT entry at 0x1000: 0x2003\n  PD   entry at");
	rig_has(rig_ok(&rig, "translate main cr3=0x5000"), "PML4 entry at 0x5000");
	rig_has(rig_ok(&rig, "translate 0x80000"), "gva 0x80000 -> not present\n  PML4");
	rig_has(rig_ok(&rig, "translate 0x200000"), "no slot");
	rig_refuses(&rig, "translate", "usage: translate GVA [cr3=EXPR]");
	rig_refuses(&rig, "translate 1 2", "unexpected '2'");
	rig_refuses(&rig, "translate 1 cr3=", "ends too early");
}
END_TEST

START_TEST(disassembling)
{
	memcpy(rig.f->ram + FAKE_ENTRY, "\xb8\x01\0\0\0\xeb\x09\x06", 8);
	ck_assert_str_eq(rig_ok(&rig, "disas $pc 3"),
			 "=> 0x1000 <_start>:  b801000000            mov eax, 0x1\n"
			 "   0x1005 <_start+5>:  eb09                  jmp 0x1010 <main>\n"
			 "   0x1007 <_start+7>:  06                    (bad)\n");
	rig_has(rig_ok(&rig, "disas"), "=> 0x1000 <_start>:");
	rig_has(rig_ok(&rig, "disas main"), "   0x1010 <main>:");
	rig.f->cpu[0].mode = MODE_REAL;
	rig_has(rig_ok(&rig, "disas $pc 1"), "b80100                mov ax, 0x1");
	rig_refuses(&rig, "disas main 0", "1 to 4096");
	rig_refuses(&rig, "disas main 5000", "1 to 4096");
	rig_refuses(&rig, "disas main 3 4", "unexpected '4'");
	rig_refuses(&rig, "disas 0x80000", "is not mapped");
}
END_TEST

/* -- change -- */

START_TEST(setting)
{
	rig_ok(&rig, "set $rax = 0x1122334455667788");
	rig_ok(&rig, "set $eax=-1");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_RAX), 0x11223344ffffffff);
	rig_ok(&rig, "set $al =0");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_RAX), 0x11223344ffffff00);
	rig_ok(&rig, "set $pc = main");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_RIP), 0x1010);
	rig_ok(&rig, "cpu 1");
	rig_ok(&rig, "set $rbx = 7");
	ck_assert_uint_eq(fake_reg(rig.f, 1, X86_RBX), 7);
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_RBX), 0);
	rig_refuses(&rig, "set", "usage: set $REG = EXPR");
	rig_refuses(&rig, "set rax = 1", "usage: set");
	rig_refuses(&rig, "set $rax", "usage: set");
	rig_refuses(&rig, "set $rax 5", "usage: set");
	rig_refuses(&rig, "set $ = 5", "usage: set");
	rig_refuses(&rig, "set $nosuch = 5", "no register $nosuch");
	rig_refuses(&rig, "set $al = 256", "0x100 does not fit $al, which has 8 bits");
	rig_refuses(&rig, "set $al = -129", "does not fit $al");
	rig_refuses(&rig, "set $xmm0 = 1", "128 bits");
	rig_refuses(&rig, "set $cr0 = 0x80000000", "paging needs protected mode");
	rig_refuses(&rig, "set $rax = 1 2", "unexpected '2'");
	ck_assert_uint_eq(fake_reg(rig.f, 1, X86_RAX), 0);
}
END_TEST

START_TEST(writing)
{
	uint8_t *ram = rig.f->ram;

	rig_ok(&rig, "write counter 1 2 0xff");
	ck_assert(!memcmp(ram + 0x2000, "\x01\x02\xff\0", 4));
	rig_ok(&rig, "write/h 0x2000 0x1234 -1");
	ck_assert(!memcmp(ram + 0x2000, "\x34\x12\xff\xff", 4));
	rig_ok(&rig, "write/w counter+4 main 'a'");
	ck_assert(!memcmp(ram + 0x2004, "\x10\x10\0\0a\0\0\0", 8));
	rig_ok(&rig, "write/g 0x2000 -1");
	ck_assert(!memcmp(ram + 0x2000, "\xff\xff\xff\xff\xff\xff\xff\xff\x61", 9));
	rig_ok(&rig, "write 0x2000 \"hi # \\n\" (1 + 1) 3");
	ck_assert(!memcmp(ram + 0x2000, "hi # \n\2\3a", 9));
	rig_refuses(&rig, "write", "usage: write");
	rig_refuses(&rig, "write 0x2000", "usage: write");
	rig_refuses(&rig, "write 0x2000 256", "0x100 does not fit 1 byte: write/h takes more");
	rig_refuses(&rig, "write/w 0x2000 0x100000000", "does not fit 4 bytes: write/g");
	rig_refuses(&rig, "write 0x2000 1 nosuch", "no symbol 'nosuch'");
	rig_refuses(&rig, "write 0x2000 1 \"abc", "closing quote");
	rig_refuses(&rig, "write 0x2000 \"\\q\"", "is not an escape");
	rig_refuses(&rig, "write/x 0x2000 1", "write takes /b, /h, /w or /g");
	rig_refuses(&rig, "write/2b 0x2000 1", "write takes");
	rig_refuses(&rig, "write 0x2000 1 +", "ends too early");
	/* None of these changed anything, nor does one that runs into a hole. */
	ck_assert(!memcmp(ram + 0x2000, "hi # \n\2\3a", 9));
	rig_refuses(&rig, "write/g 0x7fff8 1 2", "0x80000 is not mapped");
	ck_assert_uint_eq(ram[0x7fff8], 0);
}
END_TEST

/* -- breakpoints -- */

START_TEST(breakpoints)
{
	ck_assert_str_eq(rig_ok(&rig, "break main"), "breakpoint 1 at 0x1010 <main>\n");
	ck_assert_str_eq(rig_ok(&rig, "hbreak loop"), "hardware breakpoint 2 at 0x1030 <loop>\n");
	ck_assert_str_eq(rig_ok(&rig, "hbreak main"), "hardware breakpoint 3 at 0x1010 <main>\n");
	rig_gdb_break(&rig, 0x1010);
	rig_gdb_break(&rig, 0x1020);
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"),
			 "1   soft  0x1010 <main>  hits 0  monitor, gdb\n"
			 "2   hard  0x1030 <loop>  hits 0  monitor\n"
			 "3   hard  0x1010 <main>  hits 0  monitor\n"
			 "-   soft  0x1020 <main+16>  hits 0  gdb\n");
	rig_refuses(&rig, "break main", "breakpoint 1 is there already");
	rig_refuses(&rig, "break", "usage: break EXPR");
	rig_refuses(&rig, "break 0x800000000000", "is not canonical");
	rig_refuses(&rig, "break main 1", "unexpected '1'");
	rig_refuses(&rig, "delete 9", "there is no breakpoint 9");
	rig_refuses(&rig, "delete 1 9", "there is no breakpoint 9");
	rig_refuses(&rig, "delete 0", "there is no breakpoint 0");
	rig_refuses(&rig, "delete -1", "there is no breakpoint");
	ck_assert_uint_eq(rig.f->nbrk, 4);
	rig_ok(&rig, "delete 1 1 3");
	ck_assert_str_eq(rig_ok(&rig, "info breakpoints"),
			 "2   hard  0x1030 <loop>  hits 0  monitor\n"
			 "-   soft  0x1010 <main>  hits 0  gdb\n"
			 "-   soft  0x1020 <main+16>  hits 0  gdb\n");
	/* Numbers are not given twice; gdb's places stay. */
	ck_assert_str_eq(rig_ok(&rig, "break main"), "breakpoint 4 at 0x1010 <main>\n");
	rig_ok(&rig, "delete");
	ck_assert_uint_eq(rig.f->nbrk, 2);
	rig_ok(&rig, "delete");
	rig.f->fail_break = ENOMEM;
	rig_refuses(&rig, "break loop", "breakpoint refused");
	rig.f->fail_break = 0;
	ck_assert_str_eq(rig_ok(&rig, "break loop"), "breakpoint 5 at 0x1030 <loop>\n");
}
END_TEST

START_TEST(all_debug_registers_taken)
{
	for (int i = 0; i < FAKE_HARD_MAX; i++) {
		char line[32];

		snprintf(line, sizeof(line), "hbreak 0x%x", 0x3000 + i);
		rig_ok(&rig, line);
	}
	rig_refuses(&rig, "hbreak 0x4000", "debug registers");
	rig_ok(&rig, "delete 2");
	rig_ok(&rig, "hbreak 0x4000");
}
END_TEST

/* -- completion -- */

static bool offers(const char *line, const char *name)
{
	size_t start = strlen(line), at;
	bool file, found = false;
	char **names;

	while (start && !strchr(COMPLETE_BREAKS, line[start - 1]))
		start--;
	names = complete_line(&rig.f->machine, line, start, line + start, &file);
	for (at = 0; names && names[at]; at++) {
		found |= name && !strcmp(names[at], name);
		for (size_t k = 0; k < at; k++)
			ck_assert_str_ne(names[at], names[k]);
	}
	complete_free(names);
	return name ? found : at || file;
}

START_TEST(completion)
{
	ck_assert(offers("", "continue") && offers("", "info") && offers("co", "console"));
	ck_assert(offers("con", "continue") && !offers("con", "break"));
	ck_assert(offers("info ", "registers") && offers("info re", "registers") && !offers("info re", "cpus"));
	ck_assert(offers("i b", "breakpoints") && offers("serial ", "send") && offers("  info c", "cpus"));
	ck_assert(offers("break ma", "main") && offers("x/4i $r", "$rip") && offers("print 1+lo", "loop"));
	ck_assert(offers("set $e", "$eax") && offers("info registers ra", "rax") && offers("help st", "stepi"));
	ck_assert(offers("translate *(u32)cou", "counter"));
	ck_assert(!offers("break zz", NULL) && !offers("nosuch ", NULL) && !offers("continue ", NULL));
	ck_assert(offers("source ", NULL));
	ck_assert(!offers("\xff\xff ", NULL));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		rows_are_whole, words_are_of_commands, help_knows_every_row, names_and_prefixes, lines_are_split, hostile_lines,
		registers, registers_of_other_modes, info, examine, empty_line_repeats, printing,
		translating, disassembling, setting, writing, breakpoints, all_debug_registers_taken,
		completion,
	};
	Suite *s = suite_create("cmd");
	TCase *t = tcase_create("cmd");

	tcase_add_checked_fixture(t, set_up, tear_down);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	return unit_main(s);
}
