/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the virtio devices share.  virtio.c: status, features, queues, what goes wrong; virtio_pci.c:
 * registers and capabilities; virtio_msix.c: message interrupts; virtio_state.c: saving and showing; virtio_blk.c,
 * virtio_rng.c, virtio_console.c: what each does.  All under the bus lock.
 *
 * A device's work is its type's run(), called when a queue was notified, a disk has finished, or memory may be reached
 * again.  One call takes at most VIRTIO_BATCH chains: what is left is for a timer that is due at once.
 */
#ifndef GV_DEV_VIRTIO_PRIV_H
#define GV_DEV_VIRTIO_PRIV_H

#include "dev/virtio.h"
#include "dev/virtqueue.h"

#define VIRTIO_QUEUES   2u
#define VIRTIO_VECTORS  (VIRTIO_QUEUES + 1)
#define VIRTIO_BATCH    64u

/* Device status: 2.1. */
#define VIRTIO_ACKNOWLEDGE      0x01
#define VIRTIO_DRIVER           0x02
#define VIRTIO_DRIVER_OK        0x04
#define VIRTIO_FEATURES_OK      0x08
#define VIRTIO_NEEDS_RESET      0x40
#define VIRTIO_FAILED           0x80

/* Features of all devices: 6. */
#define VIRTIO_F_INDIRECT_DESC  (1ull << 28)
#define VIRTIO_F_EVENT_IDX      (1ull << 29)
#define VIRTIO_F_VERSION_1      (1ull << 32)

/* Interrupt status: 4.1.4.5. */
#define VIRTIO_ISR_QUEUE        0x1
#define VIRTIO_ISR_CONFIG       0x2

#define VIRTIO_NO_VECTOR        0xffffu

struct virtio;

/* A bit and what people call it; a table of them ends with one without a name. */
struct virtio_bit {
	uint64_t bit;
	const char *name;
};

struct virtio_type {
	uint16_t id;                    /* 5: PCI's device ID is 0x1040 + this */
	uint32_t class_code;
	const char *what, *pci_name;    /* static texts for `info devices` and `info pci` */
	unsigned nqueues;
	const struct virtio_bit *features;      /* its own; NULL: none */
	/* Does what there is to do.  The device is running. */
	void (*run)(struct virtio *v);
	/* The driver resets the device (its queues are gone), or, with MACHINE, everybody is reset. */
	void (*reset)(struct virtio *v, bool machine);
	/* Other threads may have done something, also for a device that is not running.  May be NULL. */
	void (*poll)(struct virtio *v);
	int (*save)(const struct virtio *v, struct dev_buf *b);
	/* Reads the state and keeps it beside the present one until take() puts it in its place, or drop() forgets it. */
	int (*load)(struct virtio *v, struct dev_buf *b, struct err *err);
	void (*take)(struct virtio *v);
	void (*drop)(struct virtio *v);
	void (*show)(const struct virtio *v, const struct dev_show *s);         /* may be NULL */
	void (*free)(struct virtio *v);         /* what it owns beside *V; may be NULL */
};

struct virtio_vector {
	uint64_t address;
	uint32_t data, control;         /* control: bit 0, masked */
};

/* What is saved of every device. */
struct virtio_state {
	uint32_t offered_select, accepted_select;
	uint64_t accepted;              /* the driver's features */
	uint8_t status;                 /* device status */
	uint8_t isr;
	uint16_t queue_select;
	char trouble[120];              /* why it needs a reset; else empty */
	uint16_t config_vector;
	uint16_t queue_vector[VIRTIO_QUEUES];
	uint8_t pending;                /* messages that were masked: a bit for each vector */
	struct virtio_vector vector[VIRTIO_VECTORS];
};

struct virtio {
	struct pci_function pci;        /* first */
	struct dev_ops ops;
	char name[16];
	const struct virtio_type *type;
	uint64_t offered;               /* features */
	const uint8_t *config;          /* device configuration, which never changes */
	unsigned config_len;
	unsigned tellings;              /* troubles told of since the machine's reset */
	struct virtio_state s;
	struct virtqueue queue[VIRTIO_QUEUES];
};

/* --- virtio.c --- */

/*
 * Puts V, whose type, name, features and configuration are set, into SLOT.  On failure V is freed, unless it was on the
 * bus already.
 */
int virtio_attach(struct pci_bus *pci, struct virtio *v, unsigned slot, struct err *err);
/* Whether it may work: the driver is ready, nothing has gone wrong, memory can be reached. */
bool virtio_is_running(const struct virtio *v);
/* Has run() called, if it is. */
void virtio_run(struct virtio *v);
/* The same, soon, by the timer. */
void virtio_later(struct virtio *v);
/* The driver broke a rule: stops the device and says so. */
void virtio_break(struct virtio *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct vq_env virtio_env(const struct virtio *v);
/* The next chain of a queue.  False: there is none, or the device has stopped. */
bool virtio_pop(struct virtio *v, unsigned queue, struct vq_chain *ret);
/* Whether there is one. */
bool virtio_peek(struct virtio *v, unsigned queue);
/* Gives one back. */
void virtio_push(struct virtio *v, unsigned queue, uint16_t head, uint64_t len);
/* Interrupts the driver for what was given back, if it wants that.  To be called at the end of run() and the like. */
void virtio_flush(struct virtio *v, unsigned queue);
/* vq_copy(); false: the device has stopped. */
bool virtio_copy(struct virtio *v, unsigned queue, const struct vq_chain *c, uint64_t offset, void *data, size_t len,
		 bool to_guest);

/* What the driver writes. */
void virtio_set_status(struct virtio *v, uint8_t status);
void virtio_enable_queue(struct virtio *v, struct virtqueue *q, uint16_t value);
void virtio_notify(struct virtio *v, unsigned queue);
/* Everything back to power-on; MACHINE as in reset(). */
void virtio_reset(struct virtio *v, bool machine);

/* --- virtio_pci.c --- */

/* Registers of configuration space back to what a reset makes of them. */
void virtio_pci_reset(struct virtio *v);
int virtio_pci_init(struct virtio *v, struct err *err);
uint64_t virtio_bar_read(struct device *d, unsigned range, uint64_t offset, unsigned size);
void virtio_bar_write(struct device *d, unsigned range, uint64_t offset, unsigned size, uint64_t value);

/* --- virtio_msix.c: PCI 3.0, 6.8.2 --- */

#define MSIX_CAP        0x98u           /* where it is in configuration space */
#define MSIX_CAP_BYTES  12u
#define MSIX_CONTROL_HIGH 3u            /* the byte of it that can be written */
#define MSIX_ENABLE     0x80
#define MSIX_MASK       0x40
#define MSIX_BAR        1u
#define MSIX_BAR_BYTES  0x1000u

/* The capability's bytes. */
void msix_make_cap(const struct virtio *v, uint8_t cap[MSIX_CAP_BYTES]);
bool msix_is_enabled(const struct virtio *v);
/* The capability was written: messages that waited may go. */
void msix_update(struct virtio *v);
/* Sends VECTOR's message, or keeps it while it is masked. */
void msix_send(struct virtio *v, uint16_t vector);
uint64_t msix_read(struct virtio *v, unsigned offset, unsigned size);
void msix_write(struct virtio *v, unsigned offset, unsigned size, uint64_t value);

/* --- virtio_state.c: dev_ops' functions --- */

int virtio_save(const struct device *d, struct dev_buf *b);
int virtio_load(struct device *d, struct dev_buf *b, struct err *err);
void virtio_show(const struct device *d, const struct dev_show *s);

#endif
