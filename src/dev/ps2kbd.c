/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/ps2kbd.h"

#include <errno.h>
#include <string.h>

#include "dev/keymap.h"

#define ACK             0xfa
#define RESEND          0xfe
#define TEST_PASSED     0xaa

#define TYPEMATIC_RESET 0x2b            /* 10.9 characters a second after 500 ms */

enum kbd_command {
	KBD_LEDS = 0xed,
	KBD_ECHO = 0xee,
	KBD_SET = 0xf0,
	KBD_IDENTIFY = 0xf2,
	KBD_TYPEMATIC = 0xf3,
	KBD_ENABLE = 0xf4,
	KBD_DISABLE = 0xf5,
	KBD_DEFAULTS = 0xf6,
	KBD_RESEND = 0xfe,
	KBD_RESET = 0xff,
};

#define DOES_DEFAULTS   0x01
#define DOES_FORGET     0x02            /* keys that were not sent yet */
#define DOES_SCAN       0x04
#define DOES_NOT_SCAN   0x08
#define DOES_ASK        0x10            /* a parameter follows */

static const struct command {
	uint8_t code, does;
	uint8_t nanswer, answer[3];
} commands[] = {
	{ KBD_LEDS, DOES_ASK, 1, { ACK } },
	{ KBD_ECHO, 0, 1, { KBD_ECHO } },
	{ KBD_SET, DOES_ASK, 1, { ACK } },
	{ KBD_IDENTIFY, 0, 3, { ACK, 0xab, 0x83 } },
	{ KBD_TYPEMATIC, DOES_ASK, 1, { ACK } },
	{ KBD_ENABLE, DOES_FORGET | DOES_SCAN, 1, { ACK } },
	{ KBD_DISABLE, DOES_DEFAULTS | DOES_FORGET | DOES_NOT_SCAN, 1, { ACK } },
	{ KBD_DEFAULTS, DOES_DEFAULTS | DOES_FORGET, 1, { ACK } },
	{ KBD_RESET, DOES_DEFAULTS | DOES_FORGET | DOES_SCAN, 2, { ACK, TEST_PASSED } },
};

#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct dev_field fields[] = {
	DEV_FIELD(struct ps2kbd, set, 2),
	DEV_FIELD(struct ps2kbd, leds, UINT8_MAX),
	DEV_FIELD(struct ps2kbd, typematic, UINT8_MAX),
	DEV_FIELD(struct ps2kbd, scanning, 1),
	DEV_FIELD(struct ps2kbd, pending, UINT8_MAX),
	DEV_FIELD(struct ps2kbd, last, UINT8_MAX),
	DEV_FIELD(struct ps2kbd, nreply, PS2KBD_REPLY_MAX),
	DEV_BYTES(struct ps2kbd, reply),
	DEV_FIELD(struct ps2kbd, nkeys, I8042_KEYS_MAX),
	DEV_BYTES(struct ps2kbd, keys),
};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static void set_defaults(struct ps2kbd *k)
{
	k->set = 2;
	k->leds = 0;
	k->typematic = TYPEMATIC_RESET;
}

void ps2kbd_reset(struct ps2kbd *k)
{
	*k = (struct ps2kbd){ .scanning = true };
	set_defaults(k);
}

/* A guest that sends on without reading loses answers. */
static void reply(struct ps2kbd *k, uint8_t byte)
{
	if (k->nreply < PS2KBD_REPLY_MAX)
		k->reply[k->nreply++] = byte;
}

static void forget_keys(struct ps2kbd *k)
{
	memset(k->keys, 0, k->nkeys);
	k->nkeys = 0;
}

static const struct command *find_command(uint8_t code)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		if (commands[i].code == code)
			return &commands[i];
	return NULL;
}

static void obey(struct ps2kbd *k, uint8_t code)
{
	const struct command *c = find_command(code);
	unsigned i;

	/* Set 3 is not in this keyboard, so neither is what sets its keys' types. */
	if (!c) {
		reply(k, code == KBD_RESEND ? k->last : RESEND);
		return;
	}
	if (c->does & DOES_DEFAULTS)
		set_defaults(k);
	if (c->does & DOES_FORGET)
		forget_keys(k);
	if (c->does & (DOES_SCAN | DOES_NOT_SCAN))
		k->scanning = c->does & DOES_SCAN;
	if (c->does & DOES_ASK)
		k->pending = code;
	if (code == KBD_RESET) {
		memset(k->reply, 0, sizeof(k->reply));
		k->nreply = 0;
	}
	for (i = 0; i < c->nanswer; i++)
		reply(k, c->answer[i]);
}

