/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `info registers`: its row stands in cmd_info.c. */
#ifndef GV_MONITOR_CMD_REGS_H
#define GV_MONITOR_CMD_REGS_H

#include <jansson.h>

#include "api/err.h"
#include "api/out.h"

struct task;

int regs_exec(struct task *t, struct err *err);
void regs_render(const json_t *result, struct out *o);

#endif
