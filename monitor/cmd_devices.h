/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands about devices share; their rows are in cmd_devices.c. */
#ifndef GV_MONITOR_CMD_DEVICES_H
#define GV_MONITOR_CMD_DEVICES_H

#include <jansson.h>

#include "api/err.h"
#include "api/out.h"

struct task;

/* -- info pci, in cmd_pci.c -- */

int pci_exec(struct task *t, struct err *err);
void pci_render(const json_t *result, struct out *o);

#endif
