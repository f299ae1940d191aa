/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/virtio_rig.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "tests/unit.h"

#define TOLD_SECONDS    10
#define ADDRESS_ON      0x80000000u
#define BAR0            0x10
#define BAR1            0x14
#define COMMAND         0x04
#define STATUS          0x06
#define STATUS_INTX     0x0008u
#define MEMORY          0x0002u
#define MASTER          0x0004u

void virtio_rig_init(struct virtio_rig *r)
{
	struct disk_spec spec[2] = { { 0 } };
	struct err err = { 0 };

	*r = (struct virtio_rig){ .slot = 0 };
	disk_env_init(&r->env);
	fake_pc_init(&r->pc);
	spec[0].path = disk_env_file(&r->env, 'a', RIG_SECTORS * 512);
	spec[1].path = disk_env_file(&r->env, 'b', RIG_RO_SECTORS * 512);
	spec[1].readonly = true;
	ck_assert_int_eq(pci_attach(r->pc.bus, &r->pci, NULL), 0);
	ck_assert_int_eq(virtio_console_attach(r->pci, &r->console, &err), 0);
	ck_assert_int_eq(virtio_rng_attach(r->pci, &err), 0);
	for (unsigned i = 0; i < 2; i++) {
		r->disk[i] = disk_env_open(&r->env, &spec[i]);
		ck_assert_msg(virtio_blk_attach(r->pci, i, r->disk[i], &err) == 0, "%s", err.msg);
	}
	virtio_rig_select(r, VIRTIO_SLOT_DISK);
}

void virtio_rig_done(struct virtio_rig *r)
{
	fake_pc_done(&r->pc);
	for (unsigned i = 0; i < 2; i++)
		disk_close(r->disk[i]);
	disk_env_done(&r->env);
}

void virtio_rig_select(struct virtio_rig *r, unsigned slot)
{
	if (r->slot)
		vr_config_write(r, COMMAND, 2, 0);
	r->slot = slot;
	vr_config_write(r, BAR0, 4, RIG_BAR);
	vr_config_write(r, BAR1, 4, RIG_MSIX);
	vr_config_write(r, COMMAND, 2, MEMORY | MASTER);
}

static void address(struct virtio_rig *r, unsigned offset)
{
	pc_out(&r->pc, 0xcf8, 4, ADDRESS_ON | r->slot << 11 | (offset & 0xfc));
}

uint32_t vr_config_read(struct virtio_rig *r, unsigned offset, unsigned size)
{
	address(r, offset);
	return pc_in(&r->pc, (uint16_t)(0xcfc + (offset & 3)), size);
}

void vr_config_write(struct virtio_rig *r, unsigned offset, unsigned size, uint32_t value)
{
	address(r, offset);
	pc_out(&r->pc, (uint16_t)(0xcfc + (offset & 3)), size, value);
}

uint64_t vr_read(struct virtio_rig *r, uint32_t offset, unsigned size)
{
	uint64_t value = 0;

	bus_mmio(r->pc.bus, RIG_BAR + offset, false, size, (uint8_t *)&value);
	return value;
}

void vr_write(struct virtio_rig *r, uint32_t offset, unsigned size, uint64_t value)
{
	bus_mmio(r->pc.bus, RIG_BAR + offset, true, size, (uint8_t *)&value);
}

bool vr_intx(struct virtio_rig *r)
{
	return vr_config_read(r, STATUS, 2) & STATUS_INTX;
}

uint8_t vr_status(struct virtio_rig *r)
{
	return (uint8_t)vr_read(r, VC_STATUS, 1);
}

uint8_t vr_isr(struct virtio_rig *r)
{
	return (uint8_t)vr_read(r, RIG_ISR, 1);
}

uint64_t vr_offered(struct virtio_rig *r)
{
	uint64_t value;

	vr_write(r, VC_OFFERED_SELECT, 4, 1);
	value = vr_read(r, VC_OFFERED, 4) << 32;
	vr_write(r, VC_OFFERED_SELECT, 4, 0);
	return value | vr_read(r, VC_OFFERED, 4);
}

void vr_agree(struct virtio_rig *r, uint64_t features)
{
	vr_write(r, VC_STATUS, 1, 0);
	vr_write(r, VC_STATUS, 1, ST_ACK);
	vr_write(r, VC_STATUS, 1, ST_ACK | ST_DRIVER);
	for (unsigned i = 0; i < 2; i++) {
		vr_write(r, VC_ACCEPTED_SELECT, 4, i);
		vr_write(r, VC_ACCEPTED, 4, (uint32_t)(features >> (32 * i)));
	}
	vr_write(r, VC_STATUS, 1, ST_ACK | ST_DRIVER | ST_FEATURES);
}

void vr_queue(struct virtio_rig *r, unsigned q, uint16_t size)
{
	r->size = size;
	r->used_seen[q] = 0;
	memset(r->pc.mem + RIG_DESC(q), 0, 0x10000);
	vr_write(r, VC_QUEUE, 2, q);
	vr_write(r, VC_SIZE, 2, size);
	vr_write(r, VC_DESC, 4, RIG_DESC(q));
	vr_write(r, VC_DESC + 4, 4, 0);
	vr_write(r, VC_DRIVER, 8, RIG_AVAIL(q));
	vr_write(r, VC_DEVICE, 8, RIG_USED(q));
	vr_write(r, VC_ENABLE, 2, 1);
}