static void take_set(struct ps2kbd *k, uint8_t set)
{
	if (set > 2) {
		reply(k, RESEND);
		return;
	}
	reply(k, ACK);
	if (!set) {
		reply(k, k->set);
		return;
	}
	k->set = set;
	forget_keys(k);
}

void ps2kbd_write(struct ps2kbd *k, uint8_t byte)
{
	uint8_t command = k->pending;

	k->pending = 0;
	/* What is no parameter is the next command. */
	if (!command || byte >= KBD_LEDS) {
		obey(k, byte);
		return;
	}
	if (command == KBD_SET) {
		take_set(k, byte);
		return;
	}
	if (command == KBD_LEDS)
		k->leds = byte;
	else
		k->typematic = byte;
	reply(k, ACK);
}

bool ps2kbd_read(struct ps2kbd *k, uint8_t *ret)
{
	if (k->nreply) {
		k->last = k->reply[0];
		k->nreply--;
		memmove(k->reply, k->reply + 1, k->nreply);
		k->reply[k->nreply] = 0;
	} else if (k->nkeys) {
		k->last = k->keys[0];
		k->nkeys--;
		memmove(k->keys, k->keys + 1, k->nkeys);
		k->keys[k->nkeys] = 0;
	} else {
		return false;
	}
	*ret = k->last;
	return true;
}

int ps2kbd_press(struct ps2kbd *k, const uint8_t *codes, size_t len, struct err *err)
{
	uint8_t broken = 0;
	size_t i;

	if (!k->scanning)
		return err_set(err, ENODEV, "the guest has switched the keyboard off");
	if (len > I8042_KEYS_MAX - k->nkeys)
		return err_set(err, ENOSPC, "the guest has not read what was typed before: %u bytes of scan codes wait, "
			       "and the keyboard holds %u", k->nkeys, I8042_KEYS_MAX);
	for (i = 0; i < len; i++) {
		if (k->set == 2) {
			k->keys[k->nkeys++] = codes[i];
		} else if (codes[i] == KEYMAP_BREAK) {
			broken = 0x80;
		} else {
			k->keys[k->nkeys++] = keymap_set1(codes[i]) | broken;
			broken = 0;
		}
	}
	return 0;
}

int ps2kbd_save(const struct ps2kbd *k, struct dev_buf *b)
{
	return dev_fields_save(k, fields, NFIELDS, b);
}

int ps2kbd_load(struct ps2kbd *k, struct dev_buf *b, const char *name, struct err *err)
{
	const struct command *c;
	int r = dev_fields_load(k, fields, NFIELDS, b, name, err);

	if (r < 0)
		return r;
	c = find_command(k->pending);
	if (!k->set || (k->pending && !(c && (c->does & DOES_ASK))) || !dev_zeros(k->reply + k->nreply, sizeof(k->reply) - k->nreply) ||
	    !dev_zeros(k->keys + k->nkeys, sizeof(k->keys) - k->nkeys))
		return err_set(err, EINVAL, "%s: its saved keyboard contradicts itself", name);
	return 0;
}

void ps2kbd_show(const struct ps2kbd *k, const struct dev_show *s)
{
	s->reg(s->arg, "keyboard_set", 8, k->set, NULL);
	s->reg(s->arg, "keyboard_leds", 8, k->leds, NULL);
	s->reg(s->arg, "keyboard_rate", 8, k->typematic, NULL);
	s->reg(s->arg, "keyboard_scanning", 1, k->scanning, k->scanning ? "keys are heard" : "keys are not heard");
	s->reg(s->arg, "keyboard_command", 8, k->pending, k->pending ? "awaits its parameter" : NULL);
	s->reg(s->arg, "keyboard_replies", 8, k->nreply, "bytes to send");
	s->reg(s->arg, "keyboard_keys", 16, k->nkeys, "bytes to send, after the replies");
}
