/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes of command lines that are fine, and the table of options with its help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/x86_regs.h"
#include "tests/opt_rig.h"

#define MIB (1ull << 20)

START_TEST(defaults)
{
	struct options o = parse_good("img");

	ck_assert_str_eq(o.image, "img");
	ck_assert_int_eq(o.kind, IMAGE_AUTO);
	ck_assert(!o.has_load && !o.has_entry && !o.has_mode);
	ck_assert_uint_eq(o.memory, 128 * MIB);
	ck_assert_uint_eq(o.cpus, 1);
	ck_assert_ptr_null(o.append);
	ck_assert_uint_eq(o.nmodules, 0);
	ck_assert_uint_eq(o.ndisks, 0);
	ck_assert_ptr_null(o.bios);
	ck_assert_ptr_null(o.vga_bios);
	ck_assert(!o.user_irqchip);
	ck_assert(!o.rng && !o.virtio_console);
	ck_assert(!o.stop_unclaimed);
	ck_assert_int_eq(o.sandbox, SANDBOX_DEFAULT);
	ck_assert_uint_eq(o.ngdb, 0);
	ck_assert(!o.has_monitor);
	ck_assert_uint_eq(o.nscripts, 0);
	ck_assert_str_eq(o.serial, "stdio");
	ck_assert(!o.run && !o.demo && !o.json && !o.verbose && !o.help && !o.version);
	options_done(&o);
	ck_assert_ptr_null(o.image);
	options_done(&o);
}
END_TEST

static void expect_everything(struct options o)
{
	ck_assert_int_eq(o.kind, IMAGE_FLAT);
	ck_assert(o.has_load && o.has_entry && o.has_mode);
	ck_assert_uint_eq(o.load, 0x100000);
	ck_assert_uint_eq(o.entry, 0x100020);
	ck_assert_int_eq(o.mode, BOOT_LONG);
	ck_assert_uint_eq(o.memory, 1ull << 30);
	ck_assert_uint_eq(o.cpus, 4);
	ck_assert(o.dirty_ring);
	ck_assert_int_eq(o.tdesc, REG_CHOICE_I386);
	ck_assert_str_eq(o.append, "root=x y");
	ck_assert_uint_eq(o.nmodules, 1);
	ck_assert_str_eq(o.modules[0].path, "mod");
	ck_assert_uint_eq(o.ndisks, 2);
	ck_assert_str_eq(o.disks[0].path, "d");
	ck_assert(o.disks[0].readonly && !o.disks[0].snapshot && !o.disks[0].cdrom);
	ck_assert_str_eq(o.disks[1].path, "cd");
	ck_assert(o.disks[1].readonly && !o.disks[1].snapshot && o.disks[1].cdrom);
	ck_assert(o.user_irqchip);
	ck_assert(o.stop_unclaimed);
	ck_assert_int_eq(o.sandbox, SANDBOX_OFF);
	ck_assert_str_eq(o.symbols, "v");
	ck_assert_uint_eq(o.ngdb, 1);
	ck_assert_int_eq(o.gdb[0].kind, ADDR_UNIX);
	ck_assert_str_eq(o.gdb[0].path, "/g");
	ck_assert(o.has_monitor);
	ck_assert_int_eq(o.monitor.kind, ADDR_UNIX);
	ck_assert_str_eq(o.monitor.path, "m");
	ck_assert_uint_eq(o.nscripts, 2);
	ck_assert_str_eq(o.serial, "file:out");
	ck_assert(o.run && o.json && o.verbose && !o.demo && !o.help && !o.version);
	ck_assert_str_eq(o.image, "img");
	options_done(&o);
}

START_TEST(every_option_both_ways)
{
	expect_everything(parse_good("-k|flat|--load|1M|--entry|0x100020|--mode|long|-m|1G|-c|4|--dirty-log|ring|--tdesc|i386|-a|root=x y|"
				     "-i|mod|-d|d,ro|--cdrom|cd|--irqchip|user|--unclaimed|stop|--sandbox|off|--symbols|v|-g|/g|-M|unix:m|-x|f|-e|c|-s|file:out|-rjv|img"));
	expect_everything(parse_good("img|--kind=flat|--load=1M|--entry=0x100020|--mode=long|--memory=1G|"
				     "--cpus=4|--dirty-log=ring|--tdesc=i386|--append=root=x y|--initrd=mod|"
				     "--disk=d,ro|--cdrom=cd|--irqchip=user|--unclaimed=stop|--sandbox=off|--symbols=v|--gdb=/g|--monitor=unix:m|"
				     "--script=f|--execute=c|--serial=file:out|--run|--json|--verbose"));
	expect_everything(parse_good("-kflat|--loa|1M|--en=0x100020|--mod=long|-m1G|-c4|--dir=ring|--t=i386|-aroot=x y|-imod|"
				     "-dd,ro|--cd=cd|--ir=user|--u=stop|--sa=off|--sy=v|-g/g|-Munix:m|-xf|-ec|-sfile:out|-r|-j|-v|--|img"));
}
END_TEST

