/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two 8259As saved and loaded, hostile states, any accesses, and what is shown of their registers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pic_rig.h"
#include "tests/unit.h"

/* Offsets into the saved state, which begins after the record's head: a length, the name, 4 bytes of size. */
#define HEAD            (1 + 3 + 4)
#define CHIP_BYTES      15
enum { LINES, EDGES, ELCR_AT, IMR, ISR, BASE, LOWEST, EXPECT, ICW1 };

static const struct {
	unsigned chip, at;
	uint8_t value;
} hostile[] = {
	{ 0, LINES, 0x04 }, { 0, EDGES, 0x04 }, { 0, ELCR_AT, 0x01 }, { 0, ELCR_AT, 0x04 }, { 1, ELCR_AT, 0x20 },
	{ 0, BASE, 0x21 }, { 1, BASE, 0xff }, { 0, LOWEST, 8 }, { 1, LOWEST, 0xff }, { 0, EXPECT, 4 },
	{ 0, EXPECT, 0xff }, { 0, ICW1, 0x10 }, { 1, 10, 0x20 }, { 1, 11, 2 }, { 1, 12, 2 }, { 0, 13, 2 }, { 0, 14, 2 },
};

START_TEST(hostile_states_are_refused)
{
	struct dev_buf b = { 0 }, after = { 0 };
	struct err err = { 0 };
	uint8_t before[256];
	size_t len;

	fake_pc_save(&pc, &b);
	ck_assert_uint_eq(b.len, HEAD + 2 * CHIP_BYTES + 1);
	len = b.len;
	memcpy(before, b.data, len);
	b.data[HEAD + hostile[_i].chip * CHIP_BYTES + hostile[_i].at] = hostile[_i].value;
	ck_assert_int_eq(bus_load(pc.bus, &b, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.msg, "pic: its saved state "));
	fake_pc_save(&pc, &after);
	ck_assert_uint_eq(after.len, len);
	ck_assert_mem_eq(after.data, before, len);
	free(b.data);
	free(after.data);
}
END_TEST

START_TEST(contradictions_are_refused)
{
	struct dev_buf b = { 0 };

	fake_pc_save(&pc, &b);
	b.data[HEAD + ELCR_AT] = b.data[HEAD + EDGES] = 0x08;
	ck_assert_int_eq(bus_load(pc.bus, &b, NULL), -EINVAL);
	fake_pc_save(&pc, &b);
	b.data[HEAD + EXPECT] = 3;
	b.data[HEAD + ICW1] = 0;
	ck_assert_int_eq(bus_load(pc.bus, &b, NULL), -EINVAL);
	fake_pc_save(&pc, &b);
	b.data[HEAD + EXPECT] = 2;
	b.data[HEAD + ICW1] = 2;
	ck_assert_int_eq(bus_load(pc.bus, &b, NULL), -EINVAL);
	b.len = HEAD + 4;
	ck_assert_int_eq(bus_load(pc.bus, &b, NULL), -EINVAL);
	free(b.data);
}
END_TEST

/* A state that asks for an interrupt says so when it is loaded, and one that does not takes it back. */
START_TEST(loading_tells_the_processor)
{
	struct dev_buf quiet = { 0 }, asking = { 0 };

	fake_pc_save(&pc, &quiet);
	pulse(7);
	fake_pc_save(&pc, &asking);
	ck_assert_int_eq(bus_load(pc.bus, &quiet, NULL), 0);
	ck_assert(!intr);
	ck_assert_int_eq(bus_load(pc.bus, &asking, NULL), 0);
	ck_assert(intr);
	ck_assert_uint_eq(ack(), 0x27);
	ck_assert_uint_eq(isr(MASTER), 0x80);
	free(quiet.data);
	free(asking.data);
}
END_TEST

static char shown[4096];

static void note_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	size_t len = strlen(shown);

	ck_assert_ptr_null(arg);
	ck_assert_uint_le(value, bits == 64 ? UINT64_MAX : (1ull << bits) - 1);
	snprintf(shown + len, sizeof(shown) - len, "%s=%x%s%s\n", name, (unsigned)value, text ? " " : "",
		 text ? text : "");
}

