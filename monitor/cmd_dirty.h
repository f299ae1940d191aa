/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dirty commands that have files of their own; their rows are in cmd_dirty.c. */
#ifndef GV_MONITOR_CMD_DIRTY_H
#define GV_MONITOR_CMD_DIRTY_H

#include "monitor/task.h"

/* -EINVAL, with what to do about it, when S is not logged. */
int dirty_need_log(const struct slot_info *s, struct err *err);

int dirty_rate_exec(struct task *t, struct err *err);
void dirty_rate_render(const json_t *result, struct out *o);
int dirty_heat_exec(struct task *t, struct err *err);
void dirty_heat_render(const json_t *result, struct out *o);
int dirty_who_exec(struct task *t, struct err *err);
void dirty_who_render(const json_t *result, struct out *o);
int dirty_diff_exec(struct task *t, struct err *err);
void dirty_diff_render(const json_t *result, struct out *o);

#endif
