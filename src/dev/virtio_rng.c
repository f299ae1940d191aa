/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The entropy device (virtio 1.2, 5.4): puts random bytes into what it gets, at most CHUNK at a time. */
#include "dev/virtio_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK   256u            /* as much as host->random gives */

static void run(struct virtio *v)
{
	const struct dev_host *host = v->pci.dev.host;
	uint8_t data[CHUNK];
	struct vq_chain c;
	unsigned n;

	for (n = 0; n < VIRTIO_BATCH && virtio_pop(v, 0, &c); n++) {
		size_t len = c.write_bytes < CHUNK ? (size_t)c.write_bytes : CHUNK;

		if (!len) {
			virtio_break(v, "queue 0: descriptor %u has no room to write to", c.head);
			return;
		}
		host->random(host->arg, data, len);
		if (!virtio_copy(v, 0, &c, 0, data, len, true))
			return;
		virtio_push(v, 0, c.head, len);
	}
	virtio_flush(v, 0);
	if (n == VIRTIO_BATCH)
		virtio_later(v);
}

static void reset(struct virtio *v, bool machine)
{
	(void)v;
	(void)machine;
}

static int save(const struct virtio *v, struct dev_buf *b)
{
	(void)v;
	(void)b;
	return 0;
}

static int load(struct virtio *v, struct dev_buf *b, struct err *err)
{
	(void)v;
	(void)b;
	(void)err;
	return 0;
}

static void nothing(struct virtio *v)
{
	(void)v;
}

static const struct virtio_type rng_type = {
	.id = 4,
	.class_code = 0x00ff00,
	.what = "random numbers, virtio",
	.pci_name = "Virtio random numbers",
	.nqueues = 1,
	.run = run,
	.reset = reset,
	.save = save,
	.load = load,
	.take = nothing,
	.drop = nothing,
};

int virtio_rng_attach(struct pci_bus *pci, struct err *err)
{
	struct virtio *v = calloc(1, sizeof(*v));

	if (!v)
		return err_set(err, ENOMEM, "no memory for the random numbers' device");
	v->type = &rng_type;
	snprintf(v->name, sizeof(v->name), "virtio-rng");
	return virtio_attach(pci, v, VIRTIO_SLOT_RNG, err);
}
