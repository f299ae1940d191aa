/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GV_UTIL_FDWAIT_H
#define GV_UTIL_FDWAIT_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>

#include "util/clock.h"

/*
 * poll(2) for EVENTS of FD, up to MS milliseconds, signals or not.  Returns what is ready, POLLHUP and POLLERR too; 0: nothing in time.
 * Any thread.
 */
static inline short fd_wait(int fd, short events, unsigned ms)
{
	uint64_t end = clock_ns() + ms * 1000000ull, now;
	struct pollfd p = { .fd = fd, .events = events };
	int r = poll(&p, 1, (int)ms);

	while (r < 0 && errno == EINTR) {
		now = clock_ns();
		r = poll(&p, 1, now < end ? (int)((end - now + 999999) / 1000000) : 0);
	}
	return r > 0 ? p.revents : 0;
}

#endif
