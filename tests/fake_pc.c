/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake_pc.h"

#include <stdlib.h>
#include <string.h>

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

	ck_assert_uint_le(len, f->room);
	if (f->room != SIZE_MAX)
		f->room -= len;
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

static uint64_t give_clock(void *arg)
{
	return ((struct fake_pc *)arg)->clock;
}

static void note_deadline(void *arg, uint64_t at)
{
	((struct fake_pc *)arg)->deadline = at;
}

static size_t copy_dma(void *arg, uint64_t gpa, void *data, size_t len, bool to_guest)
{
	struct fake_pc *f = arg;

	ck_assert_uint_le(len, DEV_DMA_MAX);
	if (gpa >= FAKE_PC_MEM)
		return 0;
	if (len > FAKE_PC_MEM - gpa)
		len = FAKE_PC_MEM - gpa;
	if (to_guest)
		memcpy(f->mem + gpa, data, len);
	else
		memcpy(data, f->mem + gpa, len);
	return len;
}

static void note_power_off(void *arg, const char *by)
{
	(void)by;
	((struct fake_pc *)arg)->power_offs++;
}

static void note_remap(void *arg)
{
	((struct fake_pc *)arg)->remaps++;
}

static void note_log(void *arg, const uint8_t *data, size_t len)
{
	struct fake_pc *f = arg;

	for (; len; len--, data++)
		if (f->log_len < sizeof(f->log) - 1)
			f->log[f->log_len++] = (char)*data;
}

static void note_trouble(void *arg, const char *line)
{
	struct fake_pc *f = arg;

	f->troubles++;
	ck_assert_uint_lt(strlen(line), sizeof(f->trouble));
	strcpy(f->trouble, line);
}

static size_t give_room(void *arg)
{
	return ((struct fake_pc *)arg)->room;
}

static void give_random(void *arg, void *data, size_t len)
{
	struct fake_pc *f = arg;
	uint8_t *p = data;

	ck_assert_uint_le(len, 256);
	while (len--)
		*p++ = (uint8_t)(f->seed++ * 37 + 11);
}

static void note_msi(void *arg, uint64_t address, uint32_t data)
{
	struct fake_pc *f = arg;

	f->msis++;
	f->msi_address = address;
	f->msi_data = data;
}

static void note_wake(void *arg)
{
	atomic_fetch_add(&((struct fake_pc *)arg)->wakes, 1);
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
			.clock = give_clock,
			.deadline = note_deadline,
			.dma = copy_dma,
			.power_off = note_power_off,
			.remap = note_remap,
			.log = note_log,
			.trouble = note_trouble,
			.output_room = give_room,
			.random = give_random,
			.msi = note_msi,
			.wake = note_wake,
		},
		.deadline = DEV_NEVER,
		.room = SIZE_MAX,
		.mem = calloc(1, FAKE_PC_MEM),
	};
	ck_assert_ptr_nonnull(f->mem);
	ck_assert_int_eq(bus_new(&f->host, &f->bus, NULL), 0);
}

void fake_pc_done(struct fake_pc *f)
{
	bus_free(f->bus);
	f->bus = NULL;
	free(f->mem);
	f->mem = NULL;
}

struct device *fake_pc_attach_all(struct fake_pc *f, uint64_t ram_size)
{
	struct device *uart = NULL;

	ck_assert_int_eq(uart_attach(f->bus, &uart, NULL), 0);
	ck_assert_int_eq(debugcon_attach(f->bus, NULL), 0);
	ck_assert_int_eq(exitport_attach(f->bus, NULL), 0);
	ck_assert_int_eq(resetctl_attach(f->bus, NULL), 0);
	ck_assert_int_eq(cmos_attach(f->bus, ram_size, 1, 0, NULL), 0);
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

void fake_pc_run_to(struct fake_pc *f, uint64_t t)
{
	uint64_t at;

	while ((at = bus_deadline(f->bus)) <= t && at != DEV_NEVER) {
		if (at > f->clock)
			f->clock = at;
		bus_timers(f->bus, f->clock);
	}
	f->clock = t;
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