START_TEST(kaslr)
{
	static const struct { const char *line; enum kaslr kaslr; uint64_t slide; } good[] = {
		{ "img", KASLR_AUTO, 0 }, { "img|--kaslr=off", KASLR_OFF, 0 }, { "img|--kaslr=on", KASLR_ON, 0 },
		{ "img|--kaslr|16M", KASLR_SLIDE, 0x1000000 }, { "img|--kaslr=0", KASLR_SLIDE, 0 },
		{ "img|--kaslr=on|--kaslr=0x200000", KASLR_SLIDE, 0x200000 }, { "img|--kaslr=4M|--kaslr=off", KASLR_OFF, 0x400000 },
	};
	struct options o = parse_good(good[_i].line);

	ck_assert_int_eq(o.kaslr, good[_i].kaslr);
	ck_assert_uint_eq(o.slide, good[_i].slide);
	options_done(&o);
}
END_TEST

START_TEST(affinities)
{
	static const struct { const char *line; size_t n; unsigned cpus[6]; } lists[] = {
		{ "img", 0, { 0 } }, { "img|--affinity=0", 1, { 0 } }, { "img|--affinity|3,1", 2, { 3, 1 } },
		{ "img|--affinity=0-1,3", 3, { 0, 1, 3 } }, { "img|--affinity=5,2-4,2,8191", 6, { 5, 2, 3, 4, 2, 8191 } },
		{ "img|--affinity=7-7", 1, { 7 } }, { "img|--affinity=0-9|--affinity=007", 1, { 7 } },
	};
	struct options o = parse_good(lists[_i].line);

	ck_assert_uint_eq(o.naffinity, lists[_i].n);
	for (size_t i = 0; i < o.naffinity; i++)
		ck_assert_uint_eq(o.affinity[i], lists[_i].cpus[i]);
	options_done(&o);
	ck_assert_ptr_null(o.affinity);
}
END_TEST

START_TEST(as_many_host_cpus_as_there_can_be)
{
	struct options o = parse_good("img|--affinity=8191,0-1021,8190");

	ck_assert_uint_eq(o.naffinity, OPTION_AFFINITY_MAX);
	ck_assert_uint_eq(o.affinity[1022], 1021);
	ck_assert_uint_eq(o.affinity[1023], 8190);
	options_done(&o);
}
END_TEST

START_TEST(linux_entries)
{
	struct options o = parse_good("img|--entry=pvh|--decompress");

	ck_assert(o.has_entry && o.entry_pvh && o.decompress);
	ck_assert_uint_eq(o.entry, 0);
	options_done(&o);
	/* The last one counts. */
	o = parse_good("img|--entry=pvh|--entry=32");
	ck_assert(o.has_entry && !o.entry_pvh && !o.decompress);
	ck_assert_uint_eq(o.entry, 32);
	options_done(&o);
	o = parse_good("img|--entry=64|--entry=pvh");
	ck_assert(o.has_entry && o.entry_pvh);
	ck_assert_uint_eq(o.entry, 0);
	options_done(&o);
}
END_TEST

static const struct {
	const char *text;
	uint64_t bytes;
} sizes[] = {
	{ "128M", 128 * MIB }, { "128", 128 * MIB }, { "0x10", 16 * MIB }, { "1", MIB }, { "1024K", MIB },
	{ "1028k", MIB + 4096 }, { "3g", 3072 * MIB }, { "1T", 1ull << 40 },
};

START_TEST(memory_sizes)
{
	char line[32];
	struct options o;

	snprintf(line, sizeof(line), "-m|%s|img", sizes[_i].text);
	o = parse_good(line);
	ck_assert_uint_eq(o.memory, sizes[_i].bytes);
	options_done(&o);
}
END_TEST

START_TEST(modules_have_arguments)
{
	struct options o = parse_good("-i|a|-i|b  x  y|-i|c |img");

	ck_assert_uint_eq(o.nmodules, 3);
	ck_assert_str_eq(o.modules[0].path, "a");
	ck_assert_ptr_null(o.modules[0].args);
	ck_assert_str_eq(o.modules[1].path, "b");
	ck_assert_str_eq(o.modules[1].args, "x  y");
	ck_assert_str_eq(o.modules[2].path, "c");
	ck_assert_ptr_null(o.modules[2].args);
	options_done(&o);
}
END_TEST

