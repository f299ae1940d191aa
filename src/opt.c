/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "opt.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/machine.h"
#include "util/num.h"

#define MIB             (1ull << 20)
#define PAGE            4096u
#define HELP_COLUMN     26

#define KIND_BIOS       (-1)    /* among the kinds: the image is no image, but the firmware */

struct word {
	const char *text;
	int value;
};

static const struct word kinds[] = {
	{ "auto", IMAGE_AUTO },
	{ "flat", IMAGE_FLAT },
	{ "elf", IMAGE_ELF },
	{ "multiboot", IMAGE_MULTIBOOT },
	{ "linux", IMAGE_LINUX },
	{ "bios", KIND_BIOS },
	{ 0 },
};

static const struct word modes[] = {
	{ "real", BOOT_REAL },
	{ "protected", BOOT_PROTECTED },
	{ "long", BOOT_LONG },
	{ 0 },
};

static const struct word kaslrs[] = {
	{ "off", KASLR_OFF },
	{ "on", KASLR_ON },
	{ 0 },
};

static const struct word dirty_logs[] = {
	{ "bitmap", false },
	{ "ring", true },
	{ 0 },
};

static const struct word unclaimeds[] = {
	{ "ignore", false },
	{ "stop", true },
	{ 0 },
};

static const struct word irqchips[] = {
	{ "kvm", false },
	{ "user", true },
	{ 0 },
};

static const struct word consoles[] = {
	{ "com1", false },
	{ "virtio", true },
	{ 0 },
};

static const struct word tdescs[] = {
	{ "auto", REG_CHOICE_AUTO },
	{ "i8086", REG_CHOICE_I8086 },
	{ "i386", REG_CHOICE_I386 },
	{ "x86-64", REG_CHOICE_X86_64 },
	{ 0 },
};

static int no_memory(struct err *err)
{
	return err_set(err, ENOMEM, "no memory");
}

/* Puts a copy of TEXT in place of *DST. */
static int set_text(char **dst, const char *text, struct err *err)
{
	char *copy = strdup(text);

	if (!copy)
		return no_memory(err);
	free(*dst);
	*dst = copy;
	return 0;
}

/* ARRAY of N elements of SIZE bytes, moved, with a zeroed one more at its end; NULL without memory. */
static void *grow(void *array, size_t n, size_t size)
{
	char *p = reallocarray(array, n + 1, size);

	if (p)
		memset(p + n * size, 0, size);
	return p;
}

static int find_word(const struct word *w, const char *arg, int *ret, struct err *err)
{
	char list[80];
	size_t at = 0;

	for (; w->text; w++) {
		if (strcmp(w->text, arg) == 0) {
			*ret = w->value;
			return 0;
		}
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", at ? ", " : "", w->text);
	}
	return err_set(err, EINVAL, "not one of %s", list);
}

static int parse_kind(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(kinds, arg, &value, err);

	if (r == 0) {
		o->image_is_bios = value == KIND_BIOS;
		o->kind = o->image_is_bios ? IMAGE_AUTO : (enum image_kind)value;
	}
	return r;
}

static int parse_mode(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(modes, arg, &value, err);

	if (r == 0) {
		o->mode = (enum boot_mode)value;
		o->has_mode = true;
	}
	return r;
}

static int parse_gpa(const char *arg, uint64_t *ret, bool *ret_has, struct err *err)
{
	if (num_parse(arg, strlen(arg), ret) < 0)
		return err_set(err, EINVAL, "not an address (try 0x7c00)");
	*ret_has = true;
	return 0;
}

static int parse_load(struct options *o, const char *arg, struct err *err)
{
	return parse_gpa(arg, &o->load, &o->has_load, err);
}

static int parse_entry(struct options *o, const char *arg, struct err *err)
{
	uint64_t entry = 0;
	bool pvh = !strcmp(arg, "pvh");
	int r = pvh ? 0 : parse_gpa(arg, &entry, &o->has_entry, err);

	if (r)
		return r;
	o->entry = entry;
	o->entry_pvh = pvh;
	o->has_entry = true;
	return 0;
}

