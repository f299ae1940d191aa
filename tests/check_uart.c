/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/pc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_pc.h"
#include "tests/unit.h"

#define COM1    0x3f8
#define GSI     4

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };

static struct fake_pc pc;
static struct device *uart;

static void setup(void)
{
	fake_pc_init(&pc);
	ck_assert_int_eq(uart_attach(pc.bus, &uart, NULL), 0);
}

static void teardown(void)
{
	fake_pc_done(&pc);
}

static uint8_t get(unsigned reg)
{
	return inb(&pc, (uint16_t)(COM1 + reg));
}

static void put(unsigned reg, uint8_t value)
{
	outb(&pc, (uint16_t)(COM1 + reg), value);
}

static size_t offer(const char *text)
{
	return uart_input(pc.bus, uart, (const uint8_t *)text, strlen(text));
}

static void expect_power_on(void)
{
	ck_assert_uint_eq(get(IER), 0);
	ck_assert_uint_eq(get(IIR), 0x01);
	ck_assert_uint_eq(get(LCR), 0);
	ck_assert_uint_eq(get(MCR), 0);
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(get(MSR), 0xb0);
	ck_assert_uint_eq(get(DATA), 0);
	ck_assert_uint_eq(get(SCR), 0);
	ck_assert(!pc.level[GSI]);
}

START_TEST(starts_as_after_power_on)
{
	expect_power_on();
	ck_assert_uint_eq(pc.irqs, 0);
}
END_TEST

START_TEST(plain_registers_keep_their_bits)
{
	put(SCR, 0xa5);
	ck_assert_uint_eq(get(SCR), 0xa5);
	put(LCR, 0x1b);
	ck_assert_uint_eq(get(LCR), 0x1b);
	put(IER, 0xff);
	ck_assert_uint_eq(get(IER), 0x0f);
	put(MCR, 0xef);
	ck_assert_uint_eq(get(MCR), 0x0f);
	/* Read-only ones do not care. */
	put(LSR, 0);
	ck_assert_uint_eq(get(LSR), 0x60);
	put(MSR, 0);
	ck_assert_uint_eq(get(MSR), 0xb0);
}
END_TEST

START_TEST(dlab_gives_the_divisor)
{
	put(IER, 0x01);
	put(LCR, 0x83);
	ck_assert_uint_eq(get(DATA), 12);
	put(DATA, 0x34);
	put(IER, 0x12);
	ck_assert_uint_eq(get(DATA), 0x34);
	ck_assert_uint_eq(get(IER), 0x12);
	ck_assert_uint_eq(pc.output_len, 0);
	/* A byte that waits is not taken by a read of the latch. */
	ck_assert_uint_eq(offer("x"), 1);
	ck_assert_uint_eq(get(DATA), 0x34);
	put(LCR, 0x03);
	ck_assert_uint_eq(get(IER), 0x01);
	ck_assert_uint_eq(get(DATA), 'x');
	put(LCR, 0x83);
	ck_assert_uint_eq(pc_in(&pc, COM1, 2), 0x1234);
}
END_TEST

START_TEST(sends_what_is_written)
{
	uint8_t text[] = "hello";

	bus_io(pc.bus, COM1, true, 1, 5, text);
	ck_assert_uint_eq(pc.output_len, 5);
	ck_assert_mem_eq(pc.output, "hello", 5);
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(pc.irqs, 0);
}
END_TEST

START_TEST(takes_one_byte_without_fifos)
{
	ck_assert_uint_eq(offer("abc"), 1);
	ck_assert_uint_eq(offer("bc"), 0);
	ck_assert_uint_eq(get(LSR), 0x61);
	ck_assert_uint_eq(pc.wanted, 0);
	ck_assert_uint_eq(get(DATA), 'a');
	ck_assert_uint_eq(pc.wanted, 1);
	ck_assert_uint_eq(get(LSR), 0x60);
	/* Reading an empty receiver is no room made. */
	get(DATA);
	ck_assert_uint_eq(pc.wanted, 1);
	ck_assert_uint_eq(offer("bc"), 1);
	ck_assert_uint_eq(get(DATA), 'b');
}
END_TEST

