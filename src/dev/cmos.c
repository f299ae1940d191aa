/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CMOS memory with its real-time clock (Motorola MC146818A data sheet; the memory sizes where a PC's BIOS puts
 * them).
 *
 * It lives by two host inputs.  The time of day is the host's plus an offset, which a guest changes by setting the
 * time.  Everything with a period (periodic and update interrupts, the moments of alarm comparisons, UIP) goes by the
 * time that the guest has run, so that a debugger's stop costs it no updates.  An alarm that the time of day passed
 * meanwhile goes off at the next update.  UIP is shown, though reads here need no such warning, because some software
 * waits for it to come up.
 *
 * What has happened since is worked out when somebody looks, or by the timer when an enabled flag is to be raised; a
 * flag that is up already needs no timer, so an interrupt that nobody acknowledges does not repeat.
 */
#include "dev/pc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/date.h"

#define CMOS_BASE       0x70
enum { CMOS_INDEX, CMOS_DATA, CMOS_PORTS };

#define RTC_GSI         8

#define CMOS_BYTES      128
#define INDEX_BITS      0x7f            /* bit 7 of port 0x70 masks NMI */

enum {
	RTC_SECOND = 0x00,
	RTC_ALARM_SECOND = 0x01,
	RTC_MINUTE = 0x02,
	RTC_ALARM_MINUTE = 0x03,
	RTC_HOUR = 0x04,
	RTC_ALARM_HOUR = 0x05,
	RTC_WEEKDAY = 0x06,
	RTC_DAY = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_A = 0x0a,
	RTC_B = 0x0b,
	RTC_C = 0x0c,
	RTC_D = 0x0d,
	CMOS_SHUTDOWN = 0x0f,           /* what a reset is for */
	CMOS_EQUIPMENT = 0x14,
	CMOS_BASE_KIB = 0x15,           /* 2 bytes each unless said otherwise */
	CMOS_EXT_KIB = 0x17,            /* above 1 MiB */
	CMOS_EXT_KIB_AGAIN = 0x30,
	RTC_CENTURY = 0x32,
	CMOS_ABOVE_16M = 0x34,          /* 64 KiB units, below 4 GiB */
	CMOS_TRANSLATION = 0x39,        /* of disks' geometries: 2 bits a disk, 1 byte */
	CMOS_BOOT_ORDER = 0x3d,         /* 1 byte: the first device low, the second high */
	CMOS_ABOVE_4G = 0x5b,           /* 64 KiB units, 3 bytes */
	CMOS_MORE_CPUS = 0x5f,          /* than one; 1 byte */
};

#define A_UIP           0x80            /* an update is about to begin, or on */
#define A_DIVIDER       0x70
#define A_DIVIDER_RUNS  0x20            /* 32.768 kHz; all else stands still */
#define A_RATE          0x0f
#define A_RESET         0x26            /* 1024 Hz */
#define B_SET           0x80            /* the time stands still to be set */
#define B_UIE           0x10
#define B_IRQS          0x78            /* PIE, AIE, UIE and SQWE, which a reset clears */
#define B_BINARY        0x04
#define B_24H           0x02
#define C_IRQF          0x80
#define C_PF            0x40            /* these three are enabled by the same bits of register B */
#define C_AF            0x20
#define C_UF            0x10
#define C_FLAGS         (C_PF | C_AF | C_UF)
#define D_VALID         0x80

#define ALARM_ANY       0xc0            /* an alarm register with both bits matches always */

#define SECOND          1000000000ull   /* ns */
#define TICKS           32768u          /* a second */
#define UIP_NS          2228000u        /* 244 us before an update, and its 1984 us */

#define HOUR_PM         0x80

#define KIB             1024ull
#define MIB             (1024 * KIB)

struct cmos_state {
	uint8_t index;                  /* port 0x70, the NMI mask included */
	uint8_t ram[CMOS_BYTES];        /* the time registers in it are up to date only while B_SET */
	uint64_t offset;                /* guest's time less the host's, seconds modulo DATE_CYCLE_SECONDS */
	uint64_t phase;                 /* ns, below SECOND: what the divider chain shows beyond the host's clock() */
	uint64_t seen;                  /* clock(): what has happened until then is in register C */
	uint64_t seen_second;           /* the guest's time that was compared with the alarm last */
};

struct cmos {
	struct device dev;
	uint64_t ram_size;
	unsigned cpus;
	uint8_t translation;
	bool irq;                       /* the level the host knows */
	struct cmos_state s;            /* register C in it is without C_IRQF */
};

