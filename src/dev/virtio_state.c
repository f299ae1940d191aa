/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all virtio devices save, load and show. */
#include "dev/virtio_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(table)    (sizeof(table) / sizeof((table)[0]))
#define TEXT_BYTES      120u
#define STATUS_BITS     (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK | \
			 VIRTIO_NEEDS_RESET | VIRTIO_FAILED)

static const struct dev_field state_fields[] = {
	DEV_FIELD(struct virtio_state, offered_select, UINT32_MAX),
	DEV_FIELD(struct virtio_state, accepted_select, UINT32_MAX),
	DEV_FIELD(struct virtio_state, accepted, UINT64_MAX),
	DEV_FIELD(struct virtio_state, status, UINT8_MAX),
	DEV_FIELD(struct virtio_state, isr, VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG),
	DEV_FIELD(struct virtio_state, queue_select, UINT16_MAX),
	DEV_BYTES(struct virtio_state, trouble),
	DEV_FIELD(struct virtio_state, config_vector, UINT16_MAX),
	DEV_FIELD(struct virtio_state, queue_vector[0], UINT16_MAX),
	DEV_FIELD(struct virtio_state, queue_vector[1], UINT16_MAX),
	DEV_FIELD(struct virtio_state, pending, (1 << VIRTIO_VECTORS) - 1),
};

static const struct dev_field vector_fields[] = {
	DEV_FIELD(struct virtio_vector, address, UINT64_MAX),
	DEV_FIELD(struct virtio_vector, data, UINT32_MAX),
	DEV_FIELD(struct virtio_vector, control, 1),
};

int virtio_save(const struct device *d, struct dev_buf *b)
{
	const struct virtio *v = (const struct virtio *)d;
	int r = dev_fields_save(&v->s, state_fields, COUNT(state_fields), b);

	for (unsigned i = 0; r == 0 && i < VIRTIO_VECTORS; i++)
		r = dev_fields_save(&v->s.vector[i], vector_fields, COUNT(vector_fields), b);
	for (unsigned i = 0; r == 0 && i < v->type->nqueues; i++)
		r = vq_save(&v->queue[i], b);
	if (r == 0)
		r = v->type->save(v, b);
	return r == 0 ? pci_save(&v->pci, b) : r;
}

/* As virtio_break() leaves it: text, and zeroes behind it. */
static bool trouble_is_valid(const struct virtio_state *s)
{
	size_t len = strnlen(s->trouble, sizeof(s->trouble));

	for (size_t i = 0; i < sizeof(s->trouble); i++)
		if (i < len ? s->trouble[i] < ' ' || s->trouble[i] > '~' : s->trouble[i])
			return false;
	return len < sizeof(s->trouble) && (len > 0) == ((s->status & VIRTIO_NEEDS_RESET) != 0);
}

static bool vector_is_valid(const struct virtio *v, uint16_t vector)
{
	return vector == VIRTIO_NO_VECTOR || (v->pci.dev.host->msi && vector <= v->type->nqueues);
}

static bool state_is_valid(const struct virtio *v, const struct virtio_state *s)
{
	bool agreed = s->status & VIRTIO_FEATURES_OK;

	if ((s->status & ~STATUS_BITS) || ((s->status & VIRTIO_DRIVER_OK) && !agreed) || !trouble_is_valid(s))
		return false;
	if (agreed && ((s->accepted & ~v->offered) || !(s->accepted & VIRTIO_F_VERSION_1)))
		return false;
	return vector_is_valid(v, s->config_vector) && vector_is_valid(v, s->queue_vector[0]) &&
	       vector_is_valid(v, s->queue_vector[1]);
}