START_TEST(takes_sixteen_with_fifos)
{
	unsigned i;

	put(FCR, 0x01);
	ck_assert_uint_eq(offer("0123456789abcdefXYZ"), 16);
	for (i = 0; i < 16; i++) {
		ck_assert_uint_eq(pc.wanted, 0);
		ck_assert_uint_eq(get(LSR), 0x61);
		ck_assert_int_eq(get(DATA), "0123456789abcdef"[i]);
	}
	ck_assert_uint_eq(pc.wanted, 1);
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(offer("XYZ"), 3);
	ck_assert_uint_eq(offer("0123456789abcdef"), 13);
	ck_assert_uint_eq(get(DATA), 'X');
}
END_TEST

START_TEST(fifo_control)
{
	/* Without bit 0 nothing else is taken. */
	put(FCR, 0xc8);
	ck_assert_uint_eq(get(IIR), 0x01);
	ck_assert_uint_eq(offer("a"), 1);
	put(FCR, 0x02);
	ck_assert_uint_eq(get(LSR), 0x61);
	/* Changing the mode empties the receiver. */
	put(FCR, 0x01);
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(pc.wanted, 1);
	ck_assert_uint_eq(get(IIR), 0xc1);
	ck_assert_uint_eq(offer("abc"), 3);
	put(FCR, 0x01);
	ck_assert_uint_eq(get(LSR), 0x61);
	put(FCR, 0x05);
	ck_assert_uint_eq(get(LSR), 0x61);
	put(FCR, 0x03);
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(pc.wanted, 2);
	ck_assert_uint_eq(offer("abc"), 3);
	put(FCR, 0x00);
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(get(IIR), 0x01);
	ck_assert_uint_eq(offer("abc"), 1);
	ck_assert_uint_eq(get(DATA), 'a');
}
END_TEST

START_TEST(receive_interrupt_without_fifos)
{
	put(MCR, 0x08);
	put(IER, 0x01);
	ck_assert(!pc.level[GSI]);
	offer("a");
	ck_assert(pc.level[GSI]);
	ck_assert_uint_eq(get(IIR), 0x04);
	ck_assert_uint_eq(get(IIR), 0x04);
	get(DATA);
	ck_assert(!pc.level[GSI]);
	ck_assert_uint_eq(get(IIR), 0x01);
	ck_assert_uint_eq(pc.irqs, 2);
}
END_TEST

START_TEST(receive_interrupt_at_trigger)
{
	static const unsigned level[] = { 1, 4, 8, 14 };
	unsigned i;

	put(MCR, 0x08);
	put(IER, 0x01);
	put(FCR, (uint8_t)(0x01 | _i << 6));
	for (i = 1; i <= 16; i++) {
		ck_assert_uint_eq(offer("x"), 1);
		ck_assert(pc.level[GSI]);
		/* Below the trigger level it is the timeout that tells of the bytes. */
		ck_assert_uint_eq(get(IIR), i >= level[_i] ? 0xc4 : 0xcc);
	}
	for (; i > 1; i--)
		get(DATA);
	ck_assert(!pc.level[GSI]);
	ck_assert_uint_eq(pc.irqs, 2);
}
END_TEST

