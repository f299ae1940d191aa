/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two 8259As: edges and levels, priorities, masks, ends of interrupts, polls, the cascade and how they are initialised. */
#include "dev/pic.h"

#include <errno.h>

#include "tests/pic_rig.h"
#include "tests/unit.h"

START_TEST(each_line_has_its_vector)
{
	unsigned n = (unsigned)_i;

	line(n, true);
	if (n == 2) {
		ck_assert(!intr);
		return;
	}
	ck_assert(intr);
	ck_assert_uint_eq(irr(n < 8 ? MASTER : SLAVE), 1u << (n & 7));
	ck_assert_uint_eq(irr(MASTER), n < 8 ? 1u << n : 0x04);
	ck_assert_uint_eq(ack(), 0x20 + n);
	ck_assert(!intr);
	ck_assert_uint_eq(irr(MASTER), 0);
	ck_assert_uint_eq(irr(SLAVE), 0);
	ck_assert_uint_eq(isr(MASTER), n < 8 ? 1u << n : 0x04);
	ck_assert_uint_eq(isr(SLAVE), n < 8 ? 0 : 1u << (n - 8));
	/* An edge is one interrupt: another needs another. */
	if (n >= 8)
		outb(&pc, SLAVE, EOI);
	outb(&pc, MASTER, EOI);
	ck_assert_uint_eq(isr(MASTER) | isr(SLAVE), 0);
	ck_assert(!intr);
	line(n, true);
	ck_assert(!intr);
	line(n, false);
	ck_assert(!intr);
	line(n, true);
	ck_assert(intr);
	fake_pc_round_trip(&pc);
	ck_assert(intr);
	ck_assert_uint_eq(ack(), 0x20 + n);
}
END_TEST

START_TEST(lines_that_are_none)
{
	line(16, true);
	line(24, true);
	line(UINT32_MAX, true);
	ck_assert_uint_eq(told, 0);
	ck_assert_uint_eq(irr(MASTER) | irr(SLAVE), 0);
}
END_TEST

/* An edge whose line has fallen again is not lost; one that nobody may see waits. */
START_TEST(edges_are_kept)
{
	outb(&pc, MASTER + 1, 0x02);
	pulse(1);
	ck_assert(!intr);
	ck_assert_uint_eq(irr(MASTER), 0x02);
	ck_assert_uint_eq(inb(&pc, MASTER + 1), 0x02);
	outb(&pc, MASTER + 1, 0);
	ck_assert(intr);
	ck_assert_uint_eq(ack(), 0x21);
	pulse(1);
	ck_assert(!intr);
	outb(&pc, MASTER, EOI);
	ck_assert(intr);
}
END_TEST

START_TEST(higher_priorities_interrupt)
{
	static const uint8_t want[] = { 0x20, 0x21, 0x28, 0x2a, 0x2f, 0x23, 0x27 };
	size_t i;

	for (i = 0; i < sizeof(want); i++)
		pulse(want[sizeof(want) - 1 - i] - 0x20u);
	for (i = 0; i < sizeof(want); i++) {
		ck_assert(intr);
		ck_assert_uint_eq(ack(), want[i]);
		ck_assert(!intr);
		if (want[i] >= 0x28)
			outb(&pc, SLAVE, EOI);
		ck_assert(!intr);
		outb(&pc, MASTER, EOI);
	}
	ck_assert(!intr);
	/* From lowest to highest each interrupts the one before. */
	for (i = sizeof(want); i-- > 0;) {
		/* Of the slave's only the first, as the master is at IR2 then. */
		if (want[i] == 0x2a || want[i] == 0x28)
			continue;
		pulse(want[i] - 0x20u);
		ck_assert_msg(intr, "vector 0x%x", want[i]);
		ck_assert_uint_eq(ack(), want[i]);
	}
	ck_assert_uint_eq(isr(MASTER), 0x8f);
	pulse(0);
	pulse(8);
	ck_assert(!intr);
	/* Non-specific ends take them back in order. */
	outb(&pc, MASTER, EOI);
	ck_assert_uint_eq(isr(MASTER), 0x8e);
	ck_assert_uint_eq(ack(), 0x20);
	outb(&pc, MASTER, EOI);
	outb(&pc, MASTER, EOI);
	ck_assert_uint_eq(isr(MASTER), 0x8c);
	ck_assert(!intr);
	outb(&pc, MASTER, EOI);
	ck_assert_uint_eq(isr(MASTER), 0x88);
	ck_assert(intr);
	ck_assert_uint_eq(ack(), 0x28);
}
END_TEST

