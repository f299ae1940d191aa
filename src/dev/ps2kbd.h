/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An MF2 keyboard with scan code sets 1 and 2 (IBM PS/2 Hardware Interface Technical Reference, "Keyboard (101- and
 * 102-key)"), as a part of the keyboard controller's device.  It keeps no time: what it has to say waits until the
 * controller takes it.  The functions run under the bus lock.
 */
#ifndef GV_DEV_PS2KBD_H
#define GV_DEV_PS2KBD_H

#include "dev/bus.h"
#include "dev/i8042.h"

#define PS2KBD_REPLY_MAX 16u

struct ps2kbd {
	uint8_t set;                    /* scan code set: 1 or 2 */
	uint8_t leds, typematic;        /* only remembered */
	bool scanning;                  /* else keys are not heard */
	uint8_t pending;                /* a command that awaits its parameter, or 0 */
	uint8_t last;                   /* the last byte sent, for FE */
	uint8_t nreply;
	/* Oldest first, replies before keys; 0 beyond their number, so that equal states save equal. */
	uint8_t reply[PS2KBD_REPLY_MAX];
	uint16_t nkeys;
	uint8_t keys[I8042_KEYS_MAX];
};

/* As after power-on, its self test's answer already taken. */
void ps2kbd_reset(struct ps2kbd *k);
/* A byte from the controller: a command or its parameter. */
void ps2kbd_write(struct ps2kbd *k, uint8_t byte);
/* Gives the controller the next byte; false: there is none. */
bool ps2kbd_read(struct ps2kbd *k, uint8_t *ret);
/*
 * Keys go down and up: CODES of set 2.  -ENOSPC: they do not fit; -ENODEV: the guest has switched scanning off.  Then
 * nothing was typed.
 */
int ps2kbd_press(struct ps2kbd *k, const uint8_t *codes, size_t len, struct err *err);

int ps2kbd_save(const struct ps2kbd *k, struct dev_buf *b);
/* *K is partly written on failure (-EINVAL, in the name of the device NAME), so give a copy. */
int ps2kbd_load(struct ps2kbd *k, struct dev_buf *b, const char *name, struct err *err);
void ps2kbd_show(const struct ps2kbd *k, const struct dev_show *s);

#endif
