/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtio console: output, input, and what happens when the other side has no room. */
#include <string.h>

#include "tests/unit.h"
#include "tests/virtio_rig.h"

enum { RX, TX };

static struct virtio_rig rig;

static void setup(void)
{
	virtio_rig_init(&rig);
	virtio_rig_select(&rig, VIRTIO_SLOT_CONSOLE);
	vr_start(&rig, FEATURE_1 | FEATURE_EVENT, 2, 16);
}

static void teardown(void)
{
	virtio_rig_done(&rig);
}

static void send(uint16_t head, const char *text)
{
	memcpy(rig.pc.mem + RIG_DATA + 256u * head, text, strlen(text));
	vr_desc(&rig, TX, head, RIG_DATA + 256u * head, (uint32_t)strlen(text), 0, 0);
	vr_offer(&rig, TX, head);
}

static void expect_output(const char *text)
{
	ck_assert_uint_eq(rig.pc.output_len, strlen(text));
	ck_assert_mem_eq(rig.pc.output, text, strlen(text));
}

/* Gives the device room for LEN bytes of input at a place of its own. */
#define IN_AT(head) (RIG_DATA + 0x10000u + 0x100u * (head))

static void give(uint16_t head, uint32_t len)
{
	vr_desc(&rig, RX, head, IN_AT(head), len, D_WRITE, 0);
	vr_offer(&rig, RX, head);
}

static size_t input(const char *text)
{
	size_t taken = 99;

	ck_assert(virtio_console_input(rig.pc.bus, rig.console, (const uint8_t *)text, strlen(text), &taken));
	return taken;
}

START_TEST(writes)
{
	send(0, "Hello, ");
	send(1, "world");
	vr_notify(&rig, TX);
	expect_output("Hello, world");
	ck_assert_uint_eq(vr_used_idx(&rig, TX), 2);
	ck_assert_uint_eq(vr_used_head(&rig, TX, 1), 1);
	ck_assert_uint_eq(vr_used_len(&rig, TX, 1), 0);
	ck_assert_uint_eq(vr_isr(&rig), 1);
}
END_TEST

START_TEST(writes_as_there_is_room)
{
	rig.pc.room = 5;
	send(0, "Hello, ");
	send(1, "world");
	vr_notify(&rig, TX);
	expect_output("Hello");
	ck_assert_uint_eq(vr_used_idx(&rig, TX), 0);
	fake_pc_round_trip(&rig.pc);
	bus_poll(rig.pc.bus);
	expect_output("Hello");
	rig.pc.room = 3;
	bus_poll(rig.pc.bus);
	expect_output("Hello, w");
	ck_assert_uint_eq(vr_used_idx(&rig, TX), 1);
	rig.pc.room = SIZE_MAX;
	bus_poll(rig.pc.bus);
	expect_output("Hello, world");
	ck_assert_uint_eq(vr_used_idx(&rig, TX), 2);
}
END_TEST

/* A driver's reset forgets what it was sending. */
START_TEST(reset_while_it_writes)
{
	rig.pc.room = 5;
	send(0, "Hello, ");
	vr_notify(&rig, TX);
	vr_start(&rig, FEATURE_1, 2, 16);
	rig.pc.room = SIZE_MAX;
	bus_poll(rig.pc.bus);
	expect_output("Hello");
	send(0, "!");
	vr_notify(&rig, TX);
	expect_output("Hello!");
}
END_TEST

/* Descriptors that name the same memory again and again, 16 MiB altogether: so much a turn, the rest by the timer. */
START_TEST(a_flood_is_bounded)
{
	unsigned turns = 0;

	for (uint16_t i = 0; i < 16; i++)
		vr_desc(&rig, TX, i, 0, FAKE_PC_MEM, i < 15 ? D_NEXT : 0, (uint16_t)(i + 1));
	vr_offer(&rig, TX, 0);
	vr_notify(&rig, TX);
	ck_assert_uint_gt(rig.pc.output_len, 0);
	ck_assert_uint_le(rig.pc.output_len, 65536);
	while (bus_deadline(rig.pc.bus) != DEV_NEVER) {
		size_t before = rig.pc.output_len;

		bus_timers(rig.pc.bus, rig.pc.clock);
		ck_assert_uint_le(rig.pc.output_len - before, 65536);
		turns++;
	}
	ck_assert_uint_eq(rig.pc.output_len, 16 * FAKE_PC_MEM);
	ck_assert_uint_ge(turns, 255);
	ck_assert_uint_eq(vr_used_idx(&rig, TX), 1);
}
END_TEST

