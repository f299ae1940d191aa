/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line and the files that it names, with each call failing once: there is an error with its line, or everything that
 * was asked for is there; an argument is not lost in silence.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest_files.h"
#include "tests/faults/sweep.h"

#define ARGS_MAX  40
#define FILE_SIZE 0x3000

static char dir[] = "/tmp/gv-faults-XXXXXX", file[64], module[80], rom[64], nvram[80], readonly[80], virtio[80];
static struct err err;

struct line {
	const char *name;
	const char *args[ARGS_MAX];
	void (*check)(const struct options *o, const struct machine_config *c);
};

static void must(bool holds, const char *what)
{
	if (!holds)
		wrong("%s: not so, and no error", what);
}

static bool is(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

static void has_all(const struct options *o, const struct machine_config *c)
{
	must(o->ngdb == 2 && o->nscripts == 2 && c->naffinity == 3 && c->affinity[2] == 0, "two addresses, two scripts, three CPUs");
	must(is(o->log_packets, "log") && is(o->serial, "none") && is(c->load.append, "a command line"), "names and the command line");
	must(c->load.nmodules == 2 && c->load.modules[0].size == FILE_SIZE && c->load.modules[1].size == FILE_SIZE, "two modules");
	must(is(c->load.modules[0].args, "one two") && !c->load.modules[1].args, "the first one's arguments");
	must(c->symbols.size == FILE_SIZE && c->image.size == FILE_SIZE && is(c->image.path, file), "symbols and an image");
}

static void has_firmware(const struct options *o, const struct machine_config *c)
{
	must(is(o->bios, file) && c->image.size == FILE_SIZE && c->load.kind == IMAGE_BIOS, "firmware");
	must(c->ndisks == 2 && c->disks[0].readonly && is(c->disks[0].path, file) && c->disks[1].cdrom, "a disk and a CD");
	must(c->nvirtio_disks == 1 && is(c->virtio_disks[0].path, file) && !c->virtio_disks[0].readonly, "a virtio disk");
	must(c->nvram && c->nvram->snapshot && is(c->nvram->path, file), "variables");
	must(c->vga_bios && c->vga_bios->size == 512, "an option ROM");
}

static void has_demo(const struct options *o, const struct machine_config *c)
{
	must(o->demo && c->image.size == 4 && !memcmp(c->image.data, "demo", 4), "the built-in guest");
}

static const struct line lines[] = {
	{ "a kernel", { "-m", "64M", "-c", "2", "--affinity", "0-1,0", "-g", "tcp:127.0.0.1:0", "-g", "unix:socket", "-M", "unix:monitor",
			"-e", "stepi", "-x", "-", "-a", "a command line", "-i", module, "-i", file, "-s", "none", "--log-packets", "log",
			"--symbols", file, file }, has_all },
	{ "firmware", { "--bios", file, "--nvram", nvram, "--vga-bios", rom, "-d", readonly, "-d", virtio, "--cdrom", file }, has_firmware },
	{ "the built-in guest", { "--demo" }, has_demo },
};

/* From the command line to what a machine is made from, and back to nothing. */
static int begin(const struct line *line)
{
	char *argv[ARGS_MAX + 2] = { (char *)(uintptr_t)"gdbvisor" };
	struct guest_files files = { 0 };
	struct machine_config c;
	struct options o;
	int argc = 1, r;

	for (; line->args[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)line->args[argc - 1];
	r = options_parse(argc, argv, &o, &err);
	if (r)
		return r;
	r = guest_files_read(&files, &o, "demo", 4, &c, &err);
	if (!r) {
		line->check(&o, &c);
		blob_done(&c.image);
		blob_done(&c.symbols);
	}
	guest_files_done(&files);
	options_done(&o);
	return r;
}

static void live(void)
{
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		fault_phase(i + 1);
		if (judge_failure(lines[i].name, begin(&lines[i]), &err) && begin(&lines[i]))
			wrong("%s: refused afterwards: %s", lines[i].name, err.msg);
	}
}

int main(void)
{
	static const struct life lives[] = { { "command line", live, 1u << FAULT_ALLOC | 1u << FAULT_OPEN, 200, 100 } };
	/* A unit of 512 bytes whose sum is 0. */
	static const uint8_t head[] = { 0x55, 0xaa, 1, 0 };
	int r;

	if (!mkdtemp(dir))
		wrong("%s: %s", dir, strerror(errno));
	sweep_file(file, sizeof(file), dir, "file", NULL, 0, FILE_SIZE);
	sweep_file(rom, sizeof(rom), dir, "rom", head, sizeof(head), 512);
	snprintf(module, sizeof(module), "%s one two", file);
	snprintf(nvram, sizeof(nvram), "%s,snapshot", file);
	snprintf(readonly, sizeof(readonly), "%s,ro", file);
	snprintf(virtio, sizeof(virtio), "%s,virtio", file);
	r = sweep(lives, sizeof(lives) / sizeof(lives[0]));
	unlink(file);
	unlink(rom);
	rmdir(dir);
	return r;
}
