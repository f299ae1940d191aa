/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/bus.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_pc.h"
#include "tests/unit.h"

/* A device of four bytes of memory, each at most 0x7f to load; notes what was done to it. */
struct cell {
	struct device dev;
	uint8_t value[4];
	unsigned *freed, resets;
};

static const struct dev_field cell_fields[] = {
	{ 0, 1, 4, 0x7f },
};

static void cell_reset(struct device *d)
{
	struct cell *c = (struct cell *)d;

	memset(c->value, 0, sizeof(c->value));
	c->resets++;
}

static int cell_save(const struct device *d, struct dev_buf *b)
{
	return dev_fields_save(((const struct cell *)d)->value, cell_fields, 1, b);
}

static int cell_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct cell *c = (struct cell *)d;
	uint8_t value[4];
	int r = dev_fields_load(value, cell_fields, 1, b, d->ops->name, err);

	if (r == 0)
		memcpy(c->value, value, sizeof(value));
	return r;
}

static void cell_free(struct device *d)
{
	++*((struct cell *)d)->freed;
	free(d);
}

static uint8_t cell_in(struct device *d, unsigned port)
{
	return ((struct cell *)d)->value[port % 4];
}

static void cell_out(struct device *d, unsigned port, uint8_t value)
{
	((struct cell *)d)->value[port % 4] = value;
}

#define CELL_OPS(text, narrow) { \
	.name = text, .reset = cell_reset, .save = cell_save, .load = cell_load, .free = cell_free, \
	.in = cell_in, .out = cell_out, .first_byte_only = narrow }

static const struct dev_ops ops_a = CELL_OPS("a", false), ops_b = CELL_OPS("b", false),
			    ops_narrow = CELL_OPS("narrow", true);

static void bare_free(struct device *d)
{
	free(d);
}

static const struct dev_ops ops_bare = { .name = "bare", .free = bare_free, .in = cell_in, .out = cell_out };

static struct fake_pc pc;
static unsigned freed;

static struct cell *new_cell(const struct dev_ops *ops)
{
	struct cell *c = calloc(1, sizeof(*c));

	ck_assert_ptr_nonnull(c);
	c->dev.ops = ops;
	c->freed = &freed;
	return c;
}

static struct cell *attach(const struct dev_ops *ops, uint16_t base, unsigned count)
{
	struct cell *c = new_cell(ops);

	ck_assert_int_eq(bus_attach(pc.bus, &c->dev, base, count, NULL), 0);
	return c;
}

static void setup(void)
{
	freed = 0;
	fake_pc_init(&pc);
}

static void teardown(void)
{
	fake_pc_done(&pc);
}

START_TEST(unclaimed_ports_read_ones)
{
	ck_assert_uint_eq(pc_in(&pc, 0x80, 1), 0xff);
	ck_assert_uint_eq(pc_in(&pc, 0x80, 2), 0xffff);
	ck_assert_uint_eq(pc_in(&pc, 0x80, 4), 0xffffffff);
	pc_out(&pc, 0x80, 4, 1);
}
END_TEST

START_TEST(accesses_are_spread_over_ports)
{
	struct cell *a = attach(&ops_a, 0x100, 4);

	pc_out(&pc, 0x100, 4, 0x44332211);
	ck_assert_mem_eq(a->value, "\x11\x22\x33\x44", 4);
	ck_assert_uint_eq(pc_in(&pc, 0x101, 2), 0x3322);
	/* Over the edges: the bytes outside are nobody's. */
	ck_assert_uint_eq(pc_in(&pc, 0x103, 4), 0xffffff44);
	ck_assert_uint_eq(pc_in(&pc, 0xfe, 4), 0x2211ffff);
	pc_out(&pc, 0xff, 2, 0xaa99);
	ck_assert_mem_eq(a->value, "\xaa\x22\x33\x44", 4);
}
END_TEST

START_TEST(neighbours_share_a_wide_access)
{
	struct cell *a = attach(&ops_a, 0x100, 2), *b = attach(&ops_b, 0x102, 2);

	pc_out(&pc, 0x100, 4, 0x44332211);
	ck_assert_mem_eq(a->value, "\x11\x22\0\0", 4);
	ck_assert_mem_eq(b->value, "\x33\x44\0\0", 4);
	ck_assert_uint_eq(pc_in(&pc, 0x100, 4), 0x44332211);
}
END_TEST

START_TEST(strings_repeat_at_one_port)
{
	struct cell *a = attach(&ops_a, 0x100, 4);
	uint8_t data[6] = { 1, 2, 3, 4, 5, 6 };

	bus_io(pc.bus, 0x100, true, 2, 3, data);
	ck_assert_mem_eq(a->value, "\5\6\0\0", 4);
	bus_io(pc.bus, 0x100, false, 2, 3, data);
	ck_assert_mem_eq(data, "\5\6\5\6\5\6", 6);
	bus_io(pc.bus, 0x100, true, 1, 0, data);
	ck_assert_mem_eq(a->value, "\5\6\0\0", 4);
}
END_TEST

