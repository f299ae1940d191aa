/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers as people type them: on the command line and in the monitor's expressions. */
#ifndef GV_UTIL_NUM_H
#define GV_UTIL_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the whole of S (LEN bytes, not NUL-terminated) as an unsigned number: decimal, or hexadecimal after 0x,
 * with at most one suffix K, M, G or T (2^10, 2^20, 2^30, 2^40) in either case.  A leading 0 does not mean octal;
 * there is no sign and no space.  -EINVAL: not such a number; -ERANGE: it does not fit 64 bits.  Any thread.
 */
int num_parse(const char *s, size_t len, uint64_t *ret);

/* Whether the number in S (one that num_parse() takes) ends in a size suffix. */
bool num_has_suffix(const char *s, size_t len);

#endif
