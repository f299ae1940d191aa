/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "opt.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "opt_values.h"

#define MIB             (1ull << 20)
#define HELP_COLUMN     26

#define FLAG(member) offsetof(struct options, member), NULL

static const struct option_row rows[] = {
	{ 'k', "kind", "KIND", "auto (default), flat, elf, multiboot, linux, bios", 0, opt_parse_kind },
	{ 0, "load", "ADDR", "flat image: where it goes, default 0x7c00", 0, opt_parse_load },
	{ 0, "entry", "ADDR", "first instruction; Linux: 16, 32, 64 or pvh", 0, opt_parse_entry },
	{ 0, "mode", "MODE", "flat image: real (default), protected, long", 0, opt_parse_mode },
	{ 0, "decompress", NULL, "Linux: start the kernel that is packed in the bzImage", FLAG(decompress) },
	{ 0, "kaslr", "WHERE", "Linux: off, on, or how far to move the kernel, as 16M", 0, opt_parse_kaslr },
	{ 0, "symbols", "FILE", "ELF file (vmlinux) with the symbols of IMAGE or firmware", 0, opt_parse_symbols },
	{ 'm', "memory", "SIZE", "guest RAM, default 128M (K, M, G suffixes)", 0, opt_parse_memory },
	{ 'c', "cpus", "N", "vCPUs, default 1", 0, opt_parse_cpus },
	{ 0, "affinity", "LIST", "host CPUs of the vCPUs' threads, in turn, as 0-1,3", 0, opt_parse_affinity },
	{ 0, "dirty-log", "KIND", "dirty logs by bitmap (default) or ring", 0, opt_parse_dirty_log },
	{ 'a', "append", "TEXT", "kernel or Multiboot command line", 0, opt_parse_append },
	{ 'i', "initrd", "FILE", "initrd, or Multiboot module \"FILE ARGS...\" (repeatable)", 0, opt_parse_initrd },
	{ 'd', "disk", "FILE", "disk: FILE[,ro][,snapshot][,virtio] (repeatable)", 0, opt_parse_disk },
	{ 0, "cdrom", "FILE", "ATAPI CD-ROM (repeatable)", 0, opt_parse_cdrom },
	{ 'b', "bios", "FILE", "firmware, which starts the machine (found by itself)", 0, opt_parse_bios },
	{ 0, "nvram", "FILE", "UEFI's variables, beside --bios: FILE[,snapshot]", 0, opt_parse_nvram },
	{ 0, "vga-bios", "FILE", "option ROM for the screen", 0, opt_parse_vga_bios },
	{ 0, "irqchip", "KIND", "PIC and PIT: kvm (default) or user, in this program", 0, opt_parse_irqchip },
	{ 0, "console", "KIND", "guest's end of the serial line: com1 (default) or virtio, too", 0, opt_parse_console },
	{ 0, "rng", NULL, "random numbers for the guest, by virtio", FLAG(rng) },
	{ 'g', "gdb", "ADDR", "unix:PATH, tcp:[HOST:]PORT, stdio, none (repeatable)", 0, opt_parse_gdb },
	{ 0, "log-packets", "FILE", "write gdb's packets, decoded, to FILE", 0, opt_parse_log_packets },
	{ 0, "tdesc", "KIND", "registers gdb sees: auto (default), i8086, i386, x86-64", 0, opt_parse_tdesc },
	{ 'M', "monitor", "ADDR", "stdio (default on a terminal), unix:PATH, none", 0, opt_parse_monitor },
	{ 'x', "script", "FILE", "run a monitor script, then exit (-: standard input)", 0, opt_parse_script },
	{ 'e', "execute", "CMD", "run a monitor command, then exit", 0, opt_parse_execute },
	{ 's', "serial", "ADDR", "COM1: stdio (default), file:PATH, unix:PATH, pty, none", 0, opt_parse_serial },
	{ 0, "sandbox", "KIND", "on (default), off: give up rights before the first packet", 0, opt_parse_sandbox },
	{ 'r', "run", NULL, "do not wait stopped", FLAG(run) },
	{ 0, "unclaimed", "KIND", "accesses no device claims: ignore (default) or stop", 0, opt_parse_unclaimed },
	{ 0, "demo", NULL, "the built-in guest, to try things on", FLAG(demo) },
	{ 'j', "json", NULL, "command output as JSON", FLAG(json) },
	{ 'v', "verbose", NULL, "say more about what happens", FLAG(verbose) },
	{ 'V', "version", NULL, "print the version and exit", FLAG(version) },
	{ 'h', "help", NULL, "print this help and exit", FLAG(help) },
};

#define NROWS           (sizeof(rows) / sizeof(rows[0]))
#define LONG_BASE       256     /* getopt's value for row i: LONG_BASE + i by its name, the letter by its letter */

const struct option_row *options_row(size_t i)
{
	return i < NROWS ? &rows[i] : NULL;
}

static const struct option_row *find_row(int value)
{
	size_t i;

	if (value >= LONG_BASE)
		return options_row((size_t)(value - LONG_BASE));
	for (i = 0; i < NROWS; i++)
		if (rows[i].letter && rows[i].letter == value)
			return &rows[i];
	return NULL;
}

