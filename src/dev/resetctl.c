/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/resetctl.h"

#define FAST_RESET      0x01
#define FAST_A20        0x02

#define RCR_CPU         0x04            /* its rising edge resets; bits 1 and 3 choose how hard */

uint8_t resetctl_read_fast(const struct resetctl *r)
{
	return r->fast | (r->a20 ? FAST_A20 : 0);
}

void resetctl_write_fast(struct resetctl *r, const struct dev_host *host, uint8_t value)
{
	bool rising = value & ~r->fast & FAST_RESET;

	r->fast = value & (uint8_t)~FAST_A20;
	r->a20 = value & FAST_A20;
	if (rising)
		host->reset(host->arg, "port 0x92");
}

void resetctl_write_rcr(struct resetctl *r, const struct dev_host *host, uint8_t value)
{
	bool rising = value & ~r->rcr & RCR_CPU;

	r->rcr = value & RESETCTL_RCR_BITS;
	if (rising)
		host->reset(host->arg, "port 0xcf9");
}

bool resetctl_is_valid(const struct resetctl *r)
{
	return !(r->fast & FAST_A20) && !(r->rcr & ~RESETCTL_RCR_BITS);
}
