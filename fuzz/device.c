/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz/device.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OP_IN, OP_IN_TOO, OP_OUT, OP_OUT_TOO, OP_OUT_THREE, OP_STRING, OP_STRING_TOO, OP_TIME, OP_TIME_FAR, OP_SPECIAL,
       OP_SPECIAL_TOO, OP_MEMORY, OP_POLL, OP_RESET, OP_STATE, OP_SHOW };

#define STRING_MAX      600u            /* accesses of a string operation */
#define TIMERS_MAX      64u             /* calls for a stretch of time */
#define STEPS_MAX       2000u
#define TAMPERS_MAX     8u              /* of an input: each is several times the whole state */
#define CHECKS_ALL      16u             /* so many steps are looked at one by one, then every so many-th */

static const struct fuzz_range *choose(const struct device_fuzz *d, struct bytes *in, uint64_t *ret_at)
{
	const struct fuzz_range *r = &d->range[take(in, 1) % d->nranges];

	*ret_at = r->base + (r->size > 1 ? take(in, r->size > 256 ? 2 : 1) % r->size : 0);
	return r;
}

static void access_one(const struct device_fuzz *d, unsigned size, bool is_write, struct bytes *in)
{
	uint8_t data[8] = { 0 };
	uint64_t at, value;
	const struct fuzz_range *r = choose(d, in, &at);

	value = is_write ? take(in, size) : 0;
	memcpy(data, &value, sizeof(data));
	if (r->space == BUS_MEMORY)
		bus_mmio(d->pc->bus, at, is_write, size, data);
	else
		bus_io(d->pc->bus, (uint16_t)at, is_write, size > 4 ? 4 : size, 1, data);
}

static void access_many(const struct device_fuzz *d, unsigned size, struct bytes *in)
{
	unsigned count = 1 + (unsigned)take(in, 2) % STRING_MAX, fill;
	uint8_t *data;
	uint64_t at;
	const struct fuzz_range *r = choose(d, in, &at);

	if (r->space == BUS_MEMORY)
		return;
	fill = (unsigned)take(in, 1);
	if (size > 4)
		size = 4;
	data = malloc(size * count);
	ck_assert_ptr_nonnull(data);
	memset(data, (int)(fill >> 1), size * count);
	bus_io(d->pc->bus, (uint16_t)at, fill & 1, size, count, data);
	free(data);
}

/* Time passes, at first with each timer at its time, as many as may be, then all of it at once. */
static void pass(const struct device_fuzz *d, uint64_t ns)
{
	uint64_t end = d->pc->clock + ns, at;

	for (unsigned i = 0; i < TIMERS_MAX && (at = bus_deadline(d->pc->bus)) <= end && at != DEV_NEVER; i++) {
		if (at > d->pc->clock)
			d->pc->clock = at;
		bus_timers(d->pc->bus, d->pc->clock);
	}
	d->pc->clock = end;
	bus_timers(d->pc->bus, end);
}

static void change_memory(const struct device_fuzz *d, struct bytes *in)
{
	size_t at = (size_t)take(in, 3) % FAKE_PC_MEM, len, room = FAKE_PC_MEM - at;
	const uint8_t *data = take_span(in, take(in, 1) % 64, &len);

	if (len)
		memcpy(d->pc->mem + at, data, len < room ? len : room);
}

static void take_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	(void)arg;
	ck_assert(name && name[0]);
	ck_assert(bits >= 1 && bits <= 64);
	ck_assert_msg(bits == 64 || !(value >> bits), "%s: %#llx in %u bits", name, (unsigned long long)value, bits);
	ck_assert(!text || strlen(text) < 4096);
}

static void show(const struct device_fuzz *d)
{
	const struct dev_show s = { .reg = take_reg };
	const struct device *dev;

	bus_lock(d->pc->bus);
	for (size_t i = 0; (dev = bus_device(d->pc->bus, i)); i++)
		if (dev->ops->show)
			dev->ops->show(dev, &s);
	bus_unlock(d->pc->bus);
}

/* Where the state of one device is, by its name; states are long, and most of their bytes are some queue's. */
static size_t find_state(const struct device_fuzz *d, const struct dev_buf *state, size_t index)
{
	const struct device *dev = bus_device(d->pc->bus, index);
	const uint8_t *at = dev ? memmem(state->data, state->len, dev->ops->name, strlen(dev->ops->name)) : NULL;

	return at ? (size_t)(at - state->data) : 0;
}

