/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ways a PC's software resets it and switches A20: port 0x92, the keyboard controller (as much of an 8042 as
 * that takes: no keyboard is connected) and the reset control register 0xcf9.  A20 is only remembered: the
 * address line is always on.
 */
#include "dev/pc.h"

#include <errno.h>
#include <stdlib.h>

/* The ranges' ports, relative to the first. */
#define RESETCTL_BASE   0x60
enum { KBC_DATA = 0x60 - RESETCTL_BASE, KBC_COMMAND = 0x64 - RESETCTL_BASE, FAST = 0x92 - RESETCTL_BASE,
       RCR = 0xcf9 - RESETCTL_BASE };

#define FAST_RESET      0x01
#define FAST_A20        0x02

#define RCR_CPU         0x04            /* its rising edge resets; bits 1 and 3 choose how hard */
#define RCR_BITS        0x0e

#define STATUS_OBF      0x01            /* output buffer full */
#define STATUS_SYS      0x04
#define STATUS_CMD      0x08            /* the last write went to 0x64 */
#define STATUS_UNLOCKED 0x10

#define CB_SYS          0x04            /* command byte */
#define CB_NO_KBD       0x10
#define CB_NO_AUX       0x20

#define OP_RUN          0x01            /* output port: the reset line, active low */
#define OP_A20          0x02
#define OP_REST         0xcc

enum kbc_command {
	KBC_READ_CB = 0x20,
	KBC_WRITE_CB = 0x60,
	KBC_AUX_OFF = 0xa7,
	KBC_AUX_ON = 0xa8,
	KBC_SELF_TEST = 0xaa,
	KBC_KBD_OFF = 0xad,
	KBC_KBD_ON = 0xae,
	KBC_READ_OP = 0xd0,
	KBC_WRITE_OP = 0xd1,
	KBC_PULSE = 0xf0,               /* to 0xff: the lines whose bit is 0 */
};

#define SELF_TEST_PASSED 0x55

struct resetctl_state {
	bool a20;
	uint8_t fast;                   /* port 0x92 but for its A20 bit */
	uint8_t rcr;
	uint8_t command_byte;
	uint8_t out_port;               /* the 8042's, but for OP_RUN and OP_A20 */
	uint8_t pending;                /* KBC_WRITE_CB or KBC_WRITE_OP that awaits its data, or 0 */
	uint8_t answer;                 /* the output buffer */
	bool answer_full;
	bool last_was_command;
};

struct resetctl {
	struct device dev;
	struct resetctl_state s;
};

static const struct resetctl_state power_on = {
	.a20 = true,
	.command_byte = CB_SYS,
	.out_port = OP_REST,
};

static const struct dev_field fields[] = {
	DEV_FIELD(struct resetctl_state, a20, 1),
	DEV_FIELD(struct resetctl_state, fast, UINT8_MAX),
	DEV_FIELD(struct resetctl_state, rcr, RCR_BITS),
	DEV_FIELD(struct resetctl_state, command_byte, UINT8_MAX),
	DEV_FIELD(struct resetctl_state, out_port, UINT8_MAX),
	DEV_FIELD(struct resetctl_state, pending, UINT8_MAX),
	DEV_FIELD(struct resetctl_state, answer, UINT8_MAX),
	DEV_FIELD(struct resetctl_state, answer_full, 1),
	DEV_FIELD(struct resetctl_state, last_was_command, 1),
};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static void ask_reset(struct resetctl *r, const char *by)
{
	r->dev.host->reset(r->dev.host->arg, by);
}

static void write_fast(struct resetctl *r, uint8_t value)
{
	bool rising = value & ~r->s.fast & FAST_RESET;

	r->s.fast = value & (uint8_t)~FAST_A20;
	r->s.a20 = value & FAST_A20;
	if (rising)
		ask_reset(r, "port 0x92");
}

static void write_rcr(struct resetctl *r, uint8_t value)
{
	bool rising = value & ~r->s.rcr & RCR_CPU;

	r->s.rcr = value & RCR_BITS;
	if (rising)
		ask_reset(r, "port 0xcf9");
}

static void write_out_port(struct resetctl *r, uint8_t value)
{
	r->s.out_port = value & (uint8_t)~(OP_RUN | OP_A20);
	r->s.a20 = value & OP_A20;
	if (!(value & OP_RUN))
		ask_reset(r, "the keyboard controller");
}

static void answer(struct resetctl_state *s, uint8_t value)
{
	s->answer = value;
	s->answer_full = true;
}

