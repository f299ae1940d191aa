/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The memory map a client reads by qXfer (gdb manual, "Memory Map Format"). */
#ifndef GV_GDBSTUB_MEMMAP_H
#define GV_GDBSTUB_MEMMAP_H

#include "api/machine.h"
#include "api/out.h"

/*
 * Writes the map of all 64 bits as "ram", less the read-only slots, which are "rom".  The client's addresses are
 * linear, and it keeps the map for the whole connection: so a slot is "rom" only where no vCPU has paging on.  A
 * running machine is held for that; where it cannot be told, everything is "ram".
 */
void memmap_write(struct machine *m, struct out *o);

#endif
