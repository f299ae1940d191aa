/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text as the keys that type it on a US keyboard, and keys as the codes a PS/2 keyboard sends for them. */
#ifndef GV_DEV_KEYMAP_H
#define GV_DEV_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

/* Precedes the code of a key that came up, in set 2. */
#define KEYMAP_BREAK 0xf0

/*
 * Turns TEXT, as machine_key_text() has it, into makes and breaks of scan code set 2: at most SIZE bytes at RET, their
 * number in *RET_LEN, which on failure is untouched; RET may have been written.  -EINVAL: a key that the keyboard has
 * not got, or a name that does not end; -ENOSPC: more than SIZE.  Any thread.
 */
int keymap_encode(const char *text, size_t len, uint8_t *ret, size_t size, size_t *ret_len, struct err *err);

/* The set 1 code for a set 2 code, and what an 8042 that translates makes of any other byte but KEYMAP_BREAK. */
uint8_t keymap_set1(uint8_t set2);

#endif
