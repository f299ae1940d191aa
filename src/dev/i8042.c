/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One controller for both machines: with a keyboard, and (resetctl_attach()) with nothing at either port.  A byte
 * for a port where nothing is times out, which software takes as the sign to look no further.
 */
#include "dev/i8042.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dev/keymap.h"
#include "dev/pc.h"
#include "dev/ps2kbd.h"
#include "dev/resetctl.h"

/* The ranges' ports, relative to the first. */
#define I8042_BASE      0x60
enum { KBC_DATA = 0x60 - I8042_BASE, KBC_COMMAND = 0x64 - I8042_BASE, FAST = 0x92 - I8042_BASE,
       RCR = 0xcf9 - I8042_BASE };

#define KBD_GSI         1
#define AUX_GSI         12

#define STATUS_OBF      0x01            /* output buffer full */
#define STATUS_SYS      0x04
#define STATUS_CMD      0x08            /* the last write went to 0x64 */
#define STATUS_UNLOCKED 0x10
#define STATUS_AUX      0x20            /* what is in the output buffer came from the auxiliary port */
#define STATUS_TIMEOUT  0x40

#define CB_KBD_IRQ      0x01            /* command byte */
#define CB_AUX_IRQ      0x02
#define CB_SYS          0x04
#define CB_NO_KBD       0x10
#define CB_NO_AUX       0x20
#define CB_TRANSLATE    0x40

#define OP_RUN          0x01            /* output port: the reset line, active low */
#define OP_A20          0x02
#define OP_REST         0xcc

#define NO_ANSWER       0xfe            /* of a port where nothing is, together with STATUS_TIMEOUT */

enum kbc_command {
	KBC_READ_CB = 0x20,
	KBC_WRITE_CB = 0x60,
	KBC_HAS_PASSWORD = 0xa4,
	KBC_AUX_OFF = 0xa7,
	KBC_AUX_ON = 0xa8,
	KBC_AUX_TEST = 0xa9,
	KBC_SELF_TEST = 0xaa,
	KBC_KBD_TEST = 0xab,
	KBC_KBD_OFF = 0xad,
	KBC_KBD_ON = 0xae,
	KBC_READ_IP = 0xc0,
	KBC_READ_OP = 0xd0,
	KBC_WRITE_OP = 0xd1,
	KBC_AS_KBD = 0xd2,              /* the data byte comes back as if from the keyboard */
	KBC_AS_AUX = 0xd3,
	KBC_TO_AUX = 0xd4,
	KBC_PULSE = 0xf0,               /* to 0xff: the lines whose bit is 0 */
};

/* Commands whose answer is always the same. */
static const struct { uint8_t code, answer; } fixed[] = {
	{ KBC_HAS_PASSWORD, 0xf1 },     /* none */
	{ KBC_AUX_TEST, 0x00 },
	{ KBC_SELF_TEST, 0x55 },
	{ KBC_KBD_TEST, 0x00 },
	{ KBC_READ_IP, 0x80 },          /* input port: the keyboard is not locked */
};

static const struct { uint8_t code, clear, set; } switches[] = {
	{ KBC_AUX_OFF, 0, CB_NO_AUX },
	{ KBC_AUX_ON, CB_NO_AUX, 0 },
	{ KBC_SELF_TEST, 0, CB_SYS },
	{ KBC_KBD_OFF, 0, CB_NO_KBD },
	{ KBC_KBD_ON, CB_NO_KBD, 0 },
};

static const uint8_t with_data[] = { KBC_WRITE_CB, KBC_WRITE_OP, KBC_AS_KBD, KBC_AS_AUX, KBC_TO_AUX };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Where a byte comes from, as bits of the status register. */
#define FROM_KBD        0
#define FROM_AUX        STATUS_AUX
#define FROM_BITS       (STATUS_AUX | STATUS_TIMEOUT)

struct i8042_state {
	struct resetctl reset;
	uint8_t command_byte;
	uint8_t out_port;               /* but for OP_RUN and OP_A20 */
	uint8_t pending;                /* a command that awaits its data, or 0 */
	uint8_t data;                   /* the output buffer; stays when it was read */
	bool full;
	bool last_was_command;
	uint8_t from;
	uint8_t answer, answer_from;    /* the controller's own, which awaits the output buffer */
	bool answer_full;
	bool breaking;                  /* translation: the next code is of a key that came up */
};

struct i8042 {
	struct device dev;
	struct i8042_state s;
	struct ps2kbd kbd;
	bool has_kbd;
	bool kbd_irq, aux_irq;          /* the levels the host knows */
};

