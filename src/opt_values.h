/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the command line's options take: a function for each that has an argument.  Private to opt.c and opt_values.c. */
#ifndef GV_OPT_VALUES_H
#define GV_OPT_VALUES_H

#include "opt.h"

/* Reads ARG into *O.  -EINVAL or -ENAMETOOLONG: what is wrong with it is in ERR; -ENOMEM. */
typedef int opt_parse(struct options *o, const char *arg, struct err *err);

opt_parse opt_parse_kind, opt_parse_mode, opt_parse_load, opt_parse_entry, opt_parse_kaslr, opt_parse_memory,
	opt_parse_cpus, opt_parse_affinity, opt_parse_dirty_log, opt_parse_tdesc, opt_parse_append, opt_parse_initrd,
	opt_parse_disk, opt_parse_cdrom, opt_parse_bios, opt_parse_nvram, opt_parse_vga_bios, opt_parse_symbols,
	opt_parse_unclaimed, opt_parse_irqchip, opt_parse_console, opt_parse_gdb, opt_parse_log_packets,
	opt_parse_monitor, opt_parse_script, opt_parse_execute, opt_parse_serial, opt_parse_sandbox;

/* Puts a copy of TEXT in place of *DST; -ENOMEM. */
int opt_set_text(char **dst, const char *text, struct err *err);

#endif
