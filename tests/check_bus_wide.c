/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bus: accesses of several widths, windows that move, memory, timers, and what other threads have done. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_pc.h"
#include "tests/unit.h"
#include "util/logring.h"

/* Notes how it was reached last, and reads as its mark in every byte. */
struct wide {
	struct device dev;
	uint8_t mark;
	unsigned range, size, accesses, timers, polls;
	uint64_t offset, value, clock;
	uint64_t again;                 /* how long after a timer the next is, 0: none */
};

static uint64_t wide_read(struct device *d, unsigned range, uint64_t offset, unsigned size)
{
	struct wide *w = (struct wide *)d;

	w->range = range;
	w->offset = offset;
	w->size = size;
	w->accesses++;
	return 0x0101010101010101u * w->mark;
}

static void wide_write(struct device *d, unsigned range, uint64_t offset, unsigned size, uint64_t value)
{
	wide_read(d, range, offset, size);
	((struct wide *)d)->value = value;
}

static void wide_timer(struct device *d, uint64_t clock)
{
	struct wide *w = (struct wide *)d;

	w->timers++;
	w->clock = clock;
	if (w->again)
		dev_timer(d, clock + w->again);
}

static void wide_poll(struct device *d)
{
	((struct wide *)d)->polls++;
}

static void wide_free(struct device *d)
{
	free(d);
}

static const struct dev_ops ops = {
	.name = "wide", .free = wide_free, .read = wide_read, .write = wide_write, .timer = wide_timer, .poll = wide_poll,
};

static struct fake_pc pc;
static struct wide *a, *b;

static struct wide *new_wide(uint8_t mark)
{
	struct wide *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	w->dev.ops = &ops;
	w->mark = mark;
	return w;
}

static void setup(void)
{
	fake_pc_init(&pc);
	a = new_wide(0xaa);
	b = new_wide(0xbb);
	ck_assert_int_eq(bus_attach(pc.bus, &a->dev, 0x100, 8, NULL), 0);
	ck_assert_int_eq(bus_attach(pc.bus, &a->dev, 0x300, 2, NULL), 0);
	ck_assert_int_eq(bus_attach_bare(pc.bus, &b->dev, NULL), 0);
	ck_assert_int_eq(bus_add_window(pc.bus, &a->dev, BUS_PORTS, 16, NULL), 0);
	ck_assert_int_eq(bus_add_window(pc.bus, &b->dev, BUS_PORTS, 17, NULL), 0);
	ck_assert_int_eq(bus_add_window(pc.bus, &b->dev, BUS_MEMORY, 18, NULL), 0);
}

static void teardown(void)
{
	fake_pc_done(&pc);
}

static void reached(const struct wide *w, unsigned accesses, unsigned range, uint64_t offset, unsigned size)
{
	ck_assert_uint_eq(w->accesses, accesses);
	ck_assert_uint_eq(w->range, range);
	ck_assert_uint_eq(w->offset, offset);
	ck_assert_uint_eq(w->size, size);
}

START_TEST(accesses_come_whole)
{
	ck_assert_uint_eq(pc_in(&pc, 0x104, 4), 0xaaaaaaaa);
	reached(a, 1, 0, 4, 4);
	pc_out(&pc, 0x300, 2, 0x1234);
	reached(a, 2, 1, 0, 2);
	ck_assert_uint_eq(a->value, 0x1234);
	/* Over the edge: in bytes. */
	ck_assert_uint_eq(pc_in(&pc, 0x106, 4), 0xffffaaaa);
	reached(a, 4, 0, 7, 1);
	ck_assert_uint_eq(pc_in(&pc, 0xff, 2), 0xaaff);
	reached(a, 5, 0, 0, 1);
	ck_assert_uint_eq(pc_in(&pc, 0xffff, 4), 0xffffffff);
}
END_TEST

START_TEST(windows_move)
{
	ck_assert_uint_eq(pc_in(&pc, 0x400, 2), 0xffff);
	bus_set_window(&a->dev, 16, 0x400, 0x10);
	ck_assert_uint_eq(pc_in(&pc, 0x402, 2), 0xaaaa);
	reached(a, 1, 16, 2, 2);
	/* Fixed ranges go first, then the window that was made first. */
	bus_set_window(&b->dev, 17, 0x0fc, 0x400);
	ck_assert_uint_eq(pc_in(&pc, 0x100, 1), 0xaa);
	ck_assert_uint_eq(pc_in(&pc, 0x400, 1), 0xaa);
	ck_assert_uint_eq(pc_in(&pc, 0x410, 1), 0xbb);
	reached(b, 1, 17, 0x410 - 0xfc, 1);
	bus_set_window(&a->dev, 16, 0, 0);
	ck_assert_uint_eq(pc_in(&pc, 0x400, 1), 0xbb);
	/* Where the space ends, the window does. */
	bus_set_window(&b->dev, 17, 0xfffe, 0x100);
	ck_assert_uint_eq(pc_in(&pc, 0xfffe, 4), 0xffffbbbb);
	bus_set_window(&b->dev, 17, 0x10000, 0x100);
	ck_assert_uint_eq(pc_in(&pc, 0xffff, 1), 0xff);
}
END_TEST

