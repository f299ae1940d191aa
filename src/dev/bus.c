/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/bus.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PORTS           0x10000u
#define RANGES_MAX      255             /* an index and "none" fit a byte */
#define WINDOWS_MAX     64
#define DEVICES_MAX     256
#define NAME_MAX_BYTES  32
#define WINDOW_MIN      16u             /* numbers below are fixed ranges' */

struct range {
	struct device *dev;
	unsigned id;                    /* among its device's */
	enum bus_space space;
	uint64_t base, size;            /* a window of size 0 is nowhere */
};

struct bus {
	pthread_mutex_t lock;
	const struct dev_host *host;
	struct device *dev[DEVICES_MAX];
	size_t ndevs;
	struct range range[RANGES_MAX]; /* fixed ones, of ports */
	size_t nranges;
	struct range window[WINDOWS_MAX];
	size_t nwindows;
	uint8_t owner[PORTS];           /* the index + 1 of the range that holds a port, 0: nobody's */
	uint8_t over[PORTS];            /* the same for those that lie over others (first_byte_only) */
	uint64_t deadline;              /* as the host knows it */
};

int bus_new(const struct dev_host *host, struct bus **ret, struct err *err)
{
	struct bus *b = calloc(1, sizeof(*b));

	if (!b)
		return err_set(err, ENOMEM, "no memory for the device bus");
	b->host = host;
	b->deadline = DEV_NEVER;
	pthread_mutex_init(&b->lock, NULL);
	*ret = b;
	return 0;
}

