/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The small devices, and all of them together under random accesses. */
#include "dev/pc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_pc.h"
#include "tests/unit.h"

#define MIB             (1ull << 20)
#define CMOS_BYTES      128

static struct fake_pc pc;
static struct device *uart;

static void setup(void)
{
	fake_pc_init(&pc);
	uart = fake_pc_attach_all(&pc, 128 * MIB);
}

static void teardown(void)
{
	fake_pc_done(&pc);
}

START_TEST(attaching_twice_fails)
{
	struct err err = { 0 };
	struct device *again = NULL;

	ck_assert_int_eq(uart_attach(pc.bus, &again, &err), -EEXIST);
	ck_assert_ptr_null(again);
	ck_assert_int_eq(debugcon_attach(pc.bus, &err), -EEXIST);
	ck_assert_int_eq(exitport_attach(pc.bus, &err), -EEXIST);
	ck_assert_int_eq(resetctl_attach(pc.bus, &err), -EEXIST);
	ck_assert_int_eq(cmos_attach(pc.bus, MIB, 1, 0, &err), -EEXIST);
	ck_assert_str_eq(err.msg, "cmos: port 0x70 belongs to cmos");
}
END_TEST

START_TEST(debug_console)
{
	uint8_t text[] = "debug";

	ck_assert_uint_eq(inb(&pc, 0xe9), 0xe9);
	bus_io(pc.bus, 0xe9, true, 1, 5, text);
	ck_assert_uint_eq(pc.output_len, 5);
	ck_assert_mem_eq(pc.output, "debug", 5);
}
END_TEST

static const struct {
	unsigned size;
	uint32_t value;
	int status;
} exits[] = {
	{ 1, 0, 1 }, { 1, 0x10, 0x21 }, { 1, 0x7f, 0xff }, { 1, 0x80, 1 }, { 1, 0xff, 0xff },
	{ 2, 0xab10, 0x21 }, { 4, 0x12345610, 0x21 }, { 4, 0xffffff00, 1 },
};

START_TEST(exit_port)
{
	pc_out(&pc, 0xf4, exits[_i].size, exits[_i].value);
	ck_assert_uint_eq(pc.exits, 1);
	ck_assert_int_eq(pc.exit_status, exits[_i].status);
	ck_assert_uint_eq(pc_in(&pc, 0xf4, exits[_i].size), 0);
	pc_out(&pc, 0xf5, 1, 3);
	ck_assert_uint_eq(pc.exits, 1);
}
END_TEST

START_TEST(port_92)
{
	ck_assert_uint_eq(inb(&pc, 0x92), 0x02);
	outb(&pc, 0x92, 0x00);
	ck_assert_uint_eq(inb(&pc, 0x92), 0x00);
	outb(&pc, 0x92, 0xfe);
	ck_assert_uint_eq(inb(&pc, 0x92), 0xfe);
	ck_assert_uint_eq(pc.resets, 0);
	outb(&pc, 0x92, 0x03);
	ck_assert_uint_eq(pc.resets, 1);
	ck_assert_str_eq(pc.reset_by, "port 0x92");
	/* Only the rising edge counts. */
	outb(&pc, 0x92, 0x01);
	ck_assert_uint_eq(pc.resets, 1);
	outb(&pc, 0x92, 0x00);
	outb(&pc, 0x92, 0x01);
	ck_assert_uint_eq(pc.resets, 2);
	bus_reset(pc.bus);
	ck_assert_uint_eq(inb(&pc, 0x92), 0x02);
}
END_TEST

static const struct {
	uint8_t before, value;
	unsigned resets;
} rcr[] = {
	{ 0, 0x06, 1 }, { 0, 0x0e, 1 }, { 0, 0x04, 1 }, { 2, 0x06, 1 }, { 0, 0x02, 0 }, { 0, 0xfb, 0 },
	{ 6, 0x06, 0 }, { 6, 0x02, 0 }, { 0, 0xff, 1 },
};

START_TEST(reset_control_register)
{
	unsigned before;

	outb(&pc, 0xcf9, rcr[_i].before);
	before = pc.resets;
	outb(&pc, 0xcf9, rcr[_i].value);
	ck_assert_uint_eq(pc.resets - before, rcr[_i].resets);
	if (rcr[_i].resets)
		ck_assert_str_eq(pc.reset_by, "port 0xcf9");
	ck_assert_uint_eq(inb(&pc, 0xcf9), rcr[_i].value & 0x0e);
	bus_reset(pc.bus);
	ck_assert_uint_eq(inb(&pc, 0xcf9), 0);
}
END_TEST

START_TEST(pci_addresses_do_not_reset)
{
	pc_out(&pc, 0xcf8, 4, 0x80000600);
	pc_out(&pc, 0xcf8, 2, 0x0e00);
	ck_assert_uint_eq(pc.resets, 0);
}
END_TEST