static int parse_kaslr(struct options *o, const char *arg, struct err *err)
{
	size_t i;

	for (i = 0; kaslrs[i].text; i++)
		if (!strcmp(kaslrs[i].text, arg)) {
			o->kaslr = (enum kaslr)kaslrs[i].value;
			return 0;
		}
	if (num_parse(arg, strlen(arg), &o->slide))
		return err_set(err, EINVAL, "neither off nor on, nor how far to move the kernel (try 0x1000000 or 16M)");
	o->kaslr = KASLR_SLIDE;
	return 0;
}

static int parse_memory(struct options *o, const char *arg, struct err *err)
{
	size_t len = strlen(arg);
	uint64_t size;
	int r = num_parse(arg, len, &size);

	/* A bare number counts MiB, as other VMMs have it. */
	if (r == 0 && !num_has_suffix(arg, len) && __builtin_mul_overflow(size, MIB, &size))
		r = -ERANGE;
	if (r == -ERANGE)
		return err_set(err, EINVAL, "too large");
	if (r < 0)
		return err_set(err, EINVAL, "not a size (try 128M)");
	if (size < MIB)
		return err_set(err, EINVAL, "a guest needs 1M at least");
	if (size % PAGE)
		return err_set(err, EINVAL, "not a multiple of the page size, 4K");
	o->memory = size;
	return 0;
}

static int parse_cpus(struct options *o, const char *arg, struct err *err)
{
	uint64_t n;

	if (num_parse(arg, strlen(arg), &n) < 0 || n < 1 || n > MACHINE_CPUS_MAX)
		return err_set(err, EINVAL, "not a number of vCPUs (1 to %d)", MACHINE_CPUS_MAX);
	o->cpus = (unsigned)n;
	return 0;
}

static int parse_dirty_log(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(dirty_logs, arg, &value, err);

	if (r == 0)
		o->dirty_ring = value;
	return r;
}

static int parse_tdesc(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(tdescs, arg, &value, err);

	if (r == 0)
		o->tdesc = (enum reg_choice)value;
	return r;
}

static int parse_append(struct options *o, const char *arg, struct err *err)
{
	return set_text(&o->append, arg, err);
}

static int parse_initrd(struct options *o, const char *arg, struct err *err)
{
	const char *space = strchrnul(arg, ' ');
	struct option_module *m;

	if (space == arg)
		return err_set(err, EINVAL, "no file is named");
	m = grow(o->modules, o->nmodules, sizeof(*m));
	if (!m)
		return no_memory(err);
	o->modules = m;
	m += o->nmodules++;
	m->path = strndup(arg, (size_t)(space - arg));
	space += strspn(space, " ");
	if (*space)
		m->args = strdup(space);
	return m->path && (m->args || !*space) ? 0 : no_memory(err);
}

/* Takes WORD off the end of TEXT, of *LEN bytes; once, so that a file whose own name ends like that can still be named. */
static void take_suffix(const char *text, size_t *len, const char *word, bool *flag)
{
	size_t n = strlen(word);

	if (*flag || *len < n || memcmp(text + *len - n, word, n) != 0)
		return;
	*len -= n;
	*flag = true;
}

static unsigned count_disks(const struct options *o, bool virtio)
{
	unsigned n = 0;

	for (size_t i = 0; i < o->ndisks; i++)
		n += o->disks[i].virtio == virtio;
	return n;
}

static int add_disk(struct options *o, const char *path, size_t len, const struct option_disk *how, struct err *err)
{
	struct option_disk *d;

	if (!len)
		return err_set(err, EINVAL, "no file is named");
	if (how->virtio && count_disks(o, true) == OPTION_VIRTIO_MAX)
		return err_set(err, EINVAL, "more than %u virtio disks", OPTION_VIRTIO_MAX);
	if (!how->virtio && count_disks(o, false) == OPTION_DISKS_MAX)
		return err_set(err, EINVAL, "more than %u disks and CDs", OPTION_DISKS_MAX);
	d = grow(o->disks, o->ndisks, sizeof(*d));
	if (!d)
		return no_memory(err);
	o->disks = d;
	d += o->ndisks++;
	*d = *how;
	d->path = strndup(path, len);
	return d->path ? 0 : no_memory(err);
}