void bus_free(struct bus *b)
{
	size_t i;

	if (!b)
		return;
	for (i = 0; i < b->ndevs; i++)
		b->dev[i]->ops->free(b->dev[i]);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static bool is_attached(const struct bus *b, const struct device *d)
{
	size_t i;

	for (i = 0; i < b->ndevs; i++)
		if (b->dev[i] == d)
			return true;
	return false;
}

static int take_device(struct bus *b, struct device *d, struct err *err)
{
	if (b->ndevs == DEVICES_MAX)
		return err_set(err, ENOSPC, "%s: the bus has no place for another device", d->ops->name);
	b->dev[b->ndevs++] = d;
	d->host = b->host;
	d->bus = b;
	d->due = DEV_NEVER;
	return 0;
}

int bus_attach_bare(struct bus *b, struct device *d, struct err *err)
{
	int r = take_device(b, d, err);

	if (r < 0)
		d->ops->free(d);
	return r;
}

static bool has_fixed_range(const struct bus *b, const struct device *d)
{
	size_t i;

	for (i = 0; i < b->nranges; i++)
		if (b->range[i].dev == d)
			return true;
	return false;
}

int bus_attach(struct bus *b, struct device *d, uint16_t base, unsigned count, struct err *err)
{
	bool again = is_attached(b, d), first = !has_fixed_range(b, d);
	uint8_t *owner = d->ops->first_byte_only ? b->over : b->owner;
	unsigned i, id = 0;
	int r;

	if (!count || count > PORTS - base || (!first && base < d->base)) {
		r = err_set(err, EINVAL, "%s: port 0x%x cannot start a range of %u", d->ops->name, base, count);
		goto fail;
	}
	for (i = 0; i < count; i++) {
		if (owner[base + i]) {
			r = err_set(err, EEXIST, "%s: port 0x%x belongs to %s", d->ops->name, base + i,
				    b->range[owner[base + i] - 1].dev->ops->name);
			goto fail;
		}
	}
	if (b->nranges == RANGES_MAX) {
		r = err_set(err, ENOSPC, "%s: the bus has no range left", d->ops->name);
		goto fail;
	}
	if (!again) {
		r = take_device(b, d, err);
		if (r < 0)
			goto fail;
	}
	for (i = 0; i < b->nranges; i++)
		id += b->range[i].dev == d;
	b->range[b->nranges++] = (struct range){ .dev = d, .id = id, .space = BUS_PORTS, .base = base, .size = count };
	memset(owner + base, (int)b->nranges, count);
	if (first)
		d->base = base;
	return 0;
fail:
	if (!again)
		d->ops->free(d);
	return r;
}

int bus_add_window(struct bus *b, struct device *d, enum bus_space space, unsigned range, struct err *err)
{
	if (range < WINDOW_MIN || b->nwindows == WINDOWS_MAX)
		return err_set(err, ENOSPC, "%s: the bus has no window %u for it", d->ops->name, range);
	b->window[b->nwindows++] = (struct range){ .dev = d, .id = range, .space = space };
	return 0;
}

void bus_set_window(struct device *d, unsigned range, uint64_t base, uint64_t size)
{
	struct bus *b = d->bus;
	size_t i;

	for (i = 0; i < b->nwindows; i++) {
		struct range *w = &b->window[i];
		uint64_t end = w->space == BUS_PORTS ? PORTS : UINT64_MAX;

		if (w->dev != d || w->id != range)
			continue;
		w->base = base;
		w->size = base >= end ? 0 : size > end - base ? end - base : size;
	}
}

static void tell_deadline(struct bus *b)
{
	uint64_t at = DEV_NEVER;
	size_t i;

	for (i = 0; i < b->ndevs; i++)
		if (b->dev[i]->due < at)
			at = b->dev[i]->due;
	if (at == b->deadline)
		return;
	b->deadline = at;
	b->host->deadline(b->host->arg, at);
}

void dev_timer(struct device *d, uint64_t at)
{
	d->due = at;
	tell_deadline(d->bus);
}

/* What holds all SIZE bytes from AT on in SPACE, or the first of them when it is one that lies over others; NULL. */
static const struct range *find_range(const struct bus *b, enum bus_space space, uint64_t at, unsigned size)
{
	const struct range *r = NULL;
	size_t i;

	if (space == BUS_PORTS) {
		if (b->owner[at])
			r = &b->range[b->owner[at] - 1];
		if (r)
			return size <= r->size - (at - r->base) ? r : NULL;
	}
	for (i = 0; i < b->nwindows; i++) {
		r = &b->window[i];
		if (r->space == space && at >= r->base && at - r->base < r->size)
			return size <= r->size - (at - r->base) ? r : NULL;
	}
	return NULL;
}

static uint64_t range_read(const struct range *r, uint64_t at, unsigned size)
{
	struct device *d = r->dev;

	if (d->ops->read)
		return d->ops->read(d, r->id, at - r->base, size);
	return d->ops->in(d, (unsigned)(at - d->base));
}

static void range_write(const struct range *r, uint64_t at, unsigned size, uint64_t value)
{
	struct device *d = r->dev;

	if (d->ops->write)
		d->ops->write(d, r->id, at - r->base, size, value);
	else
		d->ops->out(d, (unsigned)(at - d->base), (uint8_t)value);
}

/* One access of SIZE bytes, whole or cut into bytes.  Returns whether anybody took any byte of it. */
static bool access_bus(struct bus *b, enum bus_space space, uint64_t at, bool is_write, unsigned size, uint8_t *data)
{
	const struct range *r = space == BUS_PORTS && b->over[at] ? &b->range[b->over[at] - 1] : NULL;
	uint64_t value = 0, end = space == BUS_PORTS ? PORTS - 1 : UINT64_MAX;
	bool claimed = false;
	unsigned i;

	if (!r && size > 1 && !(size & (size - 1)) && size - 1 <= end - at) {
		r = find_range(b, space, at, size);
		if (r && r->dev->ops->read) {
			memcpy(&value, data, size);
			if (is_write) {
				range_write(r, at, size, value);
			} else {
				value = range_read(r, at, size);
				memcpy(data, &value, size);
			}
			return true;
		}
		r = NULL;
	}
	for (i = 0; i < size; i++, r = NULL) {
		if (!r && i <= end - at)
			r = find_range(b, space, at + i, 1);
		claimed |= r != NULL;
		if (!is_write)
			data[i] = r ? (uint8_t)range_read(r, at + i, 1) : 0xff;
		else if (r)
			range_write(r, at + i, 1, data[i]);
		/* The rest of an access that such a device has is not for those beneath it. */
		if (r && r->dev->ops->first_byte_only) {
			if (!is_write)
				memset(data + 1, 0xff, size - 1);
			break;
		}
	}
	return claimed;
}

bool bus_io(struct bus *b, uint16_t port, bool is_write, unsigned size, unsigned count, uint8_t *data)
{
	bool claimed = false;

	bus_lock(b);
	for (; count; count--, data += size)
		claimed |= access_bus(b, BUS_PORTS, port, is_write, size, data);
	bus_unlock(b);
	return claimed;
}

bool bus_mmio(struct bus *b, uint64_t gpa, bool is_write, unsigned len, uint8_t *data)
{
	bool claimed;

	bus_lock(b);
	claimed = access_bus(b, BUS_MEMORY, gpa, is_write, len, data);
	bus_unlock(b);
	return claimed;
}

void bus_timers(struct bus *b, uint64_t clock)
{
	size_t i;

	bus_lock(b);
	for (i = 0; i < b->ndevs; i++) {
		if (b->dev[i]->due > clock)
			continue;
		b->dev[i]->due = DEV_NEVER;
		b->dev[i]->ops->timer(b->dev[i], clock);
	}
	/* The host has let its own run out. */
	b->deadline = DEV_NEVER;
	tell_deadline(b);
	bus_unlock(b);
}

void bus_poll(struct bus *b)
{
	size_t i;

	bus_lock(b);
	for (i = 0; i < b->ndevs; i++)
		if (b->dev[i]->ops->poll)
			b->dev[i]->ops->poll(b->dev[i]);
	bus_unlock(b);
}

uint64_t bus_deadline(struct bus *b)
{
	uint64_t at;

	bus_lock(b);
	at = b->deadline;
	bus_unlock(b);
	return at;
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
	size_t i;

	bus_lock(b);
	for (i = 0; i < b->ndevs; i++) {
		b->dev[i]->due = DEV_NEVER;
		if (b->dev[i]->ops->reset)
			b->dev[i]->ops->reset(b->dev[i]);
	}
	tell_deadline(b);
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

	for (i = 0; r == 0 && i < b->ndevs; i++)
		r = save_device(b->dev[i], ret);
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

	for (i = 0; r == 0 && i < b->ndevs; i++)
		r = load_device(b->dev[i], buf, err);
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

const struct device *bus_device(const struct bus *b, size_t index)
{
	return index < b->ndevs ? b->dev[index] : NULL;
}

bool bus_device_range(const struct bus *b, const struct device *d, size_t index, enum bus_space *ret_space,
		      uint64_t *ret_base, uint64_t *ret_size)
{
	size_t i, n = b->nranges + b->nwindows;

	for (i = 0; i < n; i++) {
		const struct range *r = i < b->nranges ? &b->range[i] : &b->window[i - b->nranges];

		if (r->dev != d || !r->size || index--)
			continue;
		*ret_space = r->space;
		*ret_base = r->base;
		*ret_size = r->size;
		return true;
	}
	return false;
}
