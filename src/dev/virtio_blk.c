/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The block device (virtio 1.2, 5.2).  One request at a time is at the disk, in pieces of at most DISK_REQUEST_MAX
 * bytes; the others wait in the available ring.  Nobody waits for the file: poll() goes on when a piece is done.
 */
#include "dev/virtio_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/le.h"

#define SECTOR          512u
#define HEADER_BYTES    16u             /* 5.2.6: type, reserved, sector */
#define ID_BYTES        20u
#define ZEROES_BYTES    16u             /* a range of VIRTIO_BLK_T_WRITE_ZEROES: sector, count, flags */
#define ZEROES_SECTORS  65536u          /* of such a range at most */
#define ZEROES_UNMAP    0x1u

/* Features: 5.2.3. */
#define F_SEG_MAX       (1ull << 2)
#define F_RO            (1ull << 5)
#define F_BLK_SIZE      (1ull << 6)
#define F_FLUSH         (1ull << 9)
#define F_WRITE_ZEROES  (1ull << 14)

/* Device configuration: 5.2.4. */
enum {
	CONFIG_CAPACITY = 0, CONFIG_SEG_MAX = 12, CONFIG_BLK_SIZE = 20, CONFIG_ZEROES_SECTORS = 48, CONFIG_ZEROES_SEG = 52,
	CONFIG_ZEROES_UNMAP = 56, CONFIG_BYTES = 60,
};

enum { STATUS_OK, STATUS_IOERR, STATUS_UNSUPP };

enum phase {
	PHASE_IDLE,
	/* A piece is at the disk: its result has not been taken yet. */
	PHASE_READ, PHASE_WRITE, PHASE_FLUSH,
	PHASE_DRAIN,                    /* the same, for a request that a reset has ended */
	PHASES
};

struct blk_state {
	uint8_t phase;
	uint8_t zeroes;                 /* 0 or 1: what is written are zeroes, not the driver's data */
	uint64_t start, total;          /* bytes: where on the disk, how many */
	uint64_t pos;                   /* up to where it is done */
	uint32_t len;                   /* of the piece at the disk */
	struct vq_chain chain;
};

struct blk {
	struct virtio v;                /* first */
	unsigned index;
	struct disk *disk;
	uint8_t *buf;                   /* DISK_REQUEST_MAX bytes, the worker's while a piece is at the disk */
	uint8_t config[CONFIG_BYTES];
	struct blk_state s;
	struct blk_state loaded;        /* between load() and take(), as is the next */
	uint8_t *loaded_buf;
};

static struct blk *of(struct virtio *v)
{
	return (struct blk *)v;
}

/* Answers the request: all but the last byte of what it may write is data, which is there up to DONE. */
static void finish(struct blk *k, uint8_t status, uint64_t done)
{
	const struct vq_chain *c = &k->s.chain;

	k->s.phase = PHASE_IDLE;
	if (!virtio_copy(&k->v, 0, c, c->write_bytes - 1, &status, 1, true))
		return;
	/* What lies between data and status was not written: then only what comes before counts (2.7.8.2). */
	virtio_push(&k->v, 0, c->head, done == c->write_bytes - 1 ? done + 1 : done);
}

static uint64_t data_written(const struct blk *k, enum phase phase)
{
	return phase == PHASE_READ ? k->s.pos : 0;
}

/* Has the disk do the next piece. */
static void begin_piece(struct blk *k, enum phase phase)
{
	static const enum disk_op op[PHASES] = {
		[PHASE_READ] = DISK_READ, [PHASE_WRITE] = DISK_WRITE, [PHASE_FLUSH] = DISK_FLUSH,
	};
	struct blk_state *s = &k->s;
	uint64_t left = s->total - s->pos;

	s->len = left < DISK_REQUEST_MAX ? (uint32_t)left : DISK_REQUEST_MAX;
	if (phase == PHASE_WRITE && s->zeroes)
		memset(k->buf, 0, s->len);
	else if (phase == PHASE_WRITE && !virtio_copy(&k->v, 0, &s->chain, HEADER_BYTES + s->pos, k->buf, s->len, false))
		return;
	s->phase = (uint8_t)phase;
	if (disk_begin(k->disk, op[phase], s->start + s->pos, k->buf, s->len) < 0)
		finish(k, STATUS_IOERR, data_written(k, phase));
}

/* Sectors from SECTOR on, in whole ones, that are there. */
static void transfer(struct blk *k, enum phase phase, uint64_t sector, uint64_t bytes)
{
	const struct disk_info *info = disk_info(k->disk);

	if (bytes % SECTOR || sector > info->size / SECTOR || bytes > info->size - sector * SECTOR ||
	    (phase == PHASE_WRITE && info->readonly)) {
		finish(k, STATUS_IOERR, 0);
	} else if (!bytes) {
		finish(k, STATUS_OK, 0);
	} else {
		k->s.start = sector * SECTOR;
		k->s.total = bytes;
		begin_piece(k, phase);
	}
}