static const struct dev_field fields[] = {
	DEV_FIELD(struct i8042_state, reset.a20, 1),
	DEV_FIELD(struct i8042_state, reset.fast, UINT8_MAX),
	DEV_FIELD(struct i8042_state, reset.rcr, RESETCTL_RCR_BITS),
	DEV_FIELD(struct i8042_state, command_byte, UINT8_MAX),
	DEV_FIELD(struct i8042_state, out_port, UINT8_MAX),
	DEV_FIELD(struct i8042_state, pending, UINT8_MAX),
	DEV_FIELD(struct i8042_state, data, UINT8_MAX),
	DEV_FIELD(struct i8042_state, full, 1),
	DEV_FIELD(struct i8042_state, last_was_command, 1),
	DEV_FIELD(struct i8042_state, from, FROM_BITS),
	DEV_FIELD(struct i8042_state, answer, UINT8_MAX),
	DEV_FIELD(struct i8042_state, answer_from, FROM_BITS),
	DEV_FIELD(struct i8042_state, answer_full, 1),
	DEV_FIELD(struct i8042_state, breaking, 1),
};

static void power_on(struct i8042 *k)
{
	k->s = (struct i8042_state){ .reset = RESETCTL_POWER_ON, .command_byte = CB_SYS, .out_port = OP_REST };
	/* What starts without firmware finds a keyboard as firmware leaves it. */
	if (k->has_kbd)
		k->s.command_byte |= CB_KBD_IRQ | CB_TRANSLATE;
	ps2kbd_reset(&k->kbd);
}

static void set_line(struct i8042 *k, bool *known, unsigned gsi, bool level)
{
	if (level == *known)
		return;
	*known = level;
	k->dev.host->irq(k->dev.host->arg, gsi, level);
}

static void update_irqs(struct i8042 *k)
{
	const struct i8042_state *s = &k->s;
	bool aux = s->full && (s->from & STATUS_AUX), kbd = s->full && !aux;

	/* With the keyboard switched off there is only what the controller itself was asked, by polling. */
	set_line(k, &k->kbd_irq, KBD_GSI, kbd && (s->command_byte & (CB_KBD_IRQ | CB_NO_KBD)) == CB_KBD_IRQ);
	set_line(k, &k->aux_irq, AUX_GSI, aux && (s->command_byte & CB_AUX_IRQ));
}

static void fill(struct i8042_state *s, uint8_t value, uint8_t from)
{
	s->data = value;
	s->from = from;
	s->full = true;
}

/* A byte from the keyboard; the prefix of set 2 becomes a bit of set 1. */
static void take_from_kbd(struct i8042_state *s, uint8_t byte)
{
	if (s->command_byte & CB_TRANSLATE) {
		if (byte == KEYMAP_BREAK) {
			s->breaking = true;
			return;
		}
		byte = keymap_set1(byte) | (s->breaking ? 0x80 : 0);
	}
	s->breaking = false;
	fill(s, byte, FROM_KBD);
}

/* Fills the output buffer, when it is empty, with what waits for it, and raises the interrupt. */
static void move_on(struct i8042 *k)
{
	struct i8042_state *s = &k->s;
	uint8_t byte;

	if (!s->full && s->answer_full) {
		fill(s, s->answer, s->answer_from);
		s->answer_full = false;
	}
	while (!s->full && k->has_kbd && !(s->command_byte & CB_NO_KBD) && ps2kbd_read(&k->kbd, &byte))
		take_from_kbd(s, byte);
	update_irqs(k);
}

/* Of answers that nobody reads the last one stays. */
static void answer(struct i8042_state *s, uint8_t value, uint8_t from)
{
	s->answer = value;
	s->answer_from = from;
	s->answer_full = true;
}

static void ask_reset(struct i8042 *k)
{
	k->dev.host->reset(k->dev.host->arg, "the keyboard controller");
}

static void write_out_port(struct i8042 *k, uint8_t value)
{
	k->s.out_port = value & (uint8_t)~(OP_RUN | OP_A20);
	k->s.reset.a20 = value & OP_A20;
	if (!(value & OP_RUN))
		ask_reset(k);
}

static bool awaits_data(uint8_t code)
{
	size_t i;

	for (i = 0; i < COUNT(with_data); i++)
		if (with_data[i] == code)
			return true;
	return false;
}