START_TEST(transmit_interrupt)
{
	put(MCR, 0x08);
	/* Enabling it raises it, the transmitter being empty. */
	put(IER, 0x02);
	ck_assert(pc.level[GSI]);
	ck_assert_uint_eq(get(IIR), 0x02);
	/* Reading the IIR clears it. */
	ck_assert(!pc.level[GSI]);
	ck_assert_uint_eq(get(IIR), 0x01);
	/* Enabling what is enabled does not raise it again. */
	put(IER, 0x03);
	ck_assert(!pc.level[GSI]);
	put(DATA, 'a');
	ck_assert(pc.level[GSI]);
	ck_assert_uint_eq(pc.irqs, 3);
	/* A write without reading the IIR makes an edge. */
	put(DATA, 'b');
	ck_assert(pc.level[GSI]);
	ck_assert_uint_eq(pc.irqs, 5);
	put(IER, 0);
	ck_assert(!pc.level[GSI]);
	ck_assert_uint_eq(get(IIR), 0x01);
	put(IER, 0x02);
	ck_assert(pc.level[GSI]);
}
END_TEST

START_TEST(iir_read_clears_only_what_it_names)
{
	put(MCR, 0x08);
	put(IER, 0x03);
	offer("a");
	ck_assert_uint_eq(get(IIR), 0x04);
	get(DATA);
	ck_assert(pc.level[GSI]);
	ck_assert_uint_eq(get(IIR), 0x02);
	ck_assert(!pc.level[GSI]);
}
END_TEST

/* Loopback makes all four at once; each goes its own way. */
START_TEST(priorities)
{
	put(MCR, 0x18);
	put(DATA, 'a');
	put(DATA, 'b');
	put(IER, 0x0f);
	ck_assert(pc.level[GSI]);
	ck_assert_uint_eq(get(IIR), 0x06);
	ck_assert_uint_eq(get(LSR), 0x63);
	ck_assert_uint_eq(get(LSR), 0x61);
	ck_assert_uint_eq(get(IIR), 0x04);
	ck_assert_uint_eq(get(DATA), 'b');
	ck_assert_uint_eq(get(IIR), 0x02);
	ck_assert_uint_eq(get(IIR), 0x00);
	ck_assert(pc.level[GSI]);
	ck_assert_uint_eq(get(MSR), 0x83);
	ck_assert_uint_eq(get(MSR), 0x80);
	ck_assert(!pc.level[GSI]);
	ck_assert_uint_eq(get(IIR), 0x01);
}
END_TEST

START_TEST(out2_gates_the_line)
{
	put(IER, 0x01);
	offer("a");
	ck_assert_uint_eq(get(IIR), 0x04);
	ck_assert(!pc.level[GSI]);
	put(MCR, 0x08);
	ck_assert(pc.level[GSI]);
	put(MCR, 0x07);
	ck_assert(!pc.level[GSI]);
	ck_assert_uint_eq(pc.irqs, 2);
}
END_TEST

START_TEST(loopback_data)
{
	unsigned i;

	put(FCR, 0x01);
	ck_assert_uint_eq(offer("x"), 1);
	put(MCR, 0x10);
	/* The line is cut: input waits with the host, output stays inside. */
	ck_assert_uint_eq(offer("y"), 0);
	for (i = 0; i < 15; i++)
		put(DATA, (uint8_t)i);
	ck_assert_uint_eq(get(LSR), 0x61);
	put(DATA, 99);
	ck_assert_uint_eq(get(LSR), 0x63);
	ck_assert_uint_eq(pc.output_len, 0);
	ck_assert_uint_eq(get(DATA), 'x');
	for (i = 0; i < 15; i++)
		ck_assert_uint_eq(get(DATA), i);
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(pc.wanted, 0);
	put(MCR, 0);
	ck_assert_uint_eq(pc.wanted, 1);
	ck_assert_uint_eq(offer("y"), 1);
	put(DATA, 'z');
	ck_assert_uint_eq(pc.output_len, 1);
}
END_TEST