START_TEST(keyboard_controller_answers)
{
	/* Input buffer never full, nothing to read, unlocked. */
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x13, 0x10);
	outb(&pc, 0x64, 0xaa);
	ck_assert_uint_eq(inb(&pc, 0x64), 0x1d);
	ck_assert_uint_eq(inb(&pc, 0x60), 0x55);
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x01, 0);

	outb(&pc, 0x64, 0x60);
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x0a, 0x08);
	outb(&pc, 0x60, 0x47);
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x08, 0);
	outb(&pc, 0x64, 0x20);
	ck_assert_uint_eq(inb(&pc, 0x60), 0x47);
	outb(&pc, 0x64, 0xad);
	outb(&pc, 0x64, 0xa7);
	outb(&pc, 0x64, 0x20);
	ck_assert_uint_eq(inb(&pc, 0x60), 0x77);
	outb(&pc, 0x64, 0xae);
	outb(&pc, 0x64, 0xa8);
	outb(&pc, 0x64, 0x20);
	ck_assert_uint_eq(inb(&pc, 0x60), 0x47);
	/* Data without a command is for the keyboard, which is not there. */
	outb(&pc, 0x60, 0xfe);
	ck_assert_uint_eq(inb(&pc, 0x60), 0xfe);
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x01, 0);
	outb(&pc, 0x64, 0x20);
	ck_assert_uint_eq(inb(&pc, 0x60), 0x47);
	ck_assert_uint_eq(pc.resets, 0);
}
END_TEST

START_TEST(keyboard_controller_switches_a20)
{
	outb(&pc, 0x64, 0xd0);
	ck_assert_uint_eq(inb(&pc, 0x60), 0xcf);
	outb(&pc, 0x64, 0xd1);
	outb(&pc, 0x60, 0xdd);
	ck_assert_uint_eq(inb(&pc, 0x92), 0x00);
	outb(&pc, 0x64, 0xd0);
	ck_assert_uint_eq(inb(&pc, 0x60), 0xdd);
	outb(&pc, 0x92, 0x02);
	outb(&pc, 0x64, 0xd0);
	ck_assert_uint_eq(inb(&pc, 0x60), 0xdf);
	/* Another command in between forgets the one that awaited data. */
	outb(&pc, 0x64, 0xd1);
	outb(&pc, 0x64, 0xff);
	outb(&pc, 0x60, 0x00);
	ck_assert_uint_eq(pc.resets, 0);
	ck_assert_uint_eq(inb(&pc, 0x92), 0x02);
}
END_TEST

START_TEST(keyboard_controller_resets)
{
	unsigned code, want = 0;

	for (code = 0xf0; code <= 0xff; code++) {
		outb(&pc, 0x64, (uint8_t)code);
		want += !(code & 1);
		ck_assert_uint_eq(pc.resets, want);
	}
	ck_assert_str_eq(pc.reset_by, "the keyboard controller");
	outb(&pc, 0x64, 0xd1);
	outb(&pc, 0x60, 0x03);
	ck_assert_uint_eq(pc.resets, want);
	outb(&pc, 0x64, 0xd1);
	outb(&pc, 0x60, 0x02);
	ck_assert_uint_eq(pc.resets, want + 1);
}
END_TEST

/* Where NAME's state begins in a bus_save() buffer. */
static size_t find_state(const struct dev_buf *b, const char *name)
{
	uint8_t *p = memmem(b->data, b->len, name, strlen(name));

	ck_assert_ptr_nonnull(p);
	return (size_t)(p - b->data) + strlen(name) + 4;
}

static const struct {
	const char *name;
	unsigned at;
	uint8_t value;
} bad[] = {
	{ "resetctl", 0, 2 }, { "resetctl", 1, 0x02 }, { "resetctl", 2, 0x01 }, { "resetctl", 2, 0x10 },
	{ "resetctl", 4, 0xcd }, { "resetctl", 5, 1 }, { "resetctl", 5, 0xff }, { "resetctl", 7, 2 },
	{ "resetctl", 8, 2 },
	{ "cmos", 1 + 0x0a, 0x80 }, { "cmos", 1 + 0x0c, 1 }, { "cmos", 1 + 0x0c, 0x90 }, { "cmos", 1 + 0x0d, 0 },
	{ "cmos", 1 + CMOS_BYTES + 7, 1 }, { "cmos", 1 + CMOS_BYTES + 8 + 7, 1 }, { "cmos", 1 + CMOS_BYTES + 24 + 7, 1 },
};