START_TEST(memory_is_another_space)
{
	uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	bus_set_window(&b->dev, 18, 0xfebf0000, 0x1000);
	ck_assert(bus_mmio(pc.bus, 0xfebf0ff8, true, 8, data));
	reached(b, 1, 18, 0xff8, 8);
	ck_assert_uint_eq(b->value, 0x0807060504030201u);
	ck_assert(bus_mmio(pc.bus, 0xfebf0ffe, false, 4, data));
	ck_assert_mem_eq(data, "\xbb\xbb\xff\xff", 4);
	/* Of a width that no device knows. */
	ck_assert(bus_mmio(pc.bus, 0xfebf0000, false, 3, data));
	reached(b, 6, 18, 2, 1);
	ck_assert(!bus_mmio(pc.bus, 0xfebf1000, false, 8, data));
	ck_assert(!bus_mmio(pc.bus, UINT64_MAX, true, 8, data));
	bus_set_window(&b->dev, 18, UINT64_MAX - 3, 0x1000);
	ck_assert(bus_mmio(pc.bus, UINT64_MAX - 1, true, 8, data));
	ck_assert(!bus_mmio(pc.bus, 0, true, 8, data));
}
END_TEST

START_TEST(timers_come_in_time)
{
	ck_assert_uint_eq(bus_deadline(pc.bus), DEV_NEVER);
	dev_timer(&a->dev, 300);
	dev_timer(&b->dev, 200);
	ck_assert_uint_eq(pc.deadline, 200);
	fake_pc_run_to(&pc, 199);
	ck_assert_uint_eq(b->timers, 0);
	fake_pc_run_to(&pc, 200);
	ck_assert_uint_eq(b->timers, 1);
	ck_assert_uint_eq(b->clock, 200);
	ck_assert_uint_eq(pc.deadline, 300);
	dev_timer(&a->dev, DEV_NEVER);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	fake_pc_run_to(&pc, 1000);
	ck_assert_uint_eq(a->timers, 0);
	a->again = 10;
	dev_timer(&a->dev, 1010);
	fake_pc_run_to(&pc, 1055);
	ck_assert_uint_eq(a->timers, 5);
	ck_assert_uint_eq(pc.deadline, 1060);
	/* A reset switches them off. */
	bus_reset(pc.bus);
	ck_assert_uint_eq(pc.deadline, DEV_NEVER);
	fake_pc_run_to(&pc, 2000);
	ck_assert_uint_eq(a->timers, 5);
}
END_TEST

START_TEST(everybody_is_polled)
{
	bus_poll(pc.bus);
	ck_assert_uint_eq(a->polls, 1);
	ck_assert_uint_eq(b->polls, 1);
}
END_TEST

START_TEST(windows_run_out)
{
	struct err err;
	unsigned n = 3;

	ck_assert_int_eq(bus_add_window(pc.bus, &a->dev, BUS_PORTS, 3, &err), -ENOSPC);
	while (!bus_add_window(pc.bus, &a->dev, BUS_PORTS, 16 + n, &err))
		n++;
	ck_assert_uint_eq(n, 64);
}
END_TEST

START_TEST(devices_are_listed)
{
	enum bus_space space;
	uint64_t base, size;

	ck_assert(!bus_device_range(pc.bus, &b->dev, 0, &space, &base, &size));
	bus_set_window(&b->dev, 18, 0xe0000000, 0x100);
	ck_assert(bus_device_range(pc.bus, &b->dev, 0, &space, &base, &size));
	ck_assert_int_eq(space, BUS_MEMORY);
	ck_assert_uint_eq(base, 0xe0000000);
	ck_assert_uint_eq(size, 0x100);
	ck_assert(bus_device_range(pc.bus, &a->dev, 1, &space, &base, &size));
	ck_assert_uint_eq(base, 0x300);
}
END_TEST

/* The last 64 KiB are there for whoever asks, each from where he is. */
START_TEST(log_keeps_the_last)
{
	static struct logring l;
	uint64_t one = 0, two = 0;
	char text[16], fill[1000];

	logring_init(&l);
	ck_assert_uint_eq(logring_get(&l, &one, text, sizeof(text)), 0);
	logring_put(&l, "hello", 5);
	ck_assert_uint_eq(logring_get(&l, &one, text, 3), 3);
	ck_assert_uint_eq(logring_get(&l, &one, text + 3, sizeof(text) - 3), 2);
	ck_assert_mem_eq(text, "hello", 5);
	memset(fill, 'x', sizeof(fill));
	for (unsigned i = 0; i < 66; i++)
		logring_put(&l, fill, sizeof(fill));
	logring_put(&l, "end", 3);
	ck_assert_uint_eq(logring_get(&l, &two, text, 1), 1);
	ck_assert_uint_eq(two, 5 + 66000 + 3 - LOGRING_BYTES + 1);
	one = 5 + 66000;
	ck_assert_uint_eq(logring_get(&l, &one, text, sizeof(text)), 3);
	ck_assert_mem_eq(text, "end", 3);
	one = UINT64_MAX;
	ck_assert_uint_eq(logring_get(&l, &one, text, sizeof(text)), 0);
	ck_assert_uint_eq(one, 5 + 66000 + 3);
	logring_done(&l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bus_wide");
	TCase *t = tcase_create("bus_wide");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, accesses_come_whole);
	tcase_add_test(t, windows_move);
	tcase_add_test(t, memory_is_another_space);
	tcase_add_test(t, timers_come_in_time);
	tcase_add_test(t, everybody_is_polled);
	tcase_add_test(t, windows_run_out);
	tcase_add_test(t, devices_are_listed);
	tcase_add_test(t, log_keeps_the_last);
	suite_add_tcase(s, t);
	return unit_main(s);
}
