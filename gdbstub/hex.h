/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hexadecimal digits: by table, and sixteen bytes at a time where there are as many. */
#ifndef GV_GDBSTUB_HEX_H
#define GV_GDBSTUB_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of digit C, or -1. */
int hex_digit(uint8_t c);
/* Writes the two digits of VALUE. */
void hex_byte(uint8_t *ret, uint8_t value);
/* Writes 2 * LEN digits.  DATA may be the upper half of RET. */
void hex_encode(uint8_t *ret, const uint8_t *data, size_t len);
/* Reads 2 * LEN digits at SRC; RET may be SRC.  False on anything that is no digit; RET is then partly written. */
bool hex_decode(uint8_t *ret, const uint8_t *src, size_t len);

#endif
