/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/pc.h"

#include <errno.h>
#include <stdlib.h>

#define EXITPORT_BASE   0xf4
#define EXITPORT_PORTS  4

static uint8_t exitport_in(struct device *d, unsigned port)
{
	(void)d;
	(void)port;
	return 0;
}

static void exitport_out(struct device *d, unsigned port, uint8_t value)
{
	if (port == 0)
		d->host->exit(d->host->arg, (value << 1 | 1) & 0xff);
}

static void exitport_free(struct device *d)
{
	free(d);
}

static const struct dev_ops exitport_ops = {
	.name = "exit",
	.what = "port that ends the guest",
	.free = exitport_free,
	.in = exitport_in,
	.out = exitport_out,
};

int exitport_attach(struct bus *b, struct err *err)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(err, ENOMEM, "no memory for the exit port");
	d->ops = &exitport_ops;
	return bus_attach(b, d, EXITPORT_BASE, EXITPORT_PORTS, err);
}