static const struct dev_field fields[] = {
	DEV_FIELD(struct cmos_state, index, UINT8_MAX),
	DEV_BYTES(struct cmos_state, ram),
	DEV_FIELD(struct cmos_state, offset, DATE_CYCLE_SECONDS - 1),
	DEV_FIELD(struct cmos_state, phase, SECOND - 1),
	DEV_FIELD(struct cmos_state, seen, UINT64_MAX),
	DEV_FIELD(struct cmos_state, seen_second, DATE_CYCLE_SECONDS - 1),
};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

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
	return c->dev.host->now(c->dev.host->arg) % DATE_CYCLE_SECONDS;
}

static uint64_t guest_now(const struct cmos *c)
{
	return (host_now(c) + c->s.offset) % DATE_CYCLE_SECONDS;
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

	c->s.offset = (date_to_seconds(&d) + DATE_CYCLE_SECONDS - host_now(c)) % DATE_CYCLE_SECONDS;
	/* What lies between was not passed. */
	c->s.seen_second = guest_now(c);
}

static bool alarm_matches(const uint8_t *ram, unsigned index, uint8_t now)
{
	return (ram[index] & ALARM_ANY) == ALARM_ANY || ram[index] == now;
}

static bool is_alarm(const struct cmos *c, uint64_t t)
{
	const uint8_t *ram = c->s.ram, b = ram[RTC_B];
	unsigned rest = (unsigned)(t % DATE_DAY_SECONDS);

	return alarm_matches(ram, RTC_ALARM_SECOND, encode(b, rest % 60)) &&
	       alarm_matches(ram, RTC_ALARM_MINUTE, encode(b, rest / 60 % 60)) &&
	       alarm_matches(ram, RTC_ALARM_HOUR, encode_hour(b, rest / 3600));
}

/* The update of the time, once a second: compares all seconds since the last one with the alarm. */
static void update(struct cmos *c)
{
	uint64_t now = guest_now(c), n = (now + DATE_CYCLE_SECONDS - c->s.seen_second) % DATE_CYCLE_SECONDS;

	/* The host's clock was set back. */
	if (n > DATE_CYCLE_SECONDS / 2)
		n = 0;
	/* A day has every alarm. */
	if (n > DATE_DAY_SECONDS)
		n = DATE_DAY_SECONDS;
	c->s.ram[RTC_C] |= C_UF;
	for (; n && !(c->s.ram[RTC_C] & C_AF); n--)
		if (is_alarm(c, (now + DATE_CYCLE_SECONDS - (n - 1)) % DATE_CYCLE_SECONDS))
			c->s.ram[RTC_C] |= C_AF;
	c->s.seen_second = now;
}

static bool divider_runs(const struct cmos *c)
{
	return (c->s.ram[RTC_A] & A_DIVIDER) == A_DIVIDER_RUNS;
}

/* Ticks from one periodic interrupt to the next; 0: there are none. */
static unsigned period(const struct cmos *c)
{
	unsigned rate = c->s.ram[RTC_A] & A_RATE;

	/* 1 and 2 stand for rates that 8 and 9 have as well. */
	return rate ? 1u << (rate < 3 ? rate + 6 : rate - 1) : 0;
}

static uint64_t ticks_at(uint64_t ns)
{
	return ns / SECOND * TICKS + ns % SECOND * TICKS / SECOND;
}

/* The first nanosecond of tick T. */
static uint64_t tick_start(uint64_t t)
{
	return t / TICKS * SECOND + (t % TICKS * SECOND + TICKS - 1) / TICKS;
}

/* Brings register C up to CLOCK. */
static void catch_up(struct cmos *c, uint64_t clock)
{
	uint64_t before = c->s.seen + c->s.phase, after = clock + c->s.phase;

	c->s.seen = clock;
	/* A clock that shows less than it did goes on from there. */
	if (!divider_runs(c) || after <= before)
		return;
	if (period(c) && ticks_at(before) / period(c) != ticks_at(after) / period(c))
		c->s.ram[RTC_C] |= C_PF;
	if (!(c->s.ram[RTC_B] & B_SET) && before / SECOND != after / SECOND)
		update(c);
}

/* When the next flag comes up that is enabled and down; DEV_NEVER. */
static uint64_t next_event(const struct cmos *c)
{
	uint64_t at = c->s.seen + c->s.phase, next = DEV_NEVER;
	uint8_t wanted = c->s.ram[RTC_B] & (uint8_t)~c->s.ram[RTC_C];

	if (!divider_runs(c))
		return DEV_NEVER;
	if ((wanted & (C_UF | C_AF)) && !(c->s.ram[RTC_B] & B_SET))
		next = (at / SECOND + 1) * SECOND;
	/* Each second begins with a tick, so this is never later. */
	if ((wanted & C_PF) && period(c))
		next = tick_start((ticks_at(at) / period(c) + 1) * period(c));
	return next == DEV_NEVER ? DEV_NEVER : next - c->s.phase;
}