START_TEST(accesses_are_answered_or_not)
{
	uint8_t data[4] = { 0 };

	attach(&ops_a, 0x100, 2);
	attach(&ops_narrow, 0x201, 1);
	for (int write = 0; write < 2; write++) {
		ck_assert(bus_io(pc.bus, 0x100, write, 1, 1, data));
		ck_assert(bus_io(pc.bus, 0x101, write, 4, 1, data));
		ck_assert(bus_io(pc.bus, 0xff, write, 2, 1, data));
		ck_assert(bus_io(pc.bus, 0x100, write, 2, 2, data));
		ck_assert(!bus_io(pc.bus, 0xfe, write, 2, 1, data));
		ck_assert(!bus_io(pc.bus, 0x102, write, 1, 4, data));
		/* One that sees first bytes only has not answered. */
		ck_assert(!bus_io(pc.bus, 0x200, write, 4, 1, data));
		ck_assert(bus_io(pc.bus, 0x201, write, 2, 1, data));
	}
}
END_TEST

START_TEST(port_space_ends)
{
	struct cell *a = attach(&ops_a, 0xfffe, 2);

	pc_out(&pc, 0xffff, 4, 0x44332211);
	ck_assert_mem_eq(a->value, "\0\x11\0\0", 4);
	ck_assert_uint_eq(pc_in(&pc, 0xfffe, 4), 0xffff1100);
}
END_TEST

START_TEST(narrow_devices_see_first_bytes)
{
	struct cell *n = attach(&ops_narrow, 0xcf9, 1);

	pc_out(&pc, 0xcf8, 4, 0x80000600);
	ck_assert_uint_eq(n->value[0], 0);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), 0xffffffff);
	pc_out(&pc, 0xcf9, 2, 0x0706);
	ck_assert_uint_eq(n->value[0], 6);
	ck_assert_uint_eq(pc_in(&pc, 0xcf9, 2), 0xff06);
}
END_TEST

START_TEST(overlaps_are_refused)
{
	struct cell *c;
	struct err err = { 0 };

	attach(&ops_a, 0x100, 4);
	ck_assert_int_eq(bus_attach(pc.bus, &new_cell(&ops_b)->dev, 0xff, 2, &err), -EEXIST);
	ck_assert_str_eq(err.msg, "b: port 0x100 belongs to a");
	ck_assert_uint_eq(freed, 1);
	ck_assert_int_eq(bus_attach(pc.bus, &new_cell(&ops_b)->dev, 0x103, 1, &err), -EEXIST);
	ck_assert_int_eq(bus_attach(pc.bus, &new_cell(&ops_b)->dev, 0x90, 0, &err), -EINVAL);
	ck_assert_int_eq(bus_attach(pc.bus, &new_cell(&ops_b)->dev, 0xffff, 2, &err), -EINVAL);
	ck_assert_int_eq(bus_attach(pc.bus, &new_cell(&ops_b)->dev, 1, 0xffffffff, &err), -EINVAL);
	ck_assert_uint_eq(freed, 5);
	/* Nothing of it stayed: the ports before and behind are free. */
	c = attach(&ops_b, 0xff, 1);
	pc_out(&pc, 0xff, 1, 9);
	ck_assert_uint_eq(c->value[0], 9);
}
END_TEST

START_TEST(ranges_run_out)
{
	struct err err = { 0 };
	unsigned i;

	for (i = 0; i < 255; i++)
		attach(&ops_a, (uint16_t)(0x1000 + i), 1);
	ck_assert_int_eq(bus_attach(pc.bus, &new_cell(&ops_b)->dev, 0x10, 1, &err), -ENOSPC);
	ck_assert_uint_eq(freed, 1);
	fake_pc_done(&pc);
	ck_assert_uint_eq(freed, 256);
	fake_pc_init(&pc);
}
END_TEST

