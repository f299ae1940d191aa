/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two 8259A interrupt controllers as a PC has them (Intel 8259A data sheet; what the chipset made of them: PIIX,
 * 290550): the second one's INT is the first one's IR2, which is fixed here, whatever ICW3 says; ELCR
 * chooses edge or level for each line instead of ICW1's LTIM.  An edge is kept until it is acknowledged, also when its
 * line falls before: so do chipsets and KVM.  MCS-80 mode, which no processor of today would understand, is remembered
 * and has no effect.
 */
#include "dev/pic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ports relative to the first, which a chip's other ports are counted from too. */
#define PIC_BASE        0x20
#define PIC_SLAVE       (0xa0 - PIC_BASE)
#define PIC_ELCR        (0x4d0 - PIC_BASE)

enum { MASTER, SLAVE, CHIPS };

#define CASCADE         2               /* the master's input that the slave is on */
#define SPURIOUS        7
#define LINES           (CHIPS * 8)

/* Lines whose mode is fixed to edge: timer, keyboard, cascade; clock, coprocessor. */
static const uint8_t elcr_bits[CHIPS] = { 0xf8, 0xde };

#define ICW1            0x10            /* in a write to the even port: this is ICW1 */
#define ICW1_IC4        0x01
#define ICW1_SNGL       0x02
#define ICW1_KEPT       (ICW1_IC4 | ICW1_SNGL)
#define ICW2_BASE       0xf8
#define ICW4_AEOI       0x02
#define ICW4_SFNM       0x10
#define ICW4_BITS       0x1f

#define OCW3            0x08            /* in a write to the even port that is no ICW1; else it is OCW2 */
#define OCW3_RIS        0x01
#define OCW3_RR         0x02
#define OCW3_POLL       0x04
#define OCW3_SMM        0x20
#define OCW3_ESMM       0x40

#define POLL_VALID      0x80

/* Bits 7 to 5 of OCW2. */
enum ocw2 {
	ROTATE_AEOI_OFF,
	EOI,
	OCW2_NOTHING,
	SPECIFIC_EOI,
	ROTATE_AEOI_ON,
	ROTATE_EOI,
	SET_PRIORITY,
	ROTATE_SPECIFIC_EOI,
};

enum expect { EXPECT_NOTHING, EXPECT_ICW2, EXPECT_ICW3, EXPECT_ICW4, EXPECT_LAST = EXPECT_ICW4 };

/* Registers have a bit for each input; the master's for the cascade is 0 in lines and edges. */
struct chip {
	uint8_t lines;          /* the inputs' levels */
	uint8_t edges;          /* came and are not acknowledged yet */
	uint8_t elcr;           /* 1: level-triggered */
	uint8_t imr, isr;
	uint8_t base;           /* vector of IR0 */
	uint8_t lowest;         /* the input of lowest priority; the next one's is highest */
	uint8_t expect;         /* enum expect: what a write to the odd port is */
	uint8_t icw1, icw3, icw4;
	bool special_mask;
	bool poll;              /* the next read acknowledges */
	bool read_isr;          /* the even port reads ISR, else IRR */
	bool rotate_aeoi;
};

struct pic_state {
	struct chip chip[CHIPS];
};

struct pic {
	struct device dev;
	struct pic_state s;
	void (*intr)(void *arg, bool level);
	void *arg;
	bool level;             /* as intr() was told */
};

#define CHIP_FIELDS(i)                                          \
	DEV_FIELD(struct pic_state, chip[i].lines, UINT8_MAX),      \
	DEV_FIELD(struct pic_state, chip[i].edges, UINT8_MAX),      \
	DEV_FIELD(struct pic_state, chip[i].elcr, UINT8_MAX),       \
	DEV_FIELD(struct pic_state, chip[i].imr, UINT8_MAX),        \
	DEV_FIELD(struct pic_state, chip[i].isr, UINT8_MAX),        \
	DEV_FIELD(struct pic_state, chip[i].base, ICW2_BASE),       \
	DEV_FIELD(struct pic_state, chip[i].lowest, 7),             \
	DEV_FIELD(struct pic_state, chip[i].expect, EXPECT_LAST),   \
	DEV_FIELD(struct pic_state, chip[i].icw1, ICW1_KEPT),       \
	DEV_FIELD(struct pic_state, chip[i].icw3, UINT8_MAX),       \
	DEV_FIELD(struct pic_state, chip[i].icw4, ICW4_BITS),       \
	DEV_FIELD(struct pic_state, chip[i].special_mask, 1),       \
	DEV_FIELD(struct pic_state, chip[i].poll, 1),               \
	DEV_FIELD(struct pic_state, chip[i].read_isr, 1),           \
	DEV_FIELD(struct pic_state, chip[i].rotate_aeoi, 1)

