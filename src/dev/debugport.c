/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/fw_cfg.h"

#include <errno.h>
#include <stdlib.h>

#define DEBUGPORT       0x402
#define DEBUGPORT_THERE 0xe9    /* what firmware wants to read before it writes */

static uint8_t debugport_in(struct device *d, unsigned port)
{
	(void)d;
	(void)port;
	return DEBUGPORT_THERE;
}

static void debugport_out(struct device *d, unsigned port, uint8_t value)
{
	(void)port;
	d->host->log(d->host->arg, &value, 1);
}

static void debugport_free(struct device *d)
{
	free(d);
}

static const struct dev_ops debugport_ops = {
	.name = "debugport",
	.what = "firmware's debug text",
	.free = debugport_free,
	.in = debugport_in,
	.out = debugport_out,
};

int debugport_attach(struct bus *b, struct err *err)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		return err_set(err, ENOMEM, "no memory for the debug port");
	d->ops = &debugport_ops;
	return bus_attach(b, d, DEBUGPORT, 1, err);
}