static bool is_interrupting(const struct cmos *c)
{
	return c->s.ram[RTC_B] & c->s.ram[RTC_C] & C_FLAGS;
}

/* Brings the interrupt line and the timer to what the state asks for. */
static void settle(struct cmos *c)
{
	bool level = is_interrupting(c);

	if (level != c->irq) {
		c->irq = level;
		c->dev.host->irq(c->dev.host->arg, RTC_GSI, level);
	}
	dev_timer(&c->dev, next_event(c));
}

static void cmos_timer(struct device *d, uint64_t clock)
{
	struct cmos *c = (struct cmos *)d;

	catch_up(c, clock);
	settle(c);
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

static void write_a(struct cmos *c, uint8_t value)
{
	bool ran = divider_runs(c);

	c->s.ram[RTC_A] = value & (uint8_t)~A_UIP;
	/* The first update comes half a second after the divider chain begins to run. */
	if (!ran && divider_runs(c))
		c->s.phase = (SECOND + SECOND / 2 - c->s.seen % SECOND) % SECOND;
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
		write_a(c, value);
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

/* Whether more than memory is behind INDEX. */
static bool is_clock(unsigned index)
{
	return index <= RTC_D || index == RTC_CENTURY;
}

static uint8_t read_a(const struct cmos *c)
{
	bool set = c->s.ram[RTC_B] & B_SET;
	uint64_t at = c->s.seen + c->s.phase;

	return c->s.ram[RTC_A] | (divider_runs(c) && !set && at % SECOND >= SECOND - UIP_NS ? A_UIP : 0);
}

static uint8_t show_c(const struct cmos *c)
{
	return c->s.ram[RTC_C] | (is_interrupting(c) ? C_IRQF : 0);
}

static uint8_t read_data(struct cmos *c, unsigned index)
{
	uint8_t value;

	if (!is_clock(index))
		return c->s.ram[index];
	catch_up(c, dev_clock(&c->dev));
	if (is_time(index) && !(c->s.ram[RTC_B] & B_SET))
		show_time(c);
	value = index == RTC_A ? read_a(c) : index == RTC_C ? show_c(c) : c->s.ram[index];
	if (index == RTC_C)
		c->s.ram[RTC_C] = 0;
	settle(c);
	return value;
}

static uint8_t cmos_in(struct device *d, unsigned port)
{
	struct cmos *c = (struct cmos *)d;

	return port == CMOS_INDEX ? c->s.index : read_data(c, c->s.index & INDEX_BITS);
}

static void cmos_out(struct device *d, unsigned port, uint8_t value)
{
	struct cmos *c = (struct cmos *)d;

	if (port == CMOS_INDEX) {
		c->s.index = value;
	} else if (!is_clock(c->s.index & INDEX_BITS)) {
		c->s.ram[c->s.index & INDEX_BITS] = value;
	} else {
		catch_up(c, dev_clock(d));
		write_data(c, c->s.index & INDEX_BITS, value);
		settle(c);
	}
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

/* What firmware asks of the machine. */
static void put_machine(struct cmos *c)
{
	uint64_t low = c->ram_size < PC_RAM_LOW_MAX ? c->ram_size : PC_RAM_LOW_MAX;
	uint8_t *ram = c->s.ram;

	put_size(ram + CMOS_BASE_KIB, 2, low / KIB, 640);
	put_size(ram + CMOS_EXT_KIB, 2, size_above(low, MIB) / KIB, 63 * MIB / KIB);
	put_size(ram + CMOS_EXT_KIB_AGAIN, 2, size_above(low, MIB) / KIB, 63 * MIB / KIB);
	put_size(ram + CMOS_ABOVE_16M, 2, size_above(low, 16 * MIB) / (64 * KIB), UINT16_MAX);
	put_size(ram + CMOS_ABOVE_4G, 3, (c->ram_size - low) / (64 * KIB), 0xffffff);
	put_size(ram + CMOS_MORE_CPUS, 1, c->cpus ? c->cpus - 1 : 0, UINT8_MAX);
}

/* As a PC's setup program leaves it. */
static void put_setup(struct cmos *c)
{
	static const struct { uint8_t index, value; } setup[] = {
		{ RTC_A, A_RESET },
		{ RTC_B, B_24H },
		{ RTC_D, D_VALID },
		{ CMOS_EQUIPMENT, 0x02 },       /* no floppy, a VGA, a numeric processor */
		{ CMOS_BOOT_ORDER, 0x32 },      /* hard disk, CD */
	};
	size_t i;

	for (i = 0; i < sizeof(setup) / sizeof(setup[0]); i++)
		c->s.ram[setup[i].index] = setup[i].value;
	c->s.ram[CMOS_TRANSLATION] = c->translation;
}

/* The battery keeps the memory, the shutdown byte in it, and the clock. */
static void cmos_reset(struct device *d)
{
	struct cmos *c = (struct cmos *)d;

	c->s.index = 0;
	catch_up(c, dev_clock(d));
	c->s.ram[RTC_B] &= (uint8_t)~B_IRQS;
	c->s.ram[RTC_C] = 0;
	put_machine(c);
	settle(c);
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
	if ((s.ram[RTC_A] & A_UIP) || (s.ram[RTC_C] & ~C_FLAGS) || s.ram[RTC_D] != D_VALID)
		return err_set(err, EINVAL, "%s: its saved state contradicts itself", d->ops->name);
	if (s.seen > dev_clock(d))
		s.seen = dev_clock(d);
	c->s = s;
	settle(c);
	return 0;
}

static void add_flags(char *text, size_t size, uint8_t flags)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%s%s%s", flags & C_PF ? " periodic" : "", flags & C_AF ? " alarm" : "",
		 flags & C_UF ? " update" : "", flags & C_FLAGS ? "" : " none");
}

static void cmos_show(const struct device *d, const struct dev_show *sh)
{
	const struct cmos *c = (const struct cmos *)d;
	const uint8_t *ram = c->s.ram;
	struct date t;
	char text[64];

	date_from_seconds(guest_now(c), &t);
	snprintf(text, sizeof(text), "%04u-%02u-%02u %02u:%02u:%02u%s", t.year, t.month, t.day, t.hour, t.minute, t.second,
		 ram[RTC_B] & B_SET ? ", being set" : "");
	sh->reg(sh->arg, "time", 64, guest_now(c), text);
	sh->reg(sh->arg, "index", 8, c->s.index, c->s.index & (uint8_t)~INDEX_BITS ? "NMI masked" : NULL);
	if (!divider_runs(c))
		snprintf(text, sizeof(text), "stands still");
	else if (period(c))
		snprintf(text, sizeof(text), "%u Hz", TICKS / period(c));
	else
		snprintf(text, sizeof(text), "no periodic interrupt");
	sh->reg(sh->arg, "rtc_a", 8, ram[RTC_A], text);
	snprintf(text, sizeof(text), "%s, %s hours; enabled:", ram[RTC_B] & B_BINARY ? "binary" : "BCD",
		 ram[RTC_B] & B_24H ? "24" : "12");
	add_flags(text, sizeof(text), ram[RTC_B]);
	sh->reg(sh->arg, "rtc_b", 8, ram[RTC_B], text);
	snprintf(text, sizeof(text), "IRQ 8 is %s; pending:", c->irq ? "up" : "down");
	add_flags(text, sizeof(text), ram[RTC_C]);
	sh->reg(sh->arg, "rtc_c", 8, show_c(c), text);
	sh->reg(sh->arg, "alarm_hour", 8, ram[RTC_ALARM_HOUR], NULL);
	sh->reg(sh->arg, "alarm_minute", 8, ram[RTC_ALARM_MINUTE], NULL);
	sh->reg(sh->arg, "alarm_second", 8, ram[RTC_ALARM_SECOND], NULL);
	sh->reg(sh->arg, "shutdown", 8, ram[CMOS_SHUTDOWN], NULL);
	sh->reg(sh->arg, "boot_order", 8, ram[CMOS_BOOT_ORDER], NULL);
}

static void cmos_free(struct device *d)
{
	free(d);
}

static const struct dev_ops cmos_ops = {
	.name = "cmos",
	.what = "real-time clock, CMOS memory",
	.reset = cmos_reset,
	.save = cmos_save,
	.load = cmos_load,
	.free = cmos_free,
	.in = cmos_in,
	.out = cmos_out,
	.timer = cmos_timer,
	.show = cmos_show,
};

int cmos_attach(struct bus *b, uint64_t ram_size, unsigned cpus, uint8_t translation, struct err *err)
{
	struct cmos *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(err, ENOMEM, "no memory for the CMOS");
	c->dev.ops = &cmos_ops;
	c->ram_size = ram_size;
	c->cpus = cpus;
	c->translation = translation;
	put_setup(c);
	put_machine(c);
	r = bus_attach(b, &c->dev, CMOS_BASE, CMOS_PORTS, err);
	if (r < 0)
		return r;
	c->s.seen = dev_clock(&c->dev);
	c->s.seen_second = guest_now(c);
	return 0;
}