static const struct dev_field fields[] = { CHIP_FIELDS(MASTER), CHIP_FIELDS(SLAVE) };

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static uint8_t bit(unsigned input)
{
	return (uint8_t)(1u << input);
}

static int pending(const struct pic_state *s, unsigned which);

/* IR2 of the master follows the slave's INT: what the slave withdraws is withdrawn there too. */
static uint8_t requests(const struct pic_state *s, unsigned which)
{
	const struct chip *c = &s->chip[which];
	uint8_t irr = (c->edges & (uint8_t)~c->elcr) | (c->lines & c->elcr);

	if (which == MASTER && pending(s, SLAVE) >= 0)
		irr |= bit(CASCADE);
	return irr;
}

/* The input that is to be served next, -1: none. */
static int pending(const struct pic_state *s, unsigned which)
{
	const struct chip *c = &s->chip[which];
	uint8_t wanted, inhibiting = c->isr;
	unsigned i, input;

	if (c->expect != EXPECT_NOTHING)
		return -1;
	wanted = requests(s, which) & (uint8_t)~c->imr;
	if (c->special_mask)
		inhibiting &= (uint8_t)~c->imr;
	for (i = 1; i <= 8; i++) {
		input = (c->lowest + i) & 7;
		/* Special fully nested mode: the slave may have something of higher priority than what it is at. */
		if ((wanted & bit(input)) && (!(inhibiting & bit(input)) ||
					      (which == MASTER && input == CASCADE && (c->icw4 & ICW4_SFNM))))
			return (int)input;
		if (inhibiting & bit(input))
			break;
	}
	return -1;
}

static void update(struct pic *p)
{
	bool level = pending(&p->s, MASTER) >= 0;

	if (level == p->level)
		return;
	p->level = level;
	p->intr(p->arg, level);
}

/* What INTA does in one chip; returns the input, which is SPURIOUS when there is nothing to serve. */
static unsigned take(struct pic_state *s, unsigned which, bool *ret_any)
{
	struct chip *c = &s->chip[which];
	int input = pending(s, which);

	*ret_any = input >= 0;
	if (input < 0)
		return SPURIOUS;
	c->edges &= (uint8_t)~bit((unsigned)input);
	if (!(c->icw4 & ICW4_AEOI))
		c->isr |= bit((unsigned)input);
	else if (c->rotate_aeoi)
		c->lowest = (uint8_t)input;
	return (unsigned)input;
}

uint8_t pic_acknowledge(struct bus *b, struct device *pic)
{
	struct pic *p = (struct pic *)pic;
	unsigned input, which = MASTER;
	bool any;
	uint8_t vector;

	bus_lock(b);
	input = take(&p->s, MASTER, &any);
	if (any && input == CASCADE) {
		which = SLAVE;
		input = take(&p->s, SLAVE, &any);
	}
	vector = p->s.chip[which].base | (uint8_t)input;
	update(p);
	bus_unlock(b);
	return vector;
}

void pic_set_irq(struct device *pic, unsigned line, bool level)
{
	struct pic *p = (struct pic *)pic;
	struct chip *c = &p->s.chip[line < 8 ? MASTER : SLAVE];
	uint8_t mask = bit(line & 7);

	if (line >= LINES || line == CASCADE)
		return;
	if (level && !(c->lines & mask) && !(c->elcr & mask))
		c->edges |= mask;
	c->lines = level ? c->lines | mask : c->lines & (uint8_t)~mask;
	update(p);
}

static void start_init(struct chip *c, uint8_t value)
{
	c->icw1 = value & ICW1_KEPT;
	if (!(value & ICW1_IC4))
		c->icw4 = 0;
	c->edges = 0;           /* a line that is high must fall and rise again */
	c->imr = c->isr = 0;
	c->lowest = 7;
	c->special_mask = c->poll = c->read_isr = c->rotate_aeoi = false;
	c->expect = EXPECT_ICW2;
}