static void kbc_command(struct i8042 *k, uint8_t code)
{
	struct i8042_state *s = &k->s;
	size_t i;

	s->last_was_command = true;
	s->pending = awaits_data(code) ? code : 0;
	for (i = 0; i < COUNT(switches); i++)
		if (switches[i].code == code)
			s->command_byte = (s->command_byte & (uint8_t)~switches[i].clear) | switches[i].set;
	for (i = 0; i < COUNT(fixed); i++)
		if (fixed[i].code == code)
			answer(s, fixed[i].answer, FROM_KBD);
	if (code == KBC_READ_CB)
		answer(s, s->command_byte, FROM_KBD);
	else if (code == KBC_READ_OP)
		answer(s, s->out_port | OP_RUN | (s->reset.a20 ? OP_A20 : 0), FROM_KBD);
	else if (code >= KBC_PULSE && !(code & OP_RUN))
		ask_reset(k);
}

static void write_to_kbd(struct i8042 *k, uint8_t value)
{
	/* Sending switches it on. */
	k->s.command_byte &= (uint8_t)~CB_NO_KBD;
	if (k->has_kbd)
		ps2kbd_write(&k->kbd, value);
	else
		answer(&k->s, NO_ANSWER, FROM_KBD | STATUS_TIMEOUT);
}

/* A byte for the command before it; without one it is for the keyboard. */
static void kbc_data(struct i8042 *k, uint8_t value)
{
	struct i8042_state *s = &k->s;
	uint8_t command = s->pending;

	s->last_was_command = false;
	s->pending = 0;
	switch (command) {
	case KBC_WRITE_CB:
		s->command_byte = value;
		break;
	case KBC_WRITE_OP:
		write_out_port(k, value);
		break;
	case KBC_AS_KBD:
		answer(s, value, FROM_KBD);
		break;
	case KBC_AS_AUX:
		answer(s, value, FROM_AUX);
		break;
	case KBC_TO_AUX:
		s->command_byte &= (uint8_t)~CB_NO_AUX;
		answer(s, NO_ANSWER, FROM_AUX | STATUS_TIMEOUT);
		break;
	default:
		write_to_kbd(k, value);
	}
}

static void i8042_out(struct device *d, unsigned port, uint8_t value)
{
	struct i8042 *k = (struct i8042 *)d;

	switch (port) {
	case KBC_DATA:
		kbc_data(k, value);
		break;
	case KBC_COMMAND:
		kbc_command(k, value);
		break;
	case FAST:
		resetctl_write_fast(&k->s.reset, d->host, value);
		break;
	case RCR:
		resetctl_write_rcr(&k->s.reset, d->host, value);
		break;
	}
	move_on(k);
}

static uint8_t read_status(const struct i8042_state *s)
{
	return STATUS_UNLOCKED | (s->full ? STATUS_OBF | s->from : 0) | (s->command_byte & CB_SYS ? STATUS_SYS : 0) |
	       (s->last_was_command ? STATUS_CMD : 0);
}

static uint8_t read_data(struct i8042 *k)
{
	uint8_t value = k->s.data;

	/* The line goes down before the next byte raises it: each is an edge. */
	k->s.full = false;
	update_irqs(k);
	move_on(k);
	return value;
}

static uint8_t i8042_in(struct device *d, unsigned port)
{
	struct i8042 *k = (struct i8042 *)d;

	switch (port) {
	case KBC_DATA:
		return read_data(k);
	case KBC_COMMAND:
		return read_status(&k->s);
	case FAST:
		return resetctl_read_fast(&k->s.reset);
	}
	return k->s.reset.rcr;
}

static void i8042_reset(struct device *d)
{
	struct i8042 *k = (struct i8042 *)d;

	power_on(k);
	update_irqs(k);
}

static int i8042_save(const struct device *d, struct dev_buf *b)
{
	const struct i8042 *k = (const struct i8042 *)d;
	int r = dev_fields_save(&k->s, fields, COUNT(fields), b);

	return r == 0 && k->has_kbd ? ps2kbd_save(&k->kbd, b) : r;
}

static int i8042_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct i8042 *k = (struct i8042 *)d;
	struct i8042_state s = k->s;
	struct ps2kbd kbd = k->kbd;
	int r = dev_fields_load(&s, fields, COUNT(fields), b, d->ops->name, err);

	if (r < 0)
		return r;
	if (!resetctl_is_valid(&s.reset) || (s.out_port & (OP_RUN | OP_A20)) ||
	    (s.pending && !awaits_data(s.pending)) || (s.from & ~FROM_BITS) || (s.answer_from & ~FROM_BITS) ||
	    (s.answer_full && !s.full))
		return err_set(err, EINVAL, "%s: its saved state contradicts itself", d->ops->name);
	if (k->has_kbd) {
		r = ps2kbd_load(&kbd, b, d->ops->name, err);
		if (r < 0)
			return r;
	}
	k->s = s;
	k->kbd = kbd;
	move_on(k);
	return 0;
}