/* getopt_long()'s arrays, made from the table. */
static void make_arrays(char *letters, struct option *longs)
{
	size_t i;

	/* In the order given, whatever the environment says, and without a word on standard error. */
	*letters++ = '-';
	*letters++ = ':';
	for (i = 0; i < NROWS; i++) {
		longs[i].name = rows[i].name;
		longs[i].has_arg = rows[i].arg ? required_argument : no_argument;
		longs[i].val = LONG_BASE + (int)i;
		if (!rows[i].letter)
			continue;
		*letters++ = rows[i].letter;
		if (rows[i].arg)
			*letters++ = ':';
	}
}

/* How many long options begin as the word in TEXT, "--NAME" or "--NAME=VALUE", does. */
static unsigned count_matches(const char *text)
{
	size_t len = strcspn(text + 2, "="), i;
	unsigned n = 0;

	for (i = 0; i < NROWS; i++)
		n += strncmp(rows[i].name, text + 2, len) == 0;
	return n;
}

/* getopt_long() answered VALUE, '?' or ':', for WORD. */
static int bad_option(int value, const char *word, struct err *err)
{
	const struct option_row *row = find_row(optopt);

	if (optopt && optopt < LONG_BASE && !row)
		return err_set(err, EINVAL, "-%c: no such option (see --help)", optopt);
	if (value == ':' && optopt < LONG_BASE)
		return err_set(err, EINVAL, "-%c: its %s is missing", row->letter, row->arg);
	if (value == ':')
		return err_set(err, EINVAL, "--%s: its %s is missing", row->name, row->arg);
	if (row)
		return err_set(err, EINVAL, "--%s: takes no value", row->name);
	return err_set(err, EINVAL, count_matches(word) > 1 ? "%s: several options begin like that (see --help)" :
		       "%s: no such option (see --help)", word);
}

static int take_option(struct options *o, int value, const char *arg, struct err *err)
{
	const struct option_row *row = find_row(value);
	int r;

	if (!row->arg) {
		*(bool *)((char *)o + row->flag) = true;
		return 0;
	}
	r = row->parse(o, arg, err);
	if (r == 0)
		return 0;
	return value < LONG_BASE ? err_prefix(err, r, "-%c %s", row->letter, arg) :
				   err_prefix(err, r, "--%s=%s", row->name, arg);
}

static int take_image(struct options *o, const char *arg, struct err *err)
{
	if (o->image)
		return err_set(err, EINVAL, "more than one IMAGE: '%s' and '%s'", o->image, arg);
	if (!*arg)
		return err_set(err, EINVAL, "IMAGE is an empty name");
	return opt_set_text(&o->image, arg, err);
}

static int parse_words(struct options *o, int argc, char **argv, struct err *err)
{
	struct option longs[NROWS + 1] = { 0 };
	char letters[2 + 2 * NROWS + 1] = { 0 };
	int value, r = 0;

	make_arrays(letters, longs);
	optind = 0;                     /* glibc: start afresh */
	while (r == 0) {
		value = getopt_long(argc, argv, letters, longs, NULL);
		if (value == -1)
			break;
		if (value == '?' || value == ':')
			r = bad_option(value, argv[optind - 1], err);
		else if (value == 1)
			r = take_image(o, optarg, err);
		else
			r = take_option(o, value, optarg, err);
	}
	/* What follows a "--". */
	for (; r == 0 && optind < argc; optind++)
		r = take_image(o, argv[optind], err);
	return r;
}

int options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
	struct options o = { .memory = 128 * MIB, .cpus = 1 };
	int r = opt_set_text(&o.serial, "stdio", err);

	if (r == 0)
		r = parse_words(&o, argc, argv, err);
	if (r == 0)
		r = options_check(&o, err);
	if (r < 0) {
		options_done(&o);
		return r;
	}
	if (o.image && o.image_is_bios) {
		free(o.bios);
		o.bios = o.image;
		o.image = NULL;
	}
	*ret = o;
	return 0;
}

void options_done(struct options *o)
{
	size_t i;

	free(o->affinity);
	free(o->append);
	for (i = 0; i < o->nmodules; i++) {
		free(o->modules[i].path);
		free(o->modules[i].args);
	}
	free(o->modules);
	for (i = 0; i < o->ndisks; i++)
		free(o->disks[i].path);
	free(o->disks);
	free(o->bios);
	free(o->nvram.path);
	free(o->vga_bios);
	free(o->symbols);
	for (i = 0; i < o->ngdb; i++)
		addr_done(&o->gdb[i]);
	free(o->gdb);
	free(o->log_packets);
	addr_done(&o->monitor);
	for (i = 0; i < o->nscripts; i++)
		free(o->scripts[i].text);
	free(o->scripts);
	free(o->serial);
	free(o->image);
	*o = (struct options){ 0 };
}

void options_help(struct out *o)
{
	char label[64];
	size_t i;

	out_puts(o, "Usage: gdbvisor [OPTION...] [IMAGE]\n"
		    "Runs IMAGE as a guest under KVM, stopped at its first instruction, for a debugger.\n\n");
	for (i = 0; i < NROWS; i++) {
		snprintf(label, sizeof(label), "  %c%c%c --%s%s%s", rows[i].letter ? '-' : ' ',
			 rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ',' : ' ', rows[i].name,
			 rows[i].arg ? "=" : "", rows[i].arg ? rows[i].arg : "");
		out_printf(o, "%-*s%s\n", HELP_COLUMN, label, rows[i].help);
	}
}