static void write_odd(struct chip *c, uint8_t value)
{
	switch (c->expect) {
	case EXPECT_ICW2:
		c->base = value & ICW2_BASE;
		c->expect = !(c->icw1 & ICW1_SNGL) ? EXPECT_ICW3 : c->icw1 & ICW1_IC4 ? EXPECT_ICW4 : EXPECT_NOTHING;
		break;
	case EXPECT_ICW3:
		c->icw3 = value;
		c->expect = c->icw1 & ICW1_IC4 ? EXPECT_ICW4 : EXPECT_NOTHING;
		break;
	case EXPECT_ICW4:
		c->icw4 = value & ICW4_BITS;
		c->expect = EXPECT_NOTHING;
		break;
	default:
		c->imr = value;
	}
}

/* The input in service that a non-specific end of interrupt means, -1: none. */
static int in_service(const struct chip *c)
{
	uint8_t isr = c->special_mask ? c->isr & (uint8_t)~c->imr : c->isr;
	unsigned i, input;

	for (i = 1; i <= 8; i++) {
		input = (c->lowest + i) & 7;
		if (isr & bit(input))
			return (int)input;
	}
	return -1;
}

static void write_ocw2(struct chip *c, uint8_t value)
{
	enum ocw2 command = value >> 5;
	int input = value & 7;

	switch (command) {
	case ROTATE_AEOI_OFF:
	case ROTATE_AEOI_ON:
		c->rotate_aeoi = command == ROTATE_AEOI_ON;
		return;
	case OCW2_NOTHING:
		return;
	case SET_PRIORITY:
		c->lowest = (uint8_t)input;
		return;
	case EOI:
	case ROTATE_EOI:
		input = in_service(c);
		if (input < 0)
			return;
		break;
	case SPECIFIC_EOI:
	case ROTATE_SPECIFIC_EOI:
		break;
	}
	c->isr &= (uint8_t)~bit((unsigned)input);
	if (command == ROTATE_EOI || command == ROTATE_SPECIFIC_EOI)
		c->lowest = (uint8_t)input;
}

static void write_ocw3(struct chip *c, uint8_t value)
{
	if (value & OCW3_ESMM)
		c->special_mask = value & OCW3_SMM;
	/* Poll overrides a register read. */
	c->poll = value & OCW3_POLL;
	if (!c->poll && (value & OCW3_RR))
		c->read_isr = value & OCW3_RIS;
}

static void pic_out(struct device *d, unsigned port, uint8_t value)
{
	struct pic *p = (struct pic *)d;
	struct chip *c = &p->s.chip[port < PIC_SLAVE ? MASTER : SLAVE];

	if (port >= PIC_ELCR) {
		c = &p->s.chip[port - PIC_ELCR];
		c->elcr = value & elcr_bits[port - PIC_ELCR];
		c->edges &= (uint8_t)~c->elcr;
	} else if (port & 1) {
		write_odd(c, value);
	} else if (value & ICW1) {
		start_init(c, value);
	} else if (value & OCW3) {
		write_ocw3(c, value);
	} else {
		write_ocw2(c, value);
	}
	update(p);
}

static uint8_t pic_in(struct device *d, unsigned port)
{
	struct pic *p = (struct pic *)d;
	unsigned which = port < PIC_SLAVE ? MASTER : SLAVE, input;
	struct chip *c = &p->s.chip[which];
	bool any;

	if (port >= PIC_ELCR)
		return p->s.chip[port - PIC_ELCR].elcr;
	if (c->poll) {
		c->poll = false;
		input = take(&p->s, which, &any);
		update(p);
		return any ? (uint8_t)(POLL_VALID | input) : 0;
	}
	if (port & 1)
		return c->imr;
	return c->read_isr ? c->isr : requests(&p->s, which);
}

/* The lines are the devices' to change. */
static void pic_reset(struct device *d)
{
	struct pic *p = (struct pic *)d;
	unsigned i;

	for (i = 0; i < CHIPS; i++)
		p->s.chip[i] = (struct chip){ .lines = p->s.chip[i].lines, .lowest = 7 };
	update(p);
}