START_TEST(a_device_may_have_ranges)
{
	struct cell *a = attach(&ops_a, 0x101, 1);
	struct dev_buf buf = { 0 };
	struct err err = { 0 };
	enum bus_space space;
	uint64_t base, size;

	attach(&ops_b, 0x110, 1);
	ck_assert_int_eq(bus_attach(pc.bus, &a->dev, 0x103, 2, &err), 0);
	/* A refused one leaves the device where it is. */
	ck_assert_int_eq(bus_attach(pc.bus, &a->dev, 0x110, 1, &err), -EEXIST);
	ck_assert_int_eq(bus_attach(pc.bus, &a->dev, 0x100, 1, &err), -EINVAL);
	ck_assert_uint_eq(freed, 0);
	/* Ports count from the first range's base. */
	pc_out(&pc, 0x101, 1, 1);
	pc_out(&pc, 0x103, 2, 0x0302);
	ck_assert_mem_eq(a->value, "\1\0\2\3", 4);

	ck_assert_ptr_eq(bus_device(pc.bus, 0), &a->dev);
	ck_assert_ptr_nonnull(bus_device(pc.bus, 1));
	ck_assert_ptr_null(bus_device(pc.bus, 2));
	ck_assert(bus_device_range(pc.bus, &a->dev, 1, &space, &base, &size));
	ck_assert_int_eq(space, BUS_PORTS);
	ck_assert_uint_eq(base, 0x103);
	ck_assert_uint_eq(size, 2);
	ck_assert(!bus_device_range(pc.bus, &a->dev, 2, &space, &base, &size));

	bus_reset(pc.bus);
	ck_assert_uint_eq(a->resets, 1);
	ck_assert_int_eq(bus_save(pc.bus, &buf), 0);
	ck_assert_uint_eq(buf.len, 2 * (1 + 1 + 4 + 4) + 1);
	free(buf.data);
	fake_pc_done(&pc);
	ck_assert_uint_eq(freed, 2);
	fake_pc_init(&pc);
}
END_TEST

static void attach_three(struct cell **ret_a, struct cell **ret_b)
{
	struct device *bare = calloc(1, sizeof(*bare));

	bare->ops = &ops_bare;
	*ret_a = attach(&ops_a, 0x100, 4);
	ck_assert_int_eq(bus_attach(pc.bus, bare, 0x200, 1, NULL), 0);
	*ret_b = attach(&ops_b, 0x104, 4);
	pc_out(&pc, 0x100, 4, 0x04030201);
	pc_out(&pc, 0x104, 4, 0x08070605);
}

START_TEST(load_brings_back_what_save_gave)
{
	struct dev_buf buf = { 0 };
	struct cell *a, *b;

	attach_three(&a, &b);
	ck_assert_int_eq(dev_put(&buf, 0xfeed, 2), 0);
	buf.pos = 2;
	ck_assert_int_eq(bus_save(pc.bus, &buf), 0);
	ck_assert_int_eq(dev_put(&buf, 0xbeef, 2), 0);
	bus_reset(pc.bus);
	ck_assert_mem_eq(a->value, "\0\0\0\0", 4);
	ck_assert_int_eq(bus_load(pc.bus, &buf, NULL), 0);
	ck_assert_uint_eq(buf.pos, buf.len - 2);
	ck_assert_mem_eq(a->value, "\1\2\3\4", 4);
	ck_assert_mem_eq(b->value, "\5\6\7\10", 4);
	free(buf.data);
}
END_TEST

/* Every cut and every changed byte is refused or harmless, and a refusal changes nothing. */
START_TEST(bad_states_change_nothing)
{
	struct dev_buf good = { 0 }, before = { 0 }, after = { 0 }, cut;
	struct cell *a, *b;
	struct err err;
	size_t i;
	int r;

	attach_three(&a, &b);
	ck_assert_int_eq(bus_save(pc.bus, &good), 0);
	pc_out(&pc, 0x100, 4, 0x14131211);
	pc_out(&pc, 0x104, 4, 0x18171615);
	ck_assert_int_eq(bus_save(pc.bus, &before), 0);
	for (i = 0; i < good.len; i++) {
		cut = good;
		cut.len = i;
		err.msg[0] = '\0';
		ck_assert_int_eq(bus_load(pc.bus, &cut, &err), -EINVAL);
		ck_assert_msg(err.msg[0], "no message for a cut at %zu", i);
		ck_assert_uint_eq(cut.pos, 0);
		after.len = 0;
		ck_assert_int_eq(bus_save(pc.bus, &after), 0);
		ck_assert_uint_eq(after.len, before.len);
		ck_assert_mem_eq(after.data, before.data, before.len);

		good.data[i] ^= 0x80;
		cut = good;
		r = bus_load(pc.bus, &cut, &err);
		good.data[i] ^= 0x80;
		ck_assert_msg(r == -EINVAL, "a changed byte %zu gave %d", i, r);
		after.len = 0;
		ck_assert_int_eq(bus_save(pc.bus, &after), 0);
		ck_assert_mem_eq(after.data, before.data, before.len);
	}
	free(good.data);
	free(before.data);
	free(after.data);
}
END_TEST