static void kbc_command(struct resetctl *r, uint8_t code)
{
	struct resetctl_state *s = &r->s;

	s->last_was_command = true;
	s->pending = 0;
	switch (code) {
	case KBC_READ_CB:
		answer(s, s->command_byte);
		return;
	case KBC_READ_OP:
		answer(s, s->out_port | OP_RUN | (s->a20 ? OP_A20 : 0));
		return;
	case KBC_WRITE_CB:
	case KBC_WRITE_OP:
		s->pending = code;
		return;
	case KBC_SELF_TEST:
		s->command_byte |= CB_SYS;
		answer(s, SELF_TEST_PASSED);
		return;
	case KBC_AUX_OFF:
		s->command_byte |= CB_NO_AUX;
		return;
	case KBC_AUX_ON:
		s->command_byte &= (uint8_t)~CB_NO_AUX;
		return;
	case KBC_KBD_OFF:
		s->command_byte |= CB_NO_KBD;
		return;
	case KBC_KBD_ON:
		s->command_byte &= (uint8_t)~CB_NO_KBD;
		return;
	}
	if (code >= KBC_PULSE && !(code & OP_RUN))
		ask_reset(r, "the keyboard controller");
}

/* A byte for the command before it; without one it is for the keyboard, which is not there. */
static void kbc_data(struct resetctl *r, uint8_t value)
{
	uint8_t command = r->s.pending;

	r->s.last_was_command = false;
	r->s.pending = 0;
	if (command == KBC_WRITE_CB)
		r->s.command_byte = value;
	else if (command == KBC_WRITE_OP)
		write_out_port(r, value);
}

static void resetctl_out(struct device *d, unsigned port, uint8_t value)
{
	struct resetctl *r = (struct resetctl *)d;

	switch (port) {
	case KBC_DATA:
		kbc_data(r, value);
		break;
	case KBC_COMMAND:
		kbc_command(r, value);
		break;
	case FAST:
		write_fast(r, value);
		break;
	case RCR:
		write_rcr(r, value);
		break;
	}
}

static uint8_t resetctl_in(struct device *d, unsigned port)
{
	struct resetctl_state *s = &((struct resetctl *)d)->s;

	switch (port) {
	case KBC_DATA:
		s->answer_full = false;
		return s->answer;
	case KBC_COMMAND:
		return STATUS_UNLOCKED | (s->answer_full ? STATUS_OBF : 0) |
		       (s->command_byte & CB_SYS ? STATUS_SYS : 0) | (s->last_was_command ? STATUS_CMD : 0);
	case FAST:
		return s->fast | (s->a20 ? FAST_A20 : 0);
	}
	return s->rcr;
}

static void resetctl_reset(struct device *d)
{
	((struct resetctl *)d)->s = power_on;
}

static int resetctl_save(const struct device *d, struct dev_buf *b)
{
	return dev_fields_save(&((const struct resetctl *)d)->s, fields, NFIELDS, b);
}

static int resetctl_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct resetctl *rc = (struct resetctl *)d;
	struct resetctl_state s = rc->s;
	int r = dev_fields_load(&s, fields, NFIELDS, b, d->ops->name, err);

	if (r < 0)
		return r;
	if ((s.fast & FAST_A20) || (s.rcr & ~RCR_BITS) || (s.out_port & (OP_RUN | OP_A20)) ||
	    (s.pending && s.pending != KBC_WRITE_CB && s.pending != KBC_WRITE_OP))
		return err_set(err, EINVAL, "%s: its saved state contradicts itself", d->ops->name);
	rc->s = s;
	return 0;
}

static void resetctl_free(struct device *d)
{
	free(d);
}

static const struct dev_ops resetctl_ops = {
	.name = "resetctl",
	.reset = resetctl_reset,
	.save = resetctl_save,
	.load = resetctl_load,
	.free = resetctl_free,
	.in = resetctl_in,
	.out = resetctl_out,
	.first_byte_only = true,
};

int resetctl_attach(struct bus *b, struct err *err)
{
	static const unsigned ports[] = { KBC_DATA, KBC_COMMAND, FAST, RCR };
	struct resetctl *rc = calloc(1, sizeof(*rc));
	size_t i;
	int r = 0;

	if (!rc)
		return err_set(err, ENOMEM, "no memory for the reset control");
	rc->dev.ops = &resetctl_ops;
	rc->s = power_on;
	for (i = 0; r == 0 && i < sizeof(ports) / sizeof(ports[0]); i++)
		r = bus_attach(b, &rc->dev, (uint16_t)(RESETCTL_BASE + ports[i]), 1, err);
	return r;
}
