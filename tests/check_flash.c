/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flash memory as drivers use it and as they should not, what a slot is to show of it, and its saved states. */
#include "tests/flash_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

static void setup(void)
{
	flash_rig_init(NULL);
}

/* What a slot would show is what is read here, in the mode in which there is one. */
static void expect_view(void)
{
	flash_view(flash, view, false);
	if (!flash_shows_array(flash))
		return;
	for (uint32_t at = 0; at < SIZE; at += 8)
		ck_assert_mem_eq(view + at, &(uint64_t){ get(at, 8) }, 8);
}

START_TEST(it_shows_its_array)
{
	uint64_t value;

	ck_assert(flash_shows_array(flash));
	ck_assert_mem_eq(view, first, SIZE);
	for (unsigned size = 1; size <= 8; size *= 2) {
		value = 0;
		memcpy(&value, first + 4098, size);
		ck_assert_uint_eq(get(4098, size), value);
		value = 0;
		memcpy(&value, first + SIZE - size, size);
		ck_assert_uint_eq(get(SIZE - size, size), value);
	}
	ck_assert(!bus_mmio(pc.bus, GPA - 1, false, 1, (uint8_t *)&value));
	ck_assert(!bus_mmio(pc.bus, GPA + SIZE, true, 1, (uint8_t *)&value));
	ck_assert_uint_eq(pc.remaps, 0);
}
END_TEST

/* Each mode, and how often memory has changed: only from and to the array. */
START_TEST(modes)
{
	static const struct {
		uint8_t code;
		bool array;
		unsigned remaps;
		uint64_t reads;                 /* four bytes at 0 */
	} steps[] = {
		{ STATUS, false, 1, 0x80808080 },
		{ ID, false, 1, 0x00001789 },
		{ QUERY, false, 1, 0x00001789 },
		{ STATUS, false, 1, 0x80808080 },
		{ ARRAY, true, 2, 0 },
		{ ARRAY, true, 2, 0 },
		{ CLEAR, true, 2, 0 },
		{ STATUS, false, 3, 0 },
		{ CLEAR, true, 4, 0 },
		/* What is no command: all stays. */
		{ 0x00, true, 4, 0 }, { 0xd0, true, 4, 0 }, { 0xb0, true, 4, 0 }, { 0x55, true, 4, 0 },
		{ ID, false, 5, 0x00001789 }, { 0x00, false, 5, 0x00001789 }, { 0xd0, false, 5, 0x00001789 },
	};
	uint32_t array;

	memcpy(&array, first, 4);
	for (size_t i = 0; i < COUNT(steps); i++) {
		command(steps[i].code);
		ck_assert(flash_shows_array(flash) == steps[i].array);
		ck_assert_uint_eq(pc.remaps, steps[i].remaps);
		ck_assert_uint_eq(get(0, 4), steps[i].array ? array : steps[i].reads);
		fake_pc_round_trip(&pc);
		/* Which reset it, and took it back. */
		pc.remaps = steps[i].remaps;
	}
	ck_assert(!memcmp(view, first, SIZE));
}
END_TEST

/* OVMF tells RAM, ROM and flash from each other so. */
START_TEST(as_ovmf_looks_for_it)
{
	uint8_t was = (uint8_t)get(0x10, 1);

	put(0x10, 1, CLEAR);
	ck_assert_uint_eq(get(0x10, 1), was);
	put(0x10, 1, STATUS);
	ck_assert_uint_eq(get(0x10, 1), 0);
	put(0x10, 1, ARRAY);
	ck_assert_uint_eq(get(0x10, 1), was);
	/* And so it writes: many bytes, and memory changes twice. */
	pc.remaps = 0;
	put(0x2000, 1, ERASE);
	put(0x2000, 1, CONFIRM);
	for (uint32_t i = 0; i < 100; i++) {
		put(0x2000 + i, 1, PROGRAM_TOO);
		put(0x2000 + i, 1, i);
	}
	put(0x2063, 1, ARRAY);
	ck_assert_uint_eq(pc.remaps, 2);
	for (uint32_t i = 0; i < FLASH_BLOCK; i++)
		ck_assert_uint_eq(get(0x2000 + i, 1), i < 100 ? i : 0xff);
	expect_view();
}
END_TEST

