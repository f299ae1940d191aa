/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stop as data and as the lines people see.  Loop thread, every vCPU parked. */
#ifndef GV_MONITOR_NOTICE_H
#define GV_MONITOR_NOTICE_H

#include <jansson.h>

#include "api/machine.h"
#include "api/out.h"

struct monitor;

/* {"reason": ..., "cpu": N, "address": ..., "symbol": ..., "mode": ..., "instruction": ...}; see notice.c. */
json_t *notice_stop(struct monitor *mon, const struct stop_event *ev);
/*
 * Whose breakpoint, watchpoint or catchpoint EV is of, and what was done there; NULL: of none.  Taken when the stop
 * comes, as temporary ones are gone afterwards; notice_stop() adds it to what it says.
 */
json_t *notice_hit(struct monitor *mon, const struct stop_event *ev);
/* Where vCPU CPU, whose status is *S, is; with what people of its architecture say beside the address. */
void notice_add_place(json_t *obj, struct machine *m, unsigned cpu, const struct cpu_status *s);
void notice_render_place(const json_t *obj, struct out *o);

/*
 * The task that vCPU CPU runs, where a Linux kernel is known: "task", {"name": ..., "pid": N}; and " [init, pid 1]".  Reads
 * nothing of the guest where none is.
 */
void notice_add_task(json_t *obj, struct machine *m, unsigned cpu);
void notice_render_task(const json_t *obj, struct out *o);

/* As text: "cpu 0: breakpoint 1 at 0x7c05 <start+5>" and the instruction there. */
void notice_render(const json_t *stop, struct out *o);
/* Only its first line. */
void notice_render_head(const json_t *stop, struct out *o);

#endif
