/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/virtqueue.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* Descriptors: 2.7.5. */
#define DESC_BYTES      16u
#define DESC_NEXT       0x1
#define DESC_WRITE      0x2
#define DESC_INDIRECT   0x4

/* The driver area, 2.7.6: flags, index, ring of 2 bytes each, used_event. */
#define AVAIL_FLAGS     0u
#define AVAIL_IDX       2u
#define AVAIL_RING      4u
#define AVAIL_ENTRY     2u
#define AVAIL_NO_INTERRUPT 0x1

/* The device area, 2.7.8: flags, index, ring of 8 bytes each, avail_event. */
#define USED_IDX        2u
#define USED_RING       4u
#define USED_ENTRY      8u

struct desc {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags, next;
};

_Static_assert(sizeof(struct desc) == DESC_BYTES, "as it lies in memory; both sides are little-endian");

static bool read_guest(const struct vq_env *env, uint64_t gpa, void *data, size_t len)
{
	return env->host->dma(env->host->arg, gpa, data, len, false) == len;
}

static bool write_guest(const struct vq_env *env, uint64_t gpa, const void *data, size_t len)
{
	return env->host->dma(env->host->arg, gpa, (void *)data, len, true) == len;
}

/* Where a ring entry lies; INDEX runs freely. */
static uint64_t avail_entry(const struct virtqueue *q, uint16_t index)
{
	return q->avail + AVAIL_RING + AVAIL_ENTRY * (index & (q->size - 1u));
}

static uint64_t used_entry(const struct virtqueue *q, uint16_t index)
{
	return q->used + USED_RING + USED_ENTRY * (index & (q->size - 1u));
}

static uint64_t used_event_at(const struct virtqueue *q)
{
	return q->avail + AVAIL_RING + AVAIL_ENTRY * q->size;
}

static uint64_t avail_event_at(const struct virtqueue *q)
{
	return q->used + USED_RING + USED_ENTRY * q->size;
}

int vq_check(const struct virtqueue *q, struct err *err)
{
	const struct {
		const char *what;
		uint64_t at, align, size;
	} part[] = {
		{ "descriptor table", q->desc, 16, DESC_BYTES * (uint64_t)q->size },
		{ "driver area", q->avail, 2, AVAIL_RING + AVAIL_ENTRY * (uint64_t)q->size + 2 },
		{ "device area", q->used, 4, USED_RING + USED_ENTRY * (uint64_t)q->size + 2 },
	};

	if (!q->size || q->size > VQ_SIZE_MAX || (q->size & (q->size - 1)))
		return err_set(err, EINVAL, "its size of %u is no power of two up to %u", q->size, VQ_SIZE_MAX);
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (part[i].at % part[i].align)
			return err_set(err, EINVAL, "its %s at 0x%llx is not aligned to %llu bytes", part[i].what,
				       (unsigned long long)part[i].at, (unsigned long long)part[i].align);
		if (part[i].at > UINT64_MAX - part[i].size)
			return err_set(err, EINVAL, "its %s at 0x%llx goes beyond the last address", part[i].what,
				       (unsigned long long)part[i].at);
	}
	return 0;
}

/* How many chains wait. */
static int count_available(const struct virtqueue *q, const struct vq_env *env, uint16_t *ret, struct err *err)
{
	uint16_t idx, n;

	if (!read_guest(env, q->avail + AVAIL_IDX, &idx, sizeof(idx)))
		return err_set(err, EINVAL, "its driver area at 0x%llx is outside memory", (unsigned long long)q->avail);
	n = (uint16_t)(idx - q->taken);
	if (n > q->size)
		return err_set(err, EINVAL, "its available index went from %u to %u, further than its size of %u",
			       q->taken, idx, q->size);
	/* The entries that the index speaks of are read after it. */
	atomic_thread_fence(memory_order_acquire);
	*ret = n;
	return 0;
}

int vq_peek(const struct virtqueue *q, const struct vq_env *env, struct err *err)
{
	uint16_t n = 0;
	int r = count_available(q, env, &n, err);

	return r < 0 ? r : n > 0;
}

static int add_seg(struct vq_chain *c, const struct virtqueue *q, const struct desc *d, uint16_t index, struct err *err)
{
	bool write = d->flags & DESC_WRITE;

	if (c->nsegs == q->size)
		return err_set(err, EINVAL, "the chain at descriptor %u has more descriptors than the queue, or loops",
			       c->head);
	if (!d->len)
		return err_set(err, EINVAL, "descriptor %u has no bytes", index);
	if (d->gpa > UINT64_MAX - d->len)
		return err_set(err, EINVAL, "descriptor %u goes beyond the last address", index);
	if (!write && c->nread < c->nsegs)
		return err_set(err, EINVAL, "descriptor %u is to be read, after one that is to be written", index);
	c->seg[c->nsegs++] = (struct vq_seg){ .gpa = d->gpa, .len = d->len, .index = index };
	if (write) {
		c->write_bytes += d->len;
	} else {
		c->nread++;
		c->read_bytes += d->len;
	}
	return 0;
}

