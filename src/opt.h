/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line: one table gives what is parsed, the help text and what the manual is checked against. */
#ifndef GV_OPT_H
#define GV_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"
#include "api/out.h"
#include "api/regs.h"
#include "load/load.h"
#include "util/addr.h"

/* A module or initrd: "FILE args..." */
struct option_module {
	char *path;
	char *args;             /* NULL: none */
};

/* A drive on an IDE channel, or on virtio, in the order given. */
struct option_disk {
	char *path;
	bool readonly, snapshot;
	bool cdrom;                     /* then readonly, too */
	bool virtio;                    /* not with cdrom */
};

#define OPTION_DISKS_MAX  4u            /* with the CDs */
#define OPTION_VIRTIO_MAX 8u            /* besides */

enum sandbox_choice {
	SANDBOX_DEFAULT,                /* on, where this host and program can */
	SANDBOX_ON,                     /* or nothing starts */
	SANDBOX_OFF,
};

#define OPTION_HOST_CPU_MAX 8191u       /* the largest number of a host CPU: as many as Linux can be built for */
#define OPTION_AFFINITY_MAX 1024u       /* entries of a list of them */

/* One -x or -e. */
struct option_script {
	bool is_file;           /* text is a file's name ("-": standard input), else a command */
	char *text;
};

/* What the command line said, or its defaults.  Everything in it is owned. */
struct options {
	enum image_kind kind;           /* IMAGE_AUTO; -k bios is in bios */
	bool has_load, has_entry, has_mode;
	uint64_t load, entry;           /* gpa; entry is linear */
	bool entry_pvh;                 /* --entry=pvh: has_entry, and entry 0 */
	bool decompress;
	enum kaslr kaslr;
	uint64_t slide;                 /* KASLR_SLIDE: bytes */
	enum boot_mode mode;
	uint64_t memory;                /* bytes, a multiple of 4 KiB; 128 MiB */
	unsigned cpus;                  /* 1 to MACHINE_CPUS_MAX; 1 */
	unsigned *affinity;             /* host CPUs that the vCPUs' threads are put on in turn; may not be there; NULL: anywhere */
	size_t naffinity;
	unsigned tdesc;          /* how gdb is to see the registers; REG_CHOICE_AUTO */
	bool dirty_ring;                /* dirty logs come from rings */
	char *append;                   /* NULL: none */
	struct option_module *modules;
	size_t nmodules;
	struct option_disk *disks;
	size_t ndisks;                  /* at most OPTION_DISKS_MAX, and OPTION_VIRTIO_MAX of virtio */
	bool rng;                       /* a virtio device for random numbers */
	bool virtio_console;            /* the serial line has a virtio console on it, too */
	char *bios;                     /* the firmware's file (also the IMAGE of -k bios); NULL: none is named */
	struct option_disk nvram;       /* path NULL: none; never with an image or demo, and readonly and cdrom never set */
	char *vga_bios;                 /* NULL: none; never with an image or demo */
	char *symbols;                  /* an ELF file; NULL: what the image has */
	bool stop_unclaimed;            /* accesses that no device claims stop the guest */
	enum sandbox_choice sandbox;    /* SANDBOX_DEFAULT */
	bool user_irqchip;              /* PIC and PIT are the VMM's, not KVM's */
	struct addr *gdb;               /* empty: a private unix socket; ADDR_NONE stands alone */
	size_t ngdb;
	char *log_packets;              /* a file; NULL: none */
	bool has_monitor;               /* else: the terminal, if there is one */
	struct addr monitor;            /* ADDR_STDIO, ADDR_UNIX, ADDR_NONE */
	struct option_script *scripts;  /* in the order given */
	size_t nscripts;
	char *serial;                   /* for serial_new(); "stdio" */
	bool run, demo, json, verbose, help, version;
	/*
	 * NULL with demo, and perhaps with help and version.  NULL without any of these: firmware starts the machine,
	 * `bios` or, with disks alone, the one that is installed.
	 */
	char *image;
	bool image_is_bios;             /* while the command line is read: -k bios */
};

/* One option, as the table has it. */
struct option_row {
	char letter;                    /* 0: only the long name */
	const char *name;               /* long name, without the dashes */
	const char *arg;                /* what the argument is called, NULL: takes none */
	const char *help;               /* one line */
	size_t flag;                    /* without an argument: offset of the bool it sets in struct options */
	int (*parse)(struct options *o, const char *arg, struct err *err);
};

/*
 * Reads the command line ARGV[1] to ARGV[ARGC - 1].  -EINVAL or -ENAMETOOLONG: wrong usage, the option and the
 * mistake named in ERR; -ENOMEM.  Prints nothing, opens no file; may be called again.  Not thread-safe (getopt).
 */
int options_parse(int argc, char **argv, struct options *ret, struct err *err);
/* The last part of it: contradictions between options, which none alone could see.  -EINVAL. */
int options_check(const struct options *o, struct err *err);
/* Frees what *O owns and zeroes it. */
void options_done(struct options *o);

/* Writes the --help text. */
void options_help(struct out *o);

/* The I-th row of the table, in the order of --help; NULL past the end. */
const struct option_row *options_row(size_t i);

#endif