static void do_read(struct blk *k, uint64_t sector)
{
	transfer(k, PHASE_READ, sector, k->s.chain.write_bytes - 1);
}

static void do_write(struct blk *k, uint64_t sector)
{
	transfer(k, PHASE_WRITE, sector, k->s.chain.read_bytes - HEADER_BYTES);
}

static void do_flush(struct blk *k, uint64_t sector)
{
	(void)sector;
	begin_piece(k, PHASE_FLUSH);
}

static void do_get_id(struct blk *k, uint64_t sector)
{
	uint64_t room = k->s.chain.write_bytes - 1;
	char id[ID_BYTES] = "";
	size_t len = room < ID_BYTES ? (size_t)room : ID_BYTES;

	(void)sector;
	snprintf(id, sizeof(id), "gdbvisor-%u", k->index);
	if (virtio_copy(&k->v, 0, &k->s.chain, 0, id, len, true))
		finish(k, STATUS_OK, len);
}

static void do_write_zeroes(struct blk *k, uint64_t sector)
{
	uint8_t range[ZEROES_BYTES];
	uint32_t count;

	(void)sector;
	if (k->s.chain.read_bytes != HEADER_BYTES + ZEROES_BYTES) {
		finish(k, STATUS_IOERR, 0);
		return;
	}
	if (!virtio_copy(&k->v, 0, &k->s.chain, HEADER_BYTES, range, sizeof(range), false))
		return;
	count = (uint32_t)le_get(range + 8, 4);
	if (le_get(range + 12, 4) & ~ZEROES_UNMAP) {
		finish(k, STATUS_UNSUPP, 0);
	} else if (count > ZEROES_SECTORS) {
		finish(k, STATUS_IOERR, 0);
	} else {
		k->s.zeroes = 1;
		transfer(k, PHASE_WRITE, le_get(range, 8), (uint64_t)count * SECTOR);
	}
}

static const struct {
	uint32_t type;
	void (*begin)(struct blk *k, uint64_t sector);
} requests[] = {
	{ 0, do_read }, { 1, do_write }, { 4, do_flush }, { 8, do_get_id }, { 13, do_write_zeroes },
};

#define COUNT(table)    (sizeof(table) / sizeof((table)[0]))

static void begin_request(struct blk *k)
{
	struct vq_chain *c = &k->s.chain;
	uint8_t header[HEADER_BYTES];
	uint32_t type;

	k->s.zeroes = 0;
	k->s.start = k->s.total = k->s.pos = 0;
	if (c->read_bytes < HEADER_BYTES) {
		virtio_break(&k->v, "queue 0: the request at descriptor %u has a header of %u bytes, not %u", c->head,
			     (unsigned)c->read_bytes, HEADER_BYTES);
		return;
	}
	if (!c->write_bytes) {
		virtio_break(&k->v, "queue 0: the request at descriptor %u has no room for its status", c->head);
		return;
	}
	if (!virtio_copy(&k->v, 0, c, 0, header, sizeof(header), false))
		return;
	type = (uint32_t)le_get(header, 4);
	for (size_t i = 0; i < COUNT(requests); i++) {
		if (requests[i].type == type) {
			requests[i].begin(k, le_get(header + 8, 8));
			return;
		}
	}
	finish(k, STATUS_UNSUPP, 0);
}

/* The piece at the disk is done, with RESULT. */
static void go_on(struct blk *k, int result)
{
	struct blk_state *s = &k->s;
	enum phase phase = s->phase;

	s->phase = PHASE_IDLE;
	if (result < 0) {
		finish(k, STATUS_IOERR, data_written(k, phase));
		return;
	}
	if (phase == PHASE_READ && !virtio_copy(&k->v, 0, &s->chain, s->pos, k->buf, s->len, true))
		return;
	s->pos += s->len;
	if (s->pos < s->total)
		begin_piece(k, phase);
	else
		finish(k, STATUS_OK, data_written(k, phase));
}

static void run(struct virtio *v)
{
	struct blk *k = of(v);
	unsigned n = 0;
	int result;

	if (k->s.phase != PHASE_IDLE && k->s.phase != PHASE_DRAIN && disk_finished(k->disk, &result))
		go_on(k, result);
	while (k->s.phase == PHASE_IDLE && n < VIRTIO_BATCH && virtio_pop(v, 0, &k->s.chain)) {
		begin_request(k);
		n++;
	}
	virtio_flush(v, 0);
	if (n == VIRTIO_BATCH)
		virtio_later(v);
}