/* The slave's higher input interrupts its lower one only in the special mode. */
START_TEST(special_fully_nested)
{
	init_chip(MASTER, 0x20, 0x04, _i ? 0x11 : 0x01);
	pulse(12);
	ck_assert_uint_eq(ack(), 0x2c);
	pulse(9);
	ck_assert_int_eq(intr, _i);
	if (_i) {
		ck_assert_uint_eq(ack(), 0x29);
		pulse(9);
		pulse(14);
		pulse(3);
		ck_assert(!intr);
		outb(&pc, SLAVE, EOI);
		ck_assert_uint_eq(isr(SLAVE), 0x10);
		ck_assert(intr);
		ck_assert_uint_eq(ack(), 0x29);
		/* It is so for the slave's input alone. */
		pulse(1);
		ck_assert_uint_eq(ack(), 0x21);
		pulse(1);
		ck_assert(!intr);
	} else {
		outb(&pc, SLAVE, EOI);
		outb(&pc, MASTER, EOI);
		ck_assert_uint_eq(ack(), 0x29);
	}
}
END_TEST

START_TEST(specific_end)
{
	pulse(5);
	ack();
	pulse(3);
	ack();
	outb(&pc, MASTER, 0x65);
	ck_assert_uint_eq(isr(MASTER), 0x08);
	outb(&pc, MASTER, 0x60);        /* nothing there */
	ck_assert_uint_eq(isr(MASTER), 0x08);
	outb(&pc, MASTER, 0x40);        /* no operation */
	ck_assert_uint_eq(isr(MASTER), 0x08);
	outb(&pc, MASTER, 0x63);
	ck_assert_uint_eq(isr(MASTER), 0);
	outb(&pc, MASTER, EOI);
	outb(&pc, MASTER, 0xa0);
	pulse(0);
	pulse(7);
	ck_assert_uint_eq(ack(), 0x20);
}
END_TEST

/* Which of all eight comes first after each way to rotate. */
START_TEST(rotation)
{
	unsigned n;

	/* Set priority: N is lowest. */
	for (n = 0; n < 8; n++) {
		init_chip(SLAVE, 0x28, 2, 1);
		outb(&pc, SLAVE, (uint8_t)(0xc0 | n));
		pulse(8 + n);
		pulse(8 + ((n + 1) & 7));
		pulse(8 + ((n + 2) & 7));
		ck_assert_uint_eq(ack(), 0x28 + ((n + 1) & 7));
		/* The one served becomes the lowest. */
		outb(&pc, SLAVE, 0xa0);
		outb(&pc, MASTER, EOI);
		pulse(8 + ((n + 1) & 7));
		fake_pc_round_trip(&pc);
		ck_assert_uint_eq(ack(), 0x28 + ((n + 2) & 7));
		/* The same by name. */
		outb(&pc, SLAVE, (uint8_t)(0xe0 | ((n + 2) & 7)));
		outb(&pc, MASTER, EOI);
		pulse(8 + ((n + 2) & 7));
		pulse(8 + ((n + 3) & 7));
		ck_assert_uint_eq(ack(), 0x28 + ((n + 3) & 7));
		outb(&pc, SLAVE, EOI);
		outb(&pc, MASTER, EOI);
		ck_assert_uint_eq(ack(), 0x28 + n);
		outb(&pc, SLAVE, EOI);
		outb(&pc, MASTER, EOI);
		ck_assert_uint_eq(ack(), 0x28 + ((n + 1) & 7));
		outb(&pc, MASTER, EOI);
	}
}
END_TEST