START_TEST(programs)
{
	command(CLEAR);
	for (unsigned size = 1; size <= 8; size *= 2) {
		uint32_t at = 0x3000 + 16 * size;
		uint64_t was = get(at, 8), mask = size == 8 ? UINT64_MAX : (1ull << 8 * size) - 1;

		put(at, size, size % 2 ? PROGRAM_TOO : PROGRAM);
		ck_assert_uint_eq(get(at, 1), size == 1 ? 0 : READY);
		put(at, size, 0x5a5aa5a50ff03cc3);
		ck_assert_uint_eq(get(at, 2), READY << 8 | READY);
		command(ARRAY);
		/* Zeros become no ones. */
		ck_assert_uint_eq(get(at, 8), was & (0x5a5aa5a50ff03cc3 | ~mask));
	}
	expect_view();
	ck_assert_mem_eq(view, first, 0x3010);
	ck_assert_mem_eq(view + 0x3100, first + 0x3100, SIZE - 0x3100);
}
END_TEST

START_TEST(erases_a_block)
{
	put(0x5fff, 1, ERASE);
	put(0x5fff, 4, CONFIRM);
	ck_assert_uint_eq(get(0, 1), READY);
	/* No confirmation: nothing but an error, until that is cleared. */
	put(0x7000, 1, ERASE);
	put(0x7000, 1, ARRAY);
	ck_assert_uint_eq(get(0, 1), BAD_SEQUENCE);
	put(0x9000, 1, ERASE);
	put(0x9000, 1, CONFIRM);
	ck_assert_uint_eq(get(0, 1), BAD_SEQUENCE);
	command(CLEAR);
	expect_view();
	for (uint32_t i = 0; i < SIZE; i++)
		ck_assert_uint_eq(view[i], i / FLASH_BLOCK == 5 || i / FLASH_BLOCK == 9 ? 0xff : first[i]);
	/* Locks there are none. */
	command(LOCK);
	command(0x01);
	ck_assert_uint_eq(get(0, 1), READY);
}
END_TEST

static void buffer_of(uint32_t at, unsigned count)
{
	put(at, 1, BUFFER);
	put(at, 1, count - 1);
}

START_TEST(programs_a_buffer)
{
	put(0, 1, ERASE);
	put(0, 1, CONFIRM);
	buffer_of(0x40, 32);
	for (uint32_t i = 0; i < 32; i += 4)
		put(0x40 + i, 4, 0x01010101 * i);
	ck_assert_uint_eq(get(0x40, 1), READY);
	put(0x40, 1, CONFIRM);
	/* One that does not begin at its piece's beginning, and out of order. */
	buffer_of(0x86, 3);
	put(0x86, 1, 0x11);
	put(0x9f, 1, 0x22);
	put(0x80, 1, 0x33);
	put(0x86, 1, CONFIRM);
	ck_assert_uint_eq(get(0, 1), READY);
	command(ARRAY);
	for (uint32_t i = 0; i < FLASH_BLOCK; i++)
		ck_assert_uint_eq(get(i, 1), i >= 0x40 && i < 0x60 ? (i & 0x1c) : i == 0x86 ? 0x11 : i == 0x9f ? 0x22 :
				  i == 0x80 ? 0x33 : 0xff);
	expect_view();
}
END_TEST

/* Several places between two looks, in any order. */
START_TEST(shown_in_any_order)
{
	static const uint32_t at[] = { 0x7000, 0x3000, 0x5000, 0x9fff };

	for (size_t i = 0; i < COUNT(at); i++) {
		put(at[i], 1, PROGRAM);
		put(at[i], 1, 0);
	}
	command(ARRAY);
	expect_view();
	for (size_t i = 0; i < COUNT(at); i++)
		ck_assert_uint_eq(view[at[i]], 0);
}
END_TEST

START_TEST(no_such_buffer)
{
	static const struct {
		unsigned count;
		uint32_t at[3];
		unsigned size, writes;
		uint8_t end;
	} bad[] = {
		{ 33, { 0 }, 1, 0, CONFIRM },
		{ 256, { 0 }, 1, 0, CONFIRM },
		{ 2, { 0x1f, 0x20 }, 1, 2, 0 },         /* into the next piece */
		{ 2, { 0x20, 0x1f }, 1, 2, 0 },
		{ 4, { 0x1e }, 4, 1, 0 },               /* over its end */
		{ 3, { 0x00 }, 4, 1, 0 },               /* more than were said */
		{ 5, { 0x00, 0x04 }, 4, 2, 0 },
		{ 1, { 0x00 }, 1, 1, ARRAY },           /* no confirmation */
		{ 1, { 0x00 }, 1, 1, 0x12 },
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		buffer_of(0, bad[i].count);
		for (unsigned w = 0; w < bad[i].writes; w++) {
			fake_pc_round_trip(&pc);
			put(bad[i].at[w], bad[i].size, 0);
		}
		fake_pc_round_trip(&pc);
		if (bad[i].end && bad[i].writes)
			put(0, 1, bad[i].end);
		ck_assert_uint_eq(get(0, 1), BAD_SEQUENCE);
		command(CLEAR);
		ck_assert_uint_eq(get(0, 4), (uint64_t)first[0] | first[1] << 8 | first[2] << 16 | (uint64_t)first[3] << 24);
	}
	expect_view();
	ck_assert_mem_eq(view, first, SIZE);
}
END_TEST