START_TEST(loopback_modem_lines)
{
	static const struct { uint8_t mcr, msr; } want[] = {
		{ 0x10, 0x00 }, { 0x11, 0x20 }, { 0x12, 0x10 }, { 0x14, 0x40 }, { 0x18, 0x80 }, { 0x1f, 0xf0 },
		{ 0x1a, 0x90 },
	};
	size_t i;

	put(MCR, 0x10);
	ck_assert_uint_eq(get(MSR), 0x0b);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		put(MCR, want[i].mcr);
		ck_assert_uint_eq(get(MSR) & 0xf0, want[i].msr);
	}
	put(MCR, 0x10);
	get(MSR);
	/* Ring counts when it ends, the others at both edges; deltas add up until read. */
	put(MCR, 0x14);
	ck_assert_uint_eq(get(MSR), 0x40);
	put(MCR, 0x10);
	ck_assert_uint_eq(get(MSR), 0x04);
	put(MCR, 0x11);
	put(MCR, 0x10);
	put(MCR, 0x12);
	ck_assert_uint_eq(get(MSR), 0x13);
	put(MCR, 0);
	ck_assert_uint_eq(get(MSR), 0xba);
	ck_assert_uint_eq(get(MSR), 0xb0);
}
END_TEST

START_TEST(reset_is_power_on)
{
	put(IER, 0x0f);
	put(FCR, 0xc1);
	put(LCR, 0x83);
	put(DATA, 1);
	put(MCR, 0x1f);
	put(SCR, 7);
	offer("a");
	ck_assert(pc.level[GSI]);
	bus_reset(pc.bus);
	ck_assert(!pc.level[GSI]);
	ck_assert_uint_eq(pc.wanted, 1);
	expect_power_on();
}
END_TEST

START_TEST(save_and_load)
{
	struct dev_buf buf = { 0 }, again = { 0 };

	put(FCR, 0x81);
	put(MCR, 0x08);
	put(IER, 0x03);
	put(LCR, 0x03);
	offer("abcdefghij");
	get(DATA);
	ck_assert_int_eq(bus_save(pc.bus, &buf), 0);
	bus_reset(pc.bus);
	ck_assert(!pc.level[GSI]);
	ck_assert_int_eq(bus_load(pc.bus, &buf, NULL), 0);
	ck_assert(pc.level[GSI]);
	ck_assert_int_eq(bus_save(pc.bus, &again), 0);
	ck_assert_uint_eq(again.len, buf.len);
	ck_assert_mem_eq(again.data, buf.data, buf.len);
	ck_assert_uint_eq(get(IIR), 0xc4);
	ck_assert_uint_eq(get(DATA), 'b');
	ck_assert_uint_eq(get(IIR), 0xc4);
	ck_assert_uint_eq(get(DATA), 'c');
	ck_assert_uint_eq(get(IIR), 0xcc);
	ck_assert_uint_eq(offer("0123456789"), 9);
	free(buf.data);
	free(again.data);
}
END_TEST

START_TEST(equal_states_save_equal)
{
	struct dev_buf before = { 0 }, after = { 0 };
	unsigned i;

	put(FCR, 0x01);
	fake_pc_save(&pc, &before);
	offer("0123456789abcdef");
	for (i = 0; i < 16; i++)
		get(DATA);
	fake_pc_save(&pc, &after);
	ck_assert_mem_eq(before.data, after.data, before.len);
	free(before.data);
	free(after.data);
}
END_TEST

/* Bytes of the state behind the record's head, in the order of the device's table. */
enum { HEAD = 1 + 4 + 4, AT_IER = HEAD, AT_FCR, AT_LCR, AT_MCR, AT_MSR, AT_SCR, AT_DLL, AT_DLM, AT_OVERRUN,
       AT_THRE, AT_RX_LEN };

static const struct {
	unsigned at;
	uint8_t value;
} bad[] = {
	{ AT_IER, 0x10 }, { AT_FCR, 0x02 }, { AT_FCR, 0x40 }, { AT_FCR, 0xff }, { AT_MCR, 0x20 }, { AT_MCR, 0x10 },
	{ AT_MSR, 0x00 }, { AT_MSR, 0xf0 }, { AT_OVERRUN, 2 }, { AT_THRE, 2 }, { AT_RX_LEN, 17 }, { AT_RX_LEN, 2 },
	{ AT_RX_LEN, 0xff }, { AT_RX_LEN + 1, 1 }, { AT_RX_LEN + 16, 1 },
};

