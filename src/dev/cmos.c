/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CMOS memory with its real-time clock (Motorola MC146818A data sheet; the memory sizes where a PC's BIOS puts
 * them).  The clock is the host's plus an offset, which a guest changes by setting the time.  No interrupts: the
 * alarm bytes are plain memory.
 */
#include "dev/pc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CMOS_BASE       0x70
enum { CMOS_INDEX, CMOS_DATA, CMOS_PORTS };

#define CMOS_BYTES      128
#define INDEX_BITS      0x7f            /* bit 7 of port 0x70 masks NMI */

enum {
	RTC_SECOND = 0x00,
	RTC_MINUTE = 0x02,
	RTC_HOUR = 0x04,
	RTC_WEEKDAY = 0x06,
	RTC_DAY = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_A = 0x0a,
	RTC_B = 0x0b,
	RTC_C = 0x0c,
	RTC_D = 0x0d,
	CMOS_BASE_KIB = 0x15,           /* 2 bytes each unless said otherwise */
	CMOS_EXT_KIB = 0x17,            /* above 1 MiB */
	CMOS_EXT_KIB_AGAIN = 0x30,
	RTC_CENTURY = 0x32,
	CMOS_ABOVE_16M = 0x34,          /* 64 KiB units, below 4 GiB */
	CMOS_ABOVE_4G = 0x5b,           /* 64 KiB units, 3 bytes */
};

#define A_UIP           0x80            /* an update never takes time */
#define A_RESET         0x26            /* the 32.768 kHz divider, 1024 Hz */
#define B_SET           0x80            /* the time stands still to be set */
#define B_UIE           0x10
#define B_IRQS          0x78            /* PIE, AIE, UIE and SQWE, which a reset clears */
#define B_BINARY        0x04
#define B_24H           0x02
#define C_IRQF          0x80
#define C_UF            0x10
#define D_VALID         0x80

#define HOUR_PM         0x80

#define KIB             1024ull
#define MIB             (1024 * KIB)

#define DAY_SECONDS     86400u
/* The calendar repeats, weekdays too, after 400 years.  Time is kept modulo 25 times that: it never runs out. */
#define CYCLE_YEARS     10000u
#define CYCLE_SECONDS   (3652425ull * DAY_SECONDS)

struct cmos_state {
	uint8_t index;                  /* port 0x70, the NMI mask included */
	uint8_t ram[CMOS_BYTES];        /* the time registers in it are up to date only while B_SET */
	uint64_t offset;                /* guest's time less the host's, seconds modulo CYCLE_SECONDS */
	uint64_t last_update;           /* the second at which register C was read last */
};

struct cmos {
	struct device dev;
	uint64_t ram_size;
	struct cmos_state s;
};

struct date {
	unsigned year, month, day;      /* month and day from 1 */
	unsigned hour, minute, second;
	unsigned weekday;               /* 1 is Sunday */
};

static const struct dev_field fields[] = {
	DEV_FIELD(struct cmos_state, index, UINT8_MAX),
	DEV_BYTES(struct cmos_state, ram),
	DEV_FIELD(struct cmos_state, offset, CYCLE_SECONDS - 1),
	DEV_FIELD(struct cmos_state, last_update, CYCLE_SECONDS - 1),
};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from the first day of year 1 to that of YEAR, which is at least 1. */
static uint64_t days_before(unsigned year)
{
	uint64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400;
}

/* Seconds since 1970, below CYCLE_SECONDS, as a date from 1970 on. */
static void date_from_seconds(uint64_t t, struct date *ret)
{
	uint64_t days = t / DAY_SECONDS + days_before(1970);
	unsigned year = 1970 + (unsigned)(t / DAY_SECONDS / 366), month = 1, rest = (unsigned)(t % DAY_SECONDS);

	ret->weekday = (unsigned)((days + 1) % 7) + 1;  /* year 1 began on a Monday */
	while (days_before(year + 1) <= days)
		year++;
	days -= days_before(year);
	for (; days >= month_days(year, month); month++)
		days -= month_days(year, month);
	ret->year = year;
	ret->month = month;
	ret->day = (unsigned)days + 1;
	ret->hour = rest / 3600;
	ret->minute = rest / 60 % 60;
	ret->second = rest % 60;
}

