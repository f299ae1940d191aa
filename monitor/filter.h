/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of a guest's output may reach a terminal that has a prompt on it.  Pure. */
#ifndef GV_MONITOR_FILTER_H
#define GV_MONITOR_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/out.h"

struct filter {
	enum { FILTER_TEXT, FILTER_CR, FILTER_ESC, FILTER_CSI } state;
	bool mid_line;
	char csi[32];
	size_t csi_len;
};

/*
 * Writes to O what of DATA may pass: printable bytes, tabs, line ends (any kind becomes \n), colours (CSI ... m).
 * F keeps what an end of DATA cut through.
 */
void filter_write(struct filter *f, const uint8_t *data, size_t len, struct out *o);

#endif
