/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The 8042 keyboard controller with an MF2 keyboard: ports 0x60, 0x64, 0x92 and 0xcf9, GSI 1; its auxiliary port, at
 * which nothing is, GSI 12.  Takes the place of resetctl_attach().  IBM PS/2 Hardware Interface Technical Reference;
 * scan code sets 1 (translated) and 2.  Bytes of the keyboard move on as the guest reads: each is an edge of its own.
 */
#ifndef GV_DEV_I8042_H
#define GV_DEV_I8042_H

#include "dev/bus.h"

int i8042_attach(struct bus *b, struct device **ret, struct err *err);

/*
 * Host input: types TEXT, as machine_key_text() has it; the keyboard holds I8042_KEYS_MAX bytes of scan codes that the
 * guest has not taken.  -EINVAL, -ENOSPC, -ENODEV (the guest has switched the keyboard off): nothing was typed.  Takes
 * the bus lock.  Any thread.
 */
#define I8042_KEYS_MAX 4096u
int i8042_type(struct bus *b, struct device *kbd, const char *text, size_t len, struct err *err);

#endif