static const struct {
	const char *arg, *path;
	bool readonly, snapshot;
} disks[] = {
	{ "a", "a", false, false }, { "a,ro", "a", true, false }, { "a,snapshot", "a", false, true },
	{ "a,ro,snapshot", "a", true, true }, { "a,snapshot,ro", "a", true, true },
	{ "a,b", "a,b", false, false }, { "a,ro,b", "a,ro,b", false, false }, { ",ro,x,ro", ",ro,x", true, false },
	{ "a,ro,ro", "a,ro", true, false }, { "a,snapshot,ro,snapshot", "a,snapshot", true, true },
	{ "a,RO", "a,RO", false, false }, { "a,ro ", "a,ro ", false, false }, { "a,", "a,", false, false },
	{ "ro", "ro", false, false }, { "snapshot", "snapshot", false, false }, { ",,ro", ",", true, false },
	{ "a ro", "a ro", false, false },
};

START_TEST(disks_have_options)
{
	char line[64];
	struct options o;

	snprintf(line, sizeof(line), "-d|%s", disks[_i].arg);
	o = parse_good(line);
	ck_assert_uint_eq(o.ndisks, 1);
	ck_assert_str_eq(o.disks[0].path, disks[_i].path);
	ck_assert_int_eq(o.disks[0].readonly, disks[_i].readonly);
	ck_assert_int_eq(o.disks[0].snapshot, disks[_i].snapshot);
	ck_assert(!o.disks[0].cdrom);
	options_done(&o);
}
END_TEST

static const struct {
	const char *arg, *path;
	bool readonly, snapshot, virtio;
} virtio_disks[] = {
	{ "a,virtio", "a", false, false, true }, { "a,virtio,ro", "a", true, false, true },
	{ "a,snapshot,virtio", "a", false, true, true }, { "a,ro,virtio,snapshot", "a", true, true, true },
	{ "a,virtio,virtio", "a,virtio", false, false, true }, { "a,virtio ", "a,virtio ", false, false, false },
	{ "virtio", "virtio", false, false, false }, { "a,virtio,b", "a,virtio,b", false, false, false },
};

START_TEST(disks_on_virtio)
{
	char line[64];
	struct options o;

	snprintf(line, sizeof(line), "--disk=%s", virtio_disks[_i].arg);
	o = parse_good(line);
	ck_assert_str_eq(o.disks[0].path, virtio_disks[_i].path);
	ck_assert_int_eq(o.disks[0].readonly, virtio_disks[_i].readonly);
	ck_assert_int_eq(o.disks[0].snapshot, virtio_disks[_i].snapshot);
	ck_assert_int_eq(o.disks[0].virtio, virtio_disks[_i].virtio);
	options_done(&o);
}
END_TEST

START_TEST(other_virtio_devices)
{
	struct options o = parse_good("img|--rng|--console=virtio|-d|1,virtio|-d|2|-d|3|-d|4|-d|5|-d|6,virtio|-d|7,virtio|"
				      "-d|8,virtio|-d|9,virtio|-d|10,virtio|-d|11,virtio|-d|12,virtio");

	ck_assert(o.rng && o.virtio_console);
	ck_assert_uint_eq(o.ndisks, 12);
	ck_assert_str_eq(o.disks[11].path, "12");
	options_done(&o);
	o = parse_good("img|--console=virtio|--console=com1");
	ck_assert(!o.rng && !o.virtio_console);
	options_done(&o);
}
END_TEST

START_TEST(drives_keep_their_order)
{
	struct options o = parse_good("--cdrom=a,ro|-d|b|--cdrom|c|--disk=d,snapshot");
	static const struct { const char *path; bool readonly, snapshot, cdrom; } want[] = {
		{ "a,ro", true, false, true }, { "b", false, false, false }, { "c", true, false, true },
		{ "d", false, true, false },
	};
	size_t i;

	ck_assert_uint_eq(o.ndisks, 4);
	for (i = 0; i < 4; i++) {
		ck_assert_str_eq(o.disks[i].path, want[i].path);
		ck_assert_int_eq(o.disks[i].readonly, want[i].readonly);
		ck_assert_int_eq(o.disks[i].snapshot, want[i].snapshot);
		ck_assert_int_eq(o.disks[i].cdrom, want[i].cdrom);
	}
	options_done(&o);
	ck_assert_ptr_null(o.disks);
}
END_TEST