int virtio_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct virtio *v = (struct virtio *)d;
	struct virtqueue queue[VIRTIO_QUEUES] = { { 0 } };
	struct virtio_state s = { 0 };
	int r = dev_fields_load(&s, state_fields, COUNT(state_fields), b, v->name, err);

	for (unsigned i = 0; r == 0 && i < VIRTIO_VECTORS; i++)
		r = dev_fields_load(&s.vector[i], vector_fields, COUNT(vector_fields), b, v->name, err);
	if (r == 0 && !state_is_valid(v, &s))
		r = err_set(err, EINVAL, "%s: its saved state contradicts itself", v->name);
	for (unsigned i = 0; r == 0 && i < v->type->nqueues; i++)
		r = vq_load(&queue[i], b, v->name, err);
	if (r == 0)
		r = v->type->load(v, b, err);
	if (r < 0)
		return r;
	/* Last, since it takes at once what it finds good. */
	r = pci_load(&v->pci, b, err);
	if (r < 0) {
		v->type->drop(v);
		return r;
	}
	v->s = s;
	memcpy(v->queue, queue, sizeof(queue));
	pci_set_intx(&v->pci, s.isr != 0);
	v->type->take(v);
	/* What was left for a timer, and what the devices of other threads had done. */
	if (virtio_is_running(v))
		virtio_later(v);
	return 0;
}

static const struct virtio_bit status_bits[] = {
	{ VIRTIO_ACKNOWLEDGE, "acknowledge" }, { VIRTIO_DRIVER, "driver" }, { VIRTIO_FEATURES_OK, "features-ok" },
	{ VIRTIO_DRIVER_OK, "driver-ok" }, { VIRTIO_NEEDS_RESET, "needs-reset" }, { VIRTIO_FAILED, "failed" },
	{ 0, NULL },
}, feature_bits[] = {
	{ VIRTIO_F_INDIRECT_DESC, "indirect" }, { VIRTIO_F_EVENT_IDX, "event-idx" }, { VIRTIO_F_VERSION_1, "version-1" },
	{ 0, NULL },
};

/* The names of those bits of VALUE that have one, behind what is in TEXT. */
static void add_names(char text[TEXT_BYTES], uint64_t value, const struct virtio_bit *b)
{
	for (; b && b->name; b++) {
		size_t at = strlen(text);

		if (value & b->bit)
			snprintf(text + at, TEXT_BYTES - at, "%s%s", at ? " " : "", b->name);
	}
}

static void show_features(const struct virtio *v, const char *name, uint64_t value, const struct dev_show *s)
{
	char text[TEXT_BYTES] = "";

	add_names(text, value, v->type->features);
	add_names(text, value, feature_bits);
	s->reg(s->arg, name, 64, value, text[0] ? text : NULL);
}

static const char *describe(const struct virtio *v)
{
	if (v->s.trouble[0])
		return v->s.trouble;
	if (!(v->s.status & VIRTIO_DRIVER_OK))
		return "no driver";
	return pci_is_master(&v->pci) ? "running" : "waits: may not reach memory (PCI command)";
}

static void show_queue(const struct virtio *v, unsigned i, const struct dev_show *s)
{
	const struct virtqueue *q = &v->queue[i];
	char name[16], text[48];
	const struct {
		const char *name;
		unsigned bits;
		uint64_t value;
		const char *text;
	} reg[] = {
		{ "size", 16, q->size, q->enabled ? "enabled" : "off" },
		{ "desc", 64, q->desc, NULL },
		{ "driver", 64, q->avail, NULL },
		{ "device", 64, q->used, NULL },
		{ "taken", 16, q->taken, text },
		{ "used", 16, q->given, NULL },
	};

	snprintf(text, sizeof(text), "%u under way", (uint16_t)(q->taken - q->given));
	for (size_t j = 0; j < COUNT(reg); j++) {
		snprintf(name, sizeof(name), "q%u.%s", i, reg[j].name);
		s->reg(s->arg, name, reg[j].bits, reg[j].value, reg[j].text);
	}
}

void virtio_show(const struct device *d, const struct dev_show *s)
{
	const struct virtio *v = (const struct virtio *)d;
	char text[TEXT_BYTES] = "";

	add_names(text, v->s.status, status_bits);
	s->reg(s->arg, "state", 1, (v->s.status & VIRTIO_NEEDS_RESET) != 0, describe(v));
	s->reg(s->arg, "status", 8, v->s.status, text[0] ? text : NULL);
	show_features(v, "offered", v->offered, s);
	show_features(v, "accepted", v->s.accepted, s);
	s->reg(s->arg, "isr", 8, v->s.isr, msix_is_enabled(v) ? "messages instead (MSI-X)" : NULL);
	for (unsigned i = 0; i < v->type->nqueues; i++)
		show_queue(v, i, s);
	if (v->type->show)
		v->type->show(v, s);
	pci_show(&v->pci, s);
}
