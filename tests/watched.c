/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/watched.h"

#include <poll.h>
#include <string.h>

#include "kvm/machine_kvm.h"
#include "util/clock.h"

#define MS_NS 1000000u

struct machine *m;
struct err err;
struct stop_event stop;
unsigned stops, resets;
char serial[1 << 17];
size_t serial_len;

static void on_stop(struct observer *o, const struct stop_event *ev)
{
	(void)o;
	stop = *ev;
	stops++;
}

static void on_reset(struct observer *o)
{
	(void)o;
	resets++;
}

static void on_output(struct observer *o, const uint8_t *data, size_t len)
{
	(void)o;
	if (len > sizeof(serial) - serial_len)
		len = sizeof(serial) - serial_len;
	memcpy(serial + serial_len, data, len);
	serial_len += len;
}

static struct observer watcher = { .stopped = on_stop, .was_reset = on_reset, .serial_output = on_output };

void watched_begin(struct machine *made)
{
	m = made;
	machine_observe(m, &watcher);
	stops = resets = 0;
	serial_len = 0;
}

void watched_end(void)
{
	machine_unobserve(m, &watcher);
	machine_kvm_free(m);
	m = NULL;
}

bool watched_until(bool (*done)(size_t wanted), size_t wanted, unsigned spin_us, unsigned deadline_ms)
{
	struct pollfd p = { .fd = machine_event_fd(m), .events = POLLIN };
	uint64_t end = clock_ns() + (uint64_t)deadline_ms * MS_NS;

	machine_poll(m, spin_us);
	while (!done(wanted)) {
		if (clock_ns() > end)
			return false;
		poll(&p, 1, 100);
		machine_poll(m, 0);
	}
	return true;
}

bool watched_stops(size_t wanted)
{
	return stops >= wanted;
}
