/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MSI-X (PCI Local Bus Specification 3.0, 6.8.2 and 6.8.3): a table of messages and their pending bits in a BAR of
 * their own.  A message that is masked waits as a pending bit.
 */
#include "dev/virtio_priv.h"

#include <string.h>

#define CAP_ID          0x11
#define ENTRY_BYTES     16u
#define PBA             0x800u          /* offset of the pending bits */
#define MASKED          0x1u

static unsigned count_vectors(const struct virtio *v)
{
	return v->type->nqueues + 1;
}

static uint8_t control(const struct virtio *v)
{
	return v->pci.config[MSIX_CAP + MSIX_CONTROL_HIGH];
}

void msix_make_cap(const struct virtio *v, uint8_t cap[MSIX_CAP_BYTES])
{
	memset(cap, 0, MSIX_CAP_BYTES);
	cap[0] = CAP_ID;
	cap[2] = (uint8_t)(count_vectors(v) - 1);
	/* Table and pending bits: offset | BAR. */
	cap[4] = MSIX_BAR;
	cap[8] = MSIX_BAR;
	cap[9] = PBA >> 8;
}

bool msix_is_enabled(const struct virtio *v)
{
	return v->pci.dev.host->msi && (control(v) & MSIX_ENABLE);
}

static bool may_go(const struct virtio *v, unsigned vector)
{
	return msix_is_enabled(v) && !(control(v) & MSIX_MASK) && !(v->s.vector[vector].control & MASKED) &&
	       pci_is_master(&v->pci);
}

void msix_update(struct virtio *v)
{
	const struct dev_host *host = v->pci.dev.host;

	for (unsigned i = 0; i < count_vectors(v); i++) {
		if (!(v->s.pending >> i & 1) || !may_go(v, i))
			continue;
		v->s.pending &= (uint8_t)~(1u << i);
		host->msi(host->arg, v->s.vector[i].address, v->s.vector[i].data);
	}
}

void msix_send(struct virtio *v, uint16_t vector)
{
	if (vector >= count_vectors(v))
		return;
	v->s.pending |= (uint8_t)(1u << vector);
	msix_update(v);
}

static uint8_t *vector_byte(struct virtio_vector *e, unsigned at)
{
	if (at < 8)
		return (uint8_t *)&e->address + at;
	return (at < 12 ? (uint8_t *)&e->data : (uint8_t *)&e->control) + at % 4;
}

uint64_t msix_read(struct virtio *v, unsigned offset, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		unsigned at = offset + i;
		uint8_t byte = at == PBA ? v->s.pending : 0;

		if (at / ENTRY_BYTES < count_vectors(v))
			byte = *vector_byte(&v->s.vector[at / ENTRY_BYTES], at % ENTRY_BYTES);
		value |= (uint64_t)byte << (8 * i);
	}
	return value;
}

void msix_write(struct virtio *v, unsigned offset, unsigned size, uint64_t value)
{
	for (unsigned at = offset; at < offset + size; at++, value >>= 8) {
		struct virtio_vector *e;

		if (at / ENTRY_BYTES >= count_vectors(v))
			break;
		e = &v->s.vector[at / ENTRY_BYTES];
		*vector_byte(e, at % ENTRY_BYTES) = (uint8_t)value;
		e->control &= MASKED;
	}
	msix_update(v);
}
