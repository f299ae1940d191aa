/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far the program has moved from where its symbols are linked, and what goes with it.  Loop thread. */
#ifndef GV_MONITOR_SLIDE_H
#define GV_MONITOR_SLIDE_H

#include <stdint.h>

#include "api/out.h"

struct monitor;

/* Writes how far SLIDE is, as "+0x600000" or "-0x1000". */
void slide_write(uint64_t slide, struct out *o);
/*
 * After what may have moved the symbols: a command, a reset, a loader.  Breakpoints that were set by name follow,
 * and everyone is told.
 */
void slide_follow(struct monitor *mon);

#endif