static int parse_disk(struct options *o, const char *arg, struct err *err)
{
	struct option_disk how = { 0 };
	size_t len = strlen(arg), before;

	do {
		before = len;
		take_suffix(arg, &len, ",ro", &how.readonly);
		take_suffix(arg, &len, ",snapshot", &how.snapshot);
		take_suffix(arg, &len, ",virtio", &how.virtio);
	} while (len != before);
	return add_disk(o, arg, len, &how, err);
}

static int parse_cdrom(struct options *o, const char *arg, struct err *err)
{
	static const struct option_disk how = { .readonly = true, .cdrom = true };

	return add_disk(o, arg, strlen(arg), &how, err);
}

static int set_file(char **dst, const char *arg, struct err *err)
{
	if (!*arg)
		return err_set(err, EINVAL, "no file is named");
	return set_text(dst, arg, err);
}

static int parse_bios(struct options *o, const char *arg, struct err *err)
{
	return set_file(&o->bios, arg, err);
}

static int parse_nvram(struct options *o, const char *arg, struct err *err)
{
	bool snapshot = false;
	size_t len = strlen(arg);
	char *path;

	take_suffix(arg, &len, ",snapshot", &snapshot);
	if (!len)
		return err_set(err, EINVAL, "no file is named");
	path = strndup(arg, len);
	if (!path)
		return no_memory(err);
	free(o->nvram.path);
	o->nvram = (struct option_disk){ .path = path, .snapshot = snapshot };
	return 0;
}

static int parse_vga_bios(struct options *o, const char *arg, struct err *err)
{
	return set_file(&o->vga_bios, arg, err);
}

static int parse_symbols(struct options *o, const char *arg, struct err *err)
{
	return set_file(&o->symbols, arg, err);
}

static int parse_unclaimed(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(unclaimeds, arg, &value, err);

	if (r == 0)
		o->stop_unclaimed = value;
	return r;
}

static int parse_irqchip(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(irqchips, arg, &value, err);

	if (r == 0)
		o->user_irqchip = value;
	return r;
}

static int parse_console(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(consoles, arg, &value, err);

	if (r == 0)
		o->virtio_console = value;
	return r;
}

static int parse_gdb(struct options *o, const char *arg, struct err *err)
{
	struct addr *a = grow(o->gdb, o->ngdb, sizeof(*a));
	int r;

	if (!a)
		return no_memory(err);
	o->gdb = a;
	r = addr_parse(arg, ADDR_FOR_GDB, a + o->ngdb, err);
	if (r == 0)
		o->ngdb++;
	return r;
}

static int parse_log_packets(struct options *o, const char *arg, struct err *err)
{
	return set_file(&o->log_packets, arg, err);
}

static int parse_monitor(struct options *o, const char *arg, struct err *err)
{
	struct addr a;
	int r = addr_parse(arg, ADDR_FOR_MONITOR, &a, err);

	if (r < 0)
		return r;
	addr_done(&o->monitor);
	o->monitor = a;
	o->has_monitor = true;
	return 0;
}

static int add_script(struct options *o, bool is_file, const char *arg, struct err *err)
{
	struct option_script *s;

	if (!*arg)
		return err_set(err, EINVAL, is_file ? "no file is named" : "no command is given");
	s = grow(o->scripts, o->nscripts, sizeof(*s));
	if (!s)
		return no_memory(err);
	o->scripts = s;
	s += o->nscripts++;
	s->is_file = is_file;
	return set_text(&s->text, arg, err);
}

static int parse_script(struct options *o, const char *arg, struct err *err)
{
	return add_script(o, true, arg, err);
}

static int parse_execute(struct options *o, const char *arg, struct err *err)
{
	return add_script(o, false, arg, err);
}

