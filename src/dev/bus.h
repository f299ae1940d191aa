/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Devices and the one table by which port accesses reach them.
 *
 * Determinism: a device moves only at a vCPU's exit (bus_io) or by a named host input (its own *_input function);
 * it reads no clock and no descriptor, only what struct dev_host gives.
 *
 * Threads: the bus has one lock, taken by bus_io(), bus_reset/save/load and bus_lock(); device functions run under
 * it.  Host functions are called under it and must not call back into the bus.
 */
#ifndef GV_DEV_BUS_H
#define GV_DEV_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

/* What devices may ask of the machine. */
struct dev_host {
	void *arg;
	/* Sets the level of interrupt line GSI. */
	void (*irq)(void *arg, unsigned gsi, bool level);
	/* The guest asks for a reset by the device named BY. */
	void (*reset)(void *arg, const char *by);
	/* The guest ends the machine with an exit status of 0 to 255. */
	void (*exit)(void *arg, int status);
	/* Bytes for people: COM1's or the debug console's. */
	void (*output)(void *arg, const uint8_t *data, size_t len);
	/* The guest has drained COM1's FIFO: more queued input may come. */
	void (*input_wanted)(void *arg);
	/* Seconds since 1970 UTC, a host input. */
	uint64_t (*now)(void *arg);
};

struct device;

/* A byte buffer devices save into and load from. */
struct dev_buf {
	uint8_t *data;          /* owned; free() */
	size_t len, pos;        /* pos: how far load has read */
	size_t cap;
};

/* reset, save and load may be NULL in a device that has no state. */
struct dev_ops {
	const char *name;       /* at most 32 bytes */
	/* Back to what power-on leaves; what a battery keeps stays. */
	void (*reset)(struct device *d);
	/* Appends the device's state. -ENOMEM. */
	int (*save)(const struct device *d, struct dev_buf *b);
	/* Takes it back; on failure (-EINVAL: truncated or out of range) the device is unchanged. */
	int (*load)(struct device *d, struct dev_buf *b, struct err *err);
	void (*free)(struct device *d);
	/* One byte; port is relative to the base of the device's first range, also in its others. */
	uint8_t (*in)(struct device *d, unsigned port);
	void (*out)(struct device *d, unsigned port, uint8_t value);
	/*
	 * The device sees only the byte an access starts with.  For registers whose neighbours belong to
	 * something else: 0xcf9 lies inside PCI's 32-bit address register at 0xcf8.
	 */
	bool first_byte_only;
};

/* A device embeds this as its first member. */
struct device {
	const struct dev_ops *ops;      /* set by the device before bus_attach() */
	const struct dev_host *host;    /* set by bus_attach() */
	uint16_t base;                  /* likewise: its first range's */
};

struct bus;

int bus_new(const struct dev_host *host, struct bus **ret, struct err *err);    /* HOST must outlive the bus */
void bus_free(struct bus *b);                   /* frees the devices; NULL is fine */

/*
 * Takes D over at ports BASE to BASE + COUNT - 1.  Once more for another, higher range is fine.  On failure
 * nothing is attached, and a D that is not on the bus yet is freed.  -EEXIST: a port is taken (ERR says by whom);
 * -EINVAL: no such range; -ENOSPC: 255 ranges are taken.  Before the machine runs: takes no lock.
 */
int bus_attach(struct bus *b, struct device *d, uint16_t base, unsigned count, struct err *err);
const struct dev_host *bus_host(const struct bus *b);

/*
 * One port access of SIZE 1, 2 or 4 bytes, COUNT times at the same port (string I/O), from or to DATA (SIZE *
 * COUNT bytes).  Wider accesses go to consecutive ports, a byte each.  Ports nobody claims read all ones.  Returns
 * whether a device took any byte of it.  Any thread.
 */
bool bus_io(struct bus *b, uint16_t port, bool is_write, unsigned size, unsigned count, uint8_t *data);
void bus_lock(struct bus *b);
void bus_unlock(struct bus *b);

void bus_reset(struct bus *b);
/* Appends every device's state to RET, whose data is the caller's to free.  -ENOMEM: RET's length is as before. */
int bus_save(struct bus *b, struct dev_buf *ret);
/*
 * Takes back, from BUF's position on, what bus_save() gave on a bus with the same devices.  On failure every
 * device is as before.  -EINVAL: truncated, out of range or of other devices; -ENOMEM.
 */
int bus_load(struct bus *b, struct dev_buf *buf, struct err *err);

/* For `info devices`: the INDEX-th range; false past the end. */
bool bus_list(struct bus *b, size_t index, const char **ret_name, uint16_t *ret_base, unsigned *ret_count);

/* dev_buf helpers: little-endian integers of N bytes, 1 to 8.  -ENOMEM; -EINVAL: fewer than N bytes are left. */
int dev_put(struct dev_buf *b, uint64_t value, unsigned n);
int dev_get(struct dev_buf *b, unsigned n, uint64_t *ret);

/* One member of a device's state struct as it is saved: COUNT integers of SIZE bytes, each at most MAX. */
struct dev_field {
	uint16_t offset;        /* bytes, in the state struct */
	uint8_t size;
	uint16_t count;
	uint64_t max;
};

#define DEV_FIELD(type, member, max) { offsetof(type, member), sizeof(((type *)0)->member), 1, max }
#define DEV_BYTES(type, member) { offsetof(type, member), 1, sizeof(((type *)0)->member), UINT8_MAX }

/* Appends the N members F of *STATE.  -ENOMEM. */
int dev_fields_save(const void *state, const struct dev_field *f, size_t n, struct dev_buf *b);
/* Reads them back for the device called NAME; *STATE is partly written on failure, so give a copy.  -EINVAL. */
int dev_fields_load(void *state, const struct dev_field *f, size_t n, struct dev_buf *b, const char *name,
		    struct err *err);

#endif
