/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtio's registers on PCI (virtio 1.2, 4.1.4): pages of one BAR, which vendor capabilities tell of.  Drivers are to
 * access each register at its own width; here any width at any offset does what its bytes say.
 */
#include "dev/virtio_priv.h"

#include <string.h>

#define STATUS_CAPS     0x0010u         /* of the PCI status register: there are capabilities */
#define CAP_POINTER     0x34u

#define BAR             0u
#define WINDOW_OF_BAR   16u
#define PAGE            0x1000u

enum { PAGE_COMMON, PAGE_ISR, PAGE_DEVICE, PAGE_NOTIFY, PAGES };

#define BAR_BYTES       (PAGES * PAGE)
#define NOTIFY_EACH     4u              /* bytes: notify_off_multiplier */

/* Where capabilities are in configuration space, and what is in the virtio ones: 4.1.4. */
enum { AT_COMMON = 0x40, AT_ISR = 0x50, AT_NOTIFY = 0x60, AT_ACCESS = 0x74, AT_DEVICE = 0x88 };
enum { CAP_ID, CAP_NEXT, CAP_LEN, CAP_TYPE, CAP_BAR, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_BYTES = 16 };
enum { TYPE_COMMON = 1, TYPE_NOTIFY, TYPE_ISR, TYPE_DEVICE, TYPE_ACCESS };

#define VENDOR_CAP      0x09
#define ACCESS_DATA     (AT_ACCESS + CAP_BYTES) /* pci_cfg_data, 4 bytes */

/* Common configuration: 4.1.4.3. */
enum {
	OFFERED_SELECT = 0x00, OFFERED = 0x04, ACCEPTED_SELECT = 0x08, ACCEPTED = 0x0c, CONFIG_VECTOR = 0x10,
	NUM_QUEUES = 0x12, STATUS = 0x14, GENERATION = 0x15, QUEUE_SELECT = 0x16, QUEUE_SIZE = 0x18,
	QUEUE_VECTOR = 0x1a, QUEUE_ENABLE = 0x1c, QUEUE_NOTIFY_OFF = 0x1e, QUEUE_DESC = 0x20, QUEUE_DRIVER = 0x28,
	QUEUE_DEVICE = 0x30, COMMON_BYTES = 0x38,
};

static const struct {
	uint8_t offset, size;
} common[] = {
	{ OFFERED_SELECT, 4 }, { OFFERED, 4 }, { ACCEPTED_SELECT, 4 }, { ACCEPTED, 4 }, { CONFIG_VECTOR, 2 },
	{ NUM_QUEUES, 2 }, { STATUS, 1 }, { GENERATION, 1 }, { QUEUE_SELECT, 2 }, { QUEUE_SIZE, 2 }, { QUEUE_VECTOR, 2 },
	{ QUEUE_ENABLE, 2 }, { QUEUE_NOTIFY_OFF, 2 }, { QUEUE_DESC, 8 }, { QUEUE_DRIVER, 8 }, { QUEUE_DEVICE, 8 },
};

#define COUNT(table)    (sizeof(table) / sizeof((table)[0]))

static uint32_t half(uint64_t value, uint32_t select)
{
	return select < 2 ? (uint32_t)(value >> (32 * select)) : 0;
}

/* NULL: the driver has selected one that there is not. */
static struct virtqueue *selected(struct virtio *v)
{
	return v->s.queue_select < v->type->nqueues ? &v->queue[v->s.queue_select] : NULL;
}

static uint64_t queue_get(const struct virtio *v, const struct virtqueue *q, unsigned field)
{
	switch (field) {
	case QUEUE_SIZE:
		return q->size;
	case QUEUE_VECTOR:
		return v->s.queue_vector[q - v->queue];
	case QUEUE_ENABLE:
		return q->enabled;
	case QUEUE_NOTIFY_OFF:
		return (uint64_t)(q - v->queue);
	case QUEUE_DESC:
		return q->desc;
	case QUEUE_DRIVER:
		return q->avail;
	case QUEUE_DEVICE:
		return q->used;
	}
	return 0;
}

static uint64_t common_get(struct virtio *v, unsigned field)
{
	const struct virtqueue *q = selected(v);

	switch (field) {
	case OFFERED_SELECT:
		return v->s.offered_select;
	case OFFERED:
		return half(v->offered, v->s.offered_select);
	case ACCEPTED_SELECT:
		return v->s.accepted_select;
	case ACCEPTED:
		return half(v->s.accepted, v->s.accepted_select);
	case CONFIG_VECTOR:
		return v->s.config_vector;
	case NUM_QUEUES:
		return v->type->nqueues;
	case STATUS:
		return v->s.status;
	case GENERATION:        /* what it counts never changes */
		return 0;
	case QUEUE_SELECT:
		return v->s.queue_select;
	}
	if (!q)
		return field == QUEUE_VECTOR ? VIRTIO_NO_VECTOR : 0;
	return queue_get(v, q, field);
}