START_TEST(load_refuses_nonsense)
{
	struct dev_buf buf = { 0 }, before = { 0 }, after = { 0 };
	struct err err = { 0 };

	fake_pc_save(&pc, &buf);
	outb(&pc, 0x92, 0xf0);
	outb(&pc, 0x70, 0x40);
	outb(&pc, 0x71, 7);
	fake_pc_save(&pc, &before);
	buf.data[find_state(&buf, bad[_i].name) + bad[_i].at] = bad[_i].value;
	ck_assert_int_eq(bus_load(pc.bus, &buf, &err), -EINVAL);
	ck_assert_msg(strncmp(err.msg, bad[_i].name, strlen(bad[_i].name)) == 0, "%s", err.msg);
	fake_pc_save(&pc, &after);
	ck_assert_mem_eq(before.data, after.data, before.len);
	free(buf.data);
	free(before.data);
	free(after.data);
}
END_TEST

static uint32_t rand32(uint64_t *state)
{
	/* xorshift64* */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * 0x2545f4914f6cdd1dull >> 32);
}

/* A port of some device, or next to one, seldom any. */
static uint16_t random_port(uint64_t *seed)
{
	uint32_t r = rand32(seed);
	const struct device *d = bus_device(pc.bus, (r >> 8) % 6);
	enum bus_space space;
	uint64_t base, size;

	if (r % 32 == 0 || !d || !bus_device_range(pc.bus, d, (r >> 12) % 4, &space, &base, &size))
		return (uint16_t)(r >> 16);
	return (uint16_t)(base - 1 + (r >> 16) % (size + 2));
}

/* Whatever a guest does: no crash, no line set twice (fake_pc looks), and at any point the state is complete. */
START_TEST(random_accesses)
{
	uint64_t seed = 0x9e3779b97f4a7c15ull + (uint64_t)_i;
	struct dev_buf a = { 0 }, b = { 0 };
	uint8_t data[16];
	bool level;
	uint32_t r;
	int n;

	for (n = 0; n < 100000; n++) {
		r = rand32(&seed);
		memcpy(data, &r, 4);
		if (r % 16 == 0)
			uart_input(pc.bus, uart, data, r % sizeof(data));
		else if (r % 16 == 1)
			pc.now += r >> 20;
		else if (r % 1024 == 2)
			bus_reset(pc.bus);
		else
			bus_io(pc.bus, random_port(&seed), r & 64, 1u << (r >> 8) % 3, (r >> 16) % 5, data);
		if (r % 256 != 3)
			continue;
		fake_pc_save(&pc, &a);
		level = pc.level[4];
		/* Go somewhere else, and come back. */
		bus_reset(pc.bus);
		bus_io(pc.bus, random_port(&seed), true, 4, 1, data);
		ck_assert_int_eq(bus_load(pc.bus, &a, NULL), 0);
		fake_pc_save(&pc, &b);
		ck_assert_uint_eq(a.len, b.len);
		ck_assert_mem_eq(a.data, b.data, a.len);
		ck_assert(pc.level[4] == level);
	}
	free(a.data);
	free(b.data);
}
END_TEST

/* Random bytes as a state are refused or make a device that saves and loads. */
START_TEST(random_states)
{
	uint64_t seed = 0xd1b54a32d192ed03ull;
	struct dev_buf good = { 0 }, cut;
	unsigned n, k, changed, loaded = 0;
	uint8_t *copy;

	fake_pc_save(&pc, &good);
	copy = malloc(good.len);
	for (n = 0; n < 20000; n++) {
		memcpy(copy, good.data, good.len);
		changed = rand32(&seed) % 4;
		for (k = 0; k < changed; k++)
			copy[rand32(&seed) % good.len] = (uint8_t)rand32(&seed);
		cut = good;
		cut.data = copy;
		if (rand32(&seed) % 4 == 0)
			cut.len = rand32(&seed) % good.len;
		if (bus_load(pc.bus, &cut, NULL) == 0)
			loaded++;
		if (n % 64 == 0)
			fake_pc_round_trip(&pc);
	}
	ck_assert_uint_gt(loaded, 1000);
	free(copy);
	free(good.data);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("devices");
	TCase *t = tcase_create("devices"), *f = tcase_create("random");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, attaching_twice_fails);
	tcase_add_test(t, debug_console);
	tcase_add_loop_test(t, exit_port, 0, COUNT(exits));
	tcase_add_test(t, port_92);
	tcase_add_loop_test(t, reset_control_register, 0, COUNT(rcr));
	tcase_add_test(t, pci_addresses_do_not_reset);
	tcase_add_test(t, keyboard_controller_answers);
	tcase_add_test(t, keyboard_controller_switches_a20);
	tcase_add_test(t, keyboard_controller_resets);
	tcase_add_loop_test(t, load_refuses_nonsense, 0, COUNT(bad));
	suite_add_tcase(s, t);

	tcase_set_timeout(f, 60);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_add_loop_test(f, random_accesses, 0, 2);
	tcase_add_test(f, random_states);
	suite_add_tcase(s, f);
	return unit_main(s);
}