START_TEST(automatic_end)
{
	init_chip(MASTER, 0x40, 4, 0x03);
	pulse(3);
	ck_assert_uint_eq(ack(), 0x43);
	ck_assert_uint_eq(isr(MASTER), 0);
	pulse(5);
	ck_assert(intr);
	ck_assert_uint_eq(ack(), 0x45);
	/* Without rotation 3 goes before 5; with it what was served goes last. */
	outb(&pc, MASTER, 0x80);
	pulse(3);
	pulse(5);
	ck_assert_uint_eq(ack(), 0x43);
	pulse(3);
	ck_assert_uint_eq(ack(), 0x45);
	ck_assert_uint_eq(ack(), 0x43);
	outb(&pc, MASTER, 0x00);
	pulse(3);
	pulse(4);
	ck_assert_uint_eq(ack(), 0x44);         /* 3 was served last */
	pulse(4);
	ck_assert_uint_eq(ack(), 0x44);         /* and nothing rotates any more */
	ck_assert_uint_eq(ack(), 0x43);
}
END_TEST

/* The slave in that mode withdraws INT for a moment at each acknowledge: the next of its requests is a new one. */
START_TEST(automatic_end_of_the_slave)
{
	init_chip(MASTER, 0x20, 4, 0x03);
	init_chip(SLAVE, 0x28, 2, 0x03);
	pulse(9);
	pulse(11);
	pulse(15);
	ck_assert_uint_eq(ack(), 0x29);
	ck_assert(intr);
	ck_assert_uint_eq(ack(), 0x2b);
	ck_assert_uint_eq(ack(), 0x2f);
	ck_assert(!intr);
}
END_TEST

START_TEST(special_mask)
{
	pulse(4);
	ck_assert_uint_eq(ack(), 0x24);
	pulse(6);
	ck_assert(!intr);
	outb(&pc, MASTER, SMM_ON);
	ck_assert(!intr);
	outb(&pc, MASTER + 1, 0x10);            /* what is in service and masked holds nobody up */
	ck_assert(intr);
	ck_assert_uint_eq(ack(), 0x26);
	/* A non-specific end passes what is masked by. */
	outb(&pc, MASTER, EOI);
	ck_assert_uint_eq(isr(MASTER), 0x10);
	outb(&pc, MASTER, EOI);
	ck_assert_uint_eq(isr(MASTER), 0x10);
	pulse(6);
	ck_assert(intr);
	/* Without ESMM the bit has no effect. */
	outb(&pc, MASTER, 0x08);
	ck_assert(intr);
	outb(&pc, MASTER, 0x28);
	ck_assert(intr);
	fake_pc_round_trip(&pc);
	ck_assert(intr);
	outb(&pc, MASTER, SMM_OFF);
	ck_assert(!intr);
	outb(&pc, MASTER, 0x28);
	ck_assert(!intr);
	outb(&pc, MASTER, EOI);
	ck_assert(intr);
}
END_TEST

START_TEST(polling)
{
	outb(&pc, MASTER, POLL);
	ck_assert_uint_eq(inb(&pc, MASTER), 0);
	ck_assert_uint_eq(isr(MASTER), 0);
	pulse(5);
	pulse(12);
	outb(&pc, MASTER, POLL);
	ck_assert_uint_eq(inb(&pc, MASTER), 0x82);
	ck_assert(!intr);
	ck_assert_uint_eq(isr(MASTER), 0x04);
	outb(&pc, SLAVE, POLL);
	ck_assert_uint_eq(inb(&pc, SLAVE + 1), 0x84);
	ck_assert_uint_eq(inb(&pc, SLAVE + 1), 0);      /* one read only: this is the mask */
	ck_assert_uint_eq(isr(SLAVE), 0x10);
	outb(&pc, SLAVE, EOI);
	outb(&pc, MASTER, EOI);
	outb(&pc, MASTER, POLL);
	fake_pc_round_trip(&pc);
	ck_assert_uint_eq(inb(&pc, MASTER), 0x85);
	/* The register that was chosen before is read again. */
	ck_assert_uint_eq(inb(&pc, MASTER), 0x20);
	outb(&pc, MASTER, POLL | READ_IRR);
	outb(&pc, MASTER, 0x08);
	ck_assert_uint_eq(inb(&pc, MASTER), 0x20);
}
END_TEST

