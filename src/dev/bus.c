/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/bus.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PORTS           0x10000u
#define RANGES_MAX      255             /* an index and "none" fit a byte */
#define NAME_MAX_BYTES  32

struct range {
	struct device *dev;
	uint16_t base;
	unsigned count;
};

struct bus {
	pthread_mutex_t lock;
	const struct dev_host *host;
	struct range range[RANGES_MAX];
	size_t nranges;
	uint8_t owner[PORTS];           /* a port's range index + 1, 0: nobody's */
};

/* Whether range I is the first of its device, which stands for the device itself. */
static bool is_first_range(const struct bus *b, size_t i)
{
	return b->range[i].base == b->range[i].dev->base;
}

int bus_new(const struct dev_host *host, struct bus **ret, struct err *err)
{
	struct bus *b = calloc(1, sizeof(*b));

	if (!b)
		return err_set(err, ENOMEM, "no memory for the device bus");
	b->host = host;
	pthread_mutex_init(&b->lock, NULL);
	*ret = b;
	return 0;
}

void bus_free(struct bus *b)
{
	size_t i;

	if (!b)
		return;
	/* From the end: a device's first range, by which it is known, comes before its others. */
	for (i = b->nranges; i-- > 0;)
		if (is_first_range(b, i))
			b->range[i].dev->ops->free(b->range[i].dev);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static bool is_attached(const struct bus *b, const struct device *d)
{
	size_t i;

	for (i = 0; i < b->nranges; i++)
		if (b->range[i].dev == d)
			return true;
	return false;
}

int bus_attach(struct bus *b, struct device *d, uint16_t base, unsigned count, struct err *err)
{
	bool again = is_attached(b, d);
	unsigned i;
	int r;

	if (!count || count > PORTS - base || (again && base < d->base)) {
		r = err_set(err, EINVAL, "%s: port 0x%x cannot start a range of %u", d->ops->name, base, count);
		goto fail;
	}
	for (i = 0; i < count; i++) {
		if (b->owner[base + i]) {
			r = err_set(err, EEXIST, "%s: port 0x%x belongs to %s", d->ops->name, base + i,
				    b->range[b->owner[base + i] - 1].dev->ops->name);
			goto fail;
		}
	}
	if (b->nranges == RANGES_MAX) {
		r = err_set(err, ENOSPC, "%s: the bus has no range left", d->ops->name);
		goto fail;
	}
	b->range[b->nranges++] = (struct range){ .dev = d, .base = base, .count = count };
	memset(b->owner + base, (int)b->nranges, count);
	if (!again) {
		d->host = b->host;
		d->base = base;
	}
	return 0;
fail:
	if (!again)
		d->ops->free(d);
	return r;
}

const struct dev_host *bus_host(const struct bus *b)
{
	return b->host;
}

/* The device that byte I of an access at PORT goes to, or NULL. */
static struct device *find_device(const struct bus *b, unsigned port, unsigned i)
{
	struct device *d;

	if (port + i >= PORTS || !b->owner[port + i])
		return NULL;
	d = b->range[b->owner[port + i] - 1].dev;
	return i && d->ops->first_byte_only ? NULL : d;
}

bool bus_io(struct bus *b, uint16_t port, bool is_write, unsigned size, unsigned count, uint8_t *data)
{
	bool claimed = false;
	struct device *d;
	unsigned i;

	bus_lock(b);
	for (; count; count--) {
		for (i = 0; i < size; i++, data++) {
			d = find_device(b, port, i);
			claimed |= d != NULL;
			if (is_write) {
				if (d)
					d->ops->out(d, port + i - d->base, *data);
			} else {
				*data = d ? d->ops->in(d, port + i - d->base) : 0xff;
			}
		}
	}
	bus_unlock(b);
	return claimed;
}

void bus_lock(struct bus *b)
{
	pthread_mutex_lock(&b->lock);
}

void bus_unlock(struct bus *b)
{
	pthread_mutex_unlock(&b->lock);
}

void bus_reset(struct bus *b)
{
	struct device *d;
	size_t i;

	bus_lock(b);
	for (i = 0; i < b->nranges; i++) {
		d = b->range[i].dev;
		if (is_first_range(b, i) && d->ops->reset)
			d->ops->reset(d);
	}
	bus_unlock(b);
}

/* A device's record: the length of its name, the name, the length of its state (4 bytes), the state. */
static int save_device(const struct device *d, struct dev_buf *b)
{
	size_t i, n = strlen(d->ops->name), start;
	int r = dev_put(b, n, 1);

	for (i = 0; r == 0 && i < n; i++)
		r = dev_put(b, (uint8_t)d->ops->name[i], 1);
	if (r == 0)
		r = dev_put(b, 0, 4);
	start = b->len;
	if (r == 0 && d->ops->save)
		r = d->ops->save(d, b);
	if (r == 0)
		for (i = 0; i < 4; i++)
			b->data[start - 4 + i] = (uint8_t)((b->len - start) >> (8 * i));
	return r;
}

static int save_locked(struct bus *b, struct dev_buf *ret)
{
	size_t i, before = ret->len;
	int r = 0;

	for (i = 0; r == 0 && i < b->nranges; i++)
		if (is_first_range(b, i))
			r = save_device(b->range[i].dev, ret);
	if (r == 0)
		r = dev_put(ret, 0, 1);         /* no name is empty: the end */
	if (r < 0)
		ret->len = before;
	return r;
}

int bus_save(struct bus *b, struct dev_buf *ret)
{
	int r;

	bus_lock(b);
	r = save_locked(b, ret);
	bus_unlock(b);
	return r;
}

/* Reads a record's head into NAME (NAME_MAX_BYTES + 1) and the length of its state; an empty name is the end. */
static int load_head(struct dev_buf *b, char *name, uint64_t *ret_size)
{
	uint64_t n, c;
	size_t i;

	if (dev_get(b, 1, &n) < 0 || n > NAME_MAX_BYTES)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		if (dev_get(b, 1, &c) < 0)
			return -EINVAL;
		name[i] = (char)c;
	}
	name[n] = '\0';
	if (!n)
		return 0;
	return dev_get(b, 4, ret_size) < 0 || *ret_size > b->len - b->pos ? -EINVAL : 0;
}