START_TEST(other_devices_are_refused)
{
	struct dev_buf buf = { 0 };
	struct err err = { 0 };

	attach(&ops_a, 0x100, 4);
	attach(&ops_b, 0x104, 4);
	ck_assert_int_eq(bus_save(pc.bus, &buf), 0);
	fake_pc_done(&pc);
	fake_pc_init(&pc);
	attach(&ops_a, 0x100, 4);
	ck_assert_int_eq(bus_load(pc.bus, &buf, &err), -EINVAL);
	ck_assert_str_eq(err.msg, "the saved devices do not end where this machine's do");
	fake_pc_done(&pc);
	fake_pc_init(&pc);
	attach(&ops_b, 0x104, 4);
	ck_assert_int_eq(bus_load(pc.bus, &buf, &err), -EINVAL);
	ck_assert_str_eq(err.msg, "the saved devices have 'a' where this machine has b");
	free(buf.data);
}
END_TEST

START_TEST(states_that_are_too_long_are_refused)
{
	static uint8_t text[] = "\1a\5\0\0\0\1\2\3\4\5";       /* the last NUL ends the list */
	struct dev_buf buf = { .data = text, .len = sizeof(text) };
	struct cell *a = attach(&ops_a, 0x100, 4);
	struct err err = { 0 };

	ck_assert_int_eq(bus_load(pc.bus, &buf, &err), -EINVAL);
	ck_assert_str_eq(err.msg, "a: its saved state is too long");
	ck_assert_mem_eq(a->value, "\0\0\0\0", 4);
}
END_TEST

START_TEST(integers_are_little_endian)
{
	struct dev_buf b = { 0 };
	uint64_t v = 7;

	ck_assert_int_eq(dev_put(&b, 0x11223344, 4), 0);
	ck_assert_int_eq(dev_put(&b, 0x0102030405060708, 8), 0);
	ck_assert_int_eq(dev_put(&b, 0x1ff, 1), 0);
	ck_assert_uint_eq(b.len, 13);
	ck_assert_mem_eq(b.data, "\x44\x33\x22\x11\x08\x07\x06\x05", 8);
	ck_assert_int_eq(dev_get(&b, 4, &v), 0);
	ck_assert_uint_eq(v, 0x11223344);
	ck_assert_int_eq(dev_get(&b, 8, &v), 0);
	ck_assert_uint_eq(v, 0x0102030405060708);
	ck_assert_int_eq(dev_get(&b, 2, &v), -EINVAL);
	ck_assert_uint_eq(v, 0x0102030405060708);
	ck_assert_int_eq(dev_get(&b, 1, &v), 0);
	ck_assert_uint_eq(v, 0xff);
	ck_assert_int_eq(dev_get(&b, 1, &v), -EINVAL);
	free(b.data);
}
END_TEST

/* Accesses are whole: what one thread's string wrote, another's does not see half of. */
static void *hammer(void *arg)
{
	uint8_t data[512];
	unsigned i, k, torn = 0;

	for (i = 0; i < 4000; i++) {
		bus_lock(pc.bus);
		++*(unsigned *)arg;
		bus_unlock(pc.bus);
		bus_io(pc.bus, 0x100, false, 2, sizeof(data) / 2, data);
		for (k = 1; k < sizeof(data); k++)
			torn += data[k] != data[0];
		memset(data, (int)i, sizeof(data));
		bus_io(pc.bus, 0x100, true, 2, sizeof(data) / 2, data);
	}
	ck_assert_uint_eq(torn, 0);
	return NULL;
}

START_TEST(one_lock_for_all)
{
	pthread_t t[2];
	unsigned total = 0, i;

	attach(&ops_a, 0x100, 2);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, hammer, &total), 0);
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	ck_assert_uint_eq(total, 8000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("bus");
	TCase *t = tcase_create("bus");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, unclaimed_ports_read_ones);
	tcase_add_test(t, accesses_are_spread_over_ports);
	tcase_add_test(t, neighbours_share_a_wide_access);
	tcase_add_test(t, strings_repeat_at_one_port);
	tcase_add_test(t, accesses_are_answered_or_not);
	tcase_add_test(t, port_space_ends);
	tcase_add_test(t, narrow_devices_see_first_bytes);
	tcase_add_test(t, overlaps_are_refused);
	tcase_add_test(t, ranges_run_out);
	tcase_add_test(t, a_device_may_have_ranges);
	tcase_add_test(t, load_brings_back_what_save_gave);
	tcase_add_test(t, bad_states_change_nothing);
	tcase_add_test(t, other_devices_are_refused);
	tcase_add_test(t, states_that_are_too_long_are_refused);
	tcase_add_test(t, integers_are_little_endian);
	tcase_add_test(t, one_lock_for_all);
	suite_add_tcase(s, t);
	return unit_main(s);
}