START_TEST(spurious)
{
	ck_assert_uint_eq(ack(), 0x27);
	ck_assert_uint_eq(isr(MASTER), 0);
	/* A level that is gone by then. */
	outb(&pc, ELCR, 0x20);
	line(5, true);
	ck_assert(intr);
	line(5, false);
	ck_assert(!intr);
	ck_assert_uint_eq(ack(), 0x27);
	ck_assert_uint_eq(isr(MASTER), 0);
	/* The mask came in between. */
	pulse(3);
	outb(&pc, MASTER + 1, 0xff);
	ck_assert(!intr);
	ck_assert_uint_eq(ack(), 0x27);
	outb(&pc, MASTER + 1, 0);
	ck_assert_uint_eq(ack(), 0x23);
}
END_TEST

START_TEST(levels)
{
	outb(&pc, ELCR, 0xff);
	outb(&pc, ELCR + 1, 0xff);
	ck_assert_uint_eq(inb(&pc, ELCR), 0xf8);
	ck_assert_uint_eq(inb(&pc, ELCR + 1), 0xde);
	line(11, true);
	ck_assert_uint_eq(ack(), 0x2b);
	ck_assert(!intr);
	ck_assert_uint_eq(irr(SLAVE), 0x08);
	/* Asked for until it is withdrawn. */
	outb(&pc, SLAVE, EOI);
	outb(&pc, MASTER, EOI);
	ck_assert(intr);
	fake_pc_round_trip(&pc);
	ck_assert_uint_eq(ack(), 0x2b);
	line(11, false);
	outb(&pc, SLAVE, EOI);
	outb(&pc, MASTER, EOI);
	ck_assert(!intr);
	/* An edge from before is none any more. */
	outb(&pc, ELCR + 1, 0);
	pulse(11);
	ck_assert(intr);
	outb(&pc, ELCR + 1, 0x08);
	ck_assert(!intr);
	outb(&pc, ELCR + 1, 0);
	ck_assert(!intr);
	bus_reset(pc.bus);
	ck_assert_uint_eq(inb(&pc, ELCR), 0);
}
END_TEST

/* Masking, and a line that is withdrawn, at the slave reach the processor through the master. */
START_TEST(cascade_follows_the_slave)
{
	pulse(8);
	ck_assert(intr);
	outb(&pc, SLAVE + 1, 0x01);
	ck_assert(!intr);
	ck_assert_uint_eq(irr(MASTER), 0);
	outb(&pc, SLAVE + 1, 0);
	ck_assert(intr);
	outb(&pc, MASTER + 1, 0x04);
	ck_assert(!intr);
	ck_assert_uint_eq(irr(MASTER), 0x04);
	init_chip(MASTER, 0x20, 4, 1);
	ck_assert(intr);
	ck_assert_uint_eq(ack(), 0x28);
}
END_TEST