/* What starts the machine. */
static const struct {
	const char *line, *image, *bios, *vga_bios;
	enum image_kind kind;
} starts[] = {
	{ "-b|f", NULL, "f", NULL, IMAGE_AUTO },
	{ "--bios=f|--vga-bios=v", NULL, "f", "v", IMAGE_AUTO },
	{ "-b|f|-k|bios", NULL, "f", NULL, IMAGE_AUTO },
	{ "-k|bios|f", NULL, "f", NULL, IMAGE_AUTO },
	{ "f|--vga-bios|v|-k|flat|-k|bios", NULL, "f", "v", IMAGE_AUTO },
	{ "-d|d", NULL, NULL, NULL, IMAGE_AUTO },
	{ "--cdrom=d|--vga|v|-k|bios", NULL, NULL, "v", IMAGE_AUTO },
	{ "-d|d|f", "f", NULL, NULL, IMAGE_AUTO },
	{ "-d|d|f|-k|bios|-k|elf", "f", NULL, NULL, IMAGE_ELF },
	{ "-k|linux|f", "f", NULL, NULL, IMAGE_LINUX },
	{ "-b|f|-h|g|-k|bios", NULL, "g", NULL, IMAGE_AUTO },
};

START_TEST(what_starts_the_machine)
{
	struct options o = parse_good(starts[_i].line);

	ck_assert_pstr_eq(o.image, starts[_i].image);
	ck_assert_pstr_eq(o.bios, starts[_i].bios);
	ck_assert_pstr_eq(o.vga_bios, starts[_i].vga_bios);
	ck_assert_int_eq(o.kind, starts[_i].kind);
	options_done(&o);
}
END_TEST

