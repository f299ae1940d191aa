/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Devices and the one table by which port and memory accesses reach them.
 *
 * Determinism: a device moves only at a vCPU's exit (bus_io, bus_mmio) or by a named host input (bus_timers, bus_poll, its own
 * *_input function); it reads no clock and no descriptor, only what struct dev_host gives.
 *
 * Threads: the bus has one lock, taken by bus_io(), bus_mmio(), bus_timers(), bus_poll(), bus_reset/save/load and bus_lock();
 * device functions run under it.  Host functions are called under it and must not call back into the bus.
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
	/* Nanoseconds that the guest has run: stands still while it is stopped.  A host input. */
	uint64_t (*clock)(void *arg);
	/* The earliest timer of the bus is due at AT (clock()'s nanoseconds; DEV_NEVER: none): bus_timers() is to be called then. */
	void (*deadline)(void *arg, uint64_t at);
	/*
	 * Bus mastering: copies LEN bytes between DATA and guest memory from GPA on; returns how many were done before the first
	 * gpa without memory.  LEN is at most DEV_DMA_MAX.
	 */
	size_t (*dma)(void *arg, uint64_t gpa, void *data, size_t len, bool to_guest);
	/* The guest switches itself off by the device named BY. */
	void (*power_off)(void *arg, const char *by);
	/* What memory is at which gpa is to change, as the chipset's registers now say: before the guest's next instruction. */
	void (*remap)(void *arg);
	/* Firmware's debug text. */
	void (*log)(void *arg, const uint8_t *data, size_t len);
	/*
	 * A driver in the guest has broken a device's rules, or a device's file fails: one line for people, which begins with the
	 * device's name.
	 */
	void (*trouble)(void *arg, const char *line);
	/*
	 * How many bytes output() has room for.  After it said none bus_poll() is called when there is some.  For devices that
	 * can make their drivers wait.  A host input.
	 */
	size_t (*output_room)(void *arg);
	/* Fills DATA with LEN random bytes, at most 256.  A host input. */
	void (*random)(void *arg, void *data, size_t len);
	/* A message interrupt: DATA is written to ADDRESS.  NULL: the interrupt controllers take none. */
	void (*msi)(void *arg, uint64_t address, uint32_t data);
	/* Work that waited for another thread is done, or may be: bus_poll() is to be called.  The one member any thread may call. */
	void (*wake)(void *arg);
};

#define DEV_NEVER       UINT64_MAX
#define DEV_DMA_MAX     (1u << 20)      /* bytes */

struct device;
struct dev_show;

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
	 * Instead of in() and out(), for a device whose accesses have a width: SIZE is 1, 2, 4 or (memory) 8, the access lies in
	 * one range whole, at OFFSET of it.  One that does not is cut into bytes.  RANGE: bus_attach() numbers a device's ranges
	 * from 0 on; a window has the number it was made with.
	 */
	uint64_t (*read)(struct device *d, unsigned range, uint64_t offset, unsigned size);
	void (*write)(struct device *d, unsigned range, uint64_t offset, unsigned size, uint64_t value);
	/*
	 * The device's ranges lie over others', and it sees only accesses that start in them, and of those only the first byte: 0xcf9
	 * lies inside PCI's 32-bit address register at 0xcf8.
	 */
	bool first_byte_only;
	/* The timer that dev_timer() set is due; it is off now.  May be NULL in a device that sets none. */
	void (*timer)(struct device *d, uint64_t clock);
	/* Takes what other threads have done for it.  May be NULL. */
	void (*poll)(struct device *d);
	/* Shows its registers, without side effects.  May be NULL. */
	void (*show)(const struct device *d, const struct dev_show *s);
	const char *what;       /* for `info devices`: a few words; may be NULL */
};

/* Where show() writes. */
struct dev_show {
	void *arg;
	/* A register of BITS; TEXT says what the value means, or is NULL. */
	void (*reg)(void *arg, const char *name, unsigned bits, uint64_t value, const char *text);
};

/* A device embeds this as its first member. */
struct device {
	const struct dev_ops *ops;      /* set by the device before bus_attach() */
	const struct dev_host *host;    /* set by bus_attach() */
	struct bus *bus;                /* likewise */
	uint16_t base;                  /* likewise: its first range's */
	uint64_t due;                   /* the bus's: when its timer is, DEV_NEVER: off */
};

struct bus;
enum bus_space { BUS_PORTS, BUS_MEMORY };

int bus_new(const struct dev_host *host, struct bus **ret, struct err *err);    /* HOST must outlive the bus */
void bus_free(struct bus *b);                   /* frees the devices; NULL is fine */

/*
 * Takes D over at ports BASE to BASE + COUNT - 1.  Once more for another, higher range is fine.  On failure
 * nothing is attached, and a D that is not on the bus yet is freed.  -EEXIST: a port is taken (ERR says by whom);
 * -EINVAL: no such range; -ENOSPC: 255 ranges are taken.  Before the machine runs: takes no lock.
 */
int bus_attach(struct bus *b, struct device *d, uint16_t base, unsigned count, struct err *err);
/* Takes over a D that has no port of its own at first: windows, timers.  -ENOSPC, and D is freed. */
int bus_attach_bare(struct bus *b, struct device *d, struct err *err);

/*
 * A range of D's, which is on the bus, that moves: at first it is nowhere.  RANGE is 16 or more.  Fixed ranges go before
 * windows, and windows made earlier before later ones.  -ENOSPC.  Before the machine runs: takes no lock.
 */
int bus_add_window(struct bus *b, struct device *d, enum bus_space space, unsigned range, struct err *err);
/* Puts it at BASE for SIZE bytes, or (SIZE 0) nowhere.  What does not fit the space is cut off.  Under the lock. */
void bus_set_window(struct device *d, unsigned range, uint64_t base, uint64_t size);

/* Has ops->timer called when clock() reaches AT; DEV_NEVER: no longer.  One a device.  Under the lock. */
void dev_timer(struct device *d, uint64_t at);
static inline uint64_t dev_clock(const struct device *d)
{
	return d->host->clock(d->host->arg);
}

/*
 * One port access of SIZE 1, 2 or 4 bytes, COUNT times at the same port (string I/O), from or to DATA (SIZE *
 * COUNT bytes).  Wider accesses go to consecutive ports, a byte each.  Ports nobody claims read all ones.  Returns
 * whether a device took any byte of it.  Any thread.
 */
bool bus_io(struct bus *b, uint16_t port, bool is_write, unsigned size, unsigned count, uint8_t *data);
/* One access of LEN bytes (1 to 8) to memory that is no RAM.  The same otherwise. */
bool bus_mmio(struct bus *b, uint64_t gpa, bool is_write, unsigned len, uint8_t *data);
/* Host input: calls the timers that are due at CLOCK.  Any thread. */
void bus_timers(struct bus *b, uint64_t clock);
/* Host input: has the devices take what other threads did for them.  Any thread. */
void bus_poll(struct bus *b);
/* When the earliest timer is due; DEV_NEVER.  Any thread. */
uint64_t bus_deadline(struct bus *b);
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

/* For `info devices`: the INDEX-th device; NULL past the end.  Its registers are read under bus_lock(). */
const struct device *bus_device(const struct bus *b, size_t index);
/* The INDEX-th range of D that is somewhere; false past the end.  Under the lock. */
bool bus_device_range(const struct bus *b, const struct device *d, size_t index, enum bus_space *ret_space,
		      uint64_t *ret_base, uint64_t *ret_size);

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
/* Whether N bytes are all zero: what an array has behind what is in use, so that equal states save equal. */
bool dev_zeros(const uint8_t *p, size_t n);

#endif