START_TEST(initialisation)
{
	/* All is as it was at first, and nothing comes before it is whole. */
	pulse(1);
	ack();
	pulse(0);
	line(6, true);
	outb(&pc, MASTER + 1, 0xaa);
	outb(&pc, MASTER, 0xc3);
	outb(&pc, MASTER, SMM_ON);
	outb(&pc, MASTER, READ_ISR);
	outb(&pc, MASTER, 0x11);
	ck_assert(!intr);
	ck_assert_uint_eq(inb(&pc, MASTER + 1), 0);
	ck_assert_uint_eq(inb(&pc, MASTER), 0);
	pulse(3);
	pulse(4);
	outb(&pc, MASTER + 1, 0x57);            /* the low bits are the input's */
	ck_assert(!intr);
	fake_pc_round_trip(&pc);
	outb(&pc, MASTER + 1, 0xff);
	ck_assert(!intr);
	outb(&pc, MASTER + 1, 0x01);
	ck_assert(intr);
	outb(&pc, MASTER + 1, 0x01);            /* the mask now */
	ck_assert_uint_eq(inb(&pc, MASTER + 1), 0x01);
	/* Line 6 was high: it has to rise anew.  The even port reads IRR again. */
	ck_assert_uint_eq(inb(&pc, MASTER), 0x18);
	ck_assert_uint_eq(ack(), 0x53);
	ck_assert_uint_eq(isr(MASTER), 0x08);
	/* There is no special mask mode any more. */
	outb(&pc, MASTER + 1, 0x08);
	ck_assert(!intr);
	line(6, false);
	line(6, true);
	ck_assert_uint_eq(irr(MASTER), 0x50);
	/* Single: no ICW3; IC4 0: no ICW4, whose bits go. */
	init_chip(MASTER, 0x20, 4, 0x1f);
	outb(&pc, MASTER, 0x13);
	outb(&pc, MASTER + 1, 0x60);
	outb(&pc, MASTER + 1, 0x01);
	outb(&pc, MASTER + 1, 0xf0);
	ck_assert_uint_eq(inb(&pc, MASTER + 1), 0xf0);
	init_chip(MASTER, 0x20, 4, 0x03);
	outb(&pc, MASTER, 0x10);
	outb(&pc, MASTER + 1, 0x70);
	outb(&pc, MASTER + 1, 0x04);
	outb(&pc, MASTER + 1, 0xfe);
	ck_assert_uint_eq(inb(&pc, MASTER + 1), 0xfe);
	pulse(0);
	ck_assert_uint_eq(ack(), 0x70);
	ck_assert_uint_eq(isr(MASTER), 0x01);
	outb(&pc, MASTER, 0x12);
	outb(&pc, MASTER + 1, 0x80);
	outb(&pc, MASTER + 1, 0x7e);
	ck_assert_uint_eq(inb(&pc, MASTER + 1), 0x7e);
}
END_TEST

/* Before anybody has initialised them: vectors from 0 on, as KVM's. */
START_TEST(power_on)
{
	line(9, true);
	ck_assert(intr);
	bus_reset(pc.bus);
	ck_assert(!intr);
	ck_assert_uint_eq(irr(MASTER) | irr(SLAVE) | isr(MASTER) | isr(SLAVE), 0);
	ck_assert_uint_eq(inb(&pc, MASTER + 1), 0);
	/* The line has been high all the time. */
	line(9, true);
	ck_assert(!intr);
	line(4, true);
	ck_assert_uint_eq(ack(), 4);
	outb(&pc, MASTER, EOI);
	line(9, false);
	line(9, true);
	ck_assert_uint_eq(ack(), 1);            /* both have base 0 */
}
END_TEST

START_TEST(attaching)
{
	struct device *again = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(pic_attach(pc.bus, note_intr, &pc, &again, &err), -EEXIST);
	ck_assert_ptr_null(again);
	ck_assert_str_eq(err.msg, "pic: port 0x20 belongs to pic");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pic");
	TCase *t = tcase_create("pic");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, each_line_has_its_vector, 0, 16);
	tcase_add_test(t, lines_that_are_none);
	tcase_add_test(t, edges_are_kept);
	tcase_add_test(t, higher_priorities_interrupt);
	tcase_add_loop_test(t, special_fully_nested, 0, 2);
	tcase_add_test(t, specific_end);
	tcase_add_test(t, rotation);
	tcase_add_test(t, automatic_end);
	tcase_add_test(t, automatic_end_of_the_slave);
	tcase_add_test(t, special_mask);
	tcase_add_test(t, polling);
	tcase_add_test(t, spurious);
	tcase_add_test(t, levels);
	tcase_add_test(t, cascade_follows_the_slave);
	tcase_add_test(t, initialisation);
	tcase_add_test(t, power_on);
	tcase_add_test(t, attaching);
	suite_add_tcase(s, t);
	return unit_main(s);
}