static void accept_features(struct virtio *v, uint32_t value)
{
	unsigned shift = 32 * v->s.accepted_select;

	/* They are settled once both have agreed (3.1.1). */
	if (v->s.accepted_select > 1 || (v->s.status & VIRTIO_FEATURES_OK))
		return;
	v->s.accepted = (v->s.accepted & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
}

/* One that is not there is none. */
static uint16_t valid_vector(const struct virtio *v, uint64_t value)
{
	return v->pci.dev.host->msi && value <= v->type->nqueues ? (uint16_t)value : VIRTIO_NO_VECTOR;
}

static void queue_set(struct virtio *v, struct virtqueue *q, unsigned field, uint64_t value)
{
	if (field == QUEUE_VECTOR) {
		v->s.queue_vector[q - v->queue] = valid_vector(v, value);
		return;
	}
	if (field == QUEUE_ENABLE) {
		virtio_enable_queue(v, q, (uint16_t)value);
		return;
	}
	if (field == QUEUE_NOTIFY_OFF)
		return;
	if (q->enabled) {
		virtio_break(v, "queue %u was changed while it was enabled", v->s.queue_select);
		return;
	}
	if (field == QUEUE_SIZE)
		q->size = (uint16_t)value;
	else
		*(field == QUEUE_DESC ? &q->desc : field == QUEUE_DRIVER ? &q->avail : &q->used) = value;
}

static void common_set(struct virtio *v, unsigned field, uint64_t value)
{
	struct virtqueue *q = selected(v);

	if (field == STATUS) {
		virtio_set_status(v, (uint8_t)value);
		return;
	}
	if (v->s.status & VIRTIO_NEEDS_RESET)
		return;
	switch (field) {
	case OFFERED_SELECT:
		v->s.offered_select = (uint32_t)value;
		break;
	case ACCEPTED_SELECT:
		v->s.accepted_select = (uint32_t)value;
		break;
	case ACCEPTED:
		accept_features(v, (uint32_t)value);
		break;
	case CONFIG_VECTOR:
		v->s.config_vector = valid_vector(v, value);
		break;
	case QUEUE_SELECT:
		v->s.queue_select = (uint16_t)value;
		break;
	default:
		if (q && field >= QUEUE_SIZE)
			queue_set(v, q, field, value);
	}
}

static uint8_t common_byte(struct virtio *v, unsigned offset)
{
	for (size_t i = 0; i < COUNT(common); i++)
		if (offset >= common[i].offset && offset < common[i].offset + common[i].size)
			return (uint8_t)(common_get(v, common[i].offset) >> (8 * (offset - common[i].offset)));
	return 0;
}

/* Each register that the access touches gets its bytes, once. */
static void common_write(struct virtio *v, unsigned offset, unsigned size, uint64_t value)
{
	for (size_t i = 0; i < COUNT(common); i++) {
		unsigned at = common[i].offset, n = 0;
		uint64_t all = common_get(v, at);

		for (unsigned byte = 0; byte < common[i].size; byte++) {
			unsigned shift = 8 * byte, from = at + byte - offset;

			if (at + byte < offset || from >= size)
				continue;
			all = (all & ~(0xffull << shift)) | (value >> (8 * from) & 0xff) << shift;
			n++;
		}
		if (n)
			common_set(v, at, all);
	}
}

/* Reading it takes the interrupt back. */
static uint8_t take_isr(struct virtio *v)
{
	uint8_t isr = v->s.isr;

	v->s.isr = 0;
	if (isr)
		pci_set_intx(&v->pci, false);
	return isr;
}

static uint8_t bar_byte(struct virtio *v, unsigned offset)
{
	unsigned at = offset % PAGE;

	switch (offset / PAGE) {
	case PAGE_COMMON:
		return common_byte(v, at);
	case PAGE_ISR:
		return at ? 0 : take_isr(v);
	case PAGE_DEVICE:
		return at < v->config_len ? v->config[at] : 0;
	}
	return 0;
}

static uint64_t registers_read(struct virtio *v, unsigned offset, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)bar_byte(v, offset + i) << (8 * i);
	return value;
}

/* Configuration of devices and the interrupt status are read-only. */
static void registers_write(struct virtio *v, unsigned offset, unsigned size, uint64_t value)
{
	if (offset / PAGE == PAGE_COMMON)
		common_write(v, offset, size, value);
	else if (offset / PAGE == PAGE_NOTIFY)
		virtio_notify(v, offset % PAGE / NOTIFY_EACH);
}

uint64_t virtio_bar_read(struct device *d, unsigned range, uint64_t offset, unsigned size)
{
	struct virtio *v = (struct virtio *)d;

	return (range == WINDOW_OF_BAR + BAR ? registers_read : msix_read)(v, (unsigned)offset, size);
}

void virtio_bar_write(struct device *d, unsigned range, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio *v = (struct virtio *)d;

	(range == WINDOW_OF_BAR + BAR ? registers_write : msix_write)(v, (unsigned)offset, size, value);
}

