/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last exits from the guest, as data and lines.  Loop thread, every vCPU parked. */
#ifndef GV_MONITOR_EXITLIST_H
#define GV_MONITOR_EXITLIST_H

#include <jansson.h>
#include <stdint.h>

#include "api/machine.h"
#include "api/out.h"

/* An array of the last COUNT, or of fewer, the newest last; times are counted back from that one. */
json_t *exitlist(struct machine *m, uint64_t count);
void exitlist_render(const json_t *list, struct out *o);

#endif