void vr_start(struct virtio_rig *r, uint64_t features, unsigned count, uint16_t size)
{
	vr_agree(r, features);
	for (unsigned q = 0; q < count; q++)
		vr_queue(r, q, size);
	vr_write(r, VC_STATUS, 1, ST_ACK | ST_DRIVER | ST_FEATURES | ST_READY);
	ck_assert_uint_eq(vr_status(r), ST_ACK | ST_DRIVER | ST_FEATURES | ST_READY);
}

void vr_start_plain(struct virtio_rig *r)
{
	vr_start(r, FEATURE_1 | FEATURE_INDIRECT, r->slot == VIRTIO_SLOT_CONSOLE ? 2 : 1, 16);
}

uint16_t vr_get16(struct virtio_rig *r, uint32_t gpa)
{
	uint16_t value;

	memcpy(&value, r->pc.mem + gpa, 2);
	return value;
}

void vr_put16(struct virtio_rig *r, uint32_t gpa, uint16_t value)
{
	memcpy(r->pc.mem + gpa, &value, 2);
}

void vr_desc_at(struct virtio_rig *r, uint32_t table, unsigned index, uint64_t gpa, uint32_t len, uint16_t flags,
		uint16_t next)
{
	uint8_t *d = r->pc.mem + table + 16 * index;

	memcpy(d, &gpa, 8);
	memcpy(d + 8, &len, 4);
	memcpy(d + 12, &flags, 2);
	memcpy(d + 14, &next, 2);
}

void vr_desc(struct virtio_rig *r, unsigned q, unsigned index, uint64_t gpa, uint32_t len, uint16_t flags,
	     uint16_t next)
{
	vr_desc_at(r, RIG_DESC(q), index, gpa, len, flags, next);
}

void vr_set_idx(struct virtio_rig *r, unsigned q, uint16_t idx)
{
	vr_put16(r, RIG_AVAIL(q) + 2, idx);
}

void vr_offer(struct virtio_rig *r, unsigned q, uint16_t head)
{
	uint16_t idx = vr_get16(r, RIG_AVAIL(q) + 2);

	vr_put16(r, RIG_AVAIL(q) + 4 + 2 * (idx % r->size), head);
	vr_set_idx(r, q, (uint16_t)(idx + 1));
}

void vr_notify(struct virtio_rig *r, unsigned q)
{
	vr_write(r, RIG_NOTIFY + 4 * q, 2, q);
}

uint16_t vr_used_idx(struct virtio_rig *r, unsigned q)
{
	return vr_get16(r, RIG_USED(q) + 2);
}

static uint32_t used_word(struct virtio_rig *r, unsigned q, uint16_t index, unsigned word)
{
	uint32_t value;

	memcpy(&value, r->pc.mem + RIG_USED(q) + 4 + 8 * (index % r->size) + 4 * word, 4);
	return value;
}

uint32_t vr_used_head(struct virtio_rig *r, unsigned q, uint16_t index)
{
	return used_word(r, q, index, 0);
}

uint32_t vr_used_len(struct virtio_rig *r, unsigned q, uint16_t index)
{
	return used_word(r, q, index, 1);
}

void vr_request(struct virtio_rig *r, unsigned head, uint32_t type, uint64_t sector, uint32_t data, uint32_t len,
		bool write)
{
	uint8_t *h = r->pc.mem + VR_HEADER(head);

	memset(h, 0, 16);
	memcpy(h, &type, 4);
	memcpy(h + 8, &sector, 8);
	r->pc.mem[VR_STATUS(head)] = 0xee;
	vr_desc(r, 0, head, VR_HEADER(head), 16, D_NEXT, (uint16_t)(head + (len ? 1 : 2)));
	vr_desc(r, 0, head + 1, data, len, D_NEXT | (write ? D_WRITE : 0), (uint16_t)(head + 2));
	vr_desc(r, 0, head + 2, VR_STATUS(head), 1, D_WRITE, 0);
	vr_offer(r, 0, (uint16_t)head);
}

static bool any_busy(const struct virtio_rig *r)
{
	return disk_busy(r->disk[0]) || disk_busy(r->disk[1]);
}

static void wait_one(struct virtio_rig *r)
{
	while (sem_wait(&r->env.done) < 0)
		ck_assert_int_eq(errno, EINTR);
	bus_poll(r->pc.bus);
}

/* A disk's thread is done a moment before it says so. */
static bool told(struct virtio_rig *r)
{
	struct timespec until;
	int n;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += TOLD_SECONDS;
	do
		n = sem_timedwait(&r->env.done, &until);
	while (n < 0 && errno == EINTR);
	return !n;
}

void vr_wait(struct virtio_rig *r, uint16_t until)
{
	bus_poll(r->pc.bus);
	while (vr_used_idx(r, 0) != until) {
		ck_assert_msg(any_busy(r) || told(r), "%u of %u requests, and nothing is under way", vr_used_idx(r, 0), until);
		if (any_busy(r))
			wait_one(r);
		else
			bus_poll(r->pc.bus);
	}
}

void vr_settle(struct virtio_rig *r)
{
	bus_poll(r->pc.bus);
	while (any_busy(r))
		wait_one(r);
	bus_poll(r->pc.bus);
}