START_TEST(registers_are_shown)
{
	const struct dev_show show = { .reg = note_reg };

	outb(&pc, MASTER + 1, 0x81);
	line(12, true);
	init_chip(SLAVE, 0x70, 2, 0x13);
	outb(&pc, SLAVE, 0x80);
	outb(&pc, SLAVE, 0x68 | POLL);
	shown[0] = '\0';
	bus_lock(pc.bus);
	pic->ops->show(pic, &show);
	bus_unlock(pc.bus);
	ck_assert_ptr_nonnull(strstr(shown, "master.imr=81 masked\n"));
	ck_assert_ptr_nonnull(strstr(shown, "master.base=20 vector"));
	ck_assert_ptr_nonnull(strstr(shown, "master.icw4=1 normal\n"));
	ck_assert_ptr_nonnull(strstr(shown, "slave.lines=10 "));
	ck_assert_ptr_nonnull(strstr(shown, "slave.irr=0 "));
	ck_assert_ptr_nonnull(strstr(shown, "slave.base=70 "));
	ck_assert_ptr_nonnull(strstr(shown, "slave.lowest=7 "));
	ck_assert_ptr_nonnull(strstr(shown, "slave.icw4=13 automatic, rotating, special fully nested, "
				     "special mask, poll\n"));
	/* Looking has not been the read that polls. */
	pulse(9);
	ck_assert_uint_eq(inb(&pc, SLAVE), 0x81);
}
END_TEST

static uint32_t random_bits(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* An acknowledge that nobody asked for is spurious and changes nothing; INTR is told as it changes, see note_intr(). */
START_TEST(random_accesses)
{
	static const uint16_t ports[] = { MASTER, MASTER + 1, SLAVE, SLAVE + 1, ELCR, ELCR + 1 };
	static const uint8_t likely[] = { EOI, READ_IRR, READ_ISR, POLL, SMM_ON, 0xa0, 0xc3, 0x11, 0x01, 0x00, 0x03 };
	unsigned i, vector, isrs;
	uint32_t r;

	for (i = 0; i < 200000; i++) {
		r = random_bits();
		switch (r & 7) {
		case 0:
		case 1:
			line(r >> 8 & 15, r >> 12 & 1);
			break;
		case 2:
			outb(&pc, ports[(r >> 8) % 6], (uint8_t)(r >> 16));
			break;
		case 3:
		case 4:
			outb(&pc, ports[(r >> 8) % 4], likely[(r >> 16) % sizeof(likely)]);
			break;
		case 5:
			inb(&pc, ports[(r >> 8) % 6]);
			break;
		case 6:
			isrs = isr(MASTER) << 8 | isr(SLAVE);
			if (intr) {
				ack();
				break;
			}
			vector = ack();
			ck_assert_uint_eq(vector & 7, 7);
			ck_assert_uint_eq(isr(MASTER) << 8 | isr(SLAVE), isrs);
			break;
		case 7:
			if (!(r >> 8 & 63))
				fake_pc_round_trip(&pc);
			else if (!(r >> 8 & 1023))
				bus_reset(pc.bus);
			break;
		}
	}
}
END_TEST

/* Whatever bytes are loaded: refused, or a state to go on from. */
START_TEST(random_states)
{
	struct dev_buf b = { 0 }, again = { 0 };
	unsigned i, k, taken = 0;

	for (i = 0; i < 20000; i++) {
		fake_pc_save(&pc, &b);
		for (k = random_bits() % 6; k-- > 0;)
			b.data[HEAD + random_bits() % (2 * CHIP_BYTES)] = (uint8_t)random_bits();
		if (bus_load(pc.bus, &b, NULL) == 0) {
			taken++;
			fake_pc_save(&pc, &again);
			ck_assert_mem_eq(again.data, b.data, b.len);
		}
		line(random_bits() & 15, random_bits() & 1);
		ack();
	}
	ck_assert_uint_gt(taken, 1000);
	free(b.data);
	free(again.data);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("pic_state");
	TCase *t = tcase_create("pic_state");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, hostile_states_are_refused, 0, COUNT(hostile));
	tcase_add_test(t, contradictions_are_refused);
	tcase_add_test(t, loading_tells_the_processor);
	tcase_add_test(t, registers_are_shown);
	tcase_add_test(t, random_accesses);
	tcase_add_test(t, random_states);
	suite_add_tcase(s, t);
	return unit_main(s);
}
