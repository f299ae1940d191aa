/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/virtio_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TELLINGS_MAX    8u              /* lines a device may have for people between two resets of the machine */
#define STATUS_WRITABLE (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK | VIRTIO_FAILED)

#define VENDOR          0x1af4
#define MODERN_DEVICE   0x1040          /* + the type: 4.1.2.1 */
#define MODERN_REVISION 1
#define INTA            1

static bool is_broken(const struct virtio *v)
{
	return v->s.status & VIRTIO_NEEDS_RESET;
}

bool virtio_is_running(const struct virtio *v)
{
	return (v->s.status & VIRTIO_DRIVER_OK) && !is_broken(v) && pci_is_master(&v->pci);
}

void virtio_run(struct virtio *v)
{
	if (virtio_is_running(v))
		v->type->run(v);
}

void virtio_later(struct virtio *v)
{
	dev_timer(&v->pci.dev, dev_clock(&v->pci.dev));
}

static void interrupt(struct virtio *v, uint8_t isr, uint16_t vector)
{
	if (msix_is_enabled(v)) {
		msix_send(v, vector);
		return;
	}
	v->s.isr |= isr;
	pci_set_intx(&v->pci, true);
}

static void tell(struct virtio *v)
{
	const struct dev_host *host = v->pci.dev.host;
	char line[200];

	if (v->tellings++ >= TELLINGS_MAX)
		return;
	snprintf(line, sizeof(line), "%s: %s%s", v->name, v->s.trouble,
		 v->tellings == TELLINGS_MAX ? " (and no more is said of it before the next reset)" : "");
	host->trouble(host->arg, line);
}

void virtio_break(struct virtio *v, const char *fmt, ...)
{
	va_list ap;

	if (is_broken(v))
		return;
	memset(v->s.trouble, 0, sizeof(v->s.trouble));
	va_start(ap, fmt);
	vsnprintf(v->s.trouble, sizeof(v->s.trouble), fmt, ap);
	va_end(ap);
	/* 2.1.2: a driver that is not ready yet expects no interrupt. */
	if (v->s.status & VIRTIO_DRIVER_OK)
		interrupt(v, VIRTIO_ISR_CONFIG, v->s.config_vector);
	v->s.status |= VIRTIO_NEEDS_RESET;
	tell(v);
}

struct vq_env virtio_env(const struct virtio *v)
{
	return (struct vq_env){
		.host = v->pci.dev.host,
		.indirect = v->s.accepted & VIRTIO_F_INDIRECT_DESC,
		.event_idx = v->s.accepted & VIRTIO_F_EVENT_IDX,
	};
}

/* R is a virtqueue function's: below 0 the driver has broken it. */
static bool judge(struct virtio *v, unsigned queue, int r, const struct err *err)
{
	if (r < 0)
		virtio_break(v, "queue %u: %s", queue, err->msg);
	return r > 0;
}

bool virtio_pop(struct virtio *v, unsigned queue, struct vq_chain *ret)
{
	struct vq_env env = virtio_env(v);
	struct err err;

	return v->queue[queue].enabled && !is_broken(v) &&
	       judge(v, queue, vq_pop(&v->queue[queue], &env, ret, &err), &err);
}

bool virtio_peek(struct virtio *v, unsigned queue)
{
	struct vq_env env = virtio_env(v);
	struct err err;

	return v->queue[queue].enabled && !is_broken(v) &&
	       judge(v, queue, vq_peek(&v->queue[queue], &env, &err), &err);
}

void virtio_push(struct virtio *v, unsigned queue, uint16_t head, uint64_t len)
{
	struct vq_env env = virtio_env(v);
	struct err err;

	if (v->queue[queue].enabled && !is_broken(v))
		judge(v, queue, vq_push(&v->queue[queue], &env, head, len, &err), &err);
}

void virtio_flush(struct virtio *v, unsigned queue)
{
	struct vq_env env = virtio_env(v);
	struct err err;

	if (v->queue[queue].enabled && !is_broken(v) &&
	    judge(v, queue, vq_wants_interrupt(&v->queue[queue], &env, &err), &err))
		interrupt(v, VIRTIO_ISR_QUEUE, v->s.queue_vector[queue]);
}

bool virtio_copy(struct virtio *v, unsigned queue, const struct vq_chain *c, uint64_t offset, void *data, size_t len,
		 bool to_guest)
{
	struct vq_env env = virtio_env(v);
	struct err err;
	int r = vq_copy(c, &env, offset, data, len, to_guest, &err);

	judge(v, queue, r, &err);
	return r == 0;
}

static bool features_are_fine(const struct virtio *v)
{
	return !(v->s.accepted & ~v->offered) && (v->s.accepted & VIRTIO_F_VERSION_1);
}

