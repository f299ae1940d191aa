/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A20 and the ways to reset a PC: port 0x92 and the reset control register 0xcf9 (PIIX3 data sheet 290550), as a part
 * of the keyboard controller's device, whose output port is the third way to either.  A20 is only remembered: the
 * address line is always on.  The functions run under the bus lock.
 */
#ifndef GV_DEV_RESETCTL_H
#define GV_DEV_RESETCTL_H

#include "dev/bus.h"

struct resetctl {
	bool a20;
	uint8_t fast;                   /* port 0x92 but for its A20 bit */
	uint8_t rcr;                    /* 0xcf9 */
};

#define RESETCTL_RCR_BITS 0x0e

#define RESETCTL_POWER_ON { .a20 = true }

uint8_t resetctl_read_fast(const struct resetctl *r);
void resetctl_write_fast(struct resetctl *r, const struct dev_host *host, uint8_t value);
void resetctl_write_rcr(struct resetctl *r, const struct dev_host *host, uint8_t value);
/* Whether a guest can have brought it there. */
bool resetctl_is_valid(const struct resetctl *r);

#endif
