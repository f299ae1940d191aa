/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A PC with nothing but virtio devices, and a driver that does as it is told, also what is wrong. */
#ifndef GV_TESTS_VIRTIO_RIG_H
#define GV_TESTS_VIRTIO_RIG_H

#include "dev/virtio.h"
#include "tests/disk_env.h"
#include "tests/fake_pc.h"

#define RIG_SECTORS     2000u           /* of the disk, file "a"; the second, file "b", is read-only */
#define RIG_RO_SECTORS  64u
#define RIG_BAR         0xe0000000u     /* registers of the selected device; its MSI-X table is one page after them */
#define RIG_MSIX        0xe0010000u

/* Pages of the registers' BAR, which the capabilities name. */
#define RIG_COMMON      0x0000u
#define RIG_ISR         0x1000u
#define RIG_CONFIG      0x2000u
#define RIG_NOTIFY      0x3000u

/* Common configuration, virtio 1.2, 4.1.4.3. */
enum {
	VC_OFFERED_SELECT = 0, VC_OFFERED = 4, VC_ACCEPTED_SELECT = 8, VC_ACCEPTED = 12, VC_CONFIG_VECTOR = 16,
	VC_QUEUES = 18, VC_STATUS = 20, VC_GENERATION = 21, VC_QUEUE = 22, VC_SIZE = 24, VC_VECTOR = 26, VC_ENABLE = 28,
	VC_NOTIFY_OFF = 30, VC_DESC = 32, VC_DRIVER = 40, VC_DEVICE = 48, VC_END = 56,
};

enum { ST_ACK = 1, ST_DRIVER = 2, ST_READY = 4, ST_FEATURES = 8, ST_NEEDS_RESET = 64, ST_FAILED = 128 };
enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };

#define FEATURE_INDIRECT (1ull << 28)
#define FEATURE_EVENT    (1ull << 29)
#define FEATURE_1        (1ull << 32)

/* Where queue Q's parts are in memory, and what is free for the tests. */
#define RIG_DESC(q)     (0x10000u + 0x10000u * (q))
#define RIG_AVAIL(q)    (RIG_DESC(q) + 0x4000u)
#define RIG_USED(q)     (RIG_DESC(q) + 0x8000u)
#define RIG_DATA        0x40000u

struct virtio_rig {
	struct disk_env env;
	struct fake_pc pc;
	struct pci_bus *pci;
	struct disk *disk[2];
	struct device *console;
	unsigned slot;                  /* of the device that the functions below speak to */
	uint16_t size;                  /* of its queues */
	uint16_t used_seen[2];
};

/* A console, random numbers and two disks; the first disk is selected. */
void virtio_rig_init(struct virtio_rig *r);
void virtio_rig_done(struct virtio_rig *r);
/* Selects the device in SLOT, with its registers at RIG_BAR and bus mastering on; the others' are nowhere. */
void virtio_rig_select(struct virtio_rig *r, unsigned slot);

uint32_t vr_config_read(struct virtio_rig *r, unsigned offset, unsigned size);
void vr_config_write(struct virtio_rig *r, unsigned offset, unsigned size, uint32_t value);
uint64_t vr_read(struct virtio_rig *r, uint32_t offset, unsigned size);
void vr_write(struct virtio_rig *r, uint32_t offset, unsigned size, uint64_t value);
/* Whether its interrupt pin is asserted, by PCI's status register. */
bool vr_intx(struct virtio_rig *r);
/* The device's status; the interrupt status, which is taken back. */
uint8_t vr_status(struct virtio_rig *r);
uint8_t vr_isr(struct virtio_rig *r);

/* Features that are offered. */
uint64_t vr_offered(struct virtio_rig *r);
/* The driver's side of 3.1.1 up to FEATURES_OK, with these. */
void vr_agree(struct virtio_rig *r, uint64_t features);
/* Sets queue Q up with SIZE descriptors, and enables it. */
void vr_queue(struct virtio_rig *r, unsigned q, uint16_t size);
/* All of it: the memory of rings is zeroed, COUNT queues of SIZE, DRIVER_OK. */
void vr_start(struct virtio_rig *r, uint64_t features, unsigned count, uint16_t size);
/* With what every test that does not care takes. */
void vr_start_plain(struct virtio_rig *r);

/* Rings. */
void vr_desc_at(struct virtio_rig *r, uint32_t table, unsigned index, uint64_t gpa, uint32_t len, uint16_t flags,
		uint16_t next);
void vr_desc(struct virtio_rig *r, unsigned q, unsigned index, uint64_t gpa, uint32_t len, uint16_t flags,
	     uint16_t next);
/* Makes HEAD available, without notifying. */
void vr_offer(struct virtio_rig *r, unsigned q, uint16_t head);
void vr_set_idx(struct virtio_rig *r, unsigned q, uint16_t idx);
void vr_notify(struct virtio_rig *r, unsigned q);
uint16_t vr_used_idx(struct virtio_rig *r, unsigned q);
uint32_t vr_used_head(struct virtio_rig *r, unsigned q, uint16_t index);
uint32_t vr_used_len(struct virtio_rig *r, unsigned q, uint16_t index);
uint16_t vr_get16(struct virtio_rig *r, uint32_t gpa);
void vr_put16(struct virtio_rig *r, uint32_t gpa, uint16_t value);

/* A request to a disk from descriptor HEAD on, which takes three of them: header, DATA (LEN; 0: none), status. */
#define VR_HEADER(head) (RIG_DATA - 0x2000u + 32u * (head))
#define VR_STATUS(head) (VR_HEADER(head) + 16u)
void vr_request(struct virtio_rig *r, unsigned head, uint32_t type, uint64_t sector, uint32_t data, uint32_t len,
		bool write);
/* Lets the disks work until UNTIL requests have been used. */
void vr_wait(struct virtio_rig *r, uint16_t until);
/* Lets every disk finish what it is at, and the devices hear of it, until none is at anything. */
void vr_settle(struct virtio_rig *r);

#endif
