/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Split virtqueues (virtio 1.2, 2.7), the device's side: what the driver made available is taken, what has been used is
 * given back.  Knows nothing of devices and registers.
 *
 * The rings lie in guest memory, where the driver may change anything at any time: every index, descriptor and
 * length is read once and judged before it is used, and a chain has at most as many descriptors as the queue.
 *
 * Order between processors: dev_host.dma() copies aligned 16-bit indices at once, and the fences that 2.7.13 asks for
 * stand here, between an index and what it speaks of.  Threads: under the bus lock.
 */
#ifndef GV_DEV_VIRTQUEUE_H
#define GV_DEV_VIRTQUEUE_H

#include "dev/bus.h"

#define VQ_SIZE_MAX 256u

struct virtqueue {
	uint16_t size;                  /* descriptors; while it is not enabled whatever the driver wrote */
	uint8_t enabled;                /* 0 or 1 */
	uint64_t desc, avail, used;     /* gpas of descriptor table, driver area and device area */
	uint16_t taken;                 /* index of the next available chain */
	uint16_t given;                 /* index of the used ring, as the driver sees it */
	uint16_t told;                  /* `given` when last was decided on an interrupt */
	uint8_t asked;                  /* 0 or 1: the device area says that the driver is to notify after `ask` */
	uint16_t ask;
};

/* What all queues of a device have in common. */
struct vq_env {
	const struct dev_host *host;
	bool indirect, event_idx;       /* VIRTIO_F_INDIRECT_DESC and VIRTIO_F_EVENT_IDX have been negotiated */
};

struct vq_seg {
	uint64_t gpa;
	uint32_t len;                   /* bytes, not 0 */
	uint16_t index;                 /* of its descriptor, for messages */
};

/* What one available buffer consists of: NREAD segments for the device to read, then those for it to write. */
struct vq_chain {
	uint16_t head;
	uint16_t nread, nsegs;          /* nread <= nsegs <= VQ_SIZE_MAX, nsegs > 0 */
	uint64_t read_bytes, write_bytes;
	struct vq_seg seg[VQ_SIZE_MAX];
};

/* Whether Q can be enabled as the driver has set it up: size, alignment (2.7), end of addresses.  -EINVAL. */
int vq_check(const struct virtqueue *q, struct err *err);
/*
 * Takes the next available chain.  1; 0: there is none, and the driver will notify of the next one; -EINVAL: the rings
 * are nonsense, the reason in ERR.
 */
int vq_pop(struct virtqueue *q, const struct vq_env *env, struct vq_chain *ret, struct err *err);
/* Whether there is one.  1, 0, -EINVAL. */
int vq_peek(const struct virtqueue *q, const struct vq_env *env, struct err *err);
/* Gives the chain that begins at HEAD back, with the LEN bytes that were written to it.  -EINVAL. */
int vq_push(struct virtqueue *q, const struct vq_env *env, uint16_t head, uint64_t len, struct err *err);
/* Whether the driver wants to be interrupted for what was given back since the last call.  1, 0, -EINVAL. */
int vq_wants_interrupt(struct virtqueue *q, const struct vq_env *env, struct err *err);
/*
 * Copies LEN bytes between DATA and the part of the chain that the device may write (TO_GUEST) or read, from OFFSET of
 * that part on; it has as many.  -EINVAL: there is no memory there.
 */
int vq_copy(const struct vq_chain *c, const struct vq_env *env, uint64_t offset, void *data, size_t len, bool to_guest,
	    struct err *err);

/* A queue's state, and a chain's.  -ENOMEM; -EINVAL: truncated, or such as cannot be. */
int vq_save(const struct virtqueue *q, struct dev_buf *b);
int vq_load(struct virtqueue *ret, struct dev_buf *b, const char *name, struct err *err);
int vq_chain_save(const struct vq_chain *c, struct dev_buf *b);
int vq_chain_load(struct vq_chain *ret, struct dev_buf *b, const char *name, struct err *err);

#endif
