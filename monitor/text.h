/* SPDX-License-Identifier: GPL-3.0-or-later */
/* C escapes, both ways: in quoted arguments, in what is sent to COM1, in what a guest's memory holds. */
#ifndef GV_MONITOR_TEXT_H
#define GV_MONITOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"
#include "api/out.h"

/*
 * Reads one character of S (LEN bytes, at least 1) with its escape: \a \b \e \f \n \r \t \v \\ \' \" \xHH and
 * one to three octal digits.  Returns how many bytes of S it took, 0 when the escape is not one.  Any thread.
 */
size_t text_char(const char *s, size_t len, uint8_t *ret);

/*
 * Resolves the escapes of S (LEN bytes) into RET, which has room for LEN bytes.  -EINVAL: one that is none.
 */
int text_unescape(const char *s, size_t len, char *ret, size_t *ret_len, struct err *err);

/* Writes S as it would stand between quotes: everything outside printable ASCII, QUOTE and \ as escapes. */
void text_escape(struct out *o, const void *s, size_t len, char quote);

/*
 * The length of the quoted string that begins at S (LEN bytes, s[0] is the quote), both quotes included;
 * 0 when it does not end.  A backslash guards the character behind it.
 */
size_t text_quoted(const char *s, size_t len);

/*
 * Seconds with up to three decimals ("10", "0.5") as milliseconds, at most 1,000,000 s.  -EINVAL: not that.
 */
int text_seconds(const char *s, size_t len, uint64_t *ret_ms);

static inline bool text_space(char c)
{
	return c == ' ' || c == '\t';
}

#endif