static void poll(struct virtio *v)
{
	struct blk *k = of(v);
	int result;

	if (k->s.phase == PHASE_DRAIN && disk_finished(k->disk, &result))
		k->s.phase = PHASE_IDLE;
}

/* What is at the disk cannot be called back. */
static void reset(struct virtio *v, bool machine)
{
	struct blk *k = of(v);
	bool at_disk = k->s.phase != PHASE_IDLE;

	if (machine) {
		disk_settle(k->disk);
		at_disk = false;
	}
	memset(&k->s, 0, sizeof(k->s));
	k->s.phase = at_disk ? PHASE_DRAIN : PHASE_IDLE;
	poll(v);
}

static const struct dev_field fields[] = {
	DEV_FIELD(struct blk_state, phase, PHASE_FLUSH),
	DEV_FIELD(struct blk_state, zeroes, 1),
	DEV_FIELD(struct blk_state, start, UINT64_MAX),
	DEV_FIELD(struct blk_state, total, UINT64_MAX),
	DEV_FIELD(struct blk_state, pos, UINT64_MAX),
	DEV_FIELD(struct blk_state, len, DISK_REQUEST_MAX),
};

/* How many bytes of the buffer mean anything. */
static uint32_t bytes_held(const struct blk_state *s)
{
	return s->phase == PHASE_WRITE && !s->zeroes ? s->len : 0;
}

static int save(const struct virtio *v, struct dev_buf *b)
{
	const struct blk *k = (const struct blk *)v;
	struct blk_state s = k->s;
	int r;

	/* The disk will be idle when this is loaded. */
	if (s.phase == PHASE_DRAIN)
		s.phase = PHASE_IDLE;
	if (s.phase == PHASE_IDLE)
		s = (struct blk_state){ .phase = PHASE_IDLE };
	r = dev_put(b, disk_info(k->disk)->size, 8);
	if (r == 0)
		r = dev_fields_save(&s, fields, COUNT(fields), b);
	if (r == 0 && s.phase != PHASE_IDLE)
		r = vq_chain_save(&s.chain, b);
	for (uint32_t i = 0; r == 0 && i < bytes_held(&s); i++)
		r = dev_put(b, k->buf[i], 1);
	return r;
}

static bool state_is_valid(const struct blk *k, const struct blk_state *s)
{
	const struct disk_info *info = disk_info(k->disk);
	const struct vq_chain *c = &s->chain;
	uint64_t left = s->total - s->pos;

	if (s->phase == PHASE_IDLE)
		return !s->zeroes && !s->start && !s->total && !s->pos && !s->len;
	if (c->read_bytes < HEADER_BYTES || !c->write_bytes)
		return false;
	if (s->phase == PHASE_FLUSH)
		return !s->zeroes && !s->start && !s->total && !s->pos && !s->len;
	if (s->start % SECTOR || s->total % SECTOR || s->pos % DISK_REQUEST_MAX || s->pos >= s->total ||
	    s->start > info->size || s->total > info->size - s->start ||
	    s->len != (left < DISK_REQUEST_MAX ? left : DISK_REQUEST_MAX))
		return false;
	if (s->phase == PHASE_READ)
		return !s->zeroes && s->total == c->write_bytes - 1;
	return !info->readonly && (s->zeroes ? s->total <= (uint64_t)ZEROES_SECTORS * SECTOR :
					       s->total == c->read_bytes - HEADER_BYTES);
}

static int load(struct virtio *v, struct dev_buf *b, struct err *err)
{
	struct blk *k = of(v);
	struct blk_state *s = &k->loaded;
	uint64_t size, own = disk_info(k->disk)->size;
	uint32_t held;
	int r;

	memset(s, 0, sizeof(*s));
	if (dev_get(b, 8, &size) < 0)
		return err_set(err, EINVAL, "%s: its saved state is truncated", v->name);
	if (size != own)
		return err_set(err, EINVAL, "%s: its saved state is of a disk of %llu bytes, not %llu", v->name,
			       (unsigned long long)size, (unsigned long long)own);
	r = dev_fields_load(s, fields, COUNT(fields), b, v->name, err);
	if (r == 0 && s->phase != PHASE_IDLE)
		r = vq_chain_load(&s->chain, b, v->name, err);
	if (r == 0 && !state_is_valid(k, s))
		r = err_set(err, EINVAL, "%s: its saved state of a request contradicts itself", v->name);
	if (r < 0)
		return r;
	held = bytes_held(s);
	if (b->len - b->pos < held)
		return err_set(err, EINVAL, "%s: its saved state is truncated", v->name);
	k->loaded_buf = malloc(held ? held : 1);
	if (!k->loaded_buf)
		return err_set(err, ENOMEM, "%s: no memory for its state", v->name);
	memcpy(k->loaded_buf, b->data + b->pos, held);
	b->pos += held;
	return 0;
}