static int parse_serial(struct options *o, const char *arg, struct err *err)
{
	struct addr a;
	int r = addr_parse(arg, ADDR_FOR_SERIAL, &a, err);

	if (r < 0)
		return r;
	addr_done(&a);
	return set_text(&o->serial, arg, err);
}

#define FLAG(member) offsetof(struct options, member), NULL

static const struct option_row rows[] = {
	{ 'k', "kind", "KIND", "auto (default), flat, elf, multiboot, linux, bios", 0, parse_kind },
	{ 0, "load", "ADDR", "flat image: where it goes, default 0x7c00", 0, parse_load },
	{ 0, "entry", "ADDR", "first instruction; Linux: 16, 32, 64 or pvh", 0, parse_entry },
	{ 0, "mode", "MODE", "flat image: real (default), protected, long", 0, parse_mode },
	{ 0, "decompress", NULL, "Linux: start the kernel that is packed in the bzImage", FLAG(decompress) },
	{ 0, "kaslr", "WHERE", "Linux: off, on, or how far to move the kernel, as 16M", 0, parse_kaslr },
	{ 0, "symbols", "FILE", "ELF file (vmlinux) with the symbols of IMAGE or firmware", 0, parse_symbols },
	{ 'm', "memory", "SIZE", "guest RAM, default 128M (K, M, G suffixes)", 0, parse_memory },
	{ 'c', "cpus", "N", "vCPUs, default 1", 0, parse_cpus },
	{ 0, "dirty-log", "KIND", "dirty logs by bitmap (default) or ring", 0, parse_dirty_log },
	{ 'a', "append", "TEXT", "kernel or Multiboot command line", 0, parse_append },
	{ 'i', "initrd", "FILE", "initrd, or Multiboot module \"FILE ARGS...\" (repeatable)", 0, parse_initrd },
	{ 'd', "disk", "FILE", "disk: FILE[,ro][,snapshot][,virtio] (repeatable)", 0, parse_disk },
	{ 0, "cdrom", "FILE", "ATAPI CD-ROM (repeatable)", 0, parse_cdrom },
	{ 'b', "bios", "FILE", "firmware, which starts the machine (found by itself)", 0, parse_bios },
	{ 0, "nvram", "FILE", "UEFI's variables, beside --bios: FILE[,snapshot]", 0, parse_nvram },
	{ 0, "vga-bios", "FILE", "option ROM for the screen", 0, parse_vga_bios },
	{ 0, "irqchip", "KIND", "PIC and PIT: kvm (default) or user, in this program", 0, parse_irqchip },
	{ 0, "console", "KIND", "guest's end of the serial line: com1 (default) or virtio, too", 0, parse_console },
	{ 0, "rng", NULL, "random numbers for the guest, by virtio", FLAG(rng) },
	{ 'g', "gdb", "ADDR", "unix:PATH, tcp:[HOST:]PORT, stdio, none (repeatable)", 0, parse_gdb },
	{ 0, "log-packets", "FILE", "write gdb's packets, decoded, to FILE", 0, parse_log_packets },
	{ 0, "tdesc", "KIND", "registers gdb sees: auto (default), i8086, i386, x86-64", 0, parse_tdesc },
	{ 'M', "monitor", "ADDR", "stdio (default on a terminal), unix:PATH, none", 0, parse_monitor },
	{ 'x', "script", "FILE", "run a monitor script, then exit (-: standard input)", 0, parse_script },
	{ 'e', "execute", "CMD", "run a monitor command, then exit", 0, parse_execute },
	{ 's', "serial", "ADDR", "COM1: stdio (default), file:PATH, unix:PATH, pty, none", 0, parse_serial },
	{ 'r', "run", NULL, "do not wait stopped", FLAG(run) },
	{ 0, "unclaimed", "KIND", "accesses no device claims: ignore (default) or stop", 0, parse_unclaimed },
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
	return set_text(&o->image, arg, err);
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
	int r = set_text(&o.serial, "stdio", err);

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