START_TEST(variables)
{
	static const struct { const char *line, *path; bool snapshot; } rows[] = {
		{ "-b|f", NULL, false }, { "-b|f|--nvram=v", "v", false }, { "--nvram=v,snapshot|f|-k|bios", "v", true },
		{ "-d|d|--nvram|,ro", ",ro", false }, { "-b|f|--nvram=a,b,snapshot,snapshot", "a,b,snapshot", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct options o = parse_good(rows[i].line);

		ck_assert_pstr_eq(o.nvram.path, rows[i].path);
		ck_assert(o.nvram.snapshot == rows[i].snapshot && !o.nvram.readonly && !o.nvram.cdrom);
		options_done(&o);
	}
}
END_TEST

START_TEST(scripts_keep_their_order)
{
	struct options o = parse_good("-e|one|-x|two|--execute=three|-x|-|-e|-|img");
	static const struct { bool is_file; const char *text; } want[] = {
		{ false, "one" }, { true, "two" }, { false, "three" }, { true, "-" }, { false, "-" },
	};
	size_t i;

	ck_assert_uint_eq(o.nscripts, 5);
	for (i = 0; i < 5; i++) {
		ck_assert_int_eq(o.scripts[i].is_file, want[i].is_file);
		ck_assert_str_eq(o.scripts[i].text, want[i].text);
	}
	options_done(&o);
}
END_TEST

START_TEST(several_gdb_addresses)
{
	struct options o = parse_good("-g|tcp:[::1]:7|-g|9|-g|unix:s|-g|stdio|-g|tcp:10.0.0.1:1|img");

	ck_assert_uint_eq(o.ngdb, 5);
	ck_assert_str_eq(o.gdb[0].host, "::1");
	ck_assert_uint_eq(o.gdb[0].port, 7);
	ck_assert_str_eq(o.gdb[1].host, "127.0.0.1");
	ck_assert_str_eq(o.gdb[2].path, "s");
	ck_assert_int_eq(o.gdb[3].kind, ADDR_STDIO);
	ck_assert(o.gdb[4].exposed && !o.gdb[1].exposed);
	options_done(&o);
}
END_TEST

START_TEST(the_last_one_counts)
{
	struct options o = parse_good("-m|1G|-m|2M|-a|x|-a||-M|unix:a|-M|none|-s|pty|-s|none|-k|elf|-k|auto|--irqchip=user|"
				      "--irqchip=kvm|--sandbox=off|--sandbox=on|img");

	ck_assert_uint_eq(o.memory, 2 * MIB);
	ck_assert_str_eq(o.append, "");
	ck_assert_int_eq(o.monitor.kind, ADDR_NONE);
	ck_assert_ptr_null(o.monitor.path);
	ck_assert_str_eq(o.serial, "none");
	ck_assert_int_eq(o.kind, IMAGE_AUTO);
	ck_assert(!o.user_irqchip);
	ck_assert_int_eq(o.sandbox, SANDBOX_ON);
	options_done(&o);
	o = parse_good("-b|a|-b|b|--vga-bios=c|--vga-bios=d|--nvram=e,snapshot|--nvram=f");
	ck_assert_str_eq(o.bios, "b");
	ck_assert_str_eq(o.vga_bios, "d");
	ck_assert_str_eq(o.nvram.path, "f");
	ck_assert(!o.nvram.snapshot);
	options_done(&o);
}
END_TEST

static const char *const good[] = {
	"--demo", "-h", "--help", "-V", "--version", "-h|a|--demo", "--demo|-g|none", "--demo|-g|stdio|-s|stdio",
	"--demo|-g|stdio|-M|none", "--demo|-M|stdio", "--demo|-x|-", "--demo|-c|64", "--|-x", "-", "--demo|-d|d", "--demo|-k|elf",
};

START_TEST(these_are_fine)
{
	struct options o;

	o = parse_good(good[_i]);
	options_done(&o);
}
END_TEST

START_TEST(environment_does_not_matter)
{
	struct options o;

	setenv("POSIXLY_CORRECT", "1", 1);
	o = parse_good("img|-c|2");
	ck_assert_uint_eq(o.cpus, 2);
	options_done(&o);
}
END_TEST

START_TEST(rows_are_sound)
{
	const struct option_row *a, *b;
	size_t i, k;

	for (i = 0; (a = options_row(i)); i++) {
		ck_assert_ptr_nonnull(a->name);
		ck_assert_ptr_nonnull(a->help);
		ck_assert_msg(!a->arg == !a->parse, "--%s: an argument and no parser, or none and one", a->name);
		for (k = 0; k < i; k++) {
			b = options_row(k);
			ck_assert_str_ne(a->name, b->name);
			ck_assert(!a->letter || a->letter != b->letter);
		}
	}
	ck_assert_uint_eq(i, 36);
	ck_assert_ptr_null(options_row(i + 1));
}
END_TEST

START_TEST(help_shows_every_row)
{
	const struct option_row *row;
	struct out_buf b;
	char want[64], *line, *end;
	size_t i;

	out_buf_init(&b);
	options_help(&b.out);
	for (i = 0; (row = options_row(i)); i++) {
		snprintf(want, sizeof(want), "--%s%s%s ", row->name, row->arg ? "=" : "",
			 row->arg ? row->arg : "");
		line = strstr(b.text, want);
		ck_assert_msg(line, "no line has '%s'", want);
		end = strchr(line, '\n');
		ck_assert_msg(end - line > (long)strlen(row->help) &&
			      strncmp(end - strlen(row->help), row->help, strlen(row->help)) == 0,
			      "--%s: its help is missing", row->name);
		if (row->letter) {
			ck_assert_int_eq(line[-3], row->letter);
			ck_assert_int_eq(line[-4], '-');
		}
	}
	for (line = b.text; *line; line = end + 1) {
		end = strchr(line, '\n');
		ck_assert_ptr_nonnull(end);
		ck_assert_msg(end - line <= 90, "a line of %ld columns", (long)(end - line));
	}
	out_buf_done(&b);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("opt");
	TCase *t = tcase_create("opt");

	tcase_add_test(t, defaults);
	tcase_add_test(t, every_option_both_ways);
	tcase_add_loop_test(t, affinities, 0, 7);
	tcase_add_test(t, as_many_host_cpus_as_there_can_be);
	tcase_add_test(t, linux_entries);
	tcase_add_loop_test(t, kaslr, 0, 7);
	tcase_add_loop_test(t, memory_sizes, 0, COUNT(sizes));
	tcase_add_test(t, modules_have_arguments);
	tcase_add_loop_test(t, disks_have_options, 0, COUNT(disks));
	tcase_add_loop_test(t, disks_on_virtio, 0, COUNT(virtio_disks));
	tcase_add_test(t, other_virtio_devices);
	tcase_add_test(t, drives_keep_their_order);
	tcase_add_loop_test(t, what_starts_the_machine, 0, COUNT(starts));
	tcase_add_test(t, variables);
	tcase_add_test(t, scripts_keep_their_order);
	tcase_add_test(t, several_gdb_addresses);
	tcase_add_test(t, the_last_one_counts);
	tcase_add_loop_test(t, these_are_fine, 0, COUNT(good));
	tcase_add_test(t, environment_does_not_matter);
	tcase_add_test(t, rows_are_sound);
	tcase_add_test(t, help_shows_every_row);
	suite_add_tcase(s, t);
	return unit_main(s);
}