/* Walks the COUNT descriptors at TABLE, from INDEX on.  An indirect one, the last, goes to *RET_INDIRECT. */
static int walk(struct vq_chain *c, const struct virtqueue *q, const struct vq_env *env, uint64_t table, uint32_t count,
		uint16_t index, struct desc *ret_indirect, struct err *err)
{
	struct desc d;
	int r;

	do {
		if (index >= count)
			return err_set(err, EINVAL, "a chain goes on at descriptor %u of %u", index, count);
		if (!read_guest(env, table + DESC_BYTES * index, &d, sizeof(d)))
			return err_set(err, EINVAL, "the table of descriptor %u, at 0x%llx, is outside memory", index,
				       (unsigned long long)table);
		if (d.flags & DESC_INDIRECT) {
			if (!ret_indirect)
				return err_set(err, EINVAL, "descriptor %u of an indirect table is indirect", index);
			if (!env->indirect)
				return err_set(err, EINVAL, "descriptor %u is indirect, which was not negotiated", index);
			if (d.flags & DESC_NEXT)
				return err_set(err, EINVAL, "descriptor %u is indirect and has a next one", index);
			if (!d.len || d.len % DESC_BYTES || d.len / DESC_BYTES > q->size)
				return err_set(err, EINVAL, "descriptor %u has an indirect table of %u bytes", index, d.len);
			if (d.gpa > UINT64_MAX - d.len)
				return err_set(err, EINVAL, "descriptor %u goes beyond the last address", index);
			*ret_indirect = d;
			return 0;
		}
		r = add_seg(c, q, &d, index, err);
		if (r < 0)
			return r;
		index = d.next;
	} while (d.flags & DESC_NEXT);
	return 0;
}

static int take(struct virtqueue *q, const struct vq_env *env, struct vq_chain *c, struct err *err)
{
	struct desc indirect = { 0 };
	uint16_t head;
	int r;

	if (!read_guest(env, avail_entry(q, q->taken), &head, sizeof(head)))
		return err_set(err, EINVAL, "its driver area at 0x%llx is outside memory", (unsigned long long)q->avail);
	c->head = head;
	c->nread = c->nsegs = 0;
	c->read_bytes = c->write_bytes = 0;
	r = walk(c, q, env, q->desc, q->size, head, &indirect, err);
	if (r == 0 && indirect.len)
		r = walk(c, q, env, indirect.gpa, indirect.len / DESC_BYTES, 0, NULL, err);
	if (r < 0)
		return r;
	q->taken++;
	return 1;
}

int vq_pop(struct virtqueue *q, const struct vq_env *env, struct vq_chain *ret, struct err *err)
{
	uint16_t n = 0;
	int r = count_available(q, env, &n, err);

	if (r == 0 && !n && env->event_idx && (!q->asked || q->ask != q->taken)) {
		/* The driver notifies when its index passes this; what came in between is looked for once more (2.7.10). */
		if (!write_guest(env, avail_event_at(q), &q->taken, sizeof(q->taken)))
			return err_set(err, EINVAL, "its device area at 0x%llx is outside memory",
				       (unsigned long long)q->used);
		q->asked = 1;
		q->ask = q->taken;
		atomic_thread_fence(memory_order_seq_cst);
		r = count_available(q, env, &n, err);
	}
	if (r < 0)
		return r;
	return n ? take(q, env, ret, err) : 0;
}

int vq_push(struct virtqueue *q, const struct vq_env *env, uint16_t head, uint64_t len, struct err *err)
{
	uint32_t entry[2] = { head, len < UINT32_MAX ? (uint32_t)len : UINT32_MAX };
	uint16_t next = (uint16_t)(q->given + 1);

	if (!write_guest(env, used_entry(q, q->given), entry, sizeof(entry)))
		goto fail;
	atomic_thread_fence(memory_order_release);
	if (!write_guest(env, q->used + USED_IDX, &next, sizeof(next)))
		goto fail;
	q->given = next;
	return 0;
fail:
	return err_set(err, EINVAL, "its device area at 0x%llx is outside memory", (unsigned long long)q->used);
}

int vq_wants_interrupt(struct virtqueue *q, const struct vq_env *env, struct err *err)
{
	uint64_t at = env->event_idx ? used_event_at(q) : q->avail + AVAIL_FLAGS;
	uint16_t word, before = q->told;

	if (q->given == before)
		return 0;
	/* The driver sets what is read here, and then looks at the used index. */
	atomic_thread_fence(memory_order_seq_cst);
	if (!read_guest(env, at, &word, sizeof(word)))
		return err_set(err, EINVAL, "its driver area at 0x%llx is outside memory", (unsigned long long)q->avail);
	q->told = q->given;
	if (!env->event_idx)
		return !(word & AVAIL_NO_INTERRUPT);
	/* 2.7.7.2: whether the index passed used_event. */
	return (uint16_t)(q->given - word - 1) < (uint16_t)(q->given - before);
}