/* The reverse, modulo CYCLE_SECONDS.  A guest may have set anything: members out of range carry over. */
static uint64_t date_to_seconds(const struct date *d)
{
	unsigned months = (d->year + CYCLE_YEARS) * 12 + d->month + 11, year = months / 12 - 1, m;
	uint64_t days = days_before(year) - days_before(1970) + d->day - 1;

	for (m = 1; m <= months % 12; m++)
		days += month_days(year, m);
	return (days * DAY_SECONDS + d->hour * 3600ull + d->minute * 60ull + d->second) % CYCLE_SECONDS;
}

static uint8_t encode(uint8_t b, unsigned value)
{
	return (uint8_t)(b & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static unsigned decode(uint8_t b, uint8_t reg)
{
	return b & B_BINARY ? reg : (reg >> 4) * 10u + (reg & 15);
}

static uint8_t encode_hour(uint8_t b, unsigned hour)
{
	if (b & B_24H)
		return encode(b, hour);
	return encode(b, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned decode_hour(uint8_t b, uint8_t reg)
{
	if (b & B_24H)
		return decode(b, reg);
	return decode(b, reg & (uint8_t)~HOUR_PM) % 12 + (reg & HOUR_PM ? 12 : 0);
}

static uint64_t host_now(const struct cmos *c)
{
	return c->dev.host->now(c->dev.host->arg) % CYCLE_SECONDS;
}

static uint64_t guest_now(const struct cmos *c)
{
	return (host_now(c) + c->s.offset) % CYCLE_SECONDS;
}

/* Brings the time registers up to date. */
static void show_time(struct cmos *c)
{
	uint8_t *ram = c->s.ram, b = ram[RTC_B];
	struct date d;

	date_from_seconds(guest_now(c), &d);
	ram[RTC_SECOND] = encode(b, d.second);
	ram[RTC_MINUTE] = encode(b, d.minute);
	ram[RTC_HOUR] = encode_hour(b, d.hour);
	ram[RTC_WEEKDAY] = encode(b, d.weekday);
	ram[RTC_DAY] = encode(b, d.day);
	ram[RTC_MONTH] = encode(b, d.month);
	ram[RTC_YEAR] = encode(b, d.year % 100);
	ram[RTC_CENTURY] = encode(b, d.year / 100 % 100);
}

/* Takes the guest's time from the time registers. */
static void take_time(struct cmos *c)
{
	const uint8_t *ram = c->s.ram, b = ram[RTC_B];
	struct date d = {
		.year = decode(b, ram[RTC_CENTURY]) * 100 + decode(b, ram[RTC_YEAR]),
		.month = decode(b, ram[RTC_MONTH]),
		.day = decode(b, ram[RTC_DAY]),
		.hour = decode_hour(b, ram[RTC_HOUR]),
		.minute = decode(b, ram[RTC_MINUTE]),
		.second = decode(b, ram[RTC_SECOND]),
	};

	c->s.offset = (date_to_seconds(&d) + CYCLE_SECONDS - host_now(c)) % CYCLE_SECONDS;
}

static bool is_time(unsigned index)
{
	switch (index) {
	case RTC_SECOND: case RTC_MINUTE: case RTC_HOUR:
	case RTC_WEEKDAY: case RTC_DAY: case RTC_MONTH: case RTC_YEAR: case RTC_CENTURY:
		return true;
	}
	return false;
}

static void write_b(struct cmos *c, uint8_t value)
{
	uint8_t was = c->s.ram[RTC_B];

	if (value & B_SET)
		value &= (uint8_t)~B_UIE;
	if (value & ~was & B_SET)
		show_time(c);
	c->s.ram[RTC_B] = value;
	if (was & ~value & B_SET)
		take_time(c);
}

static void write_data(struct cmos *c, unsigned index, uint8_t value)
{
	bool set = c->s.ram[RTC_B] & B_SET;

	if (is_time(index)) {
		if (!set)
			show_time(c);
		c->s.ram[index] = value;
		if (!set)
			take_time(c);
		return;
	}
	switch (index) {
	case RTC_A:
		c->s.ram[RTC_A] = value & (uint8_t)~A_UIP;
		break;
	case RTC_B:
		write_b(c, value);
		break;
	case RTC_C:
	case RTC_D:
		break;
	default:
		c->s.ram[index] = value;
	}
}

/* Register C: whether a second has passed since it was read last. */
static uint8_t read_c(struct cmos *c)
{
	uint64_t now = guest_now(c);
	uint8_t flags = 0;

	if (!(c->s.ram[RTC_B] & B_SET) && now != c->s.last_update)
		flags = c->s.ram[RTC_B] & B_UIE ? C_UF | C_IRQF : C_UF;
	c->s.last_update = now;
	return flags;
}

static uint8_t read_data(struct cmos *c, unsigned index)
{
	if (index == RTC_C)
		return read_c(c);
	if (is_time(index) && !(c->s.ram[RTC_B] & B_SET))
		show_time(c);
	return c->s.ram[index];
}

static uint8_t cmos_in(struct device *d, unsigned port)
{
	struct cmos *c = (struct cmos *)d;

	return port == CMOS_INDEX ? c->s.index : read_data(c, c->s.index & INDEX_BITS);
}

static void cmos_out(struct device *d, unsigned port, uint8_t value)
{
	struct cmos *c = (struct cmos *)d;

	if (port == CMOS_INDEX)
		c->s.index = value;
	else
		write_data(c, c->s.index & INDEX_BITS, value);
}

static void put_size(uint8_t *ram, unsigned bytes, uint64_t value, uint64_t max)
{
	if (value > max)
		value = max;
	for (; bytes; bytes--, value >>= 8)
		*ram++ = (uint8_t)value;
}

static uint64_t size_above(uint64_t size, uint64_t start)
{
	return size > start ? size - start : 0;
}

static void put_sizes(struct cmos *c)
{
	uint64_t low = c->ram_size < PC_RAM_LOW_MAX ? c->ram_size : PC_RAM_LOW_MAX;
	uint8_t *ram = c->s.ram;

	put_size(ram + CMOS_BASE_KIB, 2, low / KIB, 640);
	put_size(ram + CMOS_EXT_KIB, 2, size_above(low, MIB) / KIB, 63 * MIB / KIB);
	put_size(ram + CMOS_EXT_KIB_AGAIN, 2, size_above(low, MIB) / KIB, 63 * MIB / KIB);
	put_size(ram + CMOS_ABOVE_16M, 2, size_above(low, 16 * MIB) / (64 * KIB), UINT16_MAX);
	put_size(ram + CMOS_ABOVE_4G, 3, (c->ram_size - low) / (64 * KIB), 0xffffff);
}

/* The battery keeps the memory, the shutdown byte in it, and the clock. */
static void cmos_reset(struct device *d)
{
	struct cmos *c = (struct cmos *)d;

	c->s.index = 0;
	c->s.ram[RTC_B] &= (uint8_t)~B_IRQS;
	put_sizes(c);
}

static int cmos_save(const struct device *d, struct dev_buf *b)
{
	return dev_fields_save(&((const struct cmos *)d)->s, fields, NFIELDS, b);
}

static int cmos_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct cmos *c = (struct cmos *)d;
	struct cmos_state s = c->s;
	int r = dev_fields_load(&s, fields, NFIELDS, b, d->ops->name, err);

	if (r < 0)
		return r;
	if ((s.ram[RTC_A] & A_UIP) || s.ram[RTC_C] || s.ram[RTC_D] != D_VALID)
		return err_set(err, EINVAL, "%s: its saved state contradicts itself", d->ops->name);
	c->s = s;
	return 0;
}

static void cmos_free(struct device *d)
{
	free(d);
}

static const struct dev_ops cmos_ops = {
	.name = "cmos",
	.reset = cmos_reset,
	.save = cmos_save,
	.load = cmos_load,
	.free = cmos_free,
	.in = cmos_in,
	.out = cmos_out,
};

int cmos_attach(struct bus *b, uint64_t ram_size, struct err *err)
{
	struct cmos *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(err, ENOMEM, "no memory for the CMOS");
	c->dev.ops = &cmos_ops;
	c->ram_size = ram_size;
	c->s.ram[RTC_A] = A_RESET;
	c->s.ram[RTC_B] = B_24H;
	c->s.ram[RTC_D] = D_VALID;
	put_sizes(c);
	return bus_attach(b, &c->dev, CMOS_BASE, CMOS_PORTS, err);
}
