/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake_pc.h"

#include <stdlib.h>

#include "dev/pc.h"
#include "tests/unit.h"

static void note_irq(void *arg, unsigned gsi, bool level)
{
	struct fake_pc *f = arg;

	ck_assert_uint_lt(gsi, 24);
	ck_assert_msg(f->level[gsi] != level, "GSI %u set to %d twice", gsi, level);
	f->level[gsi] = level;
	f->irqs++;
}

static void note_reset(void *arg, const char *by)
{
	struct fake_pc *f = arg;

	f->resets++;
	f->reset_by = by;
}

static void note_exit(void *arg, int status)
{
	struct fake_pc *f = arg;

	f->exits++;
	f->exit_status = status;
}

static void note_output(void *arg, const uint8_t *data, size_t len)
{
	struct fake_pc *f = arg;

	for (; len; len--, data++, f->output_len++)
		if (f->output_len < sizeof(f->output))
			f->output[f->output_len] = *data;
}

static void note_wanted(void *arg)
{
	((struct fake_pc *)arg)->wanted++;
}

static uint64_t give_now(void *arg)
{
	return ((struct fake_pc *)arg)->now;
}

void fake_pc_init(struct fake_pc *f)
{
	*f = (struct fake_pc){
		.host = {
			.arg = f,
			.irq = note_irq,
			.reset = note_reset,
			.exit = note_exit,
			.output = note_output,
			.input_wanted = note_wanted,
			.now = give_now,
		},
	};
	ck_assert_int_eq(bus_new(&f->host, &f->bus, NULL), 0);
}

void fake_pc_done(struct fake_pc *f)
{
	bus_free(f->bus);
	f->bus = NULL;
}

struct device *fake_pc_attach_all(struct fake_pc *f, uint64_t ram_size)
{
	struct device *uart = NULL;

	ck_assert_int_eq(uart_attach(f->bus, &uart, NULL), 0);
	ck_assert_int_eq(debugcon_attach(f->bus, NULL), 0);
	ck_assert_int_eq(exitport_attach(f->bus, NULL), 0);
	ck_assert_int_eq(resetctl_attach(f->bus, NULL), 0);
	ck_assert_int_eq(cmos_attach(f->bus, ram_size, NULL), 0);
	return uart;
}

void fake_pc_save(struct fake_pc *f, struct dev_buf *b)
{
	b->len = b->pos = 0;
	ck_assert_int_eq(bus_save(f->bus, b), 0);
}

void fake_pc_round_trip(struct fake_pc *f)
{
	struct dev_buf a = { 0 }, b = { 0 };
	struct err err = { 0 };

	fake_pc_save(f, &a);
	bus_reset(f->bus);
	ck_assert_msg(bus_load(f->bus, &a, &err) == 0, "%s", err.msg);
	fake_pc_save(f, &b);
	ck_assert_uint_eq(a.len, b.len);
	ck_assert_mem_eq(a.data, b.data, a.len);
	free(a.data);
	free(b.data);
}

uint32_t pc_in(struct fake_pc *f, uint16_t port, unsigned size)
{
	uint8_t data[4] = { 0 };

	bus_io(f->bus, port, false, size, 1, data);
	return data[0] | data[1] << 8 | data[2] << 16 | (uint32_t)data[3] << 24;
}

void pc_out(struct fake_pc *f, uint16_t port, unsigned size, uint32_t value)
{
	uint8_t data[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24) };

	bus_io(f->bus, port, true, size, 1, data);
}