static void i8042_show(const struct device *d, const struct dev_show *sh)
{
	const struct i8042 *k = (const struct i8042 *)d;
	const struct i8042_state *s = &k->s;
	char text[96];

	snprintf(text, sizeof(text), "output buffer %s%s%s", s->full ? "full" : "empty",
		 s->full && (s->from & STATUS_AUX) ? ", from the auxiliary port" : "",
		 s->full && (s->from & STATUS_TIMEOUT) ? ", timeout" : "");
	sh->reg(sh->arg, "status", 8, read_status(s), text);
	sh->reg(sh->arg, "data", 8, s->data, s->full ? "not read yet" : "read");
	snprintf(text, sizeof(text), "keyboard %s%s, auxiliary port %s%s%s",
		 s->command_byte & CB_NO_KBD ? "off" : "on", s->command_byte & CB_KBD_IRQ ? " with IRQ 1" : "",
		 s->command_byte & CB_NO_AUX ? "off" : "on", s->command_byte & CB_AUX_IRQ ? " with IRQ 12" : "",
		 s->command_byte & CB_TRANSLATE ? ", translated to set 1" : "");
	sh->reg(sh->arg, "command_byte", 8, s->command_byte, text);
	sh->reg(sh->arg, "command", 8, s->pending, s->pending ? "awaits its data" : NULL);
	sh->reg(sh->arg, "answer", 8, s->answer, s->answer_full ? "awaits the output buffer" : NULL);
	sh->reg(sh->arg, "output_port", 8, s->out_port | OP_RUN | (s->reset.a20 ? OP_A20 : 0), NULL);
	sh->reg(sh->arg, "a20", 1, s->reset.a20, "only remembered: the line is always on");
	sh->reg(sh->arg, "port_92", 8, resetctl_read_fast(&s->reset), NULL);
	sh->reg(sh->arg, "port_cf9", 8, s->reset.rcr, NULL);
	if (k->has_kbd)
		ps2kbd_show(&k->kbd, sh);
}

static void i8042_free(struct device *d)
{
	free(d);
}

/* 0xcf9 lies within PCI's address register, and software reads 0x60 and 0x61 as one word. */
static const struct dev_ops i8042_ops = {
	.name = "i8042",
	.what = "keyboard controller, A20, reset",
	.reset = i8042_reset,
	.save = i8042_save,
	.load = i8042_load,
	.free = i8042_free,
	.in = i8042_in,
	.out = i8042_out,
	.show = i8042_show,
	.first_byte_only = true,
};

static const struct dev_ops resetctl_ops = {
	.name = "resetctl",
	.what = "A20, reset, keyboard controller without keyboard",
	.reset = i8042_reset,
	.save = i8042_save,
	.load = i8042_load,
	.free = i8042_free,
	.in = i8042_in,
	.out = i8042_out,
	.show = i8042_show,
	.first_byte_only = true,
};

static int attach(struct bus *b, const struct dev_ops *ops, bool has_kbd, struct device **ret, struct err *err)
{
	static const unsigned ports[] = { KBC_DATA, KBC_COMMAND, FAST, RCR };
	struct i8042 *k = calloc(1, sizeof(*k));
	size_t i;
	int r = 0;

	if (!k)
		return err_set(err, ENOMEM, "no memory for the keyboard controller");
	k->dev.ops = ops;
	k->has_kbd = has_kbd;
	power_on(k);
	for (i = 0; r == 0 && i < COUNT(ports); i++)
		r = bus_attach(b, &k->dev, (uint16_t)(I8042_BASE + ports[i]), 1, err);
	if (r == 0 && ret)
		*ret = &k->dev;
	return r;
}

int i8042_attach(struct bus *b, struct device **ret, struct err *err)
{
	return attach(b, &i8042_ops, true, ret, err);
}

int resetctl_attach(struct bus *b, struct err *err)
{
	return attach(b, &resetctl_ops, false, NULL, err);
}

int i8042_type(struct bus *b, struct device *kbd, const char *text, size_t len, struct err *err)
{
	struct i8042 *k = (struct i8042 *)kbd;
	uint8_t codes[I8042_KEYS_MAX];
	size_t n;
	int r = keymap_encode(text, len, codes, sizeof(codes), &n, err);

	if (r < 0)
		return r;
	bus_lock(b);
	r = ps2kbd_press(&k->kbd, codes, n, err);
	if (r == 0)
		move_on(k);
	bus_unlock(b);
	return r;
}
