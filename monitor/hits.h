/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which hits of the monitor's breakpoints, watchpoints and catchpoints stop the guest: that of the right vCPU, whose
 * condition holds, and that is not to be passed over.
 */
#ifndef GV_MONITOR_HITS_H
#define GV_MONITOR_HITS_H

#include "monitor/breaks.h"

/*
 * A stop_filter_fn; ARG is the struct breaks.  On the thread of vCPU ev->cpu, as its contract has it: reads the
 * list, which changes only while all are parked, and counts in it, which only one vCPU does at a time.
 */
bool hits_wanted(void *arg, struct machine *m, const struct stop_event *ev);

#endif
