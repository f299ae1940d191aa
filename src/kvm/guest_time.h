/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GV_KVM_GUEST_TIME_H
#define GV_KVM_GUEST_TIME_H

#include <stdint.h>

/* When a stop began. */
struct guest_time {
	uint64_t ns;            /* CLOCK_MONOTONIC */
	uint64_t ticks;         /* of the guest's own counter, if the architecture minds it */
};

#endif