START_TEST(query_table)
{
	command(QUERY);
	ck_assert_uint_eq(get(0x10, 1), 'Q');
	ck_assert_uint_eq(get(0x10, 4) & 0xffffff, 'Q' | 'R' << 8 | 'Y' << 16);
	ck_assert_uint_eq(get(0x13, 2), 1);
	ck_assert_uint_eq(get(get(0x15, 1), 4) & 0xffffff, 'P' | 'R' << 8 | 'I' << 16);
	ck_assert_uint_eq(get(0x27, 1), 18);            /* 160 KiB fit 2^18 bytes */
	ck_assert_uint_eq(get(0x2a, 2), 5);
	ck_assert_uint_eq(get(0x2c, 1), 1);
	ck_assert_uint_eq(get(0x2d, 2), BLOCKS - 1);
	ck_assert_uint_eq(get(0x2f, 2), FLASH_BLOCK / 256);
	/* The same everywhere, and nothing behind it. */
	ck_assert_uint_eq(get(0x2110, 1), 'Q');
	for (uint32_t at = 0x3a; at < 0x100; at++)
		ck_assert_uint_eq(get(at, 1), 0);
}
END_TEST

/* A reset ends whatever was begun; contents stay. */
START_TEST(reset_keeps_contents)
{
	put(0x1000, 1, ERASE);
	put(0x1000, 1, CONFIRM);
	buffer_of(0, 2);
	put(0, 1, 0x5a);
	bus_reset(pc.bus);
	ck_assert(flash_shows_array(flash));
	ck_assert_uint_eq(pc.remaps, 2);
	ck_assert_uint_eq(get(0x1000, 8), UINT64_MAX);
	ck_assert_uint_eq(get(0, 1), first[0]);
	command(STATUS);
	ck_assert_uint_eq(get(0, 1), READY);
	command(ARRAY);
	expect_view();
}
END_TEST

static void to_state(unsigned which)
{
	switch (which) {
	case 1:
		command(STATUS);
		break;
	case 2:
		put(0x3000, 1, ERASE);
		put(0x3000, 1, CONFIRM);
		command(ARRAY);
		break;
	case 3:
		put(SIZE - 1, 1, PROGRAM);
		put(SIZE - 1, 1, (uint8_t)~first[SIZE - 1]);
		command(QUERY);
		break;
	case 4:
		buffer_of(0x20, 2);
		put(0x21, 1, 0x12);
		break;
	case 5:
		buffer_of(0x20, 1);
		put(0x21, 1, 0x12);
		break;
	case 6:
		command(ERASE);
		command(ARRAY);
		break;
	default:
		break;
	}
}

#define STATES 7u

/* What was saved is there again, whatever happened in between, and a slot would show it. */
START_TEST(saved_and_loaded)
{
	static uint8_t then[SIZE];
	struct dev_buf b = { 0 };

	to_state((unsigned)_i);
	expect_view();
	for (uint32_t at = 0; at < SIZE; at++)
		then[at] = (uint8_t)get(at, 1);
	ck_assert_int_eq(bus_save(pc.bus, &b), 0);
	/* What has not changed is not in it. */
	ck_assert_uint_lt(b.len, 2 * FLASH_BLOCK);
	bus_reset(pc.bus);
	for (uint32_t at = 0; at < SIZE; at += 4 * FLASH_BLOCK) {
		put(at, 1, ERASE);
		put(at, 1, CONFIRM);
	}
	command(ID);
	expect_view();
	pc.remaps = 0;
	ck_assert_int_eq(bus_load(pc.bus, &b, &err), 0);
	ck_assert_uint_ge(pc.remaps, 1);
	for (uint32_t at = 0; at < SIZE; at++)
		ck_assert_uint_eq(get(at, 1), then[at]);
	expect_view();
	fake_pc_round_trip(&pc);
	bus_reset(pc.bus);
	expect_view();
	free(b.data);
}
END_TEST