static void drop(struct virtio *v)
{
	free(of(v)->loaded_buf);
	of(v)->loaded_buf = NULL;
}

/* The disk is asked anew: what had been read, or written to the file, is read and written once more. */
static void take(struct virtio *v)
{
	static const enum disk_op op[PHASES] = {
		[PHASE_READ] = DISK_READ, [PHASE_WRITE] = DISK_WRITE, [PHASE_FLUSH] = DISK_FLUSH,
	};
	struct blk *k = of(v);

	disk_settle(k->disk);
	k->s = k->loaded;
	memset(k->buf, 0, k->s.len);
	memcpy(k->buf, k->loaded_buf, bytes_held(&k->s));
	drop(v);
	/* It fits the disk, which is idle: it cannot fail. */
	if (k->s.phase != PHASE_IDLE)
		disk_begin(k->disk, op[k->s.phase], k->s.start + k->s.pos, k->buf, k->s.len);
}

static void show(const struct virtio *v, const struct dev_show *sh)
{
	static const char *const phases[PHASES] = {
		"idle", "reads", "writes", "flushes", "ends a request from before a reset",
	};
	const struct blk *k = (const struct blk *)v;
	char text[96];

	snprintf(text, sizeof(text), "sectors of %s", disk_info(k->disk)->path);
	sh->reg(sh->arg, "capacity", 64, disk_info(k->disk)->size / SECTOR, text);
	sh->reg(sh->arg, "request", 8, k->s.phase, phases[k->s.phase]);
	snprintf(text, sizeof(text), "%llu of %llu bytes done", (unsigned long long)k->s.pos,
		 (unsigned long long)k->s.total);
	sh->reg(sh->arg, "sector", 64, k->s.start / SECTOR, k->s.phase == PHASE_IDLE ? NULL : text);
}

static void free_blk(struct virtio *v)
{
	struct blk *k = of(v);

	/* The worker may be at the buffer. */
	disk_settle(k->disk);
	free(k->buf);
	free(k->loaded_buf);
}

static const struct virtio_bit features[] = {
	{ F_SEG_MAX, "seg-max" }, { F_RO, "read-only" }, { F_BLK_SIZE, "blk-size" }, { F_FLUSH, "flush" },
	{ F_WRITE_ZEROES, "write-zeroes" }, { 0, NULL },
};

static const struct virtio_type blk_type = {
	.id = 2,
	.class_code = 0x010000,
	.what = "disk, virtio",
	.pci_name = "Virtio disk",
	.nqueues = 1,
	.features = features,
	.run = run,
	.reset = reset,
	.poll = poll,
	.save = save,
	.load = load,
	.take = take,
	.drop = drop,
	.show = show,
	.free = free_blk,
};

static void make_config(struct blk *k)
{
	le_put(k->config + CONFIG_CAPACITY, 8, disk_info(k->disk)->size / SECTOR);
	/* Header and status need a descriptor each. */
	le_put(k->config + CONFIG_SEG_MAX, 4, VQ_SIZE_MAX - 2);
	le_put(k->config + CONFIG_BLK_SIZE, 4, SECTOR);
	le_put(k->config + CONFIG_ZEROES_SECTORS, 4, ZEROES_SECTORS);
	le_put(k->config + CONFIG_ZEROES_SEG, 4, 1);
	k->config[CONFIG_ZEROES_UNMAP] = 1;
}

int virtio_blk_attach(struct pci_bus *pci, unsigned index, struct disk *disk, struct err *err)
{
	struct blk *k = calloc(1, sizeof(*k));

	if (!k)
		return err_set(err, ENOMEM, "no memory for a virtio disk");
	k->buf = calloc(1, DISK_REQUEST_MAX);
	if (!k->buf) {
		free(k);
		return err_set(err, ENOMEM, "no memory for a virtio disk");
	}
	k->index = index;
	k->disk = disk;
	make_config(k);
	k->v.type = &blk_type;
	k->v.config = k->config;
	k->v.config_len = sizeof(k->config);
	k->v.offered = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (disk_info(disk)->readonly ? F_RO : F_WRITE_ZEROES);
	snprintf(k->v.name, sizeof(k->v.name), "virtio-blk%u", index);
	return virtio_attach(pci, &k->v, VIRTIO_SLOT_DISK + index, err);
}