static void tamper(const struct device_fuzz *d, struct bytes *in)
{
	struct dev_buf was = { 0 }, bad = { 0 }, now = { 0 };
	unsigned n = (unsigned)take(in, 1);
	struct err err = { 0 };
	size_t start;
	int rc;

	fake_pc_save(d->pc, &was);
	fake_pc_save(d->pc, &bad);
	start = n & 0x40 ? find_state(d, &bad, (size_t)take(in, 1) % 16) : 0;
	for (unsigned i = n % 8; i && bad.len; i--) {
		size_t at = (start + (size_t)take(in, n & 0x40 ? 1 : 2)) % bad.len;

		bad.data[at] = (uint8_t)take(in, 1);
	}
	if (n & 0x80)
		bad.len = (size_t)take(in, 2) % (bad.len + 1);
	rc = bus_load(d->pc->bus, &bad, &err);
	check_answer(rc, &err);
	if (rc) {
		fake_pc_save(d->pc, &now);
		ck_assert_msg(now.len == was.len && !memcmp(now.data, was.data, was.len), "a refused state changed something: %s",
			      err.msg);
	} else if (d->settle) {
		d->settle(d->arg);
	}
	free(was.data);
	free(bad.data);
	free(now.data);
}

/* Wherever the devices are, their state is one that they take, and taking it changes nothing: no count is beyond its array. */
static void check_state(const struct device_fuzz *d)
{
	struct dev_buf was = { 0 }, now = { 0 };
	struct err err = { 0 };

	fake_pc_save(d->pc, &was);
	ck_assert_msg(!bus_load(d->pc->bus, &was, &err), "a state of its own is refused: %s", err.msg);
	fake_pc_save(d->pc, &now);
	ck_assert(now.len == was.len && !memcmp(now.data, was.data, was.len));
	free(was.data);
	free(now.data);
}

void device_fuzz_run(const struct device_fuzz *d, struct bytes *in)
{
	unsigned tampers = 0;

	for (unsigned step = 0; in->len && step < STEPS_MAX; step++) {
		unsigned op = (unsigned)take(in, 1), size = 1u << (op >> 4 & 3);

		switch (op & 15) {
		case OP_IN:
		case OP_IN_TOO:
			access_one(d, size, false, in);
			break;
		case OP_OUT:
		case OP_OUT_TOO:
		case OP_OUT_THREE:
			access_one(d, size, true, in);
			break;
		case OP_STRING:
		case OP_STRING_TOO:
			access_many(d, size, in);
			break;
		case OP_TIME:
			pass(d, take(in, 2) << (op >> 4));
			break;
		case OP_TIME_FAR:
			pass(d, take(in, 2) << 24);
			break;
		case OP_SPECIAL:
		case OP_SPECIAL_TOO:
			if (d->special)
				d->special(d->arg, in);
			break;
		case OP_MEMORY:
			change_memory(d, in);
			break;
		case OP_POLL:
			if (op & 0x10 && d->settle)
				d->settle(d->arg);
			bus_poll(d->pc->bus);
			break;
		case OP_RESET:
			bus_reset(d->pc->bus);
			break;
		case OP_STATE:
			if (tampers++ < TAMPERS_MAX)
				tamper(d, in);
			break;
		default:
			show(d);
			break;
		}
		/* Disks have long states. */
		if (step % CHECKS_ALL == 0 || (!d->settle && step < CHECKS_ALL))
			check_state(d);
	}
	if (d->settle)
		d->settle(d->arg);
	fake_pc_round_trip(d->pc);
}

void device_fuzz_renew(struct fake_pc *pc, struct dev_buf *clean)
{
	struct err err = { 0 };

	if (!clean->data) {
		fake_pc_save(pc, clean);
		return;
	}
	bus_reset(pc->bus);
	pc->clock = 0;
	clean->pos = 0;
	ck_assert_msg(bus_load(pc->bus, clean, &err) == 0, "%s", err.msg);
	memset(pc->mem, 0, FAKE_PC_MEM);
	pc->room = SIZE_MAX;
	pc->seed = 0;
	pc->now = 0;
	pc->output_len = pc->log_len = 0;
}

void device_fuzz_unname(struct disk_env *e)
{
	for (char name = 'a'; name <= 'h'; name++)
		unlink(disk_env_path(e, name));
	ck_assert_int_eq(rmdir(e->dir), 0);
}
