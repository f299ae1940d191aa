/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/pc.h"

#include <errno.h>
#include <stdlib.h>

#define DEBUGCON_PORT   0xe9

/* Guests probe for the port by reading it. */
static uint8_t debugcon_in(struct device *d, unsigned port)
{
	(void)d;
	(void)port;
	return DEBUGCON_PORT;
}

static void debugcon_out(struct device *d, unsigned port, uint8_t value)
{
	(void)port;
	d->host->output(d->host->arg, &value, 1);
}

static void debugcon_free(struct device *d)
{
	free(d);
}

static const struct dev_ops debugcon_ops = {
	.name = "debugcon",
	.what = "debug console",
	.free = debugcon_free,
	.in = debugcon_in,
	.out = debugcon_out,
};

int debugcon_attach(struct bus *b, struct err *err)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(err, ENOMEM, "no memory for the debug console");
	d->ops = &debugcon_ops;
	return bus_attach(b, d, DEBUGCON_PORT, 1, err);
}