/* Truncated anywhere, and with every byte as it may not be: refused, or as good a state as any; never half of one. */
START_TEST(hostile_states)
{
	struct dev_buf good = { 0 }, before = { 0 }, after = { 0 }, bad;
	size_t refused = 0;

	to_state((unsigned)_i);
	ck_assert_int_eq(bus_save(pc.bus, &good), 0);
	bus_reset(pc.bus);
	put(0x5000, 1, ERASE);
	put(0x5000, 1, CONFIRM);
	fake_pc_save(&pc, &before);
	for (size_t n = 0; n < good.len; n += n < 128 || n + 128 > good.len ? 1 : 61) {
		bad = (struct dev_buf){ .data = good.data, .len = n };
		ck_assert_int_eq(bus_load(pc.bus, &bad, &err), -EINVAL);
	}
	fake_pc_save(&pc, &after);
	ck_assert_uint_eq(before.len, after.len);
	ck_assert_mem_eq(before.data, after.data, before.len);
	for (size_t at = 0; at < good.len && at < 80; at++) {
		for (unsigned value = 0; value < 256; value += at < 24 ? 1 : 51) {
			uint8_t was = good.data[at];

			good.data[at] = (uint8_t)value;
			bad = (struct dev_buf){ .data = good.data, .len = good.len };
			if (bus_load(pc.bus, &bad, &err)) {
				refused++;
			} else {
				/* Nothing that it may be led to reaches what is not its own. */
				put(0, 8, 0x0101010101010101);
				put(SIZE - 8, 8, CONFIRM);
				get(SIZE - 8, 8);
				fake_pc_save(&pc, &after);
			}
			good.data[at] = was;
		}
	}
	ck_assert_uint_ge(refused, 1000);
	free(good.data);
	free(before.data);
	free(after.data);
}
END_TEST

/* States that a guest cannot bring it to; and blocks that are none, twice there, or in another order. */
START_TEST(states_that_are_none)
{
	static const uint8_t states[][3] = {            /* shows, next, status */
		{ 0, 1, READY }, { 2, 2, READY }, { 3, 4, READY }, { 4, 0, READY }, { 0, 7, READY }, { 0, 0, 1 }, { 1, 4, READY },
	};
	struct dev_buf b = { 0 }, bad;
	size_t at = 1 + strlen("flash") + 4, blocks = at + 3 + 4 + 2 + 32;
	uint8_t *two;

	put(0x3000, 1, ERASE);
	put(0x3000, 1, CONFIRM);
	put(0x5000, 1, ERASE);
	put(0x5000, 1, CONFIRM);
	ck_assert_int_eq(bus_save(pc.bus, &b), 0);
	ck_assert_uint_eq(b.data[blocks], 2);
	ck_assert_uint_eq(b.data[blocks + 4], 3);
	for (size_t i = 0; i < COUNT(states); i++) {
		uint8_t was[3];

		memcpy(was, b.data + at, 3);
		memcpy(b.data + at, states[i], 3);
		bad = (struct dev_buf){ .data = b.data, .len = b.len };
		ck_assert_int_eq(bus_load(pc.bus, &bad, &err), -EINVAL);
		memcpy(b.data + at, was, 3);
	}
	two = b.data + blocks + 8 + FLASH_BLOCK;
	ck_assert_uint_eq(*two, 5);
	for (unsigned value = 0; value < 256; value++) {
		*two = (uint8_t)value;
		bad = (struct dev_buf){ .data = b.data, .len = b.len };
		ck_assert_int_eq(bus_load(pc.bus, &bad, &err), value > 3 && value < BLOCKS ? 0 : -EINVAL);
	}
	free(b.data);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("flash");
	TCase *t = tcase_create("chip");

	tcase_add_checked_fixture(t, setup, flash_rig_done);
	tcase_add_test(t, it_shows_its_array);
	tcase_add_test(t, modes);
	tcase_add_test(t, as_ovmf_looks_for_it);
	tcase_add_test(t, programs);
	tcase_add_test(t, erases_a_block);
	tcase_add_test(t, programs_a_buffer);
	tcase_add_test(t, shown_in_any_order);
	tcase_add_test(t, no_such_buffer);
	tcase_add_test(t, query_table);
	tcase_add_test(t, reset_keeps_contents);
	tcase_add_loop_test(t, saved_and_loaded, 0, STATES);
	tcase_add_loop_test(t, hostile_states, 0, STATES);
	tcase_add_test(t, states_that_are_none);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return unit_main(s);
}