/* 2.1 and 3.1.1.  Bits are set one after the other and cleared by a reset alone. */
void virtio_set_status(struct virtio *v, uint8_t status)
{
	uint8_t rising = status & STATUS_WRITABLE & (uint8_t)~v->s.status;

	if (!status) {
		virtio_reset(v, false);
		return;
	}
	if (is_broken(v))
		return;
	if ((rising & VIRTIO_FEATURES_OK) && !features_are_fine(v))
		rising &= (uint8_t)~VIRTIO_FEATURES_OK;
	if ((rising & VIRTIO_DRIVER_OK) && !((v->s.status | rising) & VIRTIO_FEATURES_OK)) {
		virtio_break(v, "the driver says that it is ready before features have been agreed on");
		return;
	}
	v->s.status |= rising;
	if (rising & VIRTIO_DRIVER_OK)
		virtio_run(v);
}

void virtio_enable_queue(struct virtio *v, struct virtqueue *q, uint16_t value)
{
	unsigned number = (unsigned)(q - v->queue);
	struct err err;

	if (value != 1)
		virtio_break(v, "queue %u: %u is no way to enable it", number, value);
	else if (q->enabled)
		virtio_break(v, "queue %u was enabled twice", number);
	else if (vq_check(q, &err) < 0)
		virtio_break(v, "queue %u: %s", number, err.msg);
	else
		q->enabled = 1;
}

/* Before DRIVER_OK nothing may be taken (3.1.1); what waits then is found by what sets it. */
void virtio_notify(struct virtio *v, unsigned queue)
{
	if (!(v->s.status & VIRTIO_DRIVER_OK) || is_broken(v))
		return;
	if (queue >= v->type->nqueues)
		virtio_break(v, "queue %u was notified, and there are %u", queue, v->type->nqueues);
	else if (!v->queue[queue].enabled)
		virtio_break(v, "queue %u was notified without being enabled", queue);
	else
		virtio_run(v);
}

void virtio_reset(struct virtio *v, bool machine)
{
	struct virtio_vector vector[VIRTIO_VECTORS];

	v->type->reset(v, machine);
	memcpy(vector, v->s.vector, sizeof(vector));
	memset(&v->s, 0, sizeof(v->s));
	memset(v->queue, 0, sizeof(v->queue));
	v->s.config_vector = VIRTIO_NO_VECTOR;
	for (unsigned i = 0; i < VIRTIO_QUEUES; i++) {
		v->s.queue_vector[i] = VIRTIO_NO_VECTOR;
		v->queue[i].size = i < v->type->nqueues ? VQ_SIZE_MAX : 0;
	}
	/* Message vectors are PCI's, not the driver's. */
	if (!machine) {
		memcpy(v->s.vector, vector, sizeof(vector));
		pci_set_intx(&v->pci, false);
		return;
	}
	for (unsigned i = 0; i < VIRTIO_VECTORS; i++)
		v->s.vector[i].control = 1;
	v->tellings = 0;
	virtio_pci_reset(v);
}

static void reset(struct device *d)
{
	virtio_reset((struct virtio *)d, true);
}

static void timer(struct device *d, uint64_t clock)
{
	(void)clock;
	virtio_run((struct virtio *)d);
}

static void poll(struct device *d)
{
	struct virtio *v = (struct virtio *)d;

	if (v->type->poll)
		v->type->poll(v);
	virtio_run(v);
}

static void free_virtio(struct device *d)
{
	struct virtio *v = (struct virtio *)d;

	if (v->type->free)
		v->type->free(v);
	free(v);
}

int virtio_attach(struct pci_bus *pci, struct virtio *v, unsigned slot, struct err *err)
{
	const struct pci_spec spec = {
		.slot = slot,
		.vendor = VENDOR,
		.device = (uint16_t)(MODERN_DEVICE + v->type->id),
		.subsystem_vendor = VENDOR,
		.subsystem = (uint16_t)(MODERN_DEVICE + v->type->id),
		.class_code = v->type->class_code,
		.revision = MODERN_REVISION,
		.irq_pin = INTA,
		.name = v->type->pci_name,
	};
	int r;

	v->ops = (struct dev_ops){
		.name = v->name,
		.what = v->type->what,
		.reset = reset,
		.save = virtio_save,
		.load = virtio_load,
		.free = free_virtio,
		.read = virtio_bar_read,
		.write = virtio_bar_write,
		.timer = timer,
		.poll = poll,
		.show = virtio_show,
	};
	v->pci.dev.ops = &v->ops;
	v->offered |= VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;
	r = pci_add(pci, &v->pci, &spec, err);
	if (r == 0)
		r = virtio_pci_init(v, err);
	if (r == 0)
		virtio_reset(v, true);
	return r;
}