int vq_copy(const struct vq_chain *c, const struct vq_env *env, uint64_t offset, void *data, size_t len, bool to_guest,
	    struct err *err)
{
	const struct vq_seg *s = c->seg + (to_guest ? c->nread : 0), *end = c->seg + (to_guest ? c->nsegs : c->nread);
	uint8_t *p = data;
	size_t n;

	for (; len && s < end; s++) {
		if (offset >= s->len) {
			offset -= s->len;
			continue;
		}
		for (; len && offset < s->len; offset += n, p += n, len -= n) {
			n = s->len - offset < len ? (size_t)(s->len - offset) : len;
			n = n < DEV_DMA_MAX ? n : DEV_DMA_MAX;
			if (env->host->dma(env->host->arg, s->gpa + offset, p, n, to_guest) != n)
				return err_set(err, EINVAL, "descriptor %u is outside memory", s->index);
		}
		offset = 0;
	}
	return 0;
}

static const struct dev_field queue_fields[] = {
	DEV_FIELD(struct virtqueue, size, UINT16_MAX),
	DEV_FIELD(struct virtqueue, enabled, 1),
	DEV_FIELD(struct virtqueue, desc, UINT64_MAX),
	DEV_FIELD(struct virtqueue, avail, UINT64_MAX),
	DEV_FIELD(struct virtqueue, used, UINT64_MAX),
	DEV_FIELD(struct virtqueue, taken, UINT16_MAX),
	DEV_FIELD(struct virtqueue, given, UINT16_MAX),
	DEV_FIELD(struct virtqueue, told, UINT16_MAX),
	DEV_FIELD(struct virtqueue, asked, 1),
	DEV_FIELD(struct virtqueue, ask, UINT16_MAX),
};

#define COUNT(table)    (sizeof(table) / sizeof((table)[0]))

int vq_save(const struct virtqueue *q, struct dev_buf *b)
{
	return dev_fields_save(q, queue_fields, COUNT(queue_fields), b);
}

int vq_load(struct virtqueue *ret, struct dev_buf *b, const char *name, struct err *err)
{
	struct virtqueue q = { 0 };
	int r = dev_fields_load(&q, queue_fields, COUNT(queue_fields), b, name, err);

	if (r < 0)
		return r;
	if (q.enabled ? vq_check(&q, NULL) < 0 || (uint16_t)(q.taken - q.given) > q.size :
			q.taken || q.given || q.told || q.asked)
		return err_set(err, EINVAL, "%s: its saved state of a queue contradicts itself", name);
	*ret = q;
	return 0;
}

static const struct dev_field chain_fields[] = {
	DEV_FIELD(struct vq_chain, head, VQ_SIZE_MAX - 1),
	DEV_FIELD(struct vq_chain, nread, VQ_SIZE_MAX),
	DEV_FIELD(struct vq_chain, nsegs, VQ_SIZE_MAX),
};

static const struct dev_field seg_fields[] = {
	DEV_FIELD(struct vq_seg, gpa, UINT64_MAX),
	DEV_FIELD(struct vq_seg, len, UINT32_MAX),
	DEV_FIELD(struct vq_seg, index, VQ_SIZE_MAX - 1),
};

int vq_chain_save(const struct vq_chain *c, struct dev_buf *b)
{
	int r = dev_fields_save(c, chain_fields, COUNT(chain_fields), b);

	for (unsigned i = 0; r == 0 && i < c->nsegs; i++)
		r = dev_fields_save(&c->seg[i], seg_fields, COUNT(seg_fields), b);
	return r;
}

int vq_chain_load(struct vq_chain *ret, struct dev_buf *b, const char *name, struct err *err)
{
	struct vq_chain c;
	int r;

	memset(&c, 0, sizeof(c));
	r = dev_fields_load(&c, chain_fields, COUNT(chain_fields), b, name, err);
	if (r == 0 && (!c.nsegs || c.nread > c.nsegs))
		r = err_set(err, EINVAL, "%s: its saved state of a chain contradicts itself", name);
	for (unsigned i = 0; r == 0 && i < c.nsegs; i++) {
		struct vq_seg *s = &c.seg[i];

		r = dev_fields_load(s, seg_fields, COUNT(seg_fields), b, name, err);
		if (r == 0 && (!s->len || s->gpa > UINT64_MAX - s->len))
			r = err_set(err, EINVAL, "%s: its saved state of a chain contradicts itself", name);
		*(i < c.nread ? &c.read_bytes : &c.write_bytes) += s->len;
	}
	if (r == 0)
		*ret = c;
	return r;
}