static int pic_save(const struct device *d, struct dev_buf *b)
{
	return dev_fields_save(&((const struct pic *)d)->s, fields, NFIELDS, b);
}

static bool consistent(const struct pic_state *s)
{
	unsigned i;

	for (i = 0; i < CHIPS; i++) {
		const struct chip *c = &s->chip[i];

		if ((c->elcr & ~elcr_bits[i]) || (c->edges & c->elcr) || (c->base & ~ICW2_BASE))
			return false;
		if ((c->expect == EXPECT_ICW3 && (c->icw1 & ICW1_SNGL)) ||
		    (c->expect == EXPECT_ICW4 && !(c->icw1 & ICW1_IC4)))
			return false;
	}
	return !((s->chip[MASTER].lines | s->chip[MASTER].edges) & bit(CASCADE));
}

static int pic_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct pic *p = (struct pic *)d;
	struct pic_state s = p->s;
	int r = dev_fields_load(&s, fields, NFIELDS, b, d->ops->name, err);

	if (r < 0)
		return r;
	if (!consistent(&s))
		return err_set(err, EINVAL, "%s: its saved state contradicts itself", d->ops->name);
	p->s = s;
	update(p);
	return 0;
}

static void pic_free(struct device *d)
{
	free(d);
}

static void show_chip(const struct pic_state *s, unsigned which, const struct dev_show *to)
{
	static const char *const expected[] = { "", ", awaits ICW2", ", awaits ICW3", ", awaits ICW4" };
	static const char *const chips[CHIPS] = { "master", "slave" };
	const struct chip *c = &s->chip[which];
	struct {
		const char *name;
		uint8_t value;
		const char *text;
	} reg[] = {
		{ "lines", c->lines, "levels of the inputs" },
		{ "irr", requests(s, which), "requested" },
		{ "imr", c->imr, "masked" },
		{ "isr", c->isr, "in service" },
		{ "elcr", c->elcr, "level-triggered" },
		{ "base", c->base, "vector of input 0" },
		{ "lowest", c->lowest, "input of lowest priority" },
		{ "icw3", c->icw3, NULL },
		{ "icw4", c->icw4, NULL },
	};
	char name[24], text[96];
	size_t i;

	snprintf(text, sizeof(text), "%s%s%s%s%s%s", c->icw4 & ICW4_AEOI ? "automatic" : "normal",
		 c->rotate_aeoi ? ", rotating" : "", c->icw4 & ICW4_SFNM ? ", special fully nested" : "",
		 c->special_mask ? ", special mask" : "", c->poll ? ", poll" : "", expected[c->expect]);
	reg[8].text = text;
	for (i = 0; i < sizeof(reg) / sizeof(reg[0]); i++) {
		snprintf(name, sizeof(name), "%s.%s", chips[which], reg[i].name);
		to->reg(to->arg, name, 8, reg[i].value, reg[i].text);
	}
}

static void pic_show(const struct device *d, const struct dev_show *s)
{
	const struct pic *p = (const struct pic *)d;

	show_chip(&p->s, MASTER, s);
	show_chip(&p->s, SLAVE, s);
}

static const struct dev_ops pic_ops = {
	.name = "pic",
	.what = "interrupt controllers (8259A)",
	.reset = pic_reset,
	.save = pic_save,
	.load = pic_load,
	.free = pic_free,
	.in = pic_in,
	.out = pic_out,
	.show = pic_show,
};

int pic_attach(struct bus *b, void (*intr)(void *arg, bool level), void *arg, struct device **ret, struct err *err)
{
	static const uint16_t ports[] = { PIC_BASE, PIC_BASE + PIC_SLAVE, PIC_BASE + PIC_ELCR };
	struct pic *p = calloc(1, sizeof(*p));
	size_t i;
	int r = 0;

	if (!p)
		return err_set(err, ENOMEM, "no memory for the interrupt controllers");
	p->dev.ops = &pic_ops;
	p->intr = intr;
	p->arg = arg;
	p->s.chip[MASTER].lowest = p->s.chip[SLAVE].lowest = 7;
	for (i = 0; r == 0 && i < sizeof(ports) / sizeof(ports[0]); i++)
		r = bus_attach(b, &p->dev, ports[i], 2, err);
	if (r == 0)
		*ret = &p->dev;
	return r;
}