START_TEST(open_with_a_buffer)
{
	size_t taken;

	ck_assert(!virtio_console_input(rig.pc.bus, rig.console, (const uint8_t *)"x", 1, &taken));
	give(0, 4);
	vr_notify(&rig, RX);
	ck_assert_uint_eq(vr_used_idx(&rig, RX), 0);
	ck_assert_uint_eq(rig.pc.wanted, 1);
	ck_assert_uint_eq(input("abcdef"), 6);
	/* Memory is not touched before the device is asked. */
	ck_assert_uint_eq(vr_used_idx(&rig, RX), 0);
	ck_assert_uint_eq(rig.pc.mem[IN_AT(0)], 0);
	ck_assert_uint_eq(atomic_load(&rig.pc.wakes), 1);
	bus_poll(rig.pc.bus);
	ck_assert_mem_eq(rig.pc.mem + IN_AT(0), "abcd\0", 5);
	ck_assert_uint_eq(vr_used_idx(&rig, RX), 1);
	ck_assert_uint_eq(vr_used_len(&rig, RX, 0), 4);
	ck_assert_uint_eq(vr_isr(&rig), 1);
	ck_assert_uint_eq(rig.pc.wanted, 2);
	/* Open it stays, and the rest comes with the next buffer. */
	fake_pc_round_trip(&rig.pc);
	ck_assert_uint_eq(input("g"), 1);
	give(1, 100);
	vr_notify(&rig, RX);
	ck_assert_mem_eq(rig.pc.mem + IN_AT(1), "efg", 4);
	ck_assert_uint_eq(vr_used_len(&rig, RX, 1), 3);
	/* Until the driver goes. */
	vr_write(&rig, VC_STATUS, 1, 0);
	ck_assert(!virtio_console_input(rig.pc.bus, rig.console, (const uint8_t *)"x", 1, &taken));
	vr_start(&rig, FEATURE_1, 2, 16);
	ck_assert(!virtio_console_input(rig.pc.bus, rig.console, (const uint8_t *)"x", 1, &taken));
}
END_TEST

/* Its queue is bounded; what it does not take it asks for when it can. */
START_TEST(input_waits)
{
	char text[1001];
	size_t all = 0, n;

	memset(text, 'i', 1000);
	text[1000] = '\0';
	give(0, 16);
	vr_notify(&rig, RX);
	do {
		n = input(text);
		all += n;
	} while (n == 1000);
	ck_assert_uint_eq(all, 4096);
	ck_assert_uint_eq(input(text), 0);
	ck_assert_uint_eq(rig.pc.wanted, 1);
	bus_poll(rig.pc.bus);
	ck_assert_uint_eq(rig.pc.wanted, 2);
	ck_assert_uint_eq(input(text), 16);
	fake_pc_round_trip(&rig.pc);
}
END_TEST

/* A byte a buffer: so many a turn, the rest by the timer. */
START_TEST(input_is_bounded)
{
	char text[201];

	vr_start(&rig, FEATURE_1, 2, 256);
	memset(text, 'i', 200);
	text[200] = '\0';
	for (uint16_t i = 0; i < 250; i++) {
		vr_desc(&rig, RX, i, IN_AT(0) + i, 1, D_WRITE, 0);
		vr_offer(&rig, RX, i);
	}
	vr_notify(&rig, RX);
	ck_assert_uint_eq(input(text), 200);
	bus_poll(rig.pc.bus);
	ck_assert_uint_eq(vr_used_idx(&rig, RX), 64);
	fake_pc_run_to(&rig.pc, rig.pc.clock);
	ck_assert_uint_eq(vr_used_idx(&rig, RX), 200);
	ck_assert_uint_eq(rig.pc.mem[IN_AT(0) + 199], 'i');
	ck_assert_uint_eq(rig.pc.mem[IN_AT(0) + 200], 0);
	ck_assert_uint_eq(bus_deadline(rig.pc.bus), DEV_NEVER);
}
END_TEST

START_TEST(input_needs_room_to_write)
{
	vr_desc(&rig, RX, 0, RIG_DATA, 16, 0, 0);
	vr_offer(&rig, RX, 0);
	vr_notify(&rig, RX);
	ck_assert_uint_eq(input("a"), 1);
	bus_poll(rig.pc.bus);
	ck_assert_str_eq(rig.pc.trouble, "virtio-console: queue 0: descriptor 0 has no room to write to");
}
END_TEST

START_TEST(output_from_outside)
{
	size_t taken;

	give(0, 16);
	vr_desc(&rig, TX, 0, FAKE_PC_MEM - 4, 16, 0, 0);
	vr_offer(&rig, TX, 0);
	vr_notify(&rig, TX);
	ck_assert_str_eq(rig.pc.trouble, "virtio-console: queue 1: descriptor 0 is outside memory");
	ck_assert_uint_eq(rig.pc.output_len, 0);
	/* Then the other line gets what comes. */
	ck_assert(!virtio_console_input(rig.pc.bus, rig.console, (const uint8_t *)"x", 1, &taken));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtio_console");
	TCase *t = tcase_create("virtio_console");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, writes);
	tcase_add_test(t, writes_as_there_is_room);
	tcase_add_test(t, reset_while_it_writes);
	tcase_add_test(t, a_flood_is_bounded);
	tcase_add_test(t, open_with_a_buffer);
	tcase_add_test(t, input_waits);
	tcase_add_test(t, input_is_bounded);
	tcase_add_test(t, input_needs_room_to_write);
	tcase_add_test(t, output_from_outside);
	suite_add_tcase(s, t);
	return unit_main(s);
}
