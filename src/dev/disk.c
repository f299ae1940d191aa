/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/htab.h"

#define DISK_SECTOR     512u
#define CDROM_SECTOR    2048u
#define BLOCK           4096u           /* bytes in which a snapshot keeps what the guest wrote */

enum request_state { REQUEST_NONE, REQUEST_BEGUN, REQUEST_DONE };

/* What a guest wrote to a snapshot; beyond the image's end zeroes. */
struct block {
	struct htab_link link;          /* by offset / BLOCK */
	uint8_t data[BLOCK];
};

struct disk {
	struct disk_info info;
	char *path;                     /* info.path */
	int fd;
	bool is_file;                   /* else a block device */
	void (*done)(void *arg);
	void *arg;

	pthread_t thread;
	pthread_mutex_t lock;           /* for what follows, up to `blocks` */
	pthread_cond_t begun, ended;
	bool quit;
	enum request_state state;
	int result;
	/* The request: set before it is begun, then the worker's until it is done. */
	enum disk_op op;
	uint64_t offset;
	uint8_t *data;
	size_t len;

	struct htab blocks;             /* the worker's alone */
};

static int read_file(const struct disk *d, uint64_t offset, uint8_t *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = pread(d->fd, data, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;            /* it was shrunk */
		data += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(struct disk *d, uint64_t offset, const uint8_t *data, size_t len)
{
	struct stat st;
	ssize_t n;

	/*
	 * A write would make a file that was shrunk grow again, with zeroes for what has been lost: the guest is to
	 * hear of it.
	 */
	if (d->is_file && fstat(d->fd, &st) < 0)
		return -errno;
	if (d->is_file && (uint64_t)st.st_size < offset + len)
		return -EIO;
	while (len) {
		n = pwrite(d->fd, data, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		data += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static struct block *find_block(const struct disk *d, uint64_t offset)
{
	return HTAB_ENTRY(htab_find(&d->blocks, offset / BLOCK), struct block, link);
}

/* How much of LEN bytes from OFFSET on lies in OFFSET's block. */
static size_t block_part(uint64_t offset, size_t len)
{
	size_t room = BLOCK - (size_t)(offset % BLOCK);

	return len < room ? len : room;
}

static int read_snapshot(const struct disk *d, uint64_t offset, uint8_t *data, size_t len)
{
	const struct block *b;
	size_t n, run = 0;              /* bytes before DATA that are the file's and have not been read yet */
	int r;

	for (; len; len -= n, data += n, offset += n) {
		n = block_part(offset, len);
		b = find_block(d, offset);
		if (!b) {
			run += n;
			continue;
		}
		r = read_file(d, offset - run, data - run, run);
		if (r < 0)
			return r;
		run = 0;
		memcpy(data, b->data + offset % BLOCK, n);
	}
	return read_file(d, offset - run, data - run, run);
}

/* Makes the block at OFFSET, with the file's bytes unless all of them are about to be written. */
static int make_block(struct disk *d, uint64_t offset, bool whole, struct block **ret)
{
	struct block *b = calloc(1, sizeof(*b));
	uint64_t start = offset - offset % BLOCK, rest = d->info.size - start;
	int r = 0;

	if (!b)
		return -ENOMEM;
	if (!whole)
		r = read_file(d, start, b->data, rest < BLOCK ? (size_t)rest : BLOCK);
	if (r == 0)
		r = htab_add(&d->blocks, &b->link, offset / BLOCK);
	if (r < 0) {
		free(b);
		return r;
	}
	*ret = b;
	return 0;
}

static int write_snapshot(struct disk *d, uint64_t offset, const uint8_t *data, size_t len)
{
	struct block *b;
	size_t n;
	int r;

	for (; len; len -= n, data += n, offset += n) {
		n = block_part(offset, len);
		b = find_block(d, offset);
		if (!b) {
			r = make_block(d, offset, n == BLOCK, &b);
			if (r < 0)
				return r;
		}
		memcpy(b->data + offset % BLOCK, data, n);
	}
	return 0;
}

static int carry_out(struct disk *d)
{
	switch (d->op) {
	case DISK_READ:
		return (d->info.snapshot ? read_snapshot : read_file)(d, d->offset, d->data, d->len);
	case DISK_WRITE:
		return (d->info.snapshot ? write_snapshot : write_file)(d, d->offset, d->data, d->len);
	case DISK_FLUSH:
		break;
	}
	return d->info.readonly || d->info.snapshot || fdatasync(d->fd) == 0 ? 0 : -errno;
}

static void *disk_main(void *arg)
{
	struct disk *d = arg;
	int r;

	pthread_mutex_lock(&d->lock);
	for (;;) {
		while (d->state != REQUEST_BEGUN && !d->quit)
			pthread_cond_wait(&d->begun, &d->lock);
		if (d->state != REQUEST_BEGUN)
			break;
		pthread_mutex_unlock(&d->lock);
		r = carry_out(d);
		pthread_mutex_lock(&d->lock);
		d->result = r;
		d->state = REQUEST_DONE;
		pthread_cond_broadcast(&d->ended);
		pthread_mutex_unlock(&d->lock);
		d->done(d->arg);
		pthread_mutex_lock(&d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

static int open_file(struct disk *d, const struct disk_spec *spec, struct err *err)
{
	bool writes = !d->info.readonly && !d->info.snapshot;
	/* O_NONBLOCK: a FIFO is refused, not waited for. */
	int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY, r;

	d->fd = open(spec->path, (writes ? O_RDWR : O_RDONLY) | flags);
	if (d->fd >= 0)
		return 0;
	r = errno;
	if (writes && (r == EACCES || r == EPERM || r == EROFS))
		return err_set(err, EACCES, "%s: may not be written; with `,ro` or `,snapshot` it need not be",
			       spec->path);
	return err_errno(err, r, "%s", spec->path);
}

static int lock_file(struct disk *d, struct err *err)
{
	bool writes = !d->info.readonly && !d->info.snapshot;

	if (flock(d->fd, (writes ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, EBUSY, "%s: in use by another disk or process, and one of them writes", d->path);
	/* A file system without locks: what does not write can do no harm. */
	return writes ? err_errno(err, errno, "%s: cannot be locked", d->path) : 0;
}

static int measure(struct disk *d, struct err *err)
{
	struct stat st;
	off_t size;

	if (fstat(d->fd, &st) < 0)
		return err_errno(err, errno, "%s", d->path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(err, EINVAL, "%s: neither a file nor a block device", d->path);
	d->is_file = S_ISREG(st.st_mode);
	size = lseek(d->fd, 0, SEEK_END);
	if (size < 0)
		return err_errno(err, errno, "%s: its size", d->path);
	d->info.size = (uint64_t)size - (uint64_t)size % d->info.sector;
	if (!d->info.cdrom && d->info.size != (uint64_t)size)
		return err_set(err, EINVAL, "%s: %lld bytes are no whole sectors: %llu would be", d->path,
			       (long long)size, (unsigned long long)d->info.size + d->info.sector);
	if (!d->info.size)
		return err_set(err, EINVAL, "%s: %lld bytes, not one sector of %u", d->path, (long long)size,
			       d->info.sector);
	return 0;
}

static int start_worker(struct disk *d, struct err *err)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&d->thread, NULL, disk_main, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return r ? err_errno(err, r, "%s: no thread for it", d->path) : 0;
}

static void free_disk(struct disk *d)
{
	struct htab_link *link, *next;
	size_t i;

	for (i = 0; i < d->blocks.buckets; i++) {
		for (link = d->blocks.bucket[i]; link; link = next) {
			next = link->next;
			free(HTAB_ENTRY(link, struct block, link));
		}
	}
	htab_done(&d->blocks);
	if (d->fd >= 0)
		close(d->fd);
	pthread_cond_destroy(&d->ended);
	pthread_cond_destroy(&d->begun);
	pthread_mutex_destroy(&d->lock);
	free(d->path);
	free(d);
}

int disk_open(const struct disk_spec *spec, void (*done)(void *arg), void *arg, struct disk **ret, struct err *err)
{
	struct disk *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return err_set(err, ENOMEM, "%s: no memory for it", spec->path);
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->begun, NULL);
	pthread_cond_init(&d->ended, NULL);
	d->fd = -1;
	d->done = done;
	d->arg = arg;
	d->info.sector = spec->cdrom ? CDROM_SECTOR : DISK_SECTOR;
	d->info.cdrom = spec->cdrom;
	d->info.readonly = spec->readonly || spec->cdrom;
	d->info.snapshot = spec->snapshot && !d->info.readonly;
	d->path = strdup(spec->path);
	if (!d->path) {
		r = err_set(err, ENOMEM, "%s: no memory for it", spec->path);
		goto fail;
	}
	d->info.path = d->path;
	r = open_file(d, spec, err);
	if (r < 0)
		goto fail;
	r = measure(d, err);
	if (r < 0)
		goto fail;
	r = lock_file(d, err);
	if (r < 0)
		goto fail;
	r = start_worker(d, err);
	if (r < 0)
		goto fail;
	*ret = d;
	return 0;
fail:
	free_disk(d);
	return r;
}

void disk_close(struct disk *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->quit = true;
	pthread_cond_signal(&d->begun);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	free_disk(d);
}

const struct disk_info *disk_info(const struct disk *d)
{
	return &d->info;
}

static bool is_inside(const struct disk_info *info, uint64_t offset, size_t len)
{
	return len && len <= DISK_REQUEST_MAX && !(len % info->sector) && !(offset % info->sector) &&
	       offset < info->size && len <= info->size - offset;
}

int disk_begin(struct disk *d, enum disk_op op, uint64_t offset, uint8_t *data, size_t len)
{
	int r = 0;

	if (op != DISK_FLUSH && !is_inside(&d->info, offset, len))
		return -EINVAL;
	if (op == DISK_WRITE && d->info.readonly)
		return -EROFS;
	pthread_mutex_lock(&d->lock);
	if (d->state != REQUEST_NONE) {
		r = -EBUSY;
	} else {
		d->op = op;
		d->offset = offset;
		d->data = data;
		d->len = len;
		d->state = REQUEST_BEGUN;
		pthread_cond_signal(&d->begun);
	}
	pthread_mutex_unlock(&d->lock);
	return r;
}

bool disk_busy(const struct disk *d)
{
	struct disk *locked = (struct disk *)d;         /* the lock is no part of what is const */
	bool busy;

	pthread_mutex_lock(&locked->lock);
	busy = d->state == REQUEST_BEGUN;
	pthread_mutex_unlock(&locked->lock);
	return busy;
}

bool disk_finished(struct disk *d, int *ret_result)
{
	bool finished;

	pthread_mutex_lock(&d->lock);
	finished = d->state == REQUEST_DONE;
	if (finished) {
		*ret_result = d->result;
		d->state = REQUEST_NONE;
	}
	pthread_mutex_unlock(&d->lock);
	return finished;
}

int disk_wait(struct disk *d)
{
	int r;

	pthread_mutex_lock(&d->lock);
	while (d->state == REQUEST_BEGUN)
		pthread_cond_wait(&d->ended, &d->lock);
	r = d->state == REQUEST_DONE ? d->result : 0;
	d->state = REQUEST_NONE;
	pthread_mutex_unlock(&d->lock);
	return r;
}

void disk_settle(struct disk *d)
{
	disk_wait(d);
}