/* The window in configuration space (4.1.4.9): whether it names SIZE bytes of registers at OFFSET. */
static bool find_access(const struct pci_function *f, unsigned *ret_offset, unsigned *ret_size)
{
	uint32_t offset = pci_get32(f, AT_ACCESS + CAP_OFFSET), size = pci_get32(f, AT_ACCESS + CAP_LENGTH);

	if (f->config[AT_ACCESS + CAP_BAR] != BAR || (size != 1 && size != 2 && size != 4) || offset % size ||
	    offset > BAR_BYTES - size)
		return false;
	*ret_offset = offset;
	*ret_size = size;
	return true;
}

static bool touches_data(unsigned offset, unsigned size)
{
	return offset < ACCESS_DATA + 4 && offset + size > ACCESS_DATA;
}

static void config_read(struct pci_function *f, unsigned offset, unsigned size)
{
	unsigned at, n;

	if (touches_data(offset, size) && find_access(f, &at, &n))
		pci_put32(f, ACCESS_DATA, (uint32_t)registers_read((struct virtio *)f, at, n));
}

static void config_written(struct pci_function *f, unsigned offset, unsigned size)
{
	struct virtio *v = (struct virtio *)f;
	unsigned at, n;

	/* As it was loaded. */
	if (size == PCI_CONFIG_BYTES)
		return;
	if (touches_data(offset, size) && find_access(f, &at, &n))
		registers_write(v, at, n, pci_get32(f, ACCESS_DATA) & (n == 4 ? UINT32_MAX : (1u << (8 * n)) - 1));
	/* It may have been made a master, or messages unmasked. */
	msix_update(v);
	if (offset < PCI_HEADER_BYTES)
		virtio_run(v);
}

/* What is in configuration space, as the first reset puts it there and none changes it. */
static const struct {
	uint8_t at, type, len;
	uint32_t offset, length;
} caps[] = {
	{ AT_COMMON, TYPE_COMMON, CAP_BYTES, PAGE_COMMON * PAGE, COMMON_BYTES },
	{ AT_ISR, TYPE_ISR, CAP_BYTES, PAGE_ISR * PAGE, 1 },
	{ AT_NOTIFY, TYPE_NOTIFY, CAP_BYTES + 4, PAGE_NOTIFY * PAGE, PAGE },
	{ AT_ACCESS, TYPE_ACCESS, CAP_BYTES + 4, 0, 0 },
	{ AT_DEVICE, TYPE_DEVICE, CAP_BYTES, PAGE_DEVICE * PAGE, 0 },
};

static const struct pci_reg regs[] = {
	{ PCI_STATUS, 2, STATUS_CAPS, 0, NULL },
	{ CAP_POINTER, 1, AT_COMMON, 0, NULL },
	{ AT_NOTIFY + CAP_BYTES, 4, NOTIFY_EACH, 0, NULL },
	{ AT_ACCESS + CAP_BAR, 1, 0, 0xff, NULL },
	{ AT_ACCESS + CAP_OFFSET, 4, 0, 0xffffffff, NULL },
	{ AT_ACCESS + CAP_LENGTH, 4, 0, 0xffffffff, NULL },
	{ ACCESS_DATA, 4, 0, 0xffffffff, NULL },
};

void virtio_pci_reset(struct virtio *v)
{
	struct pci_function *f = &v->pci;
	uint8_t *next = &f->config[CAP_POINTER];
	uint8_t msix[MSIX_CAP_BYTES];

	pci_reset(f);
	pci_regs_reset(f, regs, COUNT(regs));
	for (size_t i = 0; i < COUNT(caps); i++) {
		uint8_t *c = f->config + caps[i].at;

		/* A device without registers of its own says so by having no such capability. */
		if (caps[i].type == TYPE_DEVICE && !v->config_len)
			continue;
		*next = caps[i].at;
		next = &c[CAP_NEXT];
		c[CAP_ID] = VENDOR_CAP;
		c[CAP_NEXT] = 0;
		c[CAP_LEN] = caps[i].len;
		c[CAP_TYPE] = caps[i].type;
		if (caps[i].type == TYPE_ACCESS)
			continue;
		pci_put32(f, caps[i].at + CAP_OFFSET, caps[i].offset);
		pci_put32(f, caps[i].at + CAP_LENGTH, caps[i].type == TYPE_DEVICE ? v->config_len : caps[i].length);
	}
	if (!f->dev.host->msi)
		return;
	*next = MSIX_CAP;
	msix_make_cap(v, msix);
	memcpy(f->config + MSIX_CAP, msix, sizeof(msix));
	f->writable[MSIX_CAP + MSIX_CONTROL_HIGH] = MSIX_ENABLE | MSIX_MASK;
}

int virtio_pci_init(struct virtio *v, struct err *err)
{
	int r = pci_add_bar(&v->pci, BAR, true, BAR_BYTES, err);

	if (r == 0 && v->pci.dev.host->msi)
		r = pci_add_bar(&v->pci, MSIX_BAR, true, MSIX_BAR_BYTES, err);
	v->pci.config_read = config_read;
	v->pci.config_written = config_written;
	return r;
}