START_TEST(load_refuses_nonsense)
{
	struct dev_buf buf = { 0 };
	struct err err = { 0 };

	put(SCR, 1);
	ck_assert_int_eq(bus_save(pc.bus, &buf), 0);
	put(SCR, 2);
	buf.data[bad[_i].at] = bad[_i].value;
	ck_assert_int_eq(bus_load(pc.bus, &buf, &err), -EINVAL);
	ck_assert_int_eq(strncmp(err.msg, "uart: ", 6), 0);
	ck_assert_uint_eq(get(SCR), 2);
	free(buf.data);
}
END_TEST

static char shown[1024];

static void note_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	(void)arg;
	ck_assert_uint_eq(value >> bits, 0);
	snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "%s=%" PRIx64 " %s\n", name, value,
		 text ? text : "-");
}

static const char *show(void)
{
	struct dev_buf before = { 0 }, after = { 0 };

	fake_pc_save(&pc, &before);
	shown[0] = '\0';
	uart->ops->show(uart, &(struct dev_show){ .reg = note_reg });
	fake_pc_save(&pc, &after);
	ck_assert_mem_eq(before.data, after.data, before.len);
	free(before.data);
	free(after.data);
	return shown;
}

/* What reading would clear is still there afterwards. */
START_TEST(shows_its_registers)
{
	ck_assert_str_eq(show(), "ier=0 \niir=1 no interrupt\nfcr=0 FIFOs off\nlcr=0 5 bits, no parity, 1 stop bit\n"
				 "mcr=0 \nlsr=60 empty idle\nmsr=b0 CTS DSR DCD\nscr=0 -\ndivisor=c 9600 baud\n"
				 "receiver=0 0 of 1 bytes wait\n");
	put(FCR, 0x41);
	put(LCR, 0x80);
	put(DATA, 0);
	put(LCR, 0x1f);
	put(IER, 0x0b);
	put(MCR, 0x0b);
	offer("xy");
	ck_assert_str_eq(show(), "ier=b receiver transmitter modem\niir=cc receiver, below its trigger\n"
				 "fcr=41 FIFOs on, receiver's trigger 4\nlcr=1f 8 bits, even parity, 2 stop bits\n"
				 "mcr=b DTR RTS OUT2\nlsr=61 data empty idle\nmsr=b0 CTS DSR DCD\nscr=0 -\n"
				 "divisor=0 -\nreceiver=78 2 of 16 bytes wait\n");
	ck_assert_uint_eq(get(IIR), 0xcc);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("uart");
	TCase *t = tcase_create("uart");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, starts_as_after_power_on);
	tcase_add_test(t, plain_registers_keep_their_bits);
	tcase_add_test(t, dlab_gives_the_divisor);
	tcase_add_test(t, sends_what_is_written);
	tcase_add_test(t, takes_one_byte_without_fifos);
	tcase_add_test(t, takes_sixteen_with_fifos);
	tcase_add_test(t, fifo_control);
	tcase_add_test(t, receive_interrupt_without_fifos);
	tcase_add_loop_test(t, receive_interrupt_at_trigger, 0, 4);
	tcase_add_test(t, transmit_interrupt);
	tcase_add_test(t, iir_read_clears_only_what_it_names);
	tcase_add_test(t, priorities);
	tcase_add_test(t, out2_gates_the_line);
	tcase_add_test(t, loopback_data);
	tcase_add_test(t, loopback_modem_lines);
	tcase_add_test(t, reset_is_power_on);
	tcase_add_test(t, save_and_load);
	tcase_add_test(t, equal_states_save_equal);
	tcase_add_loop_test(t, load_refuses_nonsense, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, shows_its_registers);
	suite_add_tcase(s, t);
	return unit_main(s);
}