static int load_device(struct device *d, struct dev_buf *b, struct err *err)
{
	char name[NAME_MAX_BYTES + 1];
	struct dev_buf part = { 0 };
	uint64_t size = 0;
	int r;

	if (load_head(b, name, &size) < 0)
		return err_set(err, EINVAL, "the saved devices are truncated at %s", d->ops->name);
	if (strcmp(name, d->ops->name) != 0)
		return err_set(err, EINVAL, "the saved devices have '%s' where this machine has %s", name,
			       d->ops->name);
	part.data = b->data + b->pos;
	part.len = size;
	b->pos += size;
	if (d->ops->load) {
		r = d->ops->load(d, &part, err);
		if (r < 0)
			return r;
	}
	if (part.pos != part.len)
		return err_set(err, EINVAL, "%s: its saved state is too long", name);
	return 0;
}

static int load_locked(struct bus *b, struct dev_buf *buf, struct err *err)
{
	char name[NAME_MAX_BYTES + 1];
	uint64_t size;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < b->nranges; i++)
		if (is_first_range(b, i))
			r = load_device(b->range[i].dev, buf, err);
	if (r == 0 && (load_head(buf, name, &size) < 0 || name[0]))
		r = err_set(err, EINVAL, "the saved devices do not end where this machine's do");
	return r;
}

int bus_load(struct bus *b, struct dev_buf *buf, struct err *err)
{
	struct dev_buf before = { 0 };
	size_t start = buf->pos;
	int r;

	bus_lock(b);
	/* Devices load one by one; when a later one refuses, those before it go back. */
	if (save_locked(b, &before) < 0) {
		r = err_set(err, ENOMEM, "no memory to load the devices");
	} else {
		r = load_locked(b, buf, err);
		if (r < 0) {
			load_locked(b, &before, NULL);
			buf->pos = start;
		}
	}
	bus_unlock(b);
	free(before.data);
	return r;
}

bool bus_list(struct bus *b, size_t index, const char **ret_name, uint16_t *ret_base, unsigned *ret_count)
{
	const struct range *r;

	if (index >= b->nranges)
		return false;
	r = &b->range[index];
	*ret_name = r->dev->ops->name;
	*ret_base = r->base;
	*ret_count = r->count;
	return true;
}
